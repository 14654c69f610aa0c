"""A tape program under construction: names, blocks, and the state of its tapes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, TypeVar

from hypothesis import strategies as st

from strategies import dtypes
from strategies.drawing import draw_numbers
from strategies.ops.site import Draw, Site, below
from strategies.programs import Gradient, Make, Role, Statement
from strategies.shapes import Shape
from strategies.tensors import Indices, Input, TensorType, Value
from strategies.values import REAL

T = TypeVar("T")

MAX_STATEMENTS: Final = 20
MAX_DEPTH: Final = 4
"""Blocks inside blocks: tapes to depth 3, and a stop_recording in the innermost."""


@dataclass
class OpenTape:
    """What the builder must know of a tape to say only what makes sense.

    ``holds`` are the slots that it has probably recorded: they are worth asking for.
    """

    number: int
    persistent: bool
    accessed: bool
    inside: bool = True
    recording: bool = True
    spent: bool = False
    holds: set[int] = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of statement.

    Attributes:
        name: what subjects call it.
        add: draws one and appends it, at a depth of blocks.
        possible: whether one makes sense, at a depth of blocks.
        often: how many times as often as the rarest it is drawn.
    """

    name: str
    add: Callable[[ProgramBuilder, Draw, int], None]
    possible: Callable[[ProgramBuilder, int], bool] = lambda _program, _depth: True
    often: int = 1


class ProgramBuilder:
    """A program under construction.

    Args:
        draw: supplied by Hypothesis.
        dtype: of the values, unless an op casts them or another is made.
        kinds: of statements by name, the simplest first.
    """

    def __init__(self, draw: Draw, dtype: str, kinds: Mapping[str, Kind]) -> None:
        self.draw = draw
        self.dtype = dtype
        self.kinds = kinds
        self.names: list[str] = []
        self.types: list[TensorType] = []
        self.values: list[Value] = []
        self.behind: list[frozenset[int]] = []
        self.variables: set[int] = set()
        self.trainable: set[int] = set()
        self.made: set[int] = set()
        self.tapes: list[OpenTape] = []
        self.asked: list[Gradient] = []
        self.answers = 0
        self.left = MAX_STATEMENTS
        self.block: list[Statement] = []
        self._taken: set[float] = set()
        self._next = _statement(self)

    # -- names ---------------------------------------------------------------------------------

    def bind(self, letter: str, kind: TensorType, operands: Collection[int] = ()) -> Value:
        """A new slot.

        Args:
            letter: with which its name begins.
            kind: its type.
            operands: the slots of which it is computed.
        """
        value = Value(len(self.names), kind)
        self.names.append(f"{letter}{value.index}")
        self.types.append(kind)
        self.values.append(value)
        self.behind.append(frozenset(operands).union(*(self.behind[i] for i in operands)))
        for tape in self.recording:
            if tape.accessed:
                tape.holds |= self.trainable.intersection(operands)
            if not tape.holds.isdisjoint(operands):
                tape.holds.add(value.index)
        return value

    def make(self, made: Input, role: Role) -> Value:
        """A constant or a Variable, made here."""
        value = self.bind("x" if role == "constant" else "v", made.type)
        if role != "constant":
            self.variables.add(value.index)
        if role == "variable":
            self.trainable.add(value.index)
        self.made.add(value.index)
        numbers = draw_numbers(self.draw, made, self._taken)
        self.block.append(Make(value.index, role, made.type, numbers))
        return value

    def answer(self) -> int:
        """The number of a new answer."""
        self.answers += 1
        return self.answers - 1

    # -- what is there -------------------------------------------------------------------------

    @property
    def live(self) -> list[OpenTape]:
        """The tapes that can answer."""
        return [t for t in self.tapes if not t.spent]

    @property
    def recording(self) -> list[OpenTape]:
        """The tapes that record."""
        return [t for t in self.tapes if t.recording]

    @property
    def held(self) -> frozenset[int]:
        """What the tapes that record have probably recorded."""
        return frozenset().union(*(tape.holds for tape in self.recording))

    @property
    def tensors(self) -> list[Value]:
        """What is no Variable, oldest first."""
        return [v for v in self.values if v.index not in self.variables]

    # -- blocks --------------------------------------------------------------------------------

    def body(self, depth: int, first: Sequence[str] = ()) -> tuple[Statement, ...]:
        """The statements of a block: first some kinds if they can be, others until it is enough."""
        outer, self.block = self.block, []
        for name in first:
            if self.kinds[name].possible(self, depth):
                self.add(self.kinds[name], self.draw, depth)
        while self.left > 0 and self.draw(self._next(depth), "statement"):
            pass
        found, self.block = tuple(self.block), outer
        return found

    def add(self, kind: Kind, draw: Draw, depth: int) -> None:
        """One more statement of a kind."""
        self.left -= 1
        kind.add(self, draw, depth)


def _statement(program: ProgramBuilder) -> Callable[[int], st.SearchStrategy[bool]]:
    """For each depth, a strategy that adds a statement there, and says whether it did.

    Strategies of their own, so that shrinking takes a statement for one thing.
    """

    @st.composite
    def statement(draw: Draw, depth: int) -> bool:
        possible = tuple(k for k in program.kinds.values() if k.possible(program, depth))
        kind = draw(_kinds(possible, depth), "kind")
        if kind is not None:
            program.add(kind, draw, depth)
        return kind is not None

    return statement


@cache
def _kinds(possible: tuple[Kind, ...], depth: int) -> st.SearchStrategy[Kind | None]:
    """None, which ends the block, at the top about one time in six, deeper one in four."""
    often = [kind for kind in possible for _ in range(kind.often - 1)]
    ends = (len(possible) + len(often)) // (5 - min(depth, 2))
    return st.sampled_from([None, *possible, *often, *[None] * ends])


class ProgramSite(Site):
    """Where an op is called in a program: fresh inputs are constants made just before."""

    def __init__(self, program: ProgramBuilder, known: list[Value]) -> None:
        super().__init__(program.draw, program.dtype, known, [])
        self._program = program

    def _new(self, made: Input) -> Value:
        return self._program.make(made, "constant")

    def _choose(
        self, known: list[Value], fresh: tuple[T, ...], label: str, reuse: int = 3
    ) -> Value | T:
        """As in a graph, but a fresh constant is rare, as nobody watches it, and not the simplest.

        What is simplest is the oldest value that fits: it spares a statement.
        """
        ways = 4 * reuse * len(known)
        choice, at = divmod(self.draw(below(len(fresh) * (ways + 1)), label), len(fresh))
        return known[-1 - choice % len(known)] if choice < ways else fresh[at]


def any_input(dtype: str, shape: Shape) -> Input:
    """An input of a dtype that may hold any of its numbers."""
    if dtypes.is_differentiable(dtype):
        return Input(TensorType(dtype, shape), REAL)
    lo, hi = (0, 1) if dtype == "bool" else (0, 3)  # what unsigned integers hold too
    return Input(TensorType(dtype, shape, (lo, hi)), Indices(lo, hi))
