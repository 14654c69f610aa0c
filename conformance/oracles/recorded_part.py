"""What a tape has recorded between sources and targets, as a graph for finite differences.

Nothing here computes a number either: the graph says how a displacement of the sources reaches the
targets, and where the numbers of all else come from. What was not recorded is a constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from strategies.graphs import Derivative, Graph, Node, Ref
from strategies.tensors import Input, TensorType
from strategies.values import REAL, Number
from strategies.ways import WAYS, Way


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
class Part:
    """The recorded part between sources and targets.

    Attributes:
        graph: its outputs are the targets; its inputs are first the sources' displacements (zero
            where the program stands), then tensors as they were.
        sources: the tensors that are displaced.
        leaves: the other inputs.
        origins: where their numbers come from.
        ops: what was recorded.
        opaque: whether it depends on how gradients are written what was recorded.
        unclear: the sources of which that is so.
    """

    graph: Graph
    sources: tuple[int, ...]
    leaves: tuple[int, ...]
    origins: tuple[Origin, ...]
    ops: tuple[Recorded, ...]
    opaque: bool
    unclear: frozenset[int]


@dataclass(frozen=True)
class Recorded:
    """An op that some tape has recorded.

    Attributes:
        at: when, counted in ops.
        node: what was called; None for a read of a Variable.
        inputs: for each operand's slot the tensor that it was.
        results: the tensors that came out.
        floating: the tensors that its gradient may reach.
        way: how it was called.
        part: what it is the gradient of, if it is one.
    """

    at: int
    node: Node | None
    inputs: tuple[tuple[int, int], ...]
    results: tuple[int, ...]
    floating: tuple[int, ...]
    way: Way = WAYS[""]
    part: Part | None = None


@dataclass
class Record:
    """What a tape has since it was last empty: its set of tensors, and the Variables among them.

    Of each tensor it knows the op that made it, or None if it was watched. Of some nobody can say
    whether they are there: the tensors ``perhaps``, the ops ``doubted`` (by when they ran), and as
    watched Variables ``unsure``. ``late`` are the tensors that an op took before they were watched,
    with when it ran: it was recorded for another's sake, and may have been several ops, of which
    those that took them were not.
    """

    tensors: dict[int, Recorded | None] = field(default_factory=dict)
    perhaps: set[int] = field(default_factory=set)
    doubted: set[int] = field(default_factory=set)
    variables: list[int] = field(default_factory=list)
    unsure: set[int] = field(default_factory=set)
    late: set[tuple[int, int]] = field(default_factory=set)

    def behind(self, targets: Iterable[int], *, surely: bool = False) -> list[Recorded]:
        """The recorded ops on the way to the targets, in the order in which they ran.

        Args:
            targets: tensors.
            surely: whether only what nobody doubts counts.
        """
        found: dict[int, Recorded] = {}
        left = list(targets)
        while left:
            op = self.tensors.get(left.pop())
            if op is None or op.at in found or (surely and op.at in self.doubted):
                continue
            found[op.at] = op
            left += op.floating
        return [found[at] for at in sorted(found)]


class PartBuilder:
    """Makes a graph of recorded ops, with a displacement added to every source.

    Args:
        types: of all slots.
        origins: of all tensors.
        record: of the tape.
        ops: on the way from the sources to the targets, in the order in which they ran.
        moved: the sources that are displaced.
    """

    def __init__(
        self,
        types: Sequence[TensorType],
        origins: Sequence[Origin],
        record: Record,
        ops: Sequence[Recorded],
        moved: Sequence[int],
    ) -> None:
        self._types, self._origins, self._record = types, origins, record
        self._ops, self._moved = ops, tuple(moved)
        self._handle = {op.results[0]: op.inputs[0][1] for op in ops if op.node is None}
        self._nodes: list[Node] = []
        self._still: dict[int, int] = {}
        self._number: dict[int, int] = {}
        self._displaced: dict[tuple[int, int], int] = {}
        self._free = 0

    def _type(self, tensor: int) -> TensorType:
        return self._types[self._origins[tensor].slot]

    def part(self, targets: Sequence[int]) -> Part:
        """The part behind targets."""
        found = tuple(dict.fromkeys(self._leaves(targets)))
        inputs = [*self._moved, *found]
        self._free = len(inputs)
        self._still = {t: len(self._moved) + i for i, t in enumerate(found)}
        self._number = dict(self._still)
        for op in self._ops:
            if op.node is not None:
                self._add(op.node, op)
        outputs = tuple(self._use(t, target=True) for t in targets)
        graph = Graph(
            tuple(Input(self._type(t), REAL) for t in inputs), tuple(self._nodes), outputs
        )
        origins = tuple(self._origins[t] for t in found)
        return Part(
            graph,
            self._moved,
            found,
            origins,
            tuple(self._ops),
            self._opaque(),
            self._unclear(targets),
        )

    def _leaves(self, targets: Sequence[int]) -> Iterable[int]:
        """The tensors whose numbers are needed."""
        made = {i for op in self._ops if op.node is not None for i in op.results}
        for op in self._ops:
            if op.way.factor is not None:
                yield from (op.results[0], op.inputs[0][1])
            elif op.node is None:
                yield op.results[0]
            else:
                yield from (i for _, i in op.inputs if i not in made)
        yield from (t for t in targets if t not in made)

    def _opaque(self) -> bool:
        """Whether nobody can say what of it was recorded.

        Which of an op's operands and results its gradient takes is nobody's promise; that matters
        where this tape holds some of them and has not recorded how they were made.
        """
        return any(
            part.opaque or any(map(self._missed, part.ops))
            for part in (op.part for op in self._ops if op.part is not None)
        )

    def _unclear(self, targets: Sequence[int]) -> frozenset[int]:
        """The sources of which nobody can say by what ways they reach the targets.

        A tape may or may not hold a gradient. Where it does not, the derivative along that way is
        zero, and all is well, but not for a source that comes another way too: as it is itself that
        gradient and a target, or was watched after an op took it with the gradient. Nor for one
        that was made between a gradient's own sources and targets: it may have been taken or not.
        Nor for one that was watched after an op took it.
        """
        perhaps = self._record.perhaps
        unclear = perhaps.intersection(targets)
        for op in self._ops:
            if op.part is not None:
                made = (inner for inner in op.part.ops if inner.node is not None)
                unclear |= {i for inner in made for i in inner.results}
            elif op.at in self._record.doubted:
                unclear |= {i for i in op.floating if i not in perhaps}
            unclear |= {i for i in op.floating if (op.at, i) in self._record.late}
        return frozenset(unclear.intersection(self._moved))

    def _missed(self, op: Recorded) -> bool:
        """Whether the tape has not recorded an op, though it holds one of its operands."""
        recorded = self._record.tensors.get(op.results[0]) is op
        return not recorded and any(i in self._record.tensors for i in op.floating)

    def _add(self, node: Node, op: Recorded) -> None:
        if op.way.factor is not None:
            self._number[op.results[0]] = self._multiplied(op, op.way.factor)
            return
        numbers = {slot: self._use(i) for slot, i in op.inputs}
        values = self._append(node.renumbered(numbers.__getitem__))
        self._number.update(zip(op.results, values, strict=True))

    def _multiplied(self, op: Recorded, factor: float) -> int:
        """The result as it was, and what displaced its operand times the factor."""
        operand = op.inputs[0][1]
        kind = self._type(op.results[0])

        def call(name: str, *args: float | Ref) -> Ref:
            (value,) = self._append(Node(name, name, args, (), (kind,)))
            return Ref(value)

        moved = call("tf.math.subtract", Ref(self._use(operand)), Ref(self._still[operand]))
        scaled = call("tf.math.multiply", factor, moved)
        return call("tf.math.add", Ref(self._still[op.results[0]]), scaled).index

    def _append(self, node: Node) -> range:
        """Add a node; the values that are its results."""
        self._nodes.append(node)
        self._free += len(node.outputs)
        return range(self._free - len(node.outputs), self._free)

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
            (self._displaced[value, by],) = self._append(
                Node(call, call, (Ref(value), Ref(by)), (), (kind,))
            )
        return self._displaced[value, by]


def gradient_node(part: Part, weights: tuple[tuple[Number, ...], ...], kind: TensorType) -> Node:
    """The gradient of a part with respect to its only source, as a call on its leaves.

    Args:
        part: what is differentiated.
        weights: the numbers of the output gradients, or nothing: all are one.
        kind: of the source.
    """
    operands = tuple(map(Ref, part.leaves))
    derivative = Derivative(part.graph, weights)
    return Node("tf.GradientTape.gradient", "", operands, (), (kind,), derivative=derivative)
