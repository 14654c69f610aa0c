"""Where gradients stop: stopped, not registered, or computed outside of TensorFlow."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "stop-gradient",
    "tf.stop_gradient passes its input as it is, which counts as a constant behind it.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        passed = tf.stop_gradient(x)
        factor = tf.reduce_sum($stopped)
        target = f(x) * factor
    gradients = tape.gradient(target, [x, y])
    """,
    cites=[
        docstring("tf.stop_gradient", "outputs its input tensor as-is"),
        docstring("tf.stop_gradient", "prevents the contribution of"),
        docstring("tf.stop_gradient", "Stops gradient computation"),
        docstring("tf.stop_gradient", "are masked from the gradient generator"),
        docstring("tf.stop_gradient", "They are not taken into account"),
    ],
    stopped=("h(tf.stop_gradient(x))", "tf.stop_gradient(h(x))", "h(tf.stop_gradient(x * y))"),
    ops=SIMPLE,
)
def stop_gradient(seen: SeenScene) -> None:
    """On one of two paths from one source, and on the only one from another."""
    seen.same("passed", "x")
    seen.derivative("gradients[0]", "f(x) * factor", by="x")
    seen.none("gradients[1]")


@scene(
    "stop-gradient-type",
    "What tf.stop_gradient answers is its input, of the same dtype and shape, number or not.",
    """
    value = $value
    stopped = tf.stop_gradient(value)
    """,
    cites=[docstring("tf.stop_gradient", "Has the same type as `input`")],
    value=(
        "x",
        "k",
        "tf.cast(k, 'uint8')",
        "tf.cast(k, 'float16')",
        "tf.cast(k, 'bfloat16')",
        "k > 1",
        "tf.as_string(k)",
    ),
)
def stop_gradient_type(seen: SeenScene) -> None:
    """Integers, lower precision, booleans, strings."""
    seen.same("stopped", "value")


@scene(
    "stop-gradient-softmax",
    "A softmax that is kept from overflow by the stopped maximum has the gradient of a plain one.",
    """
    def twice(a):
        return tf.concat([tf.reshape(a, [-1]), tf.reshape(a, [-1])], 0)

    def softmax(a):
        powers = tf.math.exp(a)
        return powers / tf.reduce_sum(powers)

    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = twice(x)
        target = softmax(logits - $maximum) * tf.math.sin(twice(y) * twice(z))
    gradient = tape.gradient(target, x)
    """,
    cites=[docstring("tf.stop_gradient", "backprop through the softmax to x")],
    among=REALS,
    maximum=("tf.stop_gradient(tf.reduce_max(logits))", "tf.reduce_max(tf.stop_gradient(logits))"),
)
def stop_gradient_softmax(seen: SeenScene) -> None:
    """Where every element occurs twice, the maximum too."""
    seen.derivative("gradient", "softmax(twice(x)) * tf.math.sin(twice(y) * twice(z))", by="x")


@scene(
    "lookup-error-unregistered",
    "An op whose gradient is not registered raises LookupError, naming the op.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = $op
    tape.gradient(target, x)
    """,
    cites=[
        docstring("tf.no_gradient", "an error *must* be thrown if"),
        guide("autodiff", "No gradient registered"),
    ],
    raises="LookupError",
    saying="Snapshot|Unique|TruncateMod|GuaranteeConst|Lu|AdjustHue",
    op=(
        "tf.raw_ops.Snapshot(input=x)",
        "g(tf.raw_ops.Snapshot(input=f(x)))",
        "tf.unique(tf.reshape(x, [-1]))[0]",
        "tf.truncatemod(f(x), f(x))",
        "tf.raw_ops.GuaranteeConst(input=x)",
        "tf.linalg.lu([[tf.reduce_sum(x)]])[0]",
        "tf.image.adjust_hue(tf.cast(tf.reduce_sum(x), tf.float32) * tf.ones([2, 2, 3]), 0.1)",
    ),
    among=REALS,
    ops=SIMPLE,
)
def lookup_error_unregistered(_: SeenScene) -> None:
    """Ops that no TensorFlow from 2.8 on has a gradient for, alone and between others."""


@scene(
    "lookup-error",
    "Up to TensorFlow 2.21 tf.image.adjust_contrast has no gradient registered: LookupError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = tf.image.adjust_contrast(tf.cast(x, tf.float32), 0.1)
    tape.gradient(target, x)
    """,
    cites=[guide("autodiff", "No gradient registered")],
    until=(2, 21),
    raises="LookupError",
    saying="AdjustContrast",
    among=REALS,
    ranks=(3, 3),
)
def lookup_error(_: SeenScene) -> None:
    """The example of the guide, for any picture."""


@scene(
    "lookup-error-only-on-path",
    "An op whose gradient is not registered does no harm unless it is on a path to the target.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        off = $off
        target = f(x) * tf.reduce_sum(h(y))
    gradients = tape.gradient(target, [x, y])
    """,
    cites=[UNDOCUMENTED],
    off=(
        "tf.raw_ops.Snapshot(input=x)",
        "f(tf.raw_ops.Snapshot(input=x * y))",
        "[tf.raw_ops.Snapshot(input=one) for one in (x, y)]",
    ),
    ops=SIMPLE,
)
def lookup_error_only_on_path(seen: SeenScene) -> None:
    """It is recorded, and leads elsewhere."""
    seen.derivative("gradients[0]", "f(x) * tf.reduce_sum(h(y))", by="x")
    seen.derivative("gradients[1]", "f(x) * tf.reduce_sum(h(y))", by="y")


@scene(
    "lookup-error-in-function",
    "tf.gradients raises LookupError at an op whose gradient is not registered.",
    """
    @tf.function(autograph=False)
    def program(a):
        return tf.gradients(f(tf.raw_ops.Snapshot(input=a)), a)

    program(x)
    """,
    cites=[
        docstring("tf.gradients", "if one of the operations between `x` and `y` does not"),
    ],
    modes=("eager",),
    raises="LookupError",
    saying="Snapshot",
    among=REALS,
    ops=SIMPLE,
)
def lookup_error_in_function(_: SeenScene) -> None:
    """In a tf.function that AutoGraph does not convert."""


@scene(
    "lookup-error-in-autograph",
    "tf.gradients raises LookupError in a tf.function that AutoGraph converts, too.",
    """
    @tf.function
    def program(a):
        return tf.gradients(tf.raw_ops.Snapshot(input=a), a)

    program(x)
    """,
    cites=[
        docstring("tf.gradients", "if one of the operations between `x` and `y` does not"),
    ],
    modes=("eager",),
    raises="LookupError",
    among=REALS,
)
def lookup_error_in_autograph(_: SeenScene) -> None:
    """The error that a caller can catch."""


@scene(
    "random-shuffle-gradient",
    "tf.random.shuffle has no registered gradient: LookupError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(tf.random.shuffle(x))
    tape.gradient(target, x)
    """,
    cites=[docstring("tf.custom_gradient", "`tf.random.shuffle` does not have a")],
    raises="LookupError",
    saying="RandomShuffle",
    ranks=(1, 3),
)
def random_shuffle_gradient(_: SeenScene) -> None:
    """Along its first axis, of which there must be one."""


@scene(
    "prevent-gradient",
    "PreventGradient is an identity whose gradient raises LookupError, with its message.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        kept = tf.raw_ops.PreventGradient(input=x, message="for a reason")
        target = f(kept)
    tape.gradient(target, x)
    """,
    cites=[
        docstring("tf.raw_ops.PreventGradient", "triggers an error if a gradient is requested"),
        docstring("tf.raw_ops.PreventGradient", "Will be printed in the error"),
    ],
    raises="LookupError",
    saying="for a reason",
)
def prevent_gradient(_: SeenScene) -> None:
    """Before any function."""


@scene(
    "numpy-escape",
    "What NumPy computed is connected to nothing.",
    """
    import numpy as np

    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        factor = np.mean($outside)
        target = f(x) * factor
        beyond = h(tf.constant($outside))
    gradients = tape.gradient(target, [x, y, v])
    none = tape.gradient(beyond, [x, y, v])
    """,
    cites=[guide("autodiff", "2. Did calculations outside of TensorFlow")],
    modes=("eager", "outer"),
    outside=(
        "np.square(y)",
        "(x * y).numpy()",
        "np.add(x, v)",
        "np.asarray(v * y)",
        "v.numpy() * np.sin(x)",
    ),
    ops=SIMPLE,
)
def numpy_escape(seen: SeenScene) -> None:
    """By its functions, or on its arrays."""
    seen.derivative("gradients[0]", "f(x) * factor", by="x")
    seen.none("gradients[1:]", "none")


@scene(
    "py-function",
    "A gradient passes tf.py_function, eagerly and in a tf.function.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        target = tf.py_function(lambda a, b: f(a) * tf.reduce_sum(h(b)), [x, y], f(x).dtype)
    gradients = tape.gradient(target, [x, y])
    """,
    cites=[docstring("tf.py_function", "differentiable")],
    ops=SIMPLE,
)
def py_function(seen: SeenScene) -> None:
    """A function of two tensors."""
    seen.derivative("gradients[0]", "f(x) * tf.reduce_sum(h(y))", by="x")
    seen.derivative("gradients[1]", "f(x) * tf.reduce_sum(h(y))", by="y")


@scene(
    "py-function-once",
    "The gradient of tf.py_function is connected to nothing: its second derivative is None.",
    """
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = tf.py_function(lambda a: tf.math.square(f(a)), [x], f(x).dtype)
        gradient = inner.gradient(target, x)
    second = outer.gradient(gradient, x)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
)
def py_function_once(seen: SeenScene) -> None:
    """Of the square of a function."""
    seen.derivative("gradient", "tf.math.square(f(x))", by="x")
    seen.none("second")


@scene(
    "numpy-function",
    "No gradient passes tf.numpy_function.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        factor = tf.numpy_function(lambda a: a * a.sum(), [x * y], x.dtype)
        target = f(x) * tf.reduce_sum(factor)
    gradients = tape.gradient(target, [x, y])
    """,
    cites=[docstring("tf.numpy_function", "you cannot take gradients")],
    ops=SIMPLE,
)
def numpy_function(seen: SeenScene) -> None:
    """On one of two paths from one source, and on the only one from another."""
    seen.derivative("gradients[0]", "f(x) * tf.reduce_sum(factor)", by="x")
    seen.none("gradients[1]")


@scene(
    "random-ops",
    "The mean and the deviation of random numbers have gradients; what scales nothing has none.",
    """
    shape = [2, *x.shape]

    def normal(mean, stddev):
        return tf.random.stateless_normal(shape, [1, 2], mean, stddev, x.dtype)

    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        target = tf.math.sin(normal(x, y))
        counts = tf.random.stateless_poisson(shape, [1, 2], tf.math.exp(x), x.dtype)
    gradients = tape.gradient(target, [x, y])
    none = tape.gradient(counts, x)
    """,
    cites=[UNDOCUMENTED],
    among=REALS,
)
def random_ops(seen: SeenScene) -> None:
    """Normal numbers of a seed, and Poisson's."""
    seen.derivative("gradients[0]", "tf.math.sin(normal(x, y))", by="x")
    seen.derivative("gradients[1]", "tf.math.sin(normal(x, y))", by="y")
    seen.none("none")
