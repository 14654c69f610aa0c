"""What a tape records, watches and answers: the semantics of ``tf.GradientTape`` as a program.

Nothing here computes a number. A :class:`Model` walks through a tape program and says of each
answer whether it is an exception, and else for each source whether the gradient is None or there;
and what was recorded between sources and targets, as a graph that finite differences can judge.

The rules, in the order of their weight:

1.  A tape holds a set of tensors. ``watch`` adds one; an op that takes a floating tensor of the set
    while the tape records adds its results. A Variable is its *handle*, and a read of it is an op
    from the handle to a new tensor. Other names for one tensor are that tensor.
2.  A trainable Variable that is accessed (read, or assigned to) while a tape records is watched
    unasked, unless the tape was made with ``watch_accessed_variables=False``.
3.  A tape records inside its ``with`` block, but not inside ``stop_recording``, nor after
    ``reset`` what was before it, nor (if it is not persistent) after it has answered once.
    Entering a tape again goes on with what it has, if it has anything.
4.  A source is connected if it is in the set *when the question is asked* and is a target, or is
    taken by some recorded op on the way to one. So watching late connects what happened to be
    recorded for another tensor's sake; but where no tape records at all, watching does nothing.
    A target that is not in the set is connected to itself, unless such an op takes it.
5.  Assigning to a Variable records nothing. What was read before keeps its old value.
6.  The gradient is that of the recorded part alone: all else is a constant.
7.  Zeros for a Variable that is not connected may be made by reading it (eagerly they are, inside
    a ``tf.function`` not), so it may then be watched, or not.

Sources: the docstrings of ``tf.GradientTape`` and of its methods, and the guide
tensorflow.org/guide/autodiff; rules 4 and 7 are nobody's promise, but how all versions
behave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from strategies import dtypes
from strategies.graphs import Graph, Node, Ref
from strategies.programs import (
    Assign,
    Body,
    Call,
    Gradient,
    Make,
    Program,
    Reset,
    Same,
    Stop,
    Tape,
    Watch,
    Watched,
)
from strategies.structures import leaves
from strategies.tensors import Input, TensorType
from strategies.values import REAL


@dataclass(frozen=True)
class Origin:
    """Where the numbers of a tensor come from.

    Attributes:
        slot: what it is bound to; for a read the Variable.
        version: for a read, how often the Variable was assigned to before it; else -1.
    """

    slot: int
    version: int = -1


@dataclass(frozen=True)
class Recorded:
    """An op that some tape has recorded.

    Attributes:
        at: when, counted in ops.
        node: what was called; None for a read of a Variable.
        inputs: for each operand's slot the tensor that it was.
        results: the tensors that came out.
    """

    at: int
    node: Node | None
    inputs: tuple[tuple[int, int], ...]
    results: tuple[int, ...]


@dataclass
class Record:
    """What a tape has since it was last empty: its set of tensors, and the Variables among them.

    Of each tensor it knows the op that made it, or None if it was watched; ``perhaps`` are the
    Variables of which nobody can say whether they are watched.
    """

    tensors: dict[int, Recorded | None] = field(default_factory=dict)
    variables: list[int] = field(default_factory=list)
    perhaps: set[int] = field(default_factory=set)


@dataclass
class _Tape:
    persistent: bool
    accessed: bool
    recording: bool = False
    record: Record | None = None
    last: Record = field(default_factory=Record)


@dataclass(frozen=True)
class Part:
    """The recorded part between sources and targets.

    Attributes:
        graph: its outputs are the targets; its inputs are first the sources' displacements (zero
            where the program stands), then the tensors that were not recorded.
        sources: the tensors that are displaced.
        origins: where the numbers of the other inputs come from.
    """

    graph: Graph
    sources: tuple[int, ...]
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Answer:
    """What ``tape.gradient`` returns.

    Attributes:
        sources: for each source, flattened, the tensor that it is.
        connected: for each source whether it has a gradient.
        part: what was recorded between those that have one and the targets.
    """

    sources: tuple[int, ...]
    connected: tuple[bool, ...]
    part: Part


class Model:
    """What a program does, statement by statement.

    Attributes:
        answers: for each question its answer, or the name of the exception that it raises.
        watched: for each ``watched_variables`` the slots of the Variables, in order, and those of
            which nobody can say.
        assigned: for each Variable the methods and slots that were assigned to it, in order.
    """

    def __init__(self, program: Program) -> None:
        self.answers: dict[int, Answer | str] = {}
        self.watched: dict[int, tuple[tuple[int, ...], frozenset[int]]] = {}
        self.assigned: dict[int, list[tuple[str, int]]] = {}
        self._types = program.types
        self._tensor: dict[int, int] = {}
        self._origins: list[Origin] = []
        self._roles: dict[int, str] = {}
        self._tapes: dict[int, _Tape] = {}
        self._ops = 0
        self._run(program.body)

    # -- tensors -------------------------------------------------------------------------------

    def _new(self, origin: Origin) -> int:
        self._origins.append(origin)
        return len(self._origins) - 1

    def _type(self, tensor: int) -> TensorType:
        return self._types[self._origins[tensor].slot]

    def _floating(self, tensor: int) -> bool:
        return dtypes.is_differentiable(self._type(tensor).dtype)

    def _recording(self) -> list[tuple[_Tape, Record]]:
        return [(t, t.record) for t in self._tapes.values() if t.recording and t.record]

    def _note(
        self, node: Node | None, inputs: tuple[tuple[int, int], ...], results: tuple[int, ...]
    ) -> None:
        """An op runs: tapes that hold one of its floating inputs record it."""
        op = Recorded(self._ops, node, inputs, results)
        self._ops += 1
        for _, record in self._recording():
            if any(i in record.tensors and self._floating(i) for _, i in inputs):
                record.tensors.update(dict.fromkeys(results, op))

    def _value(self, slot: int) -> int:
        """The tensor that an op gets where a slot is its operand."""
        if slot not in self._roles:
            return self._tensor[slot]
        self._access(slot)
        read = self._new(Origin(slot, len(self.assigned[slot])))
        self._note(None, ((slot, self._tensor[slot]),), (read,))
        return read

    def _access(self, variable: int) -> None:
        for tape, record in self._recording():
            if tape.accessed and self._roles[variable] == "variable":
                self._watch(record, variable)

    def _watch(self, record: Record, slot: int) -> None:
        record.tensors.setdefault(self._tensor[slot], None)
        if slot in self._roles and slot not in record.variables:
            record.variables.append(slot)

    # -- statements ----------------------------------------------------------------------------

    def _run(self, body: Body) -> None:
        for statement in body:
            match statement:
                case Make(slot, role):
                    self._tensor[slot] = self._new(Origin(slot))
                    if role != "constant":
                        self._roles[slot] = role
                        self.assigned[slot] = []
                case Same(slot, of):
                    self._tensor[slot] = self._value(of)
                case Call(slots, node):
                    self._call(slots, node)
                case Assign(variable, method, value):
                    self._access(variable)
                    self.assigned[variable].append((method, value))
                case _:
                    self._of_tape(statement)

    def _call(self, slots: tuple[int, ...], node: Node) -> None:
        inputs = tuple((slot, self._value(slot)) for slot in dict.fromkeys(node.operands))
        results = tuple(self._new(Origin(slot)) for slot in slots)
        self._tensor.update(zip(slots, results, strict=True))
        if not node.blocks:
            self._note(node, inputs, results)

    def _of_tape(self, statement: Tape | Stop | Reset | Watch | Gradient | Watched) -> None:
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
            case Gradient():
                self.answers[statement.answer] = self._gradient(tape, statement)
            case Watched(answer):
                found = tape.record or tape.last
                sure = tuple(sorted(found.variables))
                self.watched[answer] = sure, frozenset(found.perhaps.difference(sure))

    @staticmethod
    def _enter(tape: _Tape) -> None:
        tape.recording = True
        tape.record = tape.record or Record()

    # -- answers -------------------------------------------------------------------------------

    def _gradient(self, tape: _Tape, asked: Gradient) -> Answer | str:
        record = tape.record
        if record is None:
            return "RuntimeError"
        targets = [self._tensor[slot] for slot in leaves(asked.targets)]
        sources = tuple(self._tensor[slot] for slot in leaves(asked.sources))
        ops = self._behind(record, targets)
        taken = {i for op in ops for _, i in op.inputs}

        def is_connected(source: int) -> bool:
            known = source in record.tensors
            on_the_way = known and source in taken
            itself = source in targets and (known or source not in taken)
            return self._floating(source) and (on_the_way or itself)

        connected = tuple(map(is_connected, sources))
        if not tape.persistent:
            tape.recording, tape.record, tape.last = False, None, record
        if asked.zero:
            apart = zip(leaves(asked.sources), connected, strict=True)
            zeros = {slot for slot, there in apart if not there and slot in self._roles}
            for _, other in self._recording():
                other.perhaps |= zeros
        moved = dict.fromkeys(s for s, there in zip(sources, connected, strict=True) if there)
        part = _PartBuilder(self._types, self._origins, record, ops, tuple(moved)).part(targets)
        return Answer(sources, connected, part)

    def _behind(self, record: Record, targets: Sequence[int]) -> list[Recorded]:
        """The recorded ops on the way to the targets, in the order in which they ran."""
        found: dict[int, Recorded] = {}
        left = list(targets)
        while left:
            op = record.tensors.get(left.pop())
            if op is not None and op.at not in found:
                found[op.at] = op
                left += [i for _, i in op.inputs if self._floating(i)]
        return [found[at] for at in sorted(found)]


def _live(tape: _Tape) -> Record:
    if tape.record is None:
        raise ValueError("the program watches by a tape that has answered: nobody promises that")
    return tape.record


class _PartBuilder:
    """Makes a graph of what was recorded, with a displacement added to every source."""

    def __init__(
        self,
        types: Sequence[TensorType],
        origins: Sequence[Origin],
        record: Record,
        ops: list[Recorded],
        moved: tuple[int, ...],
    ) -> None:
        self._types, self._origins, self._record = types, origins, record
        self._ops, self._moved = ops, moved
        made = {i for op in ops if op.node for i in op.results}
        reads = {op.results[0] for op in ops if not op.node}
        taken = [i for op in ops if op.node for _, i in op.inputs if i not in made]
        self._leaves = list(dict.fromkeys([*taken, *sorted(reads)]))
        self._handle = {op.results[0]: op.inputs[0][1] for op in ops if not op.node}
        self._made = made
        self._nodes: list[Node] = []
        self._number: dict[int, int] = {}
        self._displaced: dict[tuple[int, int], int] = {}
        self._free = 0

    def _type(self, tensor: int) -> TensorType:
        return self._types[self._origins[tensor].slot]

    def part(self, targets: Sequence[int]) -> Part:
        """The part behind targets."""
        self._leaves += [t for t in dict.fromkeys(targets) if t not in {*self._made, *self._leaves}]
        inputs = [*self._moved, *self._leaves]
        self._free = len(inputs)
        self._number = {t: len(self._moved) + i for i, t in enumerate(self._leaves)}
        for op in self._ops:
            if op.node is not None:
                self._add(op.node, op)
        outputs = tuple(self._use(t, target=True) for t in targets)
        graph = Graph(
            tuple(Input(self._type(t), REAL) for t in inputs), tuple(self._nodes), outputs
        )
        return Part(graph, self._moved, tuple(self._origins[t] for t in self._leaves))

    def _add(self, node: Node, op: Recorded) -> None:
        numbers = {slot: self._use(i) for slot, i in op.inputs}
        self._nodes.append(node.renumbered(numbers.__getitem__))
        for result in op.results:
            self._number[result] = self._free
            self._free += 1

    def _use(self, tensor: int, *, target: bool = False) -> int:
        """The value that stands for a tensor: displaced, if it is a source or a source's read."""
        value = self._number[tensor]
        for source in dict.fromkeys([tensor, self._handle.get(tensor, tensor)]):
            if source in self._moved and (target or source in self._record.tensors):
                value = self._displace(value, self._moved.index(source), self._type(tensor))
        return value

    def _displace(self, value: int, by: int, kind: TensorType) -> int:
        if (value, by) not in self._displaced:
            call = "tf.math.add"
            self._nodes.append(Node(call, call, (Ref(value), Ref(by)), (), (kind,)))
            self._displaced[value, by] = self._free
            self._free += 1
        return self._displaced[value, by]
