"""Numbers at their edges: kinks, singular points, gradients of samples, what is repeated."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "test-compute-gradient",
    "tf.test.compute_gradient answers two lists of Jacobians, theoretical and numeric ones, each "
    "of as many rows as the result and as many columns as an argument has elements.",
    """
    def function(one, other):
        return f(one) * tf.reduce_sum(h(other))

    theoretical, numeric = tf.test.compute_gradient(function, $arguments)
    """,
    cites=[
        docstring("tf.test.compute_gradient", "A pair of lists, where the first is a list of 2-d"),
        docstring("tf.test.compute_gradient", "computes the theoretical and numeric Jacobian"),
    ],
    modes=("eager",),
    among=REALS,
    ops=SIMPLE,
    arguments=("[x, y]", "(x, y)", "[x.numpy(), y.numpy()]"),
)
def compute_gradient(seen: SeenScene) -> None:
    """Tensors or arrays, in a list or a tuple; each column sums up to a derivative."""
    seen.holds("len(theoretical) == len(numeric) == 2")
    size = "tf.size(function(x, y)).numpy()"
    for number, name in enumerate("xy"):
        for found in ("theoretical", "numeric"):
            seen.holds(f"{found}[{number}].shape == ({size}, {name}.numpy().size)")
        summed = f"tf.reshape(tf.reduce_sum(theoretical[{number}], 0), {name}.shape)"
        seen.derivative(summed, "function(x, y)", by=name)


@scene(
    "test-compute-gradient-list",
    "tf.test.compute_gradient raises ValueError if the arguments are in no list.",
    """
    tf.test.compute_gradient(f, $arguments)
    """,
    cites=[docstring("tf.test.compute_gradient", "If x is not list, but any other type")],
    modes=("eager",),
    raises="ValueError",
    arguments=("x", "x.numpy()", "{'x': x}", "1.0"),
)
def compute_gradient_list(_: SeenScene) -> None:
    """A tensor, an array, a dict, a number."""


@scene(
    "where-nan",
    "A NaN in the gradient of what tf.where does not select makes its gradient NaN; it is zero if "
    "the argument was made safe by another tf.where.",
    """
    function = $function
    source = tf.zeros_like(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(source)
        naive = tf.where(source > 0, function(source), f(x)$broadcast)
        safe = tf.where(source > 0, source, tf.ones_like(source))
        twice = tf.where(source > 0, function(safe), tf.zeros_like(x))
    gradient, workaround = tape.gradient(naive, source), tape.gradient(twice, source)
    nan = tf.reduce_all(tf.math.is_nan(gradient))
    """,
    cites=[docstring("tf.where", "then the gradient of the entire `tf.where` will be")],
    among=REALS,
    ops=("tf.math.square", "tf.math.sin", "tf.math.tanh"),
    broadcast=("", " * tf.ones_like(x)"),
    function=(
        "lambda t: 1 / t",
        "tf.math.log",
        "lambda t: t / t",
        "lambda t: tf.acos(1 + t)",
        "lambda t: tf.exp(1 / t)",
    ),
)
def where_nan(seen: SeenScene) -> None:
    """At zero, where five functions have no derivative."""
    seen.holds("bool(nan)")
    seen.zeros("workaround", like="x")


@scene(
    "kink-conventions",
    "At kinks and poles each gradient is one fixed number.",
    """
    function, at, wanted = $convention
    source = tf.constant(at, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(source)
        target = function(source)
    gradient = tape.gradient(target, source)
    expected = tf.constant(wanted, tf.float64)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "function"),
    convention=(
        "tf.nn.relu, [0.0], [0.0]",
        "tf.nn.relu6, [0.0, 6.0], [0.0, 0.0]",
        "lambda t: tf.nn.leaky_relu(t, 0.25), [0.0], [0.25]",
        "tf.abs, [0.0], [0.0]",
        "tf.sign, [0.0, 2.0], [0.0, 0.0]",
        "tf.reduce_max, [1.0, 1.0, 0.0], [0.5, 0.5, 0.0]",
        "tf.reduce_min, [1.0, 1.0, 2.0], [0.5, 0.5, 0.0]",
        "lambda t: tf.maximum(t[0], t[1]), [1.0, 1.0], [1.0, 0.0]",
        "lambda t: tf.minimum(t[0], t[1]), [1.0, 1.0], [1.0, 0.0]",
        "lambda t: tf.clip_by_value(t, 0.0, 1.0), [0.0, 1.0, 2.0], [1.0, 1.0, 0.0]",
        "lambda t: tf.math.top_k(t, 1)[0], [1.0, 1.0], [1.0, 0.0]",
        "tf.sqrt, [0.0], [float('inf')]",
        "tf.math.rsqrt, [0.0], [float('-inf')]",
        "tf.math.log, [0.0], [float('inf')]",
        "tf.reduce_prod, [0.0, 2.0], [2.0, 0.0]",
        "tf.reduce_prod, [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]",
        "lambda t: tf.math.divide_no_nan(t, 0.0), [1.0], [0.0]",
        "lambda t: tf.math.atan2(t[0], t[1]), [0.0, 0.0], [float('nan'), float('nan')]",
        "tf.math.reduce_std, [1.0, 1.0], [float('nan'), float('nan')]",
    ),
)
def kink_conventions(seen: SeenScene) -> None:
    """A table, in which users rely on the zeros and the halves."""
    seen.same("gradient", "expected")


_SINGULAR = """
    function, at, wanted = $convention
    source = tf.constant(at, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(source)
        target = function(source)
    gradient = tape.gradient(target, source)
    expected = tf.constant(wanted, tf.float64)
    """


@scene(
    "singular-values-norm",
    "To 2.21 the gradient of a norm is NaN at zero.",
    _SINGULAR,
    cites=[UNDOCUMENTED],
    modes=("eager", "function"),
    until=(2, 21),
    convention=(
        "tf.norm, [0.0, 0.0], [float('nan'), float('nan')]",
        "tf.math.reduce_euclidean_norm, [0.0, 0.0], [float('nan'), float('nan')]",
        "lambda t: tf.norm(t, axis=0), [0.0, 0.0], [float('nan'), float('nan')]",
    ),
)
def singular_values_norm(seen: SeenScene) -> None:
    """Of the two functions that compute one."""
    seen.same("gradient", "expected")


@scene(
    "singular-values-norm-zero",
    "Since 2.23 the gradient of a norm is zero at zero.",
    _SINGULAR,
    cites=[UNDOCUMENTED],
    modes=("eager", "function"),
    since=(2, 23),
    convention=(
        "tf.norm, [0.0, 0.0], [0.0, 0.0]",
        "tf.math.reduce_euclidean_norm, [0.0, 0.0], [0.0, 0.0]",
        "lambda t: tf.norm(t, axis=0), [0.0, 0.0], [0.0, 0.0]",
    ),
)
def singular_values_norm_zero(seen: SeenScene) -> None:
    """Of the two functions that compute one."""
    seen.same("gradient", "expected")


@scene(
    "safe-zero",
    "Where xlogy, xlog1py, xdivy, multiply_no_nan and divide_no_nan are zero whatever the other "
    "argument is, the gradient of that one is zero.",
    """
    function = $function
    nothing, other = tf.zeros_like(x), tf.ones_like(x) * tf.constant($other, x.dtype)
    with tf.GradientTape() as tape:
        tape.watch(other)
        target = function(nothing, other)
    gradient = tape.gradient(target, other)
    """,
    cites=[
        docstring("tf.math.xlogy", "Returns 0 if x == 0, and"),
        docstring("tf.math.xlog1py", "safely returns zero when"),
        docstring("tf.math.multiply_no_nan", "returns 0 if the y is zero"),
        docstring("tf.math.divide_no_nan", "returns 0 if `y` (denominator) is zero"),
    ],
    among=REALS,
    function=(
        "tf.math.xlogy",
        "tf.math.xlog1py",
        "tf.math.xdivy",
        "lambda zero, t: tf.math.multiply_no_nan(t, zero)",
        "lambda zero, t: tf.math.divide_no_nan(t, zero)",
    ),
    other=("0.0", "-1.0", "-2.0", "3.0", "float('inf')", "float('nan')"),
)
def safe_zero(seen: SeenScene) -> None:
    """At a zero and a pole of the logarithm, beyond them, at infinity and NaN."""
    seen.zeros("target", like="x")
    seen.zeros("gradient", like="x")


@scene(
    "top-k-ties",
    "Of elements that are equal tf.math.top_k takes those that come first, and so does its "
    "gradient.",
    """
    count, places = $taken
    source = tf.stack([x, x, x - 1, x], axis=-1)
    with tf.GradientTape() as tape:
        tape.watch(source)
        target = tf.math.top_k(source, count)[0]
    gradient = tape.gradient(target, source)
    expected = tf.ones_like(source) * tf.constant(places, x.dtype)
    """,
    cites=[docstring("tf.math.top_k", "the lower-index element appears first")],
    among=REALS,
    taken=("1, [1, 0, 0, 0]", "2, [1, 1, 0, 0]", "3, [1, 1, 0, 1]"),
)
def top_k_ties(seen: SeenScene) -> None:
    """One, two and all of three equal ones."""
    seen.same("gradient", "expected")


@scene(
    "softmax-ce-labels",
    "The cross entropy of a softmax has gradients for its logits and for its labels.",
    """
    def loss(logits, labels):
        return tf.nn.softmax_cross_entropy_with_logits(labels, logits)

    labels = tf.nn.softmax(y)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, labels])
        target = loss(x, labels)
        stopped = loss(x, tf.stop_gradient(labels))
    gradients = tape.gradient(target, [x, labels])
    constant = tape.gradient(stopped, [x, labels])
    """,
    cites=[
        docstring(
            "tf.nn.softmax_cross_entropy_with_logits", "Backpropagation will happen into both"
        )
    ],
    among=REALS,
    ranks=(1, 3),
)
def softmax_ce_labels(seen: SeenScene) -> None:
    """Labels that add up to one; stopped they are constants."""
    seen.derivative("gradients[0]", "loss(x, labels)", by="x")
    seen.derivative("gradients[1]", "loss(x, labels)", by="labels")
    seen.same("constant[0]", "gradients[0]")
    seen.none("constant[1]")


@scene(
    "gamma-differentiable",
    "Samples of a gamma distribution are differentiable in alpha and in beta.",
    """
    alpha, beta = tf.abs(x) + 0.5, tf.abs(y) + 0.5
    with tf.GradientTape() as tape:
        tape.watch([alpha, beta])
        sample = $sampled
    by_alpha, by_beta = tape.gradient(sample, [alpha, beta])
    held = tf.stop_gradient(sample * beta)
    density = tf.exp((alpha - 1) * tf.math.log(held) - held - tf.math.lgamma(alpha))
    moved = -by_alpha * beta * density
    """,
    cites=[
        docstring("tf.random.gamma", "The samples are differentiable w.r.t. alpha and beta"),
        docstring(
            "tf.random.stateless_gamma", "The samples are differentiable w.r.t. alpha and beta"
        ),
    ],
    among=REALS,
    sampled=(
        "tf.random.gamma([], alpha, beta, dtype=x.dtype, seed=1)",
        "tf.random.stateless_gamma(x.shape, [1, 2], alpha, beta, dtype=x.dtype)",
    ),
)
def gamma_differentiable(seen: SeenScene) -> None:
    """A sample moves so that its place in the distribution stays."""
    seen.derivative("moved", "tf.math.igamma(alpha, held)", by="alpha")
    seen.near("by_beta", "-sample / beta", "sample / beta", roundings=8)


@scene(
    "qr-gradient",
    "A QR decomposition is differentiable where its leading columns are independent.",
    """
    def parts(t):
        places = tf.reshape(tf.range($rows * $columns), [$rows, $columns])
        waves = tf.sin(t * tf.cast(places, t.dtype))
        return tf.linalg.qr(4.0 * tf.eye($rows, $columns, dtype=t.dtype) + waves, $full)

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = parts(x)
    gradient = tape.gradient(target, x)
    """,
    cites=[
        docstring("tf.linalg.qr", "the gradient for the QR decomposition is well-defined only when")
    ],
    among=REALS,
    ranks=(0, 0),
    rows=("2", "3"),
    columns=("2", "3"),
    full=("full_matrices=False", "full_matrices=True"),
)
def qr_gradient(seen: SeenScene) -> None:
    """Tall, square and wide; of a tall one the full matrices have no gradient, and say so."""
    seen.derivative("gradient", "parts(x)", by="x")


@scene(
    "determinism-repeat",
    "The same program on the same numbers has the same gradients, bit for bit.",
    """
    def once():
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            target = f(x) * tf.reduce_sum(h(v))
        return tape.gradient(target, [x, v]), tape.gradient(target, [x, v])

    (first, again), (other, last) = once(), once()
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    ops=SIMPLE,
)
def determinism_repeat(seen: SeenScene) -> None:
    """Asked twice, and run twice."""
    for one in ("again", "other", "last"):
        seen.same(one, "first")


@scene(
    "check-numerics-gradient",
    "tf.debugging.check_numerics passes finite gradients on unchanged.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        plain = f(x)
        checked = f(tf.debugging.check_numerics(x, "what it says"))
    gradients = tape.gradient(plain, x), tape.gradient(checked, x)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
)
def check_numerics_gradient(seen: SeenScene) -> None:
    """Bit for bit."""
    seen.same("gradients[1]", "gradients[0]")


@scene(
    "check-numerics-gradient-nan",
    "A gradient that is not finite raises InvalidArgumentError in tf.debugging.check_numerics.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = tf.debugging.check_numerics(x, "what it says") * tf.constant($bad, x.dtype)
    gradient = tape.gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
    among=REALS,
    raises="InvalidArgumentError",
    saying="what it says",
    bad=("float('nan')", "float('inf')", "float('-inf')"),
)
def check_numerics_gradient_nan(_: SeenScene) -> None:
    """NaN and both infinities; what check_numerics was told is said again."""
