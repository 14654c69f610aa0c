"""jacobian: what it is of, and what it holds.

Functions are made of simple ops: what the vectorization makes of an op is not the tape's concern.
"""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

JACOBIAN, BATCH = "tf.GradientTape.jacobian", "tf.GradientTape.batch_jacobian"


@scene(
    "jacobian-doc",
    "The Jacobian of the squares of a tensor holds twice its elements on the diagonal, and zeros.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = $square
    jacobian = tape.jacobian(target, x)
    expected = tf.linalg.diag(tf.reshape(2.0 * x, [-1]))
    """,
    cites=[docstring(JACOBIAN, "jacobian value is [[2., 0.], [0., 4.]]")],
    dear=True,
    among=REALS,
    square=("x * x", "tf.math.square(x)"),
)
def jacobian_doc(seen: SeenScene) -> None:
    """Bit for bit: products with ones and zeros are exact."""
    seen.same("tf.reshape(jacobian, expected.shape)", "expected")


@scene(
    "jacobian-sum-is-gradient",
    "The shape of a Jacobian is that of the target, then that of the source; its rows, weighted "
    "and added up, are the gradient.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = f(x)
    jacobian = tape.jacobian(target, x)
    product = tf.tensordot(dy, jacobian, dy.shape.rank)
    gradient = tape.gradient(target, x, output_gradients=dy)
    """,
    cites=[
        docstring(JACOBIAN, "Computes the jacobian using operations recorded"),
        guide("advanced_autodiff", "Tensor source"),
    ],
    dear=True,
    among=REALS,
    ops=SIMPLE,
)
def jacobian_sum_is_gradient(seen: SeenScene) -> None:
    """With random weights; finite differences find both."""
    seen.holds("jacobian.shape == target.shape + x.shape")
    seen.derivative("product", "f(x)", by="x", weights="dy")
    seen.derivative("gradient", "f(x)", by="x", weights="dy")


@scene(
    "jacobian-single-target",
    "A Jacobian is of one tensor; of a nest of them it raises AttributeError. That of a batch has "
    "one source as well.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = x * x
    $call
    """,
    cites=[
        docstring(JACOBIAN, "target: Tensor to be differentiated"),
        docstring(BATCH, "source: A tensor with rank 2 or higher"),
    ],
    ranks=(2, 3),
    raises="AttributeError",
    saying="has no attribute 'shape'",
    call=(
        "tape.jacobian([target], x)",
        "tape.jacobian((target, target), x)",
        "tape.jacobian({'a': target}, x)",
        "tape.batch_jacobian([target], x)",
        "tape.batch_jacobian(target, [x])",
        "tape.batch_jacobian(target, {'a': x})",
    ),
)
def jacobian_single_target(_: SeenScene) -> None:
    """Lists, tuples and dicts, of one tensor too."""


@scene(
    "jacobian-sources-structure",
    "The Jacobians of a nest of sources are a nest of the same structure, with None for what is "
    "not connected, or zeros if they are asked for; vectorized or not.",
    """
    sources = $sources
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        target = f(x)
    options = {"experimental_use_pfor": $pfor}
    plain = tape.jacobian(target, sources, **options)
    zero = tape.jacobian(target, sources, "zero", **options)
    tf.nest.assert_same_structure(sources, plain)
    tf.nest.assert_same_structure(sources, zero)
    pairs = list(zip(tf.nest.flatten(sources), tf.nest.flatten(plain), tf.nest.flatten(zero)))
    apart = [one for source, one, _ in pairs if source is not x]
    zeros = [one for source, _, one in pairs if source is not x]
    product, also = [
        tf.tensordot(dy, one, dy.shape.rank)
        for source, *ones in pairs if source is x for one in ones
    ]
    """,
    cites=[
        docstring(JACOBIAN, "Returned structure is the same as the structure of"),
        docstring(JACOBIAN, "alters the value which will be returned if the target and sources"),
    ],
    dear=True,
    among=REALS,
    ops=SIMPLE,
    sources=("[x, y]", "{'a': [y], 'b': (x, {'c': v})}", "(u, [[x]], y)"),
    pfor=("False", "False", "True"),
)
def jacobian_sources_structure(seen: SeenScene) -> None:
    """One source is connected, the others are not."""
    seen.none("apart")
    seen.zeros("zeros", like="[tf.zeros(target.shape + x.shape, x.dtype)] * len(zeros)")
    seen.derivative("product", "f(x)", by="x", weights="dy")
    seen.derivative("also", "f(x)", by="x", weights="dy")


@scene(
    "jacobian-densifies",
    "A Jacobian is a dense tensor where the gradient is an IndexedSlices.",
    """
    at = $at
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = h(tf.gather($source, at))
    sparse = tape.gradient(target, $source)
    jacobian = tape.jacobian(target, $source)
    total = tf.reduce_sum(jacobian, list(range(target.shape.rank)))
    """,
    cites=[docstring(JACOBIAN, "currently makes it dense and returns a Tensor")],
    dear=True,
    among=REALS,
    ranks=(1, 3),
    ops=SIMPLE,
    at=("tf.range(x.shape[0])", "tf.range(x.shape[0])[::-1]", "[0] * x.shape[0]"),
    source=("x", "v"),
)
def jacobian_densifies(seen: SeenScene) -> None:
    """Rows of a tensor or a Variable are gathered, in either order or the first again and again."""
    source = seen.case.chosen["source"]
    seen.holds("isinstance(sparse, tf.IndexedSlices)")
    seen.holds("isinstance(jacobian, tf.Tensor)")
    seen.holds("jacobian.shape == target.shape + x.shape")
    seen.derivative("total", f"h(tf.gather({source}, at))", by=source)


@scene(
    "jacobian-empty-target",
    "The Jacobian of a target without elements has none either.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = tf.reshape(f(x), [-1])[:0]
    jacobian = tape.jacobian(target, x)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    modes=("eager", "function"),
    ops=SIMPLE,
)
def jacobian_empty_target(seen: SeenScene) -> None:
    """Its shape begins with 0 and ends with that of the source."""
    seen.zeros("jacobian", like="tf.zeros([0, *x.shape], x.dtype)")


@scene(
    "jacobian-inside-context",
    "A tape answers with a Jacobian inside of its own context too.",
    """
    with tf.GradientTape(persistent=$persistent) as tape:
        tape.watch(x)
        jacobian = tape.jacobian(f(x), x)
    product = tf.tensordot(dy, jacobian, dy.shape.rank)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    among=REALS,
    ops=SIMPLE,
    persistent=("False", "True"),
)
def jacobian_inside_context(seen: SeenScene) -> None:
    """While it records."""
    seen.derivative("product", "f(x)", by="x", weights="dy")


@scene(
    "jacobian-complex",
    "Each row of a Jacobian of complex numbers is the gradient of that element.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    jacobian = tape.jacobian(target, x)
    row = tf.reshape(jacobian, [-1, *x.shape])[$at]
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    modes=("eager", "function"),
    among=("complex128",),
    ops=SIMPLE,
    at=("0", "-1"),
)
def jacobian_complex(seen: SeenScene) -> None:
    """The first or the last, by finite differences of its real part."""
    at = seen.case.chosen["at"]
    seen.derivative("row", f"tf.reshape(f(x), [-1])[{at}]", by="x")


@scene(
    "jacobian-variable-target",
    "The Jacobian of a Variable by itself is the identity.",
    """
    with tf.GradientTape() as tape:
        tape.watch($variable)
    jacobian = tape.jacobian($variable, $variable)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    modes=("eager", "function"),
    variable=("v", "u"),
)
def jacobian_variable_target(seen: SeenScene) -> None:
    """Trainable or not, bit for bit."""
    size = "tf.size(v).numpy()"
    seen.same(f"tf.reshape(jacobian, [{size}, {size}])", f"tf.eye({size}, dtype=v.dtype)")


@scene(
    "jacobian-int-target",
    "The Jacobian of a target of integers is None.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = tf.cast(f(x), tf.int32)
    jacobian = tape.jacobian(target, x, experimental_use_pfor=$pfor)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "function"),
    among=REALS,
    ops=SIMPLE,
    pfor=("True", "False"),
)
def jacobian_int_target(seen: SeenScene) -> None:
    """Vectorized or not."""
    seen.none("jacobian")


@scene(
    "hessian-symmetric",
    "The Jacobian of a gradient is the Hessian, which is symmetric.",
    """
    def slope(of, at):
        with tf.GradientTape() as tape:
            tape.watch(at)
            value = tf.reduce_sum(of(at)) + tf.reduce_sum(at * at)
        return tape.gradient(value, at)

    with tf.GradientTape() as tape:
        tape.watch(x)
        gradient = slope(f, x)
    hessian = tape.jacobian(gradient, x)
    products = [tf.tensordot(one, two, x.shape.rank) for one, two in [(dx, hessian), (hessian, dx)]]
    """,
    cites=[guide("advanced_autodiff", "Example: Hessian")],
    dear=True,
    modes=("eager", "function"),
    among=REALS,
    ops=SIMPLE,
)
def hessian_symmetric(seen: SeenScene) -> None:
    """Multiplied by a tangent from either side; finite differences of the gradient find both."""
    seen.derivative("products[0]", "slope(f, x)", by="x", weights="dx")
    seen.derivative("products[1]", "slope(f, x)", by="x", weights="dx")
