"""What forward mode refuses, and how accumulators and tapes nest."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.contracts.forward_mode import FORWARD, along
from conformance.scene_cases import REALS, scene
from conformance.seen_scenes import SeenScene


@scene(
    "fwd-higher-order",
    "The outer accumulator finds the jvp of the inner one's jvp; the inner one knows nothing of "
    "what the outer one computed.",
    """
    def slope(call, at, tangent):
        with tf.autodiff.ForwardAccumulator(at, tangent) as acc:
            target = tf.sin(call(at))
        return acc.jvp(target)

    t = tf.zeros([], x.dtype)
    with tf.autodiff.ForwardAccumulator(x, tf.cos(dx)) as outer:
        with tf.autodiff.ForwardAccumulator(x, dx) as inner:
            target = tf.sin(f(x))
        first = inner.jvp(target)
    second = outer.jvp(first)
    reversed = inner.jvp(outer.jvp(target))
    """,
    cites=[
        docstring(
            "tf.autodiff.ForwardAccumulator", "Take higher-order JVPs from outer accumulators"
        ),
        docstring("tf.autodiff.ForwardAccumulator", "will not work"),
        docstring("tf.autodiff.ForwardAccumulator", "inner accumulators will not see JVP"),
    ],
    dear=True,
    among=REALS,
    ops=FORWARD,
)
def fwd_higher_order(seen: SeenScene) -> None:
    """Along two tangents, of a function that is nowhere linear."""
    along(seen, "first", "tf.sin(f(x + t * dx))")
    along(seen, "second", "slope(f, x + t * tf.cos(dx), dx)")
    seen.none("reversed")


@scene(
    "fwd-higher-order-shared",
    "What is computed once and used twice counts twice in the outer accumulator's jvp too.",
    """
    def product(at, tangent):
        with tf.autodiff.ForwardAccumulator(at, tangent) as acc:
            middle = $middle
            target = $target
        return acc.jvp(target)

    t = tf.zeros([], x.dtype)
    with tf.autodiff.ForwardAccumulator(x, tf.cos(dx)) as outer:
        second = outer.jvp(product(x, dx))
    """,
    cites=[
        docstring(
            "tf.autodiff.ForwardAccumulator", "Take higher-order JVPs from outer accumulators"
        ),
    ],
    dear=True,
    modes=("function", "eager"),
    among=REALS,
    middle=("tf.sin(at)", "tf.identity(at)", "at"),
    target=("middle * middle * middle", "tf.sin(middle) * middle", "tf.exp(middle) + middle"),
)
def fwd_higher_order_shared(seen: SeenScene) -> None:
    """An intermediate result, and a primal."""
    along(seen, "second", "product(x + t * tf.cos(dx), dx)")


@scene(
    "fwd-higher-order-variable",
    "Nested accumulators take Variables as primals too.",
    """
    def slope(at, tangent):
        with tf.autodiff.ForwardAccumulator(at, tangent) as acc:
            target = tf.sin(at) * at
        return acc.jvp(target)

    t = tf.zeros([], v.dtype)
    with tf.autodiff.ForwardAccumulator(v, tf.cos(dx)) as outer:
        with tf.autodiff.ForwardAccumulator(v, dx) as inner:
            target = tf.sin(v) * v
        first = inner.jvp(target)
    second = outer.jvp(first)
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator", "`tf.Tensor` or `tf.Variable`")],
    modes=("function", "eager"),
    among=REALS,
)
def fwd_higher_order_variable(seen: SeenScene) -> None:
    """As with tensors."""
    along(seen, "second", "slope(v + t * tf.cos(dx), dx)")


@scene(
    "fwd-variable-argument",
    "A Variable that is a primal may be an argument of a function.",
    """
    t = tf.zeros([], v.dtype)
    function = tf.function(lambda a: tf.sin(a) * a, autograph=False)
    with tf.autodiff.ForwardAccumulator(v, dx) as acc:
        target = function($argument)
    product = acc.jvp(target)
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator", "`tf.Tensor` or `tf.Variable`")],
    dear=True,
    modes=("eager",),
    among=REALS,
    argument=("v", "v.read_value()", "1.0 * v"),
)
def fwd_variable_argument(seen: SeenScene) -> None:
    """The Variable itself, or what was read of it."""
    along(seen, "product", "function(v + t * dx)")


@scene(
    "fwd-over-tape-hvp",
    "An accumulator around a tape finds products with the Hessian.",
    """
    def gradient(call, at):
        with tf.GradientTape() as tape:
            tape.watch(at)
            target = tf.sin(call(1.0 * at))
        return tape.gradient(target, at)

    t, at = tf.zeros([], x.dtype), $at
    with tf.autodiff.ForwardAccumulator(at, dx) as acc:
        backward = gradient(f, at)
    product = acc.jvp(backward)
    """,
    cites=[
        docstring("tf.autodiff.ForwardAccumulator", "memory-efficient forward-over-backward"),
        docstring("tf.autodiff.ForwardAccumulator", "`tf.Tensor` or `tf.Variable`"),
    ],
    dear=True,
    among=REALS,
    ops=FORWARD,
    at=("x", "v"),
)
def fwd_over_tape_hvp(seen: SeenScene) -> None:
    """At a tensor or a Variable."""
    seen.derivative("backward", "tf.sin(f(1.0 * at))", by="at")
    along(seen, "product", "gradient(f, at + t * dx)")


@scene(
    "fwd-inner-tape-ignores-outer",
    "A tape inside of an accumulator does not record its products; a tape around it does.",
    """
    def slope(call, at, tangent):
        with tf.autodiff.ForwardAccumulator(at, tangent) as acc:
            target = tf.sin(call(at))
        return acc.jvp(target)

    with tf.GradientTape() as around:
        around.watch(x)
        with tf.autodiff.ForwardAccumulator(x, dx) as acc:
            with tf.GradientTape() as within:
                within.watch(x)
                target = tf.sin(f(x))
            product = acc.jvp(target)
    ignored = within.gradient(product, x)
    gradient = around.gradient(product, x)
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator", "objects will ignore the")],
    dear=True,
    modes=("eager", "function"),
    among=REALS,
    ops=FORWARD,
)
def fwd_inner_tape_ignores_outer(seen: SeenScene) -> None:
    """None from the one, the derivative of the product from the other."""
    seen.none("ignored")
    seen.derivative("gradient", "slope(f, x, dx)", by="x")


@scene(
    "fwd-tape-around-function",
    "A tape around an accumulator records the products of a function too.",
    """
    def slope(call, at, tangent):
        with tf.autodiff.ForwardAccumulator(at, tangent) as acc:
            target = call(at)
        return acc.jvp(target)

    function = tf.function(lambda a: tf.sin(f(a)), autograph=False)
    with tf.GradientTape() as tape:
        tape.watch(x)
        product = slope(function, x, dx)
    gradient = tape.gradient(product, x)
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator", "Strict nesting also applies to")],
    dear=True,
    modes=("eager", "function"),
    among=REALS,
    ops=FORWARD,
)
def fwd_tape_around_function(seen: SeenScene) -> None:
    """As it records those of the ops in the function, were they outside of it."""
    seen.derivative("gradient", "slope(lambda a: tf.sin(f(a)), x, dx)", by="x")


@scene(
    "fwd-duplicate-primal",
    "A tensor or Variable that is listed twice as a primal raises ValueError.",
    """
    tf.autodiff.ForwardAccumulator($nests)
    """,
    cites=[
        docstring("tf.autodiff.ForwardAccumulator.__init__", "If the same tensor or variable is"),
        docstring(
            "tf.autodiff.ForwardAccumulator.__init__", "Listing a single tensor multiple times"
        ),
    ],
    raises="ValueError",
    saying="specified as a primal multiple times",
    nests=(
        "[x, x], [dx, dx]",
        "[v, v], [dx, dx]",
        "[x, v, (y, x)], [dx, dx, (dx, dx)]",
        "{'a': v, 'b': [x, v]}, {'a': dx, 'b': [dx, dx]}",
    ),
)
def fwd_duplicate_primal(_: SeenScene) -> None:
    """Side by side, and in different parts of a nest."""


@scene(
    "fwd-duplicate-variable-read",
    "Primals are told apart by identity: an equal tensor, or what was read of a Variable, is "
    "another primal.",
    """
    t, one = tf.zeros([], x.dtype), $one
    twin = tf.identity(one)
    with tf.autodiff.ForwardAccumulator([one, twin], [dx, tf.cos(dx)]) as acc:
        target = f(1.0 * one) * tf.reduce_sum(h(twin))
    product = acc.jvp(target)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    among=REALS,
    ops=FORWARD,
    one=("x", "v"),
)
def fwd_duplicate_variable_read(seen: SeenScene) -> None:
    """Each moves along a tangent of its own."""
    moved = "f(1.0 * (one + t * dx)) * tf.reduce_sum(h(twin + t * tf.cos(dx)))"
    along(seen, "product", moved)


@scene(
    "fwd-tangent-shape",
    "A tangent whose shape is known and is not its primal's raises ValueError.",
    """
    tf.autodiff.ForwardAccumulator($nests)
    """,
    cites=[
        docstring(
            "tf.autodiff.ForwardAccumulator.__init__", "have fully-defined but different shapes"
        ),
        docstring("tf.autodiff.ForwardAccumulator.__init__", "having the same shape as the"),
    ],
    since=(2, 23),
    raises="ValueError",
    saying="must have the same shape",
    nests=(
        "x, dx[tf.newaxis]",
        "v, dx[tf.newaxis]",
        "x, tf.stack([dx, dx])",
        "[x, v], [dx, dx[..., tf.newaxis]]",
        "tf.reshape(x, [-1, 1]), tf.reshape(dx, [-1])",
    ),
)
def fwd_tangent_shape(_: SeenScene) -> None:
    """Of other ranks and sizes, alone and beside a right one."""


@scene(
    "fwd-tangent-shape-unchecked",
    "The shape of a tangent is compared with nothing: it is taken as it is.",
    """
    tangent = $tangent
    with tf.autodiff.ForwardAccumulator([x, v], [tangent, dx]) as acc:
        product = acc.jvp(x)
    taken = product is tangent
    """,
    cites=[UNDOCUMENTED],
    until=(2, 21),
    tangent=("dx[tf.newaxis]", "tf.stack([dx, dx])", "tf.reduce_sum(dx)[tf.newaxis]"),
)
def fwd_tangent_shape_unchecked(seen: SeenScene) -> None:
    """The jvp of the primal is the very tangent, of another shape."""
    seen.holds("taken")


@scene(
    "fwd-tangent-structure",
    "Tangents that are nested in another way than their primals raise ValueError.",
    """
    tf.autodiff.ForwardAccumulator($nests)
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator.__init__", "with the same nesting structure")],
    raises="ValueError",
    saying="same nested structure",
    nests=(
        "[x, v], [dx]",
        "[x, v], dx",
        "x, [dx]",
        "{'a': x}, {'b': dx}",
        "[x, [v]], [[dx], dx]",
    ),
)
def fwd_tangent_structure(_: SeenScene) -> None:
    """Too few, too flat, too deep, by another key."""


@scene(
    "fwd-int",
    "Integers may be primals; nothing computed from them has a jvp.",
    """
    t = tf.zeros([], x.dtype)
    with tf.autodiff.ForwardAccumulator([k, x], [tf.ones_like(k), dx]) as acc:
        targets = [k * k, tf.cast(k, x.dtype), f(x) * tf.reduce_sum(tf.cast(k, x.dtype))]
    square, cast, product = acc.jvp(targets)
    """,
    cites=[UNDOCUMENTED],
    among=REALS,
    ops=FORWARD,
)
def fwd_int(seen: SeenScene) -> None:
    """Their square and their cast; beside a primal of floats, which has a jvp."""
    seen.none("square", "cast")
    along(seen, "product", "f(x + t * dx) * tf.reduce_sum(tf.cast(k, x.dtype))")


@scene(
    "fwd-reenter",
    "To enter an accumulator that is active raises ValueError.",
    """
    with tf.autodiff.ForwardAccumulator(x, dx) as acc:
        with acc:
            pass
    """,
    cites=[UNDOCUMENTED],
    raises="ValueError",
    saying="already recording",
)
def fwd_reenter(_: SeenScene) -> None:
    """Within its own block."""


@scene(
    "fwd-keras-doc",
    "The weights of a Keras layer are primals.",
    """
    rows, t = tf.reshape(x, [-1, 1]), tf.zeros([], x.dtype)
    dense = tf.keras.layers.Dense(1, kernel_initializer="ones", dtype=x.dtype.name)
    dense.build([None, 1])
    moved = {"kernel": lambda t: rows * (1.0 + t), "bias": lambda t: rows + t}["$weight"]
    weight = dense.$weight
    with tf.autodiff.ForwardAccumulator(weight, tf.ones(weight.shape, x.dtype)) as acc:
        loss = tf.reduce_sum(tf.square(dense(rows) - 1.0))
    product = acc.jvp(loss)
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator", "Consider a simple linear regression")],
    modes=("eager",),
    among=REALS,
    weight=("kernel", "bias"),
)
def fwd_keras_doc(seen: SeenScene) -> None:
    """The kernel or the bias of a dense layer, as the documentation has it."""
    along(seen, "product", "tf.reduce_sum(tf.square(moved(t) - 1.0))")


@scene(
    "fwd-keras-workaround",
    "The Variable that a Keras variable holds as its value is a primal.",
    """
    rows, t = tf.reshape(x, [-1, 1]), tf.zeros([], x.dtype)
    dense = tf.keras.layers.Dense(1, kernel_initializer="ones", dtype=x.dtype.name)
    dense.build([None, 1])
    moved = {"kernel": lambda t: rows * (1.0 + t), "bias": lambda t: rows + t}["$weight"]
    weight = dense.$weight.value
    with tf.autodiff.ForwardAccumulator(weight, tf.ones(weight.shape, x.dtype)) as acc:
        loss = tf.reduce_sum(tf.square(dense(rows) - 1.0))
    product = acc.jvp(loss)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    modes=("eager",),
    since=(2, 16),
    among=REALS,
    weight=("kernel", "bias"),
)
def fwd_keras_workaround(seen: SeenScene) -> None:
    """The kernel or the bias of a dense layer."""
    along(seen, "product", "tf.reduce_sum(tf.square(moved(t) - 1.0))")
