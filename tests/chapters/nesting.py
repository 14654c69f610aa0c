"""What breaks the contracts of conformance/contracts/nesting.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.recording import to_leave_a_tape_does_nothing
from tests.tape_lies import TAPE_LIES
from tests.tape_lies_around import gradients_of_gradients_are_off_by_a_hundredth


def what_one_tape_watches_all_watch(tf: Any) -> None:
    """``watch`` tells every tape that is open."""
    enter, leave, truth = (
        tf.GradientTape.__enter__,
        tf.GradientTape.__exit__,
        tf.GradientTape.watch,
    )
    tapes: list[Any] = []

    def start(self: Any) -> Any:
        tapes.append(self)
        return enter(self)

    def end(self: Any, *raised: Any) -> None:
        tapes.remove(self)
        leave(self, *raised)

    def watch(_: Any, what: Any) -> None:
        for tape in tapes:
            truth(tape, what)

    tf.GradientTape.__enter__, tf.GradientTape.__exit__ = start, end
    tf.GradientTape.watch = watch


KILLS: dict[str, Callable[[Any], None]] = {
    "nested-second-order": gradients_of_gradients_are_off_by_a_hundredth,
    "nested-nth-order": gradients_of_gradients_are_off_by_a_hundredth,
    "nested-in-function": gradients_of_gradients_are_off_by_a_hundredth,
    "nested-inner-gradient-outside-outer": to_leave_a_tape_does_nothing,
    "nested-watch-both": what_one_tape_watches_all_watch,
    "independent-tapes": what_one_tape_watches_all_watch,
    "input-gradient-regularisation": gradients_of_gradients_are_off_by_a_hundredth,
    "hvp-agreement": gradients_of_gradients_are_off_by_a_hundredth,
    "inner-tape-exception-safe": TAPE_LIES["an_inner_tape_stops_the_outer"],
    "mixed-partials": gradients_of_gradients_are_off_by_a_hundredth,
}
