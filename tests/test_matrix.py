"""The versions that can be measured, as a table and as the matrix of a workflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.__main__ import main
from conformance.errors import ExitCode
from conformance.matrix import pythons
from tests.records import write
from tests.test_making import current


def test_the_matrix_has_every_version_with_its_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order of releases, the nightly last; not the one of the user's own."""
    code = main(["matrix", "--json", "--results", str(tmp_path)])
    rows = json.loads(capsys.readouterr().out)["include"]

    assert code == ExitCode.HOLDS
    assert [row["env"] for row in rows] == [*(f"tf2.{n}" for n in range(8, 22)), "tfnightly"]
    assert rows[0] == {
        "env": "tf2.8",
        "tensorflow": "2.8.4",
        "python": "3.10",
        "stale": "there is no record",
    }
    assert {row["python"] for row in rows[4:]} == {"3.11"}


def test_the_table_says_which_records_are_up_to_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what the others lack."""
    write(tmp_path / "gate" / "tf2.20.json", current("2.20.0"))
    write(tmp_path / "gate" / "tf2.21.json", current("2.21.0", profile="quick"))
    running = {"complete": False, "progress": "312 of 748 items"}
    begun = current("2.20.0")
    path = write(tmp_path / "tf2.20.json", {**begun, "footer": {**begun["footer"], **running}})
    main(["matrix", "--results", str(tmp_path)])

    assert capsys.readouterr().out.splitlines()[-3:-1] == [
        (
            "tf2.20     2.20.0   Python 3.11  the gate's record is up to date; "
            f"{path}: 312 of 748 items"
        ),
        "tf2.21     2.21.0   Python 3.11  it is of a run that was asked something else",
    ]


def test_the_pythons_are_those_of_tox() -> None:
    """The first that tox.ini names, whichever way it lists versions."""
    found = pythons()

    assert (found["tf2.11"], found["tf2.12"], found["tfnightly"], found["gate"]) == (
        "3.10",
        "3.11",
        "3.11",
        "3.11",
    )
