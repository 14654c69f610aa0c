"""The kinds of changes between two records, and how a cell is sorted into one of them.

The verdicts of both sides decide, and then what became of each single program. A cell may deviate
now because of a program that did not even run before: nothing that used to hold is broken then.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from conformance.record import Outcome


@dataclass(frozen=True)
class Kind:
    """A kind of changes.

    Attributes:
        id: what ``--fail-on`` and reports call it.
        title: the same in words.
        sentence: what it means.
        fails: whether the gate fails on it unless told otherwise.
    """

    id: str
    title: str
    sentence: str
    fails: bool = False


KINDS: Final = {
    kind.id: kind
    for kind in (
        Kind("regressed", "regressed", "a program that kept the promise breaks it", fails=True),
        Kind("crashed", "crashed", "the process dies or hangs, and did not", fails=True),
        Kind(
            "became-inconclusive",
            "became inconclusive",
            "it held, and too few checks can tell now",
            fails=True,
        ),
        Kind(
            "support-lost",
            "support lost",
            "the forward pass alone raises where it ran",
            fails=True,
        ),
        Kind("known-to-you", "known to you", "it regressed, as a deviation of your own says"),
        Kind("newly-failing", "newly failing", "it fails, and nobody knows whether it held"),
        Kind("fails-differently", "fails differently", "it failed, and fails in another way"),
        Kind("gap-opened", "gap opened", "a gradient that there was is not offered any more"),
        Kind("removed", "removed", "it is not asked any more"),
        Kind("still-failing", "still failing", "it failed, and fails in the same way"),
        Kind("unclear", "unclear", "it failed, or held, and what was judged is not judged now"),
        Kind("fixed", "fixed", "it failed, and holds"),
        Kind("gap-closed", "gap closed", "a gradient that was not offered is"),
        Kind("support-won", "support won", "the forward pass runs where it raised"),
        Kind("became-conclusive", "became conclusive", "too few checks could tell, and it holds"),
        Kind("added", "added", "it was not asked before"),
    )
}
"""By id, the worst first."""

FAIL_ON: Final = tuple(kind.id for kind in KINDS.values() if kind.fails)

_FAILING: Final = frozenset({"violated", "deviates"})
_TABLE: Final = {
    # what it was: what it is: the kind; what the verdicts alone cannot decide has a function below
    "holds": {
        "crashed": "crashed",
        "gap": "gap-opened",
        "inconclusive": "became-inconclusive",
        "unsupported": "support-lost",
    },
    "failing": {
        "crashed": "crashed",
        "gap": "gap-opened",
        "holds": "fixed",
        "inconclusive": "unclear",
        "unsupported": "support-lost",
    },
    "crashed": {
        "crashed": "still-failing",
        "failing": "fails-differently",
        "gap": "fails-differently",
        "holds": "fixed",
        "inconclusive": "unclear",
        "unsupported": "fails-differently",
    },
    "gap": {
        "crashed": "crashed",
        "holds": "gap-closed",
        "inconclusive": "gap-closed",
        "unsupported": "support-lost",
    },
    "inconclusive": {
        "crashed": "crashed",
        "gap": "gap-opened",
        "holds": "became-conclusive",
        "unsupported": "support-lost",
    },
    "unsupported": {
        "crashed": "crashed",
        "gap": "support-won",
        "holds": "support-won",
        "inconclusive": "support-won",
    },
}

Sorted = tuple[str, str]
"""The id of a kind, and why, where the verdicts do not say it."""


def sort(
    before: Outcome | None,
    after: Outcome | None,
    own: AbstractSet[str] = frozenset(),
    flickering: AbstractSet[str] = frozenset(),
) -> Sorted | None:
    """The kind of change between two outcomes of one cell; None if there is none.

    Args:
        before: on the baseline; None if it was not asked there.
        after: on the candidate; None if it was not asked there.
        own: the ids of the deviations of the user's own.
        flickering: the ids of those that come and go from run to run.
    """
    found = _sort(before, after)
    if before is None or after is None or found is None or found[0] not in _BY_CHANCE:
        return found
    if not {before.verdict, after.verdict} <= {"deviates", "holds", "inconclusive"}:
        return found
    if found[0] == "regressed" and _more(before, after, own):
        return "known-to-you", found[1]
    counts = {*before.deviations.items()} ^ {*after.deviations.items()}
    changed = {name for name, _ in counts} or {*before.deviations, *after.deviations}
    if changed <= flickering:
        return "unclear", "what is answered there stood in memory, and is another in each run"
    return found


_BY_CHANCE: Final = frozenset({"regressed", "newly-failing", "fixed", "fails-differently"})


def _more(before: Outcome, after: Outcome, known: AbstractSet[str]) -> bool:
    """Whether what fails more often than it did is all known."""
    grown = {name for name, n in after.deviations.items() if n > before.deviations.get(name, 0)}
    return bool(grown) and grown <= known


def _sort(before: Outcome | None, after: Outcome | None) -> Sorted | None:
    """The same, whatever the user knows."""
    if before is None or after is None:
        crashed = after is not None and after.verdict == "crashed"
        return ("crashed" if crashed else "removed" if after is None else "added"), ""
    was, is_ = _row(before.verdict), _row(after.verdict)
    if is_ == "failing" and was not in ("failing", "crashed"):
        return _began_to_fail(before, after)
    if is_ == was == "failing":
        return _failed_already(before, after)
    kind = _TABLE[was].get(is_)
    if kind == "became-inconclusive" or (kind == "fixed" and was == "failing"):
        return _judged_still(kind, before, after)
    if kind == "gap-opened":
        return _has_gaps(before, after)
    return (kind, "") if kind else _partly(before, after)


def _row(verdict: str) -> str:
    return "failing" if verdict in _FAILING else verdict


def _pairs(before: Outcome, after: Outcome) -> list[tuple[str, str]]:
    """What became of each program that both sides tried."""
    return list(zip(before.fates, after.fates, strict=False))


_BEFORE: Final = (
    # what the failing programs were, by the first that is among them: the kind, and why
    ("ht", "regressed", ""),
    ("in", "newly-failing", "the baseline ran these programs, and could not decide"),
    ("g", "newly-failing", "the baseline had no gradient"),
    ("r", "newly-failing", "the baseline could not run these programs"),
)


def _began_to_fail(before: Outcome, after: Outcome) -> Sorted:
    """The same program decides: it held, or ran without being seen to fail, or did not run."""
    pairs = _pairs(before, after)
    failing = {was for was, is_ in pairs if is_ in "vd"}
    for fates, kind, why in _BEFORE:
        if failing.intersection(fates):
            # what nobody knew of is worth more than a word, where the baseline had its chance
            unknown = fates == "in" and after.verdict == "violated"
            return ("regressed" if unknown else kind), why
    if len(pairs) < len(after.fates):
        return "newly-failing", "the baseline stopped at a failure before this program"
    return "regressed", ""  # what became of single programs is not known


def _failed_already(before: Outcome, after: Outcome) -> Sorted:
    """Whether it fails in the same way, and on no program that kept the promise."""
    worse = sum(was in "ht" and is_ in "vd" for was, is_ in _pairs(before, after))
    if worse:
        return "regressed", f"it failed already, but not on {_programs(worse)} on which it does now"
    was, is_ = signature(before), signature(after)
    if before.verdict != after.verdict:
        known = before.failure is None
        told = f"known as {was}, now {is_}" if known else f"{was}, now known as {is_}"
        return "fails-differently", told
    if before.failure is not None:
        return ("still-failing", "") if was == is_ else ("fails-differently", f"{was}, now {is_}")
    different = (
        ("no longer", before.deviations.keys() - after.deviations.keys()),
        ("now", after.deviations.keys() - before.deviations.keys()),
    )
    ways = [f"{word} {', '.join(sorted(names))}" for word, names in different if names]
    return ("fails-differently", "; ".join(ways)) if ways else ("still-failing", "")


def signature(outcome: Outcome) -> str:
    """How a cell fails, in a few words that do not change with the numbers: a kind, an error."""
    failure = outcome.failure
    if failure is None:
        return ", ".join(sorted(outcome.deviations))
    named = failure.got.partition(":")[0] if failure.kind == "exception" else ""
    return " ".join(filter(None, (failure.kind, named)))


def _judged_still(kind: str, before: Outcome, after: Outcome) -> Sorted:
    """Whether what was judged is judged still: else the verdict changed for another reason."""
    once = "h" if kind == "became-inconclusive" else "dv"
    now = {is_ for was, is_ in _pairs(before, after) if was in once}
    told = kind, ""
    if kind == "became-inconclusive":
        if _stopped(before, after):
            told = kind, _stopped(before, after)
        elif now == {"h"}:
            told = "unclear", "what held holds; of the other programs too few can be judged"
    elif not now and _stopped(before, after):
        told = "unclear", _stopped(before, after)
    elif now == {"r"}:
        told = "support-lost", "the programs that failed cannot run any more"
    elif now and not now & {"h", "t"}:
        told = "unclear", "the programs that failed are not judged any more"
    return told


def _has_gaps(before: Outcome, after: Outcome) -> Sorted:
    """Whether a gradient that there was is not offered, or another reason for a gap."""
    once = {was for was, is_ in _pairs(before, after) if is_ == "g"}
    if once == {"r"}:
        return "support-won", "what runs now has no gradient"
    if once <= {"g", "r"} and _stopped(before, after):
        return "unclear", _stopped(before, after)
    return "gap-opened", ""


def _stopped(before: Outcome, after: Outcome) -> str:
    """That the candidate tried fewer programs, as another contract failed; empty if it did not."""
    if len(after.fates) >= len(before.fates):
        return ""
    return f"stopped at another contract's failure, at program {len(after.fates)}"


def _partly(before: Outcome, after: Outcome) -> Sorted | None:
    """Where verdicts are the same: programs that ran and do not, gradients that there were."""
    if before.fates == after.fates:  # nearly always, and fast
        return None
    pairs = _pairs(before, after)
    for kind, was_once, is_now in (("support-lost", "hdvgit", "r"), ("gap-opened", "h", "g")):
        lost = sum(was in was_once and is_ in is_now for was, is_ in pairs)
        if lost:
            return kind, f"{lost} of {_programs(len(pairs))}"
    return None


def _programs(count: int) -> str:
    return "1 program" if count == 1 else f"{count} programs"
