"""What breaks the contracts about output_gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tape_lies import change_answers


def output_gradients_are_ignored(tf: Any) -> None:
    """Every target counts with ones."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        options.pop("output_gradients", None)
        return truth(tape, target, sources, **options)

    change_answers(tf, change)


def persistent_tapes_ignore_output_gradients(tf: Any) -> None:
    """With a persistent tape every target counts with ones."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        if tape._persistent:
            options.pop("output_gradients", None)
        return truth(tape, target, sources, **options)

    change_answers(tf, change)


def no_output_gradients_are_halves(tf: Any) -> None:
    """Without output_gradients a target counts with a half."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return answer / 2 if options.get("output_gradients") is None else answer

    change_answers(tf, change)


def output_gradients_come_backwards(tf: Any) -> None:
    """The last of several output_gradients is for the first target."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        weights = options.pop("output_gradients", None)
        if weights is not None:
            weights = tf.nest.flatten(weights)[::-1]
        return truth(tape, target, sources, output_gradients=weights, **options)

    change_answers(tf, change)


def what_has_no_output_gradient_counts_with_ones(tf: Any) -> None:
    """An output_gradient that is None stands for ones."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        weights = options.pop("output_gradients", None) or []
        filled = [
            tf.ones_like(one) if weight is None else weight
            for one, weight in zip(tf.nest.flatten(target), weights, strict=True)
        ]
        return truth(tape, target, sources, output_gradients=filled, **options)

    change_answers(tf, change)


KILLS: dict[str, Callable[[Any], None]] = {
    "output-gradients-vjp": persistent_tapes_ignore_output_gradients,
    "output-gradients-default-ones": no_output_gradients_are_halves,
    "output-gradients-list": output_gradients_come_backwards,
    "output-gradients-dict": output_gradients_come_backwards,
    "output-gradients-linear": output_gradients_are_ignored,
    "output-gradients-none-entry": what_has_no_output_gradient_counts_with_ones,
    "output-gradients-too-many": output_gradients_come_backwards,
    "output-gradients-empty": no_output_gradients_are_halves,
    "output-gradients-too-few": output_gradients_are_ignored,
    "output-gradients-wrong-shape": output_gradients_are_ignored,
    "output-gradients-scalar": output_gradients_are_ignored,
}
