"""What a gradient must not do: end the process."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, Tally, Violation, docstring
from conformance.process_cases import PROCESSES, SeenProcess


@PROCESSES.contract(
    "fwd-over-gradient-process",
    "Forward mode over a gradient in a function does not end the process.",
    cites=[docstring("tf.autodiff.ForwardAccumulator", "memory-efficient forward-over-backward")],
)
def fwd_over_gradient_process(seen: SeenProcess) -> Tally:
    """Of a part of a vector that has no element."""
    return survived(seen)


@PROCESSES.contract(
    "output-gradients-fewer-process",
    "Fewer output_gradients than targets do not end the process.",
    cites=[docstring("tf.GradientTape.gradient", "output_gradients: a list of gradients, one")],
)
def output_gradients_fewer_process(seen: SeenProcess) -> Tally:
    """A list of targets, and one target that is made of several tensors."""
    return survived(seen)


@PROCESSES.contract(
    "window-without-place-process",
    "The gradient of windows that find no place in an image does not end the process.",
    cites=[UNDOCUMENTED],
)
def window_without_place_process(seen: SeenProcess) -> Tally:
    """Convolutions in short and long steps, and a maximum in single precision."""
    return survived(seen)


def survived(seen: SeenProcess) -> Tally:
    """A program that raises has not come as far as it should to say anything.

    Raises:
        Violation: if a signal ended it.
    """
    if seen.signal:
        raise Violation(
            kind="crash",
            expected="the end of the program",
            got=seen.signal,
            where=seen.case.program,
            why="it was run in a process of its own",
        )
    tally = Tally()
    if seen.error:
        tally.undecided(f"it raised {seen.error.partition(':')[0]}")
    else:
        tally.conclusive += 1
    return tally
