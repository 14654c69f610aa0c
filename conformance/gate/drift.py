"""What changed between two records beside the verdicts: documentation, coverage, answers, cost."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.reading import Reading

ALIKE: Final = 0.6
"""How much of two sentences must be the same for one to be the other, reworded."""
LONGEST: Final = 1000
"""Characters of a sentence, and sentences of a symbol, that are looked at for rewording: the time
grows with the square, and a record may come from a stranger."""
MOST: Final = 40
LONGER: Final = 2.0
"""How many times the seconds of a contract must have changed to be worth a word..."""
LEAST: Final = 1.0
"""...and how many seconds it must have taken, as below it the clock is not worth one."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of the documentation that is there on one side only."""

    symbol: str
    sentence: str


@dataclass(frozen=True)
class Reworded:
    """A sentence that is there on both sides, in other words."""

    symbol: str
    before: str
    after: str


@dataclass(frozen=True)
class Drift:
    """What changed in the documentation.

    Attributes:
        read: whether both runs read it; if not, nothing is known.
    """

    read: bool
    added: list[Sentence]
    removed: list[Sentence]
    reworded: list[Reworded]


@dataclass(frozen=True)
class Answer:
    """Another answer at special values, where nothing is promised.

    Attributes:
        subject: the op.
        special: what is special about the values.
        values: the inputs, as TensorFlow source.
        before, after: the gradients.
    """

    subject: str
    special: str
    values: list[str]
    before: str
    after: str


def answers(baseline: Reading, candidate: Reading) -> list[Answer]:
    """What the same programs answer at special values now, and did not."""
    was = {(one["subject"], one["program"]): one for one in baseline.data["observations"]}
    found = []
    for one in candidate.data["observations"]:
        before = was.get((one["subject"], one["program"]))
        if before is not None and before["answer"] != one["answer"]:
            told = one["subject"], one["special"], one["values"]
            found.append(Answer(*told, before["answer"], one["answer"]))
    return found


def documentation(baseline: Reading, candidate: Reading) -> Drift:
    """Compare the sentences of the documentation, symbol by symbol."""
    was, is_ = _sentences(baseline), _sentences(candidate)
    drift = Drift(bool(was and is_), [], [], [])
    for symbol in sorted({**was, **is_}) if drift.read else ():
        before, after = was.get(symbol, {}), is_.get(symbol, {})
        gone = [told for fingerprint, told in before.items() if fingerprint not in after]
        new = [told for fingerprint, told in after.items() if fingerprint not in before]
        for old in list(gone):
            if (other := _alike(old, new)) is not None:
                gone.remove(old)
                new.remove(other)
                drift.reworded.append(Reworded(symbol, old, other))
        drift.removed.extend(Sentence(symbol, told) for told in gone)
        drift.added.extend(Sentence(symbol, told) for told in new)
    return drift


def _sentences(reading: Reading) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in reading.data["documentation"]:
        found.setdefault(one["symbol"], {})[one["hash"]] = one["sentence"]
    return found


def _alike(sentence: str, among: list[str]) -> str | None:
    """The most similar of several sentences, if it is similar enough."""
    if len(sentence) > LONGEST or len(among) > MOST:
        return None
    short = [one for one in among if len(one) <= LONGEST]
    return next(iter(difflib.get_close_matches(sentence, short, n=1, cutoff=ALIKE)), None)


@dataclass(frozen=True)
class Coverage:
    """Which registered gradient functions are verified on one side only.

    Attributes:
        gained, lost: registered on both sides.
        registered, unregistered: the functions that TensorFlow has now, or had.
    """

    gained: list[str]
    lost: list[str]
    registered: list[str]
    unregistered: list[str]


def coverage(baseline: Reading, candidate: Reading) -> Coverage:
    """Compare the states of the registered gradient functions."""
    was, is_ = _states(baseline), _states(candidate)
    both = [name for name in was if name in is_]
    return Coverage(
        [name for name in both if is_[name] == "verified" != was[name]],
        [name for name in both if was[name] == "verified" != is_[name]],
        [name for name in is_ if name not in was],
        [name for name in was if name not in is_],
    )


def _states(reading: Reading) -> Mapping[str, str]:
    return {one["name"]: one["state"] for one in reading.data["gradients"]}


@dataclass(frozen=True)
class Cost:
    """A contract that takes another time: seconds of the cells that both sides ran in full."""

    contract: str
    before: float
    after: float


def costs(baseline: Reading, candidate: Reading) -> list[Cost]:
    """The contracts whose seconds changed more than twofold, most first."""
    totals: dict[str, list[float]] = {}
    for cell, before in baseline.outcomes.items():
        after = candidate.outcomes.get(cell)
        if after is not None and before.examples == after.examples:
            total = totals.setdefault(cell[0], [0.0, 0.0])
            total[0] += before.seconds
            total[1] += after.seconds
    found = [
        Cost(contract, round(was, 2), round(is_, 2))
        for contract, (was, is_) in totals.items()
        if max(was, is_) >= LEAST and max(was, is_) > LONGER * min(was, is_)
    ]
    return sorted(found, key=_factor, reverse=True)


def _factor(cost: Cost) -> float:
    return max(cost.before, cost.after) / max(min(cost.before, cost.after), 1e-3)
