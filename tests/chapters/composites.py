"""What breaks the contracts of conformance/contracts/composites.py."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tests.chapters.stops import nothing_is_connected
from tests.chapters.watching import every_source_is_connected
from tests.tape_lies import change_answers


def slices_are_dense(tf: Any) -> None:
    """Every gradient is a tensor."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return None if answer is None else tf.convert_to_tensor(answer)

    change_answers(tf, change)


def rows_occur_once(tf: Any) -> None:
    """Slices are given for each row once, summed."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        dense = tf.convert_to_tensor(truth(tape, target, sources, **options))
        return tf.IndexedSlices(dense, tf.range(dense.shape[0]))

    change_answers(tf, change)


def composites_are_unconnected(tf: Any) -> None:
    """The gradient is None for and of what is neither a Tensor nor a Variable."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        leaves = tf.nest.flatten([target, sources])
        if all(isinstance(leaf, (tf.Tensor, tf.Variable)) for leaf in leaves):
            return truth(tape, target, sources, **options)
        return tf.nest.map_structure(lambda _: None, sources)

    change_answers(tf, change)


def dense_tensors_come_silently(tf: Any) -> None:
    """``tf.convert_to_tensor`` warns of nothing."""
    truth = tf.convert_to_tensor

    def convert(*args: Any, **options: Any) -> Any:
        with warnings.catch_warnings(record=True):
            return truth(*args, **options)

    tf.convert_to_tensor = convert


KILLS: dict[str, Callable[[Any], None]] = {
    "gather-indexedslices": slices_are_dense,
    "indexedslices-duplicates": rows_occur_once,
    "indexedslices-aggregate": slices_are_dense,
    "ragged-source": composites_are_unconnected,
    "ragged-mixed": every_source_is_connected,
    "ragged-unconnected-zero": composites_are_unconnected,
    "sparse-source": composites_are_unconnected,
    "sparse-values-source": nothing_is_connected,
    "sparse-target": composites_are_unconnected,
    "extension-type": composites_are_unconnected,
    "extension-type-fields": nothing_is_connected,
    "linear-operator": composites_are_unconnected,
    "tnp-arrays": nothing_is_connected,
    "convert-indexedslices-warning": dense_tensors_come_silently,
}
