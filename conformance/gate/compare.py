"""Two records become one comparison: pure data, which the renderers tell in their ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from conformance.gate.comparable import Objection, Programs, programs
from conformance.gate.drift import (
    Answer,
    Cost,
    Coverage,
    Drift,
    answers,
    costs,
    coverage,
    documentation,
)
from conformance.gate.kinds import KINDS, sort
from conformance.reading import Reading
from conformance.record import Outcome

_VERSIONS: Final = ("keras", "numpy", "python", "protobuf", "ml-dtypes", "pytest")


@dataclass(frozen=True)
class Change:
    """What became of a cell.

    Attributes:
        kind: one of :data:`~conformance.gate.kinds.KINDS`.
        contract, subject, mode: the cell.
        why: what the verdicts do not say; empty if they say it all.
        before, after: on the two sides; None where it was not asked.
        item: the name with which pytest runs it alone; empty if it is not known.
        first: the first version between the two that shows it; None if nobody looked.
    """

    kind: str
    contract: str
    subject: str
    mode: str
    why: str
    before: Outcome | None
    after: Outcome | None
    item: str
    first: str | None = None

    @property
    def where(self) -> str:
        """The cell without its contract."""
        return " ".join(filter(None, (self.subject, self.mode)))


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        tensorflow: its version.
        git: which build it is.
        started: when the run began.
        path: where the record lies.
        options: with which pytest draws the same programs.
    """

    tensorflow: str
    git: str
    started: str
    path: str
    options: str


@dataclass(frozen=True)
class Difference:
    """What else differs between the two sides; None where it is not there."""

    what: str
    baseline: str | None
    candidate: str | None


@dataclass(frozen=True)
class Comparison:
    """Everything that a gatekeeper may ask of two records.

    Attributes:
        baseline, candidate: the two sides.
        fail_on: the kinds of changes that fail the gate.
        changes: the worst first.
        unchanged: the number of cells that are as they were.
        notes: what the reader should know before anything else.
        passed_over: objections to the comparison that were allowed.
        programs: how far it was shown that both sides tried the same.
        drift: of the documentation.
        coverage: of the gradient functions.
        answers: at special values, those that changed.
        costs: contracts that take another time.
        differences: what differs beside TensorFlow.
        sentences: what each contract says.
        deviations: what is known of those that were met, by id.
    """

    baseline: Side
    candidate: Side
    fail_on: Sequence[str]
    changes: Sequence[Change]
    unchanged: int
    notes: Sequence[str]
    passed_over: Sequence[Objection]
    programs: Programs
    drift: Drift
    coverage: Coverage
    answers: Sequence[Answer]
    costs: Sequence[Cost]
    differences: Sequence[Difference]
    sentences: Mapping[str, str]
    deviations: Mapping[str, Mapping[str, str]] = field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many changes of each kind there are, the worst first."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def failing(self) -> dict[str, int]:
        """The counts of those kinds on which the gate fails."""
        return {kind: n for kind, n in self.counts.items() if kind in self.fail_on}

    @property
    def passes(self) -> bool:
        """The verdict."""
        return not self.failing


def compare(
    baseline: Reading,
    candidate: Reading,
    fail_on: Sequence[str],
    passed_over: Sequence[Objection] = (),
) -> Comparison:
    """Compare two records that were found to be comparable.

    Args:
        baseline: what was.
        candidate: what is.
        fail_on: the kinds of changes that fail the gate.
        passed_over: objections that were allowed.
    """
    changes, unchanged = _changes(baseline, candidate)
    known = [*baseline.data["deviations"], *candidate.data["deviations"]]
    contracts = [*baseline.data["contracts"], *candidate.data["contracts"]]
    return Comparison(
        _side(baseline),
        _side(candidate),
        fail_on,
        changes,
        unchanged,
        _notes(baseline, candidate),
        passed_over,
        programs(baseline, candidate),
        documentation(baseline, candidate),
        coverage(baseline, candidate),
        answers(baseline, candidate),
        costs(baseline, candidate),
        list(differences(baseline, candidate)),
        {one["id"]: one["sentence"] for one in contracts},
        {one["id"]: one for one in known},
    )


def _changes(baseline: Reading, candidate: Reading) -> tuple[list[Change], int]:
    changes, unchanged = [], 0
    own = {one["id"] for one in candidate.data["deviations"] if "expires" in one}
    known = [*baseline.data["deviations"], *candidate.data["deviations"]]
    flickering = {one["id"] for one in known if "flickers" in one}
    for cell in {**baseline.outcomes, **candidate.outcomes}:
        before, after = baseline.outcomes.get(cell), candidate.outcomes.get(cell)
        found = sort(before, after, own, flickering)
        if found is None:
            unchanged += 1
            continue
        kind, why = found
        item = candidate.item(after) if after else baseline.item(before) if before else ""
        changes.append(Change(kind, *cell, why, before, after, item))
    changes = _beside(changes)
    ranks = {kind: rank for rank, kind in enumerate(KINDS)}
    changes.sort(key=lambda c: (ranks[c.kind], c.contract, c.subject, c.mode))
    return changes, unchanged


def _beside(changes: list[Change]) -> list[Change]:
    """What cannot be judged since another contract fails in the same programs says so."""
    failing = {
        (c.subject, c.mode, c.after.digest): c.contract
        for c in changes
        if c.kind == "regressed" and c.after is not None
    }
    told = []
    for change in changes:
        after, why = change.after, change.why
        if change.kind == "became-inconclusive" and not why and after is not None:
            culprit = failing.get((change.subject, change.mode, after.digest))
            why = f"where {culprit} regressed" if culprit else ""
        told.append(replace(change, why=why))
    return told


def _side(reading: Reading) -> Side:
    header, used = reading.header, reading.header["used"] or {"git": ""}
    options = f"--tape-profile {header['profile']} --tape-seed {header['seed']}"
    if header["examples"]:
        options += f" --tape-examples {header['examples']}"
    path = str(reading.path)
    return Side(reading.tensorflow, used["git"], header["started"], path, options)


def minor(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, to sort by; of no version, none."""
    numbers: list[int] = []
    for part in version.split(".")[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits[:9]))
    return tuple(numbers)


def _notes(baseline: Reading, candidate: Reading) -> list[str]:
    was, is_ = baseline.tensorflow, candidate.tensorflow
    notes = []
    if minor(was) > minor(is_):
        notes.append(f"the baseline {was} is newer than the candidate {is_}: a step back")
    if baseline.data == candidate.data:
        notes.append("both records are the same run")
    elif was == is_ and (baseline.header["used"] == candidate.header["used"]):
        notes.append(f"both sides are TensorFlow {was}: what differs is not TensorFlow")
    return notes


def differences(baseline: Reading, candidate: Reading) -> Iterable[Difference]:
    """What else differs between two runs: packages, machine, variables, devices."""
    was, is_ = _surroundings(baseline.header), _surroundings(candidate.header)
    for what in {**was, **is_}:
        if was.get(what) != is_.get(what):
            yield Difference(what, was.get(what), is_.get(what))


def _surroundings(header: Mapping[str, Any]) -> dict[str, str]:
    machine, used = header["machine"], header["used"] or {"devices": []}
    found = {name: header["versions"][name] for name in _VERSIONS}
    found |= {"system": machine["system"], "architecture": machine["machine"]}
    found |= {f"processor feature {name}": "yes" for name in machine["extensions"]}
    found |= {"devices": " ".join(used["devices"]) or None}
    found |= header["environment"]
    return {what: told for what, told in found.items() if told is not None}
