"""What the article says of the tape in general, and what is so."""

from __future__ import annotations

import numpy as np

from conformance.boundary import error_text
from conformance.contract import UNDOCUMENTED, Tally, Violation, article, docstring, guide
from conformance.contracts.article import AUTOMATICALLY, CONTROLLING, MANUALLY, RECORDED
from conformance.contracts.regression_checks import claim, equals, fact, is_none, showing, unchanged
from conformance.linear_regression import BEFORE, NEVER, TENSORS
from conformance.literal_cases import LITERALS
from conformance.literal_cases import Seen as SeenLiterals
from conformance.regression_cases import Seen
from conformance.reproduction import Claim, nothing, something

IN_CONTEXT = docstring("tf.GradientTape", "executed within this context manager")


@claim(
    "article-tensor-as-source",
    "A watched Tensor is as good a source as a Variable: in its place it gets the same gradient.",
    article("the tape is not limited to Variables; it works with Tensors too"),
    MANUALLY,
)
def article_tensor_as_source(seen: Seen) -> Tally:
    """The watched among x, w, b and y get the closed form's gradient."""
    tally = Tally()
    for name in seen.case.when(BEFORE):
        equals(seen, tally, f"watching.{name}", name, "watching")
    return tally


@claim(
    "article-tensor-gradient-iff-watched",
    "Among Tensors that the loss depends on, those watched before the ops get a gradient, and "
    "those never watched get None.",
    article("gradients with respect to Tensors can absolutely be computed"),
    MANUALLY,
    CONTROLLING,
)
def article_tensor_gradient_iff_watched(seen: Seen) -> Tally:
    """x, w, b and y as Tensors: some watched before the ops, some not."""
    tally = Tally()
    for name in seen.case.when(NEVER):
        is_none(seen, tally, f"watching.{name}", "watching", f"nobody watches {name}")
    for name in seen.case.when(BEFORE):
        for number, point in enumerate(seen.points):
            if point[f"watching.{name}"] is None:
                raise Violation(
                    kind="none",
                    expected=f"a gradient for {name}",
                    got="None",
                    where=showing(seen, "watching", number, f"watching.{name}", something("got")),
                    why=f"{name} is watched before the ops, and the loss depends on it",
                )
            tally.conclusive += 1
    return tally


@claim(
    "article-records-if-watched",
    "The result of an op on Tensors is connected only if the tape watches one of the op's inputs.",
    article("the tape also tracks operations performed on Tensors"),
    RECORDED,
)
def article_records_if_watched(seen: Seen) -> Tally:
    """The prediction as a source: None unless x, w or b is watched before the ops."""
    tally = Tally()
    if "y_hat" in seen.case.recorded(whole=seen.mode.traces_ops):
        equals(seen, tally, "watching.y_hat", "y_hat", "watching")
    else:
        is_none(seen, tally, "watching.y_hat", "watching", "its op has no watched input")
    return tally


@claim(
    "article-records-in-context",
    "Only what runs inside the context is recorded: the same ops before or after it give None.",
    article("it records the forward pass within its context"),
    IN_CONTEXT,
    guide("autodiff", "Gradient tapes"),
)
def article_records_in_context(seen: Seen) -> Tally:
    """One prediction before, one inside and one after the context."""
    tally = Tally()
    for name in ("w", "b"):
        for place in ("early", "late"):
            is_none(seen, tally, f"{place}.{name}", "context", f"y_hat was computed {place}")
        equals(seen, tally, f"inside.{name}", f"prediction.{name}", "context")
    return tally


@claim(
    "article-gradient-of-intermediate",
    "gradient() goes backwards through what was recorded, also to a result on the way.",
    article("gradient() goes backwards from the target to the sources"),
    guide("autodiff", "Intermediate results"),
)
def article_gradient_of_intermediate(seen: Seen) -> Tally:
    """The gradient of the loss with respect to the prediction is 2/n (y_hat - y)."""
    tally = Tally()
    equals(seen, tally, "example 1.y_hat", "y_hat", "intermediate")
    return tally


@claim(
    "article-gradient-of-sum",
    "The gradient of a target of many elements is that of their sum.",
    article("gradient() gives the partial derivatives of the target"),
    guide("autodiff", "Gradients of non-scalar targets"),
)
def article_gradient_of_sum(seen: Seen) -> Tally:
    """The squares as the target, without reduce_mean."""
    tally = Tally()
    equals(seen, tally, "squares.w", "squares.w", "sum")
    equals(seen, tally, "squares.b", "squares.b", "sum")
    return tally


@claim(
    "article-gradient-does-not-update",
    "gradient() never changes a Variable: until somebody assigns, it holds what it held.",
    article("computing gradients subsequently modifies the value of a Variable"),
    UNDOCUMENTED,
)
def article_gradient_does_not_update(seen: Seen) -> Tally:
    """All Variables, trainable or not, after all gradients and before the steps."""
    tally = Tally()
    for name, key in (("w", "w"), ("b", "b"), ("other b", "b"), ("frozen", "w")):
        unchanged(seen, tally, f"after.{name}", key)
    return tally


@claim(
    "article-tape-updates-nothing",
    "The tape offers no way to update anything, neither a Tensor nor a Variable.",
    article("the tape has no mechanism to update a Tensor"),
    UNDOCUMENTED,
)
def article_tape_updates_nothing(seen: Seen) -> Tally:
    """No method's name begins like an update, and what was differentiated is as before."""
    tally = Tally()
    fact(seen, tally, "tape updates", expected=False, scene="example 1")
    for name in TENSORS:
        unchanged(seen, tally, f"after.tensor {name}", name, "watching")
    unchanged(seen, tally, "after.w", "w")
    return tally


@claim(
    "article-tensor-immutable",
    "A Tensor cannot be changed: assigning to an item of it raises TypeError.",
    article("Tensors are immutable"),
    docstring("tf.constant", "values are immutable"),
    guide("autodiff", "4. Took gradients through a stateful object"),
)
def article_tensor_immutable(seen: Seen) -> Tally:
    """An input and a result of ops, symbolic ones too; and the input is as before."""
    tally = Tally()
    fact(seen, tally, "put into Tensor", "TypeError", "example 2")
    fact(seen, tally, "put into result", "TypeError", "example 1")
    unchanged(seen, tally, "after.tensor x", "x", "example 2")
    return tally


@claim(
    "article-assign-sub-of-variable",
    "assign_sub is a method of a Variable; asking a Tensor for it raises AttributeError.",
    article("assign_sub belongs to Variables, and Tensors have nothing to change their value with"),
    docstring("tf.Variable.assign_sub", "Subtracts a value from this variable"),
)
def article_assign_sub_of_variable(seen: Seen) -> Tally:
    """Callable on the one, AttributeError on the other (symbolic ones too)."""
    tally = Tally()
    fact(seen, tally, "assign_sub of Variable", expected=True, scene="example 1")
    fact(seen, tally, "assign_sub of Tensor", "AttributeError", "example 2")
    return tally


@claim(
    "article-tracked-is-not-trainable",
    "A Variable with trainable=False is not tracked unasked; watched, it gets its gradient and "
    "stays not trainable.",
    article("being tracked by the tape does not imply being trainable"),
    AUTOMATICALLY,
    CONTROLLING,
)
def article_tracked_is_not_trainable(seen: Seen) -> Tally:
    """The weights with trainable=False, left alone and watched; the trainable ones are tracked."""
    tally = Tally()
    is_none(seen, tally, "frozen.alone", "frozen", "w is not trainable, and nobody watches it")
    equals(seen, tally, "frozen.watched", "w", "frozen")
    fact(seen, tally, "frozen is trainable", expected=False, scene="frozen")
    fact(seen, tally, "w is watched", expected=True, scene="example 1")
    return tally


@LITERALS.contract(
    "article-float-literals-need-no-dtype",
    "Python floats make float32 Tensors without dtype=tf.float32, and get the same gradient.",
    cites=[
        article("example 3 notes the explicit dtype=tf.float32"),
        docstring("tf.constant", "then the type is inferred from the type of"),
    ],
)
def article_float_literals_need_no_dtype(seen: SeenLiterals) -> Tally:
    """The dtype, and both gradients bit for bit."""
    tally = Tally()
    if seen.error is not None:
        raise Violation(
            kind="exception",
            expected="gradients, as the forward pass alone runs in this mode",
            got=error_text(seen.error),
            where=seen.case.unraised(seen.mode),
            why="the forward pass was run alone in the same mode",
        )
    plain, explicit = seen.gradients["plain"], seen.gradients["explicit"]
    same = plain is not None and explicit is not None and plain.dtype == explicit.dtype
    if (
        seen.dtypes["plain"] != "float32"
        or not same
        or not np.array_equal(plain.array, explicit.array)  # type: ignore[union-attr] # not None
    ):
        claim = Claim("literal", "x.dtype", "got == tf.float32")
        if seen.dtypes["plain"] == "float32":
            numbers = None if explicit is None else explicit.array.tolist()
            equal = f"got is not None and got.numpy().tolist() == {numbers}"
            claim = Claim("literal", "gradient", equal)
        raise Violation(
            kind="literal",
            expected=f"float32 and the gradient {explicit}",
            got=f"{seen.dtypes['plain']} and the gradient {plain}",
            where=seen.case.showing(seen.mode, "plain", claim),
            why="the same numbers with dtype=tf.float32; compared bit for bit",
        )
    tally.conclusive += 1
    return tally


@LITERALS.contract(
    "article-integer-literals-give-none",
    "Python integers make int32 Tensors, which get None even if they are watched.",
    cites=[
        article("example 3 notes the explicit dtype=tf.float32"),
        guide("autodiff", "3. Took gradients through an integer or string"),
    ],
)
def article_integer_literals_give_none(seen: SeenLiterals) -> Tally:
    """What would happen to the article's numbers without their decimal points."""
    tally = Tally()
    if seen.error is not None:
        tally.undecided("the programs raised")
        return tally
    dtype, gradient = seen.dtypes["whole"], seen.gradients["whole"]
    if dtype != "int32" or gradient is not None:
        claim = nothing("gradient", "literal")
        if dtype != "int32":
            claim = Claim("literal", "x.dtype", "got == tf.int32")
        raise Violation(
            kind="literal",
            expected="int32 and None",
            got=f"{dtype} and {gradient}",
            where=seen.case.showing(seen.mode, "whole", claim),
            why="integers are not differentiable",
        )
    tally.conclusive += 1
    return tally
