"""Gradients of graphs, which a tape has no part in: tf.gradients and tf.hessians."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "tf-gradients-eager-error",
    "tf.gradients raises RuntimeError where ops run eagerly.",
    """
    tf.gradients($asked)
    """,
    cites=[
        docstring("tf.gradients", "is only valid in a graph context"),
        docstring("tf.gradients", "if called in Eager mode"),
    ],
    modes=("eager",),
    raises="RuntimeError",
    asked=("f(x), x", "[f(x)], [x]", "f(v), [v, x]", "f(x), x, unconnected_gradients='zero'"),
)
def tf_gradients_eager_error(_: SeenScene) -> None:
    """However it is asked, for tensors and for Variables."""


@scene(
    "tf-gradients-unwatched",
    "Inside of a function tf.gradients needs no watch: it answers for every tensor of the graph.",
    """
    middle = f(x)
    target = g(middle) * tf.reduce_sum(h(v))
    before = target.graph.get_operations()
    symbolic = tf.gradients(target, [x, middle, v])
    added = [one.op not in before for one in symbolic]
    with tf.GradientTape() as tape:
        again = f(x)
    none = tape.gradient(again, x)
    """,
    cites=[
        docstring("tf.gradients", "Constructs symbolic derivatives of sum of"),
        docstring("tf.gradients", "it is valid in the context of a `tf.function` wrapper"),
        docstring("tf.gradients", "adds ops to the graph to output the derivatives"),
    ],
    modes=("function",),
    among=REALS,  # tf.gradients of complex targets needs grad_ys
    ops=SIMPLE,
)
def tf_gradients_unwatched(seen: SeenScene) -> None:
    """For an argument, an intermediate and a Variable; a tape answers None for the argument."""
    seen.holds("added == [True, True, True]")
    seen.derivative("symbolic[0]", "g(f(x)) * tf.reduce_sum(h(v))", by="x")
    seen.derivative("symbolic[1]", "g(middle) * tf.reduce_sum(h(v))", by="middle")
    seen.derivative("symbolic[2]", "g(f(x)) * tf.reduce_sum(h(v))", by="v")
    seen.none("none")


@scene(
    "tf-gradients-stop",
    "tf.gradients takes what stop_gradients lists as constant, and integers too.",
    """
    middle = f(x)
    held = tf.stop_gradient(g(middle))
    target = tf.reduce_sum(h(x)) * g(middle) * tf.cast(tf.reduce_sum(k), x.dtype)
    counts = tf.cast(tf.reduce_sum(k), x.dtype)
    partial = tf.gradients(target, [x, middle], stop_gradients=$stopped)
    total = tf.gradients(target, [x, middle])
    none = tf.gradients(target, k)
    """,
    cites=[
        docstring("tf.gradients", "to be considered constant with respect to"),
        docstring("tf.gradients", "the partial derivatives `g` evaluate to"),
        docstring("tf.gradients", "All integer tensors are considered constant"),
    ],
    modes=("function",),
    among=REALS,  # tf.gradients of complex targets needs grad_ys
    ops=SIMPLE,
    stopped=("[x, middle]", "[middle]", "middle"),
)
def tf_gradients_stop(seen: SeenScene) -> None:
    """Partial derivatives beside total ones."""
    by_hand = "tf.reduce_sum(h(x)) * g({}) * counts"
    seen.derivative("partial[0]", "tf.reduce_sum(h(x)) * held * counts", by="x")
    seen.derivative("partial[1]", by_hand.format("middle"), by="middle")
    seen.derivative("total[0]", by_hand.format("f(x)"), by="x")
    seen.derivative("total[1]", by_hand.format("middle"), by="middle")
    seen.none("none")


@scene(
    "tf-gradients-grad-ys",
    "grad_ys weights what tf.gradients adds up, as output gradients do for a tape.",
    """
    weighted = tf.gradients([f(x), f(y)], [x, y], grad_ys=$weights)
    """,
    cites=[
        docstring("tf.gradients", "the initial gradients for each y"),
        docstring("tf.gradients", "provide their own initial `grad_ys`"),
    ],
    modes=("function",),
    ops=SIMPLE,
    weights=("[dy, 2 * dy]", "(dy, 2 * dy)", "[dy, dy + dy]"),
)
def tf_gradients_grad_ys(seen: SeenScene) -> None:
    """Each target has a weight of its own."""
    seen.derivative("weighted[0]", "f(x)", by="x", weights="dy")
    seen.derivative("weighted[1]", "f(y)", by="y", weights="2 * dy")


@scene(
    "tf-gradients-grad-ys-length",
    "tf.gradients raises ValueError if grad_ys has not the length of ys.",
    """
    tf.gradients([f(x), f(y)], x, grad_ys=$weights)
    """,
    cites=[docstring("tf.gradients", "The list must be the same length as `ys`")],
    modes=("function",),
    ops=SIMPLE,
    raises="ValueError",
    saying="2 ys",
    weights=("[dy]", "[dy, dy, dy]", "[None]", "dy"),
)
def tf_gradients_grad_ys_length(_: SeenScene) -> None:
    """Too few and too many."""


@scene(
    "tf-gradients-unconnected",
    "tf.gradients answers None for what is not connected, or zeros if asked for them.",
    """
    target = f(x)
    nones = tf.gradients(target, [y, x, v]$none)
    zeros = tf.gradients(target, [y, x], unconnected_gradients=$zero)
    """,
    cites=[
        docstring("tf.gradients", "determines the value returned for each x in xs if it"),
        docstring("tf.gradients", "By default this is None"),
        docstring("tf.gradients", "can be requested using the `'zero'` option"),
        docstring("tf.gradients", "Specifies the gradient value returned when"),
        docstring("tf.gradients", "constants defined in the class `tf.UnconnectedGradients`"),
    ],
    modes=("function",),
    among=REALS,  # tf.gradients of complex targets needs grad_ys
    ops=SIMPLE,
    none=(
        "",
        ", unconnected_gradients='none'",
        ", unconnected_gradients=tf.UnconnectedGradients.NONE",
    ),
    zero=("'zero'", "tf.UnconnectedGradients.ZERO"),
)
def tf_gradients_unconnected(seen: SeenScene) -> None:
    """Beside a source that is connected."""
    seen.none("nones[0]", "nones[2]")
    seen.zeros("zeros[0]", like="y")
    seen.derivative("nones[1]", "f(x)", by="x")
    seen.derivative("zeros[1]", "f(x)", by="x")


@scene(
    "hessians",
    "tf.hessians answers the Hessian of the sum of its targets.",
    """
    def slope(t):
        with tf.GradientTape() as tape:
            tape.watch(t)
            target = tf.square(tf.reduce_sum(f(t)))
        return tape.gradient(target, t)

    target = tf.square(tf.reduce_sum(f(x)))
    before = target.graph.get_operations()
    (hessian,) = tf.hessians(target, x)
    added = hessian.op not in before
    product = tf.tensordot(dx, hessian, axes=len(x.shape))
    """,
    cites=[
        docstring("tf.hessians", "Constructs the Hessian of sum of"),
        docstring("tf.hessians", "adds ops to the graph to output the Hessian"),
    ],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
)
def hessians(seen: SeenScene) -> None:
    """Its product with a tangent, against differences of the gradient."""
    seen.holds("added")
    seen.holds("hessian.shape == x.shape + x.shape")
    seen.derivative("product", "slope(x)", by="x", weights="dx")


@scene(
    "gradients-of-several",
    "tf.gradients answers a list, for each source the gradient of the sum of all targets.",
    """
    targets = [f(x) * tf.reduce_sum(h(y)), h(x)]
    gradients = tf.gradients($what)
    told = [type(gradients), len(gradients)]
    """,
    cites=[
        docstring("tf.gradients", "It returns a list of `Tensor` of length `len(xs)`"),
        docstring("tf.gradients", "Returns: A list of `Tensor` of length `len(xs)`"),
        docstring("tf.gradients", "are each a `Tensor` or a list of tensors"),
    ],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    what=("targets, [x, y]", "ys=targets, xs=(x, y)", "tuple(targets), [x, y]"),
)
def gradients_of_several(seen: SeenScene) -> None:
    """Two targets, of which one depends on both sources."""
    seen.holds("told == [list, 2]")
    seen.derivative("gradients[0]", "[f(x) * tf.reduce_sum(h(y)), h(x)]", by="x")
    seen.derivative("gradients[1]", "f(x) * tf.reduce_sum(h(y))", by="y")


@scene(
    "gradients-of-one",
    "tf.gradients takes a target or a source outside of a list too, and answers a list.",
    """
    gradients = tf.gradients($what)
    told = [type(gradients), len(gradients)]
    """,
    cites=[docstring("tf.gradients", "are each a `Tensor` or a list of tensors")],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    what=("f(x), x", "[f(x)], x", "f(x), [x]"),
)
def gradients_of_one(seen: SeenScene) -> None:
    """One or both of the two alone."""
    seen.holds("told == [list, 1]")
    seen.derivative("gradients[0]", "f(x)", by="x")


@scene(
    "gradients-weighted",
    "grad_ys are the gradients that the targets receive; where there are none they are ones.",
    """
    target, other = f(x), g(f(x))
    weighted = tf.gradients([target, other], x, grad_ys=[dy, dz])[0]
    plain = tf.gradients([target, other], x)[0]
    ones = [tf.ones_like(target), tf.ones_like(other)]
    """,
    cites=[
        docstring("tf.gradients", "the initial gradients for each y in `ys`"),
        docstring("tf.gradients", "fill in a tensor of '1's of the shape of y"),
        docstring("tf.gradients", "holding the gradients received by the"),
    ],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
)
def gradients_weighted(seen: SeenScene) -> None:
    """Two targets, each with a cotangent of its own, or with none."""
    seen.derivative("weighted", "[f(x), g(f(x))]", by="x", weights="[dy, dz]")
    seen.derivative("plain", "[f(x), g(f(x))]", by="x", weights="ones")


@scene(
    "gradients-complex-unweighted",
    "tf.gradients raises TypeError for a complex target that has no grad_ys; with them it answers.",
    """
    target = f(x)
    weighted = tf.gradients(target, x, grad_ys=dy)[0]
    try:
        refused = not tf.gradients(target, x)
    except TypeError as error:
        refused = "must set grad_ys" in str(error)
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    among=("complex128",),
    ops=SIMPLE,
)
def gradients_complex_unweighted(seen: SeenScene) -> None:
    """Both of one target; a tape would have filled in ones."""
    seen.holds("refused")
    seen.derivative("weighted", "f(x)", by="x", weights="dy")


@scene(
    "gradients-stop-both",
    "Tensors in stop_gradients count as constants, as what tf.stop_gradient answers does.",
    """
    listed, stopped = f(x), tf.stop_gradient(h(x))
    target = tf.sin(x) * tf.reduce_sum(listed) * tf.reduce_sum(stopped)
    gradient, through = tf.gradients(target, [x, listed], stop_gradients=$stop)
    """,
    cites=[
        docstring("tf.gradients", "had been explicitly disconnected using `stop_gradient`"),
        docstring("tf.gradients", "backpropagation stops at both `tf.stop_gradient` nodes and"),
        docstring("tf.stop_gradient", "are masked from the gradient generator"),
    ],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    stop=("listed", "[listed]", "[listed, stopped]"),
)
def gradients_stop_both(seen: SeenScene) -> None:
    """One of two factors is listed, the other stopped."""
    factors = "tf.sin(x) * tf.reduce_sum(listed) * tf.reduce_sum(stopped)"
    seen.derivative("gradient", factors, by="x")
    seen.derivative("through", factors, by="listed")


@scene(
    "gradients-aggregation",
    "However tf.gradients combines terms, and whether it gates them, the gradient is the same.",
    """
    target = f(x) * tf.reduce_sum(h(x)) * tf.sin(x) + x
    options = {"aggregation_method": tf.AggregationMethod.$method, "gate_gradients": $gate}
    gradients = tf.gradients(target, x, name="here", **options)
    """,
    cites=[
        docstring("tf.gradients", "Specifies the method used to combine gradient terms"),
        docstring("tf.gradients", "add a tuple around the gradients returned"),
    ],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    ranks=(0, 0),
    method=("DEFAULT", "ADD_N", "EXPERIMENTAL_TREE", "EXPERIMENTAL_ACCUMULATE_N"),
    gate=("False", "True"),
)
def gradients_aggregation(seen: SeenScene) -> None:
    """Four terms for one source."""
    seen.derivative("gradients[0]", "f(x) * tf.reduce_sum(h(x)) * tf.sin(x) + x", by="x")


@scene(
    "gradients-no-registration",
    "tf.gradients and tf.hessians raise LookupError for an op that has no gradient.",
    """
    target = tf.reduce_sum($op) * f(x)
    tf.$what(target, x)
    """,
    cites=[
        docstring("tf.gradients", "have a registered gradient function"),
        docstring("tf.hessians", "have a registered gradient function"),
    ],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    raises="LookupError",
    saying="No gradient defined for operation",
    op=(
        "tf.unique(tf.reshape(x, [-1])).y",
        "tf.linalg.lu(tf.linalg.diag(tf.reshape(tf.exp(x), [-1])))[0]",
    ),
    what=("gradients", "hessians"),
)
def gradients_no_registration(_: SeenScene) -> None:
    """Beside ops that have one."""


@scene(
    "gradients-invalid",
    "tf.gradients raises ValueError for an unconnected_gradients that is neither none nor zero.",
    """
    tf.gradients(f(x), x, unconnected_gradients=$what)
    """,
    cites=[docstring("tf.gradients", "ValueError: if the arguments are invalid")],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    raises="ValueError",
    saying="Unknown value for unconnected_gradients",
    what=("'ones'", "'ZERO'", "None", "0"),
)
def gradients_invalid(_: SeenScene) -> None:
    """Another word, another case, no word."""


@scene(
    "hessians-of-several",
    "tf.hessians answers a list, for each source the Hessian with respect to that one alone.",
    """
    def gradient(function, at):
        with tf.GradientTape() as tape:
            tape.watch(at)
            target = function(at)
        return tape.gradient(target, at)

    t = tf.zeros([], x.dtype)
    target = tf.sin(f(x)) * tf.reduce_sum(tf.sin(h(y)))
    hessians = tf.hessians($what)
    told = [type(hessians), len(hessians), hessians[0].shape == x.shape + x.shape]
    products = [tf.tensordot(one, dx, x.shape.rank) for one in hessians]
    factors = [tf.reduce_sum(tf.sin(f(x))), tf.reduce_sum(tf.sin(h(y)))]
    """,
    cites=[
        docstring("tf.hessians", "a list of `Tensor` of length `len(xs)`"),
        docstring("tf.hessians", "Returns: A list of Hessian matrices"),
    ],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    ranks=(0, 1),
    what=("target, [x, y]", "[target], [x, y]", "[2.0 * target, -target], (x, y)"),
)
def hessians_of_several(seen: SeenScene) -> None:
    """Its products with a vector are derivatives of the gradient, which a tape finds."""
    seen.holds("told == [list, 2, True]")
    moved = "gradient(lambda a: tf.sin(f(a)) * factors[1], x + t * dx)"
    seen.derivative("tf.reduce_sum(products[0])", moved, by="t")
    moved = "gradient(lambda a: tf.sin(h(a)) * factors[0], y + t * dx)"
    seen.derivative("tf.reduce_sum(products[1])", moved, by="t")


@scene(
    "hessians-of-captured",
    "tf.hessians raises ValueError for a source that the function captures.",
    """
    @tf.function(autograph=False)
    def hessians():
        return tf.hessians(tf.sin($source), $source)

    hessians()
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    among=REALS,
    raises="ValueError",
    saying="None values not supported",
    source=("x", "v"),
)
def hessians_of_captured(_: SeenScene) -> None:
    """A tensor or a Variable from outside, of which tf.gradients knows the gradient."""
