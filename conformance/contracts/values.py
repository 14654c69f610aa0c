"""What the gradient of a watched source equals, in double precision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.boundary import Gradient, tensorflow
from conformance.contract import Tally, Violation, docstring, guide
from conformance.drawn_graphs import GraphCase
from conformance.graph_cases import GRAPHS, Seen
from conformance.oracles.agreement import RESOLUTION, Answer, Judgement, judge
from conformance.oracles.finite_difference import Estimate, step_for
from conformance.oracles.projection import Projection
from conformance.oracles.singular import singular

Array = npt.NDArray[Any]
Gradients = dict[int, Array]


@GRAPHS.contract(
    "gradient-shape-and-dtype",
    "The gradient of a connected source has the shape and the dtype of the source.",
    cites=[docstring("tf.GradientTape.gradient", "Returned structure is the same as")],
)
def gradient_shape_and_dtype(seen: Seen) -> Tally:
    """Shape and dtype are compared exactly, IndexedSlices made dense."""
    tally = Tally()
    for point in seen.points:
        for i in seen.case.differentiated:
            found, kind = point.gradients[i], seen.case.graph.inputs[i].type
            if found is None:
                continue
            if (found.dtype, found.array.shape) != (kind.dtype, kind.shape):
                raise Violation(
                    kind="dtype" if found.dtype != kind.dtype else "shape",
                    expected=f"{kind.dtype} {list(kind.shape)} for x{i}",
                    got=f"{found.dtype} {list(found.array.shape)}",
                    where=seen.case.source(),
                    why="the source's own shape and dtype",
                )
            tally.conclusive += 1
    return tally


@GRAPHS.contract(
    "gradient-exists",
    "A watched source that differentiable ops connect to the target gets a gradient: no None, and "
    "no error where the forward pass has none.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded")
    ],
)
def gradient_exists(seen: Seen) -> Tally:
    """Every connected source has a gradient; a LookupError is a gap that TensorFlow names."""
    tally = Tally()
    if seen.error is not None:
        tally += raised(seen, seen.error)
    for point in seen.points:
        for i in seen.case.differentiated:
            if point.gradients[i] is None:
                raise Violation(
                    kind="none",
                    expected=f"a gradient for x{i}",
                    got="None",
                    where=seen.case.source(),
                    why=f"x{i} is watched, and differentiable ops connect it to a target",
                )
            tally.conclusive += 1
    return tally


def raised(seen: Seen, error: Exception) -> Tally:
    """A gradient that raises though the forward pass does not: a gap if TensorFlow says so.

    Raises:
        Violation: if it does not say so.
    """
    tally = Tally()
    # before 2.16 AutoGraph wraps what forward mode raises, and keeps the cause in the text alone
    if not isinstance(error, LookupError) and "LookupError: gradient registry" not in str(error):
        raise Violation(
            kind="exception",
            expected="a gradient, as the forward pass alone runs in this mode",
            got=f"{type(error).__name__}: {error}",
            where=seen.case.source(),
            why="the graph was run alone in the same mode first",
        )
    tally.gap(f"LookupError: {str(error).strip().splitlines()[-1].strip()}")
    return tally


@GRAPHS.contract(
    "gradient-finite-difference",
    "The gradient of a watched source is the derivative that finite differences find.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded"),
        guide("autodiff", "Gradient tapes"),
    ],
)
def gradient_finite_difference(seen: Seen) -> Tally:
    """In double precision: along a direction through all sources, at two steps."""
    tally = Tally()
    case = seen.case
    if not case.is_double:
        return tally
    for number, point in enumerate(seen.points):
        gradients = comparable(seen, point.gradients)
        if not gradients:
            continue
        judgement = _judge(seen, number, gradients)
        if judgement.answer is Answer.DISAGREE:
            judgement = _confirm(seen, number, gradients)
        tally += count(judgement, gradients, case.direction(0))
    return tally


def comparable(seen: Seen, gradients: list[Gradient | None]) -> Gradients:
    """The gradients of the connected sources; none if one is missing or of another shape.

    Those are other contracts' concern: gradient-exists and gradient-shape-and-dtype.
    """
    found: Gradients = {}
    for i in seen.case.differentiated:
        gradient = gradients[i]
        if gradient is None or gradient.array.shape != seen.case.graph.inputs[i].type.shape:
            return {}
        found[i] = gradient.array
    return found


def claim(gradients: Gradients, direction: Gradients) -> float:
    """The derivative along a direction that the gradients imply."""
    return float(sum(_parts(gradients, direction).values()))


def _parts(gradients: Gradients, direction: Gradients) -> dict[int, float]:
    """For each source, what it adds to the derivative along the direction."""
    return {i: float(np.vdot(gradients[i], direction[i]).real) for i in gradients}


def slack(case: GraphCase, gradients: Gradients, direction: Gradients) -> float:
    """The rounding of the gradient itself: each op on the way adds one, each term its own."""
    terms = [float(np.abs(gradients[i] * direction[i]).sum()) for i in gradients]
    return 4 * (1 + len(case.graph.nodes)) * case.coarsest * float(sum(terms))


def projection(case: GraphCase, number: int) -> Projection:
    """The weighted graph as a function along directions from one point of the case."""
    return Projection(
        tensorflow(),
        graph=case.graph,
        arrays=case.arrays(number),
        targets=case.targets,
        weights=case.weights,
        epsilon=case.coarsest,
    )


def _judge(seen: Seen, number: int, gradients: Gradients) -> Judgement:
    """One direction; a second and a third step where the first is not sharp enough."""
    case = seen.case
    along, direction = projection(case, number), case.direction(0)
    parts = [abs(part) for part in _parts(gradients, direction).values() if part]
    sharpest = min(parts, default=0.0)
    best: Judgement | None = None
    for factor in (1.0, 1 / 16, 8.0):
        estimate = along.derivative(direction, step=factor * step_for(case.coarsest))
        judgement = judge(
            claim(gradients, direction), estimate, slack=slack(case, gradients, direction)
        )
        if best is None or judgement.tolerance < best.tolerance:
            best = judgement
            seen.estimates[number] = estimate
        if not np.isfinite(best.claimed) or best.tolerance < RESOLUTION * sharpest or not parts:
            break
    assert best is not None
    return best


_TINY = float(np.finfo(float).tiny)
DIRECTIONS = ((0, 1.0), (1, 0.5), (2, 0.25), (3, 2.0))
"""Directions, with the step at which each is tried, before a gradient is accused."""


def _confirm(seen: Seen, number: int, gradients: Gradients) -> Judgement:
    """Before a gradient is accused: other directions and steps, and how roundings grow.

    Raises:
        Violation: if the first direction and another still disagree, and an element of the
            gradient by itself; it names the one that is furthest off.
    """
    case = seen.case
    reach = 16 * step_for(case.coarsest)
    if reason := singular(tensorflow(), case.graph, case.arrays(number), reach):
        return _undecided(_judge(seen, number, gradients), f"not smooth: {reason}")
    along = projection(case, number)
    growth = along.growth()
    judgements = []
    for which, factor in DIRECTIONS:
        direction = case.direction(which)
        step = factor * step_for(case.coarsest)
        estimate = along.derivative(direction, step=step, growth=growth)
        found = judge(
            claim(gradients, direction), estimate, slack=slack(case, gradients, direction)
        )
        judgements.append(found)
        if len([j for j in judgements if j.answer is Answer.DISAGREE]) > 1:
            if violation := _accusation(seen, along, gradients, growth):
                raise violation
            break
    return _undecided(judgements[0], "a disagreement was not confirmed")


def _undecided(judgement: Judgement, reason: str) -> Judgement:
    return replace(judgement, answer=Answer.INCONCLUSIVE, reason=judgement.reason or reason)


def _accusation(
    seen: Seen, along: Projection, gradients: Gradients, growth: float
) -> Violation | None:
    """The element that is furthest off, in the source that is; None if it agrees after all."""

    def off(i: int, gradient: Array, tangent: Array) -> tuple[float, Judgement]:
        step = step_for(seen.case.coarsest)
        estimate: Estimate = along.derivative({i: tangent}, step=step, growth=growth)
        alone, direction = {i: gradient}, {i: tangent}
        judgement = judge(
            claim(alone, direction), estimate, slack=slack(seen.case, alone, direction)
        )
        ratio = abs(judgement.claimed - judgement.expected) / max(judgement.tolerance, _TINY)
        return ratio if np.isfinite(ratio) else np.inf, judgement

    direction = seen.case.direction(0)
    worst = max(gradients, key=lambda i: off(i, gradients[i], direction[i])[0])
    found = []
    for index in np.ndindex(*gradients[worst].shape):
        for unit, part in ((1.0, ""), (1j, "imaginary part of ")):
            if part and not np.iscomplexobj(gradients[worst]):
                continue
            tangent = np.zeros_like(gradients[worst])
            tangent[index] = unit
            place = f"{part}x{worst}{list(index) if index else ''}"
            only = np.where(tangent, gradients[worst], 0)
            found.append((*off(worst, only, tangent), place))
    ratio, judgement, place = max(found, key=lambda entry: entry[0], default=(0.0, None, ""))
    if judgement is None or not ratio > 1:
        return None
    step = step_for(seen.case.coarsest)
    return Violation(
        kind="value",
        expected=f"{judgement.expected!r} for {place}",
        got=f"{judgement.claimed!r}",
        where=seen.case.source(),
        why=f"central differences at steps {step} and {step / 2}, tolerance "
        f"{judgement.tolerance:.1e}; confirmed along another direction and at another step",
    )


def count(judgement: Judgement, gradients: Gradients, direction: Gradients) -> Tally:
    """A check for each source: conclusive where a 1 % error in its part would have been seen."""
    tally = Tally()
    for part in _parts(gradients, direction).values():
        if not part:
            tally.trivial += 1
        elif judgement.conclusive_about(part):
            tally.conclusive += 1
        else:
            tally.undecided(judgement.reason or "the tolerance is above 1 %")
    return tally
