"""Branches and loops under a tape."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "python-if",
    "Of an if in Python the branch that is taken is recorded; the other one, and the condition, "
    "are not connected.",
    """
    with tf.GradientTape() as tape:
        tape.watch(y)
        if tf.reduce_sum(y) $than 0.0:
            taken, other = v, w
            target = f(v)
        else:
            taken, other = w, v
            target = f(w)
    gradients = tape.gradient(target, [taken, other, y])
    """,
    cites=[guide("autodiff", "Control flow")],
    ops=SIMPLE,
    modes=("eager", "outer"),
    among=REALS,
    than=(">", "<", "<="),
)
def python_if(seen: SeenScene) -> None:
    """The condition depends on a watched tensor."""
    seen.derivative("gradients[0]", "f(taken)", by="taken")
    seen.none("gradients[1]", "gradients[2]")


@scene(
    "python-while",
    "Loops and recursion in Python are differentiated as if they were written out.",
    """
    times = int(tf.reduce_max(k))

    def loop(t):
        result = tf.square(t)
        $loop
        return result

    def nested(t, depth):
        return tf.square(t) if depth == 0 else tf.sin(nested(t, depth - 1)) * t

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = $called
    gradient = tape.gradient(target, x)
    """,
    cites=[guide("autodiff", "Control flow")],
    modes=("eager",),
    loop=(
        "for _ in range(times): result = tf.sin(result) * t",
        "while result.ndim < times: result = tf.sin(result)[None]",
    ),
    called=("loop(x)", "nested(x, times)"),
)
def python_while(seen: SeenScene) -> None:
    """As often as a tensor says, or not at all."""
    seen.derivative("gradient", seen.case.chosen["called"], by="x")


@scene(
    "cond-case-switch",
    "tf.cond, tf.case and tf.switch_case have the gradient of the branch that is taken, and none "
    "for what they decide by.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y, z])
        first = tf.reduce_sum(z) > 0.0
        target = $selected
    gradients = tape.gradient(target, [x, y], unconnected_gradients="zero")
    none = tape.gradient(target, z)
    """,
    cites=[UNDOCUMENTED],
    among=REALS,
    ops=SIMPLE,
    selected=(
        "tf.cond(first, lambda: f(x), lambda: f(y))",
        "tf.case([(first, lambda: f(x))], default=lambda: f(y))",
        "tf.switch_case(tf.cast(first, tf.int32), [lambda: f(y), lambda: f(x)])",
    ),
)
def cond_case_switch(seen: SeenScene) -> None:
    """The decision depends on a watched tensor."""
    for number, name in enumerate("xy"):
        seen.derivative(f"gradients[{number}]", "f(x) if first else f(y)", by=name)
    seen.none("none")


@scene(
    "branch-in-branch",
    "A branch in a branch of a function is differentiable twice.",
    """
    function = tf.function(
        lambda t: tf.cond(
            tf.reduce_max(t) >= $least,
            lambda: tf.cond(tf.reduce_min(t) >= 0, lambda: $first, lambda: $second),
            lambda: $third,
        ),
        autograph=False,
    )
    with tf.GradientTape($persistent) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = function(x)
        gradient = inner.gradient(target, x)
    second = outer.gradient(gradient, x)

    def slope(t):
        with tf.GradientTape() as tape:
            tape.watch(t)
            slopes = function(t)
        return tape.gradient(slopes, t)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    modes=("eager", "function"),
    among=REALS,
    persistent=("", "persistent=True"),
    least=("-9", "9"),
    first=("t * t", "tf.sin(t)"),
    second=("t * t * t", "tf.cos(t)"),
    third=("t * t * t", "tf.cos(t)"),
)
def branch_in_branch(seen: SeenScene) -> None:
    """Which of the branches is taken does not change nearby: no number is that close to zero."""
    seen.derivative("gradient", "function(x)", by="x")
    seen.derivative("second", "slope(x)", by="x")


@scene(
    "branch-unused-eager",
    "Run eagerly, what only a branch reads that is not taken has no gradient.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        target = tf.cond(tf.reduce_max(k) >= 0, lambda: f(x) * tf.reduce_sum(h(v)), lambda: f(y))
    gradients = tape.gradient(target, [x, v, y])
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    ops=SIMPLE,
)
def branch_unused_eager(seen: SeenScene) -> None:
    """A tensor of the other branch."""
    seen.derivative("gradients[0]", "f(x) * tf.reduce_sum(h(v))", by="x")
    seen.derivative("gradients[1]", "f(x) * tf.reduce_sum(h(v))", by="v")
    seen.none("gradients[2]")


@scene(
    "branch-unused-in-function",
    "In a function, what only a branch reads that is not taken has a gradient of zeros, not None.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        taken, other = lambda: f(x), lambda: f(y) * tf.reduce_sum(h(v))
        target = $branch
    gradients = tape.gradient(target, [x, y, v])
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    ops=SIMPLE,
    branch=(
        "tf.cond(tf.reduce_max(k) >= 0, taken, other)",
        "tf.switch_case(0 * tf.reduce_max(k), [taken, other])",
    ),
)
def branch_unused_in_function(seen: SeenScene) -> None:
    """A tensor and a Variable of the other branch."""
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.zeros("gradients[1]", like="y")
    seen.zeros("gradients[2]", like="v")


@scene(
    "while-loop-gradient",
    "tf.while_loop is differentiable twice, however often it goes around.",
    """
    def loop(t, times):
        return tf.while_loop(
            lambda i, _: i < times, lambda i, r: (i + 1, tf.sin(r) * t), (0, tf.square(t))
        )[1]

    def slope(t, times):
        with tf.GradientTape() as tape:
            tape.watch(t)
            target = loop(t, times)
        return tape.gradient(target, t)

    times = tf.reduce_max(k)
    with tf.GradientTape() as outer:
        outer.watch(x)
        first = slope(x, times)
    second = outer.gradient(first, x)
    """,
    cites=[docstring("tf.while_loop", "during gradient calculations")],
    modes=("eager", "function"),
    among=REALS,
)
def while_loop_gradient(seen: SeenScene) -> None:
    """Between none and three times."""
    seen.derivative("first", "loop(x, times)", by="x")
    seen.derivative("second", "slope(x, times)", by="x")


@scene(
    "while-loop-back-prop-false",
    "With back_prop=False no gradient passes a loop, map, scan or fold.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = $loop
    gradient = tape.gradient(target, x)
    """,
    cites=[
        docstring("tf.while_loop", "False disables support for back"),
        docstring("tf.map_fn", "False disables support for back propagation"),
        docstring("tf.scan", "False disables support for back"),
        docstring("tf.foldl", "False disables support for back"),
        docstring("tf.foldr", "False disables support for back"),
    ],
    modes=("function", "eager"),
    ranks=(1, 3),
    loop=(
        "tf.while_loop(lambda i, t: i < 2, lambda i, t: (i + 1, t * x), (0, x), back_prop=False)",
        "tf.map_fn(tf.sin, x, back_prop=False)",
        "tf.scan(lambda a, b: a * b, x, back_prop=False)",
        "tf.foldl(lambda a, b: a * b, x, back_prop=False)",
        "tf.foldr(lambda a, b: a * b, x, back_prop=False)",
    ),
)
def while_loop_back_prop_false(seen: SeenScene) -> None:
    """For the tensor that goes around, and for one that is read."""
    seen.none("gradient")


@scene(
    "map-scan-fold-gradient",
    "Maps, scans and folds are differentiable in what they go through and in what they read.",
    """
    def run(rows, t):
        return $run

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = run(x, v)
    gradients = tape.gradient(target, [x, v], unconnected_gradients="zero")
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "function"),
    ranks=(1, 3),
    run=(
        "tf.map_fn(lambda a: tf.sin(a) * t[0], rows)",
        "tf.scan(lambda a, b: a * tf.sin(b) + t[0], rows)",
        "tf.scan(lambda a, b: a * tf.sin(b) + t[0], rows, reverse=True)",
        "tf.foldl(lambda a, b: a * tf.sin(b) + t[0], rows)",
        "tf.foldr(lambda a, b: a * tf.sin(b) + t[0], rows, initializer=t[0])",
    ),
)
def map_scan_fold_gradient(seen: SeenScene) -> None:
    """Rows of a tensor, and a Variable that every row reads."""
    seen.derivative("gradients[0]", "run(x, v)", by="x")
    seen.derivative("gradients[1]", "run(x, v)", by="v")


@scene(
    "vectorized-map-gradient",
    "tf.vectorized_map is differentiable in what it goes through and in what it reads.",
    """
    def run(rows, t):
        return tf.vectorized_map(lambda one: f(one) * tf.reduce_sum(h(t)), rows)

    rows = tf.stack([x, y, z])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        target = run(rows, v)
    gradients = tape.gradient(target, [rows, v])
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    ops=("tf.math.square", "tf.math.sin", "tf.math.tanh"),
)
def vectorized_map_gradient(seen: SeenScene) -> None:
    """Rows of a tensor, and a Variable that every row reads."""
    seen.derivative("gradients[0]", "run(rows, v)", by="rows")
    seen.derivative("gradients[1]", "run(rows, v)", by="v")


@scene(
    "vectorized-map-per-example",
    "tf.vectorized_map of a function that holds a tape answers the gradients of each example.",
    """
    def slopes(t):
        with tf.GradientTape() as tape:
            tape.watch(t)
            target = f(t) * tf.reduce_sum(h(v) * t)
        return tape.gradient(target, [t, v])

    each = tf.vectorized_map(slopes, tf.stack([x, y, z]))
    """,
    cites=[docstring("tf.vectorized_map", "Computing per-example gradients")],
    modes=("function",),
    among=REALS,
    ops=("tf.math.square", "tf.math.sin", "tf.math.tanh"),  # h(v) * t must have the shape of t
)
def vectorized_map_per_example(seen: SeenScene) -> None:
    """In the example and in a Variable that all share."""
    for number, name in enumerate("xyz"):
        of = f"f({name}) * tf.reduce_sum(h(v) * {name})"
        seen.derivative(f"each[0][{number}]", of, by=name)
        seen.derivative(f"each[1][{number}]", of, by="v")


@scene(
    "tensorarray-gradient",
    "What is written to a TensorArray and read from it, in any order and way, is differentiable.",
    """
    def through(one, two, three):
        parts = [tf.reshape(t, [-1]) for t in (f(one), f(two), f(three))]
        array = tf.TensorArray(parts[0].dtype, 3, clear_after_read=False)
        $write
        return $read

    with tf.GradientTape() as tape:
        tape.watch([x, y, z])
        target = through(x, y, z)
    gradients = tape.gradient(target, [x, y, z], unconnected_gradients="zero")
    """,
    cites=[docstring("tf.TensorArray", "It supports gradient back-propagation via special")],
    ops=SIMPLE,
    write=(
        "array = array.unstack(parts)",
        "for i in (2, 0, 1): array = array.write(i, parts[i])",
        "array = array.scatter([2, 0, 1], parts)",
        "array = array.split(tf.concat(parts, 0), [parts[0].shape[0]] * 3)",
    ),
    read=(
        "array.stack()",
        "array.concat()",
        "array.gather([1, 0])",
        "array.read(0) * array.read(1) * array.read(2)",
    ),
)
def tensorarray_gradient(seen: SeenScene) -> None:
    """What nobody reads has zeros."""
    for number, name in enumerate("xyz"):
        seen.derivative(f"gradients[{number}]", "through(x, y, z)", by=name)


@scene(
    "tensorarray-clear-after-read",
    "Run eagerly, a TensorArray gives each element once unless clear_after_read is False, and what "
    "it gave stays differentiable.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        array = tf.TensorArray(x.dtype, 2$option).write(0, x)
        target = f(array.read(0))
        try:
            array.read(0)
            again = True
        except tf.errors.InvalidArgumentError:
            again = False
    gradient = tape.gradient(target, x)
    """,
    cites=[docstring("tf.TensorArray.__init__", "This disables read-many semantics")],
    ops=SIMPLE,
    modes=("eager",),
    option=("", ", clear_after_read=True", ", clear_after_read=False"),
)
def tensorarray_clear_after_read(seen: SeenScene) -> None:
    """Read twice."""
    seen.holds(f"again is {'False' in seen.case.chosen['option']}")
    seen.derivative("gradient", "f(x)", by="x")


@scene(
    "xla-while-needs-bound",
    "Compiled by XLA, the gradient of a tf.while_loop without maximum_iterations raises "
    "InvalidArgumentError.",
    """
    def slope(t, times):
        with tf.GradientTape() as tape:
            tape.watch(t)
            target = tf.while_loop(lambda i, _: i < times, lambda i, r: (i + 1, r * t), (0, t))[1]
        return tape.gradient(target, t)

    gradient = tf.function(slope, autograph=False, jit_compile=True)(x, tf.reduce_max(k))
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    among=REALS,
    raises="InvalidArgumentError",
)
def xla_while_needs_bound(_: SeenScene) -> None:
    """A loop that goes around as often as a tensor says."""


@scene(
    "xla-while-bounded",
    "Compiled by XLA, a tf.while_loop with maximum_iterations is differentiable.",
    """
    def loop(t, times):
        return tf.while_loop(
            lambda i, _: i < times,
            lambda i, r: (i + 1, r * t),
            (0, t),
            maximum_iterations=$bound,
        )[1]

    def slope(t, times):
        with tf.GradientTape() as tape:
            tape.watch(t)
            target = loop(t, times)
        return tape.gradient(target, t)

    times = tf.reduce_max(k)
    gradient = tf.function(slope, autograph=False, jit_compile=True)(x, times)
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    among=REALS,
    bound=("3", "1", "20"),
)
def xla_while_bounded(seen: SeenScene) -> None:
    """As often as a tensor says, or as the bound allows."""
    seen.derivative("gradient", "loop(x, times)", by="x")


@scene(
    "autograph-early-return",
    "What AutoGraph makes of loops that are left early has the gradient of the same Python run "
    "eagerly.",
    """
    def program(t, times):
        total = tf.square(t)
        if times == 0:
            return total
        for i in tf.range(5):
            if $skipped:
                continue
            total = tf.sin(total) * t
            if $left:
                break
        return total

    times = tf.reduce_max(k)
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = tf.function(program)(x, times)
    gradient = tape.gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
    modes=("outer",),
    skipped=("i == 1", "i < times", "i % 2 == 0"),
    left=("i >= times", "i > 2 and times > 1"),
)
def autograph_early_return(seen: SeenScene) -> None:
    """By break, continue and return."""
    seen.derivative("gradient", "program(x, times)", by="x")
