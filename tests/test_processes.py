"""Programs in processes of their own: a death is found, and an error is no death."""

from __future__ import annotations

import pytest

from conformance.contract import Tally, Violation
from conformance.contracts.processes import survived
from conformance.process_cases import PROCESSES, PROGRAMS, ProcessCase, run


def test_a_process_that_dies_is_found() -> None:
    """The signal that ended it is what was got, and the program can be pasted."""
    program = "import os\n\nos.abort()\n"

    with pytest.raises(Violation) as raised:
        survived(run(ProcessCase(program), "eager"))

    assert str(raised.value) == "crash: expected the end of the program, got SIGABRT"
    assert raised.value.where == program


def test_a_program_that_raises_decides_nothing() -> None:
    """What it raised is the reason."""
    tally = survived(run(ProcessCase("raise ValueError('too few')"), "eager"))

    assert tally == Tally(inconclusive={"it raised ValueError": 1})


def test_a_program_that_ends_is_conclusive() -> None:
    """It could have died."""
    assert survived(run(ProcessCase("pass"), "eager")) == Tally(conclusive=1)


def test_every_contract_has_its_programs() -> None:
    """The subjects are the contracts."""
    assert [made.id for made in PROCESSES.contracts] == list(PROGRAMS)
