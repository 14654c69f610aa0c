"""What is left of a tape program when only one of its answers counts."""

from __future__ import annotations

import builtins
import symtable
from textwrap import indent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.drawn_programs import ProgramCase
from strategies.program_drawing import KINDS, programs
from strategies.programs import Assign, Misuse, Program, Statement, Stop, Take, Watch, Watched
from strategies.slices import slices
from tests.tape_programs import again, ask, make, multiply, program, read, tape

X, Y, Z, V = 0, 1, 2, 3
"""Slots: constants and what is computed of them, and a Variable."""

NEEDLESS: dict[str, tuple[Statement, ...]] = {
    "a constant that nothing takes": (make(Y), make(X)),
    "an op that leads nowhere": (make(X), multiply(Y, X, X)),
    "a tape that is not asked": (tape(1, make(X), Watch(1, X)),),
    "a pause of such a tape": (tape(1, Stop(1, (make(X),))),),
    "another question": (make(X), tape(1, Watch(1, X)), ask(1, X, X, tape=1)),
    "a derivative that nobody takes on": (
        make(X),
        make(Y),
        tape(1, Watch(1, X), multiply(Z, X, X)),
        ask(1, Z, X, tape=1),
        Take(4, 1),
        multiply(5, 4, 4),
        Assign(Y, "assign", 5),
    ),
}
"""What comes before ``with t0: t0.watch(x)`` and its question, but for the constant x."""

LAST = "g0 ="

NEEDED = {
    "what happens to the tape": program(
        make(X),
        make(Y),
        tape(0, Watch(0, Y), Stop(0, ())),
        again(0, Watch(0, X)),
        Misuse(1, 0, "a number is watched"),
        ask(0, X, X),
    ),
    "what happens to a Variable": program(
        make(V, "variable"),
        make(X),
        tape(0, Assign(V, "assign", X), read(Y, V)),
        ask(0, Y, V),
    ),
    "a derivative that is taken on": program(
        make(X),
        tape(
            0,
            Watch(0, X),
            tape(1, Watch(1, X), multiply(Y, X, X)),
            ask(1, Y, X, tape=1),
            Take(Z, 1),
        ),
        ask(0, Z, X),
    ),
    "whose Variables are told": program(tape(0, Watch(0, V)), Watched(0, 0)),
}


@pytest.mark.parametrize("what", NEEDLESS)
def test_a_slice_leaves_out(what: str) -> None:
    """Whatever the answer does not depend on."""
    rest = tape(0, Watch(0, X)), ask(0, X, X)
    whole = program(*NEEDLESS[what], *rest)

    (found,) = (one.source() for one in slices(whole) if LAST in one.source())
    assert found == program(make(X), *rest).source()


@pytest.mark.parametrize("what", NEEDED)
def test_a_slice_keeps(what: str) -> None:
    """So that there is none that is smaller and has the last answer."""
    assert not [one for one in slices(NEEDED[what]) if LAST in one.source()]


@settings(max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(tuple(KINDS)).flatmap(programs))
def test_a_slice_is_a_program_of_its_own(whole: Program) -> None:
    """What it uses it binds, and the model says something of the answer."""
    for one in slices(whole):
        model = ProgramCase(one).model("eager")
        free = symtable.symtable(f"def f():\n{indent(one.source(), ' ')}", "<slice>", "exec")
        (function,) = free.get_children()
        assert isinstance(function, symtable.Function)

        assert model.answers or model.watched
        assert {s for s in function.get_globals() if not hasattr(builtins, s)} <= {"tf"}
