"""How tape programs meet TensorFlow.

A program is drawn once and run once; the contracts of :data:`PROGRAMS` all compare what was seen
with what the model of the tape says.
"""

from __future__ import annotations

from typing import Any, Final

from conformance.boundary import (
    raised_by_tensorflow,
    tensorflow,
)
from conformance.contract import Cases, Unsupported
from conformance.drawn_programs import ProgramCase
from conformance.seen_programs import SeenProgram, as_tensor
from strategies.program_drawing import KINDS
from strategies.program_drawing import programs as drawn_programs

FILENAME: Final = "<program>"
"""What tracebacks call the file of a program."""


def run(case: ProgramCase, mode: str) -> SeenProgram:
    """Run a program.

    Raises:
        Unsupported: if its ops alone raise in this mode on this TensorFlow.
    """
    names: dict[str, Any] = {}
    seen = SeenProgram(case, mode)
    execute = _EXECUTE[mode]
    try:
        execute(case, names)
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        seen.error = raised_by_tensorflow(raised)
    if seen.error is not None:
        try:
            execute(ProgramCase(case.program.ops_alone()), {})
        except Exception as raised:
            raise Unsupported(type(raised_by_tensorflow(raised)).__name__) from raised
    seen.note(names)
    if mode == "eager" and seen.error is None and not seen.failed:
        seen.release(names)
    return seen


def _eager(case: ProgramCase, names: dict[str, Any]) -> None:
    """Run a program; whatever its questions raise is caught."""
    text = case.program.source(case.caught)
    exec(_code(text), names)  # noqa: S102 - our own text


def _outer(case: ProgramCase, names: dict[str, Any]) -> None:
    """Run a program whose ops are inside functions, and its tapes outside."""
    text = case.program.source(case.caught, traced_ops=True)
    exec(_code(text), names)  # noqa: S102 - our own text


def _function(case: ProgramCase, names: dict[str, Any]) -> None:
    """Run a program inside a tf.function: what it binds to Tensors comes out of that."""
    tf = tensorflow()
    text = case.program.function_source(case.caught, "dict(locals())")
    exec(_code(text), names)  # noqa: S102 - our own text
    wanted = {*case.program.names, *(f"g{number}" for number in case.questions)}

    local: dict[str, Any] = {}  # what only Python sees: exceptions, which Variables are watched

    def traced() -> Any:
        local.update(names["program"]())
        return {
            name: tf.nest.map_structure(as_tensor, value)
            for name, value in local.items()
            if name in wanted and not isinstance(value, Exception)
        }

    found = tf.function(traced, autograph=False)()
    names.update({**local, **found})


def _code(text: str) -> Any:  # a code object, which has no public generic type
    return compile(text, FILENAME, "exec")


_EXECUTE: Final = {"eager": _eager, "function": _function, "outer": _outer}

PROGRAMS: Cases[ProgramCase, SeenProgram] = Cases(
    "program",
    lambda subject, _: drawn_programs(subject).map(ProgramCase),
    run,
    ProgramCase.source,
    simpler=ProgramCase.simpler,
    subjects=tuple(KINDS),
    modes=tuple(_EXECUTE),
    times=3,  # few subjects, of which most of what matters is how they meet
)
