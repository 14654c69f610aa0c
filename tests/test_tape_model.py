"""The model of the tape on programs whose answers were worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.boundary import tensorflow
from conformance.drawn_programs import ProgramCase
from conformance.oracles.tape_model import Answer, Model
from conformance.program_cases import run
from strategies.programs import Assign, Misuse, Program, Reset, Stop, Take, Watch, Watched
from strategies.structures import Nest
from tests.tape_programs import again, ask, called, make, multiply, program, read, same_dtype, tape

X, Y, Z, V = 0, 1, 2, 3
"""Slots: constants and what is computed of them, and a Variable."""


Told = tuple[bool | None, ...] | str
"""For each source whether it is connected, None if nobody can say; or what is raised."""


def nest(*slots: int) -> Nest[int]:
    """A list of slots."""
    return Nest("list", slots)


PROGRAMS: dict[str, tuple[Program, dict[int, Told]]] = {
    "a watched constant is connected": (
        program(make(X), tape(0, Watch(0, X), multiply(Y, X, X)), ask(0, Y, X)),
        {0: (True,)},
    ),
    "an unwatched one is not": (
        program(make(X), tape(0, multiply(Y, X, X)), ask(0, Y, X)),
        {0: (False,)},
    ),
    "what has nothing to do returns the very tensor, which is then watched": (
        program(
            make(X), tape(0, same_dtype("", Y, X), Watch(0, Y), multiply(Z, X, X)), ask(0, Z, X)
        ),
        {0: (True,)},
    ),
    "so does one in an eager tf.cond": (
        program(
            make(X),
            tape(0, same_dtype("tf.cond, true", Y, X), Watch(0, Y), multiply(Z, X, X)),
            ask(0, Z, X),
        ),
        {0: (True,)},
    ),
    "but what comes out of a function is new": (
        program(
            make(X),
            tape(0, same_dtype("tf.function", Y, X), Watch(0, Y), multiply(Z, X, X)),
            ask(0, Z, X),
        ),
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
    "watching late may connect what was recorded for another's sake": (
        program(
            *(make(X), make(Y)),
            *(tape(0, Watch(0, X), multiply(Z, X, Y), Watch(0, Y)), ask(0, Z, nest(X, Y))),
        ),
        {0: (True, None)},
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
    "but perhaps not where an op on the way to another target takes it": (
        program(
            *(make(X), make(Y)),
            *(tape(0, Watch(0, Y), multiply(Z, X, Y)), ask(0, nest(Z, X), nest(X, Y))),
        ),
        {0: (None, True)},
    ),
    "an outer tape records what an inner one does": (
        program(
            make(X),
            tape(0, Watch(0, X), tape(1, Watch(1, X), multiply(Y, X, X))),
            *(ask(0, Y, X, tape=0), ask(1, Y, X, tape=1)),
        ),
        {0: (True,), 1: (True,)},
    ),
    "an op in a branch is recorded as it is alone": (
        program(make(X), tape(0, Watch(0, X), called("tf.cond, true", Y, X)), ask(0, Y, X)),
        {0: (True,)},
    ),
    "so is one in a loop, each time": (
        program(make(X), tape(0, Watch(0, X), called("tf.while_loop", Y, X)), ask(0, Y, X)),
        {0: (True,)},
    ),
    "one in a closure takes what the tape holds": (
        program(make(X), tape(0, Watch(0, X), called("closure", Y, X)), ask(0, Y, X)),
        {0: (True,)},
    ),
    "a Jacobian of what nobody watched is None": (
        program(make(X), tape(0, persistent=True), ask(0, X, X, method="jacobian")),
        {0: (False,)},
    ),
    "one that is not vectorized needs a persistent tape": (
        program(
            make(X), tape(0, Watch(0, X)), ask(0, X, X, method="jacobian", pfor=False), ask(1, X, X)
        ),
        {0: "RuntimeError", 1: (True,)},
    ),
    "being asked for no target ends the recording": (
        program(
            make(X),
            tape(0, Watch(0, X), Misuse(0, 0, "no target"), multiply(Y, X, X)),
            ask(1, Y, X),
        ),
        {0: "TypeError", 1: (False,)},
    ),
    "a gradient may be connected to what it is computed of": (
        program(
            make(X),
            tape(
                0,
                Watch(0, X),
                tape(1, Watch(1, X), multiply(Y, X, X)),
                ask(1, Y, X, tape=1, zero=True),
                Take(Z, 1),
            ),
            ask(0, Z, X),
        ),
        {1: (True,), 0: (None,)},
    ),
    "an op on a gradient and on what is watched is recorded": (
        program(
            make(X),
            tape(
                0,
                Watch(0, X),
                tape(1, Watch(1, X), multiply(Y, X, X)),
                ask(1, Y, X, tape=1, zero=True),
                Take(Z, 1),
                multiply(4, Z, X),
            ),
            ask(0, 4, nest(X, Z)),
        ),
        {1: (True,), 0: (True, None)},
    ),
    "watching the gradient late does not make its ops recorded": (
        program(
            make(X),
            tape(
                0,
                *(Watch(0, X), ask(1, X, X, zero=True), Take(Y, 1), multiply(Z, Y, Y)),
                Watch(0, nest(Y, Z)),
                persistent=True,
            ),
            ask(0, Z, nest(Y, Z)),
        ),
        {1: (True,), 0: (None, True)},
    ),
    "a Variable that is watched after a function took it may be connected": (
        program(
            *(make(V, "variable"), make(Z, "frozen")),
            tape(0, replace(multiply(Y, V, Z), way="tf.function"), Watch(0, Z)),
            ask(0, Y, Z),
        ),
        {0: (None,)},
    ),
    "not so what is read outside of functions": (
        program(
            *(make(V, "variable"), make(Z, "frozen")),
            tape(0, multiply(Y, V, Z), Watch(0, Z)),
            ask(0, Y, Z),
        ),
        {0: (False,)},
    ),
}
"""By what they show; for each answer whether its sources are connected, or what it raises."""


def told_by(answer: Answer | str) -> Told:
    """What the table says of an answer."""
    return answer if isinstance(answer, str) else answer.connected


@pytest.mark.parametrize("what", PROGRAMS)
def test_the_model_answers_as_worked_out_by_hand(what: str) -> None:
    """Without TensorFlow: connected, not connected, or an exception."""
    written, expected = PROGRAMS[what]

    model = Model(written)

    assert expected == {number: told_by(answer) for number, answer in model.answers.items()}


@pytest.mark.parametrize("what", PROGRAMS)
def test_tensorflow_answers_the_same(what: str) -> None:
    """The same programs on the real tape."""
    written, expected = PROGRAMS[what]

    ran = run(ProgramCase(written), "eager")

    assert ran.error is None
    for number, sources in expected.items():
        found = ran.answers[number]
        if isinstance(sources, str):
            assert type(found).__name__ == sources
        else:
            flat = found.items if isinstance(found, Nest) else (found,)
            there = tuple(gradient is not None for gradient in flat)
            assert all(told in (None, seen) for told, seen in zip(sources, there, strict=True))


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


def test_a_custom_gradient_counts_as_its_factor() -> None:
    """What displaces its operand reaches its result three times; the number stays what it was."""
    written = program(
        make(X), tape(0, Watch(0, X), called("tf.custom_gradient", Y, X)), ask(0, Y, X)
    )

    answer = Model(written).answers[0]

    assert isinstance(answer, Answer)
    assert answer.part.graph.definition == (
        "def graph(x0, x1, x2):\n"
        "    y0 = tf.math.add(x2, x0)\n"
        "    y1 = tf.math.subtract(y0, x2)\n"
        "    y2 = tf.math.multiply(3.0, y1)\n"
        "    y3 = tf.math.add(x1, y2)\n"
        "    return [y3]\n"
    )


def test_a_second_derivative_is_that_of_a_first_one() -> None:
    """The outer part holds the inner one, differentiated; of x * x at any x it is 2."""
    written, _ = PROGRAMS["a gradient may be connected to what it is computed of"]

    answer = Model(written).answers[0]

    assert isinstance(answer, Answer)
    assert not answer.part.opaque
    tf = tensorflow()
    function = answer.part.graph.function(tf)
    two = tf.constant(2.0, tf.float64)
    low, high = (float(function(two * at, two)[0]) for at in (-0.5, 0.5))
    assert (high - low) / 2 == 2.0


def test_what_a_gradient_took_is_opaque_where_the_tape_missed_how_it_was_made() -> None:
    """The outer tape opens after the product: whether the gradient takes it nobody can say."""
    written = program(
        make(X),
        tape(1, Watch(1, X), multiply(Y, X, X)),
        tape(0, Watch(0, X), ask(1, Y, X, tape=1, zero=True), Take(Z, 1)),
        ask(0, Z, X),
    )

    answer = Model(written).answers[0]

    assert isinstance(answer, Answer)
    assert answer.part.opaque


def test_a_source_that_a_gradient_may_have_taken_is_unclear_and_others_are_not() -> None:
    """The product itself is held by the outer tape, and the gradient may be written with it."""
    written, _ = PROGRAMS["a gradient may be connected to what it is computed of"]
    asked = program(*written.body[:-1], ask(0, Z, nest(X, Y)))

    answer = Model(asked).answers[0]

    assert isinstance(answer, Answer)
    assert answer.connected == (None, None)
    assert answer.part.unclear == {answer.sources[1]}


def test_inside_a_function_a_tape_that_is_not_persistent_gives_a_jacobian_in_a_loop() -> None:
    """Eagerly it raises: that is documented."""
    written = program(make(X), tape(0, Watch(0, X)), ask(0, X, X, method="jacobian", pfor=False))

    assert Model(written).answers == {0: "RuntimeError"}
    assert told_by(Model(written, eager=False).answers[0]) == (True,)


def test_a_gradient_is_recorded_by_a_tape_that_is_persistent_or_an_outer_one() -> None:
    """A tape that is not persistent stops when it is asked, and an outer one goes on."""
    inner = tape(1, Watch(1, X), ask(1, X, X, tape=1))
    persistent = tape(0, Watch(0, X), ask(0, X, X), persistent=True)
    written = program(make(X), tape(2, inner), persistent, ask(2, X, X))
    alone = program(make(X), inner)

    answers = [Model(written).answers[i] for i in range(3)] + [Model(alone).answers[1]]

    recorded = [isinstance(answer, Answer) and answer.recorded for answer in answers]
    assert recorded == [True, True, False, False]
