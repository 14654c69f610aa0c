"""Two records in a folder, and the gate on them, for the tests of the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.__main__ import main
from conformance.gate.compare import Comparison, compare
from conformance.gate.kinds import FAIL_ON
from conformance.reading import Reading
from conformance.record import Outcome
from tests.records import data, write


class Gate:
    """Two records in a folder, and the command on them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def run(self, before: Any, after: Any, *args: str) -> tuple[int, str]:
        """The exit code and what is printed, errors included."""
        write(self.folder / "tf2.20.json", before)
        write(self.folder / "tf2.21.json", after)
        return self.command("2.20", "2.21", *args)

    def command(self, *args: str) -> tuple[int, str]:
        """The same, of whatever lies in the folder."""
        try:
            code = main(["gate", "--results", str(self.folder), *args])
        except SystemExit as end:
            code = int(end.code or 0)
        printed = self.capsys.readouterr()
        return code, printed.out + printed.err


@pytest.fixture(name="gate")
def _gate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Gate:
    """A gate on an empty folder, in a terminal of 100 columns."""
    monkeypatch.setenv("COLUMNS", "100")
    return Gate(tmp_path, capsys)


def side(*outcomes: Outcome, **header: Any) -> dict[str, Any]:
    """The record of the candidate."""
    return data(*outcomes, version="2.21.0", **header)


def compared(before: dict[str, Any], after: dict[str, Any], *fail_on: str) -> Comparison:
    """A comparison without files."""
    baseline, candidate = Reading(Path("a.json"), before), Reading(Path("b.json"), after)
    return compare(baseline, candidate, fail_on or FAIL_ON)


def versions(**more: str) -> dict[str, Any]:
    """The versions of a record of the candidate."""
    return {"versions": {**side()["header"]["versions"], **more}}
