"""Printed output against what the documentation shows."""

from __future__ import annotations

import pytest

from conformance.printed import agrees

SAME = {
    "the same": ("tf.Tensor(6.0, shape=(), dtype=float32)",) * 2,
    "white space is folded": ("array([[3., 4.],\n   [6., 8.]])", "array([[ 3., 4.], [ 6., 8.]])"),
    "an ellipsis stands for anything": (
        "<tf.Variable ... shape=() dtype=float32, numpy=...>",
        "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=2.0>",
    ),
    "an ellipsis beside a number": (
        "array([[0., 0.]], ...)>]",
        "array([[0., 0.]], dtype=float32)>]",
    ),
    "zeros that are not shown": ("[6., 1.]", "[6.0, 1.00]"),
    "rounded as shown": ("1.23", "1.2345"),
    "the last bits of single precision": ("4.4417057", "4.4417048"),
    "an exponent": ("1.5e-07", "1.4999e-7"),
    "signs": ("[-0.1, +2.0]", "[-0.1, 2.0]"),
    "scalars of NumPy 2": ("[2.0, True, 3]", "[np.float32(2.0), np.True_, np.int64(3)]"),
    "scalars of NumPy 2, documented": ("np.float64(1.0)", "1.0"),
    "words": ("None", "None\n"),
}

OTHER = {
    "another number": ("6.0", "6.1"),
    "off by more than the digits": ("1.23", "1.236"),
    "off in the last digit but one": ("4.44170", "4.44162"),
    "one of several numbers": ("[1., 2., 3.]", "[1., 2., 4.]"),
    "another integer": ("(2, 3)", "(2, 4)"),
    "a fraction for an integer": ("2", "2.04"),
    "an exponent": ("1.5e-07", "1.5e-06"),
    "a sign": ("-0.1", "0.1"),
    "not a number": ("1.0", "nan"),
    "a number for not a number": ("nan", "1.0"),
    "another shape": ("shape=(2,)", "shape=(2, 1)"),
    "another dtype": ("dtype=float32", "dtype=float64"),
    "fewer elements": ("[1., 2.]", "[1.]"),
    "more elements": ("[1.]", "[1., 2.]"),
    "other words": ("None", "0.0"),
    "words that run together": ("a b", "ab"),
    "more lines": ("running", "running\nrunning"),
    "nothing": ("running", ""),
}


@pytest.mark.parametrize("why", SAME)
def test_what_differs_only_in_how_it_is_printed_agrees(why: str) -> None:
    """Numbers that round to the digits that are shown, and NumPy 2's way to show scalars."""
    want, got = SAME[why]

    assert agrees(want, got)


@pytest.mark.parametrize("why", OTHER)
def test_what_says_something_else_does_not_agree(why: str) -> None:
    """A number off by more than its digits, another shape, dtype, sign, word or length."""
    want, got = OTHER[why]

    assert not agrees(want, got)
