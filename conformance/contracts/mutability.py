"""What can be assigned to, and what a step of gradient descent does."""

from __future__ import annotations

import numpy as np

from conformance.contract import UNDOCUMENTED, Tally, Violation, docstring
from conformance.drawn_graphs import RATE, VARIABLE
from conformance.graph_cases import GRAPHS, Seen
from conformance.graph_programs import Ask
from conformance.reproduction import all_near, fact
from conformance.scene_cases import scene
from conformance.seen_scenes import SeenScene
from strategies import dtypes


@GRAPHS.contract(
    "tensor-lacks-assign",
    "A Tensor, symbolic ones too, has none of assign, assign_add and assign_sub, unless it is a "
    "slice of a Variable; a Variable has all three.",
    cites=[docstring("tf.Variable", "one of the assign methods")],
)
def tensor_lacks_assign(seen: Seen) -> Tally:
    """Inputs and results of graphs were asked for the three attributes."""
    tally = Tally()
    if seen.error is not None:
        tally.undecided("the gradient raised")
        return tally
    for found, expected in ((seen.assignable, "no"), (seen.lacking, "the")):
        if found:
            owner, attribute = found[0]
            condition = f'{"not " * (expected == "no")}hasattr({owner}, "{attribute}")'
            raise Violation(
                kind="attribute",
                expected=f"{expected} attribute {attribute} on {owner}",
                got="it has it" if expected == "no" else "it lacks it",
                where=seen.program(0, Ask("fact"), fact("attribute", condition)),
                why="hasattr was asked while the program ran (while it was traced, if traced)",
            )
    tally.conclusive += 1
    return tally


@GRAPHS.contract(
    "variable-assign-sub-step",
    "A step of assign_sub(rate * gradient) changes a Variable by what is written, and nothing else "
    "does.",
    cites=[docstring("tf.Variable", "assign_sub")],
)
def variable_assign_sub_step(seen: Seen) -> Tally:
    """After the step the Variable is its value before, less rate times gradient, rounded."""
    tally = Tally()
    for number, point in enumerate(seen.points):
        before = seen.case.arrays(number)
        for i in seen.case.inputs(VARIABLE):
            gradient, after = point.gradients[i], point.stepped.get(i)
            if gradient is None or after is None or gradient.array.shape != before[i].shape:
                continue
            if not np.isfinite(gradient.array).all():
                tally.undecided("the gradient is not finite")
                continue
            step = RATE * gradient.array
            # two roundings: of the product and of the difference; flushed subnormals beside them
            epsilon = dtypes.epsilon(after.dtype)
            bound = epsilon * (np.abs(before[i]) + 2 * np.abs(step)) + dtypes.tiny(after.dtype)
            if not (np.abs(after.array - (before[i] - step)) <= bound).all():
                raise Violation(
                    kind="value",
                    expected=f"x{i} = {(before[i] - step).tolist()} after the step",
                    got=f"{after.array.tolist()}",
                    where=seen.program(
                        number, Ask("stepped", i), all_near("stepped", before[i] - step, bound)
                    ),
                    why="the bound is the rounding of one product and one difference",
                )
            tally.conclusive += after.array.size > 0
            tally.trivial += after.array.size == 0
    return tally


@scene(
    "tensor-immutable",
    "An element of a Tensor cannot be assigned to: TypeError.",
    "x[$index] $assignment",
    cites=[docstring("tf.constant", "immutable")],
    ranks=(1, 3),
    raises="TypeError",
    index=("0", "...", ":1", "-1"),
    assignment=("= y[0]", "= 0.0", "+= 1.0"),
)
def tensor_immutable(_: SeenScene) -> None:
    """Eager Tensors and symbolic ones."""


@scene(
    "tensor-numpy-edited",
    "Editing the array that numpy() returned changes neither Tensor nor gradient.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    array = x.numpy()
    before = array.copy()
    array[...] = y.numpy()
    gradient = tape.gradient(target, x)
    """,
    cites=[docstring("tf.constant", "immutable")],
    modes=("eager", "outer"),
    ranks=(1, 3),
)
def tensor_numpy_edited(seen: SeenScene) -> None:
    """After the ops were recorded."""
    seen.same("x", "before")
    seen.derivative("gradient", "f(x)", by="x")


_ARRAY = """
    import numpy as np

    room = np.zeros(x.numpy().nbytes + 128, np.uint8)
    start = -room.ctypes.data % 64 + $offset
    array = np.frombuffer(room.data, x.dtype.as_numpy_dtype, x.numpy().size, start)
    array = array.reshape(x.shape)
    array[...] = x.numpy()
    made = $made
    with tf.GradientTape() as tape:
        tape.watch(made)
        target = f(made)
    array[...] = y.numpy()
    gradient = tape.gradient(target, made)
    """
_MADE = ("tf.constant(array)", "tf.convert_to_tensor(array)", "tf.Variable(array)")


@scene(
    "numpy-aliasing",
    "Editing the array that a Tensor or Variable was made of changes neither it nor its gradient.",
    _ARRAY,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    since=(2, 13),
    made=_MADE,
    offset=("0", "16"),
)
def numpy_aliasing(seen: SeenScene) -> None:
    """Also where the array is aligned so that its memory could be shared."""
    seen.same("made", "x")
    seen.derivative("gradient", "f(x)", by="x")


@scene(
    "numpy-shared",
    "A Tensor or Variable that is made from an aligned array shares its memory: editing the array "
    "changes it.",
    _ARRAY,
    cites=[docstring("tf.Tensor", "the underlying buffer may be re-used")],
    modes=("eager", "outer"),
    until=(2, 12),
    made=_MADE,
    offset=("0",),
)
def numpy_shared(seen: SeenScene) -> None:
    """To 64 bytes."""
    seen.same("made", "y")
