"""What the gradient of a gradient equals."""

from __future__ import annotations

import numpy as np

from conformance.contract import Tally, Violation, docstring
from conformance.contracts.forward_mode import compared_with_forward_mode
from conformance.contracts.values import Gradients, derivatives, raised
from conformance.graph_cases import Seen
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
    oracle=True,
)
def second_order_forward(seen: Seen) -> Tally:
    """The jvp of the gradient along the direction, weighted."""
    gradients = _filled(seen, 0) if seen.points and seen.case.is_finest else {}
    try:
        return compared_with_forward_mode(seen, gradients)
    except Violation as violation:
        violation.about = _first(seen)
        raise


def _first(seen: Seen) -> object:
    """What known deviations are about: the graph that was differentiated."""
    assert isinstance(seen.case, SecondOrderCase)
    return seen.case.first


def _filled(seen: Seen, number: int) -> Gradients:
    """The second derivatives, zeros for None; none if one is of another shape."""
    found: Gradients = {}
    for i in seen.case.differentiated:
        gradient, kind = seen.points[number].gradients[i], seen.case.graph.inputs[i].type
        if gradient is None:
            found[i] = np.zeros(kind.shape)
        elif gradient.array.shape != kind.shape:
            return {}
        else:
            found[i] = gradient.array
    return found
