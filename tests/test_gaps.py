"""A gradient that TensorFlow says it does not offer is a gap; whatever else it raises is not."""

from __future__ import annotations

import pytest
import tensorflow as tf

from conformance.boundary import error_text, gap_of, is_gap

STAGED = """in user code:

    File "loop.py", line 1, in body  *
        return gradient

    LookupError: gradient registry has no entry for: Igamma
"""
"""How AutoGraph wraps what it runs into: in the text alone."""


UNCOMPILED = """Detected unsupported operations when trying to compile graph __inference_f_47[] on
XLA_CPU_JIT: IFFT (No registered 'IFFT' OpKernel for XLA_CPU_JIT devices compatible with node y)
"""
"""How XLA says what it does not compile, with names that differ from run to run."""


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (
            LookupError("No gradient defined for operation 'y' (op type: Igamma)"),
            "LookupError: No gradient defined for operation 'y' (op type: Igamma)",
        ),
        (
            NotImplementedError("NormGrad not implemented."),
            "NotImplementedError: NormGrad not implemented.",
        ),
        (ValueError(STAGED), "LookupError: gradient registry has no entry for: Igamma"),
        (
            tf.errors.UnimplementedError(None, None, "ResizeGrad with corners is not implemented"),
            "UnimplementedError: ResizeGrad with corners is not implemented",
        ),
        (
            tf.errors.InvalidArgumentError(None, None, UNCOMPILED),
            "InvalidArgumentError: No registered 'IFFT' OpKernel for XLA",
        ),
    ],
)
def test_what_says_that_there_is_no_gradient_is_a_gap(error: Exception, name: str) -> None:
    """By its type, or by the type that its text names; the record keeps what TensorFlow said."""
    assert is_gap(error)
    assert gap_of(error) == name


@pytest.mark.parametrize(
    "error",
    [
        ValueError("No gradient, as the lookup found nothing"),
        tf.errors.UnimplementedError(None, None, "no kernel"),
        tf.errors.UnimplementedError(
            None, None, "Cast is not implemented [[{{node gradient_tape/f/CastGrad}}]]"
        ),
        NotImplementedError("numpy() is only available when eager execution is enabled."),
        IndexError("list index out of range"),
        KeyError("no gradient"),
        AttributeError("'NoneType' object has no attribute 'op'"),
    ],
)
def test_what_else_is_raised_is_none(error: Exception) -> None:
    """An error that does not say so is judged."""
    assert not is_gap(error)


def test_a_second_derivative_that_is_not_there_says_so() -> None:
    """The real thing: recompute_grad inside of a tf.function has no second derivative."""

    def second(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.recompute_grad(lambda x: tf.math.sin(x))(x)  # noqa: PLW0108 - it wants a function
            gradient = inner.gradient(y, x)
        return outer.gradient(gradient, x)

    with pytest.raises(NotImplementedError) as raised:
        tf.function(second, autograph=False)(tf.constant(1.0))

    assert is_gap(raised.value)


def test_an_error_is_told_without_the_stack_that_stands_in_its_text() -> None:
    """It is of another machine to whoever reads a record."""
    text = 'in user code:\n\n    File "/home/me/a.py", line 3, in f  *\n        g(x)\n\n    It is.'

    assert error_text(ValueError(text)) == "ValueError: in user code:\n    It is."
