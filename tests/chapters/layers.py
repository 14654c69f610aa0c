"""What breaks the contracts of conformance/contracts/layers.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.variables import gradients_of_variables_are_off, nothing_is_watched_unasked
from tests.chapters.watching import every_source_is_connected


def nothing_can_be_watched(tf: Any) -> None:
    """``watch`` raises TypeError."""

    def watch(*_: Any) -> None:
        raise TypeError

    tf.GradientTape.watch = watch


KILLS: dict[str, Callable[[Any], None]] = {
    "no-auto-watch-unbuilt-layer": every_source_is_connected,
    "keras-layer-gradients": gradients_of_variables_are_off,
    "keras-variable-watch": nothing_can_be_watched,
    "layer-trainable-false": nothing_is_watched_unasked,
    "batchnorm-nontrainable": every_source_is_connected,
}
