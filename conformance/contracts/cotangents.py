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
from conformance.graph_programs import LINEAR, Ask
from conformance.oracles.agreement import RESOLUTION
from conformance.reproduction import Claim, element, upper
from conformance.roundings import Roundings, largest

Array = npt.NDArray[Any]


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
        return raised(seen, answer, at=0, ask=Ask("everything", cotangent=ZERO))
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
                kind="value",
                expected=f"zeros for x{i}",
                got=f"{gradient[index].item()!r} at {[int(k) for k in index]}",
                where=seen.program(
                    0,
                    Ask("gradient", i, cotangent=ZERO),
                    Claim("value", "gradient", "not got.numpy().any()"),
                ),
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
            return raised(seen, answer, at=0, ask=Ask("everything", cotangent=name))
        if answer is None:
            return tally
        gradients.append(comparable(seen, answer))
    bounds = Roundings(seen.case, *_asked(seen))
    for i in gradients[0] if all(gradients) else ():
        usual, part, combined = (one[i] for one in gradients)
        terms = [largest(one[i]) for one in gradients]
        if not np.isfinite(terms).all():
            tally.undecided("the gradient is not finite")
            continue
        expected = -usual - part
        bound = bounds.covering(i, largest(combined - expected), sum(terms))
        if bound is None:
            raise _accusation(seen, i, expected, combined, bounds, sum(terms))
        if not any(terms):
            tally.trivial += 1
        elif bound < max(RESOLUTION, 32 * seen.case.coarsest) * terms[-1]:
            tally.conclusive += 1
        else:
            tally.undecided("rounding explains too much")
    return tally


def _asked(seen: Seen) -> list[list[Array]]:
    return [seen.case.weights, seen.case.cotangents[PART], seen.case.cotangents[COMBINED]]


def _accusation(  # noqa: PLR0913, PLR0917 - what differs, and what does not explain it
    seen: Seen, i: int, expected: Array, got: Array, bounds: Roundings, terms: float
) -> Violation:
    difference = np.where(np.isfinite(got), np.abs(got - expected), np.inf)
    index = [int(k) for k in np.unravel_index(difference.argmax(), got.shape)]
    usual, part, combined = (element(name, index, got) for name in LINEAR)
    claim = Claim(
        "value",
        f"abs({combined} + {usual} + {part})",
        f"got <= {upper(bounds.widest(i, terms))}",
    )
    return Violation(
        kind="value",
        expected=f"{expected[tuple(index)].item()!r} for x{i}{index}",
        got=f"{got[tuple(index)].item()!r}",
        where=seen.program(0, Ask("linear", i), claim),
        why="minus the sum of the gradients for two cotangents, where that for minus their sum is "
        f"asked for; {bounds.why(i)}",
    )
