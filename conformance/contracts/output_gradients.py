"""The cotangents that a gradient is asked with."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

ONE_FOR_EACH = docstring("tf.GradientTape.gradient", "output_gradients: a list of gradients, one")


@scene(
    "output-gradients-vjp",
    "With output_gradients the gradient is their product with the Jacobian.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = f(x)
    gradient = tape.gradient(target, x, output_gradients=dy)
    jacobian = tape.jacobian(target, x, experimental_use_pfor=False)
    product = tf.tensordot(dy, jacobian, dy.shape.rank)
    """,
    cites=[ONE_FOR_EACH],
    among=REALS,
    ops=SIMPLE,
)
def output_gradients_vjp(seen: SeenScene) -> None:
    """Finite differences of the weighted target find both."""
    seen.derivative("gradient", "f(x)", by="x", weights="dy")
    seen.derivative("product", "f(x)", by="x", weights="dy")


@scene(
    "output-gradients-default-ones",
    "Without output_gradients every element of a target counts with one.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = $target
    default = tape.gradient(target, x)
    none = tape.gradient(target, x, output_gradients=None)
    ones = tape.gradient(target, x, output_gradients=tf.nest.map_structure(tf.ones_like, target))
    """,
    cites=[docstring("tf.GradientTape.gradient", "Defaults to None")],
    modes=("eager", "outer"),
    target=("f(x)", "[f(x), h(x)]"),
)
def output_gradients_default_ones(seen: SeenScene) -> None:
    """Bit for bit: the same kernels run on the same numbers."""
    seen.same("none", "default")
    seen.same("ones", "default")


@scene(
    "output-gradients-list",
    "Each target has its entry in the list of output_gradients; that of a single target may stand "
    "by itself, and be an array or a Variable.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        first = f(x)
        second = g(first)
    single = tape.gradient(first, x, output_gradients=$single)
    several = tape.gradient([first, second], x, output_gradients=$several)
    """,
    cites=[ONE_FOR_EACH],
    modes=("eager", "outer"),
    single=("dy", "[dy]", "dy.numpy()", "(dy.numpy(),)", "tf.Variable(dy)"),
    several=("[dy, dz]", "(dy.numpy(), dz)", "[tf.Variable(dy), dz.numpy()]"),
)
def output_gradients_list(seen: SeenScene) -> None:
    """One target, and one with another one that is computed from it."""
    seen.derivative("single", "f(x)", by="x", weights="dy")
    seen.derivative("several", "[f(x), g(f(x))]", by="x", weights="[dy, dz]")


@scene(
    "output-gradients-dict",
    "output_gradients in a dict belong to the targets of the same keys, whatever their order.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        first = f(x)
        second = g(first)
    gradient = tape.gradient($targets, x, output_gradients=$weights)
    """,
    cites=[UNDOCUMENTED],
    targets=("{'a': first, 'b': second}", "{'b': second, 'a': first}"),
    weights=("{'a': dy, 'b': dz}", "{'b': dz, 'a': dy}"),
)
def output_gradients_dict(seen: SeenScene) -> None:
    """Two keys in either order."""
    seen.derivative("gradient", "[f(x), g(f(x))]", by="x", weights="[dy, dz]")


@scene(
    "output-gradients-linear",
    "The gradient is linear in output_gradients, and can be differentiated by them: that gives the "
    "product of the Jacobian with a tangent.",
    """
    def pulled(one, weights):
        with tf.GradientTape() as tape:
            tape.watch(x)
            target = one(x)
        return tape.gradient(target, x, output_gradients=weights)

    with tf.GradientTape() as tape:
        tape.watch(dy)
        gradient = pulled(f, dy)
    pushed = tape.gradient(gradient, dy, output_gradients=dx)
    scaled = pulled(f, $scale * dy)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
    scale=("2.0", "-1.0", "-0.25"),
)
def output_gradients_linear(seen: SeenScene) -> None:
    """Scaled by a power of two, bit for bit; and by finite differences of the gradient."""
    scale = seen.case.chosen["scale"]
    seen.same("scaled", f"{scale} * gradient")
    seen.derivative("pushed", "pulled(f, dy)", by="dy", weights="dx")


@scene(
    "output-gradients-none-entry",
    "A None among the output_gradients does not stand for ones: it is handed to the target's op, "
    "which raises ValueError if it computes with it.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        targets = [tf.math.square(f(x)), tf.math.square(h(x))]
    tape.gradient(targets, x, output_gradients=$weights)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    raises="ValueError",
    saying="None",
    weights=("[None, None]", "[dy, None]", "[None, targets[1]]"),
)
def output_gradients_none_entry(_: SeenScene) -> None:
    """One of two, or both."""


@scene(
    "output-gradients-too-many",
    "More output_gradients than targets are no error: those beyond are left out. So the entries of "
    "a flat list are each for a target, not for an element of the only one.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = f(x)
    gradient = tape.gradient(target, x, output_gradients=$weights)
    first = tape.gradient(target, x, output_gradients=[dy])
    """,
    cites=[UNDOCUMENTED],
    until=(2, 21),
    modes=("eager", "outer"),
    weights=("[dy, dy]", "[dy, dx, 3.0]", "(dy, 1.0)", "[dy, *tf.unstack(tf.reshape(dx, [-1]))]"),
)
def output_gradients_too_many(seen: SeenScene) -> None:
    """Bit for bit as with the first entry alone."""
    seen.same("gradient", "first")


@scene(
    "output-gradients-empty",
    "An empty list of output_gradients counts as none.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = $target
    gradient = tape.gradient(target, x, output_gradients=$empty)
    default = tape.gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
    until=(2, 21),
    modes=("eager", "outer"),
    target=("f(x)", "[f(x), h(x)]"),
    empty=("[]", "()", "{}"),
)
def output_gradients_empty(seen: SeenScene) -> None:
    """Bit for bit, for one target and for two."""
    seen.same("gradient", "default")


@scene(
    "output-gradients-too-few",
    "Fewer or more output_gradients than targets raise ValueError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        targets = [f(x), h(x)]
    tape.gradient(targets, x, output_gradients=$weights)
    """,
    cites=[UNDOCUMENTED],
    since=(2, 22),  # before, memory that belongs to nobody was read where there were fewer
    raises="ValueError",
    saying="one gradient per target",
    weights=("[dy]", "dy", "[]", "[dy] * 3", "[1.0, 2.0, 3.0, 4.0]"),
)
def output_gradients_too_few(_: SeenScene) -> None:
    """None, one, three and four for two targets."""


@scene(
    "output-gradients-wrong-shape",
    "The tape does not look at the shape of output_gradients: the op that cannot take them raises "
    "InvalidArgumentError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = x * x
    tape.gradient(target, x, output_gradients=$weights)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    ranks=(1, 3),
    raises="InvalidArgumentError",
    weights=("tf.concat([dx, dx], 0)", "tf.stack([dx, dx, dx])", "tf.repeat(dx, 2, axis=-1)"),
)
def output_gradients_wrong_shape(_: SeenScene) -> None:
    """Twice as long, or of a higher rank."""


@scene(
    "output-gradients-scalar",
    "Where an op broadcasts it, a scalar output_gradient counts for every element of the target.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = x * x
    gradient = tape.gradient(target, x, output_gradients=tf.cast(3.0, x.dtype))
    """,
    cites=[UNDOCUMENTED],
    ranks=(1, 3),
)
def output_gradients_scalar(seen: SeenScene) -> None:
    """Three times the gradient of a sum of squares."""
    seen.like("gradient", "x")
    seen.derivative("gradient", "3.0 * x * x", by="x")
