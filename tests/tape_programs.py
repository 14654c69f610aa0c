"""Tape programs written by hand, for tests of the model and of what runs them."""

from __future__ import annotations

from strategies.graphs import DType, Node, Ref
from strategies.programs import (
    Body,
    Call,
    Gradient,
    Make,
    Program,
    Role,
    Same,
    Statement,
    Take,
    Tape,
)
from strategies.structures import Structure
from strategies.tensors import TensorType
from strategies.ways import WAYS

SCALAR = TensorType("float64", ())


def make(slot: int, role: Role = "constant", number: float = 2.0) -> Make:
    """A float64 scalar."""
    return Make(slot, role, SCALAR, (number,))


def multiply(slot: int, *operands: int) -> Call:
    """The product of two slots."""
    one, other = operands
    return Call(
        (slot,), Node("tf.math.multiply", "tf.math.multiply", (Ref(one), Ref(other)), (), (SCALAR,))
    )


def read(slot: int, variable: int) -> Same:
    """A read of a Variable."""
    return Same(slot, variable, "{0}.read_value()")


def tape(number: int, *body: Statement, persistent: bool = False, accessed: bool = True) -> Tape:
    """A new tape and its block."""
    return Tape(number, False, persistent, accessed, body, False)


def again(number: int, *body: Statement) -> Tape:
    """A tape that is entered once more."""
    return Tape(number, True, False, True, body, False)


def called(way: str, slot: int, operand: int) -> Call:
    """The sine of a slot, called in a way; twice, if that is in a loop."""
    node = Node("tf.math.sin", "tf.math.sin", (Ref(operand),), (), (SCALAR,))
    return Call((slot,), node, way, 1 + WAYS[way].loops)


def same_dtype(way: str, slot: int, operand: int) -> Call:
    """A cast to the dtype that is there, called in a way."""
    args = (Ref(operand), DType("float64"))
    return Call((slot,), Node("tf.cast", "tf.cast", args, (), (SCALAR,), aliases=True), way)


def ask(  # noqa: PLR0913 - all but what is asked by name
    answer: int,
    of: Structure[int],
    by: Structure[int],
    *,
    tape: int = 0,
    zero: bool = False,
    method: str = "gradient",
    pfor: bool = True,
) -> Gradient:
    """A question."""
    return Gradient(answer, tape, of, by, zero, (), method, pfor)


def program(*body: Statement) -> Program:
    """A program of scalars; every slot is called by its number."""
    slots = max(0, *_bound(body)) + 1
    return Program(body, tuple(f"s{i}" for i in range(slots)), (SCALAR,) * slots)


def _bound(body: Body) -> list[int]:
    found = [-1]
    for statement in body:
        match statement:
            case Make(slot=slot) | Same(slot=slot) | Take(slot=slot):
                found.append(slot)
            case Call(slots=slots):
                found += slots
        found += _bound(getattr(statement, "body", ()))
    return found
