"""Where this project ends and TensorFlow begins."""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from conformance.errors import ExitCode, UsageError
from strategies import dtypes

Array = npt.NDArray[Any]

OLDEST = (2, 8)
_OURS = tuple(
    str(Path(__file__).parents[1] / name) + os.sep for name in ("conformance", "strategies")
)


@cache
def tensorflow() -> Any:
    """The installed TensorFlow, imported once and silenced.

    Raises:
        UsageError: if there is none, or it is older than 2.8.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        tf = importlib.import_module("tensorflow")
    except ImportError as error:  # missing, or built for another NumPy or system
        raise UsageError(
            f"TensorFlow cannot be imported by {sys.executable}: {error}",
            expected="an installed TensorFlow, 2.8 or newer",
            hint="pip install tensorflow-cpu, or let tox install one: tox run -e tf2.21",
            code=ExitCode.NO_TENSORFLOW,
        ) from error
    if version(tf) < OLDEST:
        raise UsageError(
            f"TensorFlow {tf.__version__} is too old",
            expected="TensorFlow 2.8 or newer",
            hint="pip install --upgrade tensorflow-cpu, or let tox install one: tox run -e tf2.21",
            code=ExitCode.NO_TENSORFLOW,
        )
    tf.get_logger().setLevel("ERROR")
    # its own frames must stay in tracebacks: raised_by_tensorflow looks at the innermost
    tf.debugging.disable_traceback_filtering()
    return tf


def forget_jvps() -> None:
    """Let TensorFlow forget the functions that it has traced for forward mode in this process.

    An op that was traced 32 times, with whatever shapes, is traced with unknown ones from then on:
    what a program does would depend on those that ran before it. And each op is compared with all
    that were traced, so that it takes the longer the more there are. None of it has a public name.
    """
    module = sys.modules.get("tensorflow.python.eager.forwardprop")
    if module is None:
        return
    vars(module)["_TRACE_COUNT"].clear()
    for name in ("_jvp_exact_shapes", "_jvp_relaxed_shapes"):  # to 2.13
        if name in vars(module):
            vars(module)[name]._function_cache.clear()  # noqa: SLF001
    if "_jvp_function_cache" in vars(module):
        vars(module)["_jvp_function_cache"].clear()


def version(tf: Any) -> tuple[int, int]:
    """The minor version, as (2, 21)."""
    major, minor = str(tf.__version__).split(".")[:2]
    return int(major), int(minor)


def raised_by_tensorflow(error: Exception) -> Exception:
    """The error, if TensorFlow raised it.

    Raises:
        MemoryError: if there was no memory for what it asked for, in whatever words it says so: how
            much there is depends on the machine.
        Exception: the error itself, if it was raised by a line of this project: then it is our
            fault, and must not be recorded as an observation.
    """
    if isinstance(error, MemoryError):
        raise error
    if type(error).__name__ == "ResourceExhaustedError":
        raise MemoryError(str(error)) from error
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if frames and frames[-1].f_code.co_filename.startswith(_OURS):
        raise error
    return error


_FRAME: Final = re.compile(r'\n([^\S\n]*)File "[^\n]*(\n\1[^\S\n][^\n]*)?')
"""A line of a stack, and the line of code below it, which stands further in."""


def error_text(error: Exception) -> str:
    """An error's name and text, without the stack that TensorFlow writes into it.

    The stack is of where the error was met, in this project and on this machine.
    """
    text = re.sub(r"\n\s*\n", "\n", _FRAME.sub("", str(error)))
    return f"{type(error).__name__}: {text}"


_XLA_LACKS: Final = re.compile(r"No registered '\w+' OpKernel for XLA")
_UNIMPLEMENTED: Final = re.compile(r"\b\w*Grad\b.* not (yet )?implemented")
"""What the kernel of a gradient says; others are named in nodes of gradients too, after that."""


def is_gap(error: Exception) -> bool:
    """Whether an error of a gradient says that TensorFlow offers no such gradient.

    It does where none is registered, where it is not implemented, and where XLA, which compiles the
    op, does not compile what its gradient is made of.
    """
    # AutoGraph wraps what it runs into (in forward mode to 2.15, in the loops of Jacobians), and
    # keeps the cause in the text alone
    if isinstance(error, NotImplementedError):
        return "grad" in str(error).lower()  # .numpy() of a symbolic tensor raises it too
    if type(error).__name__ == "UnimplementedError":
        return _UNIMPLEMENTED.search(str(error)) is not None
    if _XLA_LACKS.search(str(error)):
        return True
    # an IndexError is a LookupError that says something else
    return type(error) is LookupError or re.search(r"\bLookupError: ", str(error)) is not None


def gap_of(error: Exception) -> str:
    """What a record calls a gap: the same text for whatever node of a graph lacks it."""
    kind = type(error).__name__
    if lacks := _XLA_LACKS.search(str(error)):
        return f"{kind}: {lacks[0]}"
    if kind == "UnimplementedError" and (lacks := _UNIMPLEMENTED.search(str(error))):
        return f"{kind}: {lacks[0]}"
    kind = "NotImplementedError" if isinstance(error, NotImplementedError) else "LookupError"
    told = str(error).strip().splitlines()[-1].strip()
    return told if told.startswith(f"{kind}: ") else f"{kind}: {told}"


@dataclass(frozen=True)
class Gradient:
    """A gradient as TensorFlow returned it: its dtype, and its numbers in double precision."""

    dtype: str
    array: Array


def same(one: Gradient | None, other: Gradient | None) -> bool:
    """Whether two answers are equal bit for bit; both may be None."""
    if one is None or other is None:
        return one is other
    return one.dtype == other.dtype and np.array_equal(
        one.array, other.array, equal_nan=one.array.dtype.kind in "fc"
    )


def numpy_dtype(dtype: str) -> str:
    """The NumPy dtype of double precision that holds the numbers of a TensorFlow dtype."""
    return (
        "float64" if dtype in dtypes.FLOATS else "complex128" if dtypes.is_complex(dtype) else dtype
    )


def make_tensor(tf: Any, dtype: str, array: Array) -> Any:
    """An array as a tensor of a dtype in which its numbers are exact."""
    tensor = tf.constant(array)
    return tensor if tensor.dtype.name == dtype else tf.cast(tensor, dtype)


def read(gradient: Any) -> Gradient | None:
    """A dense gradient as TensorFlow returned it, or None."""
    if gradient is None:
        return None
    kind = gradient.dtype.name
    numbers = "object" if kind == "string" else numpy_dtype(kind)  # bytes are true unless empty
    return Gradient(kind, np.asarray(gradient.numpy()).astype(numbers))
