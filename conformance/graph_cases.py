"""How cases of generated op graphs meet the tape, and what is seen.

A case is drawn once and run once; the contracts of :data:`GRAPHS` all look at the same
:class:`Seen`. In traced modes one trace serves several drawn points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy.typing as npt

from conformance.blackbox import reached
from conformance.boundary import Gradient, make_tensor, raised_by_tensorflow, read, tensorflow
from conformance.contract import Cases, Unsupported
from conformance.drawn_graphs import (
    CONSTANT,
    FROZEN,
    RATE,
    VARIABLE,
    WATCHED,
    GraphCase,
    graph_cases,
)
from conformance.graph_programs import Ask, GraphProgram
from conformance.modes import MODES, Mode
from conformance.oracles.finite_difference import Estimate
from conformance.reproduction import Claim
from strategies.ops import CATALOGUE as OPS
from strategies.tensors import TensorType

Array = npt.NDArray[Any]


@dataclass
class SeenPoint:
    """What TensorFlow answered at one point.

    Attributes:
        gradients: for each input of the graph, the gradient or None.
        dense_shapes: for each input whose gradient is IndexedSlices that say so, the shape of what
            they are slices of.
        zeros: for each unwatched input, its gradient with UnconnectedGradients.ZERO.
        stepped: for each trainable Variable with a gradient, its value after
            ``assign_sub(RATE * gradient)``.
        targets: the numbers of each target; None where anything is traced, as asking for them
            would change what is compiled.
    """

    gradients: list[Gradient | None]
    dense_shapes: dict[int, tuple[int, ...]]
    zeros: dict[int, Gradient | None]
    stepped: dict[int, Gradient | None]
    targets: list[Array] | None


class Seen:
    """What was seen when a case met the tape in a mode.

    Attributes:
        case: what was run.
        mode: how.
        points: one for each point of the case, as far as it came.
        watched_variables: the inputs whose Variables ``tape.watched_variables()`` named.
        read: the inputs that are Variables and were read while the tape recorded.
        same: the inputs that came back as a target themselves, the very same object.
        assignable: what Tensors have of ``assign``, ``assign_add`` and ``assign_sub``; should be
            empty, as tuples of the tensor's role and the attribute.
        lacking: what Variables lack of them.
        sliced: the inputs whose gradients came as IndexedSlices.
        pulled: for each of the case's other cotangents, by name, the gradients at the first point,
            or what was raised.
        error: what the gradient raised though the forward pass alone does not; else None.
        estimates: the derivative at each point by finite differences, once a contract has asked.
    """

    def __init__(self, case: GraphCase, mode: Mode) -> None:
        self.case = case
        self.mode = mode
        self.points: list[SeenPoint] = []
        self.watched_variables: frozenset[int] = frozenset()
        self.read: frozenset[int] = frozenset()
        self.same: frozenset[int] = frozenset()
        self.assignable: list[tuple[str, str]] = []
        self.lacking: list[tuple[str, str]] = []
        self.sliced: frozenset[int] = frozenset()
        self.pulled: dict[str, list[Gradient | None] | Exception] = {}
        self.error: Exception | None = None
        self.estimates: dict[int, Estimate] = {}

    def program(self, point: int, ask: Ask, claim: Claim | None) -> str:
        """A program that shows what was seen at a point.

        Args:
            point: its number.
            ask: what it asks.
            claim: what should be so of the answer; None: it should not raise.
        """
        asked = replace(ask, dense=ask.source in self.sliced)
        page = GraphProgram(self.case, self.mode, point)
        return page.raising(asked) if claim is None else page.showing(asked, claim)


_ASSIGNS: Final = ("assign", "assign_add", "assign_sub")


class _Run:
    """One case in one mode: its Variables, and the program that is run at each point."""

    def __init__(self, case: GraphCase, mode: Mode, seen: Seen) -> None:
        self.tf = tensorflow()
        self.case, self.mode, self.seen = case, mode, seen
        self.free = case.inputs(WATCHED, CONSTANT)
        first = case.arrays(0)
        self.variables = {
            i: self.tf.Variable(self.tensor(i, first[i]), trainable=role == VARIABLE)
            for i, role in enumerate(case.roles)
            if role in (VARIABLE, FROZEN)
        }
        self._aliases: dict[int, int] = {}
        self._values: list[Array] | None = None
        aliasing = any(node.aliases for node in case.graph.nodes)
        function = case.graph.function(self.tf, self._note_alias if aliasing else None)
        self._ops = mode.ops(self.tf, lambda *tensors: function(*self._merge(list(tensors))))

    def tensor(self, i: int, array: Array) -> Any:
        """An input's numbers as a tensor of its dtype."""
        return make_tensor(self.tf, self.case.graph.inputs[i].type.dtype, array)

    def _merge(self, tensors: list[Any]) -> list[Any]:
        given = iter(tensors)
        return [
            self.variables[i] if i in self.variables else next(given)
            for i in range(len(self.case.roles))
        ]

    def _note_alias(self, node: int, result: Any) -> Any:
        """Note a Variable that an op returned as it is."""
        for i, variable in self.variables.items():
            if result is variable:
                self._aliases[self.case.graph.first_results[node]] = i
        return result

    def _variable(self, value: int) -> int | None:
        """The input that is a Variable and is this very value, if any."""
        return value if value in self.variables else self._aliases.get(value)

    def _read(self) -> frozenset[int]:
        """The Variables that some node surely read.

        Not stop_gradient, which reads with recording stopped, nor zeros_like, which may look at the
        shape alone.
        """
        graph = self.case.graph
        return frozenset(
            i
            for node, result in zip(graph.nodes, graph.first_results, strict=True)
            if not node.blocks and result not in self._aliases
            for value in node.operands
            if (i := self._variable(value)) is not None
        )

    def _sliced(self) -> frozenset[int]:
        """The values that are slices of Variables: those can be assigned to, as documented."""
        graph = self.case.graph
        found: set[int] = set()
        for node, result in zip(graph.nodes, graph.first_results, strict=True):
            subscript = node.call.startswith("{0}[")
            of_variable = subscript and self._variable(node.operands[0]) is not None
            if of_variable or (node.aliases and found.intersection(node.operands)):
                found.add(result)
        return frozenset(found)

    def compiled(self, function: Callable[..., Any], kinds: list[TensorType]) -> Callable[..., Any]:
        """A program of tensors of these types as the mode runs it."""
        ranks = [None if self.case.unknown_rank else kind.rank for kind in kinds]
        return self.mode.program(self.tf, function, [kind.dtype for kind in kinds], ranks)

    @property
    def free_types(self) -> list[TensorType]:
        """The types of the inputs that are Tensors."""
        return [self.case.graph.inputs[i].type for i in self.free]

    def arguments(self, point: int, *, made: bool = False) -> list[Any]:
        """The Tensors of a point; its Variables are assigned, unless they were ``made`` so."""
        arrays = self.case.arrays(point)
        for i, variable in () if made else self.variables.items():
            variable.assign(self.tensor(i, arrays[i]))
        return [self.tensor(i, arrays[i]) for i in self.free]

    def forward_pass(self) -> None:
        """The graph alone in this mode, at the first point."""

        def results_dropped(*tensors: Any) -> Any:
            self._ops(*tensors)
            return self.tf.zeros([])

        arguments = self.arguments(0, made=True)
        self.compiled(self._ops, self.free_types)(*arguments)
        if self.mode.compiled:
            # an op that XLA cannot compile may be folded into a constant, but only where its
            # result is asked for (segment_sum of ones_like, to 2.13)
            self.compiled(results_dropped, self.free_types)(*arguments)

    def program(self, *tensors: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        """Differentiate the weighted targets with respect to every input, then step Variables."""
        tf, case = self.tf, self.case
        free, weights = list(tensors[: len(self.free)]), list(tensors[len(self.free) :])
        inputs = self._merge(free)
        with tf.GradientTape(persistent=case.persistent) as tape:
            for i in case.inputs(WATCHED):
                tape.watch(inputs[i])
            outputs = self._ops(*free)
        targets = [outputs[k] for k in case.targets]
        self._values = None if self.mode.traced else [t.numpy() for t in targets]
        gradients = tape.gradient(targets, inputs, output_gradients=weights)
        unwatched = [inputs[i] for i in case.unwatched]
        zeros: list[Any] = []
        if unwatched:
            zero = tf.UnconnectedGradients.ZERO
            zeros = tape.gradient(targets, unwatched, unconnected_gradients=zero)
        slices = [g if isinstance(g, tf.IndexedSlices) else None for g in gradients]
        self.seen.sliced = frozenset(i for i, s in enumerate(slices) if s is not None)
        shapes = [None if s is None else s.dense_shape for s in slices]
        dense = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
        stepped: list[Any] = []
        for i in case.inputs(VARIABLE):
            gradient = dense[i]
            if gradient is None:
                stepped.append(None)
                continue
            self.variables[i].assign_sub(tf.constant(RATE, gradient.dtype) * gradient)
            stepped.append(self.variables[i].read_value())
        self._note(tape, inputs, targets)
        return dense, shapes, zeros, stepped

    def _note(self, tape: Any, inputs: list[Any], targets: list[Any]) -> None:
        """What only Python sees; in traced modes, while tracing."""
        seen, case = self.seen, self.case
        known = {id(variable): i for i, variable in self.variables.items()}
        seen.watched_variables = frozenset(known.get(id(v), -1) for v in tape.watched_variables())
        seen.read = self._read()
        seen.same = frozenset(i for i, x in enumerate(inputs) if any(x is t for t in targets))
        sliced = self._sliced()
        tensors = [(f"x{i}", inputs[i]) for i in self.free]
        for k, target in zip(case.targets, targets, strict=True):
            value = case.graph.outputs[k]
            if value not in sliced and not isinstance(target, self.tf.Variable):
                tensors.append((case.graph.name(value), target))
        seen.assignable = [(name, a) for name, t in tensors for a in _ASSIGNS if hasattr(t, a)]
        seen.lacking = [
            (f"x{i}", a) for i, v in self.variables.items() for a in _ASSIGNS if not hasattr(v, a)
        ]

    def run(self) -> None:
        """Run the program at every point."""
        case = self.case
        program = self.compiled(self.program, [*self.free_types, *case.target_types])
        weights = self.pulling(case.weights)
        for point in range(len(case.points)):
            if point:
                reached(point)
            given = self.arguments(point, made=not point)
            gradients, shapes, zeros, stepped = program(*given, *weights)
            told = enumerate(shapes)
            self.seen.points.append(
                SeenPoint(
                    [read(g) for g in gradients],
                    {i: tuple(s.numpy().tolist()) for i, s in told if s is not None},
                    {i: read(g) for i, g in zip(case.unwatched, zeros, strict=True)},
                    {i: read(g) for i, g in zip(case.inputs(VARIABLE), stepped, strict=True)},
                    self._values,
                )
            )
        for step, (name, cotangent) in enumerate(case.cotangents.items(), len(case.points)):
            reached(step)
            self.seen.pulled[name] = self.pulled(program, cotangent)

    def pulled(
        self, program: Callable[..., Any], cotangent: list[Array]
    ) -> list[Gradient | None] | Exception:
        """The gradients at the first point for another cotangent, or what is raised."""
        try:
            gradients, *_ = program(*self.arguments(0), *self.pulling(cotangent))
            return [read(g) for g in gradients]
        except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
            return raised_by_tensorflow(raised)

    def pulling(self, cotangent: list[Array]) -> list[Any]:
        """A cotangent as tensors of the dtypes of the targets."""
        return [
            make_tensor(self.tf, kind.dtype, weight)
            for kind, weight in zip(self.case.target_types, cotangent, strict=True)
        ]


def run(case: GraphCase, mode_name: str) -> Seen:
    """Run a case in a mode.

    Raises:
        Unsupported: if the forward pass alone raises in this mode.
    """
    mode = MODES[mode_name]
    seen = Seen(case, mode)
    error = None
    try:
        _Run(case, mode, seen).run()
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        error = raised_by_tensorflow(raised)
    if error is not None:
        try:
            _Run(case, mode, seen).forward_pass()
        except Exception as raised:
            raise Unsupported(type(raised_by_tensorflow(raised)).__name__) from raised
        seen.error = error
    return seen


def printed(case: GraphCase, mode: str, step: int = 0) -> str:
    """A case as a program of a mode that asks for everything.

    Args:
        case: the case.
        mode: the name of the mode.
        step: the number of the point; beyond those, of another cotangent at the first point; and
            then forward mode.
    """
    points, others = len(case.points), tuple(case.cotangents)
    if step < points:
        return GraphProgram(case, MODES[mode], step).plain()
    first = GraphProgram(case, MODES[mode], 0)
    return first.forward() if step == forward_step(case) else first.plain(others[step - points])


def forward_step(case: GraphCase) -> int:
    """What :func:`printed` and the black box call the step in which forward mode is asked."""
    return len(case.points) + len(case.cotangents)


def alone(case: GraphCase, mode: str) -> bool:
    """Whether one op alone is differentiated: no other, no function, no read of a Variable."""
    one = len(case.graph.nodes) == 1 and not MODES[mode].traced
    return one and not case.inputs(VARIABLE, FROZEN)


GRAPHS: Cases[GraphCase, Seen] = Cases(
    "graph",
    graph_cases,
    run,
    printed,
    subjects=tuple(OPS),
    simpler=GraphCase.simpler,
    alone=alone,
)
