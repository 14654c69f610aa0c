"""The numeric Jacobian that TensorFlow itself offers: tf.test.compute_gradient."""

from __future__ import annotations

from conformance.contract import docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


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
        docstring("tf.test.compute_gradient", "the theoretical and numeric Jacobian of `f`"),
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
    cites=[
        docstring("tf.test.compute_gradient", "perturbation used to compute numeric Jacobian"),
        docstring("tf.test.compute_gradient", "the theoretical and numeric Jacobian of `f`"),
    ],
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
