"""Tape programs: what the strategy reaches, what it shrinks to, and that what is printed runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from conformance.drawn_programs import ProgramCase
from strategies.program_drawing import programs
from strategies.programs import (
    MISUSES,
    Assign,
    Call,
    Gradient,
    Make,
    Misuse,
    Program,
    Same,
    Statement,
    Stop,
    Take,
    Tape,
    Watch,
)
from strategies.structures import NAMED, Nest, leaves
from strategies.ways import WAYS
from tests.finding import minimal, reaches


def has(that: Callable[[Statement], bool]) -> Callable[[Program], bool]:
    """Whether a program has a statement for which ``that`` is true."""
    return lambda program: any(that(statement) for statement in program.statements())


def depth_of(program: Program) -> int:
    """How many blocks are inside one another."""

    def depth(body: tuple[Statement, ...]) -> int:
        return max((1 + depth(s.body) for s in body if isinstance(s, Tape | Stop)), default=0)

    return depth(program.body)


def count_of(program: Program, kind: type[Statement]) -> int:
    """How many statements of a class a program has."""
    return sum(isinstance(statement, kind) for statement in program.statements())


REACHED: dict[str, Callable[[Program], bool]] = {
    "a frozen Variable": has(lambda s: isinstance(s, Make) and s.role == "frozen"),
    "a Variable made inside a tape": lambda p: any(
        isinstance(t, Tape) and any(isinstance(s, Make) and s.role != "constant" for s in t.body)
        for t in p.body
    ),
    "every spelling of a read": lambda p: (
        len({s.spelling for s in p.statements() if isinstance(s, Same)}) > 3
    ),
    "a tape left by an exception": has(lambda s: isinstance(s, Tape) and s.leaves),
    "a tape entered again": has(lambda s: isinstance(s, Tape) and s.again),
    "a tape that watches nothing unasked": has(lambda s: isinstance(s, Tape) and not s.accessed),
    "four blocks inside one another": lambda p: depth_of(p) == 4,
    "three questions": lambda p: count_of(p, Gradient) > 2,
    "assignments around a read": lambda p: count_of(p, Assign) > 1 and count_of(p, Same) > 1,
    "a nest that is watched": has(lambda s: isinstance(s, Watch) and isinstance(s.what, Nest)),
    "no sources": has(lambda s: isinstance(s, Gradient) and not list(leaves(s.sources))),
    "a repeated source": has(
        lambda s: (
            isinstance(s, Gradient) and len(set(leaves(s.sources))) < len(list(leaves(s.sources)))
        )
    ),
    "a nest in a nest": has(
        lambda s: (
            isinstance(s, Gradient)
            and isinstance(s.sources, Nest)
            and any(isinstance(item, Nest) for item in s.sources.items)
        )
    ),
    "zeros asked for": has(lambda s: isinstance(s, Gradient) and s.zero),
    "output gradients": has(lambda s: isinstance(s, Gradient) and bool(s.weights)),
    "a question that must raise": lambda p: (
        "RuntimeError" in ProgramCase(p).model("eager").answers.values()
    ),
    "a gradient that ops take": has(lambda s: isinstance(s, Take)),
    "a question that is asked again": lambda p: (
        len({replace(s, answer=0) for s in p.statements() if isinstance(s, Gradient)})
        < count_of(p, Gradient)
    ),
    "an integer Variable": has(
        lambda s: isinstance(s, Make) and s.role != "constant" and s.type.dtype == "int32"
    ),
    "a namedtuple": has(lambda s: isinstance(s, Watch) and getattr(s.what, "kind", "") == NAMED),
    "a vectorized Jacobian": has(
        lambda s: isinstance(s, Gradient) and s.method == "jacobian" and s.pfor
    ),
    "Jacobians of batches that differ": lambda p: any(
        answer == "ValueError" and number in ProgramCase(p).questions
        for number, answer in ProgramCase(p).model("eager").answers.items()
    ),
    "a loop that runs three times": has(lambda s: isinstance(s, Call) and s.times == 3),
    "a slice of a Variable": lambda p: any(
        isinstance(s, Call) and "[{1}]" in s.node.call and p.names[s.node.operands[0]][0] == "v"
        for s in p.statements()
    ),
    "a gather from a Variable": lambda p: any(
        isinstance(s, Call)
        and s.node.op == "tf.gather"
        and p.names[s.node.operands[0]].startswith("v")
        for s in p.statements()
    ),
    "thirty statements": lambda p: len(list(p.statements())) > 30,
}
"""What programs reach, beside every way to call an op and every misuse."""


def called(way: str) -> Callable[[Program], bool]:
    """Whether an op is called in a way."""
    return has(lambda s: isinstance(s, Call) and s.way == way)


def misused(what: str) -> Callable[[Program], bool]:
    """Whether a tape is misused in a way."""
    return has(lambda s: isinstance(s, Misuse) and s.what == what)


REACHED |= {f"a call in the way of {way!r}": called(way) for way in WAYS}
REACHED |= {f"a misuse: {what}": misused(what) for what in MISUSES}


SUBJECTS = {
    "every spelling of a read": "variable.read",
    "a tape entered again": "tape.again",
    "Jacobians of batches that differ": "tape.batch_jacobian",
}


@pytest.mark.parametrize("what", REACHED)
def test_programs_reach_what_they_declare(what: str) -> None:
    """One program in four thousand at least."""
    assert reaches(programs(SUBJECTS.get(what, "op")), REACHED[what])


MINIMAL = {
    "op": "    y1 = tf.identity(x0)",
    "tape.watch": "    t0.watch(x0)",
    "tape.reset": "    t0.reset()",
    "tape.stop_recording": "    with t0.stop_recording():\n        pass",
    "tape.nested": "    with tf.GradientTape() as t1:\n        pass",
}


@pytest.mark.parametrize("subject", MINIMAL)
def test_a_program_shrinks_to_its_subject_in_an_empty_tape(subject: str) -> None:
    """One scalar, one tape, the subject, and the question that ends every program."""
    source = minimal(programs(subject)).source()

    head, _, question = source.rpartition("g0 = ")
    assert head == (
        "import tensorflow as tf\n\n"
        "x0 = tf.constant(1.0, tf.float64)\n"
        f"with tf.GradientTape() as t0:\n{MINIMAL[subject]}\n"
    )
    assert question.startswith("t0.gradient(")


@pytest.mark.parametrize(
    ("subject", "kind"),
    [("variable.assign", Assign), ("tape.stop_recording", Stop), ("tape.watch", Watch)],
)
def test_a_program_has_a_statement_of_its_subject(subject: str, kind: type[Statement]) -> None:
    """Whatever else is drawn."""

    @settings(max_examples=100, database=None, suppress_health_check=list(HealthCheck))
    @given(programs(subject))
    def holds(program: Program) -> None:
        assert count_of(program, kind)

    holds()


def test_what_is_printed_runs_in_a_fresh_interpreter() -> None:
    """With TensorFlow alone."""
    program = minimal(programs("variable.assign"), lambda p: len(list(p.statements())) > 8)

    done = subprocess.run(
        [sys.executable, "-c", ProgramCase(program).source()],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
