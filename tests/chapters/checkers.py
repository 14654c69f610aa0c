"""What breaks the contracts about tf.gradients, tf.hessians and tf.test.compute_gradient."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np


def _change(place: Any, name: str, change: Callable[..., Any]) -> None:
    """A function of TensorFlow becomes ``change(truth, *args, **options)``."""
    truth = getattr(place, name)
    setattr(place, name, lambda *args, **options: change(truth, *args, **options))


def only_the_first_target_counts(tf: Any) -> None:
    """``tf.gradients`` looks at one target."""
    _change(tf, "gradients", lambda truth, ys, xs, **o: truth(tf.nest.flatten(ys)[0], xs, **o))


def one_answer_is_no_list(tf: Any) -> None:
    """For a single source ``tf.gradients`` answers a tensor."""
    _change(tf, "gradients", lambda truth, ys, xs: truth(ys, xs)[0])


def weights_are_ignored(tf: Any) -> None:
    """``grad_ys`` are ones, for complex targets too."""

    def change(truth: Any, ys: Any, xs: Any, **options: Any) -> Any:
        options["grad_ys"] = tf.nest.map_structure(tf.ones_like, ys)
        return truth(ys, xs, **options)

    _change(tf, "gradients", change)


def nothing_stops(tf: Any) -> None:
    """``stop_gradients`` is ignored."""
    _change(tf, "gradients", lambda truth, ys, xs, **_: truth(ys, xs))


def what_is_gated_is_off_by_a_hundredth(tf: Any) -> None:
    """With ``gate_gradients`` gradients are 1.01 times as large."""

    def change(truth: Any, ys: Any, xs: Any, **options: Any) -> Any:
        factor = 1.01 if options["gate_gradients"] else 1.0
        return [tf.cast(factor, one.dtype) * one for one in truth(ys, xs, **options)]

    _change(tf, "gradients", change)


def what_has_no_gradient_is_unconnected(tf: Any) -> None:
    """An op without a registered gradient gives None."""

    def change(truth: Any, *args: Any) -> Any:
        with contextlib.suppress(LookupError):
            return truth(*args)
        return [None]

    _change(tf, "gradients", change)
    _change(tf, "hessians", change)


def hessians_are_off_by_a_hundredth(tf: Any) -> None:
    """``tf.hessians`` answers 1.01 times as much."""
    _change(
        tf,
        "hessians",
        lambda truth, *args: [tf.cast(1.01, one.dtype) * one for one in truth(*args)],
    )


def captured_sources_are_unconnected(tf: Any) -> None:
    """``tf.hessians`` answers None where it would raise ValueError."""

    def change(truth: Any, *args: Any) -> Any:
        with contextlib.suppress(ValueError):
            return truth(*args)
        return [None]

    _change(tf, "hessians", change)


def jacobians_are_transposed(tf: Any) -> None:
    """``compute_gradient`` answers a row for an element of the argument."""
    _change(
        tf.test,
        "compute_gradient",
        lambda truth, *args: [[one.T for one in part] for part in truth(*args)],
    )


def steps_have_one_size(tf: Any) -> None:
    """``delta`` is ignored."""
    _change(tf.test, "compute_gradient", lambda truth, function, x, **_: truth(function, x))


def arguments_need_no_list(tf: Any) -> None:
    """``compute_gradient`` takes a lone argument, and answers nothing at all for None."""
    _change(tf.test, "compute_gradient", lambda *_: ([], []))


def empty_results_have_empty_jacobians(tf: Any) -> None:
    """Whatever the gradient of an empty result, ``compute_gradient`` answers without a word."""

    def change(truth: Any, function: Any, x: Any) -> Any:
        with contextlib.suppress(ValueError):
            return truth(function, x)
        return [np.zeros([0, x[0].shape[0]])], [np.zeros([0, x[0].shape[0]])]

    _change(tf.test, "compute_gradient", change)


KILLS: dict[str, Callable[[Any], None]] = {
    "gradients-of-several": only_the_first_target_counts,
    "gradients-of-one": one_answer_is_no_list,
    "gradients-weighted": weights_are_ignored,
    "gradients-complex-unweighted": weights_are_ignored,
    "gradients-stop-both": nothing_stops,
    "gradients-aggregation": what_is_gated_is_off_by_a_hundredth,
    "gradients-no-registration": what_has_no_gradient_is_unconnected,
    "gradients-invalid": nothing_stops,
    "hessians-of-several": hessians_are_off_by_a_hundredth,
    "hessians-of-captured": captured_sources_are_unconnected,
    "compute-gradient-theoretical": jacobians_are_transposed,
    "compute-gradient-numeric": steps_have_one_size,
    "compute-gradient-rejects": arguments_need_no_list,
    "compute-gradient-empty": empty_results_have_empty_jacobians,
}
