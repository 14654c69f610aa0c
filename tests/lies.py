"""Broken tapes: each lie makes the real TensorFlow of this process lie in one way, for good.

They are told in forks (tests/forks.py) or, by the plugin below, to a whole pytest run::

    TAPEMEASURE_LIE=watch_is_forgotten pytest conformance -p tests.lies

Whatever has a public name is patched by that name; the private places are each touched in one
function, which says why.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any, Final

Lie = Callable[[Any], None]
Change = Callable[[Any], Any]

LIES: Final[dict[str, Lie]] = {}
"""Every lie by its name; each takes the TensorFlow module."""

VARIABLE: Final = "TAPEMEASURE_LIE"
"""The environment variable that names the lie of a whole run."""


def lie(tell: Lie) -> Lie:
    """Register a lie under its function's name."""
    LIES[tell.__name__] = tell
    return tell


def pytest_runtest_setup() -> None:
    """As a plugin: tell the lie that the environment names, before the first item runs."""
    name = os.environ.pop(VARIABLE, None)
    if name is not None:
        LIES[name](importlib.import_module("tensorflow"))


# -- the helpers that touch TensorFlow -----------------------------------------------------------


def _gradient(tf: Any, change: Callable[[Any, Callable[..., Any], dict[str, Any]], Any]) -> None:
    """Replace ``GradientTape.gradient`` by ``change(sources, ask, options)``.

    ``ask`` is the truth, with the options that were passed or, by name, with others.
    """
    truth = tf.GradientTape.gradient
    none = tf.UnconnectedGradients.NONE

    def gradient(
        self: Any,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = none,
    ) -> Any:
        options = {
            "output_gradients": output_gradients,
            "unconnected_gradients": unconnected_gradients,
        }

        def ask(**others: Any) -> Any:
            return truth(self, target, sources, **{**options, **others})

        return change(sources, ask, options)

    tf.GradientTape.gradient = gradient


def _each_gradient_of_a_tensor(tf: Any, change: Change) -> None:
    """Replace the gradients of sources that are Tensors; Variables take a step by theirs."""

    def changed(sources: Any, ask: Callable[..., Any], _: Any) -> Any:
        answers = ask()
        if isinstance(sources, tf.Tensor) and answers is not None:
            return change(tf.convert_to_tensor(answers))
        if not isinstance(answers, list):  # TensorFlow itself asks, in forward mode
            return answers
        return [
            g if g is None or isinstance(x, tf.Variable) else change(tf.convert_to_tensor(g))
            for x, g in zip(sources, answers, strict=True)
        ]

    _gradient(tf, changed)


def _each_gradient(tf: Any, change: Change) -> None:
    """Replace every gradient that is not None by ``change(gradient)``, made dense."""

    def changed(_: Any, ask: Callable[..., Any], __: Any) -> Any:
        answers = tf.nest.flatten(structure := ask())
        told = [None if g is None else change(tf.convert_to_tensor(g)) for g in answers]
        return tf.nest.pack_sequence_as(structure, told)

    _gradient(tf, changed)


def _registered(op: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a registered gradient function by ``change(of it)``.

    Private: the registry's table. ``tf.RegisterGradient``, the public way in, refuses a name that
    is taken.
    """
    registry = importlib.import_module("tensorflow.python.framework.ops").gradient_registry
    entry = registry._registry[op]
    entry["type"] = change(entry["type"])


def _variable_class(tf: Any) -> Any:
    """The class of ordinary Variables. Private, so one is asked; ``tf.Variable`` is abstract."""
    return type(tf.Variable(0.0))


# -- what is watched -----------------------------------------------------------------------------


@lie
def constants_are_watched(tf: Any) -> None:
    """Every tape watches the Tensors that ``tf.constant`` has made."""
    constant, enter = tf.constant, tf.GradientTape.__enter__
    made: list[Any] = []

    def remember(*args: Any, **kwargs: Any) -> Any:
        made.append(constant(*args, **kwargs))
        return made[-1]

    def watch_all(self: Any) -> Any:
        tape = enter(self)
        tape.watch([t for t in made if t.dtype.is_floating or t.dtype.is_complex])
        return tape

    tf.constant, tf.GradientTape.__enter__ = remember, watch_all


@lie
def variables_are_not_watched(tf: Any) -> None:
    """No tape watches what it was not asked to watch."""
    truth = tf.GradientTape.__init__

    def init(self: Any, **options: Any) -> None:
        truth(self, **{**options, "watch_accessed_variables": False})

    tf.GradientTape.__init__ = init


@lie
def frozen_variables_are_watched(tf: Any) -> None:
    """A Variable is trainable, whatever it was told."""
    _variable_class(tf).trainable = property(lambda _: True)


@lie
def watch_is_forgotten(tf: Any) -> None:
    """``tape.watch`` does nothing."""
    tf.GradientTape.watch = lambda _, __: None


@lie
def watched_variables_are_hidden(tf: Any) -> None:
    """``tape.watched_variables()`` is always empty."""
    tf.GradientTape.watched_variables = lambda _: ()


# -- None and zeros ------------------------------------------------------------------------------


@lie
def none_becomes_zeros(tf: Any) -> None:
    """A source that is not connected gives zeros unasked."""
    zero = tf.UnconnectedGradients.ZERO
    _gradient(tf, lambda _, ask, __: ask(unconnected_gradients=zero))


@lie
def zeros_become_none(tf: Any) -> None:
    """``UnconnectedGradients.ZERO`` is ignored."""
    none = tf.UnconnectedGradients.NONE
    _gradient(tf, lambda _, ask, __: ask(unconnected_gradients=none))


@lie
def zeros_have_another_dtype(tf: Any) -> None:
    """The zeros of ``UnconnectedGradients.ZERO`` are always of float16."""

    def changed(_: Any, ask: Callable[..., Any], options: dict[str, Any]) -> Any:
        asked = tf.UnconnectedGradients(options["unconnected_gradients"])
        if asked != tf.UnconnectedGradients.ZERO:
            return ask()
        return tf.nest.map_structure(lambda g: tf.cast(tf.math.real(g), tf.float16), ask())

    _gradient(tf, changed)


@lie
def stop_gradient_is_ignored(tf: Any) -> None:
    """``tf.stop_gradient`` lets gradients through."""
    tf.stop_gradient = tf.identity


# -- values --------------------------------------------------------------------------------------


def _scaled(factor: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def change(truth: Callable[..., Any]) -> Callable[..., Any]:
        def gradient(op: Any, *incoming: Any) -> Any:
            answer = truth(op, *incoming)
            if isinstance(answer, list | tuple):
                return [None if g is None else g * factor for g in answer]
            return answer * factor

        return gradient

    return change


@lie
def the_gradient_of_cos_is_scaled(_: Any) -> None:
    """What is registered for Cos is 1 % too large."""
    _registered("Cos", _scaled(1.01))


@lie
def the_gradient_of_matmul_is_scaled(_: Any) -> None:
    """What is registered for the products of matrices is 1 % too large."""
    for op in ("MatMul", "BatchMatMulV2"):
        _registered(op, _scaled(1.01))


@lie
def the_gradient_of_mul_has_the_wrong_sign(_: Any) -> None:
    """What is registered for Mul is negated."""
    _registered("Mul", _scaled(-1))


def _by_cotangent(tf: Any, change: Callable[[Any, float], Any]) -> None:
    """Replace every gradient by ``change(gradient, the largest modulus of a cotangent)``."""

    def changed(_: Any, ask: Callable[..., Any], options: dict[str, Any]) -> Any:
        answers = ask()
        if not tf.executing_eagerly():
            return answers
        weights = options["output_gradients"] or []
        largest = max((float(abs(w.numpy()).max(initial=0)) for w in weights), default=1.0)
        return tf.nest.map_structure(
            lambda g: None if g is None else change(tf.convert_to_tensor(g), largest), answers
        )

    _gradient(tf, changed)


@lie
def the_gradient_for_zeros_is_not_a_number(tf: Any) -> None:
    """Where each cotangent is zero every gradient is NaN."""
    _by_cotangent(tf, lambda g, largest: g if largest else g * float("nan"))


@lie
def the_gradient_for_zeros_is_tiny(tf: Any) -> None:
    """Where each cotangent is zero every gradient is a small number."""
    _by_cotangent(tf, lambda g, largest: g if largest else g + 2.0**-20)


@lie
def the_gradient_grows_faster_than_its_cotangent(tf: Any) -> None:
    """Where a cotangent is above 1.5 every gradient is 1 % too large."""
    _by_cotangent(tf, lambda g, largest: g * (1.01 if largest > 1.5 else 1.0))


@lie
def integers_have_gradients(tf: Any) -> None:
    """A source of integers gives zeros unasked."""

    def changed(sources: Any, ask: Callable[..., Any], _: Any) -> Any:
        def unasked(x: Any, g: Any) -> Any:
            return tf.zeros_like(x) if g is None and x.dtype.is_integer else g

        answers = ask()
        if not isinstance(answers, list):
            return unasked(sources, answers)
        return [unasked(x, g) for x, g in zip(sources, answers, strict=True)]

    _gradient(tf, changed)


@lie
def one_element_is_wrong(tf: Any) -> None:
    """The last element of every gradient is 1 % too large."""

    def change(gradient: Any) -> Any:
        flat = tf.reshape(gradient, [-1])
        last = tf.one_hot(tf.size(flat) - 1, tf.size(flat), dtype=gradient.dtype)
        return gradient + tf.reshape(flat * last, tf.shape(gradient)) / 100

    _each_gradient(tf, change)


@lie
def the_gradient_is_not_a_number(tf: Any) -> None:
    """Every gradient is NaN."""
    _each_gradient(tf, lambda gradient: gradient * float("nan"))


@lie
def conjugation_is_forgotten(tf: Any) -> None:
    """Complex gradients are the conjugate of what the documentation defines."""
    _each_gradient(tf, tf.math.conj)


@lie
def output_gradients_are_ignored(tf: Any) -> None:
    """Targets are weighted with ones, whatever is passed."""
    _gradient(tf, lambda _, ask, __: ask(output_gradients=None))


@lie
def the_jvp_is_doubled(tf: Any) -> None:
    """Forward mode gives twice the product."""
    truth = tf.autodiff.ForwardAccumulator.jvp

    def jvp(self: Any, primals: Any, **options: Any) -> Any:
        told = truth(self, primals, **options)
        return tf.nest.map_structure(lambda p: None if p is None else 2 * p, told)

    tf.autodiff.ForwardAccumulator.jvp = jvp


@lie
def lower_precision_is_sloppy(tf: Any) -> None:
    """Gradients in float32 carry no more digits than bfloat16 has."""

    def change(gradient: Any) -> Any:
        if gradient.dtype != tf.float32:
            return gradient
        return tf.cast(tf.cast(gradient, tf.bfloat16), tf.float32)

    _each_gradient(tf, change)


@lie
def traced_gradients_are_scaled(tf: Any) -> None:
    """Inside a ``tf.function`` gradients are 1 % too large; eagerly they are right."""
    _each_gradient(tf, lambda g: g if tf.executing_eagerly() else g * 1.01)


@lie
def gradients_of_unknown_shapes_are_scaled(tf: Any) -> None:
    """Gradients are 1 % too large where the shape is not known while tracing."""
    _each_gradient(tf, lambda g: g if g.shape.is_fully_defined() else g * 1.01)


# -- shape and dtype -----------------------------------------------------------------------------


@lie
def gradients_are_transposed(tf: Any) -> None:
    """The gradient of a Tensor is transposed."""
    _each_gradient_of_a_tensor(tf, tf.transpose)


@lie
def gradient_dtype_is_float64(tf: Any) -> None:
    """The gradient of a real Tensor is float64, whatever the Tensor's dtype."""

    def change(gradient: Any) -> Any:
        return tf.cast(gradient, tf.float64) if gradient.dtype.is_floating else gradient

    _each_gradient_of_a_tensor(tf, change)


@lie
def slices_are_of_another_shape(tf: Any) -> None:
    """IndexedSlices say that what they are slices of has one more in its last dimension."""

    def changed(_: Any, ask: Callable[..., Any], __: Any) -> Any:
        return tf.nest.map_structure(longer, ask())

    def longer(g: Any) -> Any:
        if not isinstance(g, tf.IndexedSlices) or len(g.shape) < 2:
            return g
        shape = tf.constant([*g.shape[:-1], g.shape[-1] + 1])
        return tf.IndexedSlices(g.values, g.indices, shape)

    _gradient(tf, changed)


# -- errors --------------------------------------------------------------------------------------


@lie
def the_gradient_of_cos_raises(_: Any) -> None:
    """What is registered for Cos raises."""

    def gradient(op: Any, incoming: Any) -> Any:  # noqa: ARG001 - the registry's signature
        raise TypeError("cannot differentiate cos")

    _registered("Cos", lambda _: gradient)


# -- assignment ----------------------------------------------------------------------------------


@lie
def tensors_can_be_assigned(tf: Any) -> None:
    """A Tensor has ``assign_sub``."""
    tf.Tensor.assign_sub = lambda self, delta: self - delta


@lie
def variables_cannot_be_assigned(tf: Any) -> None:
    """A Variable lacks ``assign_add``."""

    def missing(_: Any) -> None:
        raise AttributeError("assign_add")

    _variable_class(tf).assign_add = property(missing)


@lie
def assign_sub_adds(tf: Any) -> None:
    """``assign_sub`` adds."""
    kind = _variable_class(tf)
    kind.assign_sub = kind.assign_add
