"""What breaks the contracts of conformance/contracts/registrations.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.watching import every_source_is_connected


def any_name_is_registered(tf: Any) -> None:
    """Names of ops are not looked at."""
    tf.RegisterGradient = lambda _: lambda function: function
    tf.no_gradient = lambda _: None


def only_the_first_output_has_a_gradient(tf: Any) -> None:
    """Registered gradients are given the gradient of an op's first output alone."""
    truth = tf.RegisterGradient

    def register(name: str) -> Any:
        return lambda function: truth(name)(lambda op, *upstream: function(op, upstream[0]))

    tf.RegisterGradient = register


KILLS: dict[str, Callable[[Any], None]] = {
    "register-gradient-signature": only_the_first_output_has_a_gradient,
    "register-gradient": any_name_is_registered,
    "register-gradient-twice": any_name_is_registered,
    "no-gradient-propagates": every_source_is_connected,
}
