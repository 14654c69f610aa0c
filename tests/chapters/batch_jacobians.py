"""What breaks the contracts about batch_jacobian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests import tape_lies_around
from tests.tape_lies import TAPE_LIES

assert tape_lies_around
ONE_ROW = TAPE_LIES["a_batch_jacobian_is_that_of_one_row"]


def batches_that_differ_are_cut(tf: Any) -> None:
    """Of a batch that is larger than the other the first rows count."""
    truth = tf.GradientTape.batch_jacobian

    def batch_jacobian(self: Any, target: Any, source: Any, **options: Any) -> Any:
        with self:
            target = target[: source.shape[0]]
        return truth(self, target, source, **options)

    tf.GradientTape.batch_jacobian = batch_jacobian


KILLS: dict[str, Callable[[Any], None]] = {
    "batch-jacobian-doc": ONE_ROW,
    "batch-jacobian-literal-formula": ONE_ROW,
    "batch-jacobian-equals-diagonal": ONE_ROW,
    "batch-jacobian-nopfor": ONE_ROW,
    "batch-jacobian-dependent": ONE_ROW,
    "batch-jacobian-first-dim": batches_that_differ_are_cut,
    "batch-jacobian-parallel-iterations": ONE_ROW,
}
