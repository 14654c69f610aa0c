"""What dtypes have gradients, and which."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

_GUIDE = guide("autodiff", "3. Took gradients through an integer or string")
_TOLD = """
with tf.GradientTape() as tape:
    target, sources = $asked
told, logger = [], tf.get_logger()
level = logger.level

def listen(record):  # it returns nothing, so the logger tells no one else
    words = record.getMessage().split()
    if words[-4:-2] == ["calling", "GradientTape.gradient,"]:
        told.append((words[4], record.levelname))

logger.setLevel(1)
logger.addFilter(listen)
try:
    tape.gradient(target, sources)
finally:
    logger.removeFilter(listen)
    logger.setLevel(level)
integers = [("target", one) for one in tf.nest.flatten(target)]
integers += [("source", one) for one in tf.nest.flatten(sources)]
wanted = [name for name, one in integers if one.dtype.is_integer]
"""
_ASKED = (
    "k + 1, x",
    "f(x), k",
    "[k * k, f(x)], [v, k, x]",
    "[tf.cast(f(x), tf.int64), k], [k, k]",
    "f(x), [x, v]",
)

_ONLY = docstring("tf.GradientTape", "only tensors with real or complex dtypes are differentiable")


@scene(
    "dtype-differentiable",
    "Real and complex tensors have gradients, each in its own dtype.",
    """
    source = tf.cast(x, $dtype)
    with tf.GradientTape() as tape:
        tape.watch(source)
        target = source * source * source
    gradient = tape.gradient(target, source)
    """,
    cites=[_ONLY],
    dtype=(
        "tf.float64",
        "tf.float32",
        "tf.float16",
        "tf.bfloat16",
        "tf.complex64",
        "tf.complex128",
    ),
)
def dtype_differentiable(seen: SeenScene) -> None:
    """Of the six dtypes, a cube; that of a complex tensor is conjugated."""
    seen.like("gradient", "source")
    cube = "source * source"
    seen.near("gradient", f"tf.math.conj(3 * {cube})", f"3 * {cube}", roundings=8)


@scene(
    "dtype-nondifferentiable",
    "Integers, booleans and strings have no gradient, though they be watched.",
    """
    source = $source
    with tf.GradientTape() as tape:
        tape.watch([source, x])
        if source.dtype == tf.string:
            number = tf.strings.to_number(source, x.dtype)
        else:
            number = tf.cast(source, x.dtype)
        target = f(x) * tf.reduce_sum(number)
    none, gradient = tape.gradient(target, [source, x])
    """,
    cites=[_ONLY, _GUIDE],
    among=REALS,
    ops=SIMPLE,
    source=(
        *(f"tf.cast(k, tf.{sign}int{bits})" for sign in ("", "u") for bits in (8, 16, 32, 64)),
        "k > 0",
        "tf.strings.as_string(k)",
    ),
)
def dtype_nondifferentiable(seen: SeenScene) -> None:
    """Beside a real tensor that has one."""
    seen.none("none")
    seen.derivative("gradient", "f(x) * tf.reduce_sum(number)", by="x")


@scene(
    "dtype-float8",
    "Tensors of eight-bit floats can be watched, but have no gradient.",
    """
    source = tf.cast(tf.cast(x, tf.float32), tf.dtypes.experimental.$dtype)
    with tf.GradientTape() as tape:
        tape.watch([source, x])
        target = f(tf.cast(tf.cast(source, tf.float32), x.dtype) * x)
    none, there = tape.gradient(target, [source, x])
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
    since=(2, 12),
    among=REALS,
    dtype=("float8_e5m2", "float8_e4m3fn"),
)
def dtype_float8(seen: SeenScene) -> None:
    """Though TensorFlow counts them as floating."""
    seen.none("none")
    seen.there("there")


@scene(
    "dtype-cast-through-int",
    "A cast to integers or booleans connects to nothing, though floats come after it.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        through = f(tf.cast(tf.cast(x, $dtype), x.dtype))
        beside = through + f(x)
    none, gradient = tape.gradient(through, x), tape.gradient(beside, x)
    """,
    cites=[_GUIDE],
    ops=SIMPLE,
    among=REALS,
    dtype=("tf.int32", "tf.int64", "tf.bool", "tf.int8", "tf.uint8"),
)
def dtype_cast_through_int(seen: SeenScene) -> None:
    """Beside a path that stays among floats, which has a gradient."""
    seen.none("none")
    seen.derivative("gradient", "f(x)", by="x")


@scene(
    "dtype-cast-float",
    "A cast between real and complex dtypes keeps the path, and the gradient has the source's "
    "dtype.",
    """
    source = tf.cast(x, $dtype)
    with tf.GradientTape() as tape:
        tape.watch(source)
        wide = tf.cast(source, $wide)
        target = tf.cast(wide * wide, source.dtype)
    gradient = tape.gradient(target, source)
    """,
    cites=[UNDOCUMENTED],
    among=REALS,
    dtype=("tf.float32", "tf.float16", "tf.bfloat16"),
    wide=("tf.float64", "tf.complex128", "tf.complex64", "tf.float32"),
)
def dtype_cast_float(seen: SeenScene) -> None:
    """To a wider dtype and back."""
    seen.like("gradient", "source")
    seen.near("gradient", "2 * source", "2 * source", roundings=4)


@scene(
    "dtype-no-autocast",
    "Integers and floats are not brought together unasked: InvalidArgumentError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        $op
    """,
    cites=[_GUIDE],
    modes=("eager",),
    raises="InvalidArgumentError",
    op=("k * x", "x + k", "tf.maximum(x, k)"),
    among=REALS,
)
def dtype_no_autocast(_: SeenScene) -> None:
    """Of two tensors."""


@scene(
    "dtype-no-autocast-python",
    "A Python float is not made an integer unasked: TypeError.",
    """
    with tf.GradientTape() as tape:
        $op
    """,
    cites=[_GUIDE],
    raises="TypeError",
    op=("k * 2.5", "2.5 + k", "k - 0.5"),
)
def dtype_no_autocast_python(_: SeenScene) -> None:
    """Beside a tensor of integers, eagerly and in a function."""


@scene(
    "complex-convention",
    "The gradient of a holomorphic function is the conjugate of its derivative; that of a real "
    "loss is its direction of steepest ascent.",
    """
    function, wanted = $pair
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = function(x)
    gradient = tape.gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
    among=("complex128",),
    pair=(
        "lambda t: t * t, lambda t: tf.math.conj(2 * t)",
        "lambda t: tf.exp(t), lambda t: tf.math.conj(tf.exp(t))",
        "lambda t: tf.sin(t), lambda t: tf.math.conj(tf.cos(t))",
        "lambda t: tf.square(tf.abs(t)), lambda t: 2 * t",
        "lambda t: t * tf.math.conj(t), lambda t: 2 * t",
        "lambda t: tf.math.real(t), lambda t: tf.ones_like(t)",
        "lambda t: tf.math.imag(t), lambda t: 1j * tf.ones_like(t)",
    ),
)
def complex_convention(seen: SeenScene) -> None:
    """By formula, and by differences in the real and in the imaginary part.

    A developer of TensorFlow states it: https://github.com/tensorflow/tensorflow/issues/3348.
    """
    seen.near("gradient", "wanted(x)", "wanted(x)", roundings=8)
    seen.derivative("gradient", "function(x)", by="x")


@scene(
    "int-target",
    "The gradient of a target of integers is None for every source, and nothing is raised.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, k])
        target = $target
    gradients = tape.gradient(target, [x, k, v])
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
    among=REALS,
    target=(
        "tf.cast(f(x), tf.int32)",
        "k * k",
        "tf.cast(x * v, tf.int64)",
        "tf.argmax([f(x)])",
        "[k + 1, tf.cast(f(v), tf.int32)]",
    ),
)
def int_target(seen: SeenScene) -> None:
    """Integers that were cast, computed or chosen."""
    seen.none("gradients")


@scene(
    "int-source-log",
    "Each target and each source of integers is told to TensorFlow's logger at its lowest level.",
    _TOLD,
    cites=[UNDOCUMENTED],
    since=(2, 11),
    modes=("eager", "function"),
    among=REALS,
    ops=SIMPLE,
    asked=_ASKED,
)
def int_source_log(seen: SeenScene) -> None:
    """Which no one hears who does not ask for it; floats are not told."""
    seen.holds("told == [(name, 'Level 1') for name in wanted]")


@scene(
    "int-source-log-warning",
    "Each target and each source of integers is told to TensorFlow's logger as a warning.",
    _TOLD,
    cites=[UNDOCUMENTED],
    until=(2, 10),
    modes=("eager", "function"),
    among=REALS,
    ops=SIMPLE,
    asked=_ASKED,
)
def int_source_log_warning(seen: SeenScene) -> None:
    """In every call; floats are not told."""
    seen.holds("told == [(name, 'WARNING') for name in wanted]")


@scene(
    "nondiff-ops",
    "Ops that are registered as not differentiable connect to nothing.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        cut = tf.cast($op, x.dtype)
        target = f(x) * tf.reduce_sum(cut)
    none, gradient = tape.gradient(cut, x), tape.gradient(target, x)
    """,
    cites=[
        docstring("tf.no_gradient", "Specifies that ops of type"),
        guide("autodiff", "No gradient registered"),
    ],
    ops=SIMPLE,
    among=REALS,
    op=(
        "tf.floor(f(x))",
        "tf.math.ceil(x)",
        "tf.round(x)",
        "tf.math.rint(f(x))",
        "tf.argmax([x, y])",
        "tf.shape(f(x))",
        "tf.zeros_like(x)",
        "tf.ones_like(f(x))",
        "f(x) > 0",
        "tf.equal(x, y)",
        "tf.math.floordiv(x, y * y + 1)",
    ),
)
def nondiff_ops(seen: SeenScene) -> None:
    """As a factor they are constants."""
    seen.none("none")
    seen.derivative("gradient", "f(x) * tf.reduce_sum(tf.stop_gradient(cut))", by="x")


@scene(
    "loss-scale",
    "A gradient that underflows in half precision does not if its loss is scaled, and the scale "
    "can be divided out.",
    """
    source = tf.cast(x, tf.float16)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(source)
        loss = source * 2.0**-13 * $small
        scaled = loss * $scale
    unscaled = tape.gradient(loss, source)
    gradient = tf.cast(tape.gradient(scaled, source), tf.float32) / $scale
    wanted = tf.ones_like(gradient) * 2.0**-13 * $small
    """,
    cites=[guide("mixed_precision", "Loss scaling overview")],
    among=REALS,
    small=("2.0**-13", "2.0**-14", "1.5 * 2.0**-13"),
    scale=("2.0**10", "2.0**13"),
)
def loss_scale(seen: SeenScene) -> None:
    """Powers of two are exact."""
    seen.zeros("unscaled", like="source")
    seen.same("gradient", "wanted")
