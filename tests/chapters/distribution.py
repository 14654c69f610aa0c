"""What breaks the contracts about tf.distribute and graphs of TensorFlow 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.watching import watching_is_ignored


def sums_are_means(tf: Any) -> None:
    """What replicas found is averaged where its sum is asked for."""
    strategy = tf.distribute.MirroredStrategy
    truth = strategy.reduce
    strategy.reduce = lambda self, _, value, axis: truth(self, "MEAN", value, axis)


KILLS: dict[str, Callable[[Any], None]] = {
    "mirrored-strategy": sums_are_means,
    "graph-v1-tape": watching_is_ignored,
}
