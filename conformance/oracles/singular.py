"""Whether a graph is near a place where it is not smooth: a kink of one of its ops, or a tie.

There the derivative that TensorFlow returns is a choice, and one op's choice may hide or undo
another's (relu(x) - relu(-x) is x, and its gradient at 0 is 0), so nobody is accused there. The
catalogue says for each op where it is not smooth; the values are those of the eager forward pass.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from strategies import dtypes
from strategies.graphs import Graph, Node

Array = npt.NDArray[Any]


def singular(
    tf: Any,
    graph: Graph,
    arrays: Sequence[Array],
    reach: float,
    *,
    moving: Collection[int] | None = None,
) -> str:
    """The first op that is near a place where it is not smooth, in words; empty if none is.

    Args:
        tf: the TensorFlow module.
        graph: in the highest precision that it has.
        arrays: the point: numbers for each input.
        reach: how near is near, relative to numbers above 1.
        moving: the inputs that change; all of them if left out. What none of them reaches is
            constant, wherever it is.
    """
    values: list[Array] = list(arrays)

    def note(_: int, result: Any) -> Any:
        several = result if isinstance(result, list | tuple) else [result]
        values.extend(tensor.numpy() for tensor in several)
        return result

    graph.function(tf, note)(*graph.tensors(tf, arrays))
    for node in _behind_targets(graph, range(len(graph.inputs)) if moving is None else moving):
        if any(_meets(values[value], kinks, reach) for value, kinks in node.kinks):
            return f"{node.op} is at a kink"
        if node.ties and _ties(node, values, reach):
            return f"{node.op} has a tie"
        if node.derivative is not None:
            kind = node.derivative.graph.inputs[0].type
            at = [np.zeros(kind.shape, kind.dtype), *(values[i] for i in node.operands)]
            if reason := singular(tf, node.derivative.graph, at, reach):
                return reason
    return ""


def _behind_targets(graph: Graph, moving: Collection[int]) -> list[Node]:
    """The nodes on which a differentiable output depends, and which depend on what moves."""
    results = [
        range(first, first + len(node.outputs))
        for node, first in zip(graph.nodes, graph.first_results, strict=True)
    ]
    moved = set(moving)
    for node, made in zip(graph.nodes, results, strict=True):
        if moved.intersection(node.operands):
            moved.update(made)
    needed = {i for i in graph.outputs if dtypes.is_differentiable(graph.types[i].dtype)}
    found = []
    for node, made in zip(graph.nodes[::-1], results[::-1], strict=True):
        if needed.intersection(made):
            needed.update(node.operands)
            if moved.intersection(node.operands):
                found.append(node)
    return found[::-1]


def _meets(values: Array, kinks: Sequence[float], reach: float) -> bool:
    distance = np.abs(values[..., None] - np.array(kinks))
    return bool((distance <= reach * np.maximum(np.abs(values[..., None]), 1)).any())


def _ties(node: Node, values: Sequence[Array], reach: float) -> bool:
    numbers = [
        values[i].ravel() for i in node.operands if np.issubdtype(values[i].dtype, np.inexact)
    ]
    ranked = np.sort(np.concatenate(numbers)) if numbers else np.array([0.0])
    return bool((np.abs(np.diff(ranked)) <= reach * np.maximum(np.abs(ranked[1:]), 1)).any())
