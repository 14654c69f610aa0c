"""The Jacobians of every op, vectorized or not, against the gradients of the target's elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.boundary import Gradient, error_text
from conformance.contract import Tally, Violation, docstring
from conformance.contracts.programs import refusal
from conformance.jacobian_cases import (
    BATCHED,
    BATCHED_LOOPED,
    JACOBIANS,
    LOOPED,
    VECTORIZED,
    SeenJacobian,
    asking,
    page,
)
from conformance.modes import MODES
from conformance.oracles.agreement import RESOLUTION
from conformance.reproduction import Claim, nothing, raising, something, typed, upper
from conformance.reproduction import element as element_of
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


def _compared(seen: SeenJacobian, way: str, rows: Array | None) -> Tally:
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
            got = error_text(found)
            expected = "a Jacobian, as there are gradients"
            raise _violation("exception", _raising(seen, way), expected, got)
        tally.gap(told)
        return tally
    if found is None or rows is None:
        if found is not None or rows is not None:
            names = ["None" if one is None else "a Jacobian" for one in (rows, found)]
            claim = nothing("jacobian") if rows is None else something("jacobian")
            raise _violation("none", _showing(seen, way, claim), *names)
        tally.trivial += 1
        return tally
    return _values(seen, way, rows, found)


def _values(seen: SeenJacobian, way: str, expected: Array, found: Gradient) -> Tally:
    tally, case = Tally(), seen.case
    kind, got = case.graph.inputs[case.by].type.dtype, found.array
    if (found.dtype, got.shape) != (kind, expected.shape):
        what = "dtype" if found.dtype != kind else "shape"
        told = [f"{(kind, expected.shape)}", f"{(found.dtype, got.shape)}"]
        claim = typed("jacobian", kind, expected.shape, what)
        raise _violation(what, _showing(seen, way, claim), *told)
    if not np.isfinite(expected).all():
        tally.undecided("a gradient is not finite")
        return tally
    elements = zip(np.ndindex(case.target_types[0].shape), case.units, strict=True)
    bounds = [_bound(seen, way, e, unit, expected[e], got[e]) for e, unit in elements]
    if not largest(expected):
        tally.trivial += 1
    elif max(bounds) < max(RESOLUTION, 32 * case.coarsest) * largest(expected):
        tally.conclusive += 1
    else:
        tally.undecided("rounding explains too much")
    return tally


def _bound(  # noqa: PLR0913, PLR0917 - of one element what is known of all
    seen: SeenJacobian,
    way: str,
    element: tuple[int, ...],
    unit: Array,
    expected: Array,
    got: Array,
) -> float:
    """How far the row of an element of the target may be from its gradient, as both round.

    Raises:
        Violation: if it is farther.
    """
    case = seen.case
    roundings, terms = Roundings(case, [unit], [unit]), 2 * largest(expected)
    difference = np.where(np.isfinite(got), np.abs(got - expected), np.inf)
    bound = roundings.covering(case.by, largest(difference), terms)
    if bound is not None:
        return bound
    index = [int(k) for k in np.unravel_index(difference.argmax(), got.shape)]
    within = [element[0], *index] if way in {BATCHED, BATCHED_LOOPED} else index
    one, other = element_of("jacobian", [*element, *index], got), element_of("row", within, got)
    widest = roundings.widest(case.by, terms)
    claim = Claim("value", f"abs({one} - {other})", f"got <= {upper(widest)}")
    raise _violation(
        "value",
        _showing(seen, way, claim, unit),
        f"{expected[tuple(index)].item()!r} at {[*element, *index]}",
        f"{got[tuple(index)].item()!r} in {_called(way)}",
        roundings.why(case.by),
    )


def _called(way: str) -> str:
    method = way.partition("(")[0]
    return f"a {'vectorized ' * (way in {VECTORIZED, BATCHED})}{method}"


def _showing(seen: SeenJacobian, way: str, claim: Claim, unit: Array | None = None) -> str:
    """A program that asks in one way, and with a cotangent for a gradient, called ``row``."""
    case, names = seen.case, ["jacobian"]
    asked = [f"jacobian = {asking(case, way)}"]
    if unit is not None:
        target, source = case.graph.name(case.graph.outputs[0]), case.name(case.by)
        gradient = f"tape.gradient({target}, {source}, output_gradients=unit)"
        asked.append(f"row = tf.convert_to_tensor({gradient})")
        names.append("row")
    return page(case, asked, names, unit).text(MODES[seen.mode], claim.lines())


def _raising(seen: SeenJacobian, way: str) -> str:
    """A program that asks in one way, and should not raise."""
    asked = [f"jacobian = {asking(seen.case, way)}"]
    shows = ["print(jacobian)"]
    return page(seen.case, asked, ["jacobian"]).text(MODES[seen.mode], shows, guard=raising)


def _violation(kind: str, where: str, expected: str, got: str, why: str = "") -> Violation:
    gradients = "the gradient of each element of the target, by itself, in the same mode"
    return Violation(
        kind=kind,
        expected=expected,
        got=got,
        where=where,
        why=f"{gradients}; {why}" if why else gradients,
    )
