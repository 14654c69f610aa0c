"""What the gradient of a gradient equals."""

from __future__ import annotations

import numpy as np

from conformance.contract import Tally, Violation, docstring
from conformance.contracts.forward_mode import compared_with_forward_mode
from conformance.contracts.values import Gradients, derivatives, raised
from conformance.graph_cases import Seen
from conformance.graph_programs import Ask
from conformance.reproduction import typed
from conformance.second_order_cases import SECOND_ORDER, SecondOrderCase


@SECOND_ORDER.contract(
    "second-order-reverse",
    "The gradient of a gradient is the derivative that finite differences of the gradient find.",
    cites=[docstring("tf.GradientTape", "can be nested to compute higher-order")],
    oracle=True,
)
def second_order_reverse(seen: Seen) -> Tally:
    """None is a derivative of zero: which of both it is depends on how a gradient is written."""
    tally = Tally()
    try:
        if seen.error is not None:
            tally += raised(seen, seen.error, at=len(seen.points))
        for number in range(len(seen.points) * seen.case.is_finest):
            if gradients := _filled(seen, number):
                tally += derivatives(seen, number, gradients)
    except Violation as violation:
        violation.about = _first(seen)
        raise
    return tally


@SECOND_ORDER.contract(
    "second-order-forward",
    "Forward mode over a gradient finds the derivative that finite differences of it find.",
    cites=[docstring("tf.autodiff.ForwardAccumulator", "memory-efficient forward-over-backward")],
    modes=("eager",),  # in a function it may end the process: fwd-over-gradient-process
)
def second_order_forward(seen: Seen) -> Tally:
    """The jvp of the gradient along the direction, weighted."""
    case = seen.case
    if not (case.forward and case.is_finest and seen.points):
        return Tally()
    try:
        return compared_with_forward_mode(seen, _filled(seen, 0))
    except Violation as violation:
        violation.about = _first(seen)
        raise


def _first(seen: Seen) -> object:
    """What known deviations are about: the graph that was differentiated."""
    assert isinstance(seen.case, SecondOrderCase)
    return seen.case.first


def _filled(seen: Seen, number: int) -> Gradients:
    """The second derivatives, zeros for None.

    Raises:
        Violation: if one has another shape than its source.
    """
    found: Gradients = {}
    for i in seen.case.differentiated:
        gradient, kind = seen.points[number].gradients[i], seen.case.graph.inputs[i].type
        found[i] = np.zeros(kind.shape) if gradient is None else gradient.array
        if found[i].shape != kind.shape:
            raise Violation(
                kind="shape",
                expected=f"{list(kind.shape)} for x{i}",
                got=str(list(found[i].shape)),
                where=seen.program(
                    number, Ask("gradient", i), typed("gradient", kind.dtype, kind.shape, "shape")
                ),
                why="the source's own shape",
            )
    return found
