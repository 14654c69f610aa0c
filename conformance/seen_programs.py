"""What was seen of a tape program, for the contracts to compare with the model of the tape."""

from __future__ import annotations

import gc
import hashlib
import weakref
from collections.abc import Collection, Sequence
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
from conformance.drawn_graphs import CONSTANT, WATCHED, GraphCase
from conformance.drawn_programs import ProgramCase
from conformance.graph_cases import Seen, SeenPoint
from conformance.graph_programs import Ask
from conformance.modes import MODES
from conformance.oracles.recorded_part import Origin
from conformance.oracles.tape_model import Answer
from conformance.reproduction import Claim, array, something
from strategies import programs
from strategies.programs import Make, Take
from strategies.structures import Structure, leaves, paths, skeleton
from strategies.tensors import TensorType

Array = npt.NDArray[Any]

_MISSING: Final = object()


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
        watched: what each ``watched_variables`` of another tape gave: slots, or -1 for what is no
            Variable of the program.
        tensors: the names of the Tensors that nobody but a tape should keep.
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
        self.tensors: list[str] = []
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
        asked = (s for s in self.case.program.statements() if isinstance(s, programs.Watched))
        for number in (s.answer for s in asked if s.tape not in self.failed):
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
        zeros = self._zeros(names)
        self.tensors = [
            name
            for slot, name in enumerate(self.case.program.names)
            if slot not in self.model.assigned and id(names.get(name)) not in zeros
        ]
        living = {name: weakref.ref(names[name]) for name in self.tensors if name in names}
        tapes = [names[f"t{tape}"] for tape in self.model.empty]
        names.clear()
        for which in ("answered", "deleted"):
            if any(ref() is not None for ref in living.values()):
                gc.collect()
                gc.freeze()  # or each collection would look at all of TensorFlow once more
            self.held[which] = [name for name, ref in living.items() if ref() is not None]
            tapes.clear()

    def _zeros(self, names: dict[str, Any]) -> set[int]:
        """The ids of gradients that are zero: TensorFlow keeps one for all that are alike."""
        taken = [s.slot for s in self.case.program.statements() if isinstance(s, Take)]
        kept = (i for i in taken if i in self._arrays and not self._arrays[i].any())
        return {id(names.get(self.case.program.names[i])) for i in kept}

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

    @property
    def assigned(self) -> frozenset[str]:
        """The ops of which comes what the program assigns to Variables, recorded or not."""
        return self.program.assigned

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


def _dense(leaf: Any) -> Gradient | None:
    return read(as_tensor(leaf))


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


def as_tensor(leaf: Any) -> Any:
    """What an answer has at a leaf, as a Tensor; None is none."""
    return None if leaf is None else tensorflow().convert_to_tensor(leaf)
