"""Verdicts as a reader sees them: a word, a sign, and what many of them come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from conformance.record import Outcome

ABSENT: Final = "absent"
"""Where nothing was asked: a contract about other versions, or a record of a part of the suite."""

SIGNS: Final = {
    "violated": "✗",
    "crashed": "†",
    "deviates": "≠",
    "holds": "✓",
    "gap": "○",
    "inconclusive": "?",
    "unsupported": "\N{EN DASH}",
    ABSENT: "·",
}
"""A sign for each verdict, so that none is told by colour alone. The first that occurs among cells
is what they come to: one program that breaks a promise breaks it, whatever the others do."""

MEANINGS: Final = {
    "violated": "a program breaks the promise",
    "crashed": "the process died, or one case took five minutes",
    "deviates": "broken exactly as a known deviation says, and not otherwise",
    "holds": "programs were tried, enough checks were conclusive, none failed",
    "gap": "TensorFlow offers no gradient there and says so",
    "inconclusive": "too few checks could have failed, or no program concerned it",
    "unsupported": "the forward pass alone raises",
    ABSENT: "not asked in this version",
}

SAID: Final = {
    "violated": "violated",
    "crashed": "crashes the process",
    "deviates": "known to deviate",
    "holds": "holds",
    "gap": "has a gap",
    "inconclusive": "not decided",
    "unsupported": "not supported",
    ABSENT: "not asked",
}
"""How a sentence goes on that ends in versions."""

WORDS: Final = dict(zip(SIGNS, SIGNS, strict=True)) | {ABSENT: "not asked"}
"""What a verdict is called where it stands by itself."""

_LETTERS: Final = {verdict: verdict[0] for verdict in SIGNS}


def letter(verdict: str) -> str:
    """A letter for a verdict, by which the matrix's script knows it."""
    return _LETTERS[verdict]


def overall(verdicts: Iterable[str]) -> str:
    """What several verdicts come to."""
    found = set(verdicts)
    return next((verdict for verdict in SIGNS if verdict in found), ABSENT)


@dataclass(frozen=True)
class Summary:
    """What some cells come to.

    Attributes:
        verdict: of all of them.
        cells: how many have each verdict, in the order of :data:`SIGNS`.
        programs: those that were tried; one that several contracts looked at counts for each.
        conclusive, trivial, undecided: checks that a fault would have failed, that cannot fail,
            and that no oracle could decide.
        rejected: programs whose forward pass alone raises.
        gaps: gradients that are not offered.
        known: failures that match a known deviation.
    """

    verdict: str = ABSENT
    cells: dict[str, int] = field(default_factory=dict)
    programs: int = 0
    conclusive: int = 0
    trivial: int = 0
    undecided: int = 0
    rejected: int = 0
    gaps: int = 0
    known: int = 0


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """What cells come to."""
    if not outcomes:
        return Summary()
    count: Counter[str] = Counter()
    totals = [0] * 7
    for one in outcomes:
        count[one.verdict] += 1
        totals[0] += one.examples
        totals[1] += one.conclusive
        totals[2] += one.trivial
        by_reason = (one.inconclusive, one.rejected, one.gaps, one.deviations)
        for at, reasons in enumerate(by_reason, 3):
            if reasons:  # seldom
                totals[at] += sum(reasons.values())
    cells = {verdict: count[verdict] for verdict in SIGNS if count[verdict]}
    return Summary(overall(cells), cells, *totals)
