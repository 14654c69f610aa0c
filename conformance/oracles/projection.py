"""An op graph as a function of one real parameter, along a direction through its inputs.

The targets are weighted with a cotangent and summed; of complex numbers the real part counts. That
is the function whose gradient TensorFlow returns: for a complex input z = x + iy the gradient is
dL/dx + i dL/dy, so the derivative along a tangent v is the real part of the sum of conj(g) v.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.oracles.finite_difference import Estimate, Sample, directional_derivative
from strategies.graphs import Graph

Array = npt.NDArray[Any]
Hook = Callable[[Any], Any]

NOISE = 2.0**-30
"""The relative size of the disturbances that measure how rounding errors grow."""
COARSE_NOISE = 2.0**-14
"""The same where the graph computes in single precision."""


class Projection:
    """The weighted sum of a graph's targets, as a function along directions from one point.

    What stands behind a stop_gradient counts as a constant: it keeps its value at the point. What
    has a surrogate has its own value at the point, and changes as the surrogate does.

    Args:
        tf: the TensorFlow module; the graph is run eagerly.
        graph: all of it in the highest precision that it has.
        arrays: the point: float64 or complex128 numbers for each input, integers as they are.
        targets: which outputs are weighted, by position.
        weights: the cotangent, an array for each target.
        epsilon: of the coarsest precision in which the graph computes.
        here: the targets' values at the point, where an eager run has computed them already.
        inside: the magnitude of what an op adds up inside itself, where neither its result nor a
            disturbance of it shows that.
    """

    def __init__(  # noqa: PLR0913 - the parts of one mathematical object
        self,
        tf: Any,
        *,
        graph: Graph,
        arrays: Sequence[Array],
        targets: Sequence[int],
        weights: Sequence[Array],
        epsilon: float,
        here: Sequence[Array] | None = None,
        inside: float = 0.0,
    ) -> None:
        self._tf = tf
        self._graph = graph
        self._arrays = arrays
        self._targets = targets
        self._weights = weights
        self._epsilon = epsilon
        self._inside = inside
        self._tensors = graph.tensors(tf, arrays)
        self._held: dict[int, Any] = {}
        held = any(node.blocks == "stopped" or node.surrogate for node in graph.nodes)
        self._known = None if held else here
        self._noise = COARSE_NOISE if graph.single else NOISE
        self._moving = graph.surrogates
        self._function = self._moving.function(tf, self._hold if held else None)

    def _hold(self, node: int, result: Any) -> Any:
        """What a node returns; the first time is at the point itself."""
        if self._graph.nodes[node].surrogate:
            if node not in self._held:
                self._held[node] = self._true_results[node] - result
            return result + self._held[node]
        if self._graph.nodes[node].blocks == "stopped":
            return self._held.setdefault(node, result)
        return result

    @cached_property
    def _true_results(self) -> dict[int, Any]:
        """What the nodes return at the point."""
        found: dict[int, Any] = {}
        self._graph.function(self._tf, found.setdefault)(*self._tensors)
        return found

    def _values(self, function: Callable[..., list[Any]], tensors: Sequence[Any]) -> list[Array]:
        outputs = function(*tensors)
        return [outputs[k].numpy() for k in self._targets]

    def _weighted(self, values: Sequence[Array], among: Collection[int]) -> Sample:
        value, magnitude = 0.0, 0.0
        for number in among:
            terms = np.conj(self._weights[number]) * values[number]
            value += float(terms.sum().real)
            magnitude += float(np.abs(terms).sum())
        return Sample(value, magnitude)

    @cached_property
    def _here(self) -> Sequence[Array]:
        """The targets at the point itself, which all directions share."""
        if self._known is not None:
            return self._known
        return self._values(self._function, self._tensors)

    def _along(self, direction: Mapping[int, Array]) -> Callable[[float], Sequence[Array]]:
        """The targets as a function of the parameter t at the point plus t times the direction."""

        @cache
        def values(t: float) -> Sequence[Array]:
            if not t:
                return self._here
            tensors = list(self._tensors)
            for i, tangent in direction.items():
                kind = self._graph.inputs[i].type.dtype
                tensors[i] = self._tf.constant(self._arrays[i] + t * tangent, kind)
            try:
                return self._values(self._function, tensors)
            except self._tf.errors.InvalidArgumentError:
                # what refuses what a step gives it, as one that takes no NaN, has no value there
                return [np.full_like(value, np.nan) for value in self._here]

        return values

    def _moved(self, direction: Collection[int]) -> dict[int, int]:
        """The targets that change with some inputs, each with how many ops lie on the way."""
        graph, found = self._graph, dict[int, int]()
        on_the_way = graph.on_the_way(frozenset(direction))
        for number, k in enumerate(self._targets):
            nodes = on_the_way[graph.outputs[k]]
            if nodes is not None:
                found[number] = sum(graph.lengths[node] for node in nodes)
        return found

    def growth(self) -> float:
        """How much rounding errors inside the graph can move the sum, in units of epsilon.

        Every intermediate result is disturbed by a relative amount that is far above rounding and
        far below anything else (Monte Carlo arithmetic: D. S. Parker, UCLA CSD-970002, 1997).
        It is infinite where a cotangent inside has another shape than its value: what disturbs
        the value cannot take that.
        """
        every = range(len(self._targets))
        phi = self._weighted(self._here, every).value
        worst = 0.0
        for seed in range(3):
            random = np.random.default_rng(seed)
            disturbed = disturb(self._tf, random, self._noise)

            def around(node: int, result: Any, disturbed: Hook = disturbed) -> Any:
                return disturbed(self._hold(node, result))

            function = self._moving.function(self._tf, around, disturbed)
            try:
                values = self._values(function, self._tensors)
            except self._tf.errors.InvalidArgumentError:
                if not any(node.derivative for node in self._graph.nodes):
                    raise
                return inf
            worst = max(worst, abs(self._weighted(values, every).value - phi) / self._noise)
        return worst

    def derivative(
        self,
        direction: Mapping[int, Array],
        *,
        step: float,
        growth: float = 0.0,
        apart: bool = False,
    ) -> Estimate:
        """The derivative along a direction, by finite differences.

        Targets that do not change with the inputs that move are left out: they would only add to
        the magnitude.

        Args:
            direction: a tangent for each input that moves.
            step: the larger of the two steps.
            growth: what :meth:`growth` found, if it was asked.
            apart: whether slopes that jump count for each element of the targets by itself, so that
                no weights let two of them cancel.
        """
        values, among = self._along(direction), self._moved(direction)

        def phi(t: float) -> Sample:
            sample = self._weighted(values(t), among)
            return Sample(sample.value, max(sample.magnitude, growth, self._inside))

        found = directional_derivative(
            phi,
            epsilon=self._epsilon,
            step=step,
            roundings=1 + max(among.values(), default=0),
        )
        if not (apart and found.finite):
            return found
        jump = 0.0
        for number in among:
            middle, wide, near = (
                values(t)[number] + values(-t)[number] for t in (0.0, step, step / 2)
            )
            jumps = np.abs(4 * (near - middle) - (wide - middle)) / step
            jump += float((np.abs(self._weights[number]) * jumps).sum())
        return replace(found, error=found.error + abs(jump - found.jump) / 2, jump=jump)


def disturb(tf: Any, random: np.random.Generator, amount: float) -> Hook:
    """Scales each element of what a node returns by 1 plus or minus ``amount``, at random."""

    def scale(tensor: Any) -> Any:
        if not (tensor.dtype.is_floating or tensor.dtype.is_complex):
            return tensor
        signs = random.integers(0, 2, tensor.shape) * 2.0 - 1.0
        return tensor * tf.cast(tf.constant(1.0 + amount * signs), tensor.dtype)

    def disturbed(result: Any) -> Any:
        return [scale(t) for t in result] if isinstance(result, list | tuple) else scale(result)

    return disturbed
