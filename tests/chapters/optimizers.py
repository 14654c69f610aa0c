"""What breaks the contracts about optimisers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _change_pairs(tf: Any, change: Callable[[list[Any]], list[Any]]) -> None:
    """Optimisers are given other pairs, and do nothing where none is left."""
    sgd = tf.keras.optimizers.SGD
    truth = sgd.apply_gradients

    def apply_gradients(self: Any, pairs: Any, **options: Any) -> Any:
        changed = change(list(pairs))
        return truth(self, changed, **options) if changed else None

    sgd.apply_gradients = apply_gradients


def steps_are_too_large_by_a_hundredth(tf: Any) -> None:
    """Gradients are multiplied by 1.01 before they are applied."""
    _change_pairs(
        tf, lambda pairs: [(None if g is None else g * tf.cast(1.01, g.dtype), v) for g, v in pairs]
    )


def applied_gradients_are_too_large_by_a_hundredth(tf: Any) -> None:
    """The same, where gradients and Variables are given apart."""
    sgd = tf.keras.optimizers.SGD
    truth = getattr(sgd, "apply", None)

    def apply(self: Any, gradients: Any, *variables: Any) -> Any:
        assert truth is not None
        return truth(self, [g * tf.cast(1.01, g.dtype) for g in gradients], *variables)

    sgd.apply = apply


def what_has_no_gradient_is_passed_over(tf: Any) -> None:
    """Pairs without a gradient are dropped, and nothing is said."""
    _change_pairs(tf, lambda pairs: [pair for pair in pairs if pair[0] is not None])


def what_is_no_variable_is_passed_over(tf: Any) -> None:
    """Pairs without a Variable are dropped."""
    _change_pairs(tf, lambda pairs: [pair for pair in pairs if hasattr(pair[1], "assign")])


def what_is_malformed_is_passed_over(tf: Any) -> None:
    """What is no pair is dropped."""
    _change_pairs(tf, lambda pairs: [p for p in pairs if isinstance(p, tuple) and len(p) == 2])


def only_the_last_slice_of_a_row_counts(tf: Any) -> None:
    """Where IndexedSlices have a row twice, one of the two is applied."""

    def dense(gradient: Any) -> Any:
        zeros = tf.zeros(gradient.dense_shape, gradient.dtype)
        return tf.tensor_scatter_nd_update(zeros, gradient.indices[:, None], gradient.values)

    _change_pairs(tf, lambda pairs: [(dense(g), v) for g, v in pairs])


def minimize_does_nothing(tf: Any) -> None:
    """``minimize`` is there, and that is all."""
    tf.keras.optimizers.SGD.minimize = lambda *_, **__: None


def none_is_clipped_to_zero(tf: Any) -> None:
    """Where clipping meets None it answers zero."""
    truth = tf.clip_by_global_norm

    def clip_by_global_norm(tensors: Any, norm: Any) -> Any:
        clipped, found = truth(tensors, norm)
        return [tf.zeros([]) if one is None else one for one in clipped], found

    tf.clip_by_global_norm = clip_by_global_norm


KILLS: dict[str, Callable[[Any], None]] = {
    "optimizer-applies": steps_are_too_large_by_a_hundredth,
    "optimizer-momentum": steps_are_too_large_by_a_hundredth,
    "optimizer-apply": applied_gradients_are_too_large_by_a_hundredth,
    "optimizer-all-none": what_has_no_gradient_is_passed_over,
    "optimizer-some-none": steps_are_too_large_by_a_hundredth,
    "optimizer-some-none-warns": what_has_no_gradient_is_passed_over,
    "optimizer-indexedslices": only_the_last_slice_of_a_row_counts,
    "optimizer-without-minimize": minimize_does_nothing,
    "optimizer-tensor-rejected": what_is_no_variable_is_passed_over,
    "optimizer-tensor-not-implemented": what_is_no_variable_is_passed_over,
    "clip-by-global-norm-none": none_is_clipped_to_zero,
}
