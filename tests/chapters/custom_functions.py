"""What breaks the contracts of conformance/contracts/custom_functions.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tape_lies_around import (
    custom_gradients_are_ignored,
    gradients_are_not_passed_through,
    recomputed_functions_are_constants,
)


def nothing_is_recomputed(tf: Any) -> None:
    """``tf.recompute_grad`` leaves a function what it is."""
    tf.recompute_grad = lambda function: function


KILLS: dict[str, Callable[[Any], None]] = {
    "custom-decorator-forms": custom_gradients_are_ignored,
    "custom-structures": custom_gradients_are_ignored,
    "custom-keywords": custom_gradients_are_ignored,
    "custom-keywords-in-function": custom_gradients_are_ignored,
    "clip-gradients-guide": custom_gradients_are_ignored,
    "savedmodel-custom-gradient": custom_gradients_are_ignored,
    "savedmodel-custom-gradient-left": custom_gradients_are_ignored,
    "recompute-grad": recomputed_functions_are_constants,
    "recompute-grad-keras": recomputed_functions_are_constants,
    "recompute-grad-keras-attributes": nothing_is_recomputed,
    "recompute-grad-forward-mode": recomputed_functions_are_constants,
    "recompute-grad-second-order": recomputed_functions_are_constants,
    "recompute-grad-second-order-in-function": recomputed_functions_are_constants,
    "grad-pass-through": gradients_are_not_passed_through,
}
