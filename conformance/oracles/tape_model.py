"""What a tape records, watches and answers: the semantics of ``tf.GradientTape`` as a program.

Nothing here computes a number. A :class:`Model` walks through a tape program and says of each
answer whether it is an exception, and else for each source whether the gradient is None or there;
and what was recorded between sources and targets, as a graph that finite differences can judge.

The rules, in the order of their weight:

1.  A tape holds a set of tensors. ``watch`` adds one; an op that takes a floating tensor of the set
    while the tape records adds its results. A Variable is its *handle*, and a read of it is an op
    from the handle to a new tensor. Other names for one tensor are that tensor, and so is what an
    op returns that has nothing to do (a cast to the dtype that is there), unless it is called in a
    function or wrapped: what comes out of those is new (of ``tf.cond`` and ``tf.while_loop`` too,
    but for eager ones, which are Python).
2.  A trainable Variable that is accessed (read, or assigned to) while a tape records is watched
    unasked, unless the tape was made with ``watch_accessed_variables=False``.
3.  A tape records inside its ``with`` block, but not inside ``stop_recording``, nor after
    ``reset`` what was before it, nor (if it is not persistent) after it has answered once.
    Entering a tape again goes on with what it has, if it has anything.
4.  A source is connected if it is in the set *when the question is asked* and is a target, or is
    taken by some recorded op on the way to one. Watching late may connect what was recorded for
    another tensor's sake (not where the op was several, of which one took that tensor alone); but
    where no tape records at all, watching does nothing.
    A target that is not in the set is connected to itself, unless such an op takes it (or part of
    such an op does).
5.  Assigning to a Variable records nothing. What was read before keeps its old value.
6.  The gradient is that of the recorded part alone: all else is a constant.
7.  Zeros for a Variable that is not connected may be made by reading it (eagerly they are, inside
    a ``tf.function`` not), ``batch_jacobian`` may read it for its shape, and ``recompute_grad``
    reads it once more for the gradient; so it may then be watched, or not. (If it was assigned to
    in between, that gradient is of another program.)
8.  A gradient is computed by ops too, which other tapes record. Which of the tensors behind it they
    take is nobody's promise: what it is connected to nobody can say, but its value is that of the
    derivative, unless a tape holds such a tensor without having recorded how it was made.

Sources: the docstrings of ``tf.GradientTape`` and of its methods, and the guide
tensorflow.org/guide/autodiff; rules 4 and 7 are nobody's promise, but how all versions
behave.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from conformance.oracles.recorded_part import (
    Origin,
    Part,
    PartBuilder,
    Record,
    Recorded,
    gradient_node,
)
from strategies import dtypes
from strategies.graphs import Node
from strategies.programs import (
    Assign,
    Body,
    Call,
    Gradient,
    Make,
    Misuse,
    Program,
    Reset,
    Same,
    Stop,
    Take,
    Tape,
    Watch,
    Watched,
)
from strategies.structures import leaves
from strategies.ways import WAYS, Way


@dataclass
class _Tape:
    persistent: bool
    accessed: bool
    recording: bool = False
    record: Record | None = None
    last: Record = field(default_factory=Record)


@dataclass(frozen=True)
class Answer:
    """What a tape returns.

    Attributes:
        sources: for each source, flattened, the tensor that it is.
        connected: for each source whether it has a gradient; None if nobody can say.
        doubtful: the sources of which nobody can say whether the tape holds them; one of the others
            that has no gradient though it may have one has a derivative of zero.
        part: what was recorded between those that may have one and the targets.
        recorded: whether some tape records how the question is answered.
    """

    sources: tuple[int, ...]
    connected: tuple[bool | None, ...]
    doubtful: frozenset[int]
    part: Part
    recorded: bool


class Model:
    """What a program does, statement by statement.

    Attributes:
        answers: for each question its answer, or the name of the exception that it raises.
        watched: for each ``watched_variables`` the slots of the Variables, in order, and those of
            which nobody can say.
        assigned: for each Variable the methods and slots that were assigned to it, in order.
    """

    def __init__(
        self, program: Program, *, eager: bool = True, ops_in_functions: bool = False
    ) -> None:
        self.answers: dict[int, Answer | str] = {}
        self.watched: dict[int, tuple[tuple[int, ...], frozenset[int]]] = {}
        self.assigned: dict[int, list[tuple[str, int]]] = {}
        self._eager, self._ops_in_functions = eager, ops_in_functions
        self._types = program.types
        self._tensor: dict[int, int] = {}
        self._origins: list[Origin] = []
        self._roles: dict[int, str] = {}
        self._tapes: dict[int, _Tape] = {}
        self._asked: dict[int, Gradient] = {}
        self._ops = 0
        self._run(program.body)

    @property
    def empty(self) -> frozenset[int]:
        """The tapes that hold nothing at the end, as they have answered."""
        return frozenset(n for n, tape in self._tapes.items() if tape.record is None)

    # -- tensors -------------------------------------------------------------------------------

    def _new(self, slot: int, version: int = -1) -> int:
        self._origins.append(Origin(slot, version))
        return len(self._origins) - 1

    def _floating(self, tensor: int) -> bool:
        return dtypes.is_differentiable(self._types[self._origins[tensor].slot].dtype)

    def _recording(self) -> list[tuple[_Tape, Record]]:
        return [(t, t.record) for t in self._tapes.values() if t.recording and t.record]

    def _note(
        self,
        node: Node | None,
        inputs: tuple[tuple[int, int], ...],
        results: tuple[int, ...],
        way: Way = WAYS[""],
        handles: tuple[int, ...] = (),
    ) -> None:
        """An op runs: tapes that hold one of its floating inputs record it."""
        floating = tuple(filter(self._floating, (*(i for _, i in inputs), *handles)))
        self._record(Recorded(self._ops, node, inputs, results, floating, way))

    def _record(self, op: Recorded) -> None:
        self._ops += 1
        for _, record in self._recording():
            held = [i for i in op.floating if i in record.tensors]
            if held:
                record.late.update((op.at, i) for i in op.floating if i not in held)
                record.tensors.update(dict.fromkeys(op.results, op))
                if op.part is not None or record.perhaps.issuperset(held):
                    record.perhaps.update(op.results)
                    record.doubted.add(op.at)
                else:
                    record.perhaps.difference_update(op.results)

    def _value(self, slot: int) -> int:
        """The tensor that an op gets where a slot is its operand."""
        if slot not in self._roles:
            return self._tensor[slot]
        self._access(slot)
        read = self._new(slot, len(self.assigned[slot]))
        self._note(None, ((slot, self._tensor[slot]),), (read,))
        return read

    def _access(self, variable: int) -> None:
        for tape, record in self._recording():
            if tape.accessed and self._roles[variable] == "variable":
                self._watch(record, variable)

    def _watch(self, record: Record, slot: int) -> None:
        tensor = self._tensor[slot]
        record.tensors.setdefault(tensor, None)
        record.perhaps.discard(tensor)
        if slot in self._roles and slot not in record.variables:
            record.variables.append(slot)

    # -- statements ----------------------------------------------------------------------------

    def _run(self, body: Body) -> None:
        for statement in body:
            match statement:
                case Make(slot, role):
                    self._tensor[slot] = self._new(slot)
                    if role != "constant":
                        self._roles[slot] = role
                        self.assigned[slot] = []
                case Same(slot, of):
                    self._tensor[slot] = self._value(of)
                case Call():
                    self._call(statement)
                case Take(slot, answer):
                    self._take(slot, answer)
                case Assign(variable, method, value):
                    self._access(variable)
                    self.assigned[variable].append((method, value))
                case _:
                    self._of_tape(statement)

    def _call(self, call: Call) -> None:
        way, operands = WAYS[call.way], tuple(dict.fromkeys(call.node.operands))
        alone = way.inlined and (self._eager or not call.way) and not self._ops_in_functions
        if call.node.aliases and alone:
            self._tensor[call.slots[0]] = self._value(operands[0])
            return
        carried: dict[int, int] = {}
        for _ in range(call.times):
            inputs = tuple(
                (slot, carried[slot] if slot in carried else self._value(slot)) for slot in operands
            )
            results = tuple(map(self._new, call.slots))
            # a function takes the handle of a Variable, which is held whatever it holds
            variables = () if alone else tuple(i for i in operands if i in self._roles)
            handles = tuple(self._tensor[i] for i in variables)
            self._doubt(results, handles)
            if call.node.blocks and way.factor is None:
                self._doubt(results, (i for _, i in inputs if self._floating(i)))
            else:
                self._note(call.node, inputs, results, way, handles)
            if way.loops:
                carried = {operands[0]: results[0]}
        self._tensor.update(zip(call.slots, results, strict=True))

    def _take(self, slot: int, number: int) -> None:
        """A gradient is a tensor: what computed it may have used all that was recorded there."""
        answer, result = self.answers[number], self._new(slot)
        self._tensor[slot] = result
        if not isinstance(answer, Answer):
            return
        part = answer.part
        used = [*part.leaves, *(i for op in part.ops for i in op.results), *answer.sources]
        floating = tuple(filter(self._floating, dict.fromkeys(used)))
        if part.sources:
            node = gradient_node(part, self._asked[number].weights, self._types[slot])
            inputs = tuple((i, i) for i in part.leaves)
            self._record(Recorded(self._ops, node, inputs, (result,), floating, WAYS[""], part))
            return
        self._doubt((result,), floating)  # zeros, which may have been made of the source

    def _doubt(self, results: tuple[int, ...], operands: Iterable[int]) -> None:
        """Tensors that no gradient passes: tapes that hold an operand may hold them, or not."""
        held = set(operands)
        for _, record in self._recording():
            if not held.isdisjoint(record.tensors) or any(
                self._origins[i].slot in record.unsure for i in held
            ):
                record.tensors.update(dict.fromkeys(results))
                record.perhaps.update(results)

    def _of_tape(
        self, statement: Tape | Stop | Reset | Watch | Gradient | Misuse | Watched
    ) -> None:
        if isinstance(statement, Tape) and not statement.again:
            self._tapes[statement.tape] = _Tape(statement.persistent, statement.accessed)
        tape = self._tapes[statement.tape]
        match statement:
            case Tape(body=body):
                self._enter(tape)
                self._run(body)
                tape.recording = False
            case Stop(body=body):
                tape.recording = False
                self._run(body)
                self._enter(tape)
            case Reset():
                tape.record = Record()
            case Watch(what=what):
                for slot in leaves(what) if self._recording() else ():
                    self._watch(_live(tape), slot)
            case Gradient(answer):
                self._asked[answer] = statement
                self.answers[answer] = self._answer(tape, statement)
            case Misuse(answer, _, what):
                self.answers[answer] = self._misused(tape, what)
            case Watched(answer):
                found = tape.record or tape.last
                sure = tuple(sorted(found.variables))
                self.watched[answer] = sure, frozenset(found.unsure.difference(sure))

    @staticmethod
    def _enter(tape: _Tape) -> None:
        tape.recording = True
        tape.record = tape.record or Record()

    # -- answers -------------------------------------------------------------------------------

    def _misused(self, tape: _Tape, what: str) -> str:
        """The name of the exception."""
        if what == "no target":
            tape.recording = tape.recording and tape.persistent  # asking ends it, even for nothing
            return "TypeError"
        return "RuntimeError" if what == "stopped twice" else "ValueError"

    def _answer(self, tape: _Tape, asked: Gradient) -> Answer | str:
        """What a tape returns, or the name of the exception that it raises."""
        record = tape.record
        if record is None:
            return "RuntimeError"
        if asked.method == "batch_jacobian":
            target, source = (
                self._types[i] for s in (asked.targets, asked.sources) for i in leaves(s)
            )
            if target.shape[0] != source.shape[0]:
                return "ValueError"
            self._maybe_read(leaves(asked.sources))
        if self._eager and not (asked.pfor or tape.persistent):
            return "RuntimeError"
        targets = [self._tensor[slot] for slot in leaves(asked.targets)]
        sources = tuple(self._tensor[slot] for slot in leaves(asked.sources))
        connected = self._connected(record, asked, targets, sources)
        if not tape.persistent:
            tape.recording, tape.record, tape.last = False, None, record
        if asked.zero:
            apart = zip(leaves(asked.sources), connected, strict=True)
            self._maybe_read(slot for slot, there in apart if not there)
        apart = zip(sources, connected, strict=True)
        moved = dict.fromkeys(s for s, there in apart if there is not False)
        ops = record.behind(targets)
        self._maybe_read(slot for op in ops if op.way.recomputes for slot, _ in op.inputs)
        part = PartBuilder(self._types, self._origins, record, ops, tuple(moved)).part(targets)
        if any(map(self._stale, ops)):
            part = replace(part, opaque=True)
        doubtful = record.perhaps.intersection(sources)
        recorded = bool(self._recording())
        return Answer(sources, connected, frozenset(doubtful), part, recorded)

    def _stale(self, op: Recorded) -> bool:
        """Whether a gradient runs the op once more on a Variable that was assigned to meanwhile."""
        return op.way.recomputes and any(
            self._origins[read].version < len(self.assigned.get(slot, ()))
            for slot, read in op.inputs
            if self._origins[read].version >= 0
        )

    def _maybe_read(self, slots: Iterable[int]) -> None:
        variables = self._roles.keys() & set(slots)
        for _, record in self._recording():
            record.unsure |= variables

    def _connected(
        self, record: Record, asked: Gradient, targets: list[int], sources: tuple[int, ...]
    ) -> tuple[bool | None, ...]:
        """For each source whether it has a gradient; None if nobody can say."""
        taken, surely_taken = (
            {
                i
                for op in record.behind(targets, surely=surely)
                for i in op.floating
                if not (surely and (op.at, i) in record.late)
            }
            for surely in (False, True)
        )
        # a Jacobian differentiates elements of its target, which a tape must hold to record that
        alone = asked.method == "gradient"

        def is_connected(source: int) -> bool | None:
            known, target = source in record.tensors, source in targets
            surely = known and source not in record.perhaps
            if not self._floating(source):
                return False
            if (surely and source in surely_taken) or (
                target and (surely or (alone and source not in taken))
            ):
                return True
            may_be = (known and source in taken) or (
                target and (known or (alone and source not in surely_taken))
            )
            return None if may_be else False

        return tuple(map(is_connected, sources))


def _live(tape: _Tape) -> Record:
    if tape.record is None:
        raise ValueError("the program watches by a tape that has answered: nobody promises that")
    return tape.record
