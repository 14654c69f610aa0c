"""What breaks the contracts of conformance/contracts/variables.py."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tests.chapters.watching import every_source_is_connected, integers_have_zeros
from tests.tape_lies import change_answers


def gradients_of_variables_are_off(tf: Any) -> None:
    """The gradient of a source that is no Tensor is 1.01 times what it should be."""

    def off(source: Any, gradient: Any) -> Any:
        if gradient is None or isinstance(source, tf.Tensor):
            return gradient
        return tf.convert_to_tensor(gradient) * 1.01

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return tf.nest.map_structure(off, sources, answer)

    change_answers(tf, change)


def nothing_is_watched_unasked(tf: Any) -> None:
    """Every tape has watch_accessed_variables=False."""
    truth = tf.GradientTape.__init__

    def init(self: Any, persistent: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002
        truth(self, persistent, watch_accessed_variables=False)

    tf.GradientTape.__init__ = init


def change_variables(tf: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Replace an attribute of the class of Variables by what ``change`` makes of it."""
    kind = next(kind for kind in type(tf.Variable(0.0)).__mro__ if name in vars(kind))
    setattr(kind, name, change(vars(kind)[name]))


def trainable_can_be_set(tf: Any) -> None:
    """Setting ``trainable`` does nothing."""
    change_variables(tf, "trainable", lambda truth: property(truth.fget, lambda *_: None))


def values_are_zero(tf: Any) -> None:
    """``value`` gives zeros."""
    change_variables(tf, "value", lambda truth: lambda self: tf.zeros_like(truth(self)))


def modules_name_the_newest_first(tf: Any) -> None:
    """``trainable_variables`` come backwards."""
    truth = tf.Module.trainable_variables.fget
    tf.Module.trainable_variables = property(lambda self: truth(self)[::-1])


def variables_as_targets_have_the_wrong_type(tf: Any) -> None:
    """A Variable as target raises TypeError."""

    def change(truth: Any, tape: Any, target: Any, *args: Any, **options: Any) -> Any:
        if any(isinstance(leaf, tf.Variable) for leaf in tf.nest.flatten(target)):
            raise TypeError
        return truth(tape, target, *args, **options)

    change_answers(tf, change)


def conversions_copy(tf: Any) -> None:
    """``tf.convert_to_tensor`` and ``tf.cast`` return a copy where there is nothing to do."""
    for name in ("convert_to_tensor", "cast"):
        truth = getattr(tf, name)

        @functools.wraps(truth)
        def copied(*args: Any, truth: Any = truth) -> Any:
            return tf.identity(truth(*args))

        setattr(tf, name, copied)


KILLS: dict[str, Callable[[Any], None]] = {
    "var-trainable-default": nothing_is_watched_unasked,
    "var-trainable-doc-example": nothing_is_watched_unasked,
    "var-trainable-readonly": trainable_can_be_set,
    "access-means-read": nothing_is_watched_unasked,
    "access-by-python": nothing_is_watched_unasked,
    "guide-four-sources": every_source_is_connected,
    "var-replaced-by-tensor": every_source_is_connected,
    "variable-read": values_are_zero,
    "variable-value-live": values_are_zero,
    "var-int-none": integers_have_zeros,
    "module-trainable-variables": modules_name_the_newest_first,
    "variable-as-target": variables_as_targets_have_the_wrong_type,
    "variable-value-vs-variable": every_source_is_connected,
    "alias-identity": every_source_is_connected,
    "alias-same-tensor": conversions_copy,
    "deepcopy-variable": every_source_is_connected,
}
