"""Faults that are planted into the gradient of one op, whatever that gradient is made of.

Between the op and its operands stand identities whose gradient is wrong. They are nodes of the
graph like any other, so that a fault is the op's alone, needs no registered gradient function, and
prints as TensorFlow source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.drawn_graphs import VARIABLE, WATCHED, GraphCase
from strategies import dtypes
from strategies.graphs import Argument, Graph, Node, Ref
from strategies.shapes import broadcast

Wrong = Mapping[int, tuple[Argument, ...]]
"""The operands of a node whose gradients are wrong, with what the identity is told beside each."""


def _differentiable(graph: Graph, node: Node) -> list[int]:
    """The operands through which the node hands gradients on, each once, in order."""
    if node.blocks or not any(dtypes.is_differentiable(r.dtype) for r in node.outputs):
        return []
    return [i for i in dict.fromkeys(node.operands) if graph.reached[i]]


def _all(graph: Graph, node: Node) -> Wrong:
    return dict.fromkeys(_differentiable(graph, node), ())


def _second(graph: Graph, node: Node) -> Wrong:
    return dict.fromkeys(_differentiable(graph, node)[1:2], ())


def _broadcast(graph: Graph, node: Node) -> Wrong:
    """Those that grow to the shape of the result beside another operand."""
    result = node.outputs[0].shape
    shapes = {i: graph.types[i].shape for i in _differentiable(graph, node)}
    if len(shapes) < 2 or broadcast(*shapes.values()) != result:
        return {}
    return {i: (result,) for i, shape in shapes.items() if shape != result}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a gradient, and which contract must say so.

    Attributes:
        at: the operands of a node whose gradients it changes; none where it cannot be seen.
        identity: a template of the wrong identity, as :attr:`strategies.graphs.Node.call`.
        kinds: how it violates which contract, one of them.
    """

    at: Callable[[Graph, Node], Wrong]
    identity: str
    kinds: Mapping[str, str]


def _identity(gradient: str) -> str:
    wrong = f"tf.custom_gradient(lambda x: (tf.identity(x), lambda g: {gradient}))"
    return wrong + "(tf.convert_to_tensor({0}))"


FAULTS: Final = {
    "scaled by 1.01": Fault(
        _all,
        _identity("tf.convert_to_tensor(g) * tf.cast(1.01, g.dtype)"),
        {"gradient-finite-difference": "value"},
    ),
    "dropped for the second operand": Fault(
        _second, "tf.stop_gradient({0})", {"gradient-exists": "none"}
    ),
    "not summed where an operand is broadcast": Fault(
        _broadcast,
        _identity("tf.broadcast_to(tf.convert_to_tensor(g), {1})"),
        # TensorFlow objects where it is added to another gradient, or to a Variable
        {"gradient-shape-and-dtype": "shape", "gradient-exists": "exception"},
    ),
}
"""Faults by what is wrong with the gradient."""


WRONG: Final = "a planted fault"
"""What the nodes of wrong identities have for the name of their op."""


def planted(graph: Graph, subject: str, fault: Fault) -> Graph:
    """The graph with a fault in the gradient of each node of a subject."""
    place = {i: i for i in range(len(graph.inputs))}
    nodes: list[Node] = []
    values = old = len(graph.inputs)

    for node in graph.nodes:
        inside = dict(place)
        for operand, told in (fault.at(graph, node) if node.op == subject else {}).items():
            kind = graph.types[operand]
            wrong = Node(WRONG, fault.identity, (Ref(place[operand]), *told), (), (kind,))
            nodes.append(wrong)
            inside[operand] = values
            values += 1
        nodes.append(node.renumbered(inside.__getitem__))
        for _ in node.outputs:
            place[old] = values
            old, values = old + 1, values + 1
    return Graph(graph.inputs, tuple(nodes), tuple(place[i] for i in graph.outputs))


def is_felt(case: GraphCase) -> bool:
    """Whether a planted fault stands between a source that is watched and a target."""
    graph, watched = case.graph, frozenset(case.inputs(WATCHED, VARIABLE))
    wrong: set[int] = set()
    for node, first in zip(graph.nodes, graph.first_results, strict=True):
        results = range(first, first + len(node.outputs))
        faulty = node.op == WRONG and watched & graph.reached[first]
        if faulty or (not node.blocks and wrong.intersection(node.operands)):
            wrong.update(i for i in results if graph.reached[i])
    return any(graph.outputs[k] in wrong for k in case.targets)
