"""The article's three examples, generalised: what really happens in each."""

from __future__ import annotations

from typing import Final

from conformance.boundary import error_text
from conformance.contract import Tally, Violation, article, docstring, guide
from conformance.contracts.regression_checks import (
    EAGER,
    claim,
    equals,
    fact,
    is_none,
    stepped,
    unchanged,
)
from conformance.linear_regression import AFTER, TENSORS
from conformance.regression_cases import REGRESSIONS, Seen
from conformance.regression_programs import RegressionProgram

MANUALLY: Final = docstring("tf.GradientTape", "Tensors can be manually watched")
AUTOMATICALLY: Final = docstring("tf.GradientTape", "are automatically watched")
RECORDED: Final = docstring("tf.GradientTape", "at least one of their inputs is being")
CONTROLLING: Final = guide("autodiff", "Controlling what the tape watches")
SUBTRACTS: Final = docstring("tf.Variable.assign_sub", "Subtracts a value from this variable")


@REGRESSIONS.contract(
    "article-ex1",
    "The weights and bias of a linear regression, as Variables, get the gradients of the closed "
    "form.",
    cites=[article("example 1 computes the gradients of w and b"), AUTOMATICALLY],
)
def article_ex1(seen: Seen) -> Tally:
    """2/n x^T (y_hat - y) for w and its column sum for b; nothing on the way raises."""
    tally = Tally()
    if seen.error is not None:
        raise Violation(
            kind="exception",
            expected="gradients, as the forward pass alone runs in this mode",
            got=error_text(seen.error),
            where=RegressionProgram(seen.case, seen.mode, "example 1").unraised(),
            why="the forward pass was run alone in the same mode",
        )
    equals(seen, tally, "example 1.w", "w", "example 1")
    equals(seen, tally, "example 1.b", "b", "example 1")
    return tally


@claim(
    "article-ex1-step",
    "assign_sub(learning_rate * gradient) moves the weights and the bias of example 1 as written.",
    article("example 1 updates w and b by assign_sub"),
    SUBTRACTS,
)
def article_ex1_step(seen: Seen) -> Tally:
    """The Variables after the step are exactly rounded (within a bound where compiled)."""
    tally = Tally()
    stepped(seen, tally, "w", "example 1.w", "w")
    stepped(seen, tally, "b", "example 1.b", "b")
    return tally


@claim(
    "article-ex2-constant-gives-none",
    "Weights that are a Tensor which nobody watches get None, not a gradient.",
    article("example 2: the tape does calculate the gradient of a constant w"),
    MANUALLY,
    CONTROLLING,
)
def article_ex2_constant_gives_none(seen: Seen) -> Tally:
    """The gradient of the unwatched weights is None."""
    tally = Tally()
    is_none(seen, tally, "example 2.w", "example 2", "w is a Tensor that nobody watches")
    return tally


@claim(
    "article-ex2-numpy-of-none",
    "Asking that gradient for .numpy() raises AttributeError, as None has no such method.",
    article("example 2: dw.numpy() shows the gradient"),
    modes=EAGER,
)
def article_ex2_numpy_of_none(seen: Seen) -> Tally:
    """``dw.numpy()`` raises AttributeError."""
    tally = Tally()
    fact(seen, tally, "numpy of gradient", "AttributeError", "example 2")
    return tally


@claim(
    "article-ex2-prints-nothing",
    "Example 2 ends in an AttributeError before it has printed anything.",
    article("example 2: its output shows that the gradient can be calculated but not used"),
    modes=EAGER,
)
def article_ex2_prints_nothing(seen: Seen) -> Tally:
    """The program, run as a script with the drawn numbers, prints nothing."""
    tally = Tally()
    fact(seen, tally, "example 2", "AttributeError", "example 2")
    if seen.printed:
        raise Violation(
            kind="printed",
            expected="no output",
            got=seen.printed,
            where=RegressionProgram(seen.case, seen.mode, "example 2").printing(),
            why="the program was run as a script, and what it prints was kept",
        )
    return tally


@claim(
    "article-ex2-step-of-a-tensor",
    "The step of the constant weights raises AttributeError, as a Tensor has no assign_sub; and "
    "learning_rate * gradient alone raises TypeError, as the gradient is None.",
    article("example 2: w.assign_sub(learning_rate * dw) fails, as Tensors lack the method"),
)
def article_ex2_step_of_a_tensor(seen: Seen) -> Tally:
    """Python looks the method up first, so the statement ends there."""
    tally = Tally()
    fact(seen, tally, "step of Tensor", "AttributeError", "example 2")
    fact(seen, tally, "rate times gradient", "TypeError", "example 2")
    return tally


@claim(
    "article-ex2-bias-steps",
    "Beside constant weights the bias, a Variable, still gets its gradient and its step.",
    article("example 2: b is updated all the same"),
    SUBTRACTS,
)
def article_ex2_bias_steps(seen: Seen) -> Tally:
    """The bias has the closed form's gradient and has moved by it."""
    tally = Tally()
    equals(seen, tally, "example 2.b", "b", "example 2")
    stepped(seen, tally, "other b", "example 2.b", "b")
    return tally


@claim(
    "article-constant-of-tensor",
    "tf.constant of an eager Tensor is that Tensor, so a watched one keeps its gradient.",
    article("example 2 makes its constant weights from a random Tensor"),
    docstring("tf.constant", "it even transmits gradients"),
    modes=EAGER,
)
def article_constant_of_tensor(seen: Seen) -> Tally:
    """The very object is returned, and the gradient goes through."""
    tally = Tally()
    fact(seen, tally, "constant of Tensor is it", expected=True, scene="constant")
    equals(seen, tally, "constant.w", "w", "constant")
    return tally


@claim(
    "article-ex3",
    "Features that are watched before the forward pass get the closed form's gradient, and are "
    "left as they are.",
    article("example 3: watching x gives the sensitivity of the loss to the input"),
    MANUALLY,
)
def article_ex3(seen: Seen) -> Tally:
    """2/n (y_hat - y) w^T, and x is unchanged."""
    tally = Tally()
    equals(seen, tally, "example 3.x", "x", "example 3")
    unchanged(seen, tally, "after.tensor x", "x", "example 3")
    return tally


@claim(
    "article-watch-before-forward",
    "A Tensor that is watched only after the ops have run gets None if nothing that they read was "
    "watched before.",
    article("example 3: watch has to come before the forward pass"),
    RECORDED,
)
def article_watch_before_forward(seen: Seen) -> Tally:
    """x, w, b and y as Tensors: all watched late, or each early, late or never."""
    tally = Tally()
    for name in TENSORS:
        is_none(seen, tally, f"all late.{name}", "all late", "all are watched after the ops")
    recorded = seen.case.recorded(whole=seen.mode.traces_ops)
    for name in seen.case.when(AFTER):
        if name not in recorded:
            why = f"{name} is watched late, and no op that reads it was recorded"
            is_none(seen, tally, f"watching.{name}", "watching", why)
    return tally


@claim(
    "article-ex3-late-watch",
    "In example 3 watching x after the forward pass gives the same gradient: the ops on x had been "
    "recorded for the sake of the Variables.",
    article("example 3: watch has to come before the forward pass"),
    RECORDED,
)
def article_ex3_late_watch(seen: Seen) -> Tally:
    """The example with its watch moved down; and late Tensors beside others watched early."""
    tally = Tally()
    equals(seen, tally, "example 3, late.x", "x", "example 3, late")
    recorded = seen.case.recorded(whole=seen.mode.traces_ops)
    for name in seen.case.when(AFTER):
        if name in recorded:
            equals(seen, tally, f"watching.{name}", name, "watching")
    return tally
