"""The gradient as a function of the cotangent: linear, and so zero for zero.

It is asked with other cotangents at the point and in the mode of the case; the values are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.boundary import raised_by_tensorflow, tensorflow
from conformance.contract import UNDOCUMENTED, Tally, Violation, docstring
from conformance.contracts.values import comparable, raised
from conformance.drawn_graphs import COMBINED, PART, ZERO
from conformance.graph_cases import GRAPHS, Seen
from conformance.oracles.agreement import RESOLUTION
from conformance.oracles.lower_precision import DoublePrecision

Array = npt.NDArray[Any]

FEW, MANY = 2, 32
"""How many disturbed runs of each kind show how roundings grow: before a gradient is accused as
many as for lower precisions."""


@GRAPHS.contract(
    "zero-cotangent",
    "The gradient of a target that is weighted with zeros is zero everywhere.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded")
    ],
)
def zero_cotangent(seen: Seen) -> Tally:
    """Exactly: a product with zero is exact. What is not finite without the weights is no case."""
    tally = Tally()
    answer = seen.pulled.get(ZERO)
    if isinstance(answer, Exception):
        return raised(seen, answer, at=0)
    if answer is None:
        return tally
    usual = comparable(seen, seen.points[0].gradients)
    for i, gradient in comparable(seen, answer).items():
        if not gradient.size:
            tally.trivial += 1
        elif i not in usual or not np.isfinite(usual[i]).all():
            tally.undecided("the gradient is not finite")
        elif not gradient.any():
            tally.conclusive += 1
        elif reason := _not_finite(seen):
            tally.undecided(reason)
        else:
            index = np.unravel_index((gradient != 0).argmax(), gradient.shape)
            raise Violation(
                kind="zeros",
                expected=f"zeros for x{i}",
                got=f"{gradient[index].item()!r} at {[int(k) for k in index]}",
                where=seen.case.pulled(seen.case.cotangents[ZERO]),
                why="each output gradient is zero; with others the gradient is finite, and all "
                "that was computed on the way to the targets is finite",
            )
    return tally


def _not_finite(seen: Seen) -> str:
    """The first op with a result that is not finite, in words; empty if there is none."""
    tf, graph, found = tensorflow(), seen.case.graph, list[str]()

    def note(node: int, result: Any) -> Any:
        several = result if isinstance(result, list | tuple) else [result]
        numbers = [t.numpy() for t in several if t.dtype.is_floating or t.dtype.is_complex]
        if not all(np.isfinite(array.astype("complex128")).all() for array in numbers):
            found.append(f"the result of {graph.nodes[node].op} is not finite")
        return result

    kinds = [made.type.dtype for made in graph.inputs]
    arrays = seen.case.arrays(0)
    try:
        graph.function(tf, note)(
            *(tf.cast(tf.constant(a), kind) for a, kind in zip(arrays, kinds, strict=True))
        )
    except Exception as error:  # noqa: BLE001 - what only this mode runs cannot be looked at
        return f"eagerly the forward pass raises {type(raised_by_tensorflow(error)).__name__}"
    return found[0] if found else ""


@GRAPHS.contract(
    "linear-cotangent",
    "The gradient is linear in output_gradients: that of a combination is the combination of the "
    "gradients.",
    cites=[UNDOCUMENTED],
)
def linear_cotangent(seen: Seen) -> Tally:
    """The factors are powers of two, so that only the roundings of sums differ."""
    tally, gradients = Tally(), [comparable(seen, seen.points[0].gradients)] if seen.points else []
    for name in (PART, COMBINED):
        answer = seen.pulled.get(name)
        if isinstance(answer, Exception):
            return raised(seen, answer, at=0)
        if answer is None:
            return tally
        gradients.append(comparable(seen, answer))
    bounds = _Bounds(seen)
    for i in gradients[0] if all(gradients) else ():
        usual, part, combined = (one[i] for one in gradients)
        terms = [_largest(one[i]) for one in gradients]
        if not np.isfinite(terms).all():
            tally.undecided("the gradient is not finite")
            continue
        expected = -usual - part
        bound = bounds.covering(i, _largest(combined - expected), sum(terms))
        if bound is None:
            raise _accusation(seen, i, expected, combined, bounds.of(i, MANY))
        if not any(terms):
            tally.trivial += 1
        elif bound < max(RESOLUTION, 32 * seen.case.coarsest) * terms[-1]:
            tally.conclusive += 1
        else:
            tally.undecided("rounding explains too much")
    return tally


def _accusation(seen: Seen, i: int, expected: Array, got: Array, bound: float) -> Violation:
    index = np.unravel_index(np.abs(got - expected).argmax(), got.shape)
    asked = seen.case.cotangents
    return Violation(
        kind="value",
        expected=f"{expected[index].item()!r} for x{i}{[int(k) for k in index]}",
        got=f"{got[index].item()!r}",
        where=seen.case.pulled(seen.case.weights, asked[PART], asked[COMBINED]),
        why="minus the sum of the gradients for two cotangents, where that for minus their sum is "
        f"asked for; rounding explains {bound:.1e}, measured by {6 * MANY} disturbed runs",
    )


def _largest(array: Array) -> float:
    return float(np.abs(array).max(initial=0.0))


class _Bounds:
    """How far the three gradients together may be off by rounding.

    What cancels on the way back (of a softmax all of it may) leaves roundings that are larger than
    what is left; so where those of all ops do not explain what is off, they are measured, as for
    lower precisions.
    """

    def __init__(self, seen: Seen) -> None:
        self._case = seen.case
        self._measured: dict[int, dict[int, float]] = {}

    def covering(self, i: int, off: float, terms: float) -> float | None:
        """A bound for a source that explains what is off, the cheapest there is; or None."""
        case = self._case
        bound = 4 * (1 + case.graph.length) * case.coarsest * terms
        if off <= bound:
            return bound
        return next((b for runs in (FEW, MANY) if off <= (b := self.of(i, runs))), None)

    def of(self, i: int, runs: int) -> float:
        """The bound that so many disturbed runs give; infinite where they cannot be run."""
        if runs not in self._measured:
            self._measured[runs] = self._measure(runs)
        return self._measured[runs][i]

    def _measure(self, runs: int) -> dict[int, float]:
        case = self._case
        found = dict.fromkeys(case.differentiated, 0.0)
        for weights in (case.weights, case.cotangents[PART], case.cotangents[COMBINED]):
            double = DoublePrecision(
                tensorflow(),
                graph=case.graph,
                arrays=case.arrays(0),
                targets=case.targets,
                weights=weights,
                sources=case.differentiated,
                epsilon=case.coarsest,
            )
            try:
                references = double.references(between=runs, inside=runs)
            except Exception as error:  # noqa: BLE001 - what only this mode runs has no reference
                raised_by_tensorflow(error)
                return dict.fromkeys(found, np.inf)
            for i, reference in references.items():
                found[i] += reference.bound if np.isfinite(reference.bound) else np.inf
        return found
