"""Tables from which ops draw their keyword arguments: one draw of one index for all of them.

A table starts with the simplest choice, mostly "left out", as a draw shrinks to its first entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from strategies.graphs import Argument, Constant
from strategies.ops.site import Site
from strategies.shapes import (
    MAX_RANK,
    MAX_SIZE,
    AxisChoice,
    Shape,
    axes,
    axes_of,
    axis_choices,
    axis_table,
)

T = TypeVar("T")
Keywords = Mapping[str, Any]


def has_elements(shape: Shape) -> bool:
    """Whether no side is 0: for ops that refuse a tensor without elements."""
    return math.prod(shape) > 0


def is_small(shape: Shape) -> bool:
    """Whether a product over all elements of modest size does not overflow float16."""
    return math.prod(shape) <= MAX_SIZE


def can_grow(shape: Shape) -> bool:
    """Whether there is room for another axis."""
    return len(shape) < MAX_RANK


def keywords(name: str, values: tuple[Argument, ...]) -> st.SearchStrategy[Keywords]:
    """One keyword argument: left out, or one of the values given."""
    return one_of({}, *({name: value} for value in values))


_KEPT: Final[dict[str, st.SearchStrategy[Any]]] = {}


def one_of(*choices: T) -> st.SearchStrategy[T]:
    """One of a fixed list, simplest first; kept, so it costs nothing to ask again."""
    text = repr(choices)  # as (0,), (0.0,) and (False,) are equal
    if text not in _KEPT:
        _KEPT[text] = st.sampled_from(choices)
    return _KEPT[text]


FLAG: Final = st.sampled_from((False, True))
"""Whether something is so."""
SELDOM: Final = st.sampled_from((False,) * 5 + (True,))
"""The same, of what has few kernels."""


def forms(value: int | tuple[Any, ...]) -> tuple[Argument, ...]:
    """Integers as Python gives them, and as int32 and int64 tensors."""
    return value, Constant(value, "int32"), Constant(value, "int64")


def given_axis(site: Site, rank: int, *tensors: str) -> tuple[Argument, int]:
    """One axis as it is given (an int, or a tensor of one of these dtypes), and from the front."""
    axis = site.draw(axes(rank), "axis")
    dtype = site.draw(one_of(None, *tensors), "axis given as")
    return (Constant(axis, dtype) if dtype else axis), axis % rank


@cache
def optional_axis(shape: Shape, default: int) -> st.SearchStrategy[tuple[Keywords, int]]:
    """An ``axis`` keyword and the axis that it means; axes without elements are left out."""
    rank = len(shape)
    named: list[tuple[Keywords, int]] = [({"axis": a}, a % rank) for a in axis_table(rank)]
    table = [({}, default % rank), *named]
    return st.sampled_from([(given, at) for given, at in table if shape[at]])


@cache
def reductions(
    shape: Shape, least: int = 0
) -> st.SearchStrategy[tuple[AxisChoice, tuple[int, ...]]]:
    """The ``axis`` of a reduction, and the axes it goes over.

    Args:
        shape: the operand's shape.
        least: how many elements at least each result is made of.
    """
    table = [(choice, axes_of(choice, len(shape))) for choice in axis_choices(len(shape))]
    return st.sampled_from([c for c in table if math.prod(shape[a] for a in c[1]) >= least])


def given_reduction(site: Site, shape: Shape, least: int = 0) -> tuple[Keywords, tuple[int, ...]]:
    """The ``axis`` keyword of a reduction, as ints, as a tensor or left out; and what it means."""
    axis, over = site.draw(reductions(shape, least), "axis")
    if axis is None:
        return {}, over
    dtype = site.draw(one_of(None, "int32", "int64"), "axis given as")
    return {"axis": Constant(axis, dtype) if dtype else axis}, over


KEEPDIMS: Final = keywords("keepdims", (True, False))


def reduced(shape: Shape, over: Iterable[int], *, keep: Keywords | None = None) -> Shape:
    """The shape that is left when the axes ``over`` are reduced and ``keepdims`` is as given."""
    gone = tuple(over)
    if keep and keep["keepdims"]:
        return tuple(1 if a in gone else side for a, side in enumerate(shape))
    return tuple(side for a, side in enumerate(shape) if a not in gone)


def replaced(shape: Shape, axis: int, side: int) -> Shape:
    """The shape with another side at an axis."""
    return (*shape[:axis], side, *shape[axis + 1 :])


def per_axis(rank: int, choices: Sequence[T], plain: T) -> list[tuple[T, ...]]:
    """Lists of one choice an axis: all the same, then one axis unlike the others."""
    same = [(choice,) * rank for choice in choices]
    single = [
        tuple(choice if a == axis else plain for a in range(rank))
        for axis in range(rank)
        for choice in choices
    ]
    return list(dict.fromkeys(same + single))
