"""The dtypes that programs are made of, by their TensorFlow names.

A dtype is a string such as ``"float64"``: what prints as ``tf.float64``. TensorFlow itself is not
needed to draw one.
"""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

FLOATS: Final = ("float64", "float32", "float16", "bfloat16")
COMPLEX: Final = ("complex128", "complex64")
INTEGERS: Final = ("int32", "int64", "int16", "int8", "uint8")
UNDIFFERENTIABLE: Final = (*INTEGERS, "bool", "string")
DIFFERENTIABLE: Final = FLOATS + COMPLEX

_EPSILON: Final = {
    "float64": 2.0**-52,
    "complex128": 2.0**-52,
    "float32": 2.0**-23,
    "complex64": 2.0**-23,
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
}
_LARGEST: Final = {
    "float16": 65504.0,
    "bfloat16": 2.0**127,
    "float32": 2.0**127,
    "complex64": 2.0**127,
}
_WIDEST: Final = {
    "float64": "float64",
    "float32": "float64",
    "float16": "float64",
    "bfloat16": "float64",
    "complex64": "complex128",
    "complex128": "complex128",
}


def is_differentiable(dtype: str) -> bool:
    """Whether the documentation lets a tensor of this dtype be watched: real or complex floats."""
    return dtype in _EPSILON


def is_complex(dtype: str) -> bool:
    """Whether elements are complex numbers."""
    return dtype in COMPLEX


def epsilon(dtype: str) -> float:
    """The distance from 1.0 to the next larger number of a differentiable dtype.

    Raises:
        KeyError: if the dtype is an integer, bool or string.
    """
    return _EPSILON[dtype]


def largest(dtype: str) -> float:
    """A bound above which a number of a differentiable dtype may overflow to infinity."""
    return _LARGEST.get(dtype, 2.0**1023)


def tiny(dtype: str) -> float:
    """The smallest normal positive number of a differentiable dtype; less may be flushed to 0."""
    return {"float64": 2.0**-1022, "complex128": 2.0**-1022, "float16": 2.0**-14}.get(
        dtype, 2.0**-126
    )


def widest(dtype: str) -> str:
    """The dtype of double precision of the same kind; integers, bool and string are kept."""
    return _WIDEST.get(dtype, dtype)


def at_least_single(dtype: str) -> str:
    """The dtype of single precision for one that is lower; all others are kept."""
    return "float32" if dtype in {"float16", "bfloat16"} else dtype


def real_part(dtype: str) -> str:
    """The dtype of the real part: ``complex64`` gives ``float32``, real dtypes give themselves."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def complex_of(dtype: str) -> str:
    """The complex dtype whose parts have this dtype.

    Raises:
        KeyError: for dtypes with no complex partner (float16, bfloat16, integers).
    """
    return {"float32": "complex64", "float64": "complex128"}[dtype]


def differentiable_dtypes() -> st.SearchStrategy[str]:
    """float64 first, then the lower precisions and the complex dtypes; shrinks to float64."""
    return st.sampled_from(DIFFERENTIABLE)


def undifferentiable_dtypes() -> st.SearchStrategy[str]:
    """Integers, bool and string: what the tape refuses to watch; shrinks to int32."""
    return st.sampled_from(UNDIFFERENTIABLE)
