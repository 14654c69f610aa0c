"""Custom gradients of custom gradients, and their derivatives."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


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
        docstring("tf.custom_gradient", "can lead to unintuitive results"),
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
    "custom-nested-arguments",
    "The gradient of a custom gradient answers one for each argument of the inner function.",
    """
    given = $given
    answers = [(n + 2) * dx for n in range(len(given))]

    @tf.custom_gradient
    def custom(a):
        @tf.custom_gradient
        def inner(*arguments):
            return tf.add_n(arguments), lambda again: answers

        return f(a), lambda upstream: inner(*given)

    with tf.GradientTape() as outer:
        outer.watch(given)
        with tf.GradientTape() as tape:
            tape.watch(x)
            target = custom(x)
        gradient = tape.gradient(target, x)
    seconds = outer.gradient(gradient, given)
    """,
    cites=[docstring("tf.custom_gradient", "control the expected return values of the innermost")],
    given=("[x]", "[x, y]", "[y, x, z]"),
)
def custom_nested_arguments(seen: SeenScene) -> None:
    """One to three arguments, which the outer tape watches."""
    seen.same("seconds", "answers")


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
