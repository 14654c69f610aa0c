"""What breaks the contracts about forward mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ZERO = "zero"


def _change_products(tf: Any, change: Callable[[Any], Any]) -> None:
    """Every jvp that is there is changed."""
    truth = tf.autodiff.ForwardAccumulator.jvp

    def jvp(self: Any, primals: Any, **options: Any) -> Any:
        found = truth(self, primals, **options)
        return tf.nest.map_structure(lambda p: None if p is None else change(p), found)

    tf.autodiff.ForwardAccumulator.jvp = jvp


def _change_what_is_given(tf: Any, change: Callable[[Any, Any], tuple[Any, Any]]) -> None:
    """Accumulators get other primals and tangents."""
    truth = tf.autodiff.ForwardAccumulator.__init__

    def init(self: Any, primals: Any, tangents: Any) -> None:
        truth(self, *change(primals, tangents))

    tf.autodiff.ForwardAccumulator.__init__ = init


def products_are_off_by_a_hundredth(tf: Any) -> None:
    """Every jvp is 1.01 times as much."""
    _change_products(tf, lambda product: product * tf.cast(1.01, product.dtype))


def products_are_constants(tf: Any) -> None:
    """A jvp is connected to nothing."""
    _change_products(tf, tf.stop_gradient)


def products_are_computed_anew(tf: Any) -> None:
    """Each call of ``jvp`` makes another tensor."""
    _change_products(tf, tf.identity)


def products_are_kept(tf: Any) -> None:
    """A jvp that was asked for is never released."""
    kept: list[Any] = []

    def keep(product: Any) -> Any:
        kept.append(product)
        return product

    _change_products(tf, keep)


def none_is_zero(tf: Any) -> None:
    """Unconnected products are always zeros."""
    truth = tf.autodiff.ForwardAccumulator.jvp
    tf.autodiff.ForwardAccumulator.jvp = lambda self, primals, **_: truth(self, primals, ZERO)


def zeros_move(tf: Any) -> None:
    """A tangent of zeros is one of ones."""

    def moved(tangent: Any) -> Any:
        return tangent + tf.cast(tf.reduce_all(tangent == 0), tangent.dtype)

    _change_what_is_given(tf, lambda p, t: (p, tf.nest.map_structure(moved, t)))


def primals_are_refused(tf: Any) -> None:
    """Nothing can be a primal."""

    def refuse(*_: Any) -> tuple[Any, Any]:
        raise TypeError("no such primal")

    _change_what_is_given(tf, refuse)


def primals_that_occur_again_are_dropped(tf: Any) -> None:
    """What is listed twice counts once."""

    def change(primals: Any, tangents: Any) -> tuple[Any, Any]:
        pairs = zip(tf.nest.flatten(primals), tf.nest.flatten(tangents), strict=True)
        once = {id(primal): (primal, tangent) for primal, tangent in pairs}
        return [primal for primal, _ in once.values()], [tangent for _, tangent in once.values()]

    _change_what_is_given(tf, change)


def nests_are_flattened(tf: Any) -> None:
    """Primals and tangents go together as far as there are any."""

    def change(primals: Any, tangents: Any) -> tuple[Any, Any]:
        flat = tf.nest.flatten(primals), tf.nest.flatten(tangents)
        length = min(map(len, flat))
        return flat[0][:length], flat[1][:length]

    _change_what_is_given(tf, change)


def tangents_are_made_to_fit(tf: Any) -> None:
    """A tangent of another shape becomes one of zeros."""

    def fit(primal: Any, tangent: Any) -> Any:
        return tangent if primal.shape == tangent.shape else tf.zeros_like(primal)

    _change_what_is_given(tf, lambda p, t: (p, tf.nest.map_structure(fit, p, t)))


def an_active_accumulator_can_be_entered(tf: Any) -> None:
    """Entering again does nothing."""
    truth = tf.autodiff.ForwardAccumulator.__enter__
    tf.autodiff.ForwardAccumulator.__enter__ = lambda self: self if self._recording else truth(self)


KILLS: dict[str, Callable[[Any], None]] = {
    "fwd-linear-regression": products_are_off_by_a_hundredth,
    "fwd-transpose-consistency": products_are_off_by_a_hundredth,
    "fwd-nested-primals": products_are_off_by_a_hundredth,
    "fwd-none-zero": none_is_zero,
    "fwd-unconnected-rejects": none_is_zero,
    "fwd-repeat-and-after-exit": products_are_computed_anew,
    "fwd-releases": products_are_kept,
    "fwd-excluded-is-zeros": zeros_move,
    "fwd-control-flow": products_are_off_by_a_hundredth,
    "fwd-higher-order": products_are_constants,
    "fwd-higher-order-shared": products_are_constants,
    "fwd-higher-order-variable": products_are_constants,
    "fwd-variable-argument": products_are_off_by_a_hundredth,
    "fwd-over-tape-hvp": products_are_off_by_a_hundredth,
    "fwd-inner-tape-ignores-outer": products_are_constants,
    "fwd-tape-around-function": primals_are_refused,
    "fwd-duplicate-primal": primals_that_occur_again_are_dropped,
    "fwd-duplicate-variable-read": products_are_off_by_a_hundredth,
    "fwd-tangent-shape": tangents_are_made_to_fit,
    "fwd-tangent-shape-unchecked": tangents_are_made_to_fit,
    "fwd-tangent-structure": nests_are_flattened,
    "fwd-int": none_is_zero,
    "fwd-reenter": an_active_accumulator_can_be_entered,
    "fwd-keras-doc": primals_are_refused,
    "fwd-keras-workaround": primals_are_refused,
}
