"""What forward mode gives, against finite differences and reverse mode."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.boundary import make_tensor, raised_by_tensorflow, tensorflow
from conformance.contract import Tally, Violation, docstring
from conformance.contracts.values import (
    Gradients,
    claim,
    comparable,
    count,
    projection,
    raised,
    slack,
)
from conformance.graph_cases import GRAPHS, Seen
from conformance.oracles.agreement import Answer, judge
from conformance.oracles.finite_difference import Estimate, step_for
from conformance.oracles.singular import singular


@GRAPHS.contract(
    "gradient-forward-mode",
    "Forward mode finds the derivative that reverse mode and finite differences find.",
    cites=[docstring("tf.autodiff.ForwardAccumulator", "Jacobian-vector products")],
    modes=("eager", "function", "outer"),
)
def gradient_forward_mode(seen: Seen) -> Tally:
    """The jvp along the direction, weighted with the cotangent, against finite differences."""
    tally = Tally()
    case = seen.case
    if not (case.forward and case.is_double and case.differentiated) or not seen.points:
        return tally
    gradients, estimate = comparable(seen, seen.points[0].gradients), seen.estimates.get(0)
    if not gradients or estimate is None:
        return tally
    try:
        product = _jvp(seen)
    except Exception as error:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        return raised(seen, raised_by_tensorflow(error), at=0)
    return _compare(seen, gradients, product, estimate)


def _compare(seen: Seen, gradients: Gradients, product: float, estimate: Estimate) -> Tally:
    case, direction = seen.case, seen.case.direction(0)
    rounding = slack(case, gradients, direction)
    judgement = judge(product, estimate, slack=rounding)
    if judgement.answer is Answer.DISAGREE:
        reach = 16 * step_for(case.coarsest)
        if reason := singular(tensorflow(), case.graph, case.arrays(0), reach):
            undecided = Tally()
            undecided.undecided(f"not smooth: {reason}")
            return undecided
        along = projection(seen, 0)
        step = step_for(case.coarsest) / 2
        estimate = along.derivative(direction, step=step, growth=along.growth())
        judgement = judge(product, estimate, slack=rounding)
    if judgement.answer is Answer.DISAGREE:
        raise Violation(
            kind="value",
            expected=f"{judgement.expected!r} for the weighted Jacobian-vector product",
            got=f"{judgement.claimed!r}",
            where=seen.case.source(),
            why=f"finite differences at two pairs of steps, tolerance {judgement.tolerance:.1e}; "
            f"reverse mode gives {claim(gradients, direction)!r}",
        )
    return count(judgement, gradients, direction)


def _jvp(seen: Seen) -> float:
    """The weighted sum of the Jacobian-vector products of all targets; None counts as zero."""
    tf, case = tensorflow(), seen.case
    function = seen.mode.ops(tf, case.graph.function(tf))
    sources, tangents = case.differentiated, case.direction(0)

    def program(*tensors: Any) -> list[Any]:
        inputs, moves = list(tensors[: len(case.roles)]), tensors[len(case.roles) :]
        primals = [inputs[i] for i in sources]
        with tf.autodiff.ForwardAccumulator(primals, list(moves)) as accumulator:
            outputs = function(*inputs)
        products = accumulator.jvp([outputs[k] for k in case.targets])
        return [None if p is None else tf.convert_to_tensor(p) for p in products]

    kinds = [made.type.dtype for made in case.graph.inputs]
    inputs = [make_tensor(tf, k, a) for k, a in zip(kinds, case.arrays(0), strict=True)]
    moves = [make_tensor(tf, kinds[i], tangents[i]) for i in sources]
    traced = tf.function(program, autograph=False) if seen.mode.traces_program else program
    products = traced(*inputs, *moves)
    return float(
        sum(
            np.vdot(weight, product.numpy()).real
            for product, weight in zip(products, case.weights, strict=True)
            if product is not None
        )
    )
