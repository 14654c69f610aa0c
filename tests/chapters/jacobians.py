"""What breaks the contracts about Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests import tape_lies_around
from tests.tape_lies import TAPE_LIES

assert tape_lies_around
OFF = TAPE_LIES["jacobians_are_off_by_a_hundredth"]


def change_jacobians(tf: Any, change: Callable[..., Any]) -> None:
    """Replace ``jacobian`` by ``change(truth, tape, target, sources, *args, **options)``."""
    truth = tf.GradientTape.jacobian

    def jacobian(self: Any, target: Any, sources: Any, *args: Any, **options: Any) -> Any:
        return change(truth, self, target, sources, *args, **options)

    tf.GradientTape.jacobian = jacobian


def of_a_nest_the_first_counts(tf: Any) -> None:
    """The Jacobian of a nest of targets is that of the first."""
    change_jacobians(
        tf,
        lambda truth, tape, target, sources, *args, **options: truth(
            tape, tf.nest.flatten(target)[0], sources, *args, **options
        ),
    )


def what_is_not_connected_has_zeros(tf: Any) -> None:
    """No Jacobian is None."""
    change_jacobians(
        tf,
        lambda truth, tape, target, sources, *_, **options: truth(
            tape, target, sources, **{**options, "unconnected_gradients": "zero"}
        ),
    )


def what_is_not_connected_has_no_zeros(tf: Any) -> None:
    """``UnconnectedGradients.ZERO`` is ignored."""
    change_jacobians(
        tf,
        lambda truth, tape, target, sources, *_, **options: truth(tape, target, sources, **options),
    )


def jacobians_are_transposed(tf: Any) -> None:
    """The axes of a Jacobian come backwards."""
    change_jacobians(tf, lambda truth, *args, **options: tf.transpose(truth(*args, **options)))


def jacobians_are_conjugated(tf: Any) -> None:
    """A Jacobian is the complex conjugate of what it should be."""
    change_jacobians(tf, lambda truth, *args, **options: tf.math.conj(truth(*args, **options)))


KILLS: dict[str, Callable[[Any], None]] = {
    "jacobian-doc": OFF,
    "jacobian-sum-is-gradient": OFF,
    "jacobian-single-target": of_a_nest_the_first_counts,
    "jacobian-sources-structure": what_is_not_connected_has_no_zeros,
    "jacobian-densifies": OFF,
    "jacobian-empty-target": jacobians_are_transposed,
    "jacobian-inside-context": OFF,
    "jacobian-complex": jacobians_are_conjugated,
    "jacobian-variable-target": OFF,
    "jacobian-int-target": what_is_not_connected_has_zeros,
    "hessian-symmetric": OFF,
}
