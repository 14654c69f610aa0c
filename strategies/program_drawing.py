"""Strategies for tape programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeVar

from hypothesis import strategies as st

from strategies import dtypes
from strategies.drawing import draw_numbers, node_of
from strategies.ops import CATALOGUE, Op
from strategies.ops.spec import Draw, Site, below
from strategies.programs import (
    Assign,
    Call,
    Gradient,
    Make,
    Program,
    Reset,
    Role,
    Same,
    Statement,
    Stop,
    Tape,
    Watch,
    Watched,
)
from strategies.shapes import shapes
from strategies.structures import leaves, structures
from strategies.tensors import Input, TensorType, Value
from strategies.values import REAL

T = TypeVar("T")

MAX_STATEMENTS: Final = 30
MAX_DEPTH: Final = 4
"""Blocks inside blocks: tapes to depth 3, and a stop_recording in the innermost."""

_READS: Final = ("tf.convert_to_tensor({0})", "{0}.value()", "{0}.read_value()", "tf.identity({0})")
_ALIAS: Final = "tf.convert_to_tensor({0})"


@dataclass
class _Open:
    """What the builder must know of a tape to say only what makes sense."""

    number: int
    persistent: bool
    accessed: bool
    inside: bool = True
    recording: bool = True
    spent: bool = False


class ProgramBuilder:
    """A program under construction.

    Args:
        draw: supplied by Hypothesis.
        dtype: of the values, unless an op casts them.
    """

    def __init__(self, draw: Draw, dtype: str) -> None:
        self.draw = draw
        self.dtype = dtype
        self.names: list[str] = []
        self.types: list[TensorType] = []
        self.values: list[Value] = []
        self.variables: set[int] = set()
        self._watched: list[int] = []
        self._made: set[int] = set()
        self.tapes: list[_Open] = []
        self.answers = 0
        self.left = MAX_STATEMENTS
        self.block: list[Statement] = []
        self._taken: set[float] = set()
        self._next = _statement(self)

    # -- names ---------------------------------------------------------------------------------

    def bind(self, letter: str, kind: TensorType) -> Value:
        """A new slot."""
        value = Value(len(self.names), kind)
        self.names.append(f"{letter}{value.index}")
        self.types.append(kind)
        self.values.append(value)
        return value

    def make(self, made: Input, role: Role) -> Value:
        """A constant or a Variable, made here."""
        value = self.bind("x" if role == "constant" else "v", made.type)
        if role != "constant":
            self.variables.add(value.index)
        self._made.add(value.index)
        numbers = draw_numbers(self.draw, made, self._taken)
        self.block.append(Make(value.index, role, made.type, numbers))
        return value

    # -- blocks --------------------------------------------------------------------------------

    def body(self, depth: int, first: Sequence[str] = ()) -> tuple[Statement, ...]:
        """The statements of a block: first some kinds if they can be, others until it is enough."""
        outer, self.block = self.block, []
        for kind in first:
            if kind in self.possible(depth):
                self.add(kind, self.draw, depth)
        while self.left > 0 and self.draw(self._next(depth), "statement"):
            pass
        found, self.block = tuple(self.block), outer
        return found

    def add(self, kind: str, draw: Draw, depth: int) -> None:
        """One more statement of a kind."""
        self.left -= 1
        KINDS[kind](self, draw, depth)

    def possible(self, depth: int) -> list[str]:
        """The kinds of statements that make sense here, the simplest first."""
        live = [t for t in self.tapes if not t.spent]
        recording = any(t.recording for t in live)
        impossible = {
            "tape.watch": not live,
            "tape.nested": depth >= MAX_DEPTH - 1,
            "tape.again": depth >= MAX_DEPTH - 1 or all(t.inside for t in self.tapes),
            "tape.stop_recording": not recording or depth >= MAX_DEPTH,
            "tape.reset": not recording,
            "alias": all(v.index in self.variables for v in self.values),
            "variable.read": not self.variables,
            "variable.assign": not self.variables,
            "tape.gradient": not self.tapes,
            "tape.watched_variables": not self.tapes,
        }
        return [kind for kind in KINDS if not impossible.get(kind)]

    # -- statements ----------------------------------------------------------------------------

    def op(self, draw: Draw, _: int) -> None:
        """An op on what is there already, or on fresh constants."""
        op = draw(_ops(self.dtype), "op")
        known = self.values
        if op.blocks:  # whether these read a Variable is nobody's promise
            known = [v for v in known if v.index not in self.variables]
        site = _ProgramSite(self, known)
        made = op.build(site)
        node = node_of(op, made, site.kinks)
        slots = tuple(self.bind("y", result).index for result in made.results)
        self.block.append(Call(slots, node))

    def read(self, draw: Draw, _: int) -> None:
        """A read of a Variable, in one of its spellings."""
        known = [v for v in self.values[::-1] if v.index in self.variables]
        of = draw(st.sampled_from(known), "variable")
        spelling = draw(st.sampled_from(_READS), "spelling")
        self.block.append(Same(self.bind("y", of.type).index, of.index, spelling))

    def alias(self, draw: Draw, _: int) -> None:
        """Another name for a Tensor: the very same object."""
        known = [v for v in self.values[::-1] if v.index not in self.variables]
        of = draw(st.sampled_from(known), "tensor")
        self.block.append(Same(self.bind("y", of.type).index, of.index, _ALIAS))

    def assign(self, draw: Draw, _: int) -> None:
        """A Variable is assigned a Tensor of its type."""
        known = [v for v in self.values if v.index in self.variables]
        to = draw(st.sampled_from(known), "variable")
        method = draw(st.sampled_from(["assign", "assign_add", "assign_sub"]), "method")
        fits = [
            v
            for v in self.values[::-1]
            if v.index not in self.variables and (v.dtype, v.shape) == (to.dtype, to.shape)
        ]
        value = draw(st.sampled_from([None, *fits, *fits]), "value")
        if value is None:
            value = self.make(Input(to.type, REAL), "constant")
        (lo, hi), (low, high) = to.bounds, value.bounds
        bounds = {
            "assign": (low, high),
            "assign_add": (lo + low, hi + high),
            "assign_sub": (lo - high, hi - low),
        }[method]
        if dtypes.is_complex(to.dtype) and method != "assign":
            bounds = (0.0, to.type.bound + value.bound)
        self.values[self.values.index(to)] = Value(to.index, replace(to.type, bounds=bounds))
        self.block.append(Assign(to.index, method, value.index))

    def make_one(self, draw: Draw, _: int) -> None:
        """Another constant or Variable."""
        role = draw(_ROLES, "role")
        self.make(Input(TensorType(self.dtype, draw(_shapes(), "shape")), REAL), role)

    def watch(self, draw: Draw, _: int) -> None:
        """A tape is told to watch one or more floating slots."""
        tape = draw(st.sampled_from([t for t in self.tapes if not t.spent][::-1]), "tape")
        floating = tuple(v.index for v in self.values if dtypes.is_differentiable(v.dtype))
        what = draw(structures(floating), "watched")
        self._watched += leaves(what)
        self.block.append(Watch(tape.number, what))

    def nest(self, draw: Draw, depth: int, first: str = "") -> None:
        """A new tape and its block."""
        persistent, accessed = draw(_OPTIONS, "persistent, accessed")
        tape = _Open(len(self.tapes), persistent, accessed)
        self.tapes.append(tape)
        self._enter(draw, tape, depth, first=first, again=False)

    def again(self, draw: Draw, depth: int) -> None:
        """A tape that was left is entered again."""
        tape = draw(st.sampled_from([t for t in self.tapes if not t.inside]), "tape")
        self._enter(draw, tape, depth, first="", again=True)

    def _enter(self, draw: Draw, tape: _Open, depth: int, *, first: str, again: bool) -> None:
        tape.inside = tape.recording = True
        tape.spent = False
        raises = draw(_ONE_IN_EIGHT, "left by an exception")
        watches = draw(_OFTEN_TRUE, "watch first")
        body = self.body(depth + 1, ["tape.watch"] * watches + [first] * bool(first))
        tape.inside = tape.recording = False
        options = (tape.persistent, tape.accessed)
        self.block.append(Tape(tape.number, again, *options, body, raises))

    def stop(self, draw: Draw, depth: int) -> None:
        """A tape stops recording for a block."""
        tape = draw(st.sampled_from([t for t in self.tapes if t.recording]), "tape")
        tape.recording = False
        body = self.body(depth + 1)
        tape.recording, tape.spent = True, False  # one that has answered meanwhile begins anew
        self.block.append(Stop(tape.number, body))

    def reset(self, draw: Draw, _: int) -> None:
        """A tape forgets everything."""
        tape = draw(st.sampled_from([t for t in self.tapes if t.recording]), "tape")
        self.block.append(Reset(tape.number))

    def gradient(self, draw: Draw, _: int) -> None:
        """A tape is asked for a gradient; one that has answered already seldom."""
        live = [t for t in self.tapes if not t.spent]
        tape = draw(st.sampled_from([*(live * 3), *self.tapes]), "tape")
        self.ask(draw, tape)

    def ask(self, draw: Draw, tape: _Open) -> None:
        """The gradient of newer values with respect to older ones and Variables."""
        floating = [v.index for v in reversed(self.values) if dtypes.is_differentiable(v.dtype)]
        tensors = [i for i in floating if i not in self.variables]
        results = [i for i in tensors if i not in self._made]
        targets = (*tensors, *results, *results[:2] * 4)  # the newest depend on most
        likely = [*sorted(self.variables), *self._watched]
        sources = (*(v.index for v in self.values), *likely * 3)
        if not targets:
            targets = (self.make(Input(TensorType(self.dtype, ()), REAL), "constant").index,)
        of = draw(structures(targets), "targets")
        to = draw(structures(sources, empty=True), "sources")
        zero, weighted = draw(_ASKED, "zero, weighted")
        made = [Input(self.types[t], REAL) for t in leaves(of)] if weighted else []
        weights = tuple(draw_numbers(draw, one, set()) for one in made)
        self.block.append(Gradient(self.answers, tape.number, of, to, zero, weights))
        self.answers += 1
        if not tape.persistent:
            tape.spent, tape.recording = True, False

    def watched(self, draw: Draw, _: int) -> None:
        """A tape is asked which Variables it watches."""
        tape = draw(st.sampled_from(self.tapes), "tape")
        self.block.append(Watched(self.answers, tape.number))
        self.answers += 1


class _ProgramSite(Site):
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


KINDS: Final[dict[str, Callable[[ProgramBuilder, Draw, int], None]]] = {
    "tape.watch": ProgramBuilder.watch,
    "op": ProgramBuilder.op,
    "alias": ProgramBuilder.alias,
    "variable.read": ProgramBuilder.read,
    "variable.assign": ProgramBuilder.assign,
    "constant": ProgramBuilder.make_one,
    "tape.nested": ProgramBuilder.nest,
    "tape.again": ProgramBuilder.again,
    "tape.stop_recording": ProgramBuilder.stop,
    "tape.reset": ProgramBuilder.reset,
    "tape.gradient": ProgramBuilder.gradient,
    "tape.watched_variables": ProgramBuilder.watched,
}
"""What a program is about: the kinds of statement, simplest first."""

_OFTEN: Final = {"op": 6, "tape.watch": 2, "variable.read": 2, "tape.gradient": 2, "tape.nested": 2}
"""How many times as often as the others some kinds are drawn."""

_ROLES: Final = st.sampled_from(["constant", "variable", "frozen", "constant", "variable"])
_INPUTS: Final = st.sampled_from([None, "constant", "variable", "frozen", "constant", "variable"])
_OPTIONS: Final = st.sampled_from(
    [(p, a) for a in (True, True, True, False) for p in (False, True)]
)
_OFTEN_TRUE: Final = st.sampled_from([False, True, True])
_ONE_IN_EIGHT: Final = st.sampled_from([False] * 7 + [True])
_ASKED: Final = st.sampled_from(
    [(zero, weighted) for zero in (False, False, True) for weighted in (False, False, True)]
)
_DTYPES: Final = st.sampled_from(["float64", "float32", "complex128", *["float64"] * 5])


@st.composite
def _input(draw: Draw, program: ProgramBuilder) -> bool:
    """Perhaps a constant or a Variable; a strategy of its own, so that shrinking may drop it."""
    role = draw(_INPUTS, "role")
    if role is not None:
        kind = TensorType(program.dtype, draw(_shapes(), "shape"))
        program.make(Input(kind, REAL), role)
    return role is not None


def _statement(program: ProgramBuilder) -> Callable[[int], st.SearchStrategy[bool]]:
    """For each depth, a strategy that adds a statement there, and says whether it did.

    Strategies of their own, so that shrinking takes a statement for one thing.
    """

    @st.composite
    def statement(draw: Draw, depth: int) -> bool:
        kinds = tuple(program.possible(depth))
        kind = draw(_kinds(kinds, depth), "kind")
        if kind is not None:
            program.add(kind, draw, depth)
        return kind is not None

    return statement


@cache
def _kinds(possible: tuple[str, ...], depth: int) -> st.SearchStrategy[str | None]:
    """None, which ends the block, about one time in six: at the top, one in eight."""
    often = [kind for kind in possible for _ in range(_OFTEN.get(kind, 1))]
    ends = len(often) // max(8 - 2 * depth, 2)
    return st.sampled_from([None, *possible, *often, *[None] * ends])


@cache
def _ops(dtype: str) -> st.SearchStrategy[Op]:
    """The ops that take a dtype, but for those that may hand back their operand itself."""
    return st.sampled_from([o for o in CATALOGUE.values() if dtype in o.dtypes and not o.aliases])


@cache
def _shapes() -> st.SearchStrategy[tuple[int, ...]]:
    return shapes(max_rank=3, max_size=12)


@cache
def programs(subject: str) -> st.SearchStrategy[Program]:
    """Tape programs of up to 30 statements with one of a kind, and a gradient at their end.

    Reaches: constants and Variables (trainable and frozen) made outside and inside of tapes; every
    spelling of a read; assignments between reads; tapes in tapes, persistent or not, entered again,
    left by exceptions, stopped and reset; nests of sources and targets, repeated and empty ones.
    Shrinks to an empty tape that is asked for the gradient of a constant with respect to itself,
    and the statement of the kind.

    Args:
        subject: the kind, one of :data:`KINDS`.
    """
    return _programs(subject)


@st.composite
def _programs(draw: Draw, subject: str) -> Program:
    program = ProgramBuilder(draw, draw(_DTYPES, "dtype"))
    for _ in range(3):
        draw(_input(program), "input")
    if subject.startswith("variable") and not program.variables:
        program.make(Input(TensorType(program.dtype, ()), REAL), "variable")
    if not program.values:
        program.make(Input(TensorType(program.dtype, ()), REAL), "constant")
    program.nest(draw, 0, "" if subject == "tape.again" else subject)
    program.block.extend(program.body(0, [subject] * (subject == "tape.again")))
    tapes = [t for t in program.tapes if not t.spent] or program.tapes
    program.ask(draw, tapes[0])
    return Program(tuple(program.block), tuple(program.names), tuple(program.types))
