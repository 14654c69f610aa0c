"""Cases of generated op graphs: what is drawn, how it meets the tape, and what is seen.

A case is drawn once and run once; the contracts of :data:`GRAPHS` all look at the same
:class:`Seen`. In traced modes one trace serves several drawn points.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from conformance.boundary import raised_by_tensorflow, tensorflow
from conformance.contract import Cases, Unsupported
from conformance.modes import MODES, Mode
from conformance.oracles.finite_difference import Estimate
from strategies import dtypes
from strategies.drawing import Point, graphs, points
from strategies.graphs import Graph, tensor_source
from strategies.ops import CATALOGUE as OPS
from strategies.tensors import TensorType

Array = npt.NDArray[Any]

WATCHED: Final = "watched"
VARIABLE: Final = "variable"
FROZEN: Final = "frozen"
CONSTANT: Final = "constant"
_ROLES: Final = (WATCHED, VARIABLE, WATCHED, CONSTANT, WATCHED, VARIABLE, FROZEN, WATCHED)
"""What an input may be to the tape, as often as it should be: a watched Tensor, a trainable or a
non-trainable Variable, a Tensor that nobody watches."""

RATE: Final = 0.25
"""The learning rate of the step that follows: a power of two, so that only one rounding happens."""
POINTS: Final = 3
"""Drawn points that one trace serves."""


@dataclass(frozen=True)
class GraphCase:
    """A graph, the role of each input, and the numbers at which it is differentiated.

    Attributes:
        graph: the op graph.
        roles: one for each input: watched, variable, frozen or constant.
        points: numbers for every input, one tuple for each point.
        persistent: whether the tape is persistent.
        forward: whether forward mode is asked too.
        unknown_rank: whether the open signature of the dynamic mode leaves even ranks unknown.
    """

    graph: Graph
    roles: tuple[str, ...]
    points: tuple[Point, ...]
    persistent: bool
    forward: bool
    unknown_rank: bool

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        flags = (self.roles, self.points, self.persistent, self.forward, self.unknown_rank)
        kinds = [(i.type.dtype, i.type.shape) for i in self.graph.inputs]
        text = f"{self.graph.definition()}{kinds}{flags}"
        return hashlib.sha256(text.encode()).digest()

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """Which outputs of the graph are differentiated, by position."""
        outputs = enumerate(self.graph.outputs)
        return tuple(
            k for k, i in outputs if dtypes.is_differentiable(self.graph.types[i].dtype)
        )

    @cached_property
    def target_types(self) -> tuple[TensorType, ...]:
        """The types of the targets."""
        return tuple(self.graph.types[self.graph.outputs[k]] for k in self.targets)

    @cached_property
    def connected(self) -> frozenset[int]:
        """The inputs from which some target can be reached by differentiable steps."""
        return frozenset().union(*(self.graph.reached[self.graph.outputs[k]] for k in self.targets))

    def inputs(self, *roles: str) -> tuple[int, ...]:
        """The inputs that have one of these roles."""
        return tuple(i for i, role in enumerate(self.roles) if role in roles)

    @cached_property
    def differentiated(self) -> tuple[int, ...]:
        """The inputs that the tape watches and that are connected to a target."""
        return tuple(i for i in self.inputs(WATCHED, VARIABLE) if i in self.connected)

    @cached_property
    def coarsest(self) -> float:
        """The largest epsilon of any value in the graph."""
        kinds = (t.dtype for t in self.graph.types)
        return max(dtypes.epsilon(d) for d in kinds if dtypes.is_differentiable(d))

    @cached_property
    def is_double(self) -> bool:
        """Whether everything is in double precision, so that finite differences can judge it."""
        return self.coarsest == dtypes.epsilon("float64")

    def arrays(self, point: int) -> list[Array]:
        """The numbers of one point: an array for each input, in the widest dtype of its kind."""
        return [
            np.array(numbers, _numpy_dtype(made.type.dtype)).reshape(made.type.shape)
            for numbers, made in zip(self.points[point], self.graph.inputs, strict=True)
        ]

    @cached_property
    def weights(self) -> list[Array]:
        """The cotangent: what weighs the elements of each target, exact in every dtype."""
        return self._scatter("weights", self.target_types)

    def direction(self, number: int) -> dict[int, Array]:
        """A tangent for each differentiated input; another ``number`` gives another direction."""
        kinds = [self.graph.inputs[i].type for i in self.differentiated]
        drawn = self._scatter(f"direction {number}", tuple(kinds))
        return dict(zip(self.differentiated, drawn, strict=True))

    def _scatter(self, salt: str, kinds: tuple[TensorType, ...]) -> list[Array]:
        """Arrays of numbers m/128 with 64 <= |m| < 192: pseudo-random, the same in every run."""
        sizes = [kind.size * (1 + dtypes.is_complex(kind.dtype)) for kind in kinds]
        stream = hashlib.shake_256(self.digest + salt.encode()).digest(sum(sizes))
        bits = np.frombuffer(stream, np.uint8).astype(np.int64)
        numbers = np.where(bits & 128, 1, -1) * (64 + (bits & 127)) / 128.0
        found, start = [], 0
        for kind, size in zip(kinds, sizes, strict=True):
            flat = numbers[start : start + size]
            start += size
            if dtypes.is_complex(kind.dtype):
                flat = flat[::2] + 1j * flat[1::2]
            found.append(flat.reshape(kind.shape))
        return found

    def source(self) -> str:
        """The case at its first point as a TensorFlow program that runs when pasted."""
        graph, lines = self.graph, ["import tensorflow as tf", ""]
        for i, (made, numbers, role) in enumerate(
            zip(graph.inputs, self.points[0], self.roles, strict=True)
        ):
            text = tensor_source(made.type, numbers)
            if role in (VARIABLE, FROZEN):
                text = f"tf.Variable({text}{', trainable=False' if role == FROZEN else ''})"
            lines.append(f"x{i} = {text}")
        watched = [f"x{i}" for i in self.inputs(WATCHED)]
        lines.append(f"with tf.GradientTape({'persistent=True' * self.persistent}) as tape:")
        lines += [f"    tape.watch([{', '.join(watched)}])"] * bool(watched)
        lines += [f"    {line}" for line in graph.statements()]
        targets = ", ".join(graph.name(graph.outputs[k]) for k in self.targets)
        sources = ", ".join(f"x{i}" for i in range(len(graph.inputs)))
        weights = ", ".join(
            tensor_source(kind, tuple(w.ravel().tolist()))
            for kind, w in zip(self.target_types, self.weights, strict=True)
        )
        lines.append(f"weights = [{weights}]")
        lines.append(f"print(tape.gradient([{targets}], [{sources}], output_gradients=weights))")
        return "\n".join(lines) + "\n"


def _numpy_dtype(dtype: str) -> str:
    return "float64" if dtype in dtypes.FLOATS else "complex128" if dtypes.is_complex(dtype) else dtype


_FLAGS: Final = st.sampled_from(
    [
        (persistent, forward, rank)
        for forward in (False, False, False, True)
        for persistent in (False, True)
        for rank in (False, True)
    ]
)


@st.composite
def graph_cases(draw: Callable[..., Any], subject: str, mode: str) -> GraphCase:
    """Cases of a mode about a subject; shrinks to one watched input of the subject alone."""
    graph = draw(graphs(subject), "graph")
    code = draw(_role_codes(len(graph.inputs)), "roles")
    roles = tuple(
        _ROLES[byte % len(_ROLES)] if dtypes.is_differentiable(made.type.dtype) else CONSTANT
        for byte, made in zip(code, graph.inputs, strict=True)
    )
    flags = draw(_FLAGS, "persistent, forward, unknown rank")
    several = range(POINTS if MODES[mode].traced else 1)
    drawn = tuple(draw(points(graph.inputs), "point") for _ in several)
    return GraphCase(graph, roles, drawn, *flags)


@cache
def _role_codes(count: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=count, max_size=count)


@dataclass(frozen=True)
class Gradient:
    """A gradient as TensorFlow returned it: its dtype's name, and its numbers in double precision."""

    dtype: str
    array: Array


@dataclass
class SeenPoint:
    """What TensorFlow answered at one point.

    Attributes:
        gradients: for each input of the graph, the gradient or None.
        zeros: for each unwatched input, its gradient with UnconnectedGradients.ZERO (if persistent).
        stepped: for each trainable Variable with a gradient, its value after
            ``assign_sub(RATE * gradient)``.
    """

    gradients: list[Gradient | None]
    zeros: dict[int, Gradient | None]
    stepped: dict[int, Gradient | None]


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
        self.error: Exception | None = None
        self.estimates: dict[int, Estimate] = {}


_ASSIGNS: Final = ("assign", "assign_add", "assign_sub")


class _Run:
    """One case in one mode: its Variables, and the program that is run at each point."""

    def __init__(self, case: GraphCase, mode: Mode, seen: Seen) -> None:
        self.tf = tensorflow()
        self.case, self.mode, self.seen = case, mode, seen
        self.free = case.inputs(WATCHED, CONSTANT)
        self.variables = {
            i: self.tf.Variable(self.tensor(i, case.arrays(0)[i]), trainable=role == VARIABLE)
            for i, role in enumerate(case.roles)
            if role in (VARIABLE, FROZEN)
        }
        self._aliases: dict[int, int] = {}
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
        """The Variables that some node read; stop_gradient reads with recording stopped."""
        graph = self.case.graph
        return frozenset(
            i
            for node, result in zip(graph.nodes, graph.first_results, strict=True)
            if node.blocks != "stopped" and result not in self._aliases
            for value in node.operands
            if (i := self._variable(value)) is not None
        )

    def _sliced(self) -> frozenset[int]:
        """The values that are slices of Variables: those can be assigned to, as documented."""
        graph = self.case.graph
        return frozenset(
            result
            for node, result in zip(graph.nodes, graph.first_results, strict=True)
            if node.call.startswith("{0}[") and self._variable(node.operands[0]) is not None
        )

    def compiled(self, function: Callable[..., Any], kinds: list[TensorType]) -> Callable[..., Any]:
        """A program of tensors of these types as the mode runs it."""
        ranks = [None if self.case.unknown_rank else kind.rank for kind in kinds]
        return self.mode.program(self.tf, function, [kind.dtype for kind in kinds], ranks)

    @property
    def free_types(self) -> list[TensorType]:
        """The types of the inputs that are Tensors."""
        return [self.case.graph.inputs[i].type for i in self.free]

    def arguments(self, point: int) -> list[Any]:
        """The Tensors of a point; its Variables are assigned."""
        arrays = self.case.arrays(point)
        for i, variable in self.variables.items():
            variable.assign(self.tensor(i, arrays[i]))
        return [self.tensor(i, arrays[i]) for i in self.free]

    def forward_pass(self) -> None:
        """The graph alone in this mode, at the first point."""
        program = self.compiled(self._ops, self.free_types)
        program(*self.arguments(0))

    def program(self, *tensors: Any) -> tuple[list[Any], list[Any], list[Any]]:
        """Differentiate the weighted targets with respect to every input, then step Variables."""
        tf, case = self.tf, self.case
        free, weights = list(tensors[: len(self.free)]), list(tensors[len(self.free) :])
        inputs = self._merge(free)
        with tf.GradientTape(persistent=case.persistent) as tape:
            for i in case.inputs(WATCHED):
                tape.watch(inputs[i])
            outputs = self._ops(*free)
        targets = [outputs[k] for k in case.targets]
        gradients = tape.gradient(targets, inputs, output_gradients=weights)
        zeros: list[Any] = []
        if case.persistent:
            unwatched = [inputs[i] for i in case.inputs(CONSTANT, FROZEN)]
            zeros = tape.gradient(
                targets, unwatched, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
        dense = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
        stepped = []
        for i in case.inputs(VARIABLE):
            if dense[i] is not None:
                rate = tf.constant(RATE, dense[i].dtype)
                self.variables[i].assign_sub(rate * dense[i])
                stepped.append(self.variables[i].read_value())
            else:
                stepped.append(None)
        self._note(tape, inputs, targets)
        return dense, zeros, stepped

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
        weights = [
            make_tensor(self.tf, kind.dtype, weight)
            for kind, weight in zip(case.target_types, case.weights, strict=True)
        ]
        for point in range(len(case.points)):
            gradients, zeros, stepped = program(*self.arguments(point), *weights)
            unwatched = case.inputs(CONSTANT, FROZEN) if case.persistent else ()
            self.seen.points.append(
                SeenPoint(
                    [read(g) for g in gradients],
                    {i: read(g) for i, g in zip(unwatched, zeros, strict=True)},
                    {i: read(g) for i, g in zip(case.inputs(VARIABLE), stepped, strict=True)},
                )
            )


def make_tensor(tf: Any, dtype: str, array: Array) -> Any:
    """An array as a tensor of a dtype in which its numbers are exact."""
    tensor = tf.constant(array)
    return tensor if tensor.dtype.name == dtype else tf.cast(tensor, dtype)


def read(gradient: Any) -> Gradient | None:
    """A dense gradient as TensorFlow returned it, or None."""
    if gradient is None:
        return None
    kind = gradient.dtype.name
    array = np.asarray(gradient.numpy())
    return Gradient(kind, array.astype(_numpy_dtype(kind)) if kind != "string" else array)


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
        except Exception as raised:  # noqa: BLE001 - as above: the cell is unsupported
            raise Unsupported(type(raised_by_tensorflow(raised)).__name__) from raised
        seen.error = error
    return seen


GRAPHS: Cases[GraphCase, Seen] = Cases(
    "graph", graph_cases, run, GraphCase.source, subjects=tuple(OPS)
)
