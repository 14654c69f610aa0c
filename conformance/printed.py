"""Whether what was printed is what the documentation shows.

As in TensorFlow's own tests of its documentation, text must be the same but for white space,
``...`` stands for anything, and numbers are compared as numbers. Their tolerance is derived: a
documented number stands for all numbers that round to its digits.
"""

from __future__ import annotations

import re

import numpy as np

_SLACK = 8 * float(np.finfo(np.float32).eps)
"""Relative error of a few operations in single precision, which NumPy prints to its last bit."""

_NUMPY_2 = re.compile(r"\bnp\.(?:(?:float|int|uint|complex)\d+\(([^()]*)\)|(True|False)_)")
"""NumPy 2 shows scalars as np.float64(1.0) and np.True_, where NumPy 1 shows 1.0 and True."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TOKEN = re.compile(
    rf"(?P<any>\.\.\.)|(?P<word>[^\W\d]\w*)|(?P<number>{_NUMBER})|(?P<space>\s+)|(?P<mark>.)",
    re.DOTALL,
)


def agrees(want: str, got: str) -> bool:
    """Whether a printed text is the documented one."""
    want, got = _plain(want), _plain(got)
    match = re.fullmatch(_pattern(want), got, re.DOTALL)
    numbers = [token["number"] for token in _TOKEN.finditer(want) if token["number"]]
    return match is not None and all(map(_close, numbers, match.groups()))


def _plain(text: str) -> str:
    return _NUMPY_2.sub(lambda shown: shown[1] or shown[2], text).strip()


def _pattern(want: str) -> str:
    """A regular expression for the text, in which each number is a group."""
    parts, before, spaced = [], "", False
    for token in _TOKEN.finditer(want):
        kind = str(token.lastgroup)
        if kind == "space":
            spaced = True
            continue
        words = {before, kind} <= {"word", "number"}
        parts.append(r"\s+" if spaced and words else r"\s*")
        parts.append(
            ".*?" if kind == "any" else f"({_NUMBER})" if kind == "number" else re.escape(token[0])
        )
        before, spaced = kind, False
    return "".join([*parts, r"\s*"])


def _close(want: str, got: str) -> bool:
    """Whether a number is one of those that round to the digits of the documented one."""
    expected = float(want)
    mantissa, _, exponent = want.lower().partition("e")
    if "." not in mantissa and not exponent:
        return float(got) == expected
    # NumPy prints 6. for 6.0: one decimal is meant at least
    decimals = max(len(mantissa.partition(".")[2]), 1)
    unit = 10.0 ** (int(exponent or 0) - decimals)
    return bool(np.isclose(float(got), expected, rtol=_SLACK, atol=unit / 2))
