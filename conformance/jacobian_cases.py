"""Cases of Jacobians: one value of a generated op graph by one of its inputs, asked in four ways.

The gradients of the elements of the target, one at a time; a vectorized Jacobian; one in a loop;
and a batch_jacobian. All of them run the same gradient functions at the same point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from conformance.blackbox import reached
from conformance.boundary import (
    Gradient,
    make_tensor,
    numpy_dtype,
    raised_by_tensorflow,
    read,
    tensorflow,
)
from conformance.contract import Cases, Unsupported
from conformance.drawn_graphs import VARIABLE, GraphCase, graph_cases
from conformance.graph_programs import statements
from conformance.modes import MODES
from conformance.reproduction import Page, indented
from strategies import dtypes
from strategies.graphs import Graph, Node, Ref, tensor_source
from strategies.ops import CATALOGUE as OPS

Array = npt.NDArray[Any]

MOST: Final = 12
"""Elements of a target: each has its row of the Jacobian, and its own gradient."""

VECTORIZED: Final = "jacobian(experimental_use_pfor=True)"
LOOPED: Final = "jacobian(experimental_use_pfor=False)"
BATCHED: Final = "batch_jacobian(experimental_use_pfor=True)"
BATCHED_LOOPED: Final = "batch_jacobian(experimental_use_pfor=False)"


@dataclass(frozen=True)
class JacobianCase(GraphCase):
    """A graph with one output that is the target, and the input that is the source.

    Attributes:
        by: which input.
        batches: how a batch_jacobian is asked for, if it is.
    """

    by: int
    batches: str

    @cached_property
    def ways(self) -> tuple[str, ...]:
        """How the Jacobian is asked for."""
        target, source = self.target_types[0].shape, self.graph.inputs[self.by].type.shape
        ranked = min(len(target), len(source)) > 1
        return (VECTORIZED, LOOPED, *[self.batches] * (ranked and target[:1] == source[:1]))

    @cached_property
    def units(self) -> list[Array]:
        """For each element of the target the cotangent that is 1 there and 0 elsewhere."""
        (kind,) = self.target_types
        eye = np.eye(kind.size, dtype=numpy_dtype(kind.dtype))
        return [row.reshape(kind.shape) for row in eye]


def jacobian_of(case: GraphCase, target: int, by: int, *, batches: str) -> JacobianCase:
    """The Jacobian of a value of a case by one of its inputs, at its first point.

    Of a value with too many elements the target is the first of them.
    """
    graph, kind = _leading_to(case.graph, target), case.graph.types[target]
    if kind.size > MOST:
        first = f"tf.reshape({{0}}, [-1])[:{MOST}]"
        node = Node("tf.reshape", first, tuple(map(Ref, graph.outputs)), (), (kind.like((MOST,)),))
        graph = Graph(graph.inputs, (*graph.nodes, node), (len(graph.types),))
    shared = {f.name: getattr(case, f.name) for f in fields(GraphCase) if f.init}
    shared |= {
        "graph": graph,
        "points": case.points[:1],
        "pulls": False,
    }
    return JacobianCase(**shared, by=by, batches=batches)


def _leading_to(graph: Graph, value: int) -> Graph:
    """The nodes that a value depends on; all inputs stay."""
    needed, kept = {value}, []
    for node, first in zip(graph.nodes[::-1], graph.first_results[::-1], strict=True):
        if needed.intersection(range(first, first + len(node.outputs))):
            needed.update(node.operands)
            kept.append((node, first))
    number = {i: i for i in range(len(graph.inputs))}
    for node, first in reversed(kept):
        number |= {first + k: len(number) + k for k in range(len(node.outputs))}
    nodes = tuple(node.renumbered(number.__getitem__) for node, _ in reversed(kept))
    return Graph(graph.inputs, nodes, (number[value],))


def _pairs(case: GraphCase, subject: str) -> list[tuple[int, int]]:
    """The values that the subject leads to, each with the watched inputs that lead to it.

    If no gradient passes it, as it returns none like a comparison, or only takes integers, those
    of all values: the subject is among their neighbours.
    """
    graph = case.graph
    behind = set[int]()
    for node, first in zip(graph.nodes, graph.first_results, strict=True):
        if not node.blocks and (node.op == subject or behind.intersection(node.operands)):
            results = range(first, first + len(node.outputs))
            behind.update(r for r in results if dtypes.is_differentiable(graph.types[r].dtype))
    every = range(len(graph.inputs), len(graph.types))
    pairs = [(v, i) for v in every for i in case.differentiated if i in graph.reached[v]]
    taken = (graph.types[i].dtype for n in graph.nodes if n.op == subject for i in n.operands)
    passed = bool(behind) and any(map(dtypes.is_differentiable, taken))
    return [(v, i) for v, i in pairs if v in behind] if passed else pairs


MOST_NODES: Final = 2
"""Nodes of the largest graphs: vectorized and looped over, each costs tens of milliseconds."""


@cache
def jacobian_cases(subject: str, mode: str) -> st.SearchStrategy[JacobianCase]:
    """Cases of a mode about a subject, on the way from the source to the target."""
    drawn = graph_cases(subject, mode, nodes=(MOST_NODES, MOST_NODES))
    found = drawn.map(lambda case: (case, _pairs(case, subject)))
    asked = found.filter(lambda known: bool(known[1])).flatmap(
        lambda known: st.tuples(st.just(known[0]), st.sampled_from(known[1]), _BATCHES)
    )
    return asked.map(lambda one: jacobian_of(one[0], *one[1], batches=one[2]))


_BATCHES: Final = st.sampled_from([BATCHED, BATCHED_LOOPED])


def asking(case: JacobianCase, way: str) -> str:
    """The expression that asks in one way."""
    method, _, options = way.partition("(")
    return (
        f"tape.{method}({case.graph.name(case.graph.outputs[0])}, {case.name(case.by)}, {options}"
    )


def page(
    case: JacobianCase, asked: Sequence[str], bound: Sequence[str], unit: Array | None = None
) -> Page:
    """A program that records the graph, and then asks the tape.

    Args:
        case: the case.
        asked: what asks the tape.
        bound: the names to which that binds the answers.
        unit: a cotangent that is asked with, if one is.
    """
    graph, by = case.graph, case.name(case.by)
    needed = frozenset({*graph.outputs, case.by}.union(*(node.operands for node in graph.nodes)))
    shown = [i for i in range(len(graph.inputs)) if i in needed]
    variable = case.roles[case.by] == VARIABLE
    made = {case.name(i): tensor_source(graph.inputs[i].type, case.points[0][i]) for i in shown}
    if variable:
        made[by] = f"tf.Variable({made[by]})"
    if unit is not None:
        numbers = tuple(unit.ravel().tolist())
        made["unit"] = tensor_source(case.target_types[0], numbers)
    watch = [] if variable else [f"tape.watch({by})"]
    every = frozenset(range(len(graph.types)))
    return Page(
        ["import tensorflow as tf", "", *(f"{name} = {text}" for name, text in made.items())],
        [
            "with tf.GradientTape(persistent=True) as tape:",
            *indented([*watch, *statements(graph, every)]),
            *asked,
        ],
        given=[name for name in made if not (variable and name == by)],
        bound=bound,
    )


class SeenJacobian:
    """What was seen when a Jacobian was asked for.

    Attributes:
        case, mode: what was run, and the name of the mode.
        stacked: the gradients of the elements of the target; None if that is what they are.
        misshapen: whether one of them has not the shape or the dtype of the source.
        error: what such a gradient raised, though the forward pass alone does not; else None.
        answers: what was answered in each way, or raised.
    """

    def __init__(self, case: JacobianCase, mode: str) -> None:
        self.case, self.mode = case, mode
        self.stacked: Array | None = None
        self.misshapen = False
        self.error: Exception | None = None
        self.answers: dict[str, Gradient | Exception | None] = {}


def run(case: JacobianCase, mode: str) -> SeenJacobian:
    """Ask for a Jacobian in each way.

    Raises:
        Unsupported: if the forward pass alone raises in this mode.
    """
    seen, program = SeenJacobian(case, mode), _Program(case, mode)
    rows: list[Gradient | None] = []
    try:
        rows = program.rows()
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        seen.error = raised_by_tensorflow(raised)
    if seen.error is not None or not case.units:  # of no element no gradient was asked
        try:
            program.call(lambda _, target, __: target)
        except Exception as raised:
            raise Unsupported(type(raised_by_tensorflow(raised)).__name__) from raised
    if seen.error is not None:
        return seen
    (target,), source = case.target_types, case.graph.inputs[case.by].type
    known = [row for row in rows if row is not None]
    expected = (source.dtype, source.shape)
    seen.misshapen = any((row.dtype, row.array.shape) != expected for row in known)
    if len(known) == len(rows) and not seen.misshapen:
        stacked = np.array([row.array for row in known], numpy_dtype(source.dtype))
        seen.stacked = stacked[: target.size].reshape(target.shape + source.shape)
    for step, way in enumerate(case.ways, max(len(case.units), 1)):
        reached(step)
        seen.answers[way] = program.answer(way)
    return seen


Ask = Callable[..., Any]
"""From a persistent tape, a target, a source and what else is given, to what the tape answers."""


class _Program:
    """A case in a mode, whose tape is asked one thing at a time."""

    def __init__(self, case: JacobianCase, mode: str) -> None:
        self._tf, self._case, self._mode = tensorflow(), case, MODES[mode]
        kinds = [made.type.dtype for made in case.graph.inputs]
        arrays = zip(kinds, case.arrays(0), strict=True)
        self._tensors = [make_tensor(self._tf, kind, array) for kind, array in arrays]
        self._variable: Any = None
        if case.roles[case.by] == VARIABLE:
            self._variable = self._tf.Variable(self._tensors[case.by])
        self._ops = self._mode.ops(self._tf, case.graph.function(self._tf))

    def _compiled(self, ask: Ask) -> Ask:
        tf, by = self._tf, self._case.by

        def program(*tensors: Any) -> Any:
            inputs, given = list(tensors[: len(self._tensors)]), tensors[len(self._tensors) :]
            if self._variable is not None:
                inputs[by] = self._variable
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(inputs[by])
                (target,) = self._ops(*inputs)
            found = ask(tape, target, inputs[by], *given)
            return None if found is None else tf.convert_to_tensor(found)

        traced = self._mode.traces_program
        return tf.function(program, autograph=False) if traced else program

    def call(self, ask: Ask) -> Any:
        """What the tape answers."""
        return self._compiled(ask)(*self._tensors)

    def rows(self) -> list[Gradient | None]:
        """The gradient of each element of the target, in the order of a Jacobian.

        Of a target without elements it is one, of no element: it may raise, or have another shape.
        """
        (kind,) = self._case.target_types
        program = self._compiled(
            lambda tape, target, source, unit: tape.gradient(target, source, output_gradients=unit)
        )
        units = [
            make_tensor(self._tf, kind.dtype, unit)
            for unit in self._case.units or self._case.weights
        ]
        rows = []
        for step, unit in enumerate(units):
            if step:
                reached(step)
            rows.append(read(program(*self._tensors, unit)))
        return rows

    def answer(self, way: str) -> Gradient | Exception | None:
        """What the tape answers in one way, or raises."""
        method, looped = way.partition("(")[0], way in {LOOPED, BATCHED_LOOPED}

        def ask(tape: Any, target: Any, source: Any) -> Any:
            return getattr(tape, method)(target, source, experimental_use_pfor=not looped)

        try:
            return read(self.call(ask))
        except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
            return raised_by_tensorflow(raised)


def printed(case: JacobianCase, mode: str, step: int = 0) -> str:
    """A case as a program of a mode that asks one thing.

    Args:
        case: the case.
        mode: the name of the mode.
        step: which element of the target has its gradient asked for; beyond those, in which way the
            Jacobian is asked for.
    """
    rows = case.units or case.weights
    if step < len(rows):
        target, source = case.graph.name(case.graph.outputs[0]), case.name(case.by)
        asked = f"gradient = tape.gradient({target}, {source}, output_gradients=unit)"
        return page(case, [asked], [], rows[step]).text(MODES[mode])
    asked = f"jacobian = {asking(case, case.ways[step - len(rows)])}"
    return page(case, [asked], []).text(MODES[mode])


JACOBIANS: Cases[JacobianCase, SeenJacobian] = Cases(
    "jacobian_graph",
    jacobian_cases,
    run,
    printed,
    subjects=tuple(name for name, op in OPS.items() if not op.blocks),
    modes=("eager", "function"),
    times=1 / 16,
)
