"""What the renderers share: changes that are alike become one finding, and texts harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from conformance.gate.compare import Change, Comparison
from conformance.gate.kinds import KINDS, signature
from conformance.record import Outcome

SHOWN: Final = frozenset({"regressed", "crashed"})
"""The kinds of which a program is shown."""


@dataclass
class Finding:
    """Changes that are alike: one promise broken in one way, in one cell or several.

    Attributes:
        kind: one of the kinds of changes.
        heading: what it is about, in a line.
        changes: the cells.
        program: a program that shows it; empty if there is none.
        facts: what is to be said of it, each with a label.
    """

    kind: str
    heading: str
    changes: list[Change]
    program: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)

    @property
    def cells(self) -> list[str]:
        """Where it shows: subjects and modes, each once."""
        return list(dict.fromkeys(change.where for change in self.changes))

    @property
    def contracts(self) -> list[str]:
        """Whose promise it is, each once."""
        return list(dict.fromkeys(change.contract for change in self.changes))


def findings(comparison: Comparison, kinds: Iterable[str]) -> list[Finding]:
    """The changes of some kinds, those alike in one, in the order of the kinds."""
    alike: dict[tuple[str, ...], list[Change]] = {}
    wanted = frozenset(kinds)
    for change in comparison.changes:
        if change.kind in wanted:
            alike.setdefault(_key(change), []).append(change)
    return [_finding(comparison, changes) for changes in alike.values()]


def _key(change: Change) -> tuple[str, ...]:
    """What two changes have in common that are told as one."""
    after, first = change.after, str(change.first)
    if after is not None and change.kind in SHOWN:
        if after.failure is None:
            return change.kind, first, *sorted(after.deviations)
        # one process dies of one program, whatever was to be judged
        about = after.failure.program if after.verdict == "crashed" else change.contract
        return change.kind, first, about, change.subject, signature(after)
    if change.kind == "support-lost":
        # a forward pass that raises is the same for every contract
        return change.kind, first, reason(after), change.why
    if change.kind == "became-inconclusive" and change.why:
        return change.kind, first, change.subject, change.mode, change.why
    told = "" if after is None else signature(after) or reason(after)
    return change.kind, first, change.contract, told, change.why


def _finding(comparison: Comparison, changes: list[Change]) -> Finding:
    first = changes[0]
    after = first.after
    if after is None or first.kind not in SHOWN:
        return Finding(first.kind, _line(changes), changes)
    replay = f'pytest "{first.item}" {comparison.candidate.options}'
    if after.failure is not None:
        failure = after.failure
        facts = [
            ("expected", failure.expected),
            ("got", failure.got),
            ("because", failure.why),
            ("replay", failure.replay),
        ]
        found = Finding(first.kind, "", changes, failure.program, _noted(first, facts))
        sentence = comparison.sentences.get(first.contract, "")
        alone = len(found.contracts) == 1
        found.heading = f"{several(found.contracts, 1)}{f': {sentence}' if alone else ''}"
        return found
    found = Finding(first.kind, "", changes)
    found.heading = f"known deviation {', '.join(after.deviations)}: {', '.join(found.contracts)}"
    for name in after.deviations:
        known = comparison.deviations.get(name)
        if known is not None:
            found.program = found.program or known["witness"].strip("\n")
            found.facts += [("because", known["reason"])]
            found.facts += [("reported", known["link"])] if known["link"] else []
    found.facts = _noted(first, [*found.facts, ("replay", replay)])
    return found


def _noted(change: Change, facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    noted = [("but", change.why)] if change.why else []
    return [*facts, *noted, *([("first in", change.first)] if change.first else [])]


def _line(changes: Sequence[Change]) -> str:
    """Changes that are alike, without a program."""
    first = changes[0]
    contracts = list(dict.fromkeys(change.contract for change in changes))
    about = "the forward pass" if first.kind == "support-lost" else several(contracts, 1)
    told = first.why or reason(first.after)
    if first.why and first.kind in ("support-lost", "newly-failing"):
        told = "; ".join(filter(None, (reason(first.after), first.why)))
    return f"{about}: {told}" if told else about


def reason(outcome: Outcome | None) -> str:
    """Why a cell is what it is, in a few words."""
    if outcome is None or outcome.verdict == "holds":
        return ""
    if outcome.failure is not None:
        return f"expected {outcome.failure.expected}, got {outcome.failure.got}"
    by_verdict = {
        "deviates": outcome.deviations,
        "gap": outcome.gaps,
        "unsupported": outcome.rejected,
    }
    reasons = by_verdict.get(outcome.verdict, outcome.inconclusive)
    return max(reasons, key=lambda name: reasons[name]) if reasons else "no case concerned it"


def counted(counts: dict[str, int]) -> str:
    """Counts of kinds in words."""
    return ", ".join(f"{count} {KINDS[kind].title}" for kind, count in counts.items())


def several(names: Sequence[str], most: int) -> str:
    """Names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def harmless(text: str) -> str:
    """A text that neither moves a cursor nor turns a line around: what could is spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_spelled, text.expandtabs(4)))


def _spelled(character: str) -> str:
    fine = character == "\n" or unicodedata.category(character)[0] != "C"
    return character if fine else ascii(character)[1:-1]
