"""What becomes of gradients: optimisers, and clipping.

Rates and momenta are powers of two, so that products with them are exact and a step has one
rounding wherever it is computed.
"""

from __future__ import annotations

from typing import Final

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

RATES: Final = ("0.5", "0.25", "2.0", "2.0**-7")


@scene(
    "optimizer-applies",
    "apply_gradients takes what a tape answered, and moves each Variable by the rate times its "
    "gradient.",
    """
    with tf.GradientTape() as tape:
        target = f(v) * tf.reduce_sum(h(w))
    gradients = tape.gradient(target, [v, w])
    moved = [one - $rate * gradient for one, gradient in zip([v, w], gradients)]
    tf.keras.optimizers.SGD($rate).apply_gradients(zip(gradients, [v, w]))
    """,
    cites=[docstring("tf.keras.optimizers.SGD", "Update rule for parameter")],
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
    rate=RATES,
)
def optimizer_applies(seen: SeenScene) -> None:
    """Plain gradient descent, to the last bit."""
    seen.same("[v, w]", "moved")


@scene(
    "optimizer-momentum",
    "With momentum the velocity is what is left of it less the rate times the gradient, and the "
    "Variable moves by the velocity.",
    """
    optimizer = tf.keras.optimizers.SGD($rate, momentum=$momentum)
    velocity, moved = tf.zeros_like(v), tf.identity(v)
    for gradient in (x, y):
        optimizer.apply_gradients([(gradient, v)])
        velocity = $momentum * velocity - $rate * gradient
        moved = moved + velocity
    """,
    cites=[docstring("tf.keras.optimizers.SGD", "Update rule when `momentum` is larger than 0")],
    modes=("eager",),
    among=REALS,
    rate=RATES,
    momentum=("0.5", "0.125"),
)
def optimizer_momentum(seen: SeenScene) -> None:
    """Two steps, to the last bit."""
    seen.same("v", "moved")


@scene(
    "optimizer-apply",
    "apply is apply_gradients with the gradients and the Variables apart.",
    """
    moved = [v - $rate * x, w - $rate * y]
    tf.keras.optimizers.SGD($rate).apply([x, y], [v, w])
    """,
    cites=[
        docstring("tf.keras.optimizers.Optimizer.apply", "according to provided gradient values"),
        docstring(
            "tf.keras.optimizers.Optimizer.apply", "on the first call to build the optimizer"
        ),
    ],
    since=(2, 16),
    modes=("eager",),
    among=REALS,
    rate=RATES,
)
def optimizer_apply(seen: SeenScene) -> None:
    """Two Variables, to the last bit."""
    seen.same("[v, w]", "moved")


@scene(
    "optimizer-all-none",
    "apply_gradients raises ValueError if every gradient is None.",
    """
    with tf.GradientTape() as tape:
        target = f(x)
    gradients = tape.gradient(target, $variables)
    tf.keras.optimizers.SGD().apply_gradients(zip(gradients, $variables))
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    among=REALS,
    raises="ValueError",
    saying="No gradients provided for any variable",
    variables=("[v]", "[v, w]"),
)
def optimizer_all_none(_: SeenScene) -> None:
    """One or two Variables that the target has nothing to do with."""


@scene(
    "optimizer-some-none",
    "apply_gradients leaves a Variable whose gradient is None, and moves the others.",
    """
    import warnings

    with tf.GradientTape() as tape:
        target = f(w)
    gradients = tape.gradient(target, [v, w])
    left, moved = tf.identity(v), w - $rate * gradients[1]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tf.keras.optimizers.SGD($rate).apply_gradients(zip(gradients, [v, w]))
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
    rate=RATES,
)
def optimizer_some_none(seen: SeenScene) -> None:
    """Two Variables, one of which the target has nothing to do with."""
    seen.none("gradients[0]")
    seen.same("[v, w]", "[left, moved]")


@scene(
    "optimizer-some-none-warns",
    "Keras 3 warns of the Variables that have no gradient.",
    """
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tf.keras.optimizers.SGD().apply_gradients([(None, v), (x, w)])
    told = [str(one.message) for one in caught]
    """,
    cites=[UNDOCUMENTED],
    since=(2, 16),
    modes=("eager",),
    among=REALS,
)
def optimizer_some_none_warns(seen: SeenScene) -> None:
    """Once, with Python's warnings (Keras 2 wrote it to a log)."""
    seen.holds("['Gradients do not exist' in one for one in told] == [True]")


@scene(
    "optimizer-indexedslices",
    "apply_gradients adds up the slices that an IndexedSlices gradient has for a row.",
    """
    rows = tf.Variable(tf.stack([x, y, x, y]))
    with tf.GradientTape() as tape:
        picked = tf.gather(rows, tf.stack([k, k]))
        target = tf.math.sin(picked)
    gradient = tape.gradient(target, rows)
    sparse = isinstance(gradient, tf.IndexedSlices)
    before, dense = tf.identity(rows), $rate * tf.convert_to_tensor(gradient)
    sizes = tf.IndexedSlices(tf.abs(gradient.values), gradient.indices, gradient.dense_shape)
    terms = tf.abs(before) + $rate * tf.convert_to_tensor(sizes)
    tf.keras.optimizers.SGD($rate).apply_gradients([(gradient, rows)])
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    among=REALS,
    rate=RATES,
)
def optimizer_indexedslices(seen: SeenScene) -> None:
    """Rows that were gathered twice or more often, or never."""
    seen.holds("sparse")
    most = 2 * seen.value("k").shape.num_elements()
    seen.near("rows", "before - dense", "terms", roundings=most + 1)


@scene(
    "optimizer-without-minimize",
    "Keras 3 has neither minimize nor compute_gradients: gradients come from a tape.",
    """
    optimizer = tf.keras.optimizers.SGD()
    there = [hasattr(optimizer, name) for name in ("minimize", "compute_gradients")]
    """,
    cites=[UNDOCUMENTED],
    since=(2, 16),
    modes=("eager",),
)
def optimizer_without_minimize(seen: SeenScene) -> None:
    """As is seen on an optimiser."""
    seen.holds("there == [False, False]")


@scene(
    "optimizer-tensor-rejected",
    "apply_gradients raises AttributeError where a Tensor stands for a Variable.",
    """
    tf.keras.optimizers.SGD().apply_gradients($pairs)
    """,
    cites=[UNDOCUMENTED],
    since=(2, 11),
    modes=("eager",),
    among=REALS,
    raises="AttributeError",
    saying="'_unique_id'",
    pairs=("[(y, x)]", "[(y, v), (y, x)]"),
)
def optimizer_tensor_rejected(_: SeenScene) -> None:
    """Alone, and beside a Variable."""


@scene(
    "optimizer-tensor-not-implemented",
    "apply_gradients raises NotImplementedError where a Tensor stands for a Variable.",
    """
    tf.keras.optimizers.SGD().apply_gradients($pairs)
    """,
    cites=[UNDOCUMENTED],
    until=(2, 10),
    modes=("eager",),
    among=REALS,
    raises="NotImplementedError",
    saying="Updating a `Tensor` is not implemented",
    pairs=("[(y, x)]", "[(y, v), (y, x)]"),
)
def optimizer_tensor_not_implemented(_: SeenScene) -> None:
    """Alone, and beside a Variable."""


@scene(
    "clip-by-global-norm-none",
    "clip_by_global_norm leaves None where it is, and clips the others as if it were not there.",
    """
    alone, norm = tf.clip_by_global_norm([x, y], $most)
    beside, same = tf.clip_by_global_norm($list, $most)
    scaled = x * $most / tf.maximum(norm, $most)
    """,
    cites=[
        docstring("tf.clip_by_global_norm", "that are of type `None` are ignored"),
        docstring("tf.clip_by_global_norm", "max(global_norm, clip_norm)"),
    ],
    among=REALS,
    most=("1.0", "0.25", "100.0"),
    list=("[None, x, None, y]", "(None, x, None, y)"),
)
def clip_by_global_norm_none(seen: SeenScene) -> None:
    """Two tensors between Nones."""
    seen.none("beside[0]", "beside[2]")
    seen.same("[beside[1], beside[3], same]", "[*alone, norm]")
    seen.near("beside[1]", "scaled", "tf.abs(scaled)", roundings=4)
