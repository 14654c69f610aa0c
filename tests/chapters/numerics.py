"""What breaks the contracts of conformance/contracts/numerics.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.watching import watching_is_ignored
from tests.tape_lies import TAPE_LIES, change_answers


def jacobians_are_transposed(tf: Any) -> None:
    """``tf.test.compute_gradient`` has a row for each element of an argument."""
    truth = tf.test.compute_gradient
    tf.test.compute_gradient = lambda *args: tuple(
        [jacobian.T for jacobian in jacobians] for jacobians in truth(*args)
    )


def arguments_need_no_list(tf: Any) -> None:
    """``tf.test.compute_gradient`` takes a tensor as it takes a list of one."""
    truth = tf.test.compute_gradient
    tf.test.compute_gradient = lambda f, x: truth(f, x if isinstance(x, list) else [x])


def what_is_not_a_number_is_zero(tf: Any) -> None:
    """``gradient`` answers zeros where it would answer NaN."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return tf.nest.map_structure(
            lambda one: tf.where(tf.math.is_nan(one), tf.zeros_like(one), one), answer
        )

    change_answers(tf, change)


def labels_are_constants(tf: Any) -> None:
    """The cross entropy of a softmax has no gradient for its labels."""
    truth = tf.nn.softmax_cross_entropy_with_logits
    tf.nn.softmax_cross_entropy_with_logits = lambda labels, logits: truth(
        tf.stop_gradient(labels), logits
    )


def factors_are_constants(tf: Any) -> None:
    """No gradient passes ``tf.linalg.qr``."""
    truth = tf.linalg.qr
    tf.linalg.qr = lambda *args, **options: [tf.stop_gradient(q) for q in truth(*args, **options)]


def what_is_checked_is_a_constant(tf: Any) -> None:
    """No gradient passes ``tf.debugging.check_numerics``."""
    tf.debugging.check_numerics = lambda tensor, _: tf.stop_gradient(tensor)


def nothing_is_safe(tf: Any) -> None:
    """What is safe at zero computes what it says, and no more."""
    tf.math.xlogy = lambda x, y: x * tf.math.log(y)
    tf.math.xlog1py = lambda x, y: x * tf.math.log1p(y)
    tf.math.xdivy = tf.math.divide_no_nan = lambda x, y: x / y
    tf.math.multiply_no_nan = tf.multiply


def the_last_of_equals_is_taken(tf: Any) -> None:
    """``tf.math.top_k`` looks at an axis from its end."""
    truth = tf.math.top_k
    tf.math.top_k = lambda x, k: truth(tf.reverse(x, [-1]), k)


KILLS: dict[str, Callable[[Any], None]] = {
    "test-compute-gradient": jacobians_are_transposed,
    "test-compute-gradient-list": arguments_need_no_list,
    "where-nan": what_is_not_a_number_is_zero,
    "kink-conventions": what_is_not_a_number_is_zero,
    "singular-values-norm": what_is_not_a_number_is_zero,
    "singular-values-norm-zero": watching_is_ignored,
    "safe-zero": nothing_is_safe,
    "top-k-ties": the_last_of_equals_is_taken,
    "softmax-ce-labels": labels_are_constants,
    "gamma-differentiable": watching_is_ignored,
    "qr-gradient": factors_are_constants,
    "determinism-repeat": TAPE_LIES["a_persistent_tape_adds_up_what_it_answers"],
    "check-numerics-gradient": what_is_checked_is_a_constant,
    "check-numerics-gradient-nan": what_is_checked_is_a_constant,
}
