"""What can be assigned to, and what a step of gradient descent does."""

from __future__ import annotations

import numpy as np

from conformance.contract import Tally, Violation, docstring
from conformance.drawn_graphs import RATE, VARIABLE
from conformance.graph_cases import GRAPHS, Seen
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
            raise Violation(
                kind="attribute",
                expected=f"{expected} attribute {attribute} on {owner}",
                got="it has it" if expected == "no" else "it lacks it",
                where=seen.case.source(),
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
                    where=seen.case.source(number) + f"# then x{i}.assign_sub({RATE} * gradient)\n",
                    why="the bound is the rounding of one product and one difference",
                )
            tally.conclusive += after.array.size > 0
            tally.trivial += after.array.size == 0
    return tally
