"""What breaks the contracts of conformance/contracts/stops.py."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from tests.chapters.watching import every_source_is_connected
from tests.tape_lies import change_answers


def nothing_is_stopped(tf: Any) -> None:
    """``tf.stop_gradient`` is an identity to tapes, too."""
    tf.stop_gradient = tf.identity


def nothing_is_connected(tf: Any) -> None:
    """Every gradient is None."""
    change_answers(tf, lambda *args, **_: tf.nest.map_structure(lambda _: None, args[3]))


def what_is_stopped_is_floating(tf: Any) -> None:
    """``tf.stop_gradient`` makes floating-point numbers of others."""
    truth = tf.stop_gradient
    tf.stop_gradient = lambda one: truth(
        tf.cast(one, tf.float32) if one.dtype.is_integer or one.dtype.is_bool else one
    )


def what_is_not_registered_has_no_gradient(tf: Any) -> None:
    """Where there should be a LookupError the gradient is None."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        try:
            return truth(tape, target, sources, **options)
        except LookupError:
            return None

    change_answers(tf, change)
    tf.gradients = lambda *_: None


def shuffling_raises_something_else(_: Any) -> None:
    """The gradient of ``tf.random.shuffle`` raises ValueError."""

    def gradient(*_: Any) -> Any:
        raise ValueError

    # private: the registry's table, in which the op has an entry from 2.10 on
    registry = importlib.import_module("tensorflow.python.framework.ops").gradient_registry
    registry._registry.setdefault("RandomShuffle", {})["type"] = gradient


def python_is_a_constant(tf: Any) -> None:
    """No gradient passes ``tf.py_function``."""
    truth = tf.py_function
    tf.py_function = lambda *args: tf.stop_gradient(truth(*args))


def python_is_recorded(tf: Any) -> None:
    """What happens in ``tf.py_function`` is recorded as if it happened outside."""
    tf.py_function = lambda function, given, _: function(*given)


def numpy_is_an_identity(tf: Any) -> None:
    """To tapes what ``tf.numpy_function`` gives is what it was given."""
    truth = tf.numpy_function
    tf.numpy_function = lambda function, given, kind: tf.grad_pass_through(
        lambda one: truth(function, [one], kind)
    )(given[0])


def random_numbers_are_constants(tf: Any) -> None:
    """No gradient passes normal numbers."""
    truth = tf.random.stateless_normal
    tf.random.stateless_normal = lambda *args: tf.stop_gradient(truth(*args))


KILLS: dict[str, Callable[[Any], None]] = {
    "stop-gradient": nothing_is_stopped,
    "stop-gradient-type": what_is_stopped_is_floating,
    "stop-gradient-softmax": nothing_is_connected,
    "lookup-error-unregistered": what_is_not_registered_has_no_gradient,
    "lookup-error": what_is_not_registered_has_no_gradient,
    "lookup-error-only-on-path": nothing_is_connected,
    "lookup-error-in-function": what_is_not_registered_has_no_gradient,
    "lookup-error-in-autograph": what_is_not_registered_has_no_gradient,
    "random-shuffle-gradient": shuffling_raises_something_else,
    "prevent-gradient": what_is_not_registered_has_no_gradient,
    "numpy-escape": every_source_is_connected,
    "py-function": python_is_a_constant,
    "py-function-once": python_is_recorded,
    "numpy-function": numpy_is_an_identity,
    "random-ops": random_numbers_are_constants,
}
