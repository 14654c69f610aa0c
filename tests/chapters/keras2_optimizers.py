"""What breaks the contracts about the optimisers of Keras 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.optimizers import (
    minimize_does_nothing,
    what_has_no_gradient_is_passed_over,
    what_is_malformed_is_passed_over,
)


def the_loss_is_its_own_tape(tf: Any) -> None:
    """``minimize`` and ``compute_gradients`` make do with a loss, and answer nothing."""
    tf.keras.optimizers.SGD.minimize = lambda *_, **__: None
    tf.keras.optimizers.SGD.compute_gradients = lambda *_, **__: []


def computed_gradients_come_backwards(tf: Any) -> None:
    """``compute_gradients`` begins with the last Variable."""
    sgd = tf.keras.optimizers.SGD
    truth = getattr(sgd, "compute_gradients", None)

    def compute_gradients(self: Any, *args: Any) -> Any:
        assert truth is not None
        return truth(self, *args)[::-1]

    sgd.compute_gradients = compute_gradients


def grad_loss_is_ignored(tf: Any) -> None:
    """``minimize`` takes ``grad_loss``, and ones in its place."""
    sgd = tf.keras.optimizers.SGD
    truth = getattr(sgd, "minimize", lambda: None)  # until 2.15
    sgd.minimize = lambda *args, **named: truth(*args, **{**named, "grad_loss": None})


def a_step_returns(answer: Any) -> Callable[[Any], None]:
    """The lie that ``apply_gradients`` and ``minimize`` return something else."""

    def lie(tf: Any) -> None:
        sgd = tf.keras.optimizers.SGD
        for name in ("apply_gradients", "minimize"):
            truth = getattr(sgd, name, lambda: None)  # until 2.15
            setattr(sgd, name, lambda *a, _truth=truth, **named: (_truth(*a, **named), answer)[1])

    return lie


def steps_are_not_counted(tf: Any) -> None:
    """After each step ``iterations`` is what it was at first."""
    sgd = tf.keras.optimizers.SGD
    truth = sgd.apply_gradients

    def apply_gradients(self: Any, *args: Any, **named: Any) -> Any:
        answer = truth(self, *args, **named)
        self.iterations.assign(0)
        return answer

    sgd.apply_gradients = apply_gradients


def get_gradients_answers_zeros(tf: Any) -> None:
    """``get_gradients`` answers zeros, whatever it is asked."""
    tf.keras.optimizers.SGD.get_gradients = lambda _, __, params: [tf.zeros_like(p) for p in params]


KILLS: dict[str, Callable[[Any], None]] = {
    "optimizer-minimize-tape": minimize_does_nothing,
    "optimizer-minimize-needs-tape": minimize_does_nothing,
    "optimizer-needs-tape": the_loss_is_its_own_tape,
    "optimizer-grad-loss": grad_loss_is_ignored,
    "optimizer-operation": a_step_returns(None),
    "optimizer-counts-steps": steps_are_not_counted,
    "optimizer-iteration-returned": steps_are_not_counted,
    "optimizer-minimize-returns-none": a_step_returns(0),
    "optimizer-malformed": what_is_malformed_is_passed_over,
    "optimizer-nothing-to-apply": what_has_no_gradient_is_passed_over,
    "optimizer-minimize-not-variable": minimize_does_nothing,
    "optimizer-compute-gradients": computed_gradients_come_backwards,
    "optimizer-get-gradients": get_gradients_answers_zeros,
    "optimizer-get-gradients-none": get_gradients_answers_zeros,
}
