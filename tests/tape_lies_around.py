"""Broken tapes, continued: lies about what tapes hold, Jacobians, wrapped calls and misuse.

They are registered beside those of tests/tape_lies.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tape_lies import change_answers, lie

# -- what holds what -----------------------------------------------------------------------------


@lie
def a_tape_that_has_answered_keeps_what_it_was_asked(tf: Any) -> None:
    """A tape holds its targets until it is deleted."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        tape.kept = target
        return truth(tape, target, sources, **options)

    change_answers(tf, change)


@lie
def records_are_kept_for_ever(tf: Any) -> None:
    """What a persistent tape recorded is never released."""
    kept: list[Any] = []

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        if tape._persistent:
            kept.append(tape._tape)
        return truth(tape, target, sources, **options)

    change_answers(tf, change)


@lie
def gradients_have_an_axis_more(tf: Any) -> None:
    """``gradient`` answers a batch of one."""
    change_answers(tf, _each(tf, lambda answer: tf.expand_dims(answer, 0)))


# -- higher order --------------------------------------------------------------------------------


@lie
def gradients_are_constants(tf: Any) -> None:
    """What ``gradient`` answers is not recorded by other tapes."""
    change_answers(tf, _each(tf, tf.stop_gradient))


@lie
def gradients_of_gradients_are_off_by_a_hundredth(tf: Any) -> None:
    """What ``gradient`` answers is right, but its own gradient is 1.01 times as much."""

    def off(answer: Any) -> Any:
        return answer + tf.cast(0.01, answer.dtype) * (answer - tf.stop_gradient(answer))

    change_answers(tf, _each(tf, off))


def _each(tf: Any, off: Callable[[Any], Any]) -> Callable[..., Any]:
    """A change of every gradient that is there."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return tf.nest.map_structure(lambda a: None if a is None else off(a), answer)

    return change


# -- Jacobians -----------------------------------------------------------------------------------


@lie
def jacobians_are_off_by_a_hundredth(tf: Any) -> None:
    """``jacobian`` answers 1.01 times as much."""
    truth = tf.GradientTape.jacobian

    def jacobian(self: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(self, target, sources, **options)
        return tf.nest.map_structure(
            lambda a: None if a is None else a * tf.cast(1.01, a.dtype), answer
        )

    tf.GradientTape.jacobian = jacobian


@lie
def a_batch_jacobian_is_that_of_one_row(tf: Any) -> None:
    """``batch_jacobian`` answers for every row what is true of the first."""
    truth = tf.GradientTape.batch_jacobian

    def batch_jacobian(self: Any, target: Any, source: Any, **options: Any) -> Any:
        answer = truth(self, target, source, **options)
        return tf.zeros_like(answer) + answer[:1]

    tf.GradientTape.batch_jacobian = batch_jacobian


@lie
def loops_of_jacobians_need_no_persistent_tape(tf: Any) -> None:
    """Without vectorization ``jacobian`` works on every tape: it is vectorized all the same."""
    truth = tf.GradientTape.jacobian

    def jacobian(self: Any, target: Any, sources: Any, **options: Any) -> Any:
        return truth(self, target, sources, **{**options, "experimental_use_pfor": True})

    tf.GradientTape.jacobian = jacobian


@lie
def unconnected_batch_jacobians_are_ones(tf: Any) -> None:
    """Where ``batch_jacobian`` would answer zeros it answers ones."""
    truth = tf.GradientTape.batch_jacobian

    def batch_jacobian(self: Any, target: Any, source: Any, **options: Any) -> Any:
        answer = truth(self, target, source, **options)
        return answer if tf.reduce_any(answer != 0) else tf.ones_like(answer)

    tf.GradientTape.batch_jacobian = batch_jacobian


@lie
def unconnected_batch_jacobians_have_another_dtype(tf: Any) -> None:
    """Where ``batch_jacobian`` would answer zeros they are of half precision."""
    truth = tf.GradientTape.batch_jacobian

    def batch_jacobian(self: Any, target: Any, source: Any, **options: Any) -> Any:
        answer = truth(self, target, source, **options)
        return answer if tf.reduce_any(answer != 0) else tf.zeros(answer.shape, tf.float16)

    tf.GradientTape.batch_jacobian = batch_jacobian


# -- what is around an op ------------------------------------------------------------------------


@lie
def branches_are_not_recorded(tf: Any) -> None:
    """No gradient passes ``tf.cond``."""
    truth = tf.cond
    tf.cond = lambda *args: tf.stop_gradient(truth(*args))


@lie
def loops_are_recorded_once(tf: Any) -> None:
    """Of a ``tf.while_loop`` the last time around is recorded."""

    def loop(condition: Any, body: Any, variables: Any) -> Any:
        while condition(*variables):
            variables = body(*tf.nest.map_structure(tf.stop_gradient, variables))
        return variables

    tf.while_loop = loop


@lie
def closures_are_not_recorded(tf: Any) -> None:
    """A call of a ``tf.function`` without arguments is recorded by no tape."""
    truth = tf.function

    def function(body: Any, **options: Any) -> Any:
        traced = truth(body, **options)
        return lambda *args: (
            traced(*args) if args else tf.nest.map_structure(tf.stop_gradient, traced())
        )

    tf.function = function


@lie
def recomputed_functions_are_constants(tf: Any) -> None:
    """No gradient passes ``tf.recompute_grad``."""

    def recompute_grad(function: Any) -> Any:
        return lambda *args: tf.nest.map_structure(tf.stop_gradient, function(*args))

    tf.recompute_grad = recompute_grad


@lie
def custom_gradients_are_ignored(tf: Any) -> None:
    """``tf.custom_gradient`` leaves the gradient what it would have been."""
    tf.custom_gradient = lambda function: lambda *args: function(*args)[0]


@lie
def gradients_are_not_passed_through(tf: Any) -> None:
    """``tf.grad_pass_through`` leaves the gradient what it would have been."""
    tf.grad_pass_through = lambda function: function


# -- misuse --------------------------------------------------------------------------------------


@lie
def no_target_is_no_error(tf: Any) -> None:
    """The gradient of None is None."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        return None if target is None else truth(tape, target, sources, **options)

    change_answers(tf, change)


@lie
def numbers_can_be_watched(tf: Any) -> None:
    """``watch`` passes over what is no Tensor."""
    truth = tf.GradientTape.watch

    def watch(self: Any, what: Any) -> None:
        if not isinstance(what, float):
            truth(self, what)

    tf.GradientTape.watch = watch
