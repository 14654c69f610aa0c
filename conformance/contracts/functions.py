"""Functions that are traced: under a tape, and around one."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "function-differentiable",
    "A tf.function that is called under a tape is differentiated as the ops in it are, in what it "
    "is given and in the Variables that it reads.",
    """
    traced = tf.function(lambda t: f(t) * tf.reduce_sum(h(v)), autograph=False)
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = $called
    gradients = tape.gradient(target, [x, v])
    """,
    cites=[guide("function", "Usage")],
    modes=("outer", "function"),
    ops=SIMPLE,
    called=("traced(x)", "tf.function(traced, autograph=False)(x)", "traced(t=x)"),
)
def function_differentiable(seen: SeenScene) -> None:
    """Also a function within a function."""
    for number, name in enumerate("xv"):
        seen.derivative(f"gradients[{number}]", "f(x) * tf.reduce_sum(h(v))", by=name)


@scene(
    "concrete-function",
    "Concrete functions, and functions of a fixed signature, are differentiable twice.",
    """
    def square(t):
        return tf.square(tf.reduce_sum(f(t)))

    def slope(t, function):
        with tf.GradientTape() as tape:
            tape.watch(t)
            target = function(t)
        return tape.gradient(target, t)

    open_shape = tf.TensorSpec([None] * len(x.shape), x.dtype)
    traced = $traced
    with tf.GradientTape() as outer:
        outer.watch(x)
        first = slope(x, traced)
    second = outer.gradient(first, x)
    """,
    cites=[UNDOCUMENTED],
    modes=("outer",),
    ops=SIMPLE,
    traced=(
        "tf.function(square, autograph=False).get_concrete_function(x)",
        "tf.function(square, autograph=False).get_concrete_function(open_shape)",
        "tf.function(square, [tf.TensorSpec(x.shape, x.dtype)], autograph=False)",
        "tf.function(square, [tf.TensorSpec(None, x.dtype)], autograph=False)",
    ),
)
def concrete_function(seen: SeenScene) -> None:
    """Of known and of unknown shapes."""
    seen.derivative("first", "square(x)", by="x")
    seen.derivative("second", "slope(x, square)", by="x")


@scene(
    "function-retrace-invariance",
    "A function that is traced again, for another shape or dtype, has the right gradients for all.",
    """
    def function(t):
        return tf.sin(t) * t

    traced = tf.function(function, autograph=False$relaxed)
    both, row, other = tf.stack([x, y]), y[None], tf.cast(x, $dtype)
    given = {"x": x, "both": both, "row": row, "other": other}
    gradients = {}
    for name in $order:
        with tf.GradientTape() as tape:
            tape.watch(given[name])
            target = traced(given[name])
        gradients[name] = tape.gradient(target, given[name])
    """,
    cites=[UNDOCUMENTED],
    modes=("outer",),
    among=REALS,
    dtype=("tf.complex128", "tf.float32"),
    relaxed=("", ", experimental_relax_shapes=True"),
    order=(
        "('x', 'both', 'row', 'other', 'x')",
        "('other', 'row', 'x', 'both')",
        "('row', 'x', 'row', 'both', 'x', 'other')",
    ),
)
def function_retrace_invariance(seen: SeenScene) -> None:
    """Asked in several orders, with shapes relaxed or not."""
    for name in ("x", "both", "row"):
        seen.derivative(f"gradients['{name}']", f"function({name})", by=name)
    seen.near(
        "gradients['other']",
        "tf.math.conj(tf.cos(other) * other + tf.sin(other))",
        "tf.abs(tf.cos(other) * other) + tf.abs(tf.sin(other))",
        roundings=8,
    )


@scene(
    "function-captured-tensor",
    "A watched tensor that a function closes over has its gradient, be it small or large.",
    """
    closed = tf.tile(tf.reshape(x, [-1]), [$times])
    with tf.GradientTape() as tape:
        tape.watch(closed)
        target = tf.function(lambda: tf.sin(closed) * closed, autograph=False)()
    gradient = tape.gradient(target, closed)
    """,
    cites=[UNDOCUMENTED],
    modes=("outer",),
    times=("1", "200"),  # a function keeps up to 128 elements as a constant, if nobody watches them
)
def function_captured_tensor(seen: SeenScene) -> None:
    """On both sides of the size up to which a captured tensor may become a constant."""
    seen.derivative("gradient", "tf.sin(closed) * closed", by="closed")


@scene(
    "function-none-output",
    "A None among gradients that a function returns stays None, and their structure stays.",
    """
    def program(one, other):
        with tf.GradientTape() as tape:
            tape.watch([one, other])
            target = f(one)
        return tape.gradient(target, {"one": one, "rest": [other, (other,)]})

    answer = tf.function(program, autograph=False$compiled)(x, y)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
    modes=("function",),
    compiled=("", ", jit_compile=True"),
)
def function_none_output(seen: SeenScene) -> None:
    """A dict that holds a list that holds a tuple; compiled by XLA or not."""
    seen.derivative("answer['one']", "f(x)", by="x")
    seen.none("answer['rest']")
    seen.holds("isinstance(answer['rest'], list) and isinstance(answer['rest'][1], tuple)")


@scene(
    "function-tape-leak",
    "A tape that recorded while a function was traced knows nothing of what the function returns.",
    """
    kept = []

    def program(t):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(t)
            target = f(t)
        kept.append(tape)
        return target

    traced = tf.function(program, autograph=False)
    target = traced(x)
    gradient = kept[0].gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
    modes=("outer",),
)
def function_tape_leak(seen: SeenScene) -> None:
    """Asked outside, where there are other tensors."""
    seen.none("gradient")


@scene(
    "function-tape-leak-symbolic",
    "Outside of its function a tape that recorded there raises TypeError for the symbolic target.",
    """
    kept = []

    def program(t):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(t)
            target = tf.square(f(t))
        kept.extend([tape, target])
        return target

    traced = tf.function(program, autograph=False)  # kept: to 2.12 it crashes if its graph is gone
    traced(x)
    kept[0].gradient(kept[1], x)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
    modes=("outer",),
    raises="TypeError",
    saying="out of scope",
)
def function_tape_leak_symbolic(_: SeenScene) -> None:
    """The exception says that the tensor is out of scope."""


@scene(
    "function-tape-enclosing-trace",
    "A tape around the call that traces a function does not record the trace beside the call.",
    """
    traced = tf.function(lambda t: f(t) * tf.reduce_sum(h(v)), autograph=False)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        targets = [traced(x), traced(x), traced(x)]
    gradients = [tape.gradient(target, [x, v]) for target in targets]
    """,
    cites=[UNDOCUMENTED],
    modes=("outer",),
    ops=SIMPLE,
)
def function_tape_enclosing_trace(seen: SeenScene) -> None:
    """The first call, which traces, answers bit for bit as later ones do."""
    seen.same("gradients[1]", "gradients[0]")
    seen.same("gradients[2]", "gradients[0]")
    for number, name in enumerate("xv"):
        seen.derivative(f"gradients[0][{number}]", "f(x) * tf.reduce_sum(h(v))", by=name)


@scene(
    "run-functions-eagerly",
    "Functions that run eagerly have the same gradients as traced ones.",
    """
    traced = tf.function(f, autograph=False)
    tf.config.run_functions_eagerly($flag)
    try:
        with tf.GradientTape() as tape:
            tape.watch(x)
            target = traced(x)
        gradient = tape.gradient(target, x)
    finally:
        tf.config.run_functions_eagerly(False)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
    modes=("outer",),
    flag=("True", "False"),
)
def run_functions_eagerly(seen: SeenScene) -> None:
    """With the flag set and not."""
    seen.derivative("gradient", "f(x)", by="x")


@scene(
    "function-returns-gradient-indexedslices",
    "IndexedSlices that a tape answers in a function are returned as such.",
    """
    def rows(t):
        return tf.square(tf.gather(t, $places))

    with tf.GradientTape() as tape:
        target = rows(v)
    gradient = tape.gradient(target, v)
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    ranks=(1, 3),
    places=("[0]", "[0, 0]", "[[0], [0]]"),
)
def function_returns_gradient_indexedslices(seen: SeenScene) -> None:
    """Of a Variable, from one row or the same row often."""
    seen.holds("isinstance(gradient, tf.IndexedSlices)")
    seen.derivative("gradient", "rows(v)", by="v")


@scene(
    "function-outer-tape-gather",
    "A Variable that is gathered from in a function has IndexedSlices under a tape around it too.",
    """
    def rows(t):
        return tf.square(tf.gather(t, $places))

    with tf.GradientTape() as tape:
        target = tf.function(lambda: rows(v), autograph=False)()
    gradient = tape.gradient(target, v)
    """,
    cites=[UNDOCUMENTED],
    modes=("outer",),
    ranks=(1, 3),
    places=("[0]", "[0, 0]", "[[0], [0]]"),
)
def function_outer_tape_gather(seen: SeenScene) -> None:
    """As it has without the function."""
    seen.holds("isinstance(gradient, tf.IndexedSlices)")
    seen.derivative("gradient", "rows(v)", by="v")


@scene(
    "atomic-function-no-gradient",
    "The inference function of a concrete function computes, and is connected to nothing.",
    """
    concrete = tf.function(f, autograph=False).get_concrete_function(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = concrete.inference_fn(x)
    gradient = tape.gradient(target, x)
    """,
    cites=[guide("function", 'What is "tracing"?')],
    ops=SIMPLE,
    modes=("outer",),
    since=(2, 15),
)
def atomic_function_no_gradient(seen: SeenScene) -> None:
    """Its result is that of the function; its gradient is None."""
    seen.none("gradient")
    seen.like("target", "f(x)")


_MAP = docstring("tf.vectorized_map", "works similar to `tf.map_fn`")


@scene(
    "vectorized-map-function",
    "tf.vectorized_map of a tf.function is differentiable in what it goes through and in the "
    "Variables that the function reads.",
    """
    each = tf.function(lambda one: f(one) * tf.reduce_sum(h(v)), autograph=False)
    rows = tf.stack([x, y, z])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        target = tf.vectorized_map(each, rows)
    gradients = tape.gradient(target, [rows, v])
    """,
    cites=[_MAP],
    modes=("eager", "function"),
    among=REALS,
    ops=("tf.math.square", "tf.math.sin"),  # the nightly's tanh has a custom gradient: see below
)
def vectorized_map_function(seen: SeenScene) -> None:
    """Every row reads the Variable."""
    seen.holds("gradients[0] is not None")  # apart from the Variable, of which a deviation speaks
    target = "tf.stack([f(one) * tf.reduce_sum(h(v)) for one in rows])"
    seen.derivative("gradients[0]", target, by="rows")
    seen.derivative("gradients[1]", target, by="v")


@scene(
    "vectorized-map-function-custom-gradient",
    "So it is where the function has a custom gradient, of each row or of what all rows share, and "
    "with tf.map_fn.",
    """
    @tf.custom_gradient
    def custom(a):
        return a * a, lambda upstream: 2 * a * upstream

    def row(one, t):
        return $row

    each = tf.function(lambda one: row(one, v), autograph=False)
    rows = tf.stack([x, y, z])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        target = tf.$map(each, rows)
    gradients = tape.gradient(target, [rows, v])
    """,
    cites=[_MAP],
    modes=("eager",),
    among=REALS,
    row=("one * custom(one * t)", "one * custom(t)", "one * tf.nn.silu(t)"),
    map=("vectorized_map", "map_fn"),
)
def vectorized_map_function_custom_gradient(seen: SeenScene) -> None:
    """One of ours, and one that TensorFlow's own function has."""
    target = "tf.stack([row(one, v) for one in rows])"
    seen.derivative("gradients[0]", target, by="rows")
    seen.derivative("gradients[1]", target, by="v")


@scene(
    "gradient-graph-names",
    "What registered gradients add to a graph stands under the name scope gradient_tape.",
    """
    graph = tf.compat.v1.get_default_graph()
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = tf.sin(f(x)) * f(x)
    before = len(graph.get_operations())
    gradient = tape.gradient(target, x)
    added = graph.get_operations()[before:]
    beside = {op.type for op in added if not op.name.startswith("gradient_tape/")}
    custom = any("_gradient_op_type" in op.node_def.attr for op in graph.get_operations())
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    ops=SIMPLE,
)
def gradient_graph_names(seen: SeenScene) -> None:
    """Only what begins a gradient, and adds gradients up, stands elsewhere.

    Unless an op has a custom gradient, as that of the hyperbolic tangent in double precision since
    2.23.
    """
    seen.holds("custom or beside <= {'Const', 'Fill', 'OnesLike', 'AddN', 'AddV2'}")
    seen.holds("len(added) > 3")
