"""Whether two records can be compared: the same suite, asked the same, of the same programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from conformance.errors import ExitCode, UsageError
from conformance.reading import Reading
from conformance.record import PREFIX

ALLOWED: Final = {
    "suite": "another version of this suite, so other contracts or programs",
    "schema": "another version of the record's schema",
    "profile": "another profile, or another number of cases",
    "selection": "another part of the suite: modes, a shard, or what pytest was narrowed to",
    "seed": "another seed",
    "hypothesis": "another Hypothesis, which draws other programs",
    "incomplete": "a run that did not come to its end",
    "programs": "programs that are not the same on both sides",
}
"""What can be different between two records, and is refused unless it is allowed."""


@dataclass(frozen=True)
class Objection:
    """A reason why two records should not be compared.

    Attributes:
        id: one of :data:`ALLOWED`.
        text: what is different.
    """

    id: str
    text: str


@dataclass
class Programs:
    """How many programs were shown to be the same on both sides, item by item.

    Attributes:
        identical: items whose programs are all the same.
        prefix: items of which one side stopped early, and all that both tried are the same.
        unknown: items of which nothing is known, as the process died.
        different: cells whose programs differ.
    """

    identical: int
    prefix: int
    unknown: int
    different: list[str]


def programs(baseline: Reading, candidate: Reading) -> Programs:
    """Compare the programs of the cells that both records have."""
    pairs: dict[tuple[str, str, str, str], str] = {}
    for cell, before in baseline.outcomes.items():
        after = candidate.outcomes.get(cell)
        if after is not None:
            # what is the same of all contracts of an item
            item = (cell[1], cell[2], before.digest, after.digest)
            pairs.setdefault(item, " ".join(filter(None, cell)))
    found = Programs(0, 0, 0, [])
    for (_, _, was, is_), name in pairs.items():
        if not was or not is_:
            found.unknown += 1
        elif was == is_:
            found.identical += 1
        elif _agree(baseline.prefixes.get(was, ""), candidate.prefixes.get(is_, "")):
            found.prefix += 1
        else:
            found.different.append(name)
    return found


def _agree(one: str, other: str) -> bool:
    common = min(len(one), len(other))
    return common >= PREFIX and one[:common] == other[:common]


def objections(baseline: Reading, candidate: Reading) -> Iterator[Objection]:
    """All reasons why two records should not be compared."""
    for name, what, asked in _ASKED:
        was, is_ = asked(baseline.header), asked(candidate.header)
        if was != is_:
            yield Objection(name, f"the {what}: {_told(was)} and {_told(is_)}")
    for side, reading in (("baseline", baseline), ("candidate", candidate)):
        if not reading.data["footer"]["complete"]:
            yield Objection("incomplete", f"the run of the {side} did not come to its end")
    different = programs(baseline, candidate).different
    if different:
        text = f"the programs of {len(different)} items differ, such as those of {different[0]}"
        yield Objection("programs", text)


_ASKED: Final[Sequence[tuple[str, str, Callable[[Mapping[str, Any]], Any]]]] = (
    ("suite", "version of the suite", lambda header: header["tapemeasure"]),
    ("suite", "fingerprint of the suite's files", lambda header: header["suite"]),
    ("profile", "profile", lambda header: header["profile"]),
    ("profile", "number of cases", lambda header: header["examples"] or "the profile's"),
    ("selection", "modes", lambda header: sorted(header["modes"])),
    ("selection", "selection", lambda header: header["selection"] or "everything"),
    ("selection", "part", lambda header: header["shard"] or "the whole"),
    ("seed", "seed", lambda header: header["seed"]),
    ("hypothesis", "Hypothesis", lambda header: header["versions"]["hypothesis"]),
)


def check(baseline: Reading, candidate: Reading, allowed: Sequence[str]) -> list[Objection]:
    """Refuse to compare what is not comparable.

    Args:
        baseline: the one side.
        candidate: the other.
        allowed: the ids of objections that are passed over.

    Returns:
        The objections that were passed over.

    Raises:
        UsageError: if there are others.
    """
    found = list(objections(baseline, candidate))
    refused = [objection for objection in found if objection.id not in allowed]
    if not refused:
        return found
    causes = "".join(f"\n  {objection.id}: {objection.text}" for objection in refused)
    names = " ".join(dict.fromkeys(f"--allow {objection.id}" for objection in refused))
    raise UsageError(
        f"the records cannot be compared:{causes}",
        expected="two complete runs of one suite, on the same programs",
        hint="`tox run -e gate -- BASELINE CANDIDATE` makes such records; to compare these all the "
        f"same: {names}",
        code=ExitCode.INCOMPARABLE,
    )


def _told(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)
