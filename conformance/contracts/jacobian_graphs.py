"""The Jacobians of every op, vectorized or not, against the gradients of the target's elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.boundary import Gradient
from conformance.contract import Tally, Violation, docstring
from conformance.contracts.programs import refusal
from conformance.jacobian_cases import (
    BATCHED,
    BATCHED_LOOPED,
    JACOBIANS,
    LOOPED,
    VECTORIZED,
    SeenJacobian,
)
from conformance.oracles.agreement import RESOLUTION
from conformance.roundings import Roundings, largest

Array = npt.NDArray[Any]
JACOBIAN, BATCH = "tf.GradientTape.jacobian", "tf.GradientTape.batch_jacobian"


@JACOBIANS.contract(
    "jacobian-vectorized",
    "The rows of a vectorized Jacobian are the gradients of the elements of the target.",
    cites=[
        docstring(JACOBIAN, "Computes the jacobian using operations recorded"),
        docstring(JACOBIAN, "If vectorization of jacobian"),
    ],
)
def jacobian_vectorized(seen: SeenJacobian) -> Tally:
    """Where it cannot be vectorized, ValueError says so: a gap."""
    return _compared(seen, VECTORIZED, seen.stacked)


@JACOBIANS.contract(
    "jacobian-looped",
    "The rows of a Jacobian that is computed in a loop are the gradients of the elements of the "
    "target.",
    cites=[
        docstring(JACOBIAN, "Computes the jacobian using operations recorded"),
        docstring(JACOBIAN, "falls back to a sequential while_loop"),
    ],
)
def jacobian_looped(seen: SeenJacobian) -> Tally:
    """The same as vectorized."""
    return _compared(seen, LOOPED, seen.stacked)


@JACOBIANS.contract(
    "batch-jacobian-blocks",
    "Where the rows of a target depend on those of the source one by one, a batch_jacobian holds "
    "the blocks on the diagonal of the Jacobian.",
    cites=[
        docstring(BATCH, "is independent of `source[j,...]`"),
        docstring(BATCH, "i.e. stacked per-example jacobians"),
    ],
)
def batch_jacobian_blocks(seen: SeenJacobian) -> Tally:
    """Which they do where the gradients say so; vectorized and in a loop by turns."""
    blocks = _blocks(seen.stacked, len(seen.case.target_types[0].shape))
    if blocks is None and (seen.stacked is not None or seen.misshapen):
        return Tally()
    tally = Tally()
    for way in (BATCHED, BATCHED_LOOPED):
        tally += _compared(seen, way, blocks)
    return tally


def _blocks(whole: Array | None, rank: int) -> Array | None:
    """The blocks on the diagonal of a Jacobian of a batch; None if there is anything beside them.

    Args:
        whole: an array of shape [b, y1, ..., b, x1, ...].
        rank: of the target.
    """
    if whole is None or not 1 < rank < whole.ndim - 1 or whole.shape[0] != whole.shape[rank]:
        return None
    by_rows = np.moveaxis(whole, rank, 1)
    beside = ~np.eye(whole.shape[0], dtype=bool)
    if by_rows[beside].any():
        return None
    at = np.arange(whole.shape[0])
    return by_rows[at, at]


def _compared(seen: SeenJacobian, way: str, expected: Array | None) -> Tally:
    """What was answered in one way against what is expected; nothing if it was not asked so."""
    tally = Tally()
    if seen.error is not None:
        tally.undecided("the gradient raises")  # gradient-exists judges that
    if seen.misshapen:
        tally.undecided("the gradient has another shape or dtype")  # and another contract that
    if seen.error is not None or seen.misshapen or way not in seen.answers:
        return tally
    found = seen.answers[way]
    if isinstance(found, Exception):
        if not (told := refusal(found)):
            got = f"{type(found).__name__}: {found}"
            raise _violation(seen, way, "exception", "a Jacobian, as there are gradients", got)
        tally.gap(told)
        return tally
    if found is None or expected is None:
        if found is not None or expected is not None:
            names = ["None" if one is None else "a Jacobian" for one in (expected, found)]
            raise _violation(seen, way, "none", *names)
        tally.trivial += 1
        return tally
    return _values(seen, way, expected, found)


def _values(seen: SeenJacobian, way: str, expected: Array, found: Gradient) -> Tally:
    tally, case = Tally(), seen.case
    kind, got = case.graph.inputs[case.by].type.dtype, found.array
    if (found.dtype, got.shape) != (kind, expected.shape):
        what = "dtype" if found.dtype != kind else "shape"
        told = [f"{(kind, expected.shape)}", f"{(found.dtype, got.shape)}"]
        raise _violation(seen, way, what, *told)
    if not np.isfinite(expected).all():
        tally.undecided("a gradient is not finite")
        return tally
    shape = case.target_types[0].shape
    bounds = [
        _bound(seen, way, number, element, expected[element], got[element])
        for number, element in enumerate(np.ndindex(shape))
    ]
    if not largest(expected):
        tally.trivial += 1
    elif max(bounds) < max(RESOLUTION, 32 * case.coarsest) * largest(expected):
        tally.conclusive += 1
    else:
        tally.undecided("rounding explains too much")
    return tally


def _bound(  # noqa: PLR0913, PLR0917 - one row of three sequences
    seen: SeenJacobian,
    way: str,
    number: int,
    element: tuple[int, ...],
    expected: Array,
    got: Array,
) -> float:
    """How far the row of an element of the target may be from its gradient, as both round.

    Raises:
        Violation: if it is farther.
    """
    case = seen.case
    unit = [case.units[number]]
    roundings = Roundings(case, unit, unit)
    difference = np.where(np.isfinite(got), np.abs(got - expected), np.inf)
    bound = roundings.covering(case.by, largest(difference), 2 * largest(expected))
    if bound is not None:
        return bound
    index = np.unravel_index(difference.argmax(), got.shape)
    raise _violation(
        seen,
        way,
        "value",
        f"{expected[index].item()!r} at {[*element, *map(int, index)]}",
        f"{got[index].item()!r} in {_called(way)}",
        roundings.why(case.by),
    )


def _called(way: str) -> str:
    method = way.partition("(")[0]
    return f"a {'vectorized ' * (way in {VECTORIZED, BATCHED})}{method}"


def _violation(  # noqa: PLR0913, PLR0917 - what Violation takes
    seen: SeenJacobian, way: str, kind: str, expected: str, got: str, why: str = ""
) -> Violation:
    gradients = "the gradient of each element of the target, by itself, in the same mode"
    return Violation(
        kind=kind,
        expected=expected,
        got=got,
        where=seen.case.asked(way),
        why=f"{gradients}; {why}" if why else gradients,
    )
