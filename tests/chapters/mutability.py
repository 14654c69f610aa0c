"""What breaks the contracts of conformance/contracts/mutability.py."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from tests.chapters.variables import gradients_of_variables_are_off


def tensors_can_be_assigned_to(tf: Any) -> None:
    """Assigning to an element of a Tensor does nothing."""
    type(tf.constant(0.0)).__setitem__ = lambda *_: None


def arrays_are_the_memory_of_tensors(tf: Any) -> None:
    """What ``numpy()`` returns is the memory of the Tensor."""

    def numpy(self: Any) -> Any:
        seen = np.asarray(memoryview(self))
        memory: Any = (ctypes.c_char * seen.nbytes).from_address(seen.ctypes.data)
        return np.ndarray(seen.shape, seen.dtype, memory)

    type(tf.constant(0.0)).numpy = numpy


def arrays_are_copied(tf: Any) -> None:
    """A Tensor or Variable never shares memory with an array."""
    for name in ("constant", "convert_to_tensor", "Variable"):
        truth = getattr(tf, name)
        setattr(tf, name, lambda it, *args, truth=truth, **o: truth(copy(it), *args, **o))


KILLS: dict[str, Callable[[Any], None]] = {
    "tensor-immutable": tensors_can_be_assigned_to,
    "tensor-numpy-edited": arrays_are_the_memory_of_tensors,
    "numpy-aliasing": gradients_of_variables_are_off,
    "numpy-shared": arrays_are_copied,
}
