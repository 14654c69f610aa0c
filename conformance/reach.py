"""Why a registered gradient function is out of reach of a suite for the CPU and for TensorFlow 2.

Most reasons are asked of TensorFlow's own registries of ops and kernels, which have no public name;
the rest is said by hand, and tested.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

from conformance.boundary import tensorflow

BY_HAND: Final[dict[str, tuple[str, ...]]] = {
    "control flow of TensorFlow 1, of which tf.function makes If and While": (
        "Enter",
        "Exit",
        "LoopCond",
        "Merge",
        "NextIteration",
        "Switch",
    ),
    "the TensorArray of TensorFlow 1, of which tf.function makes lists of tensors": tuple(
        f"TensorArray{what}V{number}"
        for what in ("Concat", "Gather", "Read", "Scatter", "Split", "Write")
        for number in (2, 3)
    ),
    "its result is of integers, of which there is no derivative": ("ArgMax", "ArgMin"),
    "its gradient looks for a debugger, and raises without one": ("DebugGradientIdentity",),
}
"""Types of ops by the reason why no program for a CPU and TensorFlow 2 gets a gradient of them."""


_REWRITTEN: Final = ("AccumulateNV2",)
"""Ops without a kernel that run all the same, as graphs are rewritten first."""


def why_out_of_reach(op: str) -> str:
    """The reason why nothing here can reach the gradient function of a type of op; "" if it can.

    Args:
        op: a type of op that TensorFlow has a gradient function for.
    """
    by_hand = [reason for reason, ops in BY_HAND.items() if op in ops]
    definition = _framework("op_def_registry").get(op)
    if by_hand or definition is None:
        return by_hand[0] if by_hand else "no such op is there"
    devices = {kernel.device_type for kernel in _kernels(op)}
    references = (argument.is_ref for argument in (*definition.input_arg, *definition.output_arg))
    asked = {
        "the op has no public name": not hasattr(tensorflow().raw_ops, op),
        "the op has no kernel for the CPU": not (devices & {"CPU", "DEFAULT"} or op in _REWRITTEN),
        "it takes references, which TensorFlow 1 had for variables": any(references),
        "the op is deprecated, and TensorFlow 2 refuses it": definition.deprecation.version > 0,
    }
    return next((reason for reason, holds in asked.items() if holds), "")


def _framework(module: str) -> Any:
    return importlib.import_module(f"tensorflow.python.framework.{module}")


def _kernels(op: str) -> Any:
    return _framework("kernels").get_registered_kernels_for_op(op).kernel
