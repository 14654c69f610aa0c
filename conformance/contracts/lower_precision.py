"""What gradients in lower precisions equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.boundary import raised_by_tensorflow, tensorflow
from conformance.contract import Tally, Violation, docstring
from conformance.contracts.values import comparable
from conformance.graph_cases import GRAPHS, Seen
from conformance.graph_programs import Ask
from conformance.oracles.agreement import RESOLUTION
from conformance.oracles.lower_precision import DoublePrecision, Reference
from conformance.oracles.singular import singular
from conformance.reproduction import element, near

Array = npt.NDArray[Any]


@GRAPHS.contract(
    "gradient-lower-precision",
    "In a lower precision the gradient is that of the same graph in double precision, but for "
    "rounding.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded")
    ],
    oracle=True,
)
def gradient_lower_precision(seen: Seen) -> Tally:
    """Against float64 and complex128; of ops that have no such kernel against float32."""
    tally = Tally()
    case = seen.case
    if case.is_finest:
        return tally
    for number, point in enumerate(seen.points):
        gradients = comparable(seen, point.gradients)
        if not gradients:
            continue
        double = DoublePrecision(
            tensorflow(),
            graph=case.graph,
            arrays=case.arrays(number),
            targets=case.targets,
            weights=case.weights,
            sources=tuple(gradients),
            epsilon=case.coarsest,
        )
        try:
            references = double.references(between=1, inside=0)
            if any(_off(gradients[i], references[i]) > 1 for i in gradients):
                wide = case.graph.widened
                if reason := singular(tensorflow(), wide, case.arrays(number), 64 * case.coarsest):
                    tally.undecided(f"not smooth: {reason}")
                    continue
                references = double.references(between=32, inside=32)
        except Exception as error:  # noqa: BLE001 - what only this mode runs has no reference
            kind = type(raised_by_tensorflow(error)).__name__
            tally.undecided(f"eagerly, in double precision, it raises {kind}")
            continue
        for i, gradient in gradients.items():
            _compare(seen, number, i, gradient, references[i], tally)
    return tally


def _off(gradient: Array, reference: Reference) -> float:
    """The largest difference of an element in units of the bound."""
    if reference.array is None or not gradient.size:
        return 0.0
    difference = float(np.abs(gradient - reference.array).max())
    return 0.0 if not difference else difference / reference.bound if reference.bound else np.inf


def _compare(  # noqa: PLR0913, PLR0917 - one element of three sequences
    seen: Seen, number: int, i: int, gradient: Array, reference: Reference, tally: Tally
) -> None:
    exact = reference.array
    if exact is None or not gradient.size:
        tally.trivial += 1
    elif not np.isfinite(reference.bound):
        tally.undecided("double precision is not finite")
    elif not np.isfinite(gradient).all():
        tally.undecided("the lower precision is not finite")
    elif _off(gradient, reference) > 1:
        at = np.unravel_index(np.abs(gradient - exact).argmax(), exact.shape)
        index = tuple(int(k) for k in at)
        claimed = element("gradient", index, gradient)
        raise Violation(
            kind="value",
            expected=f"{exact[index].item()!r} for x{i}{list(index)}",
            got=f"{gradient[index].item()!r}",
            where=seen.program(
                number, Ask("gradient", i), near(claimed, exact[index].item(), reference.bound)
            ),
            why=f"the same graph in double precision; rounding explains {reference.bound:.1e}, "
            "measured by 160 runs with every value disturbed",
        )
    elif not exact.any():
        tally.trivial += 1
    elif reference.bound < max(RESOLUTION, 32 * seen.case.coarsest) * np.abs(exact).max():
        tally.conclusive += 1
    else:
        tally.undecided("rounding explains too much")
