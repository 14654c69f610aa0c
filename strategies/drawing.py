"""Strategies for op graphs and for the numbers that their inputs hold."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from strategies import dtypes
from strategies.graphs import Graph, Node
from strategies.ops import CATALOGUE, Op
from strategies.ops.site import Draw, Site
from strategies.ops.spec import Call
from strategies.tensors import Indices, Input, Value
from strategies.values import REAL, Number, codes, decode, grid

MAX_NODES = 12
MAX_BEFORE = 6
"""Nodes before the subject; the others come after it."""

Point = tuple[tuple[Number, ...], ...]
"""Numbers for every input of a graph, in row-major order."""


class GraphBuilder:
    """A graph under construction.

    Inputs are made while nodes are drawn, so their numbers are not known before the end: until
    then input i is value -1 - i, and the results of nodes count from 0.

    Args:
        draw: supplied by Hypothesis.
        dtype: of the differentiable values.
        subject: the op that will be there in any case, if one will.
        deep: whether there are to be many nodes.
        site: what hands out operands.
    """

    def __init__(
        self,
        draw: Draw,
        dtype: str,
        *,
        subject: Op | None,
        deep: bool = False,
        site: type[Site] = Site,
    ) -> None:
        self.draw = draw
        self.site = site
        self.dtype = dtype
        self.subject = subject
        self.deep = deep
        self.partner = _partner(self)
        self.inputs: list[Input] = []
        self.nodes: list[tuple[Op, Call, list[tuple[int, tuple[float, ...]]]]] = []
        self.values: list[Value] = []
        self.results: list[Value] = []

    def apply(self, op: Op, draw: Draw) -> None:
        """Draw how an op is called, and add it as a node."""
        site = self.site(draw, self.dtype, self.values, self.inputs)
        made = op.build(site)
        self.nodes.append((op, made, site.kinks))
        for result in made.results:
            value = Value(len(self.results), result)
            self.results.append(value)
            self.values.append(value)

    def surround(self, most: int) -> None:
        """Draw up to ``most`` other ops, until the draw says that it is enough."""
        for _ in range(most):
            if not self.draw(self.partner, "node"):
                break

    def finish(self, *, more_outputs: bool) -> Graph:
        """The graph: outputs are the results that nothing uses, and if asked one that is used.

        At least one of them is differentiable.
        """
        shift = len(self.inputs)

        def number(index: int) -> int:
            return -1 - index if index < 0 else shift + index

        nodes = tuple(node_of(*known).renumbered(number) for known in self.nodes)
        taken = {index for node in nodes for index in node.operands}
        ends = [v for v in self.results if number(v.index) not in taken]
        inner = [v for v in self.results if number(v.index) in taken]
        if not any(dtypes.is_differentiable(v.dtype) for v in ends):
            ends += [v for v in inner if dtypes.is_differentiable(v.dtype)][-1:]
        chosen = ends + [v for v in inner[:1] if more_outputs and v not in ends]
        return Graph(tuple(self.inputs), nodes, tuple(number(v.index) for v in chosen))


def node_of(op: Op, made: Call, met: list[tuple[int, tuple[float, ...]]]) -> Node:
    """A node, from how an op of the catalogue is called and the kinks that were met there."""
    return Node(
        op.name,
        op.call,
        made.args,
        made.kwargs,
        made.results,
        made.listed,
        op.blocks,
        made.aliases,
        op.ties,
        tuple(met),
        single=not op.in_double,
        surrogate=op.surrogate,
    )


@st.composite
def _partner(draw: Draw, graph: GraphBuilder) -> bool:
    """Whether a graph goes on, and if so with what: its next node is then added.

    A strategy of its own, so that shrinking takes a node for one thing: it drops any of them, or
    puts a simpler op in its place, and what is drawn after it stays as it was.
    """
    double = graph.subject is not None and graph.subject.in_double
    op = draw(_partners(graph.dtype, deep=graph.deep, double=double), "op")
    if op is None and not graph.nodes and not graph.subject:
        op = next(iter(CATALOGUE.values()))
    if op:
        graph.apply(op, draw)
    return op is not None


@cache  # Hypothesis examines a strategy once; a fresh one for each example would cost as much again
def graphs(
    subject: str | None = None,
    *,
    max_nodes: int = MAX_NODES,
    among: tuple[str, ...] = dtypes.DIFFERENTIABLE,
) -> st.SearchStrategy[Graph]:
    """Op graphs of 1 to ``max_nodes`` nodes in which ``subject`` occurs.

    Reaches: shared sub-expressions, several inputs and outputs, unused inputs, integer and bool
    values beside the differentiable ones. Shrinks to the subject alone on fresh scalar inputs.

    Args:
        subject: the name of a catalogue entry; any entry if left out.
        max_nodes: the largest number of nodes.
        among: the dtypes that the differentiable values may have, unless an op casts them; one of
            them must suit the subject.
    """
    op = CATALOGUE[subject] if subject else None
    return _graphs(op, max_nodes, _main_dtypes(op.dtypes if op else among, among))


@st.composite
def _graphs(
    draw: Draw, op: Op | None, max_nodes: int, main_dtypes: st.SearchStrategy[str]
) -> Graph:
    deep, unused, inner = draw(_FORMS, "deep, unused input, inner output")
    dtype = draw(main_dtypes, "dtype")
    graph = GraphBuilder(draw, dtype, subject=op, deep=deep)
    if op and op.alone:
        max_nodes = 1
    if op:
        graph.surround(min(MAX_BEFORE, max_nodes - 1))
        graph.apply(op, draw)
    graph.surround(max_nodes - len(graph.nodes))
    if not any(dtypes.is_differentiable(v.dtype) for v in graph.results):
        graph.apply(CATALOGUE["tf.cast"], draw)
    if unused:
        Site(draw, dtype, graph.values, graph.inputs).input(dtype, (), REAL)
    return graph.finish(more_outputs=inner)


_FORMS = st.sampled_from(
    [
        (deep, unused, inner)
        for deep in (False, False, False, False, False, False, False, True)
        for unused in (False, False, False, True)
        for inner in (False, False, False, True)
    ]
)


@cache
def _main_dtypes(allowed: tuple[str, ...], among: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Each once, simplest first, so that a draw shrinks to it; then the common ones again."""
    common = ["float64"] * 7 + ["complex128"] * 2
    if not set(common).intersection(allowed):
        common = ["float32"] * 4  # what finite differences judge there
    table = [*dtypes.DIFFERENTIABLE, *common]
    return st.sampled_from([dtype for dtype in table if dtype in allowed and dtype in among])


@cache
def _partners(dtype: str, *, deep: bool, double: bool) -> st.SearchStrategy[Op | None]:
    """One more op, or None for no more, where a draw shrinks to.

    Only ops that compute in double precision if asked: an op without it makes a whole graph one
    that only single precision can judge.

    None comes one time in two, as most faults need one op or two, and what a graph costs goes by
    its nodes; in a deep graph one time in eight.

    One draw both ends the graph and names the op, so a node less is a run of draws less. Ops that
    take every dtype come first, so that one index is the same op whatever the dtype.
    """
    ops = [o for o in CATALOGUE.values() if dtype in o.dtypes and o.is_partner]
    ops = [o for o in ops if o.in_double or not double]
    ops.sort(key=lambda o: len(o.dtypes) < len(dtypes.DIFFERENTIABLE))
    return st.sampled_from([None, *ops, *[None] * (len(ops) // 7 if deep else len(ops))])


@st.composite
def points(draw: Draw, inputs: tuple[Input, ...]) -> Point:
    """Numbers for inputs: off kinks and poles, free of ties across the whole graph."""
    return draw_point(draw, inputs)


def draw_point(draw: Draw, inputs: tuple[Input, ...]) -> Point:
    """What :func:`points` generates, drawn in a strategy that goes on."""
    taken: set[float] = set()
    return tuple(draw_numbers(draw, made, taken) for made in inputs)


def draw_numbers(draw: Draw, made: Input, taken: set[float]) -> tuple[Number, ...]:
    """Numbers for one input; what is used of the floats is added to ``taken``."""
    size = made.type.size
    if not size:
        return ()
    code = draw(codes(size), "numbers")
    if isinstance(made.domain, Indices):
        numbers = range(made.domain.lo, made.domain.hi + 1)
        if made.domain.distinct:
            return decode(code, tuple(numbers), set())
        kind = bool if made.type.dtype == "bool" else int
        return tuple(kind(numbers[byte % len(numbers)]) for byte in code)
    real = decode(code, grid(made.domain), taken)
    if not dtypes.is_complex(made.type.dtype):
        return real
    imaginary = decode(draw(codes(size), "imaginary parts"), grid(REAL), taken)
    return tuple(map(complex, real, imaginary))
