"""An op graph as data: it prints as TensorFlow source, and what is printed is what runs.

A :class:`Graph` is a pure function from tensors to a list of tensors: inputs, nodes in topological
order, and the values that are its outputs. Values are numbered, inputs first, then every result of
every node. Nothing here imports TensorFlow: :meth:`Graph.function` is handed the module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import EllipsisType
from typing import Any, Literal

from strategies import dtypes
from strategies.tensors import Input, TensorType
from strategies.values import Number


@dataclass(frozen=True)
class Ref:
    """A value of the graph, by number, as an argument of a call."""

    index: int


@dataclass(frozen=True)
class DType:
    """A dtype as an argument of a call: prints as ``tf.float32``."""

    name: str


@dataclass(frozen=True)
class Constant:
    """Numbers as an argument of a call, given as a tensor: ``tf.constant([0, 1], tf.int64)``.

    Attributes:
        value: a number, or nested tuples of them.
        dtype: of the tensor.
        shape: printed too if given: what the nesting cannot say when there are no elements.
    """

    value: float | tuple[Any, ...]
    dtype: str
    shape: tuple[int, ...] | None = None


Argument = Ref | DType | Constant | Number | None | slice | EllipsisType | tuple["Argument", ...]

Blocks = Literal["", "flat", "stopped"]


@dataclass(frozen=True)
class Node:
    """One call of a public TensorFlow function.

    Attributes:
        op: the name of its entry in the catalogue.
        call: what is called, as a dotted path, or a template such as ``{0}[{1}]``, in which
            ``{named}`` stands for the keyword arguments.
        args, kwargs: the arguments; values of the graph stand in them as :class:`Ref`.
        outputs: the types of its results.
        listed: whether the call returns a sequence of results instead of one tensor.
        blocks: why no gradient passes: ``flat`` (its derivative is zero wherever it has one, and
            TensorFlow answers None by design) or ``stopped`` (its result counts as a constant).
        aliases: whether the call returns its only operand itself, the very same object.
        ties: whether it is not smooth where elements of its operands are equal.
        kinks: the values at which it is not smooth where an element is one of the numbers.
        derivative: if it is no call, but the gradient of a graph of its operands.
        single: whether TensorFlow has no kernel for it that computes in double precision.
        surrogate: a template as ``call``, of what changes as its gradient says, if it does not.
    """

    op: str
    call: str
    args: tuple[Argument, ...]
    kwargs: tuple[tuple[str, Argument], ...]
    outputs: tuple[TensorType, ...]
    listed: bool = False
    blocks: Blocks = ""
    aliases: bool = False
    ties: bool = False
    kinks: tuple[tuple[int, tuple[float, ...]], ...] = ()
    derivative: Derivative | None = None
    single: bool = False
    surrogate: str = ""

    @cached_property
    def operands(self) -> tuple[int, ...]:
        """The numbers of the values that it takes, in order, repeated if taken twice."""
        return tuple(_refs((*self.args, *(value for _, value in self.kwargs))))

    def renumbered(self, number: Callable[[int], int]) -> Node:
        """The same call on other values: ``number`` says for each the one that takes its place."""

        def renumber(argument: Argument) -> Argument:
            if isinstance(argument, Ref):
                return Ref(number(argument.index))
            return tuple(map(renumber, argument)) if type(argument) is tuple else argument

        return replace(
            self,
            args=tuple(map(renumber, self.args)),
            kwargs=tuple((key, renumber(value)) for key, value in self.kwargs),
            kinks=tuple((number(index), kinks) for index, kinks in self.kinks),
        )


@dataclass(frozen=True)
class Derivative:
    """The gradient of a graph with respect to its first input, where that is zero.

    Attributes:
        graph: its other inputs are the operands of the node.
        weights: for each output the numbers of its output gradient, or nothing: all are one.
    """

    graph: Graph
    weights: tuple[tuple[Number, ...], ...]

    def source(self, name: str, operands: Sequence[str], inside: str) -> list[str]:
        """Python that defines the graph as a function and differentiates it.

        Args:
            name: of the result.
            operands: the names of the node's operands.
            inside: as in :meth:`Graph.statements`.
        """
        graph = self.graph
        kinds = [graph.types[i] for i in graph.outputs]
        ones = [(1.0,) * kind.size for kind in kinds]
        made = zip(kinds, self.weights or ones, strict=True)
        weights = ", ".join(tensor_source(kind, numbers) for kind, numbers in made)
        at, zero = f"{name}_at", graph.inputs[0].type
        options = f"output_gradients=[{weights}], unconnected_gradients='zero'"
        return [
            *graph.define(f"{name}_of", inside, inside),
            f"{at} = tf.zeros({list(zero.shape)}, tf.{zero.dtype})",
            "with tf.GradientTape() as tape:",
            f"    tape.watch({at})",
            f"    targets = {name}_of({', '.join([at, *operands])})",
            f"{name} = tape.gradient(targets, {at}, {options})",
        ]


def _refs(arguments: tuple[Argument, ...]) -> Iterator[int]:
    for argument in arguments:
        if isinstance(argument, Ref):
            yield argument.index
        elif isinstance(argument, tuple):
            yield from _refs(argument)


@dataclass(frozen=True)
class Graph:
    """A DAG of ops over inputs: a pure function from tensors to a list of tensors."""

    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    _names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [f"x{i}" for i in range(len(self.inputs))]
        for number, node in enumerate(self.nodes):
            one = f"y{number}"
            names += [f"{one}[{i}]" for i in range(len(node.outputs))] if node.listed else [one]
        object.__setattr__(self, "_names", tuple(names))

    @cached_property
    def types(self) -> tuple[TensorType, ...]:
        """The types of all values, inputs first."""
        results = (result for node in self.nodes for result in node.outputs)
        return (*(i.type for i in self.inputs), *results)

    @cached_property
    def reached(self) -> tuple[frozenset[int], ...]:
        """For each value, the inputs to which it is connected by differentiable steps."""
        found = [
            frozenset([i]) if dtypes.is_differentiable(x.type.dtype) else frozenset[int]()
            for i, x in enumerate(self.inputs)
        ]
        for node in self.nodes:
            through = [] if node.blocks else [found[i] for i in node.operands]
            for result in node.outputs:
                smooth = dtypes.is_differentiable(result.dtype)
                found.append(frozenset().union(*through) if smooth else frozenset())
        return tuple(found)

    @cached_property
    def used(self) -> frozenset[int]:
        """The inputs that some node takes or that are outputs themselves."""
        taken = {i for node in self.nodes for i in node.operands} | set(self.outputs)
        return frozenset(i for i in taken if i < len(self.inputs))

    @cached_property
    def first_results(self) -> tuple[int, ...]:
        """For each node, the number of its first result."""
        found, number = [], len(self.inputs)
        for node in self.nodes:
            found.append(number)
            number += len(node.outputs)
        return tuple(found)

    @cached_property
    def ops(self) -> tuple[str, ...]:
        """The names of the catalogue entries of all nodes, in order."""
        return tuple(node.op for node in self.nodes)

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """For each node how many ops run; those whose gradient it is run forwards and backwards."""
        inner = (node.derivative for node in self.nodes)
        return tuple(1 if d is None else 1 + 3 * d.graph.length for d in inner)

    @property
    def length(self) -> int:
        """How many ops run."""
        return sum(self.lengths)

    def on_the_way(self, moving: frozenset[int]) -> tuple[frozenset[int] | None, ...]:
        """For each value the nodes on differentiable ways to it from inputs, or None without one.

        Args:
            moving: the inputs.
        """
        found = [frozenset[int]() if i in moving else None for i in range(len(self.inputs))]
        for number, node in enumerate(self.nodes):
            through = [found[i] for i in node.operands] if not node.blocks else []
            known = [nodes for nodes in through if nodes is not None]
            for result in node.outputs:
                smooth = known and dtypes.is_differentiable(result.dtype)
                found.append(frozenset([number]).union(*known) if smooth else None)
        return tuple(found)

    @cached_property
    def single(self) -> bool:
        """Whether some node has no kernel in double precision: float32 is its most precise."""
        inner = (node.derivative for node in self.nodes)
        return any(node.single for node in self.nodes) or any(d and d.graph.single for d in inner)

    @property
    def finest(self) -> str:
        """The widest real dtype in which the whole graph can be run."""
        return "float32" if self.single else "float64"

    @cached_property
    def widened(self) -> Graph:
        """The same graph in the highest precision that all of its nodes have."""
        return self.astype(dtypes.at_least_single if self.single else dtypes.widest)

    def name(self, value: int) -> str:
        """How a value is called in the printed source: ``x0``, ``y1``, ``y2[0]``."""
        return self._names[value]

    def statements(self, wrap: str = "{call}", inside: str = "{call}") -> list[str]:
        """The lines of TensorFlow source for all nodes: one for each, more for a derivative.

        Args:
            wrap: what takes the place of each ``{call}``, the node ``{i}``.
            inside: the same for the nodes of the graphs of derivatives.
        """
        lines: list[str] = []
        for i, node in enumerate(self.nodes):
            call = call_source(node, self._names)
            if node.derivative is not None:
                operands = [self._names[k] for k in node.operands]
                lines += node.derivative.source(f"d{i}", operands, inside)
                call = f"tf.convert_to_tensor(d{i})"
            lines.append(f"y{i} = {wrap.format(i=i, call=call)}")
        return lines

    @cached_property
    def definition(self) -> str:
        """The source of a Python function of the inputs that returns the list of outputs."""
        return "\n".join(self.define("graph")) + "\n"

    def define(self, name: str, wrap: str = "{call}", inside: str = "{call}") -> list[str]:
        """The lines of a Python function of the inputs that returns the list of outputs.

        Args:
            name: of the function.
            wrap: as in :meth:`statements`.
            inside: as in :meth:`statements`.
        """
        parameters = ", ".join(f"x{i}" for i in range(len(self.inputs)))
        result = f"return [{', '.join(map(self.name, self.outputs))}]"
        body = [*self.statements(wrap, inside), result]
        return [f"def {name}({parameters}):", *(f"    {line}" for line in body)]

    def function(
        self,
        tf: Any,
        around: Callable[[int, Any], Any] | None = None,
        inside: Callable[[Any], Any] | None = None,
    ) -> Callable[..., list[Any]]:
        """The graph as a Python function: what :meth:`definition` prints, compiled.

        Args:
            tf: the TensorFlow module that the source calls ``tf``.
            around: if given, called as ``around(node, result)`` on what each node returns; its
                answer takes the place of the result.
            inside: if given, called as ``inside(result)`` on what the nodes return whose gradient
                a node is; its answer takes the place of the result.
        """
        text = self.definition
        if around is not None:
            hook = "inside({call})" if inside is not None else "{call}"
            text = "\n".join(self.define("graph", "around({i}, {call})", hook)) + "\n"
        scope: dict[str, Any] = {"tf": tf, "around": around, "inside": inside}
        exec(_compiled(text), scope)  # noqa: S102 - our own text
        function: Callable[..., list[Any]] = scope["graph"]
        return function

    def tensors(self, tf: Any, arrays: Sequence[Any]) -> list[Any]:
        """Arrays as tensors of the types of the inputs, none of them in half precision."""
        return [tf.constant(a, i.type.dtype) for a, i in zip(arrays, self.inputs, strict=True)]

    @cached_property
    def surrogates(self) -> Graph:
        """The same graph with every node that has a surrogate replaced by it."""
        nodes = (replace(n, call=n.surrogate) if n.surrogate else n for n in self.nodes)
        return replace(self, nodes=tuple(nodes))

    def astype(self, dtype: Callable[[str], str]) -> Graph:
        """The same graph with every floating or complex dtype replaced by ``dtype(of it)``."""

        def convert(argument: Argument) -> Argument:
            if isinstance(argument, DType):
                return DType(dtype(argument.name))
            if isinstance(argument, Constant):
                return replace(argument, dtype=dtype(argument.dtype))
            return tuple(map(convert, argument)) if type(argument) is tuple else argument

        def retype(of: TensorType) -> TensorType:
            return replace(of, dtype=dtype(of.dtype))

        return Graph(
            tuple(replace(i, type=retype(i.type)) for i in self.inputs),
            tuple(
                replace(
                    n,
                    args=tuple(map(convert, n.args)),
                    kwargs=tuple((k, convert(v)) for k, v in n.kwargs),
                    outputs=tuple(map(retype, n.outputs)),
                )
                for n in self.nodes
            ),
            self.outputs,
        )


@lru_cache(maxsize=1024)  # many graphs differ in their inputs alone, which the text does not show
def _compiled(text: str) -> Any:  # a code object, which has no public generic type
    return compile(text, "<graph>", "exec")


def call_source(node: Node, names: Sequence[str]) -> str:
    """A call as TensorFlow source; values are called by their ``names``."""
    args = [_text(a, names) for a in node.args]
    named = [f"{key}={_text(value, names)}" for key, value in node.kwargs]
    if "{" in node.call:
        return node.call.format(*args, named=", ".join(named))
    return f"{node.call}({', '.join(args + named)})"


def _text(argument: Argument, names: Sequence[str]) -> str:  # noqa: PLR0911 - one for each kind
    match argument:
        case Ref(index):
            return names[index]
        case DType(name):
            return f"tf.{name}"
        case Constant(value, dtype, shape):
            more = "" if shape is None else f", {_text(shape, names)}"
            return f"tf.constant({_text(value, names)}, tf.{dtype}{more})"
        case Subscript(items):
            return ", ".join(map(_subscript, items))
        case float() if math.isinf(argument):
            return f"float('{argument}')"
        case tuple():
            return f"[{', '.join(_text(a, names) for a in argument)}]"
        case _:
            return repr(argument)


class Subscript(tuple[Any, ...]):
    """What stands in the brackets of ``x[...]``: ints, slices, ``...`` and None."""

    __slots__ = ()
    __match_args__ = ("items",)

    @property
    def items(self) -> tuple[Any, ...]:
        """The comma-separated parts."""
        return tuple(self)

    def __hash__(self) -> int:
        """That of the text: a slice has had one of its own since Python 3.12 only."""
        return hash(tuple(map(_subscript, self)))


def _subscript(item: object) -> str:
    if isinstance(item, slice):
        parts = ["" if p is None else str(p) for p in (item.start, item.stop, item.step)]
        return ":".join(parts if parts[2] else parts[:2])
    return "..." if item is Ellipsis else "tf.newaxis" if item is None else str(item)


def literal(values: tuple[Number, ...], shape: tuple[int, ...]) -> str:
    """Numbers in row-major order as a nested Python list of this shape."""
    if not shape:
        return repr(values[0])
    step = len(values) // shape[0] if shape[0] else 0
    rows = (literal(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0]))
    return f"[{', '.join(rows)}]"


def tensor_source(kind: TensorType, values: tuple[Number, ...]) -> str:
    """A TensorFlow expression that makes a tensor of this type with these numbers."""
    if kind.size == 0:
        return f"tf.zeros({list(kind.shape)}, tf.{kind.dtype})"
    return f"tf.constant({literal(values, kind.shape)}, tf.{kind.dtype})"
