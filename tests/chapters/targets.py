"""What breaks the contracts about targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tape_lies import TAPE_LIES, change_answers


def targets_are_averaged(tf: Any) -> None:
    """The gradient of a target of several elements is that of their mean."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        if not isinstance(target, tf.Tensor):
            return answer
        return tf.nest.map_structure(lambda g: g / tf.cast(tf.size(target), g.dtype), answer)

    change_answers(tf, change)


def a_target_counts_once(tf: Any) -> None:
    """A target that is listed again is passed over."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        once = {id(one): one for one in tf.nest.flatten(target)}
        return truth(tape, list(once.values()), sources, **options)

    change_answers(tf, change)


def gradients_are_clipped(tf: Any) -> None:
    """No element of a gradient is larger than one."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return answer if answer.dtype.is_complex else tf.clip_by_value(answer, -1, 1)

    change_answers(tf, change)


def one_target_that_is_not_connected_hides_the_others(tf: Any) -> None:
    """Where a target is not connected to a source, the gradient of them all is None."""
    TAPE_LIES["every_tape_is_persistent"](tf)

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        alone = [truth(tape, one, sources, **options) for one in tf.nest.flatten(target)]
        return (
            None if any(one is None for one in alone) else truth(tape, target, sources, **options)
        )

    change_answers(tf, change)


KILLS: dict[str, Callable[[Any], None]] = {
    "nonscalar-sum": targets_are_averaged,
    "multi-target-sum": TAPE_LIES["only_the_first_target_counts"],
    "elementwise-diagonal": targets_are_averaged,
    "target-duplicate": a_target_counts_once,
    "target-and-source": TAPE_LIES["only_the_first_target_counts"],
    "target-partial-unconnected": one_target_that_is_not_connected_hides_the_others,
    "gradient-linearity": gradients_are_clipped,
}
