"""What a gradient equals at special values where the function is smooth after all."""

from __future__ import annotations

import numpy as np

from conformance.contract import Tally, docstring
from conformance.contracts.values import (
    DIRECTIONS,
    Gradients,
    accusation,
    claim,
    comparable,
    count,
    projection,
    slack,
)
from conformance.graph_cases import Seen
from conformance.oracles.agreement import Answer, is_smooth, is_sum, judge
from conformance.oracles.finite_difference import Estimate, step_for
from conformance.special_cases import SPECIAL_VALUES, SeenSpecial


@SPECIAL_VALUES.contract(
    "gradient-special-values",
    "At a zero, a tie, a kink, the end of a domain, a very large and a very small number the "
    "gradient is the derivative, wherever the function has one there.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded")
    ],
    floor=0.0,  # most of these points have no derivative, which is why they are looked at
)
def gradient_special_values(seen: SeenSpecial) -> Tally:
    """Where differences to both sides agree; there no kink that an entry states is an excuse.

    A pole is: some entries say so where a function goes on but means something else, as what is
    zero has no place in a sparse tensor.
    """
    tally = Tally()
    for case, found in seen.points:
        if not isinstance(found, Seen) or not found.points:
            continue
        if case.at_pole:
            tally.undecided("at a pole, as the entry of the op says")
        elif gradients := comparable(found, found.points[0].gradients):
            tally += _judged(found, gradients)
    return tally


def _judged(seen: Seen, gradients: Gradients) -> Tally:
    """Along one direction; before a gradient is accused along three more, and at an element.

    Raises:
        Violation: if all of them disagree, and the function is smooth along each and along sums.
    """
    case, along = seen.case, projection(seen, 0)
    tally, growth = Tally(), 0.0
    first = case.direction(0)
    before: Estimate | None = None
    for which, factor in DIRECTIONS:
        direction = case.direction(which)
        step = factor * step_for(case.coarsest)
        estimate = along.derivative(direction, step=step, growth=growth, apart=True)
        if not is_smooth(estimate):
            tally.undecided("the function has no derivative there")
            return tally
        if before is not None:
            both = {i: first[i] + direction[i] for i in direction}
            whole = along.derivative(both, step=step, growth=growth, apart=True)
            if not is_sum(whole, before, estimate):
                tally.undecided("derivatives do not add up")
                return tally
        off = slack(case, gradients, direction) + slack(case, _ones(gradients), direction)
        judgement = judge(claim(gradients, direction), estimate, slack=off)
        if judgement.answer is Answer.AGREE:
            if growth:
                tally.undecided("a disagreement was not confirmed")
                return tally
            return count(judgement, gradients, direction)
        growth = growth or along.growth()
        before = before or along.derivative(first, step=step, growth=growth, apart=True)
    if violation := accusation(seen, 0, along, gradients, first, growth, apart=True):
        raise violation
    tally.undecided("no element of the gradient is off by itself")
    return tally


def _ones(gradients: Gradients) -> Gradients:
    """Gradients of one: what saturates has terms of about one that cancel, and leave roundings."""
    return {i: np.ones_like(gradient) for i, gradient in gradients.items()}
