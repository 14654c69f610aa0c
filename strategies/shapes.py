"""Shapes, broadcasting partners, axes and permutations.

Shapes come from a table ordered by simplicity, so one draw of an index gives a shape and the index
shrinks to the simplest one: rank 0 before rank 1, few elements before many, zero-size last.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache

from hypothesis import strategies as st

Shape = tuple[int, ...]

MAX_RANK = 5
MAX_SIDE = 4
MAX_SIZE = 24
"""Elements of one drawn tensor: a fault that needs more than 24 has not been seen."""


MANY_AXES = 4
"""From this rank on, sides are at most 2."""


@cache
def _of_rank(rank: int, max_size: int) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
    """The shapes of one rank, simplest first: those with elements, and those of size zero."""
    sides = range(MAX_SIDE + 1) if rank < MANY_AXES else range(3)
    every = (s for s in itertools.product(sides, repeat=rank) if math.prod(s) <= max_size)
    ranked = sorted(every, key=lambda s: (math.prod(s), s))
    return tuple(s for s in ranked if math.prod(s)), tuple(s for s in ranked if not math.prod(s))


_FREQUENCY = {0: 40, 1: 60, 2: 100, 3: 70, 4: 25, 5: 15}
"""How often each rank stands in the table: ranks 0 to 3 often, 4 and 5 now and then."""


@cache
def shape_table(
    min_rank: int, max_rank: int, max_size: int, fits: Callable[[Shape], bool] | None = None
) -> tuple[Shape, ...]:
    """Shapes to draw from, simplest first; about one in eight is of size zero."""
    table: list[Shape] = []
    for rank in range(min_rank, max_rank + 1):
        full, empty = (
            [s for s in several if fits is None or fits(s)] for several in _of_rank(rank, max_size)
        )
        for several, count in ((full, _FREQUENCY[rank]), (empty, _FREQUENCY[rank] // 8)):
            table += itertools.islice(itertools.cycle(several), max(count, 1))
    return tuple(sorted(table, key=lambda s: (math.prod(s) == 0, len(s), math.prod(s), s)))


@cache
def shapes(
    *,
    min_rank: int = 0,
    max_rank: int = MAX_RANK,
    max_size: int = MAX_SIZE,
    fits: Callable[[Shape], bool] | None = None,
) -> st.SearchStrategy[Shape]:
    """Shapes of rank ``min_rank`` to ``max_rank``, zero-size about one time in eight.

    Args:
        min_rank: the smallest rank, 0 or more.
        max_rank: the largest rank, 5 or less.
        max_size: the largest number of elements.
        fits: what else a shape must satisfy; a function of module level, as tables are kept.
    """
    return st.sampled_from(shape_table(min_rank, max_rank, max_size, fits))


@cache
def partner_table(shape: Shape) -> tuple[Shape, ...]:
    """Shapes that broadcast with a shape, simplest first: see :func:`broadcast_partners`."""
    smaller = {
        tuple(1 if one else side for side, one in zip(shape[drop:], ones, strict=True))
        for drop in range(len(shape) + 1)
        for ones in itertools.product((False, True), repeat=len(shape) - drop)
    }
    grown = {tuple(3 if side == 1 else side for side in shape), (2, *shape), (1, *shape)}
    # where it has ones and others, both may grow
    grown |= {tuple(3 if side == 1 else 1 for side in shape[drop:]) for drop in range(len(shape))}
    larger = {s for s in grown if len(s) <= MAX_RANK and math.prod(s) <= 4 * MAX_SIZE}
    return tuple(sorted(smaller | larger, key=lambda s: (len(s), math.prod(s), s)))


@cache
def broadcast_partners(shape: Shape) -> st.SearchStrategy[Shape]:
    """Shapes that broadcast with ``shape``: sides dropped or set to 1, ones grown, sides added.

    Each may have sides of 1 where the other has longer ones. Shrinks to the scalar.
    """
    return st.sampled_from(partner_table(shape))


def broadcast(*several: Shape) -> Shape | None:
    """The shape that all broadcast to by NumPy's rules, or None where they do not fit."""
    rank = max(map(len, several), default=0)
    result = []
    for axis in range(-rank, 0):
        sides = {s[axis] for s in several if -axis <= len(s)} - {1}
        if len(sides) > 1:
            return None
        result.append(sides.pop() if sides else 1)
    return tuple(result)


def axis_table(rank: int) -> list[int]:
    """Every axis of a tensor of this rank, from the front and the back by turns: 0, -1, 1, -2, ...

    The table of a lower rank is the start of this one, so that an axis stays when a rank shrinks.
    """
    return [axis for front in range(rank) for axis in (front, -1 - front)]


@cache
def axes(rank: int) -> st.SearchStrategy[int]:
    """One axis of a tensor of this rank (1 or more), counted from the front or from the back."""
    return st.sampled_from(axis_table(rank))


AxisChoice = None | int | tuple[int, ...]
"""What a reduction's ``axis`` takes."""


def axis_choices(rank: int) -> list[AxisChoice]:
    """None, one axis from the front or the back, none at all, or several distinct ones."""
    several = [
        tuple(a - rank if (a + len(chosen)) % 3 == 0 else a for a in chosen)
        for count in range(1, rank + 1)
        for chosen in itertools.combinations(range(rank), count)
    ]
    return [None, (), *axis_table(rank), *several]


def axes_of(choice: AxisChoice, rank: int) -> tuple[int, ...]:
    """The axes that a choice means, counted from the front."""
    if choice is None:
        return tuple(range(rank))
    return tuple(a % rank for a in (choice if isinstance(choice, tuple) else (choice,)))


@cache
def permutations(rank: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Permutations of the axes; shrinks to the identity."""
    return st.sampled_from(list(itertools.permutations(range(rank))))
