"""How Jacobians are computed: vectorized, in a loop, inside of a tf.function, and what cannot be.

Functions are made of simple ops, as in the chapter about Jacobians.
"""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

JACOBIAN, BATCH = "tf.GradientTape.jacobian", "tf.GradientTape.batch_jacobian"
KNOB = docstring(JACOBIAN, "A knob to control how many iterations are dispatched")
BATCH_KNOB = docstring(BATCH, "A knob to control how many iterations are dispatched")
WHATEVER_THE_SHAPE = tuple(op for op in SIMPLE if op != "tf.math.reduce_sum")
"""A sum over an int64 axis of a tensor of unknown shape has no gradient: see int64-axis-dynamic."""


@scene(
    "jacobian-pfor-vs-while",
    "Vectorized or in a loop a Jacobian is the same.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = f(x)
    vectorized = tape.jacobian(target, x, experimental_use_pfor=True)
    looped = tape.jacobian(target, x, experimental_use_pfor=False)
    products = [tf.tensordot(dy, one, dy.shape.rank) for one in (vectorized, looped)]
    """,
    cites=[docstring(JACOBIAN, "falls back to a sequential while_loop")],
    dear=True,
    among=REALS,
    ops=SIMPLE,
)
def jacobian_pfor_vs_while(seen: SeenScene) -> None:
    """Finite differences find both, along random weights."""
    seen.like("looped", "vectorized")
    seen.derivative("products[0]", "f(x)", by="x", weights="dy")
    seen.derivative("products[1]", "f(x)", by="x", weights="dy")


@scene(
    "jacobian-vectorized-once",
    "Vectorized, a Jacobian asks an op for its gradient once, in a loop once for each row.",
    """
    calls = []

    @tf.custom_gradient
    def double(one):
        def backwards(flow):
            calls.append(flow)
            return 2.0 * flow
        return 2.0 * one, backwards

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = double(f(x))
    jacobian = tape.jacobian(target, x, experimental_use_pfor=$pfor)
    asked = len(calls)
    product = tf.tensordot(dy, jacobian, dy.shape.rank)
    """,
    cites=[docstring(JACOBIAN, "If true, vectorizes the jacobian computation")],
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
    pfor=("True", "False"),
)
def jacobian_vectorized_once(seen: SeenScene) -> None:
    """By a count of the calls."""
    vectorized = seen.case.chosen["pfor"] == "True"
    seen.holds("asked == 1" if vectorized else "asked == target.shape.num_elements()")
    seen.derivative("product", "2.0 * f(x)", by="x", weights="dy")


@scene(
    "jacobian-nopfor-nonpersistent",
    "Without vectorization a Jacobian needs a persistent tape; eagerly another raises "
    "RuntimeError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = x * tf.reduce_sum(x)
    tape.$method(target, x, experimental_use_pfor=False)
    """,
    cites=[
        docstring(JACOBIAN, "without enabling experimental_use_pfor"),
        docstring(BATCH, "without enabling experimental_use_pfor"),
    ],
    modes=("eager", "outer"),
    ranks=(2, 3),
    raises="RuntimeError",
    saying="persistent=True",
    method=("jacobian", "batch_jacobian"),
)
def jacobian_nopfor_nonpersistent(_: SeenScene) -> None:
    """Both methods."""


@scene(
    "jacobian-nopfor-in-function",
    "Inside of a tf.function a Jacobian needs no persistent tape, vectorized or not.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    jacobian = tape.jacobian(target, x, experimental_use_pfor=$pfor)
    product = tf.tensordot(dy, jacobian, dy.shape.rank)
    """,
    cites=[docstring(JACOBIAN, "with eager execution")],
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    pfor=("False", "True"),
)
def jacobian_nopfor_in_function(seen: SeenScene) -> None:
    """Along random weights."""
    seen.derivative("product", "f(x)", by="x", weights="dy")


@scene(
    "jacobian-mixed-dtype-nopfor",
    "The source of a Jacobian may have another dtype than the target, vectorized or not.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = tf.cast(f(x), tf.float32)
    jacobian = tape.jacobian(target, x, experimental_use_pfor=$pfor)
    """,
    cites=[docstring(JACOBIAN, "falls back to a sequential while_loop")],
    dear=True,
    among=("float64",),
    ops=SIMPLE,
    pfor=("True", "False"),
)
def jacobian_mixed_dtype_nopfor(seen: SeenScene) -> None:
    """A float64 source of a float32 target: the dtype is the source's."""
    seen.like("jacobian", "tf.zeros(target.shape + x.shape, x.dtype)")


@scene(
    "jacobian-vectorization-failure",
    "A Jacobian that cannot be vectorized raises ValueError, which names the flag to turn off.",
    """
    called = tf.function(
        lambda: tf.cond(tf.reduce_sum($one) > 0.0, lambda: $branch, lambda: -$one),
        autograph=False,
    )
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = called()
    tape.jacobian(target, $one)
    """,
    cites=[
        docstring(JACOBIAN, "If vectorization of jacobian computation fails"),
        docstring(JACOBIAN, "Vectorization can sometimes fail"),
    ],
    modes=("function",),  # eagerly it is the same; each program takes a quarter of a second
    among=REALS,
    raises="ValueError",
    saying="experimental_use_pfor",
    one=("x", "v"),
    branch=("x * v", "tf.math.sin(x * v)"),
)
def jacobian_vectorization_failure(_: SeenScene) -> None:
    """A branch over what a tf.function captures, under a persistent tape: so it is up to now."""


@scene(
    "jacobian-vectorization-fallback",
    "An op that cannot be vectorized, such as a call of Python, runs once for each row.",
    """
    @tf.custom_gradient
    def double(one):
        def backwards(*flow):
            outside = tf.numpy_function(lambda n: n + n, flow, one.dtype)
            return tf.reshape(outside, one.shape)
        return 2.0 * one, backwards

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = double(f(x))
    jacobian = tape.jacobian(target, x)
    product = tf.tensordot(dy, jacobian, dy.shape.rank)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    modes=("eager", "function"),
    among=REALS,
    ops=SIMPLE,
)
def jacobian_vectorization_fallback(seen: SeenScene) -> None:
    """It is in the gradient of a function."""
    seen.derivative("product", "2.0 * f(x)", by="x", weights="dy")


@scene(
    "jacobian-control-flow",
    "The Jacobian of branches and loops is right, vectorized or not.",
    """
    called = $called
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = called(x)
    jacobian = tape.jacobian(target, x, experimental_use_pfor=$pfor)
    total = tf.reduce_sum(jacobian, list(range(target.shape.rank)))
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    among=REALS,
    ops=SIMPLE,
    modes=("eager", "function"),
    called=(
        "lambda one: tf.cond(tf.reduce_sum(one) > 0.0, lambda: f(one), lambda: -f(one))",
        "lambda one: tf.map_fn(f, tf.stack([one, one]))",
        "lambda one: tf.while_loop(lambda i, _: i < 2, lambda i, a: (i + 1, a * one), [0, one])[1]",
    ),
    pfor=("False", "True"),
)
def jacobian_control_flow(seen: SeenScene) -> None:
    """A branch, a loop over rows, a loop that counts."""
    seen.derivative("total", "called(x)", by="x")


@scene(
    "jacobian-parallel-iterations",
    "parallel_iterations changes nothing about a Jacobian but how it is computed.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = f(x)
    jacobian = tape.jacobian(target, x, parallel_iterations=$number)
    product = tf.tensordot(dy, jacobian, dy.shape.rank)
    """,
    cites=[KNOB],
    dear=True,
    modes=("eager", "function"),
    among=REALS,
    ops=SIMPLE,
    number=("100", "3", "2"),
)
def jacobian_parallel_iterations(seen: SeenScene) -> None:
    """More than there are elements of the target, or fewer."""
    seen.derivative("product", "f(x)", by="x", weights="dy")


@scene(
    "jacobian-one-parallel-iteration",
    "parallel_iterations may be 1.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = x * x
    jacobian = tape.$method(target, x, parallel_iterations=1)
    """,
    cites=[KNOB, BATCH_KNOB],
    modes=("eager",),
    among=REALS,
    ranks=(2, 3),
    method=("jacobian", "batch_jacobian"),
)
def jacobian_one_parallel_iteration(seen: SeenScene) -> None:
    """As any other number."""
    seen.there("jacobian")


@scene(
    "jacobian-parallel-iterations-once",
    "parallel_iterations needs no persistent tape where none is needed without it.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = x * x
    jacobian = tape.$method(target, x, parallel_iterations=$number)
    """,
    cites=[KNOB, BATCH_KNOB],
    dear=True,
    modes=("eager",),
    among=REALS,
    ranks=(2, 3),
    method=("jacobian", "batch_jacobian"),
    number=("100", "2"),
)
def jacobian_parallel_iterations_once(seen: SeenScene) -> None:
    """More than there are elements of the target, or fewer."""
    seen.there("jacobian")


@scene(
    "jacobian-in-function",
    "Inside of a tf.function a Jacobian is what it is outside, whatever is known of the shape, and "
    "compiled by XLA.",
    """
    def jacobian(one):
        with tf.GradientTape() as tape:
            tape.watch(one)
            target = f(one)
        return tape.jacobian(target, one)

    inside = tf.function(jacobian, autograph=False, $how)(x)
    product = tf.tensordot(dy, inside, dy.shape.rank)
    """,
    cites=[docstring(JACOBIAN, "enclose GradientTape code in @tf.function")],
    dear=True,
    modes=("eager",),
    among=REALS,
    ops=WHATEVER_THE_SHAPE,
    how=(
        "input_signature=[tf.TensorSpec(x.shape, x.dtype)]",
        "input_signature=[tf.TensorSpec([None] * x.shape.rank, x.dtype)]",
        "input_signature=[tf.TensorSpec(None, x.dtype)]",
        "input_signature=[tf.TensorSpec([None] * x.shape.rank, x.dtype)]",
        "input_signature=[tf.TensorSpec(x.shape, x.dtype)]",
        "jit_compile=True",
    ),
)
def jacobian_in_function(seen: SeenScene) -> None:
    """Its shape, and its rows along random weights."""
    seen.holds("inside.shape == dy.shape + x.shape")
    seen.derivative("product", "f(x)", by="x", weights="dy")
