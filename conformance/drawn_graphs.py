"""Cases of generated op graphs, as data: what is drawn, before anything meets TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from conformance.boundary import numpy_dtype
from conformance.modes import MODES
from strategies import dtypes
from strategies.drawing import MAX_NODES, Point, draw_point, graphs
from strategies.graphs import Graph
from strategies.tensors import TensorType

Array = npt.NDArray[Any]

WATCHED: Final = "watched"
VARIABLE: Final = "variable"
FROZEN: Final = "frozen"
CONSTANT: Final = "constant"
_ROLES: Final = (WATCHED, VARIABLE, WATCHED, CONSTANT, WATCHED, VARIABLE, FROZEN, WATCHED)
"""What an input may be to the tape, as often as it should be: a watched Tensor, a trainable or a
non-trainable Variable, a Tensor that nobody watches."""

ZERO: Final = "zero"
PART: Final = "part"
COMBINED: Final = "combined"

RATE: Final = 0.25
"""The learning rate of the step that follows: a power of two, so that only one rounding happens."""
POINTS: Final = 3
"""Drawn points that one trace serves."""
FORWARD_NODES: Final = 2
"""Nodes of the largest graphs that forward mode is asked about: it traces a function for each op
and shape, in 10 to 20 ms, so that deep graphs would cost more than all others."""


_WEIGHTS: Final = np.array([(1 if b & 128 else -1) * (64 + b % 128) / 128 for b in range(256)])
"""What a byte of a pseudo-random stream stands for: 64/128 to 191/128, and their negatives."""


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
        pulls: whether the gradient is asked for with other cotangents too.
        plain: whether what weighs the targets, and the first direction, are ones (1 + i). None is
            drawn so, as ones hide what is swapped; but a failure is easier to read.
    """

    graph: Graph
    roles: tuple[str, ...]
    points: tuple[Point, ...]
    persistent: bool
    forward: bool
    unknown_rank: bool
    pulls: bool
    plain: bool = field(default=False, kw_only=True)

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        flags = (self.roles, self.persistent, self.forward, self.unknown_rank, self.pulls)
        kinds = [(i.type.dtype, i.type.shape) for i in self.graph.inputs]
        found = hashlib.sha256(f"{self.graph.definition}{kinds}{flags}".encode())
        for point in range(len(self.points)):
            for array in self.arrays(point):  # as text ten thousand numbers would cost more
                found.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        return found.digest()

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """Which outputs of the graph are differentiated, by position."""
        outputs = enumerate(self.graph.outputs)
        return tuple(k for k, i in outputs if dtypes.is_differentiable(self.graph.types[i].dtype))

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
    def unwatched(self) -> tuple[int, ...]:
        """The inputs that are asked for zeros: those unwatched, if the tape answers twice."""
        return self.inputs(CONSTANT, FROZEN) if self.persistent else ()

    @cached_property
    def coarsest(self) -> float:
        """The largest epsilon of any value in the graph."""
        kinds = (t.dtype for t in self.graph.types)
        return max(dtypes.epsilon(d) for d in kinds if dtypes.is_differentiable(d))

    @property
    def inside(self) -> float:
        """The magnitude of what an op of its adds up inside itself, unseen; see Projection."""
        return 0.0

    @cached_property
    def is_finest(self) -> bool:
        """Whether no kernel is more precise, so that finite differences can judge it.

        That is double precision, but where an op has none.
        """
        return self.coarsest == dtypes.epsilon(self.graph.finest)

    def arrays(self, point: int) -> list[Array]:
        """The numbers of one point: an array for each input, in the widest dtype of its kind."""
        return [
            np.array(numbers, numpy_dtype(made.type.dtype)).reshape(made.type.shape)
            for numbers, made in zip(self.points[point], self.graph.inputs, strict=True)
        ]

    @cached_property
    def weights(self) -> list[Array]:
        """The cotangent: what weighs the elements of each target, exact in every dtype."""
        if self.plain:
            return [np.ones(kind.shape, numpy_dtype(kind.dtype)) for kind in self.target_types]
        return self._scatter("weights", self.target_types)

    @cached_property
    def cotangents(self) -> dict[str, list[Array]]:
        """Other cotangents by name, exact in every dtype; none if they are not asked for.

        ``zero``; ``part``, which is every other element of the weights; and ``combined``, which is
        minus the weights minus that part. So no element of it is one of the weights, and what is
        no linear function of them is found out: a square, a modulus, what is clipped or added.
        """
        if not self.pulls:
            return {}
        masks = [np.arange(w.size).reshape(w.shape) % 2 == 0 for w in self.weights]
        parts = [np.where(mask, w, 0) for mask, w in zip(masks, self.weights, strict=True)]
        return {
            ZERO: [np.zeros_like(w) for w in self.weights],
            PART: parts,
            COMBINED: [-w - part for w, part in zip(self.weights, parts, strict=True)],
        }

    def direction(self, number: int) -> dict[int, Array]:
        """A tangent for each differentiated input; another ``number`` gives another direction."""
        kinds = [self.graph.inputs[i].type for i in self.differentiated]
        if self.plain and not number:
            ones = (np.full(k.shape, 1 + 1j if dtypes.is_complex(k.dtype) else 1.0) for k in kinds)
            return dict(zip(self.differentiated, ones, strict=True))
        drawn = self._scatter(f"direction {number}", tuple(kinds))
        return dict(zip(self.differentiated, drawn, strict=True))

    def _scatter(self, salt: str, kinds: tuple[TensorType, ...]) -> list[Array]:
        """Arrays of numbers m/128 with 64 <= |m| < 192: pseudo-random, the same in every run."""
        sizes = [kind.size * (1 + dtypes.is_complex(kind.dtype)) for kind in kinds]
        stream = hashlib.shake_256(self.digest + salt.encode()).digest(sum(sizes))
        numbers = _WEIGHTS[np.frombuffer(stream, np.uint8)]
        found, start = [], 0
        for kind, size in zip(kinds, sizes, strict=True):
            flat = numbers[start : start + size]
            start += size
            if dtypes.is_complex(kind.dtype):
                flat = flat[::2] + 1j * flat[1::2]
            found.append(flat.reshape(kind.shape))
        return found

    def name(self, source: int) -> str:
        """What an input is called in the program."""
        return f"x{source}"

    @property
    def nested(self) -> tuple[GraphCase, int] | None:
        """If it is the gradient of a case: that, and the source it is the gradient of."""
        return None

    def simpler(self) -> Iterator[GraphCase]:
        """Cases that say less, the simplest first: a fault may show in them as well."""
        tensors = tuple({VARIABLE: WATCHED, FROZEN: CONSTANT}.get(r, r) for r in self.roles)
        ways = dict.fromkeys(
            (p, r) for p in (False, self.persistent) for r in (tensors, self.roles)
        )
        for (persistent, roles), point in product(ways, self.points):
            one = replace(self, roles=roles, points=(point,), persistent=persistent, plain=True)
            if len(self.targets) > 1:
                yield from (one.towards(target) for target in self.targets)
            if one != self:
                yield one
        for point in self.points if len(self.points) > 1 else ():
            yield replace(self, points=(point,))

    def towards(self, target: int) -> GraphCase:
        """The same case with one of its outputs alone."""
        return replace(self, graph=replace(self.graph, outputs=(self.graph.outputs[target],)))


def _flags(asks_forward: tuple[bool, ...]) -> st.SearchStrategy[tuple[bool, ...]]:
    return st.sampled_from(
        [
            (persistent, forward, rank, pulls)
            for pulls in (False, False, False, True)
            for forward in asks_forward
            for persistent in (False, False, False, True)
            for rank in (False, True)
        ]
    )


_ROLE_CODES: Final = st.binary(min_size=13, max_size=13)
"""A byte an input; the few graphs with more inputs use them again."""


@cache
def graph_cases(
    subject: str,
    mode: str,
    among: tuple[str, ...] = dtypes.DIFFERENTIABLE,
    asks_forward: tuple[bool, ...] = (False, False, False, False, True),
    nodes: tuple[int, int] = (MAX_NODES, FORWARD_NODES),
) -> st.SearchStrategy[GraphCase]:
    """Cases of a mode about a subject; shrinks to one watched input of the subject alone.

    Args:
        subject: the name of a catalogue entry.
        mode: the name of a mode.
        among: as in :func:`strategies.drawing.graphs`.
        asks_forward: whether forward mode is asked: one of these, the simplest first.
        nodes: how many nodes a graph has at most, and how many when forward mode is asked.
    """
    every, few = (graphs(subject, max_nodes=n, among=among) for n in nodes)
    points = POINTS if MODES[mode].traced else 1
    return _graph_cases(every, few, points, _flags(asks_forward))


def _role(drawn: str, dtype: str) -> str:
    """What an input is to the tape; integers and booleans are Tensors, watched all the same."""
    if dtypes.is_differentiable(dtype) or drawn == WATCHED:
        return drawn
    return CONSTANT


@st.composite
def _graph_cases(
    draw: Callable[..., Any],
    every: st.SearchStrategy[Graph],
    few: st.SearchStrategy[Graph],
    points: int,
    kinds: st.SearchStrategy[tuple[bool, ...]],
) -> GraphCase:
    # before the graph, and of one length, so that no later draw moves when the graph shrinks
    flags = draw(kinds, "persistent, forward, unknown rank, pulls")
    code = draw(_ROLE_CODES, "roles")
    persistent, forward, unknown_rank, pulls = flags
    graph = draw(few if forward else every, "graph")
    roles = tuple(
        _role(_ROLES[code[i % len(code)] % len(_ROLES)], made.type.dtype)
        for i, made in enumerate(graph.inputs)
    )
    drawn = tuple(draw_point(draw, graph.inputs) for _ in range(points))
    return GraphCase(graph, roles, drawn, persistent, forward, unknown_rank, pulls)
