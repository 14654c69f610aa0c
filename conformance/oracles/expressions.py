"""Finite differences of Python expressions: of what a scene says that its gradient is of.

An expression is evaluated eagerly, without a tape, once for each displacement of one of its names.
Its tensors are weighted and summed, and of complex numbers the real part counts, as
:mod:`conformance.oracles.projection` does for graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.oracles.finite_difference import Estimate, Sample, directional_derivative

Array = npt.NDArray[Any]


class Expression:
    """The weighted sum of an expression's tensors, as a function along directions of one name.

    Args:
        tf: the TensorFlow module.
        text: Python; its value is a tensor, or a nest of them.
        names: what it is evaluated with; tensors in double precision.
        by: the name that is displaced: a tensor or a Variable.
        weights: the cotangent, an array for each tensor; ones, if there is none.
        epsilon: of the precision in which it computes.
        roundings: how many roundings one term passes through, at least 1.
    """

    def __init__(  # noqa: PLR0913 - the parts of one mathematical object
        self,
        tf: Any,
        text: str,
        names: Mapping[str, Any],
        *,
        by: str,
        weights: Sequence[Array],
        epsilon: float,
        roundings: int,
    ) -> None:
        self._tf, self._names, self._by = tf, dict(names), by
        self._code = compile(text, "<expression>", "eval")
        self._at: Array = np.asarray(names[by].numpy())
        self._weights, self._epsilon, self._roundings = weights, epsilon, roundings

    def _sample(self, names: Mapping[str, Any], at: Array) -> Sample:
        scope = {**names, self._by: self._tf.constant(at)}
        value, magnitude = 0.0, 0.0
        found = self._tf.nest.flatten(eval(self._code, scope))  # noqa: S307 - our own text
        for number, tensor in enumerate(found):
            array = tensor.numpy()
            terms = np.conj(self._weights[number]) * array if self._weights else array
            value += float(terms.sum().real)
            magnitude += float(np.abs(terms).sum())
        return Sample(value, magnitude)

    def derivative(self, direction: Array, *, step: float, growth: float = 0.0) -> Estimate:
        """The derivative along a direction, by finite differences.

        Args:
            direction: a tangent of what is displaced.
            step: the larger of the two steps.
            growth: what :meth:`growth` found, if it was asked.
        """

        def phi(t: float) -> Sample:
            found = self._sample(self._names, self._at + t * direction)
            return Sample(found.value, max(found.magnitude, growth))

        return directional_derivative(
            phi, epsilon=self._epsilon, step=step, roundings=self._roundings
        )

    def growth(self, disturbed: Callable[[int], Mapping[str, Any]], noise: float) -> float:
        """How much rounding errors inside can move the sum, in units of epsilon.

        Args:
            disturbed: from a seed to names whose functions disturb what each of their ops returns.
            noise: by what relative amount they do.
        """
        here = self._sample(self._names, self._at).value
        moved = (self._sample({**self._names, **disturbed(i)}, self._at).value for i in range(3))
        return max(abs(value - here) for value in moved) / noise
