"""Strategies for tape programs: the kinds of statement, and whole programs of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

from hypothesis import strategies as st

from strategies import dtypes
from strategies.drawing import node_of
from strategies.graphs import Node
from strategies.ops import CATALOGUE, Op
from strategies.ops.site import Draw
from strategies.program_builder import (
    MAX_DEPTH,
    Kind,
    OpenTape,
    ProgramBuilder,
    ProgramSite,
    any_input,
)
from strategies.program_questions import (
    ask,
    ask_for,
    batch_jacobian,
    can_be_taken,
    gradient,
    has_batch,
    has_misuse,
    has_tape,
    has_target,
    jacobian,
    misuse,
    take_gradient,
    watched,
)
from strategies.programs import Assign, Call, Program, Reset, Role, Same, Stop, Tape, Watch
from strategies.shapes import shapes
from strategies.structures import leaves, structures
from strategies.tensors import Input, TensorType, Value
from strategies.values import REAL
from strategies.ways import WAYS

_READS: Final = ("tf.convert_to_tensor({0})", "{0}.value()", "{0}.read_value()", "tf.identity({0})")
_ALIAS: Final = "tf.convert_to_tensor({0})"

_ROLES: Final = st.sampled_from(["constant", "variable", "frozen", "constant", "variable"])
_INPUTS: Final = st.sampled_from([None, "constant", "variable", "frozen", "constant", "variable"])
_TAPE_OPTIONS: Final = st.sampled_from(
    [(p, a) for a in (True, True, True, False) for p in (False, True)]
)
_OFTEN_TRUE: Final = st.sampled_from([False, True, True])
_ONE_IN_EIGHT: Final = st.sampled_from([False] * 7 + [True])
_DTYPES: Final = st.sampled_from(["float64", "float32", "complex128", *["float64"] * 5])
_FOREIGN: Final = st.sampled_from(
    ["float32", "float64", "complex128", "complex64", "int32", "int64", "bool", "bfloat16"]
)


def op(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """An op on what is there already, or on fresh constants."""
    slots, node = _draw_call(program, draw)
    program.block.append(Call(slots, node))


def wrapped(name: str) -> Kind:
    """The kind of an op that is called in a way; three ops are tried, and those unfit stay plain.

    Args:
        name: one of :data:`strategies.ways.WAYS`.
    """
    way = WAYS[name]

    def add(program: ProgramBuilder, draw: Draw, _: int) -> None:
        for _ in range(3):
            slots, node = _draw_call(program, draw)
            if way.takes(node, program.types):
                times = 1
                if way.loops and _stays(program, node.operands[0], node.outputs[0]):
                    times = draw(st.sampled_from((1, 2, 3)), "times")
                program.block.append(Call(slots, node, name, times))
                return
            program.block.append(Call(slots, node))

    return Kind(f"op.{name}", add)


def _stays(program: ProgramBuilder, slot: int, result: TensorType) -> bool:
    """Whether an op's result lies where its operand does, so that it can be applied once more."""
    low, high = program.types[slot].bounds
    return low <= result.bounds[0] and result.bounds[1] <= high


def _draw_call(
    program: ProgramBuilder, draw: Draw, favourite: int | None = None
) -> tuple[tuple[int, ...], Node]:
    found = draw(_ops(program.dtype), "op")
    # whether an op that stops gradients reads a Variable is nobody's promise
    known = program.tensors if found.blocks else program.values
    likely = [v for v in known if v.index in program.held] * 2
    likely += [v for v in known if v.index == favourite] * 4 * len(known)
    site = ProgramSite(program, [*known, *likely])
    made = found.build(site)
    node = node_of(found, made, site.kinks)
    if node.aliases and node.operands[0] in program.variables:
        # whether such an op reads the Variable or hands that back is nobody's promise
        (variable,) = (v for v in program.values if v.index == node.operands[0])
        tensor = _read(program, variable, _ALIAS).index
        node = node.renumbered(lambda _: tensor)
    slots = tuple(program.bind("y", result, node.operands).index for result in made.results)
    return slots, node


def read(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A read of a Variable, in one of its spellings."""
    of = draw(st.sampled_from(_variables(program)[::-1]), "variable")
    spelling = draw(st.sampled_from(_READS), "spelling")
    _read(program, of, spelling)


def _read(program: ProgramBuilder, of: Value, spelling: str) -> Value:
    """What a Variable's read, or another name for a Tensor, is bound to."""
    value = program.bind("y", of.type, [of.index])
    program.block.append(Same(value.index, of.index, spelling))
    return value


def alias(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """Another name for a Tensor: the very same object."""
    of = draw(st.sampled_from(program.tensors[::-1]), "tensor")
    _read(program, of, _ALIAS)


def assign(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A Variable is assigned a Tensor of its type."""
    to = draw(st.sampled_from(_variables(program)), "variable")
    methods = ["assign"] if to.dtype == "bool" else ["assign", "assign_add", "assign_sub"]
    method = draw(st.sampled_from(methods), "method")
    fits = [v for v in program.tensors[::-1] if (v.dtype, v.shape) == (to.dtype, to.shape)]
    value = draw(st.sampled_from([None, *fits, *fits]), "value")
    if value is None:
        value = program.make(any_input(to.dtype, to.shape), "constant")
    (lo, hi), (low, high) = to.bounds, value.bounds
    bounds = {
        "assign": (low, high),
        "assign_add": (lo + low, hi + high),
        "assign_sub": (lo - high, hi - low),
    }[method]
    if dtypes.is_complex(to.dtype) and method != "assign":
        bounds = (0.0, to.type.bound + value.bound)
    program.values[program.values.index(to)] = Value(to.index, replace(to.type, bounds=bounds))
    program.block.append(Assign(to.index, method, value.index))


def _variables(program: ProgramBuilder) -> list[Value]:
    return [v for v in program.values if v.index in program.variables]


def has_variable(program: ProgramBuilder, _: int) -> bool:
    """Whether there is a Variable."""
    return bool(program.variables)


def make(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """Another constant or Variable, perhaps of another dtype."""
    _make(program, draw, draw(_ROLES, "role"))


def _make(program: ProgramBuilder, draw: Draw, role: Role) -> None:
    foreign = draw(_ONE_IN_EIGHT, "another dtype")
    dtype = draw(_FOREIGN, "dtype") if foreign else program.dtype
    program.make(any_input(dtype, draw(_shapes(), "shape")), role)


def watch(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A tape is told to watch one or more slots; what is not floating is watched in vain."""
    tape = draw(st.sampled_from(program.live[::-1]), "tape")
    known = tuple(v.index for v in program.values)
    what = draw(structures((*known, *sorted(program.held) * 3)), "watched")
    tape.holds.update(leaves(what))
    program.block.append(Watch(tape.number, what))


def nest(program: ProgramBuilder, draw: Draw, depth: int, first: str = "") -> None:
    """A new tape and its block."""
    persistent, accessed = draw(_TAPE_OPTIONS, "persistent, accessed")
    tape = OpenTape(len(program.tapes), persistent, accessed)
    program.tapes.append(tape)
    _enter(program, draw, tape, depth, first=first, again=False)


def again(program: ProgramBuilder, draw: Draw, depth: int) -> None:
    """A tape that was left is entered again."""
    tape = draw(st.sampled_from([t for t in program.tapes if not t.inside]), "tape")
    _enter(program, draw, tape, depth, first="", again=True)


def _enter(  # noqa: PLR0913 - two of them say how
    program: ProgramBuilder, draw: Draw, tape: OpenTape, depth: int, *, first: str, again: bool
) -> None:
    tape.inside = tape.recording = True
    if tape.spent:
        tape.spent = False
        tape.holds.clear()
    raises = draw(_ONE_IN_EIGHT, "left by an exception")
    watches = draw(_OFTEN_TRUE, "watch first")
    body = program.body(depth + 1, ["tape.watch"] * watches + [first] * bool(first))
    tape.inside = tape.recording = False
    options = (tape.persistent, tape.accessed)
    program.block.append(Tape(tape.number, again, *options, body, raises))


def stop(program: ProgramBuilder, draw: Draw, depth: int) -> None:
    """A tape stops recording for a block."""
    tape = draw(st.sampled_from(program.recording), "tape")
    tape.recording = False
    body = program.body(depth + 1)
    tape.recording, tape.spent = True, False  # one that has answered meanwhile begins anew
    program.block.append(Stop(tape.number, body))


def reset(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A tape forgets everything."""
    tape = draw(st.sampled_from(program.recording), "tape")
    tape.holds.clear()
    program.block.append(Reset(tape.number))


def higher_order(program: ProgramBuilder, draw: Draw, depth: int) -> None:
    """A gradient that ops then take; most often of ops in a tape of its own, and asked for too."""
    outer = inner = ([t for t in program.recording if not t.spent] or program.live)[-1]
    of = None
    floating = [v.index for v in program.values if dtypes.is_differentiable(v.dtype)]
    to = draw(st.sampled_from([i for i in floating if i in program.held] or floating), "source")
    if depth < MAX_DEPTH - 1 and draw(_OFTEN_TRUE, "a tape of its own"):
        if to not in outer.holds:
            outer.holds.add(to)
            program.block.append(Watch(outer.number, to))
        inner, of = _differentiated(program, draw, to)
    taken = take_gradient(program, draw, inner, of, to)
    if not outer.spent and draw(_OFTEN_TRUE, "asked for"):
        ask_for(program, outer, taken, to)


def _differentiated(program: ProgramBuilder, draw: Draw, to: int) -> tuple[OpenTape, int | None]:
    """A tape that was left, with an op of a watched slot, perhaps one more; its result."""
    tape = OpenTape(len(program.tapes), persistent=False, accessed=True, holds={to})
    program.tapes.append(tape)
    outside, program.block = program.block, [Watch(tape.number, to)]
    of = to
    for _ in range(draw(st.sampled_from((1, 2)), "ops")):
        slots, node = _draw_call(program, draw, of)
        program.block.append(Call(slots, node))
        of = slots[0]
    tape.inside = tape.recording = False
    body, program.block = tuple(program.block), outside
    options = {"again": False, "persistent": False, "accessed": True, "leaves": False}
    program.block.append(Tape(tape.number, body=body, **options))
    return tape, of if dtypes.is_differentiable(node.outputs[0].dtype) else None


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("tape.watch", watch, lambda program, _: bool(program.live), often=4),
        Kind("op", op, often=32),
        *(wrapped(name) for name in WAYS if name),
        Kind("alias", alias, lambda program, _: bool(program.tensors)),
        Kind("variable.read", read, has_variable, often=4),
        Kind("variable.assign", assign, has_variable, often=2),
        Kind("constant", make, often=2),
        Kind("tape.nested", nest, lambda _, depth: depth < MAX_DEPTH - 1, often=3),
        Kind(
            "tape.again",
            again,
            lambda program, depth: (
                depth < MAX_DEPTH - 1 and any(not tape.inside for tape in program.tapes)
            ),
            often=2,
        ),
        Kind(
            "tape.stop_recording",
            stop,
            lambda program, depth: bool(program.recording) and depth < MAX_DEPTH,
            often=2,
        ),
        Kind("tape.reset", reset, lambda program, _: bool(program.recording)),
        Kind("tape.gradient", gradient, has_tape, often=4),
        Kind("tape.jacobian", jacobian, has_target),
        Kind("tape.batch_jacobian", batch_jacobian, has_batch),
        Kind("tape.higher_order", higher_order, can_be_taken, often=2),
        Kind("tape.watched_variables", watched, has_tape),
        Kind("misuse", misuse, has_misuse),
    )
}
"""What a program is about: the kinds of statement by name, simplest first."""


@st.composite
def _input(draw: Draw, program: ProgramBuilder) -> bool:
    """Perhaps a constant or a Variable; a strategy of its own, so that shrinking may drop it."""
    role = draw(_INPUTS, "role")
    if role is not None:
        _make(program, draw, role)
    return role is not None


@cache
def _ops(dtype: str) -> st.SearchStrategy[Op]:
    """Any op; two times in three one of the simple ones, as programs are about the tape."""
    ops = [o for o in CATALOGUE.values() if dtype in o.dtypes and o.is_partner]
    return st.sampled_from([*ops, *ops[: len(ops) // 3] * 3])


@cache
def _shapes() -> st.SearchStrategy[tuple[int, ...]]:
    return shapes(max_rank=3, max_size=12)


@cache
def programs(subject: str) -> st.SearchStrategy[Program]:
    """Tape programs of up to 20 statements, one of a kind among them, and what those need.

    Reaches: constants and Variables (trainable and frozen, of any dtype) made outside and inside of
    tapes; every spelling of a read; assignments between reads; ops called plainly and in every
    other way; tapes in tapes, persistent or not, entered again, left by exceptions, stopped, reset
    and misused; nests of sources and targets, repeated and empty ones; Jacobians.
    Shrinks to an empty tape that is asked for the gradient of a constant with respect to itself,
    and the statement of the kind.

    Args:
        subject: the kind, one of :data:`KINDS`.
    """
    return _programs(subject)


@st.composite
def _programs(draw: Draw, subject: str) -> Program:
    program = ProgramBuilder(draw, draw(_DTYPES, "dtype"), KINDS)
    for _ in range(3):
        draw(_input(program), "input")
    if subject.startswith("variable") and not program.variables:
        program.make(Input(TensorType(program.dtype, ()), REAL), "variable")
    if subject == "tape.batch_jacobian":
        program.make(Input(TensorType(program.dtype, (1, 1)), REAL), "constant")
    if all(v.dtype != program.dtype for v in program.values):
        program.make(Input(TensorType(program.dtype, ()), REAL), "constant")
    nest(program, draw, 0, "" if subject == "tape.again" else subject)
    program.block.extend(program.body(0, [subject] * (subject == "tape.again")))
    if program.live or not program.asked:
        ask(program, draw, (program.live or program.tapes)[0])
    return Program(tuple(program.block), tuple(program.names), tuple(program.types))
