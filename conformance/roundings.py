"""How far gradients of one graph at one point may be from each other by rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from conformance.boundary import raised_by_tensorflow, tensorflow
from conformance.drawn_graphs import GraphCase
from conformance.oracles.lower_precision import DoublePrecision

Array = npt.NDArray[Any]

FEW: Final = 2
MANY: Final = 32
"""How many disturbed runs of each kind show how roundings grow: before a gradient is accused as
many as for lower precisions."""


class Roundings:
    """How far a sum of gradients, for several cotangents, may be off by rounding.

    What cancels on the way back (of a softmax all of it may) leaves roundings that are larger than
    what is left; so where those of all ops do not explain what is off, they are measured, as for
    lower precisions.

    Args:
        case: whose gradients they are, at its first point.
        *cotangents: of the gradients that are added.
    """

    def __init__(self, case: GraphCase, *cotangents: Sequence[Array]) -> None:
        self._case = case
        self._cotangents = cotangents
        self._measured: dict[int, dict[int, float]] = {}

    def covering(self, source: int, off: float, terms: float) -> float | None:
        """A bound for the gradient of a source, the cheapest that explains what is off; or None.

        Args:
            source: which input.
            off: how much is to be explained.
            terms: the sum of the largest moduli of what is added.
        """
        bound = self._usual(terms)
        if off <= bound:
            return bound
        return next((b for runs in (FEW, MANY) if off <= (b := self._of(source, runs))), None)

    def widest(self, source: int, terms: float) -> float:
        """The widest bound, once nothing less explained what is off; arguments as above."""
        return max(self._usual(terms), self._of(source, MANY))

    def why(self, source: int) -> str:
        """How the bound of a source was found, in words, once nothing less explained it."""
        runs = 3 * len(self._cotangents) * MANY
        told = f"{self._of(source, MANY):.1e}"
        return f"rounding explains {told}, measured by {runs} runs with every value disturbed"

    def _usual(self, terms: float) -> float:
        """What the roundings of all ops explain."""
        return 4 * (1 + self._case.graph.length) * self._case.coarsest * terms

    def _of(self, source: int, runs: int) -> float:
        """The bound that so many disturbed runs give; infinite where they cannot be run."""
        if runs not in self._measured:
            self._measured[runs] = self._measure(runs)
        return self._measured[runs][source]

    def _measure(self, runs: int) -> dict[int, float]:
        case = self._case
        found = dict.fromkeys(case.differentiated, 0.0)
        for weights in self._cotangents:
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


def largest(array: Array) -> float:
    """The largest modulus of an element; 0 if there is none."""
    return float(np.abs(array).max(initial=0.0))
