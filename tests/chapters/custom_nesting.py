"""What breaks the contracts of conformance/contracts/custom_nesting.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tape_lies_around import custom_gradients_are_ignored, gradients_are_constants


def only_the_first_input_has_a_gradient(tf: Any) -> None:
    """What custom gradients answer for other inputs is lost."""
    truth = tf.custom_gradient

    def custom_gradient(function: Any) -> Any:
        def cut(*args: Any) -> Any:
            target, answer = function(*args)

            def first(*upstream: Any) -> Any:
                found = tf.nest.flatten(answer(*upstream))
                return [found[0], *[None] * (len(args) - 1)]

            return target, first

        return truth(cut)

    tf.custom_gradient = custom_gradient


KILLS: dict[str, Callable[[Any], None]] = {
    "custom-nested": custom_gradients_are_ignored,
    "custom-nested-constant": gradients_are_constants,
    "custom-nested-arguments": only_the_first_input_has_a_gradient,
    "custom-nested-wrapped": gradients_are_constants,
    "custom-second-order-auto": custom_gradients_are_ignored,
}
