"""Which Variables a tape watches without being asked."""

from __future__ import annotations

from conformance.contract import Tally, Violation, docstring
from conformance.drawn_graphs import FROZEN, VARIABLE
from conformance.graph_cases import GRAPHS, Seen


@GRAPHS.contract(
    "watch-variable-auto",
    "A trainable Variable that is read under a recording tape is watched unasked.",
    cites=[docstring("tf.GradientTape", "are automatically watched")],
)
def watch_variable_auto(seen: Seen) -> Tally:
    """Every trainable Variable that the graph reads is among ``watched_variables()``."""
    read = [i for i in seen.case.inputs(VARIABLE) if i in seen.read]
    return _watched(seen, read, expected=True)


@GRAPHS.contract(
    "watch-nontrainable-not-auto",
    "A non-trainable Variable that is read under a recording tape is not watched unless asked.",
    cites=[docstring("tf.GradientTape", "are automatically watched")],
)
def watch_nontrainable_not_auto(seen: Seen) -> Tally:
    """No non-trainable Variable is among ``watched_variables()``, and its gradient is None."""
    return _watched(seen, list(seen.case.inputs(FROZEN)), expected=False)


def _watched(seen: Seen, variables: list[int], *, expected: bool) -> Tally:
    tally = Tally()
    for i in variables:
        if seen.error is not None:
            tally.undecided("the gradient raised")
        elif (i in seen.watched_variables) != expected:
            words = {True: "watched", False: "not watched"}
            raise Violation(
                kind="watched",
                expected=f"the Variable x{i} to be {words[expected]}",
                got=f"it is {words[not expected]}",
                where=seen.case.source(),
                why="tape.watched_variables() was asked after the ops had run",
            )
        else:
            tally.conclusive += 1
    return tally
