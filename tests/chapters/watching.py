"""What breaks the contracts about watching."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from tests.tape_lies import TAPE_LIES, change_answers


def watching_is_ignored(tf: Any) -> None:
    """``watch`` does nothing."""
    tf.GradientTape.watch = lambda *_: None


def what_is_no_tensor_is_passed_over(tf: Any) -> None:
    """``watch`` does nothing about what it cannot watch."""
    truth = tf.GradientTape.watch

    def watch(self: Any, tensor: Any) -> None:
        with contextlib.suppress(ValueError):
            truth(self, tensor)

    tf.GradientTape.watch = watch


def integers_have_zeros(tf: Any) -> None:
    """The gradient of integers is zero, not None."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return tf.nest.map_structure(
            lambda s, g: tf.zeros_like(s) if s.dtype.is_integer else g, sources, answer
        )

    change_answers(tf, change)


def watching_again_counts_again(tf: Any) -> None:
    """Where ``watch`` was called twice, gradients are twice as large."""
    truth = tf.GradientTape.watch

    def watch(self: Any, tensor: Any) -> None:
        self.times = getattr(self, "times", 0) + len(tf.nest.flatten(tensor))
        truth(self, tensor)

    tf.GradientTape.watch = watch
    change_answers(
        tf,
        lambda truth, tape, target, source, **options: (
            truth(tape, target, source, **options) * tape.times
        ),
    )


def every_source_is_connected(tf: Any) -> None:
    """What is not connected gets ones."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return tf.nest.map_structure(
            lambda s, g: tf.ones_like(s) if g is None else g, sources, answer
        )

    change_answers(tf, change)


KILLS: dict[str, Callable[[Any], None]] = {
    "watch-tensor-explicit": watching_is_ignored,
    "record-needs-watched-input": watching_is_ignored,
    "watch-late": watching_is_ignored,
    "watch-nontrainable-explicit": TAPE_LIES["frozen_variables_cannot_be_watched"],
    "watch-list": TAPE_LIES["only_the_first_of_a_nest_is_watched"],
    "watch-nested-structure": TAPE_LIES["only_the_first_of_a_nest_is_watched"],
    "watch-rejects-nontensor": what_is_no_tensor_is_passed_over,
    "watch-int-warns": integers_have_zeros,
    "watch-before-enter": watching_is_ignored,
    "watch-idempotent": watching_again_counts_again,
    "watch-identity-not-value": every_source_is_connected,
    "watched-variables-order": TAPE_LIES["watched_variables_come_backwards"],
    "watched-variables-reset": TAPE_LIES["reset_is_ignored"],
    "watch-after-exit": every_source_is_connected,
    "watch-while-stopped": every_source_is_connected,
    "watched-variables-lifecycle": TAPE_LIES["watched_variables_are_lost_with_the_answer"],
    "no-auto-watch": TAPE_LIES["watch_accessed_variables_is_ignored"],
}
