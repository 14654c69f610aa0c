"""Beside the tape: tf.gradients, tf.hessians and tf.test.compute_gradient."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


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
    cites=[docstring("tf.hessians", "a list of `Tensor` of length `len(xs)`")],
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


@scene(
    "compute-gradient-theoretical",
    "tf.test.compute_gradient answers for each argument the Jacobian: a row for an element of the "
    "result, a column for one of the argument.",
    """
    target = f(x) * tf.reduce_sum(h(y))
    answer = tf.test.compute_gradient(lambda a, b: f(a) * tf.reduce_sum(h(b)), $arguments)
    shapes = [[one.shape for one in part] for part in answer]
    columns = [tf.size(x).numpy(), tf.size(y).numpy()]
    gradients = [
        tf.reshape(tf.reshape(dy, [1, -1]) @ jacobian, x.shape) for jacobian in answer[0]
    ]
    """,
    cites=[
        docstring("tf.test.compute_gradient", 'Each 2-d array has "y_size" rows'),
        docstring("tf.test.compute_gradient", "the theoretical Jacobians for each argument"),
    ],
    modes=("eager", "outer"),
    among=("float64",),
    ops=SIMPLE,
    arguments=("[x, y]", "(x, y)", "[x.numpy(), y.numpy()]"),
)
def compute_gradient_theoretical(seen: SeenScene) -> None:
    """Rows weighted and added up are the gradient with these weights."""
    seen.holds("shapes == [[(tf.size(target).numpy(), n) for n in columns]] * 2")
    moved = "f(x) * tf.reduce_sum(h(y))"
    seen.derivative("gradients[0]", moved, by="x", weights="dy")
    seen.derivative("gradients[1]", moved, by="y", weights="dy")


@scene(
    "compute-gradient-numeric",
    "Its numeric Jacobians are central differences with the step delta.",
    """
    function = lambda a: $body
    (numeric,) = tf.test.compute_gradient(function, [x], delta=$step)[1]
    steps = $step * tf.eye(x.shape.num_elements(), dtype=x.dtype)
    rows = [tf.reshape(step, x.shape) for step in steps]
    ends = [[tf.reshape(function(x + s * row), [-1]) for row in rows] for s in (1.0, -1.0)]
    wanted = tf.stack([(after - before) / (2 * $step) for after, before in zip(*ends)], axis=1)
    terms = tf.add_n([tf.abs(end) for side in ends for end in side]) / (2 * $step)
    """,
    cites=[docstring("tf.test.compute_gradient", "perturbation used to compute numeric Jacobian")],
    modes=("eager",),
    among=("float64",),
    ranks=(0, 2),
    body=("tf.sin(a) * a", "tf.exp(a) * tf.cos(y)", "tf.square(a)"),
    step=("0.125", "0.5", "2.0**-10"),
)
def compute_gradient_numeric(seen: SeenScene) -> None:
    """Functions without cancellation, so that the two agree but for rounding."""
    seen.near("numeric", "wanted", "terms[:, tf.newaxis]", roundings=8)


@scene(
    "compute-gradient-rejects",
    "tf.test.compute_gradient raises ValueError for arguments that are in no list or tuple.",
    """
    tf.test.compute_gradient(tf.sin, $what)
    """,
    cites=[docstring("tf.test.compute_gradient", "ValueError: If x is not list")],
    modes=("eager",),
    among=REALS,
    raises="ValueError",
    saying="must be a list or tuple",
    what=("x", "v", "x.numpy()", "{'a': x}", "None", "1.0"),
)
def compute_gradient_rejects(_: SeenScene) -> None:
    """A tensor, a Variable, an array, a dict, a number."""


@scene(
    "compute-gradient-empty",
    "tf.test.compute_gradient raises ValueError where an empty result has a gradient that is not "
    "zero.",
    """
    @tf.custom_gradient
    def function(a):
        return a[:0], lambda upstream: tf.ones_like(a)

    tf.test.compute_gradient(function, [tf.reshape(x, [-1])])
    """,
    cites=[docstring("tf.test.compute_gradient", "If result is empty but the gradient is nonzero")],
    modes=("eager",),
    among=REALS,
    raises="ValueError",
    saying="Empty tensor with nonzero gradients",
)
def compute_gradient_empty(_: SeenScene) -> None:
    """A custom gradient that tells of ones."""
