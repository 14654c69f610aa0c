"""Cases of second derivatives: the gradient of a generated op graph is a graph by itself.

Whatever can be asked of a graph can so be asked of a gradient: the tape that differentiates it
records another one (reverse over reverse), and forward mode goes through it (forward over reverse).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final

import numpy as np
from hypothesis import strategies as st

from conformance.contract import Cases
from conformance.drawn_graphs import GraphCase, graph_cases
from conformance.graph_cases import Seen, printed, run
from strategies.graphs import Derivative, Graph, Node, Ref
from strategies.ops import CATALOGUE as OPS
from strategies.tensors import Input
from strategies.values import Domain, Number, grid


@dataclass(frozen=True)
class SecondOrderCase(GraphCase):
    """A graph that is the gradient of another one with respect to one of its inputs.

    Attributes:
        first: what it is the gradient of.
        by: the input with respect to which.
    """

    first: GraphCase
    by: int

    @cached_property
    def coarsest(self) -> float:
        """The largest epsilon of any value, in what was differentiated too."""
        return max(super().coarsest, self.first.coarsest)

    @cached_property
    def inside(self) -> float:
        """A gradient adds up products of the cotangent, which may cancel within an op.

        Of a scalar that is divided by its modulus it is zero at every point where differences are
        taken, and its derivative the rounding of what cancels.
        """
        cotangent = max(float(np.abs(w).max(initial=0.0)) for w in self.first.weights)
        return cotangent * sum(float(np.abs(weight).sum()) for weight in self.weights)

    @property
    def nested(self) -> tuple[GraphCase, int]:
        """The case that it is the gradient of, and the source."""
        return self.first, self.by

    def simpler(self) -> Iterator[SecondOrderCase]:
        """Gradients of simpler cases."""
        for first in self.first.simpler():
            if self.by in first.differentiated:
                yield gradient_of(first, self.by)


def gradient_of(case: GraphCase, source: int) -> SecondOrderCase:
    """The gradient of the weighted targets of a case, as a case of the same inputs.

    Args:
        case: at least one of its outputs is a target.
        source: which input it is the gradient of.
    """
    graph, count = case.graph, len(case.graph.inputs)
    kind = graph.inputs[source].type

    def number(value: int) -> int:
        """Where a value of the graph is in the inner one: what moves comes first."""
        if value == source:
            return count + 1
        return value + 1 + (value >= count)

    add = "tf.math.add"
    moved = Node(add, add, (Ref(source + 1), Ref(0)), (), (kind,))
    inner = Graph(
        (graph.inputs[source], *graph.inputs),
        (moved, *(node.renumbered(number) for node in graph.nodes)),
        tuple(number(graph.outputs[k]) for k in case.targets),
    )
    weights = tuple(tuple(weight.ravel().tolist()) for weight in case.weights)
    node = Node(
        "tf.GradientTape.gradient",
        "",
        tuple(map(Ref, range(count))),
        (),
        (kind,),
        derivative=Derivative(inner, weights),
    )
    outer = Graph(graph.inputs, (node,), (count,))
    return SecondOrderCase(
        outer,
        case.roles,
        case.points,
        persistent=case.persistent,
        forward=case.forward,
        unknown_rank=case.unknown_rank,
        pulls=False,
        plain=case.plain,
        first=case,
        by=source,
    )


def bent(case: GraphCase) -> GraphCase:
    """The case with y + y² in the place of each target y.

    So there is a second derivative of what is linear, too, and one through what the gradient of an
    op is given, not only through what it has kept. And y² alone is smooth where y may not be.
    """
    graph = case.graph
    nodes, outputs, kinds = list(graph.nodes), list(graph.outputs), graph.types
    for k in case.targets:
        y, first = graph.outputs[k], len(graph.inputs) + sum(len(n.outputs) for n in nodes)
        for name, args in (
            ("tf.math.square", (Ref(y),)),
            ("tf.math.add", (Ref(y), Ref(first))),
        ):
            nodes.append(Node(name, name, args, (), (kinds[y],)))
        outputs[k] = first + 1
    return replace(case, graph=Graph(graph.inputs, tuple(nodes), tuple(outputs)))


_BENDS: Final = st.sampled_from((False, True, True, True))


def is_smooth(name: str) -> bool:
    """Whether the gradient of an op is the derivative of what it computes, and so on."""
    return not (OPS[name].blocks or OPS[name].surrogate)


_ZEROS: Final = st.sampled_from((0, 0, 0, 1, 2, 3, -1))
"""Which elements of each input are exactly zero, as bits: none, some of the first two, or all."""


def with_zeros(case: GraphCase, zeros: int) -> GraphCase:
    """The case with exact zeros among its numbers, where ops take them: off kinks and poles.

    There second derivatives of products go wrong that are right to first order.

    Args:
        case: its numbers are replaced at every point.
        zeros: a bit for each element of an input: whether it becomes zero.
    """

    def replaced(made: Input, numbers: tuple[Number, ...]) -> tuple[Number, ...]:
        if not isinstance(made.domain, Domain) or 0.0 not in grid(made.domain):
            return numbers
        if made.domain.distinct and sum(zeros >> k & 1 for k in range(len(numbers))) > 1:
            return numbers
        zero = type(numbers[0])(0) if numbers else 0.0
        return tuple(zero if zeros >> k & 1 else n for k, n in enumerate(numbers))

    points = tuple(tuple(map(replaced, case.graph.inputs, numbers)) for numbers in case.points)
    return replace(case, points=points) if zeros else case


def _changed(case: GraphCase, zeros: int, *, bends: bool) -> GraphCase:
    case = with_zeros(case, zeros)
    return bent(case) if bends else case


MOST_NODES: Final = 4, 1
"""Nodes of the largest graphs that are differentiated, and of those that forward mode goes through:
each op of a gradient is differentiated, or traced, by itself."""


@cache
def second_order_cases(subject: str, mode: str) -> st.SearchStrategy[SecondOrderCase]:
    """Cases of a mode about a subject, in the highest precision that it has.

    Nothing in them is held constant by stop_gradient: differences of the gradient do not know that.
    Forward mode goes through the subject alone: the ops of its gradient are traced one by one.
    """
    among = ("float64", "complex128") if OPS[subject].in_double else ("float32",)
    cases = graph_cases(subject, mode, among, (*[False] * 3, True), nodes=MOST_NODES).filter(
        lambda case: bool(case.differentiated) and all(map(is_smooth, case.graph.ops))
    )
    return cases.flatmap(
        lambda case: st.tuples(st.sampled_from(case.differentiated), _ZEROS, _BENDS).map(
            lambda drawn: gradient_of(_changed(case, drawn[1], bends=drawn[2]), drawn[0])
        )
    )


def asking_forward(cases: Sequence[SecondOrderCase], mode: str) -> Iterator[SecondOrderCase]:
    """One of the cases with forward mode, unless there is one that asks it of any element.

    It is a bent one if there is one, with as few nodes as any: so the op is asked in every item.
    """
    filled = [
        case
        for case in cases
        if all(case.graph.inputs[i].type.size for i in (case.by, *case.differentiated))
    ]
    if mode == "eager" and filled and not any(case.forward for case in filled):
        least = min(filled, key=lambda c: (not _is_bent(c.first.graph), len(c.first.graph.nodes)))
        yield replace(least, forward=True)


def _is_bent(graph: Graph) -> bool:
    return [node.op for node in graph.nodes[-2:]] == ["tf.math.square", "tf.math.add"]


SECOND_ORDER: Cases[SecondOrderCase, Seen] = Cases(
    "second_order_graph",
    second_order_cases,
    run,
    printed,
    simpler=SecondOrderCase.simpler,
    beside=asking_forward,
    subjects=tuple(filter(is_smooth, OPS)),
    modes=("eager", "function"),
    times=1 / 3,
)
