"""What a gradient in a lower precision must equal: that of the same graph in double precision.

How far it may be off is measured, not tabulated: the graph is differentiated in double precision
with every value, inputs included, disturbed by a few epsilons of the lower precision. That shows
how much rounding errors grow on their way, in the graph and back (Monte Carlo arithmetic: D. S.
Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic", UCLA
CSD-970002, 1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.oracles.projection import disturb
from strategies import dtypes
from strategies.graphs import Graph

Array = npt.NDArray[Any]

MARGIN = 4.0
"""The factor between the largest effect of a few disturbed runs and the largest that is believed."""


@dataclass(frozen=True)
class Reference:
    """A gradient in double precision, and how far one in lower precision may be from it.

    Attributes:
        array: the gradient; None where the tape gives None.
        bound: the largest difference that rounding explains, in every element.
    """

    array: Array | None
    bound: float


class DoublePrecision:
    """A graph in double precision, with the roundings of a lower one.

    Args:
        tf: the TensorFlow module; the graph is run eagerly.
        graph: in its own precision.
        arrays: the point: double precision numbers for each input.
        targets: which outputs are weighted, by position.
        weights: the cotangent, an array for each target.
        sources: the inputs that are differentiated.
        epsilon: of the coarsest precision of the graph.
    """

    def __init__(  # noqa: PLR0913 - the parts of one mathematical object
        self,
        tf: Any,
        *,
        graph: Graph,
        arrays: Sequence[Array],
        targets: Sequence[int],
        weights: Sequence[Array],
        sources: Sequence[int],
        epsilon: float,
    ) -> None:
        self._tf = tf
        self._graph = graph.astype(dtypes.widest)
        self._arrays = arrays
        self._targets = targets
        self._weights = [tf.constant(weight) for weight in weights]
        self._sources = sources
        self._epsilon = epsilon

    def references(self, samples: int) -> dict[int, Reference]:
        """The gradient of each source, with the bound that so many disturbed runs give.

        Two kinds of runs: with every value disturbed by two epsilons of the lower precision, which
        shows how roundings between ops grow; and by two of double precision, which shows how the
        roundings inside an op do (of a gradient that cancels, say): in the lower precision they
        are larger by the ratio of the epsilons.

        Args:
            samples: how many runs of each kind.
        """
        exact = self._gradients(None)
        double = dtypes.epsilon("float64")
        between = self._spread(exact, samples, 2.0 * self._epsilon)
        inside = self._spread(exact, samples, 2.0 * double)
        ratio = self._epsilon / double
        return {
            i: self._reference(exact[i], max(between[i], ratio * inside[i])) for i in self._sources
        }

    def _reference(self, exact: Array | None, spread: float) -> Reference:
        largest = 0.0 if exact is None or not exact.size else float(np.abs(exact).max())
        return Reference(exact, MARGIN * (spread + self._epsilon * largest))

    def _spread(self, exact: dict[int, Any], samples: int, amount: float) -> dict[int, float]:
        """How far disturbances of a relative size move the gradient of each source."""
        worst = dict.fromkeys(self._sources, 0.0)
        for seed in range(samples):
            random = np.random.default_rng(seed)
            disturbed = self._gradients(disturb(self._tf, random, amount))
            for i in self._sources:
                if exact[i] is not None and exact[i].size:
                    worst[i] = max(worst[i], float(np.abs(disturbed[i] - exact[i]).max()))
        return worst

    def _gradients(self, around: Any) -> dict[int, Any]:
        tf = self._tf
        inputs = [tf.constant(array) for array in self._arrays]
        watched = [inputs[i] for i in self._sources]
        function = self._graph.function(tf, around)
        with tf.GradientTape() as tape:
            tape.watch(watched)
            if around is not None:
                moved = {i: around(-1, inputs[i]) for i in self._sources}
                inputs = [moved.get(i, tensor) for i, tensor in enumerate(inputs)]
            outputs = function(*inputs)
        targets = [outputs[k] for k in self._targets]
        gradients = tape.gradient(targets, watched, output_gradients=self._weights)
        return {
            i: None if g is None else tf.convert_to_tensor(g).numpy()
            for i, g in zip(self._sources, gradients, strict=True)
        }
