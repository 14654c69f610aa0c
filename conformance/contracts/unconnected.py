"""What a source gives that is not watched, or not connected to the target."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.boundary import Gradient
from conformance.contract import UNDOCUMENTED, Tally, Violation, docstring, guide
from conformance.drawn_graphs import CONSTANT, FROZEN, VARIABLE, WATCHED
from conformance.graph_cases import GRAPHS, Seen
from conformance.graph_programs import Ask
from conformance.reproduction import nothing, zeros
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene
from strategies import dtypes


@GRAPHS.contract(
    "unwatched-none",
    "An unwatched Tensor or non-trainable Variable as a source gives None, whatever the graph, "
    "unless it is itself the target.",
    cites=[
        docstring("tf.GradientTape", "Tensors can be manually watched"),
        guide("autodiff", "Controlling what the tape watches"),
    ],
)
def unwatched_none(seen: Seen) -> Tally:
    """Gradients of unwatched sources are None."""
    integers = _integers(seen)
    sources = [
        i for i in seen.case.inputs(CONSTANT, FROZEN) if i not in seen.same and i not in integers
    ]
    return _nones(seen, sources, "nobody watches it")


@GRAPHS.contract(
    "unconnected-none",
    "A watched source that no differentiable op connects to the target gives None.",
    cites=[
        docstring("tf.UnconnectedGradients", "will be returned if there is no path"),
        guide("autodiff", "Cases where gradient returns None"),
    ],
)
def unconnected_none(seen: Seen) -> Tally:
    """Gradients of watched but unconnected sources are None; integers have their own contract."""
    integers = _integers(seen)
    watched = [i for i in seen.case.inputs(WATCHED, VARIABLE) if i not in integers]
    sources = [i for i in watched if i not in seen.case.connected]
    return _nones(seen, sources, "no differentiable op connects it to a target")


@GRAPHS.contract(
    "integer-none",
    "A source of integers or booleans gives None, watched or not, whatever the graph.",
    cites=[
        docstring("tf.GradientTape", "only tensors with real or complex dtypes are differentiable"),
        guide("autodiff", "3. Took gradients through an integer or string"),
    ],
)
def integer_none(seen: Seen) -> Tally:
    """Indices, axes, conditions and counts that ops of the graph take."""
    return _nones(seen, _integers(seen), "its dtype is not differentiable")


def _integers(seen: Seen) -> list[int]:
    """The inputs that hold integers or booleans."""
    inputs = enumerate(seen.case.graph.inputs)
    return [i for i, made in inputs if not dtypes.is_differentiable(made.type.dtype)]


def _nones(seen: Seen, sources: Iterable[int], why: str) -> Tally:
    tally = Tally()
    for i in sources:
        if seen.error is not None:
            tally.undecided("the gradient raised")
            continue
        for number, point in enumerate(seen.points):
            found = point.gradients[i]
            if found is not None:
                raise Violation(
                    kind="none",
                    expected=f"None for x{i}",
                    got=f"a {found.dtype} tensor of shape {list(found.array.shape)}",
                    where=seen.program(number, Ask("gradient", i), nothing("gradient")),
                    why=why,
                )
            tally.conclusive += 1
    return tally


@GRAPHS.contract(
    "unconnected-zero",
    "With UnconnectedGradients.ZERO an unwatched source gives zeros of its own shape and dtype, "
    "unless it is itself the target.",
    cites=[docstring("tf.UnconnectedGradients", "will be returned in the shape of x")],
)
def unconnected_zero(seen: Seen) -> Tally:
    """Gradients of unwatched sources are zeros like the source."""
    tally = Tally()
    if seen.error is not None:
        tally.undecided("the gradient raised")
    for number, point in enumerate(seen.points):
        for i, found in point.zeros.items():
            kind = seen.case.graph.inputs[i].type
            if i in seen.same:
                tally.trivial += 1
            elif not _is_zeros(found, kind.dtype, kind.shape):
                raise Violation(
                    kind="zeros",
                    expected=f"{kind.dtype} zeros of shape {list(kind.shape)} for x{i}",
                    got="None" if found is None else f"{found.dtype} {found.array.tolist()}",
                    where=seen.program(
                        number, Ask("zero", i), zeros("zero", kind.dtype, kind.shape)
                    ),
                    why="the unwatched sources were asked with UnconnectedGradients.ZERO",
                )
            else:
                tally.conclusive += 1
    return tally


def _is_zeros(found: Gradient | None, dtype: str, shape: tuple[int, ...]) -> bool:
    return (
        found is not None
        and found.dtype == dtype
        and found.array.shape == shape
        and not found.array.any()
    )


@scene(
    "unconnected-strings",
    "What an unconnected source gives is said by the enum or by its strings, none and zero; where "
    "nothing is said it is None.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        target = f(x)
    none = tape.$method(target, y$none)
    zero = tape.$method(target, y, unconnected_gradients=$zero)
    """,
    cites=[
        docstring("tf.GradientTape.gradient", "can either hold 'none' or 'zero'"),
        docstring("tf.GradientTape.gradient", "and it defaults to 'none'"),
        docstring("tf.GradientTape.jacobian", "and it defaults to 'none'"),
    ],
    method=("gradient", "jacobian"),
    none=(
        "",
        ", unconnected_gradients='none'",
        ", unconnected_gradients=tf.UnconnectedGradients.NONE",
    ),
    zero=("'zero'", "tf.UnconnectedGradients.ZERO"),
)
def unconnected_strings(seen: SeenScene) -> None:
    """Each spelling of both; the zeros of a Jacobian have its shape."""
    before = "target.shape + " if seen.case.chosen["method"] == "jacobian" else ""
    seen.none("none")
    seen.zeros("zero", like=f"tf.zeros({before}y.shape, y.dtype)")


@scene(
    "unconnected-unknown",
    "Any other value for unconnected_gradients raises ValueError, connected or not.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    tape.gradient(target, $source, unconnected_gradients=$value)
    """,
    cites=[docstring("tf.GradientTape.gradient", "called with an unknown value")],
    ops=SIMPLE,
    raises="ValueError",
    saying="Unknown value",
    source=("x", "y"),
    value=("'zeros'", "'NONE'", "''", "None", "0", "True"),
)
def unconnected_unknown(_: SeenScene) -> None:
    """Other strings, in capitals, None, numbers."""


@scene(
    "zero-vs-disconnected-relu",
    "A way to the target whose derivative is zero gives zeros, not None.",
    """
    below = -1.0 - tf.abs(x)
    with tf.GradientTape() as tape:
        tape.watch(below)
        target = y * $flat
    gradient = tape.gradient(target, below)
    """,
    cites=[docstring("tf.UnconnectedGradients", "relu unit happens to not be activated")],
    among=REALS,
    flat=(
        "tf.nn.relu(below)",
        "tf.nn.relu6(below)",
        "tf.maximum(below, 0.0)",
        "tf.clip_by_value(below, 0.0, 1.0)",
        "tf.where(below > 0.0, below, y)",
    ),
)
def zero_vs_disconnected_relu(seen: SeenScene) -> None:
    """Units that are off, and their like."""
    seen.zeros("gradient", like="below")


@scene(
    "unconnected-zero-int",
    "With UnconnectedGradients.ZERO integers, booleans and strings give zeros of theirs: 0, "
    "False, the empty string.",
    """
    source = $source
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    gradient = tape.gradient(target, source, unconnected_gradients="zero")
    """,
    cites=[docstring("tf.UnconnectedGradients", "will be returned in the shape of x")],
    source=("k", "tf.cast(k, 'int64')", "k > 1", "tf.as_string(k)", "tf.cast(k, 'uint8')"),
)
def unconnected_zero_int(seen: SeenScene) -> None:
    """Of the dtype and the shape of the source."""
    seen.zeros("gradient", like="source")


@scene(
    "unconnected-mixed-list",
    "In a list of sources only those that are not connected give None, or zeros if asked for.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y, z])
        target = [f(x), h(z)]
    sources = $sources
    plain = tape.gradient(target, list(sources.values()))
    zeros = tape.gradient(target, list(sources.values()), unconnected_gradients="zero")
    plain, zeros = dict(zip(sources, plain)), dict(zip(sources, zeros))
    """,
    cites=[docstring("tf.GradientTape.gradient", "one for each element in")],
    sources=("dict(x=x, y=y, z=z)", "dict(y=y, z=z, x=x)", "dict(z=z, x=x, y=y)"),
)
def unconnected_mixed_list(seen: SeenScene) -> None:
    """Two of three are connected; the list has any order."""
    seen.none("plain['y']")
    seen.zeros("zeros['y']", like="y")
    seen.derivative("plain['x']", "f(x)", by="x")
    seen.derivative("plain['z']", "h(z)", by="z")
    seen.same("[zeros['x'], zeros['z']]", "[plain['x'], plain['z']]")


@scene(
    "self-gradient",
    "The gradient of a Tensor with respect to itself is ones, or the output gradients, whether it "
    "is watched or not.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        made = f(x)
    gradients = [tape.gradient(one, one) for one in (x, y, made)]
    weighted = [
        tape.gradient(one, one, output_gradients=weight)
        for one, weight in ((x, dx), (y, dx), (made, dy))
    ]
    """,
    cites=[UNDOCUMENTED],
)
def self_gradient(seen: SeenScene) -> None:
    """Watched, unwatched, and an intermediate result."""
    for number, name in enumerate(("x", "y", "made")):
        seen.same(f"gradients[{number}]", f"tf.ones_like({name})")
    seen.same("weighted", "[dx, dx, dy]")


@scene(
    "zero-second-derivative-none",
    "The second derivative of an affine function is None: its first one does not depend on the "
    "source.",
    """
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = $affine
        first = inner.gradient(target, x)
    none = outer.gradient(first, x)
    zero = outer.gradient(first, x, unconnected_gradients="zero")
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
    affine=(
        "3.0 * x",
        "x - y",
        "y * x + z",
        "-x",
        "tf.reduce_sum(x)",
        "tf.reshape(x, [-1])",
        "tf.transpose(x)",
    ),
)
def zero_second_derivative_none(seen: SeenScene) -> None:
    """Zeros, if they are asked for."""
    seen.there("first")
    seen.none("none")
    seen.zeros("zero", like="x")
