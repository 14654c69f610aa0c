"""batch_jacobian: the Jacobians of rows that do not depend on each other.

Batches are made of rows that are drawn, so that finite differences judge each Jacobian by itself.
"""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

BATCH = "tf.GradientTape.batch_jacobian"


@scene(
    "batch-jacobian-doc",
    "The batch_jacobian of the squares of a matrix holds for each row twice its elements on the "
    "diagonal, and zeros.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = $square
    jacobian = tape.batch_jacobian(target, x)
    expected = tf.linalg.diag(2.0 * x)
    """,
    cites=[docstring(BATCH, "batch_jacobian is [[[2, 0], [0, 4]], [[6, 0], [0, 8]]]")],
    dear=True,
    among=REALS,
    ranks=(2, 2),
    square=("x * x", "tf.math.square(x)"),
)
def batch_jacobian_doc(seen: SeenScene) -> None:
    """Bit for bit: products with ones and zeros are exact."""
    seen.same("jacobian", "expected")


@scene(
    "batch-jacobian-literal-formula",
    "A batch_jacobian is the stack of the Jacobians of the rows.",
    """
    with tf.GradientTape(persistent=True) as tape:
        rows = [x, y]
        tape.watch(rows)
        source = tf.stack(rows)
        parts = tf.unstack(source)
        results = [tf.reshape(f(one), [-1]) for one in parts]
        target = tf.stack(results)
    batched = tape.batch_jacobian(target, source, experimental_use_pfor=False)
    stacked = tf.stack([
        tape.jacobian(result, one, experimental_use_pfor=False)
        for result, one in zip(results, parts)
    ])
    """,
    cites=[
        docstring(BATCH, "Computes and stacks per-example jacobians"),
        docstring(BATCH, "This function is essentially an efficient implementation of"),
        docstring(BATCH, "tf.stack([self.jacobian(y[i], x[i])"),
    ],
    modes=("eager", "outer"),
    ranks=(1, 2),
    ops=SIMPLE,
)
def batch_jacobian_literal_formula(seen: SeenScene) -> None:
    """Bit for bit. The rows are those of the record: slices that are made later are not in it."""
    seen.same("batched", "stacked")


@scene(
    "batch-jacobian-equals-diagonal",
    "Where rows do not depend on each other a batch_jacobian holds the blocks on the diagonal of "
    "the Jacobian; what is beside them is zero.",
    """
    source = tf.stack([x, y])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(source)
        target = tf.stack([tf.reshape(f(one), [-1]) for one in tf.unstack(source)])
    batched = tape.batch_jacobian(target, source)
    whole = tape.jacobian(target, source, experimental_use_pfor=False)
    weights = tf.reshape(dy, [-1])
    products = [tf.tensordot(weights, one, 1) for one in tf.unstack(batched)]
    blocks = [tf.tensordot(weights, whole[i, :, i], 1) for i in range(2)]
    beside = [whole[0, :, 1], whole[1, :, 0]]
    """,
    cites=[
        docstring(BATCH, "is independent of `source[j,...]`"),
        docstring(BATCH, "i.e. stacked per-example jacobians"),
    ],
    modes=("eager", "function"),
    among=REALS,
    ranks=(1, 2),
    ops=SIMPLE,
)
def batch_jacobian_equals_diagonal(seen: SeenScene) -> None:
    """Of each row, along random weights."""
    seen.holds("batched.shape == target.shape + source.shape[1:]")
    for found in ("products", "blocks"):
        seen.derivative(f"{found}[0]", "f(x)", by="x", weights="dy")
        seen.derivative(f"{found}[1]", "f(y)", by="y", weights="dy")
    seen.zeros("beside", like="[tf.zeros_like(one) for one in beside]")


@scene(
    "batch-jacobian-nopfor",
    "In a loop a batch_jacobian is the same; inside of a tf.function no persistent tape is needed.",
    """
    source = tf.stack([x, y])
    with tf.GradientTape(persistent=tf.executing_eagerly()) as tape:
        tape.watch(source)
        target = tf.stack([tf.reshape(f(one), [-1]) for one in tf.unstack(source)])
    batched = tape.batch_jacobian(target, source, experimental_use_pfor=False)
    products = [tf.tensordot(tf.reshape(dy, [-1]), one, 1) for one in tf.unstack(batched)]
    """,
    cites=[
        docstring(BATCH, "Else uses a tf.while_loop"),
        docstring(BATCH, "with eager execution"),
    ],
    among=REALS,
    ranks=(1, 2),
    ops=SIMPLE,
)
def batch_jacobian_nopfor(seen: SeenScene) -> None:
    """Of each row, along random weights."""
    seen.holds("batched.shape == target.shape + source.shape[1:]")
    seen.derivative("products[0]", "f(x)", by="x", weights="dy")
    seen.derivative("products[1]", "f(y)", by="y", weights="dy")


@scene(
    "batch-jacobian-dependent",
    "Where rows depend on each other a batch_jacobian adds up what one row of the source does to "
    "all rows of the target.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = x * tf.reduce_sum(f(x))
    batched = tape.batch_jacobian(target, x)
    weights = dx[0]
    flat = tf.reshape(batched, [x.shape[0], -1, *x.shape[1:]])
    product = tf.einsum("ij...,j->i...", flat, tf.reshape(weights, [-1]))
    """,
    cites=[UNDOCUMENTED, guide("advanced_autodiff", "Batch Jacobian")],
    dear=True,
    modes=("eager", "function"),
    among=REALS,
    ranks=(2, 3),
    ops=SIMPLE,
)
def batch_jacobian_dependent(seen: SeenScene) -> None:
    """Along weights that are the same for every row of the target."""
    seen.holds("batched.shape == target.shape + x.shape[1:]")
    every = "tf.broadcast_to(weights, x.shape)"
    seen.derivative("product", "x * tf.reduce_sum(f(x))", by="x", weights=every)


@scene(
    "batch-jacobian-first-dim",
    "A batch_jacobian of batches of different sizes, or of vectors, raises ValueError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = x * x
    tape.batch_jacobian($pair)
    """,
    cites=[
        docstring(BATCH, "dimension of `target` and `source` do not match"),
        docstring(BATCH, "target: A tensor with rank 2 or higher"),
        docstring(BATCH, "source: A tensor with rank 2 or higher"),
    ],
    ranks=(2, 3),
    raises="ValueError",
    saying="Need first dimension|must have rank at least 2",
    pair=(
        "tf.concat([target, target], 0), x",
        "target, tf.concat([x, x, x], 0)",
        "tf.reshape(target, [-1]), tf.reshape(x, [-1])",
    ),
)
def batch_jacobian_first_dim(_: SeenScene) -> None:
    """Twice the batch, or a third of it; vectors."""


@scene(
    "batch-jacobian-parallel-iterations",
    "parallel_iterations changes nothing about a batch_jacobian but how it is computed.",
    """
    source = tf.stack([x, y])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(source)
        target = tf.stack([tf.reshape(f(one), [-1]) for one in tf.unstack(source)])
    batched = tape.batch_jacobian(target, source, parallel_iterations=$number)
    product = tf.tensordot(tf.reshape(dy, [-1]), batched[1], 1)
    """,
    cites=[docstring(BATCH, "A knob to control how many iterations are dispatched")],
    dear=True,
    modes=("eager", "function"),
    among=REALS,
    ranks=(1, 2),
    ops=SIMPLE,
    number=("100", "3", "2"),
)
def batch_jacobian_parallel_iterations(seen: SeenScene) -> None:
    """More than there are elements of a row, or fewer; one: jacobian-one-parallel-iteration."""
    seen.derivative("product", "f(y)", by="y", weights="dy")
