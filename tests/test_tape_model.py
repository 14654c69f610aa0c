"""The model of the tape on programs whose answers were worked out by hand."""

from __future__ import annotations

import pytest

from conformance.oracles.tape_model import Answer, Model
from conformance.program_cases import ProgramCase, run
from strategies.programs import Assign, Program, Reset, Stop, Watch, Watched
from strategies.structures import Nest
from tests.tape_programs import again, ask, make, multiply, program, read, tape

X, Y, Z, V = 0, 1, 2, 3
"""Slots: constants and what is computed of them, and a Variable."""


def nest(*slots: int) -> Nest[int]:
    """A list of slots."""
    return Nest("list", slots)


PROGRAMS: dict[str, tuple[Program, dict[int, tuple[bool, ...] | str]]] = {
    "a watched constant is connected": (
        program(make(X), tape(0, Watch(0, X), multiply(Y, X, X)), ask(0, Y, X)),
        {0: (True,)},
    ),
    "an unwatched one is not": (
        program(make(X), tape(0, multiply(Y, X, X)), ask(0, Y, X)),
        {0: (False,)},
    ),
    "what happens before the tape is not recorded": (
        program(make(X), multiply(Y, X, X), tape(0, Watch(0, X)), ask(0, Y, X)),
        {0: (False,)},
    ),
    "what happens while it is stopped is not": (
        program(make(X), tape(0, Watch(0, X), Stop(0, (multiply(Y, X, X),))), ask(0, Y, X)),
        {0: (False,)},
    ),
    "what happens after it was stopped is": (
        program(make(X), tape(0, Watch(0, X), Stop(0, ()), multiply(Y, X, X)), ask(0, Y, X)),
        {0: (True,)},
    ),
    "reset forgets what was watched": (
        program(make(X), tape(0, Watch(0, X), Reset(0), multiply(Y, X, X)), ask(0, Y, X)),
        {0: (False,)},
    ),
    "a tape that is entered again goes on": (
        program(
            make(X),
            tape(0, Watch(0, X), multiply(Y, X, X)),
            again(0, multiply(Z, Y, Y)),
            ask(0, Z, X),
        ),
        {0: (True,)},
    ),
    "one that has answered begins anew": (
        program(
            *(make(X), tape(0, Watch(0, X), multiply(Y, X, X)), ask(0, Y, X)),
            *(again(0, multiply(Z, Y, Y)), ask(1, Z, X)),
        ),
        {0: (True,), 1: (False,)},
    ),
    "one that is not persistent answers once": (
        program(make(X), tape(0, Watch(0, X)), ask(0, X, X), ask(1, X, X)),
        {0: (True,), 1: "RuntimeError"},
    ),
    "a persistent one answers twice": (
        program(make(X), tape(0, Watch(0, X), persistent=True), ask(0, X, X), ask(1, X, X)),
        {0: (True,), 1: (True,)},
    ),
    "a read is connected to its Variable": (
        program(make(V, "variable"), tape(0, read(X, V), multiply(Y, X, X)), ask(0, Y, nest(V, X))),
        {0: (True, True)},
    ),
    "a read outside of the tape is not": (
        program(make(V, "variable"), read(X, V), tape(0, multiply(Y, X, V)), ask(0, Y, nest(V, X))),
        {0: (True, False)},
    ),
    "a frozen Variable is not watched unasked": (
        program(make(V, "frozen"), tape(0, read(X, V)), ask(0, X, V)),
        {0: (False,)},
    ),
    "what is assigned is not connected": (
        program(
            *(make(X), make(V, "variable")),
            *(tape(0, Watch(0, X), Assign(V, "assign", X), read(Y, V)), ask(0, Y, nest(V, X))),
        ),
        {0: (True, False)},
    ),
    "watching late connects what was recorded for another's sake": (
        program(
            *(make(X), make(Y)),
            *(tape(0, Watch(0, X), multiply(Z, X, Y), Watch(0, Y)), ask(0, Z, nest(X, Y))),
        ),
        {0: (True, True)},
    ),
    "but not where no tape records": (
        program(
            *(make(X), make(Y)),
            *(tape(0, Watch(0, X), multiply(Z, X, Y)), Watch(0, Y), ask(0, Z, nest(X, Y))),
        ),
        {0: (True, False)},
    ),
    "a target that nobody watched is connected to itself": (
        program(make(X), tape(0), ask(0, X, X)),
        {0: (True,)},
    ),
    "but not where an op on the way to another target takes it": (
        program(
            *(make(X), make(Y)),
            *(tape(0, Watch(0, Y), multiply(Z, X, Y)), ask(0, nest(Z, X), nest(X, Y))),
        ),
        {0: (False, True)},
    ),
    "an outer tape records what an inner one does": (
        program(
            make(X),
            tape(0, Watch(0, X), tape(1, Watch(1, X), multiply(Y, X, X))),
            *(ask(0, Y, X, tape=0), ask(1, Y, X, tape=1)),
        ),
        {0: (True,), 1: (True,)},
    ),
}
"""By what they show; for each answer whether its sources are connected, or what it raises."""


def shape_of(answer: Answer | str) -> tuple[bool, ...] | str:
    """What the table says of an answer."""
    return answer if isinstance(answer, str) else answer.connected


@pytest.mark.parametrize("what", PROGRAMS)
def test_the_model_answers_as_worked_out_by_hand(what: str) -> None:
    """Without TensorFlow: connected, not connected, or an exception."""
    written, expected = PROGRAMS[what]

    model = Model(written)

    assert expected == {number: shape_of(answer) for number, answer in model.answers.items()}


@pytest.mark.parametrize("what", PROGRAMS)
def test_tensorflow_answers_the_same(what: str) -> None:
    """The same programs on the real tape."""
    written, expected = PROGRAMS[what]

    seen = run(ProgramCase(written), "eager")

    assert seen.error is None
    for number, sources in expected.items():
        found = seen.answers[number]
        if isinstance(sources, str):
            assert type(found).__name__ == sources
        else:
            flat = found.items if isinstance(found, Nest) else (found,)
            assert sources == tuple(gradient is not None for gradient in flat)


def test_watched_variables_are_those_accessed_while_recording_in_order_of_construction() -> None:
    """A read and an assignment count, a frozen Variable does not, and the order is theirs."""
    written = program(
        *(make(X), make(Y, "variable"), make(Z, "frozen"), make(V, "variable")),
        tape(0, read(4, V), read(5, Z), Assign(Y, "assign", X)),
        Watched(0, 0),
    )

    assert Model(written).watched == {0: ((Y, V), frozenset())}


def test_nobody_can_say_whether_zeros_are_made_by_reading() -> None:
    """A Variable that gets zeros while a tape records may be watched then, or not."""
    written = program(
        *(make(X), make(V, "variable")),
        tape(0, ask(0, X, V, zero=True), Watched(1, 0), persistent=True),
    )

    assert Model(written).watched == {1: ((), frozenset({V}))}


def test_the_recorded_part_displaces_its_sources_and_holds_all_else() -> None:
    """Of x * y with x watched: the displacement of x, x itself, and y as a constant."""
    written = program(make(X), make(Y), tape(0, Watch(0, X), multiply(Z, X, Y)), ask(0, Z, X))

    answer = Model(written).answers[0]

    assert isinstance(answer, Answer)
    assert answer.part.graph.definition == (
        "def graph(x0, x1, x2):\n"
        "    y0 = tf.math.add(x1, x0)\n"
        "    y1 = tf.math.multiply(y0, x2)\n"
        "    return [y1]\n"
    )
    assert [origin.slot for origin in answer.part.origins] == [X, Y]


def test_a_read_before_an_assignment_keeps_its_old_value() -> None:
    """Two reads around an assignment have two origins, and one displacement."""
    written = program(
        *(make(X), make(V, "variable")),
        tape(0, read(1, V), Assign(V, "assign", X), read(2, V), multiply(4, 1, 2)),
        ask(0, 4, V),
    )

    answer = Model(written).answers[0]

    assert isinstance(answer, Answer)
    assert len(answer.part.sources) == 1
    assert [origin.version for origin in answer.part.origins] == [0, 1]
