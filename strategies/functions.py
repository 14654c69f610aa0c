"""Strategies for functions: a few smooth ops of the catalogue from one tensor to another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

from hypothesis import strategies as st

from strategies import dtypes
from strategies.drawing import GraphBuilder, draw_numbers, node_of
from strategies.graphs import Graph, Node, Ref, tensor_source
from strategies.ops import CATALOGUE, Op
from strategies.ops.site import Draw, Site, below
from strategies.tensors import Input, TensorType, Value
from strategies.values import Number

T = TypeVar("T")

_COUNTS: Final = st.sampled_from((1, 1, 2, 3))
_SQUARE: Final = "tf.math.square"


@dataclass(frozen=True)
class Function:
    """A smooth function of one tensor, which its result is connected to but is not itself.

    Attributes:
        graph: the ops; its first input is the argument, its only output the result.
        numbers: of the other inputs, which are constants of the function.
    """

    graph: Graph
    numbers: tuple[tuple[Number, ...], ...]

    @property
    def result(self) -> TensorType:
        """The type of what it returns."""
        return self.graph.types[self.graph.outputs[0]]

    def lines(self, name: str, wrap: str = "{call}") -> list[str]:
        """Its definition in Python.

        Args:
            name: what it is called.
            wrap: what takes the place of each ``{call}``.
        """
        made = zip(self.graph.inputs[1:], self.numbers, strict=True)
        constants = [f"x{i} = {tensor_source(one.type, n)}" for i, (one, n) in enumerate(made, 1)]
        *body, last = self.graph.statements(wrap)
        result, _, expression = last.partition(" = ")
        if result != self.graph.name(self.graph.outputs[0]):
            body, expression = [*body, last], self.graph.name(self.graph.outputs[0])
        lines = [*constants, *body, f"return {expression}"]
        return [f"def {name}(x0):", *(f"    {line}" for line in lines)]


class _Chain(Site):
    """Where ops follow each other: a fresh constant is rare, and not the simplest."""

    def _choose(
        self, known: list[Value], fresh: tuple[T, ...], label: str, reuse: int = 3
    ) -> Value | T:
        ways = 4 * reuse * len(known)
        choice, at = divmod(self.draw(below(len(fresh) * (ways + 1)), label), len(fresh))
        return known[choice % len(known)] if choice < ways else fresh[at]


@st.composite
def functions(draw: Draw, argument: Input) -> Function:
    """Functions of up to three ops; shrinks to a square."""
    return draw_function(draw, argument, set())


def draw_function(
    draw: Draw, argument: Input, taken: set[float], ops: tuple[str, ...] = ()
) -> Function:
    """What :func:`functions` generates, drawn in a strategy that goes on.

    Args:
        draw: supplied by Hypothesis.
        argument: its type, and the numbers that it may hold.
        taken: the floats that other constants have; those of this one are added.
        ops: the catalogue entries to choose from; none: all that are smooth.
    """
    builder = GraphBuilder(draw, argument.type.dtype, subject=None, site=_Chain)
    builder.inputs.append(argument)
    builder.values.append(Value(-1, argument.type))
    smooth, itself, result = {-1}, {-1}, None
    for _ in range(draw(_COUNTS, "ops")):
        builder.apply(draw(_ops(builder.dtype, ops), "op"), draw)
        _, made, kinks = builder.nodes[-1]
        values = builder.results[-len(made.results) :]
        node = node_of(*builder.nodes[-1])
        if not kinks and smooth.intersection(node.operands):
            # of the argument's dtype, so that a scene may multiply what two of them return
            found = [v for v in values if v.type.size and v.dtype == builder.dtype]
            smooth.update(v.index for v in found)
            if node.aliases and node.operands[0] in itself:
                itself.update(v.index for v in found)
            else:
                result = found[0] if found else result
    graph = None if result is None else _pruned(builder, result)
    # of tensors without elements kernels are known to answer what stood in memory: whoever asks
    # for a function asks about something else
    if graph is None or (argument.type.size and not all(kind.size for kind in graph.types)):
        graph = Graph((argument,), (_square(argument.type),), (1,))
    return Function(graph, tuple(draw_numbers(draw, i, taken) for i in graph.inputs[1:]))


def _square(kind: TensorType) -> Node:
    bound = kind.bound**2
    result = kind.like(bounds=(0.0 if not dtypes.is_complex(kind.dtype) else -bound, bound))
    return Node(_SQUARE, _SQUARE, (Ref(0),), (), (result,))


def _pruned(builder: GraphBuilder, result: Value) -> Graph:
    """The graph behind one result; the argument stays its first input."""
    needed, nodes, first = {result.index, -1}, [], len(builder.results)
    for known in reversed(builder.nodes):
        node = node_of(*known)
        first -= len(node.outputs)
        if needed.intersection(range(first, first + len(node.outputs))):
            needed.update(node.operands)
            nodes.append((first, node))
    inputs = [i for i in range(len(builder.inputs)) if -1 - i in needed]
    number = {-1 - i: place for place, i in enumerate(inputs)}
    for first, node in reversed(nodes):
        number |= {first + i: len(number) + i for i in range(len(node.outputs))}
    return Graph(
        tuple(builder.inputs[i] for i in inputs),
        tuple(node.renumbered(number.__getitem__) for _, node in reversed(nodes)),
        (number[result.index],),
    )


@cache
def _ops(dtype: str, names: tuple[str, ...]) -> st.SearchStrategy[Op]:
    """The ops that take a dtype and through which a gradient passes."""
    known = [CATALOGUE[name] for name in names] or CATALOGUE.values()
    return st.sampled_from(
        [o for o in known if dtype in o.dtypes and o.is_partner and not (o.blocks or o.ties)]
    )
