"""Graphs and cases written by hand, for tests of what judges them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from conformance.boundary import Gradient
from conformance.contract import Violation
from conformance.contracts import test_contracts
from conformance.drawn_graphs import WATCHED, GraphCase
from conformance.graph_cases import Seen, run
from strategies.graphs import Graph, Node, Ref
from strategies.tensors import Input, TensorType
from strategies.values import REAL, Number

CONTRACTS = {
    contract.id: contract
    for family in (test_contracts.graph, test_contracts.second_order_graph)
    for contract in family.contracts
}


def chain(
    *calls: tuple[str, tuple[int | Number, ...]],
    inputs: int = 1,
    dtype: str = "float64",
    shape: tuple[int, ...] = (),
    outputs: Sequence[int] = (),
) -> Graph:
    """A graph of elementwise calls: each names its function and its operands.

    An operand is the number of a value (inputs first), or a float that stands for itself.
    """
    kind = TensorType(dtype, shape)
    nodes = tuple(
        Node(
            call,
            call,
            tuple(Ref(a) if isinstance(a, int) else a for a in args),
            (),
            (kind,),
            blocks="stopped" if call == "tf.stop_gradient" else "",
        )
        for call, args in calls
    )
    return Graph((Input(kind, REAL),) * inputs, nodes, tuple(outputs) or (inputs + len(nodes) - 1,))


def case_of(graph: Graph, *numbers: tuple[Number, ...], pulls: bool = False) -> GraphCase:
    """A case in which every input is a watched Tensor."""
    return GraphCase(
        graph,
        (WATCHED,) * len(graph.inputs),
        (tuple(numbers),),
        persistent=False,
        forward=False,
        unknown_rank=False,
        pulls=pulls,
    )


def doctored(case: GraphCase, change: Callable[[Gradient], Gradient | None]) -> Seen:
    """What is seen of a case eagerly, with the gradient of the first input replaced."""
    seen = run(case, "eager")
    gradient = seen.points[0].gradients[0]
    assert gradient is not None
    seen.points[0].gradients[0] = change(gradient)
    return seen


def accusation(contract: str, seen: Seen) -> Violation | None:
    """What a contract says of it: a violation, or None."""
    try:
        CONTRACTS[contract].check(seen)
    except Violation as violation:
        return violation
    return None


def conclusive(contract: str, seen: Any) -> int:
    """How many conclusive checks a contract counts."""
    return CONTRACTS[contract].check(seen).conclusive


def ending(program: str, **names: Any) -> None:
    """Run a printed program to its end, with some names beside its own.

    Raises:
        AssertionError: if it fails.
    """
    exec(program, {**names})  # noqa: S102 - our own program
