"""What breaks the contracts about traced functions, and tf.gradients in them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from tests.chapters.watching import every_source_is_connected
from tests.tape_lies import change_answers


class _Cut:
    """A function whose results are connected to nothing."""

    def __init__(self, tf: Any, function: Any) -> None:
        self.tf, self.function = tf, function

    def __call__(self, *args: Any, **options: Any) -> Any:
        found = self.function(*args, **options)
        return self.tf.nest.map_structure(self.tf.stop_gradient, found)

    def get_concrete_function(self, *args: Any) -> _Cut:
        return _Cut(self.tf, self.function.get_concrete_function(*args))


def functions_are_not_recorded(tf: Any) -> None:
    """No gradient passes a ``tf.function``."""
    truth = tf.function
    tf.function = lambda *args, **options: _Cut(tf, truth(*args, **options))


def the_first_call_is_not_recorded(tf: Any) -> None:
    """The call of a ``tf.function`` that traces it is connected to nothing."""
    truth = tf.function

    def function(body: Any, **options: Any) -> Any:
        traced = truth(body, **options)
        cut: list[Any] = [_Cut(tf, traced)]

        def call(*args: Any) -> Any:
            return (cut.pop() if cut else traced)(*args)

        return call

    tf.function = function


def type_errors_are_swallowed(tf: Any) -> None:
    """``gradient`` answers None where it would raise TypeError."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        with contextlib.suppress(TypeError):
            return truth(tape, target, sources, **options)

    change_answers(tf, change)


def slices_become_dense(tf: Any) -> None:
    """``gradient`` answers no IndexedSlices."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        return tf.convert_to_tensor(truth(tape, target, sources, **options))

    change_answers(tf, change)


def gradients_are_negated_twice(tf: Any) -> None:
    """``gradient`` adds ops to a graph beside those of registered gradients."""
    negative = tf.math.negative
    change_answers(tf, lambda truth, *args, **_: negative(negative(truth(*args))))


def symbolic_gradients_are_none(tf: Any) -> None:
    """``tf.gradients`` answers None, wherever it is asked."""
    tf.gradients = lambda _, xs, **__: [None for _ in tf.nest.flatten(xs)]


def _ignored(option: str) -> Callable[[Any], None]:
    def lie(tf: Any) -> None:
        truth = tf.gradients
        tf.gradients = lambda ys, xs, **options: truth(
            ys, xs, **{name: value for name, value in options.items() if name != option}
        )

    return lie


def hessians_are_off_by_a_hundredth(tf: Any) -> None:
    """``tf.hessians`` answers 1.01 times as much."""
    truth = tf.hessians
    tf.hessians = lambda ys, xs: [1.01 * one for one in truth(ys, xs)]


KILLS: dict[str, Callable[[Any], None]] = {
    "function-differentiable": functions_are_not_recorded,
    "concrete-function": functions_are_not_recorded,
    "function-retrace-invariance": functions_are_not_recorded,
    "function-captured-tensor": functions_are_not_recorded,
    "function-none-output": every_source_is_connected,
    "function-tape-leak": every_source_is_connected,
    "function-tape-leak-symbolic": type_errors_are_swallowed,
    "function-tape-enclosing-trace": the_first_call_is_not_recorded,
    "run-functions-eagerly": functions_are_not_recorded,
    "function-returns-gradient-indexedslices": slices_become_dense,
    "function-outer-tape-gather": slices_become_dense,
    "atomic-function-no-gradient": every_source_is_connected,
    "vectorized-map-function": functions_are_not_recorded,
    "vectorized-map-function-custom-gradient": functions_are_not_recorded,
    "gradient-graph-names": gradients_are_negated_twice,
    "tf-gradients-eager-error": symbolic_gradients_are_none,
    "tf-gradients-unwatched": symbolic_gradients_are_none,
    "tf-gradients-stop": _ignored("stop_gradients"),
    "tf-gradients-grad-ys": _ignored("grad_ys"),
    "tf-gradients-grad-ys-length": _ignored("grad_ys"),
    "tf-gradients-unconnected": _ignored("unconnected_gradients"),
    "hessians": hessians_are_off_by_a_hundredth,
}
