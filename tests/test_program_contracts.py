"""Contracts about programs, where an op beside the tape is at fault."""

from __future__ import annotations

from typing import Any

from conformance.contract import Violation
from conformance.contracts.programs import (
    program_exceptions,
    program_releases,
    program_shape_and_dtype,
    program_values,
)
from conformance.drawn_programs import ProgramCase
from conformance.oracles.recorded_part import Origin
from conformance.program_cases import run
from strategies.graphs import Node, Ref
from strategies.programs import Call, Take, Watch, Watched
from tests.forks import in_fork
from tests.tape_programs import SCALAR, ask, called, make, program, tape

X, Y, SLOPE, Z = range(4)


def judged_under_lie() -> tuple[str, dict[str, int]]:
    """What the contracts say of sin(slope of sin) when slopes have a shape too many; in a fork."""
    from tensorflow.python.framework import ops  # noqa: PLC0415 - the registry has no public name

    registry = ops.gradient_registry._registry
    truth = registry["Sin"]["type"]

    def broken(op: Any, grad: Any) -> Any:
        return truth(op, grad)[None]

    registry["Sin"]["type"] = broken
    inner = tape(1, Watch(1, X), called("", Y, X))
    written = program(
        make(X),
        tape(0, Watch(0, X), inner, ask(0, Y, X, tape=1), Take(SLOPE, 0), called("", Z, SLOPE)),
        ask(1, Z, X),
    )
    seen = run(ProgramCase(written), "eager")
    try:
        program_shape_and_dtype.check(seen)
    except Violation as violation:
        return violation.kind, program_values.check(seen).inconclusive
    return "", {}


def test_a_tape_that_could_not_answer_may_be_used_or_not() -> None:
    """The second derivative of softsign is a gap; whether that used the tape up nobody says."""
    node = Node("tf.nn.softsign", "tf.nn.softsign", (Ref(X),), (), (SCALAR,))
    inner = tape(1, Watch(1, X), Call((Y,), node))
    written = program(
        make(X),
        tape(0, Watch(0, X), inner, ask(0, Y, X, tape=1), Take(SLOPE, 0), called("", Z, SLOPE)),
        *(ask(1, Z, X), ask(2, Z, X), Watched(3, 0), Watched(4, 1)),
    )
    seen = run(ProgramCase(written), "eager")

    tally = program_exceptions.check(seen)

    assert seen.model.answers[2] == "RuntimeError"
    assert seen.apart == [2]
    assert seen.watched == {4: ()}  # if it goes on recording, it may watch what it should not
    assert list(program_releases.check(seen).inconclusive) == [
        "a tape has failed, and what tells of it may hold Tensors"
    ]
    assert list(tally.gaps) == ["LookupError: gradient registry has no entry for: SoftsignGrad"]
    assert tally.inconclusive == {"the tape was asked before, and raised": 1}


def test_values_of_what_has_another_shape_are_not_judged() -> None:
    """Its shape is: the recorded part cannot be computed with what the model says it is."""
    kind, undecided = in_fork(judged_under_lie)

    assert kind == "shape"
    assert undecided == {"a gradient that the program goes on with has another shape": 1}


def test_a_zero_that_tensorflow_keeps_is_held_by_no_tape() -> None:
    """The gradient of what is beside it in an identity_n is a zero of a cache."""
    pair = "tf.identity_n([tf.ones([]), {0}])[0]"
    node = Node(pair, pair, (Ref(X),), (), (SCALAR,))
    written = program(
        make(X),
        tape(0, Watch(0, X), Call((Y,), node)),
        ask(0, Y, X, tape=0),
        Take(SLOPE, 0),
    )
    seen = run(ProgramCase(written), "eager")

    assert float(seen.array(Origin(SLOPE))) == 0.0
    assert seen.tensors == [seen.case.program.names[slot] for slot in (X, Y)]
    assert program_releases.check(seen).conclusive == len(seen.held) > 0
