"""What a source gives that is not watched, or not connected to the target."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.boundary import Gradient
from conformance.contract import Tally, Violation, docstring, guide
from conformance.drawn_graphs import CONSTANT, FROZEN, VARIABLE, WATCHED
from conformance.graph_cases import GRAPHS, Seen


@GRAPHS.contract(
    "unwatched-none",
    "An unwatched Tensor or non-trainable Variable as a source gives None, whatever the graph, "
    "unless it is itself the target.",
    cites=[
        docstring("tf.GradientTape", "Tensors can be manually watched"),
        guide("autodiff", "Controlling what the tape watches"),
    ],
)
def unwatched_none(seen: Seen) -> Tally:
    """Gradients of unwatched sources are None."""
    sources = [i for i in seen.case.inputs(CONSTANT, FROZEN) if i not in seen.same]
    return _nones(seen, sources, "nobody watches it")


@GRAPHS.contract(
    "unconnected-none",
    "A watched source that no differentiable op connects to the target gives None.",
    cites=[
        docstring("tf.UnconnectedGradients", "will be returned if there is no path"),
        guide("autodiff", "Cases where gradient returns None"),
    ],
)
def unconnected_none(seen: Seen) -> Tally:
    """Gradients of watched but unconnected sources are None."""
    sources = [i for i in seen.case.inputs(WATCHED, VARIABLE) if i not in seen.case.connected]
    return _nones(seen, sources, "no differentiable op connects it to a target")


def _nones(seen: Seen, sources: Iterable[int], why: str) -> Tally:
    tally = Tally()
    for i in sources:
        if seen.error is not None:
            tally.undecided("the gradient raised")
            continue
        for number, point in enumerate(seen.points):
            found = point.gradients[i]
            if found is not None:
                raise Violation(
                    kind="none",
                    expected=f"None for x{i}",
                    got=f"a {found.dtype} tensor of shape {list(found.array.shape)}",
                    where=seen.case.source(number),
                    why=why,
                )
            tally.conclusive += 1
    return tally


@GRAPHS.contract(
    "unconnected-zero",
    "With UnconnectedGradients.ZERO an unwatched source gives zeros of its own shape and dtype, "
    "unless it is itself the target.",
    cites=[docstring("tf.UnconnectedGradients", "will be returned in the shape of x")],
)
def unconnected_zero(seen: Seen) -> Tally:
    """Gradients of unwatched sources are zeros like the source."""
    tally = Tally()
    if seen.error is not None:
        tally.undecided("the gradient raised")
    for number, point in enumerate(seen.points):
        for i, found in point.zeros.items():
            kind = seen.case.graph.inputs[i].type
            if i in seen.same:
                tally.trivial += 1
            elif not _is_zeros(found, kind.dtype, kind.shape):
                raise Violation(
                    kind="zeros",
                    expected=f"{kind.dtype} zeros of shape {list(kind.shape)} for x{i}",
                    got="None" if found is None else f"{found.dtype} {found.array.tolist()}",
                    where=seen.case.source(number),
                    why="the unwatched sources were asked with UnconnectedGradients.ZERO",
                )
            else:
                tally.conclusive += 1
    return tally


def _is_zeros(found: Gradient | None, dtype: str, shape: tuple[int, ...]) -> bool:
    return (
        found is not None
        and found.dtype == dtype
        and found.array.shape == shape
        and not found.array.any()
    )
