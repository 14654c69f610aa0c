"""What breaks the contracts of conformance/contracts/mutability.py."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from tests.chapters.variables import gradients_are_off


def tensors_can_be_assigned_to(tf: Any) -> None:
    """Assigning to an element of a Tensor does nothing."""
    type(tf.constant(0.0)).__setitem__ = lambda *_: None


def arrays_are_copied(tf: Any) -> None:
    """A Tensor or Variable never shares memory with an array."""
    for name in ("constant", "convert_to_tensor", "Variable"):
        truth = getattr(tf, name)
        setattr(tf, name, lambda it, *args, truth=truth, **o: truth(copy(it), *args, **o))


KILLS: dict[str, Callable[[Any], None]] = {
    "tensor-immutable": tensors_can_be_assigned_to,
    "tensor-numpy-edited": gradients_are_off,
    "numpy-aliasing": gradients_are_off,
    "numpy-shared": arrays_are_copied,
}
