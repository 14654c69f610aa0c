"""What breaks the contracts of conformance/contracts/unconnected.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.watching import every_source_is_connected
from tests.tape_lies import TAPE_LIES, change_answers


def zero_is_ignored(tf: Any) -> None:
    """``unconnected_gradients`` is ignored, whatever it is."""

    def change(truth: Any, *args: Any, unconnected_gradients: Any = None, **options: Any) -> Any:
        del unconnected_gradients
        return truth(*args, **options)

    change_answers(tf, change)


def zeros_are_none(tf: Any) -> None:
    """Where a gradient is zero it is None."""

    def change(truth: Any, *args: Any, **options: Any) -> Any:
        answer = truth(*args, **options)
        return tf.nest.map_structure(
            lambda g: g if g is not None and tf.math.count_nonzero(g) else None, answer
        )

    change_answers(tf, change)


KILLS: dict[str, Callable[[Any], None]] = {
    "unconnected-strings": zero_is_ignored,
    "unconnected-unknown": zero_is_ignored,
    "zero-vs-disconnected-relu": zeros_are_none,
    "unconnected-zero-int": zero_is_ignored,
    "unconnected-mixed-list": every_source_is_connected,
    "self-gradient": TAPE_LIES["a_target_is_no_source"],
    "zero-second-derivative-none": every_source_is_connected,
}
