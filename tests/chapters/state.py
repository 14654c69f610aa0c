"""What breaks the contracts of conformance/contracts/state.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.variables import change_variables, gradients_of_variables_are_off
from tests.chapters.watching import every_source_is_connected


def subtractions_add(tf: Any) -> None:
    """``assign_sub`` adds."""
    kind = type(tf.Variable(0.0))
    change_variables(tf, "assign_sub", lambda _: kind.assign_add)


def assignments_always_return(tf: Any) -> None:
    """``read_value`` is ignored."""

    def change(truth: Any) -> Any:
        return lambda self, value, **_: truth(self, value)

    for name in ("assign", "assign_add", "assign_sub"):
        change_variables(tf, name, change)


def assignments_return_tensors(tf: Any) -> None:
    """What ``assign`` and its like return is a Tensor."""

    def change(truth: Any) -> Any:
        return lambda *args, **options: tf.identity(truth(*args, **options))

    for name in ("assign", "assign_add", "assign_sub", "scatter_nd_update"):
        change_variables(tf, name, change)


KILLS: dict[str, Callable[[Any], None]] = {
    "state-blocks-gradient": every_source_is_connected,
    "variable-made-of-tensor": every_source_is_connected,
    "assign-return-gradient": every_source_is_connected,
    "assign-after-record": gradients_of_variables_are_off,
    "assign-between-reads": gradients_of_variables_are_off,
    "read-inside-function-order": gradients_of_variables_are_off,
    "dataset-iterator-stops": every_source_is_connected,
    "queue-stops": every_source_is_connected,
    "sgd-by-hand": gradients_of_variables_are_off,
    "assign-value": subtractions_add,
    "assign-read-value-false": assignments_always_return,
    "assign-returns-variable": assignments_return_tensors,
}
