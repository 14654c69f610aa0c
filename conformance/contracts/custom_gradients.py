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
    ],
)
def custom_variables_kwarg(seen: SeenScene) -> None:
    """One Variable, and one Tensor as the argument."""
    seen.holds("told == [True]")
    seen.same("gradients", "[dx, z]")


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
    "custom-watched-forward-lookuperror",
    "A tape watches what a custom function does: a tf.function in it needs registered gradients.",
    """
    @tf.function(autograph=False)
    def inside(a):
        return f(tf.raw_ops.Snapshot(input=a))

    @tf.custom_gradient
    def custom(a):
        return inside(a), lambda upstream: dx

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = custom(x)
    tape.gradient(target, x)
    """,
    cites=[
        docstring(
            "tf.custom_gradient", "without registered gradient, a `LookupError` will be raised"
        )
    ],
    modes=("eager", "outer"),
    raises="LookupError",
    saying="Snapshot",
)
def custom_watched_forward_lookuperror(_: SeenScene) -> None:
    """Though its own gradient is never used."""


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


@scene(
    "custom-nested",
    "The gradient of a custom gradient is with respect to the gradient from above, not the input.",
    """
    @tf.custom_gradient
    def custom(a):
        @tf.custom_gradient
        def first(upstream):
            return upstream * a, lambda again: dx

        return a * a / 2, first

    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = tf.math.square(custom(x))
        gradient = inner.gradient(target, x)
    second = outer.gradient(gradient, x)
    """,
    cites=[
        docstring("tf.custom_gradient", "The default behavior does not correspond to n-th order"),
        docstring("tf.custom_gradient", "not the same as the second order gradient"),
    ],
    among=REALS,
)
def custom_nested(seen: SeenScene) -> None:
    """Its answer goes to what the gradient from above, 2 * custom(x), depends on."""
    seen.near("second", "2 * dx * x", "tf.math.abs(2 * dx * x)", roundings=4)


@scene(
    "custom-nested-constant",
    "If the gradient from above does not depend on the input, the gradient of a custom gradient is "
    "not asked: eagerly its ops are differentiated, in a tf.function the answer is None.",
    """
    @tf.custom_gradient
    def custom(a):
        @tf.custom_gradient
        def first(upstream):
            return upstream * a, lambda again: dx

        return a * a / 2, first

    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = custom(x)
        gradient = inner.gradient(target, x)
    second = outer.gradient(gradient, x)
    """,
    cites=[UNDOCUMENTED],
)
def custom_nested_constant(seen: SeenScene) -> None:
    """Alone, where custom(x) is the target, and ones come from above."""
    if seen.mode == "function":
        seen.none("second")
    else:
        seen.same("second", "tf.ones_like(x)")


@scene(
    "custom-nested-wrapped",
    "A custom gradient that calls another custom function of the input has that one's gradient as "
    "its own.",
    """
    @tf.custom_gradient
    def cube(a):
        def first(upstream):
            @tf.custom_gradient
            def slope(b):
                return 3 * b * b, lambda again: again * 6 * b

            return upstream * slope(a)

        return a * a * a, first

    def plain(a):
        with tf.GradientTape() as tape:
            tape.watch(a)
            target = f(a * a * a)
        return tape.gradient(target, a)

    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = f(cube(x))
        gradient = inner.gradient(target, x)
    second = outer.gradient(gradient, x)
    """,
    cites=[docstring("tf.custom_gradient", "Instead, wrap nested")],
    among=REALS,
    ops=SIMPLE,
)
def custom_nested_wrapped(seen: SeenScene) -> None:
    """The first and second derivative of a function of the cube."""
    seen.derivative("gradient", "f(x * x * x)", by="x")
    seen.derivative("second", "plain(x)", by="x")


@scene(
    "custom-second-order-auto",
    "What a custom gradient computes is recorded: the second derivative is the derivative of it.",
    """
    @tf.custom_gradient
    def custom(a):
        return f(a), lambda upstream: tf.math.sin(a) * tf.reduce_sum(upstream)

    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = custom(x)
        gradient = inner.gradient(target, x)
    second = outer.gradient(gradient, x)
    size = tf.reduce_sum(tf.ones_like(target))
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
)
def custom_second_order_auto(seen: SeenScene) -> None:
    """A sine, whatever the function itself is."""
    seen.derivative("second", "tf.math.sin(x) * size", by="x")
