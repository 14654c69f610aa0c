"""Cases of single ops at special values, and what is observed there.

What TensorFlow answers at a kink, a tie or a pole is mostly no promise, and still what users rely
on: it is kept in the record, so that two versions can be compared, and accuses nobody. Where the
function is smooth after all, a contract judges the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from conformance.blackbox import reached
from conformance.contract import Cases, Unsupported
from conformance.drawn_graphs import CONSTANT, WATCHED, GraphCase
from conformance.graph_cases import Seen, printed, run
from strategies import dtypes
from strategies.drawing import graphs
from strategies.graphs import Graph, tensor_source
from strategies.ops import CATALOGUE as OPS
from strategies.specials import SPECIALS, draw_special
from strategies.tensors import Input
from strategies.values import Domain

DIGITS: Final = 6
"""Of each number that is observed: the last bits differ between versions and processors."""
NOTHING: Final = 1e-12
"""What is smaller than that beside the largest number is what roundings left of a zero."""
TRIES: Final = 4
"""Graphs that are drawn, in search of one in which elements can be tied."""
MOST: Final = 2
"""Cases of an op: the simplest one, and one at random."""


@dataclass(frozen=True)
class SpecialCase(GraphCase):
    """A graph of one op at special values.

    Attributes:
        kinds: of special values, one for each point.
    """

    kinds: tuple[str, ...]

    @property
    def at_pole(self) -> bool:
        """Whether an element stands at a pole of its domain, at the first point."""
        made = zip(self.graph.inputs, self.points[0], strict=True)
        return any(
            not set(one.domain.poles).isdisjoint(numbers)
            for one, numbers in made
            if isinstance(one.domain, Domain)
        )

    def single(self, number: int) -> SpecialCase:
        """The case at one of its points alone."""
        return replace(self, points=(self.points[number],), kinds=(self.kinds[number],))

    def simpler(self) -> Iterator[SpecialCase]:
        """The case at each of its points, weighed with ones."""
        for number in range(len(self.points)):
            yield replace(self.single(number), plain=True)


@dataclass(frozen=True)
class SeenSpecial:
    """What was seen of a case.

    Attributes:
        subject: the op.
        points: for each kind of special values what was seen at its point, or the error that the
            forward pass raises there.
    """

    subject: str
    points: tuple[tuple[SpecialCase, Seen | str], ...]

    def notes(self) -> list[Mapping[str, Any]]:
        """What the record keeps of it."""
        return [
            {
                "note": "observation",
                "subject": self.subject,
                "special": case.kinds[0],
                "program": printed(case, "eager"),
                "values": values(case),
                "answer": f"the op raises {seen}" if isinstance(seen, str) else answer(seen),
            }
            for case, seen in self.points
        ]


def values(case: GraphCase) -> list[str]:
    """The inputs of a case at its first point, as TensorFlow source."""
    made = zip(case.graph.inputs, case.points[0], strict=True)
    return [tensor_source(one.type, numbers) for one, numbers in made]


def answer(seen: Seen) -> str:
    """What the gradients of a case are at its first point, in short: the same for equal answers."""
    if seen.error is not None:
        return f"the gradient raises {type(seen.error).__name__}"
    gradients = seen.points[0].gradients
    told = {
        i: "None" if (found := gradients[i]) is None else digits(found.array)
        for i in seen.case.inputs(WATCHED)
    }
    return ", ".join(f"x{i}: {text}" for i, text in told.items())


def digits(array: npt.NDArray[Any]) -> str:
    """The numbers of an array in row-major order, rounded: ``[0.333333, nan]``."""
    finite = np.abs(array[np.isfinite(array)])
    nothing = NOTHING * float(finite.max(initial=0.0))

    def real(number: float) -> str:
        return "0" if abs(number) <= nothing else f"{number:.{DIGITS}g}"

    def text(number: complex) -> str:
        if not np.iscomplexobj(array):
            return real(number.real)
        imaginary = real(number.imag)
        return f"{real(number.real)}{'' if imaginary.startswith('-') else '+'}{imaginary}j"

    numbers = [text(number) for number in array.ravel().tolist()]
    return f"[{', '.join(numbers)}]" if array.ndim else numbers[0]


@cache
def special_cases(subject: str, mode: str) -> st.SearchStrategy[SpecialCase]:  # noqa: ARG001
    """Cases about a subject alone, in the highest precision that it has, a point for each kind.

    Args:
        subject: the name of a catalogue entry.
        mode: the name of a mode; the cases are the same in all.
    """
    allowed = OPS[subject].dtypes
    finest = next(dtype for dtype in ("float64", "complex128", "float32") if dtype in allowed)
    return _special_cases(graphs(subject, max_nodes=1, among=(finest,)))


@st.composite
def _special_cases(draw: Callable[..., Any], graphs: st.SearchStrategy[Graph]) -> SpecialCase:
    for _ in range(TRIES):
        graph = draw(graphs, "graph")
        if any(_can_tie(made) for made in graph.inputs):
            break
    roles = tuple(
        WATCHED if dtypes.is_differentiable(made.type.dtype) else CONSTANT for made in graph.inputs
    )
    drawn = {kind: draw_special(draw, graph.inputs, kind) for kind in SPECIALS}
    found = {kind: point for kind, point in drawn.items() if point is not None}
    flags = {"persistent": False, "forward": False, "unknown_rank": False, "pulls": False}
    return SpecialCase(graph, roles, tuple(found.values()), kinds=tuple(found), **flags)


def _can_tie(made: Input) -> bool:
    return made.type.size > 1 and dtypes.is_differentiable(made.type.dtype)


def run_special(case: SpecialCase, mode: str) -> SeenSpecial:
    """Run a case at each of its points by itself, so that one that raises hides no other.

    Raises:
        Unsupported: if the forward pass raises at all of them.
    """
    seen: tuple[tuple[SpecialCase, Seen | str], ...] = ()
    for number in range(len(case.points)):
        reached(number)
        single = case.single(number)
        seen = (*seen, (single, _seen(single, mode)))
    errors = [found for _, found in seen if isinstance(found, str)]
    if errors and len(errors) == len(seen):
        raise Unsupported(errors[0])
    return SeenSpecial(case.graph.ops[0], seen)


def _seen(case: SpecialCase, mode: str) -> Seen | str:
    try:
        return run(case, mode)
    except Unsupported as error:
        return str(error)


def _printed(case: SpecialCase, mode: str, step: int = 0) -> str:
    """A case as a program, at one of its points, as it is run there."""
    return printed(case.single(step), mode)


SPECIAL_VALUES: Cases[SpecialCase, SeenSpecial] = Cases(
    "special",
    special_cases,
    run_special,
    _printed,
    simpler=SpecialCase.simpler,
    subjects=tuple(name for name, entry in OPS.items() if not entry.blocks),
    modes=("eager",),
    most=MOST,
    notes=SeenSpecial.notes,
)
