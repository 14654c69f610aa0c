"""What breaks the contracts of conformance/contracts/control_flow.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.chapters.functions import functions_are_not_recorded
from tests.chapters.watching import every_source_is_connected, watching_is_ignored
from tests.tape_lies_around import branches_are_not_recorded, loops_are_recorded_once

_LOOPS: Final = ("while_loop", "map_fn", "vectorized_map", "scan", "foldl", "foldr")


def branches_are_chosen_when_traced(tf: Any) -> None:
    """The first branch is taken, and no other is in the graph."""
    tf.cond = lambda _, first, __: first()
    tf.switch_case = lambda _, branches: branches[0]()


def back_prop_is_ignored(tf: Any) -> None:
    """``back_prop=False`` changes nothing."""
    for name in _LOOPS:
        setattr(tf, name, _without_option(getattr(tf, name), "back_prop"))


def loops_are_not_recorded(tf: Any) -> None:
    """No gradient passes a loop, map, scan or fold."""

    def cut(truth: Any) -> Any:
        return lambda *args, **options: tf.stop_gradient(truth(*args, **options))

    for name in _LOOPS:
        setattr(tf, name, cut(getattr(tf, name)))


def every_example_is_the_first(tf: Any) -> None:
    """``tf.vectorized_map`` answers for each row what is true of the first."""
    truth = tf.vectorized_map
    tf.vectorized_map = lambda function, rows: tf.nest.map_structure(
        lambda one: tf.zeros_like(one) + one[:1], truth(function, rows)
    )


def what_is_read_is_a_constant(tf: Any) -> None:
    """What a TensorArray gives is connected to nothing."""

    def cut(truth: Any) -> Any:
        return lambda self, *args: tf.stop_gradient(truth(self, *args))

    for name in ("stack", "concat", "gather", "read"):
        setattr(tf.TensorArray, name, cut(getattr(tf.TensorArray, name)))


def nothing_is_cleared(tf: Any) -> None:
    """A TensorArray keeps what was read."""
    truth = tf.TensorArray
    tf.TensorArray = lambda dtype, size, **_: truth(dtype, size, clear_after_read=False)


def every_loop_is_bounded(tf: Any) -> None:
    """A ``tf.while_loop`` goes around ten times at most."""
    truth = tf.while_loop
    tf.while_loop = lambda *args: truth(*args, maximum_iterations=10)


def no_loop_is_bounded(tf: Any) -> None:
    """``maximum_iterations`` is ignored."""
    tf.while_loop = _without_option(tf.while_loop, "maximum_iterations")


def _without_option(truth: Any, option: str) -> Any:
    def call(*args: Any, **options: Any) -> Any:
        options.pop(option, None)
        return truth(*args, **options)

    return call


KILLS: dict[str, Callable[[Any], None]] = {
    "python-if": every_source_is_connected,
    "python-while": watching_is_ignored,
    "cond-case-switch": branches_are_not_recorded,
    "branch-in-branch": branches_are_not_recorded,
    "branch-unused-eager": every_source_is_connected,
    "branch-unused-in-function": branches_are_chosen_when_traced,
    "while-loop-gradient": loops_are_recorded_once,
    "while-loop-back-prop-false": back_prop_is_ignored,
    "map-scan-fold-gradient": loops_are_not_recorded,
    "vectorized-map-gradient": loops_are_not_recorded,
    "vectorized-map-per-example": every_example_is_the_first,
    "tensorarray-gradient": what_is_read_is_a_constant,
    "tensorarray-clear-after-read": nothing_is_cleared,
    "xla-while-needs-bound": every_loop_is_bounded,
    "xla-while-bounded": no_loop_is_bounded,
    "autograph-early-return": functions_are_not_recorded,
}
