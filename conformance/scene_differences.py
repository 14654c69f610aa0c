"""A gradient of a scene beside finite differences of what it is the gradient of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from conformance.boundary import raised_by_tensorflow, read, tensorflow
from conformance.oracles.agreement import Answer, Judgement, judge
from conformance.oracles.expressions import Expression
from conformance.oracles.finite_difference import step_for
from conformance.oracles.projection import NOISE, disturb
from strategies import dtypes

if TYPE_CHECKING:
    from conformance.modes import Mode
    from conformance.scene_cases import SceneCase

Array = npt.NDArray[Any]

_EPSILON: Final = dtypes.epsilon("float64")
_CONFIRMED: Final = ((1, 0.5), (2, 0.25), (3, 2.0))
"""Other directions, and the factors of their steps, that must all disagree before we accuse."""


class Differences:
    """What an expression of a scene is a function of, in double precision, moved and measured.

    Args:
        case: the scene.
        names: what it has bound.
        of: the expression, a tensor or a nest of them.
        by: the name that moves.
        weights: the cotangent, an array for each tensor; ones, if there is none.
    """

    def __init__(
        self, case: SceneCase, names: Mapping[str, Any], of: str, by: str, weights: Sequence[Array]
    ) -> None:
        self._case, self._of, self._by, self._weights = case, of, by, weights
        self._names = {**names, **self._functions("{call}", {})}
        self._roundings = 8 + sum(f.graph.length for f in case.functions.values())
        self._growth = 0.0
        self._expression = Expression(
            tensorflow(),
            of,
            self._names,
            by=by,
            weights=weights,
            epsilon=_EPSILON,
            roundings=self._roundings,
        )

    def judged(self, gradient: Array, number: int = 0, factor: float = 1.0) -> Judgement:
        """The gradient along a direction.

        Args:
            gradient: what is claimed.
            number: which direction.
            factor: of the step.
        """
        return self.along(gradient, direction(gradient, number), factor)

    def along(self, gradient: Array, tangent: Array, factor: float = 1.0) -> Judgement:
        """The gradient along a tangent."""
        step = factor * step_for(_EPSILON)
        estimate = self._expression.derivative(tangent, step=step, growth=self._growth)
        terms = np.conj(gradient) * tangent
        slack = 4 * self._roundings * _EPSILON * float(np.abs(terms).sum())
        return judge(float(terms.sum().real), estimate, slack=slack)

    def is_denied(self, gradient: Array) -> bool:
        """Whether three more directions disagree, now that it is measured how roundings grow."""
        self._growth = self._expression.growth(self._disturbed, NOISE)
        tried = (self.judged(gradient, number, factor) for number, factor in _CONFIRMED)
        return all(one.answer is Answer.DISAGREE for one in tried)

    def first_off(self, gradient: Array) -> tuple[tuple[int, ...], int, Judgement] | None:
        """The first element that is off by itself, if there is one.

        Returns:
            Where it is, 1 for its imaginary part and 0 otherwise, and how it is judged.
        """
        for *at, part in np.ndindex(*gradient.shape, 1 + np.iscomplexobj(gradient)):
            unit = np.zeros_like(gradient)
            unit[tuple(at)] = 1j if part else 1
            moved = np.where(unit == 0, 0, gradient)  # a NaN elsewhere is none of this one's
            alone = self.along(moved, unit)
            if alone.answer is Answer.DISAGREE:
                return tuple(at), part, alone
        return None

    def is_an_ops_fault(self, gradient: Array, *, traced: bool) -> bool:
        """Whether the plainest tape gives the same gradient: then an op is at fault, not the scene.

        What ops do is the concern of contracts about graphs.

        Args:
            gradient: the one that is off.
            traced: whether the scene is run in a function, where ops may have other gradients.
        """
        tf = tensorflow()

        def plainly(source: Any) -> Any:
            names = {**self._names, self._by: source}
            with tf.GradientTape() as tape:
                tape.watch(source)
                target = eval(self._of, names)  # noqa: S307 - our own text
            weights = list(self._weights) or None
            found = tape.gradient(target, source, output_gradients=weights)
            return None if found is None else tf.convert_to_tensor(found)

        source = tf.convert_to_tensor(self._names[self._by])
        asked = [plainly, tf.function(plainly, autograph=False)] if traced else [plainly]
        slack = 8 * self._roundings * _EPSILON * np.abs(gradient)
        answers = (read(ask(source)) for ask in asked)
        return any(
            plain is not None and bool(np.all(np.abs(plain.array - gradient) <= slack))
            for plain in answers
        )

    def _disturbed(self, seed: int) -> Mapping[str, Any]:
        hook = disturb(tensorflow(), np.random.default_rng(seed), NOISE)
        return self._functions("disturbed({call})", {"disturbed": hook})

    def _functions(self, wrap: str, scope: dict[str, Any]) -> dict[str, Any]:
        """The functions of the scene as plain Python."""
        found = {"tf": tensorflow(), **scope}
        for name, function in self._case.functions.items():
            exec("\n".join(function.lines(name, wrap)), found)  # noqa: S102 - our own text
        return {name: found[name] for name in self._case.functions}


def direction(gradient: Array, number: int) -> Array:
    """A tangent of the shape of a gradient, the same in every run."""
    random = np.random.default_rng(number)
    signs = random.uniform(0.5, 1.5, gradient.shape) * random.choice([-1, 1], gradient.shape)
    if np.iscomplexobj(gradient):
        signs = signs + 1j * random.uniform(0.5, 1.5, gradient.shape)
    return np.asarray(signs)


def fault_of_ops(case: SceneCase, names: Mapping[str, Any], mode: Mode) -> str:
    """What is wrong with the gradient of a function of a scene in a plain tape, if anything is.

    Args:
        case: the scene.
        names: what it has bound, its functions at least.
        mode: how it is run.

    Returns:
        A few words, as in "raises", or nothing.
    """
    tf = tensorflow()
    kind = next((f.graph.inputs[0].type for n, f in case.functions.items() if n != "g"), None)
    argument = next((one.tensor(tf) for one in case.drawn if one.type == kind), None)
    if argument is None:
        return ""

    def gradient(function: Any, x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            target = function(x)
        return tape.gradient(target, x)

    try:
        for name in case.functions:
            x = names["f"](argument) if name == "g" else argument
            found = mode.program(tf, partial(gradient, names[name]), [], [])(x)
            if found is not None and found.shape != x.shape:
                return "has another shape than its source"
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        raised_by_tensorflow(raised)
        return "raises"
    return ""
