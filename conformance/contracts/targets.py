"""Targets that are no scalar, or several."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

NON_SCALAR = guide("autodiff", "Gradients of non-scalar targets")


@scene(
    "nonscalar-sum",
    "The gradient of a target of any shape is that of the sum of its elements.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = f(x)
        total = tf.reduce_sum(target)
    gradients = [tape.gradient(target, x), tape.gradient(total, x)]
    """,
    cites=[NON_SCALAR],
)
def nonscalar_sum(seen: SeenScene) -> None:
    """Finite differences find both."""
    seen.derivative("gradients[0]", "tf.reduce_sum(f(x))", by="x")
    seen.derivative("gradients[1]", "f(x)", by="x")


@scene(
    "multi-target-sum",
    "The gradient of several targets is the sum of the gradients of each.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        first, second = f(x), h(x)
    together = tape.gradient($targets, x)
    """,
    cites=[
        NON_SCALAR,
        docstring("tf.GradientTape.gradient", "target: a list or nested structure of Tensors"),
    ],
    targets=("[first, second]", "(second, first)", "{'a': first, 'b': [(second,)]}"),
)
def multi_target_sum(seen: SeenScene) -> None:
    """In nests of any kind."""
    seen.derivative("together", "[f(x), h(x)]", by="x")


@scene(
    "elementwise-diagonal",
    "Of a function that treats each element by itself the gradient holds the derivative at each.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target, slope = $both
    gradient = tape.gradient(target, x)
    """,
    cites=[NON_SCALAR],
    among=REALS,
    both=(
        "x * x, 2.0 * x",
        "-x, -tf.ones_like(x)",
        "tf.math.sin(x), tf.math.cos(x)",
        "tf.math.cos(x), -tf.math.sin(x)",
        "tf.math.exp(x), tf.math.exp(x)",
    ),
)
def elementwise_diagonal(seen: SeenScene) -> None:
    """Bit for bit: nothing is added to it, and it is multiplied by one."""
    seen.same("gradient", "slope")


@scene(
    "target-duplicate",
    "A target that is listed more than once counts as often.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = f(x)
    targets = $targets
    once = tape.gradient(target, x)
    often = tape.gradient(targets, x)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    ops=SIMPLE,
    targets=("[target, target]", "{'a': target, 'b': [target]}", "(target, [target] * 2, target)"),
)
def target_duplicate(seen: SeenScene) -> None:
    """Twice or four times as much, bit for bit: such factors are exact."""
    seen.same("often", "once * len(tf.nest.flatten(targets))")


@scene(
    "target-and-source",
    "A target that is a source too, or on the way to another target, adds its own ones.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        middle = f(x)
        end = g(middle)
    gradients = tape.gradient($targets, [x, middle])
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,  # a cast may return its very argument, which is then both sources
    targets=("[x, middle, end]", "[end, x, middle]", "[[middle], [end, x]]"),
)
def target_and_source(seen: SeenScene) -> None:
    """The source, a result of it and a result of that."""
    seen.derivative("gradients[0]", "[x, f(x), g(f(x))]", by="x")
    seen.derivative("gradients[1]", "[middle, g(middle)]", by="middle")


@scene(
    "target-partial-unconnected",
    "Targets that nothing connects to the source, and targets of integers, add nothing; if there "
    "are no others the gradient is None.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, k])
        target, apart, constant, whole = f(x), h(y), tf.zeros([]), k * 2
    some = tape.gradient($some, x)
    none = tape.gradient($none, x)
    """,
    cites=[UNDOCUMENTED],
    some=("[target, apart]", "[whole, target]", "[constant, (whole, target), apart]"),
    none=("[apart]", "[whole]", "[constant, whole, apart]", "[]"),
)
def target_partial_unconnected(seen: SeenScene) -> None:
    """A function of something else, a constant, integers."""
    seen.derivative("some", "f(x)", by="x")
    seen.none("none")


@scene(
    "gradient-linearity",
    "The gradient of a weighted sum is the weighted sum of the gradients.",
    """
    def weighted(one, two):
        return $a * one + $b * two

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        first, second = tf.reduce_sum(f(x)), tf.reduce_sum(h(x))
        both = weighted(first, second)
    gradient = tape.gradient(both, x)
    added = weighted(tape.gradient(first, x), tape.gradient(second, x))
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
    a=("1.0", "-0.5", "3.0", "0.0"),
    b=("1.0", "2.5", "-7.0"),
)
def gradient_linearity(seen: SeenScene) -> None:
    """Finite differences of the weighted sum find both."""
    for found in ("gradient", "added"):
        seen.derivative(found, "weighted(tf.reduce_sum(f(x)), tf.reduce_sum(h(x)))", by="x")
