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
import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from conformance.coverage import Coverage

SCHEMA_VERSION: Final = 1
PREFIX: Final = 4
"""Hexadecimal digits of the digest of all programs up to one of them."""
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

FATES: Final = {
    "h": "a fault would have been seen, and none was",
    "d": "failed as a known deviation",
    "v": "violated",
    "g": "a gap",
    "i": "no oracle could decide",
    "t": "the check cannot fail",
    "n": "there was nothing to check",
    "r": "the forward pass alone raises",
}
"""What became of one case."""


@dataclass
class Failure:
    """How a promise was broken, for a reader who was not there; see STYLE's order in the README.

    Attributes:
        kind: value, none, shape, dtype, exception, ...
        expected, got: what should have been and what was.
        program: a TensorFlow program that shows it.
        why: why the expectation is believed.
        replay: the command that looks for it anew.
        alone: what the program came to in an interpreter of its own; empty if it was not tried.
    """

    kind: str
    expected: str
    got: str
    program: str
    why: str
    replay: str
    alone: str = ""


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
        digest: of all programs that were generated, up to the first failure; empty if the process
            died with them.
        fates: what became of each case, a letter each, one of :data:`FATES`.
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
    fates: str = ""
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
        docstrings: the docstrings that they stand in.
        registered: the types of ops that TensorFlow has a gradient function for, each with the
            reason why nothing here can reach it; "" if something can.
        modules: by the same types, the modules of TensorFlow that register these functions.
        coverage: which of these functions ran, and which were verified.
        programs: by item, the digest of its programs and of all up to each of them.
        deviations: the known ones that were met, by id.
        observations: what TensorFlow answers where nothing is promised; see the schema.
        complete: whether every collected item was run to its end.
        progress: how far a run is that did not come to its end, as in ``312 of 748 items``.
        seconds: the wall time of the run.
    """

    header: dict[str, Any]
    outcomes: list[Outcome] = field(default_factory=list)
    contracts: list[dict[str, Any]] = field(default_factory=list)
    citations: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)
    documentation: list[dict[str, Any]] = field(default_factory=list)
    docstrings: list[dict[str, Any]] = field(default_factory=list)
    registered: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    programs: dict[str, dict[str, Any]] = field(default_factory=dict)
    deviations: dict[str, dict[str, Any]] = field(default_factory=dict)
    observations: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False
    progress: str = ""
    seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """How many outcomes have each verdict."""
        found = Counter(outcome.verdict for outcome in self.outcomes)
        return {verdict: found[verdict] for verdict in VERDICTS}

    def note(self, notes: Iterable[dict[str, Any]]) -> None:
        """Take in what an item has seen beside its outcomes."""
        for note in notes:
            kind = note.pop("note")
            if kind == "citation":
                key = note.pop("contract"), note.pop("where"), note.pop("words")
                self.citations[key] = note
            elif kind == "gradient":
                self.coverage.add([note["name"]], note["contracts"], note["ops"])
            elif kind == "programs":
                self.programs[note["item"]] = note
            elif kind == "deviation":
                self.deviations[note["id"]] = note
            elif kind == "observation":
                self.observations.append(note)
            elif kind == "docstring":
                self.docstrings.append(note)
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
        outcomes = [asdict(outcome) for outcome in ranked]
        return {**self._beside(), "outcomes": outcomes, "footer": self._footer(self.counts())}

    def _beside(self) -> dict[str, Any]:
        """What stands before the outcomes."""
        return {
            "schema": SCHEMA_VERSION,
            "header": self.header,
            "contracts": [self._cited(c) for c in sorted(self.contracts, key=lambda c: c["id"])],
            "documentation": sorted(self.documentation, key=lambda s: s["symbol"]),
            "docstrings": sorted(self.docstrings, key=lambda d: d["symbol"]),
            "gradients": self.coverage.states(self.registered, self.modules),
            "programs": [programs for _, programs in sorted(self.programs.items())],
            "deviations": [known for _, known in sorted(self.deviations.items())],
            "observations": sorted(self.observations, key=lambda o: (o["subject"], o["program"])),
        }

    def _footer(self, counts: dict[str, int]) -> dict[str, Any]:
        unfinished = self.progress and not self.complete
        return {
            "complete": self.complete,
            **({"progress": self.progress} if unfinished else {}),
            "counts": counts,
            "seconds": round(self.seconds, 3),
        }

    def write(self, path: Path) -> None:
        """Write the record in place of what is there, in one step.

        Raises:
            OSError: if the folder or the file cannot be written; what was there stays.
        """
        write(path, self.to_json())


def write(path: Path, data: dict[str, Any]) -> None:
    """Write a record in place of what is there, in one step.

    Raises:
        OSError: if the folder or the file cannot be written; what was there stays.
    """
    _put(path, {key: _bytes(value) for key, value in data.items()})


class Unfinished:
    """The record of a run that goes on: whole on disk after each item, whatever ends the run then.

    The file is written anew each time (15 MB at the end of a run that explores take about 10 ms),
    but bytes are made of each outcome once, and of what stands beside the outcomes every
    :data:`_RENEW` seconds.
    """

    def __init__(self, record: Record, path: Path) -> None:
        self._record, self._path = record, path
        self._outcomes = bytearray()
        self._counts = dict.fromkeys(VERDICTS, 0)
        self._beside: dict[str, _Bytes] = {}
        self._renewed = -math.inf

    def write(self) -> None:
        """Write what is known now; outcomes in the order in which they were reached.

        Raises:
            OSError: as :meth:`Record.write`.
        """
        record = self._record
        for outcome in record.outcomes[sum(self._counts.values()) :]:
            self._outcomes += (_NEXT if self._outcomes else b"") + _entry(asdict(outcome))
            self._counts[outcome.verdict] += 1
        if time.monotonic() > self._renewed + _RENEW:
            self._beside = {key: _bytes(value) for key, value in record._beside().items()}  # noqa: SLF001 - one module
            self._renewed = time.monotonic()
        footer = _bytes(record._footer(self._counts))  # noqa: SLF001 - as above
        _put(self._path, {**self._beside, "outcomes": _list(self._outcomes), "footer": footer})


_RENEW: Final = 10.0
_NEXT: Final = b",\n"
_Bytes = Sequence[bytes | bytearray]
"""A part of the record in pieces, which nothing puts together before they are written."""


def _entry(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, allow_nan=False).encode("ascii")


def _list(entries: bytes | bytearray) -> _Bytes:
    return [b"[\n", entries, b"\n]"] if entries else [b"[]"]


def _bytes(value: Any) -> _Bytes:
    """A part of the record: a list with a line for each entry, or a line."""
    if isinstance(value, list):
        return _list(_NEXT.join(map(_entry, value)))
    return [_entry(value)]


def _put(path: Path, parts: Mapping[str, _Bytes]) -> None:
    """Write a record of which each part is bytes already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            opening = b"{\n"
            for key, pieces in parts.items():
                file.writelines([opening, _entry(key), b": ", *pieces])
                opening = _NEXT
            file.write(b"\n}\n")
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
