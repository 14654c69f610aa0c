"""Tape programs as data: what people do with ``tf.GradientTape``, statement by statement.

A :class:`Program` is a nest of statements over *slots*: each slot is a name that is bound once, to
a Tensor or to a Variable. Tapes and answers have numbers of their own. A program prints as Python
that runs when pasted; what is printed is what runs. Nothing here imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from strategies.graphs import Graph, Node, tensor_source
from strategies.structures import KEYS, NAMED, Structure, leaves, show
from strategies.tensors import Input, TensorType
from strategies.values import REAL, Number
from strategies.ways import WAYS

Role = Literal["constant", "variable", "frozen"]


@dataclass(frozen=True)
class Make:
    """A constant, or a Variable that is trainable or frozen: ``x0 = tf.constant(...)``."""

    slot: int
    role: Role
    type: TensorType
    numbers: tuple[Number, ...]

    def lines(self, page: Page) -> list[str]:
        """As Python."""
        text = tensor_source(self.type, self.numbers)
        if self.role != "constant":
            text = f"tf.Variable({text}{', trainable=False' * (self.role == 'frozen')})"
        return [f"{page.names[self.slot]} = {text}"]


@dataclass(frozen=True)
class Call:
    """An op of the catalogue; its operands are slots, its results bind new ones.

    Attributes:
        slots: of its results.
        node: what is called.
        way: how, one of :data:`strategies.ways.WAYS`.
        times: how often, if that is in a loop.
    """

    slots: tuple[int, ...]
    node: Node
    way: str = ""
    times: int = 1

    def lines(self, page: Page) -> list[str]:
        """As Python."""
        bound = ", ".join(page.names[slot] for slot in self.slots)
        comma = "," * (self.node.listed and len(self.slots) == 1)
        call = WAYS[self.way].source(self.node, page.names, page.types, self.times)
        if page.traced_ops:
            call = f"tf.function(lambda: {call}, autograph=False)()"
        return [f"{bound}{comma} = {call}"]


@dataclass(frozen=True)
class Same:
    """A value under another name: of a Variable a read, of a Tensor the very same object."""

    slot: int
    of: int
    spelling: str

    def lines(self, page: Page) -> list[str]:
        """As Python."""
        return [f"{page.names[self.slot]} = {self.spelling.format(page.names[self.of])}"]


@dataclass(frozen=True)
class Assign:
    """``assign``, ``assign_add`` or ``assign_sub`` of a Tensor to a Variable of its type."""

    variable: int
    method: str
    value: int

    def lines(self, page: Page) -> list[str]:
        """As Python."""
        return [f"{page.names[self.variable]}.{self.method}({page.names[self.value]})"]


@dataclass(frozen=True)
class Tape:
    """A ``with`` block of a tape.

    Attributes:
        tape: its number.
        again: whether it was made before and is entered once more.
        persistent, accessed: the tape's options (the second is ``watch_accessed_variables``).
        body: the block.
        leaves: whether the block ends with an exception, which is caught outside of it.
    """

    tape: int
    again: bool
    persistent: bool
    accessed: bool
    body: Body
    leaves: bool

    def lines(self, page: Page) -> list[str]:
        """As Python."""
        options = ["persistent=True"] * self.persistent
        options += ["watch_accessed_variables=False"] * (not self.accessed)
        made = f"tf.GradientTape({', '.join(options)}) as t{self.tape}"
        head = f"with {f't{self.tape}' if self.again else made}:"
        if not self.leaves:
            return [head, *page.block(self.body)]
        lines = [head, *page.block(self.body), "    raise KeyError"]
        return ["try:", *(f"    {line}" for line in lines), "except KeyError:", "    pass"]


@dataclass(frozen=True)
class Stop:
    """``with tape.stop_recording():`` and its block."""

    tape: int
    body: Body

    def lines(self, page: Page) -> list[str]:
        """As Python."""
        return [f"with t{self.tape}.stop_recording():", *page.block(self.body)]


@dataclass(frozen=True)
class Reset:
    """``tape.reset()``."""

    tape: int

    def lines(self, _: Page) -> list[str]:
        """As Python."""
        return [f"t{self.tape}.reset()"]


@dataclass(frozen=True)
class Watch:
    """``tape.watch(...)`` of a Tensor, a Variable or a nest of them."""

    tape: int
    what: Structure[int]

    def lines(self, page: Page) -> list[str]:
        """As Python."""
        return [f"t{self.tape}.watch({page.nest(self.what)})"]


@dataclass(frozen=True)
class Gradient:
    """``g = tape.gradient(targets, sources)``, or one of the Jacobians.

    Attributes:
        answer: its number.
        tape: whose.
        targets, sources: slots, nested; a Jacobian has a single target, that of a batch a single
            source.
        zero: whether UnconnectedGradients.ZERO is asked for.
        weights: the numbers of the output gradients, for each target, or nothing.
        method: ``gradient``, ``jacobian`` or ``batch_jacobian``.
        pfor: whether a Jacobian is vectorized.
    """

    answer: int
    tape: int
    targets: Structure[int]
    sources: Structure[int]
    zero: bool
    weights: tuple[tuple[Number, ...], ...]
    method: str = "gradient"
    pfor: bool = True

    def lines(self, page: Page) -> list[str]:
        """As Python; what is expected to raise is caught, and takes the answer's place."""
        options = ""
        if self.weights:
            kinds = (page.types[slot] for slot in leaves(self.targets))
            made = zip(kinds, self.weights, strict=True)
            weights = ", ".join(tensor_source(kind, numbers) for kind, numbers in made)
            options += f", output_gradients=[{weights}]"
        options += ", unconnected_gradients='zero'" * self.zero
        options += ", experimental_use_pfor=False" * (not self.pfor)
        asked = f"{page.nest(self.targets)}, {page.nest(self.sources)}{options}"
        line = f"g{self.answer} = t{self.tape}.{self.method}({asked})"
        return _caught(self.answer, line) if self.answer in page.raising else [line]


def _caught(answer: int, line: str) -> list[str]:
    """A line of which an exception takes the answer's place."""
    return ["try:", f"    {line}", "except Exception as error:", f"    g{answer} = error"]


MISUSES: Final = {
    "no target": "t{0}.gradient(None, [])",
    "a number is watched": "t{0}.watch(1.0)",
    "entered twice": "t{0}.__enter__()",
    "stopped twice": "t{0}.stop_recording().__enter__()",
    "reset outside": "t{0}.reset()",
}
"""What must raise, by what is wrong with it."""


@dataclass(frozen=True)
class Misuse:
    """A call that must raise, one of :data:`MISUSES`; its number counts with the answers."""

    answer: int
    tape: int
    what: str

    def lines(self, _: Page) -> list[str]:
        """As Python."""
        line = f"g{self.answer} = {MISUSES[self.what].format(self.tape)}"
        return _caught(self.answer, line)


@dataclass(frozen=True)
class Take:
    """A gradient becomes a Tensor that ops can take; it is that of one source, and no None."""

    slot: int
    answer: int

    def lines(self, page: Page) -> list[str]:
        """As Python."""
        return [f"{page.names[self.slot]} = tf.convert_to_tensor(g{self.answer})"]


@dataclass(frozen=True)
class Watched:
    """``g = tape.watched_variables()``; its number counts with the answers."""

    answer: int
    tape: int

    def lines(self, _: Page) -> list[str]:
        """As Python."""
        return [f"g{self.answer} = t{self.tape}.watched_variables()"]


Statement: TypeAlias = (
    Make | Call | Same | Take | Assign | Tape | Stop | Reset | Watch | Gradient | Misuse | Watched
)
Body: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True)
class Page:
    """What a statement needs to know to print itself.

    Attributes:
        names, types: of the slots.
        raising: the answers that are expected to raise.
        traced_ops: whether each op is called inside a ``tf.function`` of its own.
        yields: whether it yields before each statement, and at the end of each block.
    """

    names: Sequence[str]
    types: Sequence[TensorType]
    raising: frozenset[int]
    traced_ops: bool
    yields: bool = False

    def nest(self, structure: Structure[int]) -> str:
        """A structure of slots."""
        return show(structure, self.names.__getitem__)

    def block(self, body: Body) -> list[str]:
        """The indented lines of a block."""
        return [f"    {line}" for line in self.lines(body) or ["pass"]]

    def lines(self, body: Body) -> list[str]:
        """The lines of statements."""
        between = ["yield"] * self.yields
        inside = [line for statement in body for line in (*between, *statement.lines(self))]
        return [*inside, *between]


@dataclass(frozen=True)
class Program:
    """Statements, and for each slot its name and the type of what it is bound to."""

    body: Body
    names: tuple[str, ...]
    types: tuple[TensorType, ...]

    def statements(self) -> Iterator[Statement]:
        """Every statement, in the order in which they are printed."""
        yield from _flat(self.body)

    def ops_alone(self) -> Program:
        """The same program without tapes: what must run for anything to be said of them.

        Zeros stand for gradients.
        """

        def zeros(slot: int) -> Make:
            return Make(slot, "constant", self.types[slot], (0.0,) * self.types[slot].size)

        kept = (
            zeros(s.slot) if isinstance(s, Take) else s
            for s in self.statements()
            if isinstance(s, Make | Call | Same | Take | Assign)
        )
        return Program(tuple(kept), self.names, self.types)

    @property
    def assigned(self) -> frozenset[str]:
        """The ops of which comes what is assigned to Variables."""
        slots, ops = set[int](), set[str]()
        for s in reversed(list(self.statements())):
            if isinstance(s, Assign):
                slots.add(s.value)
            elif isinstance(s, Same) and s.slot in slots:
                slots.add(s.of)
            elif isinstance(s, Call) and slots.intersection(s.slots):
                slots.update(s.node.operands)
                ops.add(s.node.op)
        return frozenset(ops)

    def ops_graph(self) -> Graph:
        """Its ops as a graph; what is made or read between them are inputs."""
        calls = [s for s in self.statements() if isinstance(s, Call)]
        results = [slot for call in calls for slot in call.slots]
        inputs = [slot for slot in range(len(self.names)) if slot not in results]
        number = {slot: i for i, slot in enumerate([*inputs, *results])}.__getitem__
        nodes = tuple(call.node.renumbered(number) for call in calls)
        made = tuple(Input(self.types[slot], REAL) for slot in inputs)
        return Graph(made, nodes, tuple(map(number, results)))

    def source(self, raising: frozenset[int] = frozenset(), *, traced_ops: bool = False) -> str:
        """The program as Python.

        Args:
            raising: the answers that are expected to raise.
            traced_ops: whether each op is called inside a ``tf.function`` of its own, which takes
                its operands from the enclosing scope.
        """
        lines = Page(self.names, self.types, raising, traced_ops).lines(self.body)
        return "\n".join([*_head(lines), *lines]) + "\n"

    def function_source(self, raising: frozenset[int], returns: str) -> str:
        """The program as a Python function ``program``.

        Variables are made before it, as a ``tf.function`` may not make them each time it is traced.

        Args:
            raising: the answers that are expected to raise.
            returns: an expression of what the program binds.
        """
        before, body = self.parts(raising)
        inside = [f"    {line}" for line in body or ["pass"]]
        head = [*before, "", "", "def program():"]
        return "\n".join([*head, *inside, f"    return {returns}"]) + "\n"

    def parts(self, raising: frozenset[int]) -> tuple[list[str], list[str]]:
        """The lines that must stand outside of a ``tf.function``, and all others."""
        page = Page(self.names, self.types, raising, traced_ops=False)
        made = [s for s in self.statements() if isinstance(s, Make) and s.role != "constant"]
        before = page.lines(tuple(made))
        body = page.lines(_without(self.body, made))
        return [*_head(body), *before], body

    def steps(self, raising: frozenset[int]) -> tuple[list[str], list[str]]:
        """The lines that must stand before a generator, and its own: it yields between statements.

        Args:
            raising: the answers that are expected to raise.
        """
        body = Page(self.names, self.types, raising, traced_ops=False, yields=True).lines(self.body)
        return _head(body), body

    @property
    def bound(self) -> list[str]:
        """Every name that it binds: of slots, tapes and answers."""
        tapes = [f"t{s.tape}" for s in self.statements() if isinstance(s, Tape)]
        asked = [s for s in self.statements() if isinstance(s, Gradient | Misuse | Watched)]
        return list(dict.fromkeys([*self.names, *tapes, *(f"g{s.answer}" for s in asked)]))


def _head(lines: Sequence[str]) -> list[str]:
    """What must stand before a program."""
    head = ["import tensorflow as tf", ""]
    if any(f"{NAMED}(" in line for line in lines):
        fields = " ".join(KEYS[:2])
        head = ["import collections", "", *head]
        head += [f'{NAMED} = collections.namedtuple("{NAMED}", "{fields}")']
    return head


def _without(body: Body, left_out: Sequence[Statement]) -> Body:
    """The same statements without some of them."""
    return tuple(
        replace(s, body=_without(s.body, left_out)) if isinstance(s, Tape | Stop) else s
        for s in body
        if s not in left_out
    )


def _flat(body: Body) -> Iterator[Statement]:
    for statement in body:
        yield statement
        if isinstance(statement, Tape | Stop):
            yield from _flat(statement.body)
