"""How tape programs meet TensorFlow, and what is seen.

A program is drawn once and run once; the contracts of :data:`PROGRAMS` all compare what was seen
with what the model of the tape says.
"""

from __future__ import annotations

import gc
import hashlib
import weakref
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
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
from conformance.graph_programs import Ask
from conformance.modes import MODES
from conformance.oracles.recorded_part import Origin
from conformance.oracles.tape_model import Answer, Model
from conformance.reproduction import Claim, Page, array, raising, something
from strategies import programs
from strategies.graphs import Graph
from strategies.program_drawing import KINDS
from strategies.program_drawing import programs as drawn_programs
from strategies.programs import Call, Make, Program, Take
from strategies.slices import slices
from strategies.structures import Structure, leaves, paths, skeleton
from strategies.tensors import TensorType
from strategies.ways import WAYS

Array = npt.NDArray[Any]

FILENAME: Final = "<program>"
"""What tracebacks call the file of a program."""


@dataclass(frozen=True)
class ProgramCase:
    """A tape program, and what the model of the tape says of it."""

    program: Program
    _models: dict[tuple[bool, bool], Model] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        return hashlib.sha256(self.program.source().encode()).digest()

    def model(self, mode: str) -> Model:
        """What should happen in a mode."""
        how = not MODES[mode].traces_program, MODES[mode].traces_ops
        if how not in self._models:
            self._models[how] = Model(self.program, eager=how[0], ops_in_functions=how[1])
        return self._models[how]

    @cached_property
    def graph(self) -> Graph:
        """All ops of the program, what is made or read between them as inputs."""
        return self.program.ops_graph()

    @cached_property
    def questions(self) -> dict[int, programs.Gradient]:
        """The statements that ask for a gradient, by the number of the answer."""
        asked = (s for s in self.program.statements() if isinstance(s, programs.Gradient))
        return {statement.answer: statement for statement in asked}

    @cached_property
    def caught(self) -> frozenset[int]:
        """The questions whose exceptions are caught: those whose answers no statement takes."""
        taken = {s.answer for s in self.program.statements() if isinstance(s, Take)}
        return frozenset(self.questions) - taken

    @cached_property
    def traces(self) -> bool:
        """Whether it traces functions even where it runs eagerly."""
        return any(
            (isinstance(s, Call) and WAYS[s.way].traces)
            or (isinstance(s, programs.Gradient) and s.method != "gradient" and s.pfor)
            for s in self.program.statements()
        )

    def simpler(self) -> Iterator[ProgramCase]:
        """What each of the answers depends on, the smallest first."""
        return map(ProgramCase, slices(self.program))

    def source(self, mode: str = "eager") -> str:
        """The program as a mode runs it, as Python; what should raise is caught."""
        return self._page(mode).text(MODES[mode])

    def showing(self, mode: str, shows: Sequence[str], caught: Collection[int] = ()) -> str:
        """The program as a mode runs it, with what a failure shows at its end.

        Args:
            mode: the name of the mode.
            shows: the lines of an assertion about answers.
            caught: the questions whose exceptions are caught beside those that should raise.
        """
        apart = [f"g{number}" for number in (*caught, *self.model(mode).watched)]
        apart += [f"g{number}" for number in self._raising(mode)]
        return self._page(mode, caught).text(MODES[mode], shows, others=apart)

    def unended(self, mode: str) -> str:
        """The program as a mode runs it, which should come to its end."""
        return self._page(mode).text(MODES[mode], guard=raising)

    def _raising(self, mode: str) -> frozenset[int]:
        """The answers that should be exceptions."""
        return frozenset(n for n, a in self.model(mode).answers.items() if isinstance(a, str))

    def _page(self, mode: str, caught: Collection[int] = ()) -> Page:
        how, bound = MODES[mode], [f"g{number}" for number in self.questions]
        caught = self._raising(mode).union(caught)
        if how.traces_program:
            return Page(*self.program.parts(caught), bound=bound)
        text = self.program.source(caught, traced_ops=how.traces_ops)
        return Page([], text.splitlines(), bound=bound)


class SeenProgram:
    """What was seen when a program ran.

    Attributes:
        case: what was run.
        mode: the name of the mode.
        model: what should have been seen.
        error: what ended it early, though its ops alone run and gradients that raise are caught;
            else None.
        answers: what each question got, nested as TensorFlow nested it, or what it raised.
        failed: the tapes that raised what they should not have.
        apart: the questions that such a tape was asked afterwards, without their answers: nobody
            says whether it was used up.
        watched: what each ``watched_variables`` gave: slots, or -1 for what is no Variable of the
            program.
        held: the Tensors that tapes kept alive, by name: tapes that have answered for good, when
            nothing else was left of the program, and deleted ones.
    """

    def __init__(self, case: ProgramCase, mode: str) -> None:
        self.case, self.mode, self.model = case, mode, case.model(mode)
        self.error: Exception | None = None
        self.answers: dict[int, Structure[Gradient | None] | Exception] = {}
        self.failed: set[int] = set()
        self.apart: list[int] = []
        self.watched: dict[int, tuple[int, ...]] = {}
        self.held: dict[str, list[str]] = {}
        self._arrays: dict[int, Array] = {}

    def note(self, names: dict[str, Any]) -> None:
        """Read what the program bound to names, as far as it came."""
        for number in self.model.answers:
            found = names.get(f"g{number}", _MISSING)
            if isinstance(found, Exception):
                self.answers[number] = _without_frames(raised_by_tensorflow(found))
            elif found is not _MISSING and number not in self.case.questions:
                self.answers[number] = None  # misuse that passed: nothing to be read
            elif found is not _MISSING:
                try:
                    self.answers[number] = skeleton(found, _dense)
                except Exception as raised:  # noqa: BLE001 - slices that do not fit one another
                    self.answers[number] = raised_by_tensorflow(raised)
        self._set_apart()
        bound = {i: names[name] for i, name in enumerate(self.case.program.names) if name in names}
        variables = {id(bound[slot]): slot for slot in self.model.assigned if slot in bound}
        for number in self.model.watched:
            if f"g{number}" in names:
                self.watched[number] = tuple(variables.get(id(v), -1) for v in names[f"g{number}"])
        for slot, tensor in bound.items():
            if slot not in self.model.assigned:
                self._arrays[slot] = np.asarray(tensor.numpy())

    def _set_apart(self) -> None:
        for number, asked in self.case.questions.items():
            found = self.answers.get(number)
            if asked.tape in self.failed and number in self.answers:
                del self.answers[number]
                self.apart.append(number)
            elif isinstance(found, Exception) and isinstance(self.model.answers[number], Answer):
                self.failed.add(asked.tape)

    def release(self, names: dict[str, Any]) -> None:
        """Delete the program, first all but the tapes that hold nothing; note which Tensors live.

        What is a cycle of references waits for the collector: traced functions with what they
        captured, convolutions that are made of others.
        """
        slots = enumerate(self.case.program.names)
        tensors = [name for slot, name in slots if slot not in self.model.assigned]
        living = {name: weakref.ref(names[name]) for name in tensors if name in names}
        tapes = [names[f"t{tape}"] for tape in self.model.empty]
        names.clear()
        for which in ("answered", "deleted"):
            if any(ref() is not None for ref in living.values()):
                gc.collect()
                gc.freeze()  # or each collection would look at all of TensorFlow once more
            self.held[which] = [name for name, ref in living.items() if ref() is not None]
            tapes.clear()

    def array(self, origin: Origin) -> Array:
        """The numbers of a tensor in the run, in double precision."""
        program = self.case.program
        kind = program.types[origin.slot]
        if origin.version < 0:
            return self._arrays[origin.slot].astype(numpy_dtype(kind.dtype))
        made = next(
            s for s in program.statements() if isinstance(s, Make) and s.slot == origin.slot
        )
        found: Array = np.array(made.numbers, numpy_dtype(kind.dtype)).reshape(kind.shape)
        for method, slot in self.model.assigned[origin.slot][: origin.version]:
            value = self.array(Origin(slot))
            found = {"assign": value, "assign_add": found + value, "assign_sub": found - value}[
                method
            ]
        return found

    @cached_property
    def misshapen(self) -> bool:
        """Whether a gradient that the program goes on with has not the shape of its source."""
        for statement in self.case.program.statements():
            if isinstance(statement, Take) and statement.answer in self.answers:
                found = self.answers[statement.answer]
                shape = self.case.program.types[statement.slot].shape
                if isinstance(found, Gradient) and found.array.shape != shape:
                    return True
        return False

    def question(self, number: int) -> Seen | None:
        """What an answer says of the recorded part, for finite differences to judge.

        None if it has another structure, or is an exception that was expected. Of a source of which
        nobody can say whether it has a gradient, none stands for zeros; but if nobody can say
        either whether the tape holds it, it counts as a constant where it has none, or what may
        stand for none: zeros that were asked for, and all that a batch_jacobian answers.
        """
        answer = self.model.answers[number]
        if not isinstance(answer, Answer) or number not in self.answers:
            return None
        found = self.answers[number]
        flat = [None] * len(answer.sources) if isinstance(found, Exception) else list(leaves(found))
        if len(flat) != len(answer.sources):
            return None
        asked, part = self.case.questions[number], answer.part
        slots = zip(answer.sources, leaves(asked.sources), strict=True)
        names = {source: self.case.program.names[slot] for source, slot in slots}
        known = dict(zip(answer.sources, zip(flat, answer.connected, strict=True), strict=True))
        gradients, roles = [], []
        for source in part.sources:
            gradient, connected = known[source]
            perhaps_none = gradient is None or asked.zero or asked.method == "batch_jacobian"
            doubtful = connected is None and perhaps_none and source in answer.doubtful
            if doubtful or source in part.unclear:
                roles.append(CONSTANT)
            else:
                roles.append(WATCHED)
            gradients.append((gradient, connected))
        arrays = [np.zeros(i.type.shape, numpy_dtype(i.type.dtype)) for i in part.graph.inputs]
        arrays[len(part.sources) :] = [self.array(origin) for origin in part.origins]
        case = Question(
            graph=part.graph,
            roles=(*roles, *[CONSTANT] * len(part.origins)),
            points=((),),
            persistent=False,
            forward=False,
            unknown_rank=False,
            pulls=False,
            numbers=arrays,
            names=tuple(names[source] for source in part.sources),
            asked=asked,
            program=self.case,
        )
        places = dict(zip(answer.sources, paths(asked.sources), strict=True))
        told_as = [f"g{number}{places[source]}" for source in part.sources]
        nones = frozenset(k for k, (gradient, _) in enumerate(gradients) if gradient is None)
        seen = SeenPart(case, self, number, told_as, nones)
        told = [
            case.zeros(k) if gradient is None and connected is None else case.contract(gradient)
            for k, (gradient, connected) in enumerate(gradients)
        ]
        seen.points = [SeenPoint([*told, *[None] * len(part.origins)], {}, {}, {}, None)]
        return seen


class SeenPart(Seen):
    """What an answer says of the recorded part of a program.

    Args:
        case: the part.
        whole: what was seen of the program.
        number: of the answer.
        names: what the gradient of each source is called in the program.
        nones: the sources that have none.
    """

    def __init__(
        self,
        case: Question,
        whole: SeenProgram,
        number: int,
        names: Sequence[str],
        nones: Collection[int],
    ) -> None:
        super().__init__(case, MODES[whole.mode])
        self._question, self._whole, self._number = case, whole, number
        self._names, self._nones = names, nones

    def program(self, point: int, ask: Ask, claim: Claim | None) -> str:  # noqa: ARG002 - it has one
        """The whole program, and what should be so of the answer."""
        whole, number = self._whole.case, self._number
        if claim is None or ask.source is None:
            return whole.showing(self._whole.mode, unraised(number), [number])
        if ask.source in self._nones:  # which counts as zeros, and is too little
            claim = something(self._names[ask.source], claim.kind)
            return whole.showing(self._whole.mode, claim.lines())
        answer = f"tf.convert_to_tensor({self._names[ask.source]})"
        answer = self._question.contracted(answer)
        return whole.showing(self._whole.mode, claim.about("gradient", answer).lines())


def unraised(number: int) -> list[str]:
    """The assertion that an answer whose exception was caught is none."""
    return [
        f"if isinstance(g{number}, Exception):",
        f'    raise AssertionError(f"exception: {{type(g{number}).__name__}}") from g{number}',
    ]


@dataclass(frozen=True, eq=False)
class Question(GraphCase):
    """The recorded part of a program as a graph case, at the numbers that the run had.

    Attributes:
        numbers: for each input of the graph.
        names: of the sources, in the program.
        asked: what was asked.
        program: where it comes from.
    """

    numbers: list[Array]
    names: tuple[str, ...]
    asked: programs.Gradient
    program: ProgramCase

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of the program and of the part."""
        return hashlib.sha256(self.program.digest + self.graph.definition.encode()).digest()

    @cached_property
    def weights(self) -> list[Array]:
        """The cotangent: as the program says; of a Jacobian what its elements are weighed with.

        That is real, as a complex cotangent is no linear combination of a Jacobian's rows, and of
        that of a batch the same for each row, as it adds up what all of them have to do with one.
        """
        if self.asked.method == "gradient":
            return [
                np.ones(kind.shape, numpy_dtype(kind.dtype))
                if not self.asked.weights
                else np.array(self.asked.weights[k], numpy_dtype(kind.dtype)).reshape(kind.shape)
                for k, kind in enumerate(self.target_types)
            ]
        (kind,) = self.target_types
        shape = kind.shape[1:] if self.asked.method == "batch_jacobian" else kind.shape
        (drawn,) = self._scatter("weights", (TensorType("float64", shape),))
        return [np.broadcast_to(drawn, kind.shape).astype(numpy_dtype(kind.dtype))]

    def contract(self, gradient: Gradient | None) -> Gradient | None:
        """A Jacobian times the cotangent, which is a gradient; a gradient as it is."""
        if gradient is None or self.asked.method == "gradient":
            return gradient
        weight, first = self.weights[0].real, 0
        if self.asked.method == "batch_jacobian":
            weight, first = weight[0], 1
        axes = tuple(range(first, first + weight.ndim))
        contracted = np.tensordot(weight, gradient.array, (range(weight.ndim), axes))
        return Gradient(gradient.dtype, contracted)

    def contracted(self, name: str) -> str:
        """The same in a program: a Jacobian's name, weighed with the cotangent."""
        if self.asked.method == "gradient":
            return name
        weight, first = self.weights[0].real, 0
        if self.asked.method == "batch_jacobian":
            weight, first = weight[0], 1
        axes = [list(range(weight.ndim)), list(range(first, first + weight.ndim))]
        return f"tf.tensordot(tf.constant({array(weight)}, {name}.dtype), {name}, {axes})"

    def zeros(self, source: int) -> Gradient:
        """A gradient of zeros for an input of the graph."""
        kind = self.graph.inputs[source].type
        return Gradient(kind.dtype, np.zeros(kind.shape, numpy_dtype(kind.dtype)))

    def arrays(self, _: int) -> list[Array]:
        """The numbers, in the widest dtype of their kind."""
        return self.numbers

    def name(self, source: int) -> str:
        """What a source is called in the program."""
        return self.names[source]


_MISSING: Final = object()


def _dense(leaf: Any) -> Gradient | None:
    return read(_as_tensor(leaf))


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
            name: tf.nest.map_structure(_as_tensor, value)
            for name, value in local.items()
            if name in wanted and not isinstance(value, Exception)
        }

    found = tf.function(traced, autograph=False)()
    names.update({**local, **found})


def _without_frames(error: Exception) -> Exception:
    """An exception that keeps nothing alive: a frame holds what its function did."""
    inner: BaseException | None = error
    while inner is not None:
        inner.__traceback__, inner.__context__, inner = (
            None,
            None,
            inner.__cause__ or inner.__context__,
        )
    return error


def _as_tensor(leaf: Any) -> Any:
    return None if leaf is None else tensorflow().convert_to_tensor(leaf)


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
