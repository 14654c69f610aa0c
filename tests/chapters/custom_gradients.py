"""What breaks the contracts of conformance/contracts/custom_gradients.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tape_lies_around import custom_gradients_are_ignored


def custom_functions_are_not_watched(tf: Any) -> None:
    """No tape sees what happens in a custom function."""
    truth = tf.custom_gradient

    def custom_gradient(function: Any) -> Any:
        return truth(lambda *args: function(*map(tf.stop_gradient, args)))

    tf.custom_gradient = custom_gradient


def variables_are_always_told(tf: Any) -> None:
    """A custom function that reads no Variable has its gradient told of an empty list."""
    truth = tf.custom_gradient

    def custom_gradient(function: Any) -> Any:
        def told(*args: Any) -> Any:
            target, answer = function(*args)
            return target, lambda *upstream: answer(*upstream, variables=[])

        return truth(told)

    tf.custom_gradient = custom_gradient


KILLS: dict[str, Callable[[Any], None]] = {
    "log1pexp-nan": custom_gradients_are_ignored,
    "custom-bar": custom_gradients_are_ignored,
    "custom-wrong-count": custom_gradients_are_ignored,
    "custom-wrong-count-in-function": custom_gradients_are_ignored,
    "custom-variables-kwarg": custom_gradients_are_ignored,
    "custom-variables-kwarg-default": variables_are_always_told,
    "custom-variables-kwarg-missing": custom_gradients_are_ignored,
    "custom-watched-forward": custom_functions_are_not_watched,
    "custom-watched-forward-lookuperror": custom_functions_are_not_watched,
    "custom-watched-forward-stop-gradient": custom_gradients_are_ignored,
}
