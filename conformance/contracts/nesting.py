"""Tapes inside of tapes: gradients of gradients, and tapes that do not disturb each other."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

UNREDUCED = tuple(op for op in SIMPLE if op != "tf.math.reduce_sum")
"""Without the op that forward mode cannot take along axes of int64."""


@scene(
    "nested-second-order",
    "A tape around a tape gives second derivatives.",
    """
    def slope(function, at):
        with tf.GradientTape() as inner:
            inner.watch(at)
            target = tf.reduce_sum(function(at)) * tf.reduce_sum(at * at)
        return inner.gradient(target, at)

    with tf.GradientTape() as outer:
        outer.watch(x)
        first = slope(f, x)
    second = outer.gradient(first, x)
    """,
    cites=[docstring("tf.GradientTape", "can be nested to compute higher-order")],
    ops=SIMPLE,
)
def nested_second_order(seen: SeenScene) -> None:
    """The gradient of the gradient's sum."""
    seen.derivative("first", "tf.reduce_sum(f(x)) * tf.reduce_sum(x * x)", by="x")
    seen.derivative("second", "slope(f, x)", by="x")


@scene(
    "nested-nth-order",
    "So many tapes inside of each other give so many derivatives.",
    """
    import math

    def derivative(order):
        if not order:
            return x ** power
        with tf.GradientTape() as tape:
            tape.watch(x)
            target = derivative(order - 1)
        return tape.gradient(target, x)

    power, order = $power, $order
    last = derivative(order)
    """,
    cites=[docstring("tf.GradientTape", "can be nested to compute higher-order")],
    power=("5", "6", "7"),
    order=("1", "2", "3", "4", "5"),
)
def nested_nth_order(seen: SeenScene) -> None:
    """Of powers: finite differences of the derivative before it, which is known."""
    seen.derivative("last", "math.perm(power, order - 1) * x ** (power - order + 1)", by="x")


@scene(
    "nested-in-function",
    "Tapes inside of each other work inside of a tf.function too, compiled by XLA or not.",
    """
    def slopes(function, at):
        with tf.GradientTape() as outer:
            outer.watch(at)
            with tf.GradientTape() as inner:
                inner.watch(at)
                target = tf.reduce_sum(function(at)) * tf.reduce_sum(at * at)
            first = inner.gradient(target, at)
        return first, outer.gradient(first, at)

    compiled = tf.function(slopes, autograph=False, jit_compile=$compiled)
    first, second = compiled(f, x)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    modes=("eager", "outer"),
    ops=SIMPLE,
    among=REALS,
    compiled=("False", "False", "True"),
)
def nested_in_function(seen: SeenScene) -> None:
    """Two orders, by finite differences."""
    seen.derivative("first", "tf.reduce_sum(f(x)) * tf.reduce_sum(x * x)", by="x")
    seen.derivative("second", "slopes(f, x)[0]", by="x")


@scene(
    "nested-inner-gradient-outside-outer",
    "A gradient that is asked for when the outer context was left has no gradient there.",
    """
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = f(x)
    first = inner.gradient(target, x)
    second = outer.gradient(tf.convert_to_tensor(first), x)
    """,
    cites=[guide("advanced_autodiff", "Higher-order gradients")],
)
def nested_inner_gradient_outside_outer(seen: SeenScene) -> None:
    """What computes it is not recorded."""
    seen.derivative("first", "f(x)", by="x")
    seen.none("second")


@scene(
    "nested-watch-both",
    "A tensor has a second derivative only if both tapes watch it.",
    """
    def slopes(*watching):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                tapes = {"outer": outer, "inner": inner}
                for name in watching:
                    tapes[name].watch(x)
                target = tf.reduce_sum(f(x)) * tf.reduce_sum(x * x)
            first = inner.gradient(target, x)
        return first, None if first is None else outer.gradient(first, x)

    found = {"outer": slopes("outer"), "inner": slopes("inner")}
    both = slopes("outer", "inner")
    """,
    cites=[docstring("tf.GradientTape", "Tensors can be manually watched")],
    ops=SIMPLE,
)
def nested_watch_both(seen: SeenScene) -> None:
    """One of them alone, and both."""
    seen.none("found['outer']", "found['inner'][1]")
    seen.derivative("found['inner'][0]", "tf.reduce_sum(f(x)) * tf.reduce_sum(x * x)", by="x")
    seen.derivative("both[0]", "tf.reduce_sum(f(x)) * tf.reduce_sum(x * x)", by="x")
    seen.there("both[1]")


@scene(
    "independent-tapes",
    "Tapes that record at the same time know nothing of what the others watch.",
    """
    with tf.GradientTape() as one, tf.GradientTape() as two:
        one.watch(x)
        two.watch(y)
        target = f(x) * f(y)
    gradients = [tape.gradient(target, [x, y]) for tape in (one, two)]
    """,
    cites=[UNDOCUMENTED],
)
def independent_tapes(seen: SeenScene) -> None:
    """Two tapes in one statement, each with a source of its own."""
    of = "f(x) * f(y)"
    seen.derivative("gradients[0][0]", of, by="x")
    seen.none("gradients[0][1]", "gradients[1][0]")
    seen.derivative("gradients[1][1]", of, by="y")


@scene(
    "input-gradient-regularisation",
    "What is computed from the gradient of an inner tape, by the input of a model, has a gradient "
    "by its Variables.",
    """
    def penalty(function, at, weights):
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(at)
            target = tf.reduce_sum(function(at * weights)) * tf.reduce_sum(at * weights)
        slope = inner.gradient(target, at)
        return inner.watched_variables(), tf.reduce_sum(slope * slope)

    with tf.GradientTape() as outer:
        watched, cost = penalty(f, x, v)
    gradient = outer.gradient(cost, v)
    """,
    cites=[guide("advanced_autodiff", "Input gradient regularization")],
    ops=SIMPLE,
    among=REALS,
)
def input_gradient_regularisation(seen: SeenScene) -> None:
    """The inner tape watches the input alone."""
    seen.holds("watched == ()")
    seen.derivative("gradient", "penalty(f, x, v)[1]", by="v")


@scene(
    "hvp-agreement",
    "A product of a Hessian and a vector is the same by two tapes, by a forward accumulator over a "
    "tape, and by the Jacobian of a gradient.",
    """
    def slope(function, at):
        with tf.GradientTape() as inner:
            inner.watch(at)
            target = tf.reduce_sum(function(at)) * tf.reduce_sum(at * at)
        return inner.gradient(target, at)

    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        first = slope(f, x)
        along = tf.reduce_sum(first * dx)
    with tf.autodiff.ForwardAccumulator(x, dx) as forward:
        again = slope(f, x)
    hessian = outer.jacobian(first, x, experimental_use_pfor=$pfor)
    products = [
        outer.gradient(along, x),
        forward.jvp(again),
        tf.tensordot(hessian, dx, len(dx.shape)),
    ]
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator", "forward-over-backward computation of")],
    dear=True,
    ops=UNREDUCED,
    among=REALS,
    ranks=(0, 2),
    pfor=("False", "False", "False", "True"),
)
def hvp_agreement(seen: SeenScene) -> None:
    """Each is the derivative of the gradient's product with the vector."""
    for number in range(3):
        seen.derivative(f"products[{number}]", "tf.reduce_sum(slope(f, x) * dx)", by="x")


@scene(
    "inner-tape-exception-safe",
    "An exception that leaves an inner context leaves the outer tape recording.",
    """
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        try:
            with tf.GradientTape() as inner:
                inner.watch(x)
                early = f(x)
                $exception
        except (LookupError, KeyboardInterrupt, tf.errors.InvalidArgumentError, ValueError):
            late = h(x)
    gradients = [outer.gradient(target, x) for target in (early, late)]
    none = inner.gradient(late, x)
    """,
    cites=[UNDOCUMENTED],
    exception=("raise LookupError", "raise KeyboardInterrupt", "tf.zeros(2) + [1.0] * 3"),
)
def inner_tape_exception_safe(seen: SeenScene) -> None:
    """What ran in the inner context, and what runs after it."""
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.derivative("gradients[1]", "h(x)", by="x")
    seen.none("none")


@scene(
    "mixed-partials",
    "It does not matter by which of two sources one differentiates first.",
    """
    def slopes(function, one, two):
        with tf.GradientTape(persistent=True) as inner:
            inner.watch([one, two])
            target = tf.reduce_sum(function(one * two)) * tf.reduce_sum(one + two * two)
        return inner.gradient(target, one), inner.gradient(target, two)

    with tf.GradientTape(persistent=True) as outer:
        outer.watch([x, y])
        by_x, by_y = slopes(f, x, y)
    mixed = [outer.gradient(by_x, y), outer.gradient(by_y, x)]
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    ops=SIMPLE,
    among=REALS,
    ranks=(0, 0),
)
def mixed_partials(seen: SeenScene) -> None:
    """Of numbers; either is the derivative of what the other one started with."""
    for number in range(2):
        seen.derivative(f"mixed[{number}]", "slopes(f, x, y)[0]", by="y")
        seen.derivative(f"mixed[{number}]", "slopes(f, x, y)[1]", by="x")
