"""What breaks the contracts of conformance/contracts/recording.py."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.tape_lies import TAPE_LIES, change_answers
from tests.tape_lies_around import gradients_are_constants


def stop_recording_stops_every_tape(tf: Any) -> None:
    """Under ``stop_recording`` no tape at all records."""

    @contextlib.contextmanager
    def stop(_: Any) -> Iterator[None]:
        with tf.init_scope():
            yield

    tf.GradientTape.stop_recording = stop


def a_tape_asked_inside_raises_another_exception(tf: Any) -> None:
    """Inside of its context ``gradient`` raises ValueError."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        if tape._recording:
            raise ValueError
        return truth(tape, target, sources, **options)

    change_answers(tf, change)


def init_scope_does_nothing(tf: Any) -> None:
    """Tapes record under ``tf.init_scope``."""
    tf.init_scope = contextlib.nullcontext


def a_context_is_another_tape(tf: Any) -> None:
    """What a with statement names is a tape of its own."""
    truth = tf.GradientTape.__enter__

    def enter(self: Any) -> Any:
        truth(self)
        return tf.GradientTape()

    tf.GradientTape.__enter__ = enter


def to_leave_a_tape_does_nothing(tf: Any) -> None:
    """A tape that was left goes on recording."""
    tf.GradientTape.__exit__ = lambda *_: None


def autodiff_has_a_tape_of_its_own(tf: Any) -> None:
    """``tf.autodiff.GradientTape`` is a class of its own."""
    tf.autodiff.GradientTape = type("GradientTape", (tf.GradientTape,), {})


KILLS: dict[str, Callable[[Any], None]] = {
    "stop-recording": TAPE_LIES["stop_recording_is_ignored"],
    "stop-recording-not-recording": TAPE_LIES["stop_recording_is_ignored"],
    "stop-recording-exception": TAPE_LIES["recording_is_not_resumed"],
    "stop-recording-only-this-tape": stop_recording_stops_every_tape,
    "gradient-in-stop-recording": TAPE_LIES["stop_recording_forgets"],
    "reset-clears": TAPE_LIES["reset_is_ignored"],
    "reset-forgets-watch": TAPE_LIES["reset_is_ignored"],
    "reset-outside": TAPE_LIES["reset_is_ignored"],
    "gradient-inside-nonpersistent": a_tape_asked_inside_raises_another_exception,
    "gradient-inside-ends-recording": TAPE_LIES["every_tape_is_persistent"],
    "gradient-inside-persistent": gradients_are_constants,
    "init-scope-pauses": init_scope_does_nothing,
    "enter-returns-self": a_context_is_another_tape,
    "manual-enter-exit": to_leave_a_tape_does_nothing,
    "constructor-args": TAPE_LIES["every_tape_is_persistent"],
    "autodiff-alias": autodiff_has_a_tape_of_its_own,
}
