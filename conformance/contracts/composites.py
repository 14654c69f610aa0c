"""Gradients that are no plain tensors: slices, ragged and sparse tensors, and other composites."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import scene
from conformance.seen_scenes import SeenScene


@scene(
    "gather-indexedslices",
    "The gradient of gathered rows is IndexedSlices with the indices of those rows.",
    """
    rows = k % tf.shape(x)[0]
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = tf.math.sin($lookup($source, rows))
    gradient = tape.gradient(target, $source)
    """,
    cites=[
        docstring("tf.IndexedSlices", "gradients for operations that have sparse gradients"),
        docstring("tf.GradientTape.gradient", "Tensors (or IndexedSlices, or None"),
    ],
    modes=("eager", "function"),
    ranks=(1, 3),
    lookup=("tf.gather", "tf.nn.embedding_lookup", "tf.compat.v1.gather"),
    source=("v", "x"),
)
def gather_indexedslices(seen: SeenScene) -> None:
    """From a Variable and from a Tensor, with indices that may occur again."""
    source, lookup = seen.case.chosen["source"], seen.case.chosen["lookup"]
    seen.holds("isinstance(gradient, tf.IndexedSlices)")
    seen.same("gradient.indices", "tf.reshape(rows, [-1])")
    seen.derivative("gradient", f"tf.math.sin({lookup}({source}, rows))", by=source)


@scene(
    "indexedslices-duplicates",
    "IndexedSlices hold a slice for each time that a row was gathered; a dense tensor their sums.",
    """
    rows = tf.reshape(k % tf.shape(v)[0], [-1])
    rows = tf.concat([rows, rows], 0)
    with tf.GradientTape() as tape:
        target = tf.gather(v, rows) * tf.gather(x, rows)
    gradient = tape.gradient(target, v)
    dense = tf.convert_to_tensor(gradient)
    wanted = tf.math.conj(tf.gather(x, rows))
    total = tf.math.unsorted_segment_sum(wanted, rows, tf.shape(v)[0])
    terms = tf.math.unsorted_segment_sum(tf.math.abs(wanted), rows, tf.shape(v)[0])
    """,
    cites=[docstring("tf.IndexedSlices", "in the first dimension of")],
    modes=("eager", "function"),
    ranks=(1, 3),
)
def indexedslices_duplicates(seen: SeenScene) -> None:
    """Every row twice, or more often."""
    seen.holds("isinstance(gradient, tf.IndexedSlices)")
    seen.same("gradient.indices", "rows")
    seen.same("gradient.values", "wanted")
    seen.near("dense", "total", "terms", roundings=16)


@scene(
    "indexedslices-aggregate",
    "Gradients of two gathers are concatenated slices; with that of another op they are dense.",
    """
    rows = k % tf.shape(v)[0]
    with tf.GradientTape(persistent=True) as tape:
        one, two = tf.gather(v, rows), tf.math.sin(tf.gather(v, rows[:1]))
        other = tf.math.square(v)
    slices = tape.gradient([one, two], v)
    dense = tape.gradient([one, other], v)
    indices = tf.concat([tf.reshape(rows, [-1]), tf.reshape(rows[:1], [-1])], 0)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "function"),
    ranks=(1, 3),
)
def indexedslices_aggregate(seen: SeenScene) -> None:
    """The order of the slices is not told."""
    seen.holds("isinstance(slices, tf.IndexedSlices)")
    seen.same("tf.sort(slices.indices)", "tf.sort(indices)")
    seen.derivative("slices", "[tf.gather(v, rows), tf.math.sin(tf.gather(v, rows[:1]))]", by="v")
    seen.holds("isinstance(dense, tf.Tensor)")
    seen.derivative("dense", "[tf.gather(v, rows), tf.math.square(v)]", by="v")


@scene(
    "ragged-source",
    "The gradient for a RaggedTensor is one, with the same rows.",
    """
    values = tf.reshape(x, [-1])
    size = values.shape[0]
    ragged = tf.RaggedTensor.from_row_lengths(values, $lengths)
    with tf.GradientTape() as tape:
        tape.watch(ragged)
        target = $target
    gradient = tape.gradient(target, ragged)
    is_ragged = isinstance(gradient, tf.RaggedTensor)
    flat, splits, wanted = gradient.flat_values, gradient.row_splits, ragged.row_splits
    """,
    cites=[docstring("tf.GradientTape.gradient", "gradient also supports RaggedTensors")],
    modes=("eager", "function"),
    since=(2, 9),
    lengths=("[size]", "[1, size - 1]", "[0, size - 1, 1]", "[size, 0, 0]"),
    target=("tf.math.square(ragged)", "ragged * ragged", "tf.reduce_sum(ragged * ragged)"),
)
def ragged_source(seen: SeenScene) -> None:
    """Of ragged targets and of dense ones; rows may be empty."""
    seen.holds("is_ragged")
    seen.same("splits", "wanted")
    seen.derivative("flat", "tf.math.square(values)", by="values")


@scene(
    "ragged-mixed",
    "A ragged target has gradients for what it was made from; an unconnected ragged source, None.",
    """
    size = tf.size(v)
    other = tf.ragged.constant([[1.0, 2.0], [3.0]])
    with tf.GradientTape() as tape:
        tape.watch([x, other])
        ragged = tf.RaggedTensor.from_row_lengths(tf.reshape(v * x, [-1]), $lengths)
        target = tf.math.square(ragged)
    *gradients, unconnected = tape.gradient(target, [x, v, other])
    is_none = unconnected is None
    """,
    cites=[
        docstring("tf.GradientTape.gradient", "CompositeTensors to be differentiated"),
        docstring("tf.GradientTape.gradient", "sources: a list or nested structure"),
    ],
    modes=("eager", "function"),
    since=(2, 9),
    lengths=("[size]", "[1, size - 1]", "[0, size - 1, 1]", "[size, 0, 0]"),
)
def ragged_mixed(seen: SeenScene) -> None:
    """A Tensor and a Variable, and a RaggedTensor that nothing was made from."""
    seen.derivative("gradients[0]", "tf.math.square(v * x)", by="x")
    seen.derivative("gradients[1]", "tf.math.square(v * x)", by="v")
    seen.holds("is_none")


@scene(
    "ragged-unconnected-zero",
    "UnconnectedGradients.ZERO gives zeros for an unconnected RaggedTensor, in its shape.",
    """
    values = tf.reshape(x, [-1])
    size = values.shape[0]
    ragged = tf.RaggedTensor.from_row_lengths(values, $lengths)
    with tf.GradientTape() as tape:
        tape.watch(ragged)
        target = f(y)
    gradient = tape.gradient(target, ragged, unconnected_gradients="zero")
    flat, splits, wanted = gradient.flat_values, gradient.row_splits, ragged.row_splits
    """,
    cites=[
        docstring("tf.UnconnectedGradients", "zero tensor will be returned in the shape of x"),
    ],
    modes=("eager", "function"),
    since=(2, 9),
    lengths=("[size]", "[1, size - 1]", "[0, size - 1, 1]", "[size, 0, 0]"),
)
def ragged_unconnected_zero(seen: SeenScene) -> None:
    """Whatever the lengths of its rows."""
    seen.zeros("flat", "values")
    seen.same("splits", "wanted")


@scene(
    "sparse-source",
    "A SparseTensor is a source: its gradient is that for its values.",
    """
    values = tf.reshape(x, [-1])
    indices = [[i, 0] for i in range(values.shape[0])]
    sparse = tf.SparseTensor(indices, values, [len(indices), 1])
    with tf.GradientTape() as tape:
        tape.watch(sparse.values)
        target = tf.math.square(sparse.values)
    gradient = tape.gradient(target, sparse).values
    """,
    cites=[
        docstring("tf.GradientTape.gradient", "sources: a list or nested structure"),
    ],
    modes=("eager",),
    since=(2, 9),
)
def sparse_source(seen: SeenScene) -> None:
    """Any sparse vector of one column."""
    seen.derivative("gradient", "tf.math.square(values)", by="values")


@scene(
    "sparse-values-source",
    "The values of a SparseTensor are a source of what is computed with it.",
    """
    values = tf.reshape(x, [-1])
    indices = [[i, 0] for i in range(values.shape[0])]
    sparse = tf.SparseTensor(indices, values, [len(indices), 1])
    with tf.GradientTape() as tape:
        tape.watch(sparse.values)
        matrix = tf.reshape(y, [-1])[:1, None]
        target = tf.math.square(tf.sparse.sparse_dense_matmul(sparse, matrix))
    gradient = tape.gradient(target, sparse.values)
    """,
    cites=[UNDOCUMENTED],
)
def sparse_values_source(seen: SeenScene) -> None:
    """Through a product with a matrix."""
    seen.derivative("gradient", "tf.math.square(values * tf.reshape(y, [-1])[0])", by="values")


@scene(
    "sparse-target",
    "A SparseTensor is a target: what is differentiated is its values.",
    """
    values = tf.reshape(x, [-1])
    indices = [[i, 0] for i in range(values.shape[0])]
    with tf.GradientTape() as tape:
        tape.watch(values)
        target = tf.SparseTensor(indices, tf.math.square(values), [len(indices), 1])
    gradient = tape.gradient(target, values)
    """,
    cites=[docstring("tf.GradientTape.gradient", "CompositeTensors to be differentiated")],
    modes=("eager",),
    since=(2, 9),
)
def sparse_target(seen: SeenScene) -> None:
    """Any sparse vector of one column."""
    seen.derivative("gradient", "tf.math.square(values)", by="values")


@scene(
    "extension-type",
    "An ExtensionType is a source: its gradient is one that holds those of its tensors.",
    """
    class Pair(tf.experimental.ExtensionType):
        one: tf.Tensor
        two: tf.Tensor

    pair = Pair(x, y)
    with tf.GradientTape() as tape:
        tape.watch([pair.one, pair.two])
        target = tf.math.sin(pair.one * pair.two)
    gradient = tape.gradient(target, pair)
    gradients = [gradient.one, gradient.two]
    """,
    cites=[
        docstring("tf.GradientTape.gradient", "sources: a list or nested structure"),
    ],
    modes=("eager",),
    since=(2, 9),
)
def extension_type(seen: SeenScene) -> None:
    """A pair of tensors."""
    seen.derivative("gradients[0]", "tf.math.sin(x * y)", by="x")
    seen.derivative("gradients[1]", "tf.math.sin(x * y)", by="y")


@scene(
    "extension-type-fields",
    "The tensors of an ExtensionType are sources of what is computed with them.",
    """
    class Pair(tf.experimental.ExtensionType):
        one: tf.Tensor
        two: tf.Tensor

    pair = Pair(x, y)
    with tf.GradientTape() as tape:
        tape.watch([pair.one, pair.two])
        target = tf.math.sin(pair.one * pair.two)
    gradients = tape.gradient(target, [pair.one, pair.two])
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
)
def extension_type_fields(seen: SeenScene) -> None:
    """A pair of tensors."""
    seen.derivative("gradients[0]", "tf.math.sin(x * y)", by="x")
    seen.derivative("gradients[1]", "tf.math.sin(x * y)", by="y")


@scene(
    "linear-operator",
    "A LinearOperator is a source, whose gradient is one, and a target.",
    """
    diagonal = tf.reshape(x, [-1])
    operator = tf.linalg.LinearOperatorDiag(diagonal)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([operator, diagonal])
        target = operator.matvec(tf.math.sin(operator.diag_part()))
        made = tf.linalg.LinearOperatorDiag(tf.math.sin(diagonal))
    gradient = tape.gradient(target, operator)
    is_operator = isinstance(gradient, tf.linalg.LinearOperatorDiag)
    gradients = [gradient.diag_part(), tape.gradient(made, diagonal)]
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    since=(2, 14),
)
def linear_operator(seen: SeenScene) -> None:
    """One with a diagonal, of any numbers."""
    seen.holds("is_operator")
    seen.derivative("gradients[0]", "diagonal * tf.math.sin(diagonal)", by="diagonal")
    seen.derivative("gradients[1]", "tf.math.sin(diagonal)", by="diagonal")


@scene(
    "tnp-arrays",
    "The functions of tf.experimental.numpy are recorded, and their arrays can be watched.",
    """
    import tensorflow.experimental.numpy as tnp

    def function(a):
        return tnp.sin(a) * tnp.sum(tnp.square(tnp.ravel(a)))

    array = tnp.asarray(x)
    with tf.GradientTape() as tape:
        tape.watch(array)
        target = function(array)
    gradient = tape.gradient(target, array)
    """,
    cites=[guide("tf_numpy", "Gradients and Jacobians")],
)
def tnp_arrays(seen: SeenScene) -> None:
    """Beside the functions of TensorFlow itself."""
    seen.derivative("gradient", "function(array)", by="array")


@scene(
    "convert-indexedslices-warning",
    "In a tf.function a warning says so where slices become a tensor of 100 million elements.",
    """
    import warnings

    def program(table, rows):
        with tf.GradientTape() as tape:
            tape.watch(table)
            target = tf.gather(table, rows)
        return tf.convert_to_tensor(tape.gradient(target, table))

    shape = [$rows, 1000]
    specs = [tf.TensorSpec(shape), tf.TensorSpec([None], tf.int32)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tf.function(program, autograph=False).get_concrete_function(*specs)
    warned = any("IndexedSlices" in str(one.message) for one in caught)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    rows=("3", "99_999", "100_000", "1_000_000"),
)
def convert_indexedslices_warning(seen: SeenScene) -> None:
    """Traced and never run."""
    seen.holds("warned == (shape[0] >= 100_000)")
