"""The record of a run: what gate and site read, so that neither needs TensorFlow.

A record is one JSON file: a header (what ran, on what), the contracts with what they cite, the
sentences of the documentation, outcomes (one for each contract, subject and mode), observations
(answers that nobody judges) and a footer (whether it is complete, and counts). Its schema is
published beside this module as ``record.schema.json``. Records are written atomically: a reader
finds the old file or the new one, never half of one.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from conformance.coverage import Coverage

SCHEMA_VERSION: Final = 1
SCHEMA_FILE: Final = Path(__file__).with_name("record.schema.json")

VERDICTS: Final = (
    "violated",
    "crashed",
    "deviates",
    "gap",
    "inconclusive",
    "unsupported",
    "holds",
)


@dataclass
class Failure:
    """How a promise was broken, for a reader who was not there; see STYLE's order in the README.

    Attributes:
        kind: value, none, shape, dtype, exception, ...
        expected, got: what should have been and what was.
        program: a TensorFlow program that shows it.
        why: why the expectation is believed.
        replay: the command that repeats it.
    """

    kind: str
    expected: str
    got: str
    program: str
    why: str
    replay: str


@dataclass
class Outcome:
    """What became of one contract about one subject in one mode.

    Attributes:
        contract, subject, mode: what was asked; the subject is empty where there is only one.
        verdict: one of :data:`VERDICTS`.
        examples: cases that were run.
        conclusive: checks that a fault would have failed.
        trivial: checks that cannot fail.
        inconclusive: checks that no oracle could decide, by reason.
        rejected: cases whose forward pass alone raises in this mode, by error.
        gaps: gradients that TensorFlow does not offer, by error.
        deviations: failures that match a known deviation, by its id.
        digest: of all programs that were generated, up to the first failure.
        seconds: the contract's share of the wall time.
        failure: the shrunk failure, if violated.
    """

    contract: str
    subject: str
    mode: str
    verdict: str = "inconclusive"
    examples: int = 0
    conclusive: int = 0
    trivial: int = 0
    inconclusive: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, int] = field(default_factory=dict)
    deviations: dict[str, int] = field(default_factory=dict)
    digest: str = ""
    seconds: float = 0.0
    failure: Failure | None = None

    def judge(self, floor: float) -> None:
        """Set the verdict from the counts.

        Args:
            floor: the least conclusive share of the checks that could have failed.
        """
        undecided = sum(self.inconclusive.values())
        decided = self.conclusive + undecided
        if self.failure is not None:
            self.verdict = "violated"
        elif self.deviations:
            self.verdict = "deviates"
        elif self.gaps and not self.conclusive:
            self.verdict = "gap"
        elif self.examples and sum(self.rejected.values()) == self.examples:
            self.verdict = "unsupported"
        elif not self.conclusive or self.conclusive < floor * decided:
            self.verdict = "inconclusive"
        else:
            self.verdict = "holds"


def outcome_from_json(data: dict[str, Any]) -> Outcome:
    """The inverse of :func:`dataclasses.asdict` for an outcome."""
    failure = data["failure"]
    return Outcome(**{**data, "failure": None if failure is None else Failure(**failure)})


@dataclass
class Record:
    """A run: header, outcomes, and whether all of it was reached.

    Attributes:
        header: what ran and on what; see the schema.
        contracts: those that were registered, each with its sentence and its citations.
        outcomes: in the order in which they were reached.
        citations: the sentences that citations led to, by contract, symbol and fragment.
        documentation: the sentences of the documentation, each with who speaks for it.
        registered: the types of ops that TensorFlow has a gradient function for, each with the
            reason why nothing here can reach it; "" if something can.
        coverage: which of these functions ran, and which were verified.
        observations: what TensorFlow answers where nothing is promised; see the schema.
        complete: whether every collected item was run to its end.
        seconds: the wall time of the run.
    """

    header: dict[str, Any]
    outcomes: list[Outcome] = field(default_factory=list)
    contracts: list[dict[str, Any]] = field(default_factory=list)
    citations: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)
    documentation: list[dict[str, Any]] = field(default_factory=list)
    registered: dict[str, str] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    observations: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False
    seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """How many outcomes have each verdict."""
        found = Counter(outcome.verdict for outcome in self.outcomes)
        return {verdict: found[verdict] for verdict in VERDICTS}

    def note(self, notes: Iterable[dict[str, Any]]) -> None:
        """Take in what an item has seen: sentences, gradient functions, observations."""
        for note in notes:
            kind = note.pop("note")
            if kind == "citation":
                key = note.pop("contract"), note.pop("where"), note.pop("words")
                self.citations[key] = note
            elif kind == "gradient":
                self.coverage.add([note["name"]], note["contracts"])
            elif kind == "observation":
                self.observations.append(note)
            else:
                self.documentation.append(note)

    def _cited(self, contract: dict[str, Any]) -> dict[str, Any]:
        """A contract whose citations have the sentences that they led to, where they were read."""
        unread = {"sentence": None, "hash": None}
        found = [
            {**c, **self.citations.get((contract["id"], c["where"], c["words"]), unread)}
            for c in contract["citations"]
        ]
        return {**contract, "citations": found}

    def to_json(self) -> dict[str, Any]:
        """The record as the schema has it; outcomes are sorted, so that equal runs look equal."""
        ranked = sorted(self.outcomes, key=lambda o: (o.contract, o.subject, o.mode))
        return {
            "schema": SCHEMA_VERSION,
            "header": self.header,
            "contracts": [self._cited(c) for c in sorted(self.contracts, key=lambda c: c["id"])],
            "documentation": sorted(self.documentation, key=lambda s: s["symbol"]),
            "gradients": self.coverage.states(self.registered),
            "outcomes": [asdict(outcome) for outcome in ranked],
            "observations": sorted(self.observations, key=lambda o: (o["subject"], o["program"])),
            "footer": {
                "complete": self.complete,
                "counts": self.counts(),
                "seconds": round(self.seconds, 3),
            },
        }

    def write(self, path: Path) -> None:
        """Write the record in place of what is there, in one step.

        Raises:
            OSError: if the folder or the file cannot be written; what was there stays.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self.to_json(), file, indent=1, ensure_ascii=True, allow_nan=False)
                file.write("\n")
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """See whether a record could be written, and leave nothing behind, not even a folder.

    Raises:
        OSError: if not.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    os.close(handle)
    Path(name).unlink()
