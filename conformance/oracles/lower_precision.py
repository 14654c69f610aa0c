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
"""The factor between the largest effect of a few disturbed runs and what is believed."""
NUDGE = 2.0**-38
"""A disturbance that lets double precision round otherwise everywhere, and does nothing else."""
COARSE_NUDGE = 2.0**-17
"""The same for single precision."""
FAR = 2.0**-5
"""A disturbance that lets the next precision round otherwise even where an op is nearly flat; both
that and double precision are run with it, so that its own effect cancels."""
_HALF = 2.0**-12


def kernel_error(epsilon: float) -> float:
    """Units in the last place by which a kernel may be off where that of double is off by one.

    Kernels of half precision compute in float32 and round once, so they are off by one too, and the
    margin of a few samples is left. float32 against float64 over [-4, 4] was measured on 2.12 and
    2.21 for all elementwise functions of tf.math: the worst were erfc with 6.5 units, erf with 6.3,
    sigmoid with 5.5.
    """
    return MARGIN if epsilon > _HALF else 8.0


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
        self._graph = graph.widened
        self._arrays = arrays
        self._targets = targets
        kinds = [self._graph.types[self._graph.outputs[k]] for k in targets]
        self._weights = [tf.constant(w, k.dtype) for w, k in zip(weights, kinds, strict=True)]
        self._sources = sources
        self._epsilon = epsilon
        every = {kind.dtype for kind in graph.types if dtypes.is_differentiable(kind.dtype)}
        self._tiny = max(map(dtypes.tiny, every))
        self._neighbour = None
        if epsilon > _HALF:
            self._neighbour = graph.astype(dtypes.at_least_single)
        elif "complex64" not in every:  # of complex numbers there is no half precision
            self._neighbour = graph.astype(lambda d: "float16" if d == "float32" else d)

    def references(self, between: int, inside: int) -> dict[int, Reference]:
        """The gradient of each source, with the bound that so many disturbed runs give.

        Three kinds of runs: with every value disturbed by two epsilons of the lower precision,
        which shows how roundings between ops grow; nudged up and down by next to nothing, where
        what does not cancel is how the roundings inside the ops grow (of a gradient that cancels,
        or that takes the op's own result): in the lower precision they are larger by the ratio of
        the epsilons; and in the precision next to the lower one, as double precision may have a
        gradient function of its own (tanh from 2.22 on), by how far that is off.

        Args:
            between: how many runs of the first kind.
            inside: how many of the others; with none the bound is sharper than it should be.
        """
        exact = self._gradients(None)
        growth, own = dict.fromkeys(self._sources, 0.0), dict.fromkeys(self._sources, 0.0)
        judged = [i for i in self._sources if exact[i] is not None and exact[i].size]
        for seed in range(between):
            moved = self._disturbed(seed, 2.0 * self._epsilon)
            for i in judged:
                growth[i] = max(growth[i], _largest(moved[i] - exact[i]))
        nudge = COARSE_NUDGE if self._graph.single else NUDGE
        for seed in range(inside):
            amount = nudge * (1 + seed / inside)  # of one element a sign alone makes two runs
            up, down = self._disturbed(seed, amount), self._disturbed(seed, -amount)
            for i in judged:
                own[i] = max(own[i], _largest(up[i] - 2 * exact[i] + down[i]) / 2)
        own_epsilon = dtypes.epsilon(self._graph.finest)
        ratio = kernel_error(self._epsilon) * self._epsilon / own_epsilon
        nearby = self._nearby(inside)
        return {
            i: Reference(
                exact[i],
                max(
                    MARGIN * (growth[i] + self._epsilon * _largest(exact[i])),
                    ratio * own[i],
                    kernel_error(self._epsilon) * nearby.get(i, 0.0),
                )
                # below it numbers have no relative precision: exp(-16) in float16 has one bit
                + self._tiny,
            )
            for i in self._sources
        }

    def _nearby(self, runs: int) -> dict[int, float]:
        """How far the gradients in the next precision are off, scaled to the one that is judged.

        Nothing if there is none, or if it has no kernel or overflows.
        """
        if self._neighbour is None:
            return {}
        kinds = [kind.dtype for kind in self._neighbour.types]
        epsilon = max(dtypes.epsilon(kind) for kind in kinds if dtypes.is_differentiable(kind))
        found = dict.fromkeys(self._sources, 0.0)
        for seed in range(runs):
            amount = FAR * (1 + seed / runs)
            exact = self._disturbed(seed, amount)
            try:
                near = self._disturbed(seed, amount, self._neighbour)
            except (self._tf.errors.OpError, TypeError, ValueError):
                return {}
            for i, moved in near.items():
                if moved is not None and exact[i] is not None and np.isfinite(moved).all():
                    found[i] = max(found[i], _largest(moved - exact[i]))
        return {i: error * self._epsilon / epsilon for i, error in found.items()}

    def _disturbed(self, seed: int, amount: float, graph: Graph | None = None) -> dict[int, Any]:
        random = np.random.default_rng(seed)
        disturbed = disturb(self._tf, random, amount)
        return self._gradients(lambda _, result: disturbed(result), graph)

    def _gradients(self, around: Any, graph: Graph | None = None) -> dict[int, Any]:
        tf, graph = self._tf, graph or self._graph
        kinds = [made.type.dtype for made in graph.inputs]
        inputs = [tf.cast(a, kind) for kind, a in zip(kinds, self._arrays, strict=True)]
        watched = [inputs[i] for i in self._sources]
        function = graph.function(tf, around)
        with tf.GradientTape() as tape:
            tape.watch(watched)
            if around is not None:
                moved = {i: around(-1, inputs[i]) for i in self._sources}
                inputs = [moved.get(i, tensor) for i, tensor in enumerate(inputs)]
            outputs = function(*inputs)
        targets = [outputs[k] for k in self._targets]
        weights = [tf.cast(w, t.dtype) for w, t in zip(self._weights, targets, strict=True)]
        gradients = tape.gradient(targets, watched, output_gradients=weights)
        wide = [dtypes.widest(kinds[i]) for i in self._sources]
        return {
            i: None if g is None else tf.cast(tf.convert_to_tensor(g), kind).numpy()
            for i, kind, g in zip(self._sources, wide, gradients, strict=True)
        }


def _largest(array: Array | None) -> float:
    return 0.0 if array is None or not array.size else float(np.abs(array).max())
