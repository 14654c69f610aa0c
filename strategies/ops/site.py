"""Where an op is put into a graph: its ``build`` asks the site for operands and choices."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from strategies import dtypes
from strategies.shapes import (
    MAX_RANK,
    MAX_SIZE,
    Shape,
    broadcast,
    partner_table,
    shape_table,
    shapes,
)
from strategies.tensors import Indices, Input, TensorType, Value
from strategies.values import REACH, REAL, Domain

T = TypeVar("T")
Draw = Callable[..., Any]

MAX_RESULT_SIZE = 256
"""Elements of one result: broadcasting and tiling stop here."""


class Site:
    """Where one op is applied: hands out operands and draws choices.

    Operands are values that the graph already has, where they fit, or fresh inputs.
    """

    def __init__(self, draw: Draw, dtype: str, values: list[Value], inputs: list[Input]) -> None:
        self._draw = draw
        self._values = values
        self._inputs = inputs
        self.dtype = dtype
        self.kinks: list[tuple[int, tuple[float, ...]]] = []

    def draw(self, strategy: st.SearchStrategy[T], label: str) -> T:
        """One labelled choice."""
        result: T = self._draw(strategy, label)
        return result

    def operand(  # noqa: PLR0913 - all by keyword, and most left out
        self,
        *,
        shape: Shape | None = None,
        min_rank: int = 0,
        max_rank: int = MAX_RANK,
        domain: Domain = REAL,
        dtype: str | None = None,
        fits: Callable[[Shape], bool] | None = None,
        fresh: tuple[Shape, ...] | None = None,
        reuse: int = 3,
    ) -> Value:
        """A differentiable operand.

        Args:
            shape: the exact shape, if only one will do.
            min_rank: the smallest rank.
            max_rank: the largest rank.
            domain: where its elements must stand.
            dtype: the dtype; that of the site if left out.
            fits: what else the shape must satisfy; give ``fresh`` too if it is made on the spot,
                as the table of fresh shapes is kept for each ``fits``.
            fresh: the shapes that a fresh input may have, simplest first; they must satisfy all
                of the above.
            reuse: how many times as likely as a fresh input each value is that fits already.
        """
        dtype = dtype or self.dtype

        def admits(value: Value) -> bool:
            return (
                value.dtype == dtype
                and (
                    value.shape == shape
                    if shape is not None
                    else min_rank <= value.rank <= max_rank
                )
                and domain.admits(value.bounds)
                and (fits is None or fits(value.shape))
            )

        known = [v for v in reversed(self._values) if admits(v)]
        if shape is not None:
            fresh = (shape,)
        elif fresh is None:
            fresh = shape_table(min_rank, max_rank, MAX_SIZE, fits)
        chosen = self._choose(known, fresh, "operand", reuse)
        found = chosen if isinstance(chosen, Value) else self.input(dtype, chosen, domain)
        if domain.kinks:
            self.kinks.append((found.index, domain.kinks))
        return found

    def fresh(
        self,
        *,
        min_rank: int = 0,
        fits: Callable[[Shape], bool] | None = None,
        domain: Domain = REAL,
    ) -> Value:
        """An operand that is always a fresh input, as its elements must not be equal."""
        shape = self.draw(shapes(min_rank=min_rank, fits=fits), "shape")
        return self.input(self.dtype, shape, replace(domain, distinct=True))

    def partner(self, value: Value, domain: Domain = REAL) -> Value:
        """An operand that broadcasts with ``value``, of the same dtype."""
        return self.operand(
            domain=domain,
            fits=lambda shape: fits_beside(shape, value.shape),
            fresh=partner_table(value.shape),
            dtype=value.dtype,
            reuse=1,  # or most would be the value itself
        )

    def input(self, dtype: str, shape: Shape, domain: Domain = REAL) -> Value:
        """A fresh input of the graph."""
        low, high = max(domain.lo, -REACH), min(domain.hi, REACH)
        bounds = (-6.0, 6.0) if dtypes.is_complex(dtype) else (low, high)
        return self._new(Input(TensorType(dtype, shape, bounds), domain))

    def indices(
        self,
        shapes: tuple[Shape, ...],
        lo: int,
        hi: int,
        *,
        distinct: bool = False,
        among: tuple[str, ...] = ("int32", "int64"),
    ) -> Value:
        """Integers from ``lo`` to ``hi`` inclusive: a fresh input, or what is there already.

        Args:
            shapes: those that will do, simplest first.
            lo: the least integer.
            hi: the largest.
            distinct: whether all of them must differ.
            among: the dtypes that they may have.
        """
        known = [] if distinct else self._known(among, lo, hi, lambda s: s in shapes)
        fresh = tuple((shape, dtype) for shape in shapes for dtype in among)
        chosen = self._choose(known, fresh, "indices")
        if isinstance(chosen, Value):
            return chosen
        shape, dtype = chosen
        return self._new(Input(TensorType(dtype, shape, (lo, hi)), Indices(lo, hi, distinct)))

    def condition(self, beside: Shape) -> Value:
        """A bool operand that broadcasts with a shape: what a comparison gave, or a fresh input."""
        known = self._known(("bool",), 0, 1, lambda s: fits_beside(s, beside))
        chosen = self._choose(known, partner_table(beside), "condition")
        if isinstance(chosen, Value):
            return chosen
        return self._new(Input(TensorType("bool", chosen, (0, 1)), Indices(0, 1)))

    def foreign(self) -> list[Value]:
        """The values of the graph that are not of the site's dtype, the newest result first."""
        return [v for v in reversed(self._values) if v.dtype != self.dtype]

    def _choose(
        self, known: list[Value], fresh: tuple[T, ...], label: str, reuse: int = 3
    ) -> Value | T:
        """One of what is known, newest first, or else what a fresh input is to be like.

        It is a single draw, whichever comes out, so that in shrinking a fresh input takes the place
        of a value whose node is dropped and no later draw moves.
        """
        ways = len(fresh) * (reuse * len(known) + 1)
        choice, at = divmod(self.draw(below(ways), label), len(fresh))
        return known[(choice - 1) % len(known)] if choice else fresh[at]

    def _known(
        self, among: tuple[str, ...], lo: float, hi: float, fits: Callable[[Shape], bool]
    ) -> list[Value]:
        return [
            v
            for v in reversed(self._values)
            if v.dtype in among and lo <= v.bounds[0] and v.bounds[1] <= hi and fits(v.shape)
        ]

    def _new(self, made: Input) -> Value:
        value = Value(-1 - len(self._inputs), made.type)
        self._inputs.append(made)
        self._values.append(value)
        return value


@cache
def below(count: int) -> st.SearchStrategy[int]:
    """Whole numbers from 0 to ``count`` - 1."""
    return st.sampled_from(range(count))  # half the cost of st.integers, which is lazy


def fits_beside(shape: Shape, other: Shape) -> bool:
    """Whether two shapes broadcast to something that is not too large."""
    both = broadcast(shape, other)
    return both is not None and math.prod(both) <= MAX_RESULT_SIZE
