"""The optimisers of Keras 2, which TensorFlow has until 2.15: whole steps, and what they return.

In 2.11 they were written anew, and their documentation with them. Rates are powers of two, as in
:mod:`conformance.contracts.optimizers`.
"""

from __future__ import annotations

from conformance.contract import docstring
from conformance.contracts.optimizers import RATES
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

_APPLY = "tf.keras.optimizers.Optimizer.apply_gradients"
_MINIMIZE = "tf.keras.optimizers.Optimizer.minimize"
_COMPUTE = "tf.keras.optimizers.Optimizer.compute_gradients"
_GET = "tf.keras.optimizers.Optimizer.get_gradients"

_STEPS = ("apply_gradients([(x, v)])", "minimize(lambda: tf.reduce_sum(x * v), [v])")
"""Two ways to move a Variable by the rate times x."""


@scene(
    "optimizer-minimize-tape",
    "minimize takes a loss with its tape, or a function that computes the loss, and makes the "
    "step that apply_gradients makes with their gradient.",
    """
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum(f(v))
    gradient = tape.gradient(loss, v)
    moved = v - $rate * gradient
    tf.keras.optimizers.SGD($rate).$step
    """,
    cites=[
        docstring("tf.keras.optimizers.Optimizer", "Calling `minimize()` takes care of both"),
        docstring(_APPLY, "Apply gradients to variables"),
        docstring(_MINIMIZE, "Minimize `loss` by updating `var_list`"),
        docstring(_MINIMIZE, "simply computes gradient using"),
        docstring(_MINIMIZE, "or a callable returning the list"),
    ],
    until=(2, 15),
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
    rate=RATES,
    step=(
        "minimize(loss, [v], tape=tape)",
        "minimize(lambda: tf.reduce_sum(f(v)), [v])",
        "minimize(lambda: tf.reduce_sum(f(v)), lambda: (v,))",
        "apply_gradients([(gradient, v)])",
    ),
)
def optimizer_minimize_tape(seen: SeenScene) -> None:
    """The Variable moves by the rate times the gradient, to the last bit."""
    seen.same("v", "moved")


@scene(
    "optimizer-minimize-needs-tape",
    "minimize raises ValueError for a loss that was computed already, without its tape.",
    """
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(f(v))
    tf.keras.optimizers.SGD().minimize(loss, [v])
    """,
    cites=[
        docstring(_MINIMIZE, "If a `Tensor`, the `tape` argument"),
        docstring(_MINIMIZE, "If `loss` is provided as a"),
    ],
    until=(2, 10),
    modes=("eager",),
    among=REALS,
    ops=SIMPLE,
    raises="ValueError",
    saying="`tape` is required",
)
def optimizer_minimize_needs_tape(_: SeenScene) -> None:
    """The tape is there, and not given."""


@scene(
    "optimizer-needs-tape",
    "minimize and compute_gradients raise ValueError for a loss that was computed already, without "
    "its tape.",
    """
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(f(v))
    tf.keras.optimizers.SGD().$method(loss, [v])
    """,
    cites=[docstring(_COMPUTE, "If `loss` is provided as a")],
    since=(2, 11),
    until=(2, 15),
    modes=("eager",),
    among=REALS,
    ops=SIMPLE,
    raises="ValueError",
    saying="`tape` is required",
    method=("compute_gradients", "minimize"),
)
def optimizer_needs_tape(_: SeenScene) -> None:
    """The tape is there, and not given."""


@scene(
    "optimizer-grad-loss",
    "minimize multiplies the gradient by grad_loss, as output_gradients would.",
    """
    with tf.GradientTape(persistent=True) as tape:
        loss = f(v)
    moved = v - $rate * tape.gradient(loss, v, output_gradients=dy)
    tf.keras.optimizers.SGD($rate).minimize($loss, var_list=[v], grad_loss=dy)
    """,
    cites=[docstring(_MINIMIZE, "grad_loss: (Optional). A `Tensor` holding the")],
    until=(2, 10),
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
    rate=RATES,
    loss=("loss, tape=tape", "lambda: f(v)"),
)
def optimizer_grad_loss(seen: SeenScene) -> None:
    """A loss of any shape, to the last bit."""
    seen.same("v", "moved")


@scene(
    "optimizer-operation",
    "apply_gradients and minimize return the Operation that makes the step.",
    """
    optimizer, told = tf.keras.optimizers.SGD($rate), []
    moved = v - $rate * x

    def step():
        answer = optimizer.$step
        told.append((tf.executing_eagerly(), isinstance(answer, tf.Operation)))

    $call
    """,
    cites=[
        docstring(_APPLY, "It returns an `Operation` that applies"),
        docstring(_APPLY, "Returns: An `Operation` that applies the"),
        docstring(_MINIMIZE, "Returns: An `Operation` that updates the"),
    ],
    until=(2, 10),
    modes=("eager",),
    among=REALS,
    rate=RATES,
    step=_STEPS,
    call=("tf.function(step, autograph=False)()", "step()"),
)
def optimizer_operation(seen: SeenScene) -> None:
    """In a tf.function, where it is in the graph that runs, and eagerly."""
    seen.holds("told[-1] in [(False, True), (True, True)]")
    seen.same("v", "moved")


@scene(
    "optimizer-counts-steps",
    "Each step increases iterations by one, whether apply_gradients or minimize makes it.",
    """
    optimizer, counts = tf.keras.optimizers.SGD(), []
    for _ in range(3):
        optimizer.$step
        counts.append(int(optimizer.iterations))
    """,
    cites=[
        docstring(_APPLY, "The `iterations` will be automatically increased"),
        docstring(_MINIMIZE, "The `iterations` will be automatically increased"),
    ],
    until=(2, 10),
    modes=("eager",),
    among=REALS,
    step=_STEPS,
)
def optimizer_counts_steps(seen: SeenScene) -> None:
    """Three of them, of a new optimiser."""
    seen.holds("counts == [1, 2, 3]")


@scene(
    "optimizer-iteration-returned",
    "apply_gradients returns a Variable that holds the number of steps so far.",
    """
    optimizer, counts = tf.keras.optimizers.SGD(), []
    for _ in range(3):
        answer = optimizer.apply_gradients([(x, v)])
        counts.append((isinstance(answer, tf.Variable), int(answer), int(optimizer.iterations)))
    """,
    cites=[docstring(_APPLY, "Returns: A `tf.Variable`, representing the current")],
    since=(2, 11),
    until=(2, 15),
    modes=("eager",),
    among=REALS,
)
def optimizer_iteration_returned(seen: SeenScene) -> None:
    """Three of them, of a new optimiser."""
    seen.holds("counts == [(True, 1, 1), (True, 2, 2), (True, 3, 3)]")


@scene(
    "optimizer-minimize-returns-none",
    "minimize makes its step and returns None.",
    """
    moved = v - $rate * x
    answer = tf.keras.optimizers.SGD($rate).minimize(lambda: tf.reduce_sum(x * v), [v])
    """,
    cites=[docstring(_MINIMIZE, "Returns: None")],
    since=(2, 11),
    until=(2, 15),
    modes=("eager",),
    among=REALS,
    rate=RATES,
)
def optimizer_minimize_returns_none(seen: SeenScene) -> None:
    """A step whose gradient is a constant."""
    seen.holds("answer is None")
    seen.same("v", "moved")


@scene(
    "optimizer-malformed",
    "apply_gradients raises TypeError for what is no list of pairs.",
    """
    tf.keras.optimizers.SGD().apply_gradients($pairs)
    """,
    cites=[docstring(_APPLY, "TypeError: If `grads_and_vars` is malformed")],
    until=(2, 15),
    modes=("eager",),
    among=REALS,
    raises="TypeError",
    saying="iterable",
    pairs=("None", "3", "[None]", "[3]", "[(x, v), None]", "[(x,)]", "[(x, v, v)]"),
)
def optimizer_malformed(_: SeenScene) -> None:
    """No list, a list of something else, and tuples of another length."""


@scene(
    "optimizer-nothing-to-apply",
    "A step raises ValueError if none of the Variables has a gradient.",
    """
    tf.keras.optimizers.SGD().$step
    """,
    cites=[docstring(_APPLY, "ValueError: If none of the variables")],
    until=(2, 10),
    modes=("eager",),
    among=REALS,
    ops=SIMPLE,
    raises="ValueError",
    saying="No gradients provided for any variable",
    step=(
        "apply_gradients([(None, v)])",
        "apply_gradients([(None, v), (None, w)])",
        "minimize(lambda: tf.reduce_sum(f(x)), [v, w])",
    ),
)
def optimizer_nothing_to_apply(_: SeenScene) -> None:
    """One or two Variables, by either method."""


@scene(
    "optimizer-minimize-not-variable",
    "minimize raises ValueError for what is no Variable.",
    """
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x * v)
    tf.keras.optimizers.SGD().minimize($loss, var_list=$variables)
    """,
    cites=[docstring(_MINIMIZE, "ValueError: If some of the variables")],
    until=(2, 10),
    modes=("eager",),
    among=REALS,
    raises="ValueError",
    saying="not tf.Tensor",
    loss=("lambda: tf.reduce_sum(x * v)", "loss, tape=tape"),
    variables=("[v, 3.0]", "[None]", "['v']", "[x]", "[v, x]"),
)
def optimizer_minimize_not_variable(_: SeenScene) -> None:
    """Alone and beside a Variable: Python's objects, and a Tensor."""


@scene(
    "optimizer-compute-gradients",
    "compute_gradients answers a list that pairs each Variable with its gradient.",
    """
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(f(v))
    pairs = tf.keras.optimizers.SGD().compute_gradients($arguments)
    (gradient, variable), (nothing, other) = pairs
    found = [isinstance(pairs, list), variable is v, other is w]
    """,
    cites=[
        docstring(_COMPUTE, "of loss on trainable variables"),
        docstring(_COMPUTE, "Returns: A list of (gradient, variable)"),
        docstring(_COMPUTE, "Variable is always present"),
    ],
    since=(2, 11),
    until=(2, 15),
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
    arguments=("loss, [v, w], tape", "lambda: tf.reduce_sum(f(v)), [v, w]"),
)
def optimizer_compute_gradients(seen: SeenScene) -> None:
    """Of two Variables the loss depends on one."""
    seen.holds("found == [True, True, True]")
    seen.derivative("gradient", "tf.reduce_sum(f(v))", by="v")
    seen.none("nothing")


@scene(
    "optimizer-get-gradients",
    "In a graph get_gradients answers the gradient of the loss with respect to each parameter.",
    """
    loss = tf.reduce_sum(f(v)) * tf.reduce_sum(h(w))
    gradients = tf.keras.optimizers.SGD().get_gradients(loss, [v, w])
    """,
    cites=[docstring(_GET, "Returns gradients of `loss` with respect")],
    until=(2, 10),
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
)
def optimizer_get_gradients(seen: SeenScene) -> None:
    """Two Variables, without a tape."""
    loss = "tf.reduce_sum(f(v)) * tf.reduce_sum(h(w))"
    seen.derivative("gradients[0]", loss, by="v")
    seen.derivative("gradients[1]", loss, by="w")


@scene(
    "optimizer-get-gradients-none",
    "get_gradients raises ValueError if one of the gradients cannot be computed.",
    """
    tf.keras.optimizers.SGD().get_gradients(tf.reduce_sum($loss), [w, v])
    """,
    cites=[docstring(_GET, "ValueError: In case any gradient cannot")],
    until=(2, 10),
    modes=("function",),
    among=REALS,
    ops=SIMPLE,
    raises="ValueError",
    saying="has `None` for gradient",
    loss=("f(w)", "f(w) * tf.reduce_sum(tf.round(v))", "w * tf.raw_ops.Snapshot(input=v)"),
)
def optimizer_get_gradients_none(_: SeenScene) -> None:
    """Of a parameter that is not there, behind an op without gradient, or behind an unknown one."""
