"""What a run leaves: its record, and beside it the programs of its failures."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from conformance import environment
from conformance.contract import Violation
from conformance.failures import confirm, failure_text
from conformance.record import Failure, Outcome, Record, Unfinished
from conformance.running import ItemRun
from conformance.stored import file_name, folder_of, store, stored

CONFIRMED: Final = 20
"""Failures of a process whose programs are run once more, in interpreters of their own: each takes
as long as TensorFlow's import, so a run in which all is broken tries a few."""


class Results:
    """The files of a run, if it was asked for a record.

    Args:
        record: of the run.
        path: of the file of the record; None: nothing is written.
    """

    def __init__(self, record: Record, path: Path | None) -> None:
        self.record, self.path = record, path
        self._unfinished = None if path is None else Unfinished(record, path)
        self._confirmed = 0

    def run(self, item: ItemRun) -> None:
        """Run an item; if it fails, see whether the programs of its failures fail by themselves.

        Raises:
            Violation: if it fails.
        """
        try:
            item.test()()
        except Violation:
            failures = item.failures[: CONFIRMED - self._confirmed]
            self._confirmed += len(failures)
            confirm(failures)
            raise

    def write_unfinished(self) -> None:
        """Write what is known now of a run that goes on: the record alone."""
        if self._unfinished is not None:
            self._unfinished.write()

    def write(self) -> None:
        """Write the record, and store the programs of its failures beside it.

        Raises:
            OSError: if a file cannot be written.
        """
        if self.path is None:
            return
        self.record.write(self.path)
        sentences = {c["id"]: c["sentence"] for c in self.record.contracts}
        versions = environment.versions_line()
        told = [stored(outcome, sentences, versions) for outcome in self.record.outcomes]
        store([one for one in told if one is not None], self.path)

    def lines(self) -> list[str]:
        """Where they are, for the end of the summary."""
        if self.path is None:
            return []
        words = "complete" if self.record.complete else "INCOMPLETE"
        failed = any(outcome.failure for outcome in self.record.outcomes)
        return [
            f"record: {self.path} ({words})",
            *[f"failures: {folder_of(self.path)}"] * failed,
        ]


def told(heading: str, outcome: Outcome, failure: Failure, record: str | None) -> str:
    """A failure for the terminal, with the command that replays its stored program if it has one.

    Args:
        heading: what failed, in a line.
        outcome: of one contract: what it is about.
        failure: how it failed.
        record: the file of the record, if there is one.
    """
    replay = ""
    if record:
        name = file_name(outcome.contract, outcome.subject, outcome.mode)
        path = folder_of(Path(record)) / name
        replay = f"python -m conformance replay {shlex.quote(str(path))}"
    return failure_text(heading, outcome, failure, environment.versions_line(), replay)
