"""What breaks the contracts of conformance/contracts/dtypes.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.watching import every_source_is_connected, integers_have_zeros
from tests.tape_lies import change_answers


def _each(off: Callable[[Any, Any], Any]) -> Callable[[Any], None]:
    """The lie that every gradient that is there is off; takes TensorFlow and a gradient."""

    def lie(tf: Any) -> None:
        def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
            answer = truth(tape, target, sources, **options)
            return tf.nest.map_structure(lambda a: None if a is None else off(tf, a), answer)

        change_answers(tf, change)

    return lie


def _widened(tf: Any, gradient: Any) -> Any:
    return tf.cast(gradient, tf.float32) if gradient.dtype.size == 2 else gradient


def _conjugated(tf: Any, gradient: Any) -> Any:
    return tf.math.conj(gradient)


def _flushed(tf: Any, gradient: Any) -> Any:
    small = tf.abs(gradient) < tf.cast(1e-3, gradient.dtype)
    return tf.where(small, tf.zeros_like(gradient), gradient)


def eight_bits_have_gradients(tf: Any) -> None:
    """Where a source is not connected it has ones, in any dtype that can be cast to."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return [
            tf.cast(tf.ones(source.shape), source.dtype) if gradient is None else gradient
            for source, gradient in zip(sources, answer, strict=True)
        ]

    change_answers(tf, change)


def maximum_casts(tf: Any) -> None:
    """``tf.maximum`` casts its second argument to the dtype of the first."""
    truth = tf.maximum
    tf.maximum = lambda one, other: truth(one, tf.cast(other, one.dtype))


def products_truncate(tf: Any) -> None:
    """A float beside a tensor of integers loses what is behind the point."""
    truth = tf.Tensor.__mul__
    tf.Tensor.__mul__ = lambda one, other: truth(
        one, int(other) if isinstance(other, float) else other
    )


def nothing_is_told(tf: Any) -> None:
    """TensorFlow's logger is switched off."""
    tf.get_logger().disabled = True


KILLS: dict[str, Callable[[Any], None]] = {
    "dtype-differentiable": _each(_widened),
    "dtype-nondifferentiable": integers_have_zeros,
    "dtype-float8": eight_bits_have_gradients,
    "dtype-cast-through-int": every_source_is_connected,
    "dtype-cast-float": _each(_widened),
    "dtype-no-autocast": maximum_casts,
    "dtype-no-autocast-python": products_truncate,
    "complex-convention": _each(_conjugated),
    "int-target": every_source_is_connected,
    "int-source-log": nothing_is_told,
    "int-source-log-warning": nothing_is_told,
    "nondiff-ops": every_source_is_connected,
    "loss-scale": _each(_flushed),
}
