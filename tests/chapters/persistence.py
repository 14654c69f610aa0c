"""What breaks the contracts of conformance/contracts/persistence.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tape_lies import TAPE_LIES, change_answers
from tests.tape_lies_around import records_are_kept_for_ever


def a_tape_without_a_record_answers_none(tf: Any) -> None:
    """The gradient by a tape that was never entered is None."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        return truth(tape, target, sources, **options) if tape._tape else None

    change_answers(tf, change)


def negatives_are_kept_for_ever(tf: Any) -> None:
    """Somebody holds what ``tf.math.negative`` gives."""
    kept: list[Any] = []
    truth = tf.math.negative

    def negative(x: Any) -> Any:
        kept.append(truth(x))
        return kept[-1]

    tf.math.negative = negative


def a_tape_that_records_can_be_entered(tf: Any) -> None:
    """To enter it again does nothing."""
    truth = tf.GradientTape.__enter__
    tf.GradientTape.__enter__ = lambda self: self if self._recording else truth(self)


def a_failed_call_counts(tf: Any) -> None:
    """A tape that raised has answered."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        try:
            return truth(tape, target, sources, **options)
        except (AttributeError, TypeError, ValueError):
            tape._tape = None
            raise

    change_answers(tf, change)


def tapes_are_kept_for_ever(tf: Any) -> None:
    """Somebody holds every tape that has answered."""
    kept: list[Any] = []

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        kept.append(tape)
        return truth(tape, target, sources, **options)

    change_answers(tf, change)


KILLS: dict[str, Callable[[Any], None]] = {
    "nonpersistent-once": TAPE_LIES["every_tape_is_persistent"],
    "persistent-many": TAPE_LIES["a_persistent_tape_adds_up_what_it_answers"],
    "never-entered": a_tape_without_a_record_answers_none,
    "resources-released": records_are_kept_for_ever,
    "persistent-memory": negatives_are_kept_for_ever,
    "reentrant-active": a_tape_that_records_can_be_entered,
    "reenter-after-exit": TAPE_LIES["a_tape_entered_again_begins_anew"],
    "reenter-after-used": TAPE_LIES["every_tape_is_persistent"],
    "exception-in-context": TAPE_LIES["an_exception_forgets"],
    "failed-call-consumption": a_failed_call_counts,
    "failed-gradient-consumption": TAPE_LIES["every_tape_is_persistent"],
    "tape-in-loop-fresh": tapes_are_kept_for_ever,
}
