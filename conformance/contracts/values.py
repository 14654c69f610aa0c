"""What the gradient of a watched source equals, in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.boundary import (
    Gradient,
    error_text,
    gap_of,
    is_gap,
    raised_by_tensorflow,
    tensorflow,
)
from conformance.contract import Tally, Violation, docstring, guide
from conformance.drawn_graphs import GraphCase
from conformance.graph_cases import GRAPHS, Seen
from conformance.graph_programs import Ask
from conformance.oracles.agreement import (
    RESOLUTION,
    Answer,
    Judgement,
    is_smooth,
    is_sum,
    judge,
)
from conformance.oracles.finite_difference import step_for
from conformance.oracles.projection import Projection
from conformance.oracles.singular import singular
from conformance.reproduction import Claim, element, near, something, typed

Array = npt.NDArray[Any]
Gradients = dict[int, Array]


@GRAPHS.contract(
    "gradient-shape-and-dtype",
    "The gradient of a connected source has the shape and the dtype of the source.",
    cites=[docstring("tf.GradientTape.gradient", "Returned structure is the same as")],
)
def gradient_shape_and_dtype(seen: Seen) -> Tally:
    """Shape and dtype are compared exactly, IndexedSlices made dense; so is what those say."""
    tally = Tally()
    for number, point in enumerate(seen.points):
        for i in seen.case.differentiated:
            found, kind = point.gradients[i], seen.case.graph.inputs[i].type
            if found is None:
                continue
            if (found.dtype, found.array.shape) != (kind.dtype, kind.shape):
                what = "dtype" if found.dtype != kind.dtype else "shape"
                raise Violation(
                    kind=what,
                    expected=f"{kind.dtype} {list(kind.shape)} for x{i}",
                    got=f"{found.dtype} {list(found.array.shape)}",
                    where=seen.program(
                        number, Ask("gradient", i), typed("gradient", kind.dtype, kind.shape, what)
                    ),
                    why="the source's own shape and dtype",
                )
            if point.dense_shapes.get(i, kind.shape) != kind.shape:
                raise Violation(
                    kind="slices",
                    expected=f"slices of {list(kind.shape)} for x{i}",
                    got=f"slices of {list(point.dense_shapes[i])}",
                    where=seen.program(
                        number,
                        Ask("slices", i),
                        Claim(
                            "slices",
                            "slices.dense_shape.numpy().tolist()",
                            f"got == {list(kind.shape)}",
                        ),
                    ),
                    why="the source's own shape is what dense_shape says",
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
        tally += raised(seen, seen.error, at=len(seen.points))
    for number, point in enumerate(seen.points):
        for i in seen.case.differentiated:
            if point.gradients[i] is None:
                raise Violation(
                    kind="none",
                    expected=f"a gradient for x{i}",
                    got="None",
                    where=seen.program(number, Ask("gradient", i), something("gradient")),
                    why=f"x{i} is watched, and differentiable ops connect it to a target",
                )
            tally.conclusive += 1
    return tally


def raised(
    seen: Seen,
    error: Exception,
    *,
    at: int,
    ask: Ask = Ask("everything"),  # noqa: B008 - frozen
) -> Tally:
    """A gradient that raises though the forward pass does not: a gap if TensorFlow says so.

    Args:
        seen: what was seen.
        error: what was raised.
        at: the number of the point.
        ask: what was asked.

    Raises:
        Violation: if it does not say so.
    """
    tally = Tally()
    if not is_gap(error):
        raise Violation(
            kind="exception",
            expected="a gradient, as the forward pass alone runs in this mode",
            got=error_text(error),
            where=seen.program(min(at, len(seen.case.points) - 1), ask, None),
            why="the graph was run alone in the same mode first",
        )
    tally.gap(gap_of(error))
    return tally


@GRAPHS.contract(
    "gradient-finite-difference",
    "The gradient of a watched source is the derivative that finite differences find.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded"),
        guide("autodiff", "Gradient tapes"),
    ],
    oracle=True,
)
def gradient_finite_difference(seen: Seen) -> Tally:
    """Along a direction through all sources, at two steps, in the highest precision there is."""
    tally = Tally()
    if not seen.case.is_finest:
        return tally
    for number, point in enumerate(seen.points):
        if gradients := comparable(seen, point.gradients):
            tally += derivatives(seen, number, gradients)
    return tally


def derivatives(seen: Seen, number: int, gradients: Gradients) -> Tally:
    """Whether the gradients at a point are the derivatives that finite differences find.

    Along a direction through all sources at once. A source of which that says too little, because
    its part is small beside the others or something else on the way is not smooth, is then moved
    alone: only what lies on its own way counts.

    Raises:
        Violation: if one of them is not.
    """
    tally = Tally()
    direction = seen.case.direction(0)
    try:
        judgement = _judge(seen, number, gradients, direction)
        seen.estimates[number] = judgement.estimate
        judgement = _confirmed(seen, number, gradients, direction, judgement)
        for i, part in _parts(gradients, direction).items():
            if part and not judgement.conclusive_about(part):
                alone = {i: gradients[i]}, {i: _aligned(direction[i], gradients[i])}
                found = _confirmed(seen, number, *alone, _judge(seen, number, *alone))
                tally += count(found, *alone)
            else:
                tally += count(judgement, {i: gradients[i]}, direction)
    except Violation:
        raise
    except Exception as error:
        if not seen.mode.traced:  # it ran eagerly before, so what raises now is our fault
            raise
        # what only this mode runs has no reference
        kind = type(raised_by_tensorflow(error)).__name__
        tally = Tally()
        tally.undecided(f"eagerly the forward pass raises {kind}")
    return tally


def _aligned(direction: Array, gradient: Array) -> Array:
    """The direction with the signs of the gradient, so that no two of its terms cancel."""
    if np.iscomplexobj(direction):
        real = _aligned(direction.real, gradient.real)
        return real + 1j * _aligned(direction.imag, gradient.imag)
    return np.where(gradient == 0, direction, np.copysign(direction, gradient))


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
    return 4 * (1 + case.graph.length) * case.coarsest * float(sum(terms))


def projection(seen: Seen, number: int) -> Projection:
    """The weighted graph as a function along directions from one point of the case."""
    case = seen.case
    return Projection(
        tensorflow(),
        graph=case.graph,
        arrays=case.arrays(number),
        targets=case.targets,
        weights=case.weights,
        epsilon=case.coarsest,
        here=seen.points[number].targets,
        inside=case.inside,
    )


STEPS = (1.0, 1 / 16, 8.0)
"""Where the first step is not sharp enough, others."""
COARSE_STEPS = (1.0, 4.0, 1 / 4, 8.0, 32.0)
"""The same in single precision, where roundings ask for steps as large as the function allows."""


def _judge(seen: Seen, number: int, gradients: Gradients, direction: Gradients) -> Judgement:
    """One direction; other steps where the first is not sharp enough."""
    case = seen.case
    along = projection(seen, number)
    parts = [abs(part) for part in _parts(gradients, direction).values() if part]
    sharpest = min(parts, default=0.0)
    best: Judgement | None = None
    for factor in COARSE_STEPS if case.graph.single else STEPS:
        estimate = along.derivative(direction, step=factor * step_for(case.coarsest))
        judgement = judge(
            claim(gradients, direction), estimate, slack=slack(case, gradients, direction)
        )
        if best is None or judgement.tolerance < best.tolerance:
            best = judgement
        if not np.isfinite(best.claimed) or best.tolerance < RESOLUTION * sharpest or not parts:
            break
    assert best is not None
    return best


DIRECTIONS = ((0, 1.0), (1, 0.5), (2, 0.25), (3, 2.0))
"""Directions, with the step at which each is tried, before a gradient is accused."""


def _confirmed(
    seen: Seen, number: int, gradients: Gradients, first: Gradients, judgement: Judgement
) -> Judgement:
    """Before a gradient is accused: other directions and steps, and how roundings grow.

    Args:
        seen: what was seen.
        number: of the point.
        gradients: of the sources that move.
        first: the direction along which they were judged.
        judgement: what was found along it; if it is no disagreement, it stands.

    Raises:
        Violation: if the first direction and another still disagree, and an element of the
            gradient by itself; it names that element.
    """
    if judgement.answer is not Answer.DISAGREE:
        return judgement
    case = seen.case
    reach = 16 * step_for(case.coarsest)
    if reason := singular(tensorflow(), case.graph, case.arrays(number), reach, moving=gradients):
        return _undecided(judgement, f"not smooth: {reason}")
    along = projection(seen, number)
    growth = along.growth()
    judgements: list[Judgement] = []
    for which, factor in DIRECTIONS:
        direction = first if not which else {i: case.direction(which)[i] for i in gradients}
        step = factor * step_for(case.coarsest)
        estimate = along.derivative(direction, step=step, growth=growth)
        found = judge(
            claim(gradients, direction), estimate, slack=slack(case, gradients, direction)
        )
        if judgements:
            both = {i: first[i] + direction[i] for i in gradients}
            whole = along.derivative(both, step=step, growth=growth)
            if not is_sum(whole, judgements[0].estimate, estimate):
                return _undecided(judgement, "not smooth: derivatives do not add up")
        judgements.append(found)
        if len([j for j in judgements if j.answer is Answer.DISAGREE]) > 1:
            if violation := accusation(seen, number, along, gradients, first, growth):
                raise violation
            break
    return _undecided(judgements[0], "a disagreement was not confirmed")


def _undecided(judgement: Judgement, reason: str) -> Judgement:
    return replace(judgement, answer=Answer.INCONCLUSIVE, reason=judgement.reason or reason)


def accusation(  # noqa: PLR0913, PLR0917 - what was judged, and what judges
    seen: Seen,
    number: int,
    along: Projection,
    gradients: Gradients,
    direction: Gradients,
    growth: float,
    *,
    apart: bool = False,
) -> Violation | None:
    """An element that is off by itself, found by halving; None if it agrees after all.

    Args:
        seen: what was seen.
        number: of the point.
        along: the case as a function there.
        gradients: of the sources that move.
        direction: along which they disagree.
        growth: of roundings, as that function found it.
        apart: whether only an element counts along which each target by itself is smooth.
    """
    step = step_for(seen.case.coarsest)

    def judged(tangent: Gradients) -> Judgement:
        # a NaN elsewhere is none of theirs, and would be by a product with 0
        moved = {i: np.where(tangent[i] == 0, 0, gradients[i]) for i in tangent}
        estimate = along.derivative(tangent, step=step, growth=growth, apart=apart)
        return judge(claim(moved, tangent), estimate, slack=slack(seen.case, moved, tangent))

    suspects = _coordinates(direction)
    while len(suspects) > 1:
        half = len(suspects) // 2
        front = judged(_restricted(direction, suspects[:half]))
        suspects = suspects[:half] if front.answer is Answer.DISAGREE else suspects[half:]
    if not suspects:
        return None
    source, flat, part = suspects[0]
    unit = {source: np.full_like(direction[source], 1 + 1j if part else 1)}
    judgement = judged(_restricted(unit, suspects))
    if judgement.answer is not Answer.DISAGREE or (apart and not is_smooth(judgement.estimate)):
        return None
    index = [int(k) for k in np.unravel_index(flat, gradients[source].shape)]
    claimed = element("gradient", index, gradients[source], part)
    return Violation(
        kind="value",
        expected=f"{judgement.expected!r} for {'imaginary part of ' * part}"
        f"{seen.case.name(source)}{index or ''}",
        got=f"{judgement.claimed!r}",
        where=seen.program(
            number,
            Ask("gradient", source),
            near(claimed, judgement.expected, judgement.tolerance),
        ),
        why=f"central differences at steps {step} and {step / 2}, tolerance "
        f"{judgement.tolerance:.1e}; confirmed along another direction and at another step",
    )


Coordinate = tuple[int, int, int]
"""A source, an element of it in row-major order, and 1 for the imaginary part, else 0."""


def _coordinates(direction: Gradients) -> list[Coordinate]:
    """The real numbers of which a direction consists."""
    return [
        (i, k, part)
        for i, tangent in direction.items()
        for k in range(tangent.size)
        for part in range(1 + np.iscomplexobj(tangent))
    ]


def _restricted(direction: Gradients, coordinates: Sequence[Coordinate]) -> Gradients:
    """A direction along some coordinates alone."""
    tangents = {i: np.zeros_like(direction[i]) for i, _, _ in coordinates}
    for i, k, part in coordinates:
        element = direction[i].flat[k]
        tangents[i].flat[k] += 1j * element.imag if part else element.real
    return tangents


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
