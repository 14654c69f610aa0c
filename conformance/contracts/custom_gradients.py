"""Gradients that the user writes, passes through or has recomputed."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "log1pexp-nan",
    "Where a formula overflows its gradient is NaN; a custom gradient of it is right.",
    """
    def formula(a):
        return tf.math.log(1 + tf.math.exp(a))

    @tf.custom_gradient
    def custom(a):
        big = tf.math.exp(a)
        return tf.math.log(1 + big), lambda upstream: upstream - upstream / (1 + big)

    large = 1000 + tf.math.abs(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, large])
        targets = [formula(large), custom(large), custom(x)]
    nan = tape.gradient(targets[0], large)
    one = tape.gradient(targets[1], large)
    gradient = tape.gradient(targets[2], x)
    """,
    cites=[
        docstring("tf.custom_gradient", "is NaN"),
        docstring("tf.custom_gradient", "evaluated as 1.0"),
    ],
    among=REALS,
)
def log1pexp_nan(seen: SeenScene) -> None:
    """At 1000 and above, where exp overflows in every dtype, and where it does not."""
    seen.holds("bool(tf.math.reduce_all(tf.math.is_nan(nan)))")
    seen.same("one", "tf.ones_like(x)")
    seen.derivative("gradient", "formula(x)", by="x")


@scene(
    "custom-bar",
    "The gradients of a custom function are what its own function answers, one for each input.",
    """
    def answer(upstream):
        return $answers

    @tf.custom_gradient
    def custom(a, b):
        return a * b, answer

    with tf.GradientTape() as tape:
        tape.watch([x, y])
        product = custom(x, y)
    gradients = tape.gradient(product, [x, y], output_gradients=z)
    wanted = answer(z)
    """,
    cites=[
        docstring("tf.custom_gradient", "must also return the same number of variables"),
        docstring("tf.custom_gradient", "is determined by `f(x)[1]`"),
    ],
    answers=("upstream * y, upstream * x", "dx, upstream", "[upstream, dx]"),
)
def custom_bar(seen: SeenScene) -> None:
    """The product of two, with its own gradients and with others."""
    seen.same("list(gradients)", "list(wanted)")
    seen.same("product", "x * y")


@scene(
    "custom-wrong-count",
    "Eagerly, a custom function that answers another number of gradients than it has inputs raises "
    "ValueError.",
    """
    @tf.custom_gradient
    def custom(a, b):
        return f(a) * tf.reduce_sum(h(b)), lambda upstream: $answers

    with tf.GradientTape() as tape:
        tape.watch([x, y])
        target = custom(x, y)
    tape.gradient(target, [x, y])
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    raises="ValueError",
    saying="gradients",
    answers=("dx", "(dx,)", "(dx, dx, dx)", "[]"),
    ops=SIMPLE,
)
def custom_wrong_count(_: SeenScene) -> None:
    """Two inputs; none, one, or three gradients."""


@scene(
    "custom-wrong-count-in-function",
    "In a tf.function it raises InternalError.",
    """
    @tf.custom_gradient
    def custom(a, b):
        return f(a) * tf.reduce_sum(h(b)), lambda upstream: $answers

    with tf.GradientTape() as tape:
        tape.watch([x, y])
        target = custom(x, y)
    tape.gradient(target, [x, y])
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    raises="InternalError",
    saying="too few gradients",
    answers=("dx", "(dx,)", "(dx, dx, dx)", "[]"),
    ops=SIMPLE,
)
def custom_wrong_count_in_function(_: SeenScene) -> None:
    """Whether they are too few or too many."""


@scene(
    "custom-variables-kwarg",
    "The gradient of a custom function that reads Variables is told them, and answers for them.",
    """
    told = []

    @tf.custom_gradient
    def custom(a):
        def answer(upstream, variables=None):
            told.extend(one is v for one in variables)
            return dx, [upstream]

        return a * v, answer

    with tf.GradientTape() as tape:
        tape.watch(x)
        product = custom(x)
    gradients = tape.gradient(product, [x, v], output_gradients=z)
    """,
    cites=[
        docstring("tf.custom_gradient", "That extra argument"),
        docstring("tf.custom_gradient", "and output it as a list"),
        docstring("tf.custom_gradient", "also returns an extra `grad_vars` output"),
    ],
)
def custom_variables_kwarg(seen: SeenScene) -> None:
    """One Variable, and one Tensor as the argument."""
    seen.holds("told == [True]")
    seen.same("gradients", "[dx, z]")


@scene(
    "custom-variables-kwarg-default",
    "The gradient of a custom function that reads no Variable is told of none: its argument for "
    "them keeps its default.",
    """
    told = []

    @tf.custom_gradient
    def custom(a):
        def answer(upstream, variables=None):
            told.append(variables)
            return dx

        return f(a), answer

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = custom(x)
    gradient = tape.gradient(target, x)
    """,
    cites=[docstring("tf.custom_gradient", "when no variables are used in the forward function")],
)
def custom_variables_kwarg_default(seen: SeenScene) -> None:
    """And it answers for its input alone."""
    seen.holds("told == [None]")
    seen.same("gradient", "dx")


@scene(
    "custom-variables-kwarg-missing",
    "Where a custom function reads a Variable, and its gradient takes none, it raises TypeError.",
    """
    @tf.custom_gradient
    def custom(a):
        return f(a) * tf.reduce_sum(h(v)), lambda upstream: dx

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = custom(x)
    tape.gradient(target, x)
    """,
    cites=[docstring("tf.custom_gradient", "should have signature")],
    raises="TypeError",
    saying="variables",
    ops=SIMPLE,
)
def custom_variables_kwarg_missing(_: SeenScene) -> None:
    """Whether or not the gradient of the Variable is asked for."""


@scene(
    "custom-watched-forward",
    "A tape records what a custom function does: what is computed on the way has its own gradient.",
    """
    kept = []

    @tf.custom_gradient
    def custom(a):
        kept.append(f(a))
        return g(kept[0]), lambda upstream: dx

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = custom(x)
    inside = tape.gradient(kept[0], x)
    around = tape.gradient(target, x)
    """,
    cites=[docstring("tf.custom_gradient", "is still watching the forward pass")],
)
def custom_watched_forward(seen: SeenScene) -> None:
    """An intermediate result that leaves the function, beside the result."""
    seen.derivative("inside", "f(x)", by="x")
    seen.same("around", "dx")


@scene(
    "custom-watched-forward-lookuperror",
    "A tf.function that is called in a custom function under a tape has its gradient built at "
    "once: an op in it whose gradient is not registered raises LookupError.",
    """
    @tf.function(autograph=False)
    def inside(a):
        return f(tf.raw_ops.Snapshot(input=a))

    @tf.custom_gradient
    def custom(a):
        return inside(a), lambda upstream: dx

    with tf.GradientTape() as tape:
        tape.watch(x)
        custom(x)
    """,
    cites=[
        docstring("tf.custom_gradient", "leads to a gradient graph being built"),
        docstring(
            "tf.custom_gradient", "without registered gradient, a `LookupError` will be raised"
        ),
    ],
    modes=("eager", "outer"),
    raises="LookupError",
    saying="Snapshot",
)
def custom_watched_forward_lookuperror(_: SeenScene) -> None:
    """Though no gradient is asked for, and this one would never be used."""


@scene(
    "custom-watched-forward-stop-gradient",
    "tf.stop_gradient keeps a tape from watching what a custom function does.",
    """
    @tf.function(autograph=False)
    def inside(a):
        return f($stopped)

    @tf.custom_gradient
    def custom(a):
        return inside(a), lambda upstream: dx

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = custom(x)
    gradient = tape.gradient(target, x)
    """,
    cites=[docstring("tf.custom_gradient", "is demonstrated in the example below")],
    stopped=(
        "tf.stop_gradient(tf.raw_ops.Snapshot(input=a))",
        "tf.raw_ops.Snapshot(input=tf.stop_gradient(a))",
    ),
)
def custom_watched_forward_stop_gradient(seen: SeenScene) -> None:
    """Before the op that has no gradient, and after it."""
    seen.same("gradient", "dx")
