"""What breaks the contracts about how Jacobians are computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chapters.jacobians import OFF, change_jacobians
from tests.tape_lies import TAPE_LIES


def loops_are_off_by_a_hundredth(tf: Any) -> None:
    """Not vectorized, ``jacobian`` answers 1.01 times as much."""

    def change(truth: Any, *args: Any, **options: Any) -> Any:
        answer = truth(*args, **options)
        return answer if options.get("experimental_use_pfor", True) else answer * 1.01

    change_jacobians(tf, change)


def nothing_is_vectorized(tf: Any) -> None:
    """``jacobian`` always takes the loop."""
    change_jacobians(
        tf,
        lambda truth, *args, **options: truth(*args, **{**options, "experimental_use_pfor": False}),
    )


def jacobians_have_the_dtype_of_the_target(tf: Any) -> None:
    """They are cast to it."""
    change_jacobians(
        tf,
        lambda truth, tape, target, source, **options: tf.cast(
            truth(tape, target, source, **options), target.dtype
        ),
    )


def jacobians_are_none(tf: Any) -> None:
    """Neither method answers."""
    tf.GradientTape.jacobian = tf.GradientTape.batch_jacobian = lambda *_, **__: None


KILLS: dict[str, Callable[[Any], None]] = {
    "jacobian-pfor-vs-while": loops_are_off_by_a_hundredth,
    "jacobian-vectorized-once": nothing_is_vectorized,
    "jacobian-nopfor-nonpersistent": TAPE_LIES["loops_of_jacobians_need_no_persistent_tape"],
    "jacobian-nopfor-in-function": loops_are_off_by_a_hundredth,
    "jacobian-mixed-dtype-nopfor": jacobians_have_the_dtype_of_the_target,
    "jacobian-vectorization-failure": nothing_is_vectorized,
    "jacobian-vectorization-fallback": OFF,
    "jacobian-control-flow": OFF,
    "jacobian-parallel-iterations": OFF,
    "jacobian-one-parallel-iteration": jacobians_are_none,
    "jacobian-parallel-iterations-once": jacobians_are_none,
    "jacobian-in-function": OFF,
}
