"""What passes state, Variables that are assigned to, queues, datasets, and what does not."""

from __future__ import annotations

from typing import Final

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

STATEFUL: Final = guide("autodiff", "4. Took gradients through a stateful object")
UPDATES: Final = ("assign(y)", "assign_add(y)", "assign_sub(y)", "scatter_nd_update([[0]], y[:1])")


@scene(
    "state-blocks-gradient",
    "What is assigned to a Variable is not connected to what is read from it later; the Variable "
    "is.",
    """
    with tf.GradientTape() as tape:
        tape.watch(y)
        v.$update
        target = f(v)
    gradients = tape.gradient(target, [v, y])
    """,
    cites=[STATEFUL],
    ranks=(1, 3),
    ops=SIMPLE,
    update=UPDATES,
)
def state_blocks_gradient(seen: SeenScene) -> None:
    """Every way to update."""
    seen.derivative("gradients[0]", "f(v)", by="v")
    seen.none("gradients[1]")


@scene(
    "variable-made-of-tensor",
    "A Variable is not connected to the Tensor that it was made from.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        made = tf.Variable(x)
        target = f(made)
    gradients = tape.gradient(target, [made, x])
    """,
    cites=[STATEFUL],
    modes=("eager", "outer"),
)
def variable_made_of_tensor(seen: SeenScene) -> None:
    """Made in the context."""
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.none("gradients[1]")


@scene(
    "assign-return-gradient",
    "What an assignment returns is a read of the updated Variable: the Variable has a gradient, "
    "what was assigned has none.",
    """
    with tf.GradientTape() as tape:
        tape.watch(y)
        target = f(tf.convert_to_tensor(v.$update))
    gradients = tape.gradient(target, [v, y])
    """,
    cites=[UNDOCUMENTED],
    ranks=(1, 3),
    ops=SIMPLE,
    update=UPDATES,
)
def assign_return_gradient(seen: SeenScene) -> None:
    """Every way to update."""
    seen.derivative("gradients[0]", "f(v)", by="v")
    seen.none("gradients[1]")


@scene(
    "assign-after-record",
    "Updating a Variable after the ops were recorded does not change the gradient.",
    """
    v.assign(x)
    with tf.GradientTape() as tape:
        target = f(v)
    v.$update
    gradient = tape.gradient(target, v)
    """,
    cites=[UNDOCUMENTED],
    ranks=(1, 3),
    update=UPDATES,
)
def assign_after_record(seen: SeenScene) -> None:
    """The value that was read counts."""
    seen.derivative("gradient", "f(x)", by="x")


@scene(
    "assign-between-reads",
    "Of two reads with an assignment between them each contributes at the value that it read.",
    """
    zero = tf.zeros_like(x)
    v.assign(x)
    with tf.GradientTape() as tape:
        first = f(v)
        v.assign(y)
        target = [first, h(v)]
    gradient = tape.gradient(target, v)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
)
def assign_between_reads(seen: SeenScene) -> None:
    """Both reads are of one source."""
    seen.derivative("gradient", "[f(x + zero), h(y + zero)]", by="zero")


@scene(
    "read-inside-function-order",
    "In a tf.function reads and assignments keep their order, and the tape outside sees each read.",
    """
    zero = tf.zeros_like(x)

    @tf.function(autograph=False)
    def run(one, two):
        v.assign(one)
        first = f(v)
        v.assign(two)
        return first, h(v)

    with tf.GradientTape() as tape:
        target = run(x, y)
    gradient = tape.gradient(target, v)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "function"),
    ops=SIMPLE,
)
def read_inside_function_order(seen: SeenScene) -> None:
    """Assigned, read, assigned, read."""
    seen.derivative("gradient", "[f(x + zero), h(y + zero)]", by="zero")


@scene(
    "dataset-iterator-stops",
    "What comes out of the iterator of a dataset is not connected to what went in.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        item = next(iter($dataset))
        tape.watch(item)
        target = f(item)
    gradients = tape.gradient(target, [x, item])
    """,
    cites=[STATEFUL],
    modes=("eager", "outer"),
    dataset=(
        "tf.data.Dataset.from_tensors(x)",
        "tf.data.Dataset.from_tensor_slices([x, y])",
        "tf.data.Dataset.from_tensors(x).repeat()",
        "tf.data.Dataset.from_tensors(x).map(tf.identity)",
    ),
)
def dataset_iterator_stops(seen: SeenScene) -> None:
    """The item itself, watched, has a gradient."""
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "f(x)", by="x")


@scene(
    "queue-stops",
    "What comes out of a queue is not connected to what went in.",
    """
    queue = tf.queue.$queue
    with tf.GradientTape() as tape:
        tape.watch(x)
        queue.enqueue(x)
        item = queue.dequeue()
        tape.watch(item)
        target = f(item)
    gradients = tape.gradient(target, [x, item])
    """,
    cites=[STATEFUL],
    modes=("eager", "outer"),
    queue=(
        "FIFOQueue(1, [x.dtype], [x.shape])",
        "RandomShuffleQueue(1, 0, [x.dtype], [x.shape])",
        "PaddingFIFOQueue(1, [x.dtype], [x.shape])",
    ),
)
def queue_stops(seen: SeenScene) -> None:
    """The item itself, watched, has a gradient."""
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "f(x)", by="x")


@scene(
    "sgd-by-hand",
    "Descent by assign_sub(rate * gradient) goes as the closed form says: the distance to the "
    "minimum of a parabola shrinks by the same factor in each step.",
    """
    start = tf.identity(v)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = $loss
        v.assign_sub(0.25 * tape.gradient(loss, v))
    """,
    cites=[docstring("tf.Variable.assign_sub", "Subtracts a value from this variable")],
    among=REALS,
    loss=(
        "tf.reduce_sum(tf.square(v - x))",
        "tf.nn.l2_loss(2.0 ** 0.5 * (v - x))",
        "tf.reduce_sum((x - v) ** 2)",
    ),
)
def sgd_by_hand(seen: SeenScene) -> None:
    """At rate 1/4 it is halved; a step has six roundings."""
    seen.near("v", "x + (start - x) / 8.0", "tf.abs(x) + tf.abs(start)", roundings=18)


@scene(
    "assign-value",
    "An assignment gives a Variable its new value, more or less by what is added or subtracted, "
    "and returns something that evaluates to it.",
    """
    before = tf.identity(v)
    answer, expected = $assigned
    found, moved = tf.identity(answer), tf.identity(v)
    """,
    cites=[
        docstring("tf.Variable.assign", "Assigns a new value to the"),
        docstring("tf.Variable.assign", "will return something which evaluates to"),
        docstring("tf.Variable.assign_add", "Adds a value to this"),
        docstring("tf.Variable.assign_add", "will return something which evaluates to"),
        docstring("tf.Variable.assign_sub", "Subtracts a value from this"),
        docstring("tf.Variable.assign_sub", "will return something which evaluates to"),
    ],
    assigned=(
        "v.assign(x), x",
        "v.assign(x, read_value=True), x",
        "v.assign_add(x), before + x",
        "v.assign_add(x, read_value=True), before + x",
        "v.assign_sub(x), before - x",
        "v.assign_sub(x, read_value=True), before - x",
    ),
)
def assign_value(seen: SeenScene) -> None:
    """Each of the three, bit for bit."""
    seen.same("moved", "expected")
    seen.same("found", "expected")


@scene(
    "assign-read-value-false",
    "Without read_value an assignment returns None, in a graph its op, and assigns all the same.",
    """
    before = tf.identity(v)
    answer, expected = $assigned
    kind, moved = type(answer).__name__, tf.identity(v)
    """,
    cites=[
        docstring(f"tf.Variable.{method}", words)
        for method in ("assign", "assign_add", "assign_sub")
        for words in ("If `read_value` is false, instead", "if False will return the assign op")
    ],
    assigned=(
        "v.assign(x, read_value=False), x",
        "v.assign_add(x, read_value=False), before + x",
        "v.assign_sub(x, read_value=False), before - x",
    ),
)
def assign_read_value_false(seen: SeenScene) -> None:
    """Each of the three."""
    kind = "Operation" if seen.mode == "function" else "NoneType"
    seen.holds(f"kind == {kind!r}")
    seen.same("moved", "expected")


@scene(
    "assign-returns-variable",
    "What an assignment returns stands for the Variable: it has its value, and follows it.",
    """
    answer = v.$update
    seen, updated = tf.identity(answer), tf.identity(v)
    answer.assign(x)
    """,
    cites=[
        docstring("tf.Variable.assign", "The updated variable"),
        docstring("tf.Variable.assign_add", "The updated variable"),
        docstring("tf.Variable.assign_sub", "The updated variable"),
    ],
    modes=("eager",),
    ranks=(1, 3),
    update=UPDATES,
)
def assign_returns_variable(seen: SeenScene) -> None:
    """It can be assigned to, too."""
    seen.holds("isinstance(answer, tf.Variable)")
    seen.same("seen", "updated")
    seen.same("[v, answer]", "[x, x]")
