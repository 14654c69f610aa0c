"""How tape programs meet TensorFlow, and what is seen.

A program is drawn once and run once; the contracts of :data:`PROGRAMS` all compare what was seen
with what the model of the tape says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from conformance.boundary import (
    Gradient,
    numpy_dtype,
    raised_by_tensorflow,
    read,
    tensorflow,
)
from conformance.contract import Cases, Unsupported
from conformance.drawn_graphs import CONSTANT, WATCHED, GraphCase
from conformance.graph_cases import Seen, SeenPoint
from conformance.modes import MODES
from conformance.oracles.tape_model import Answer, Model, Origin
from strategies import programs
from strategies.graphs import Graph
from strategies.program_drawing import KINDS
from strategies.program_drawing import programs as drawn_programs
from strategies.programs import Make, Program
from strategies.structures import Structure, leaves, skeleton

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ProgramCase:
    """A tape program, and what the model of the tape says of it."""

    program: Program

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        return hashlib.sha256(self.program.source().encode()).digest()

    @cached_property
    def model(self) -> Model:
        """What should happen."""
        return Model(self.program)

    @cached_property
    def graph(self) -> Graph:
        """All ops of the program, what is made or read between them as inputs."""
        return self.program.ops_graph()

    @cached_property
    def questions(self) -> dict[int, programs.Gradient]:
        """The statements that ask for a gradient, by the number of the answer."""
        asked = (s for s in self.program.statements() if isinstance(s, programs.Gradient))
        return {statement.answer: statement for statement in asked}

    def source(self, mode: str = "eager") -> str:
        """The program as a mode runs it, as Python; what should raise is caught."""
        answers = self.model.answers
        raising = frozenset(n for n, answer in answers.items() if isinstance(answer, str))
        if not MODES[mode].traces_program:
            return self.program.source(raising, traced_ops=MODES[mode].traces_ops)
        told = ", ".join(f"g{number}" for number in answers if number not in raising)
        text = self.program.function_source(raising, f"[{told}]")
        return f"{text}\n\nprint(tf.function(program, autograph=False)())\n"


class SeenProgram:
    """What was seen when a program ran.

    Attributes:
        case: what was run.
        mode: the name of the mode.
        error: what ended it early, though its ops alone run and gradients that raise are caught;
            else None.
        answers: what each question got, nested as TensorFlow nested it, or what it raised.
        watched: what each ``watched_variables`` gave: slots, or -1 for what is no Variable of the
            program.
    """

    def __init__(self, case: ProgramCase, mode: str, names: dict[str, Any]) -> None:
        self.case, self.mode = case, mode
        self.error: Exception | None = None
        self._names = names
        self.answers: dict[int, Structure[Gradient | None] | Exception] = {}
        self.watched: dict[int, tuple[int, ...]] = {}

    def note(self) -> None:
        """Read the answers, as far as the program came."""
        for number in self.case.model.answers:
            found = self._names.get(f"g{number}", _MISSING)
            if isinstance(found, Exception):
                self.answers[number] = raised_by_tensorflow(found)
            elif found is not _MISSING:
                try:
                    self.answers[number] = skeleton(found, _dense)
                except Exception as raised:  # noqa: BLE001 - slices that do not fit one another
                    self.answers[number] = raised_by_tensorflow(raised)
        variables = {
            id(self._names[self.case.program.names[slot]]): slot
            for slot in self.case.model.assigned
            if self.case.program.names[slot] in self._names
        }
        for number in self.case.model.watched:
            if f"g{number}" in self._names:
                found = self._names[f"g{number}"]
                self.watched[number] = tuple(variables.get(id(v), -1) for v in found)

    def array(self, origin: Origin) -> Array:
        """The numbers of a tensor in the run, in double precision."""
        program = self.case.program
        if origin.version < 0:
            return self._read(origin.slot)
        kind = program.types[origin.slot]
        made = next(
            s for s in program.statements() if isinstance(s, Make) and s.slot == origin.slot
        )
        found: Array = np.array(made.numbers, numpy_dtype(kind.dtype)).reshape(kind.shape)
        for method, slot in self.case.model.assigned[origin.slot][: origin.version]:
            value = self._read(slot)
            found = {"assign": value, "assign_add": found + value, "assign_sub": found - value}[
                method
            ]
        return found

    def _read(self, slot: int) -> Array:
        tensor = self._names[self.case.program.names[slot]]
        array: Array = np.asarray(tensor.numpy())
        return array.astype(numpy_dtype(tensor.dtype.name))

    def question(self, number: int) -> Seen | None:
        """What an answer says of the recorded part, for finite differences to judge.

        None if it has another structure, or is an exception that was expected.
        """
        answer = self.case.model.answers[number]
        if not isinstance(answer, Answer) or number not in self.answers:
            return None
        found = self.answers[number]
        flat = [None] * len(answer.sources) if isinstance(found, Exception) else list(leaves(found))
        if len(flat) != len(answer.sources):
            return None
        known = dict(zip(answer.sources, flat, strict=True))
        asked = self.case.questions[number]
        part = answer.part
        arrays = [np.zeros(i.type.shape, numpy_dtype(i.type.dtype)) for i in part.graph.inputs]
        first = len(part.sources)
        arrays[first:] = [self.array(origin) for origin in part.origins]
        kinds = [part.graph.types[output] for output in part.graph.outputs]
        weights = [np.ones(kind.shape, numpy_dtype(kind.dtype)) for kind in kinds]
        if asked.weights:
            weights = [
                np.array(numbers, one.dtype).reshape(one.shape)
                for numbers, one in zip(asked.weights, weights, strict=True)
            ]
        roles = (WATCHED,) * first + (CONSTANT,) * len(part.origins)
        case = Question(
            graph=part.graph,
            roles=roles,
            points=((),),
            persistent=False,
            forward=False,
            unknown_rank=False,
            numbers=arrays,
            cotangent=weights,
            program=self.case,
            mode=self.mode,
        )
        seen = Seen(case, MODES[self.mode])
        gradients = [known[source] for source in part.sources] + [None] * len(part.origins)
        seen.points = [SeenPoint(gradients, {}, {}, None)]
        return seen


@dataclass(frozen=True, eq=False)
class Question(GraphCase):
    """The recorded part of a program as a graph case, at the numbers that the run had.

    Attributes:
        numbers: for each input of the graph.
        cotangent: for each target.
        program, mode: where it comes from.
    """

    numbers: list[Array]
    cotangent: list[Array]
    program: ProgramCase
    mode: str

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of the program and of the part."""
        return hashlib.sha256(self.program.digest + self.graph.definition.encode()).digest()

    @cached_property
    def weights(self) -> list[Array]:
        """The cotangent."""
        return self.cotangent

    def arrays(self, _: int) -> list[Array]:
        """The numbers, in the widest dtype of their kind."""
        return self.numbers

    def source(self, _: int = 0) -> str:
        """The whole program."""
        return self.program.source(self.mode)


_MISSING: Final = object()


def _dense(leaf: Any) -> Gradient | None:
    return read(_as_tensor(leaf))


def run(case: ProgramCase, mode: str) -> SeenProgram:
    """Run a program.

    Raises:
        Unsupported: if its ops alone raise in this mode on this TensorFlow.
    """
    names: dict[str, Any] = {}
    seen = SeenProgram(case, mode, names)
    execute = _EXECUTE[mode]
    try:
        execute(case.program, names)
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        seen.error = raised_by_tensorflow(raised)
    if seen.error is not None:
        try:
            execute(case.program.ops_alone(), {})
        except Exception as raised:
            raise Unsupported(type(raised_by_tensorflow(raised)).__name__) from raised
    seen.note()
    return seen


def _eager(program: Program, names: dict[str, Any]) -> None:
    """Run a program; whatever its questions raise is caught."""
    exec(_code(program.source(_questions(program))), names)  # noqa: S102 - our own text


def _outer(program: Program, names: dict[str, Any]) -> None:
    """Run a program whose ops are inside functions, and its tapes outside."""
    text = program.source(_questions(program), traced_ops=True)
    exec(_code(text), names)  # noqa: S102 - our own text


def _function(program: Program, names: dict[str, Any]) -> None:
    """Run a program inside a tf.function: what it binds to Tensors comes out of that."""
    tf = tensorflow()
    text = program.function_source(_questions(program), "dict(locals())")
    exec(_code(text), names)  # noqa: S102 - our own text
    wanted = {*program.names, *(f"g{number}" for number in _questions(program))}

    def traced() -> Any:
        found = names["program"]()
        names.update(found)  # what only Python sees: exceptions, and which Variables are watched
        return {
            name: tf.nest.map_structure(_as_tensor, value)
            for name, value in found.items()
            if name in wanted and not isinstance(value, Exception)
        }

    names.update(tf.function(traced, autograph=False)())


def _as_tensor(leaf: Any) -> Any:
    return None if leaf is None else tensorflow().convert_to_tensor(leaf)


def _questions(program: Program) -> frozenset[int]:
    return frozenset(s.answer for s in program.statements() if isinstance(s, programs.Gradient))


def _code(text: str) -> Any:  # a code object, which has no public generic type
    return compile(text, "<program>", "exec")


_EXECUTE: Final = {"eager": _eager, "function": _function, "outer": _outer}

PROGRAMS: Cases[ProgramCase, SeenProgram] = Cases(
    "program",
    lambda subject, _: drawn_programs(subject).map(ProgramCase),
    run,
    ProgramCase.source,
    subjects=tuple(KINDS),
    modes=tuple(_EXECUTE),
    times=3,  # few subjects, of which most of what matters is how they meet
)
