"""Ops of ``tf.linalg``, ``tf.einsum`` and ``tf.tensordot``."""

from __future__ import annotations

import itertools
import math
from functools import cache, partial
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import FLOATS
from strategies.graphs import Argument
from strategies.ops.choices import (
    KEEPDIMS,
    Keywords,
    can_grow,
    has_elements,
    keywords,
    one_of,
    reduced,
)
from strategies.ops.math import NONZERO, POSITIVE
from strategies.ops.site import MAX_RESULT_SIZE, Site
from strategies.ops.spec import Call, around_zero, call, op
from strategies.shapes import Shape, axis_table, broadcast
from strategies.tensors import Value
from strategies.values import Interval

SIDES = (1, 2, 3, 0)


def contraction(count: int, *factors: Value) -> Interval:
    """Bounds of a sum of ``count`` products."""
    return around_zero(count * math.prod(f.bound for f in factors))


@op("tf.linalg.diag")
def diag(site: Site) -> Call:
    """Vectors as diagonals of matrices of zeros, the main one or one beside it."""
    x = site.operand(min_rank=1, fits=can_grow)
    named = site.draw(keywords("k", (1, -1)), "k")
    side = x.shape[-1] + abs(named.get("k", 0))
    bounds = min(x.bounds[0], 0.0), max(x.bounds[1], 0.0)
    return call(x, **named, result=x.type.like((*x.shape[:-1], side, side), bounds))


def _is_matrix(shape: Shape) -> bool:
    return min(shape[-2:]) > 0


@cache
def _diagonals(rows: int, columns: int) -> st.SearchStrategy[tuple[Keywords, int]]:
    shifts = [k for k in (0, 1, -1) if -rows < k < columns]
    lengths = [min(rows + min(k, 0), columns - max(k, 0)) for k in shifts]
    named: list[Keywords] = [{"k": k} if k else {} for k in shifts]
    return st.sampled_from(list(zip(named, lengths, strict=True)))


@op("tf.linalg.diag_part")
def diag_part(site: Site) -> Call:
    """The main diagonal of matrices, or one beside it."""
    x = site.operand(min_rank=2, fits=_is_matrix)
    named, length = site.draw(_diagonals(*x.shape[-2:]), "k")
    return call(x, **named, result=x.type.like((*x.shape[:-2], length)))


@op("tf.linalg.band_part")
def band_part(site: Site) -> Call:
    """What lies near the diagonal; a negative number keeps a whole triangle."""
    x = site.operand(min_rank=2, fits=_is_matrix)
    below, above = site.draw(one_of((-1, -1), (0, 0), (-1, 0), (0, -1), (1, 0), (1, 1)), "band")
    bounds = min(x.bounds[0], 0.0), max(x.bounds[1], 0.0)
    return call(x, below, above, result=x.type.like(bounds=bounds))


@op("tf.linalg.trace")
def trace(site: Site) -> Call:
    """The sum of the main diagonal."""
    x = site.operand(min_rank=2)
    count = min(x.shape[-2:])
    bounds = x.bounds[0] * count, x.bounds[1] * count
    return call(x, result=x.type.like(x.shape[:-2], bounds))


@op("tf.linalg.matrix_transpose")
def matrix_transpose(site: Site) -> Call:
    """The last two axes exchanged."""
    x = site.operand(min_rank=2)
    named = site.draw(keywords("conjugate", (True,)), "conjugate") if x.is_complex else {}
    return call(x, **named, result=x.type.like((*x.shape[:-2], x.shape[-1], x.shape[-2])))


def _turned(shape: Shape, *, turn: bool) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if turn else shape


FLAGS = tuple(itertools.product(("", "transpose", "adjoint"), ("", "transpose", "adjoint")))


@cache
def _right(left: Shape, *, turn: bool) -> tuple[Shape, ...]:
    """Shapes of the second factor: the same batch, none, or one broadcast."""
    batch = left[:-2]
    batches = dict.fromkeys(
        [(), batch, (1,) * len(batch), tuple(3 if s == 1 else s for s in batch)]
    )
    return tuple(_turned((*b, left[-1], n), turn=turn) for b in batches for n in SIDES)


@op("tf.linalg.matmul")
def matmul(site: Site) -> Call:
    """Matrix products: either factor transposed or adjoint, in batches that broadcast."""
    a = site.operand(min_rank=2)
    first, second = site.draw(one_of(*FLAGS), "transpose or adjoint")
    left = _turned(a.shape, turn=bool(first))

    def product(shape: Shape) -> Shape | None:
        right = _turned(shape, turn=bool(second))
        batch = broadcast(left[:-2], right[:-2])
        if batch is None or right[-2] != left[-1]:
            return None
        return (*batch, left[-2], right[-1])

    def fits(shape: Shape) -> bool:
        made = product(shape)
        return made is not None and math.prod(made) <= MAX_RESULT_SIZE

    b = site.operand(min_rank=2, fits=fits, fresh=_right(left, turn=bool(second)))
    named = {f"{first}_a": True} if first else {}
    named |= {f"{second}_b": True} if second else {}
    result = a.type.like(product(b.shape), contraction(left[-1], a, b))
    return call(a, b, **named, result=result)


@op("tf.linalg.matvec")
def matvec(site: Site) -> Call:
    """Matrices, transposed or adjoint if asked, times vectors of the same batch."""
    a = site.operand(min_rank=2)
    flag = site.draw(one_of("", "transpose_a", "adjoint_a"), "transpose or adjoint")
    left = _turned(a.shape, turn=bool(flag))
    b = site.operand(shape=(*left[:-2], left[-1]))
    named = {flag: True} if flag else {}
    return call(a, b, **named, result=a.type.like(left[:-1], contraction(left[-1], a, b)))


DIAGONALS = ("ii->i", "ii->", "bii->b")
"""A label twice in one operand."""
EQUATIONS = (
    "i->i",
    "ij->ji",
    "ij->j",
    "ij->",
    "i,i->i",
    "i,i->",
    "i,j->ij",
    "ij,j->i",
    "ij,jk->ik",
    "ij,kj->ki",
    "ijk,k->ij",
    "bij,bjk->bik",
    "bij,bkj->bki",
    "bi,bi->b",
    "ijk,jkl->il",
    "i,ij,j->",
    "ij,jk,kl->il",
    *DIAGONALS,
)


@cache
def _labelled(labels: str, known: tuple[tuple[str, int], ...]) -> tuple[Shape, ...]:
    """Shapes for labels of which some have a side already."""
    sides = dict(known)
    free = [label for label in dict.fromkeys(labels) if label not in sides]
    return tuple(
        tuple({**sides, **dict(zip(free, chosen, strict=True))}[label] for label in labels)
        for chosen in itertools.product(SIDES, repeat=len(free))
    )


MAX_SIDE = 8
"""The longest side that an einsum takes, as several of them multiply."""


def _is_labelled(labels: str, known: tuple[tuple[str, int], ...], shape: Shape) -> bool:
    """Whether a shape gives each label one side, that which it has already if it has one."""
    if len(shape) != len(labels):
        return False
    named = {*known, *zip(labels, shape, strict=True)}
    return len(named) == len(dict(named)) and max(shape, default=0) <= MAX_SIDE


def _einsum(name: str, equations: tuple[str, ...], **fields: Any) -> None:
    """Register products and sums by labels."""

    def build(site: Site) -> Call:
        equation = site.draw(one_of(*equations), "equation")
        left, right = equation.split("->")
        sides: dict[str, int] = {}
        operands: list[Value] = []
        for labels in left.split(","):
            known = tuple((label, side) for label, side in sides.items() if label in labels)
            fits = partial(_is_labelled, labels, known)
            operands.append(site.operand(fits=fits, fresh=_labelled(labels, known)))
            sides |= zip(labels, operands[-1].shape, strict=True)
        count = math.prod(side for label, side in sides.items() if label not in right)
        bounds = contraction(count, *operands)
        shape = tuple(sides[label] for label in right)
        return call(equation, *operands, result=operands[0].type.like(shape, bounds))

    op(name, call="tf.einsum", **fields)(build)


_einsum("tf.einsum", EQUATIONS)
# an entry of its own, as no Jacobian of it can be vectorized
_einsum("tf.einsum(diagonal)", DIAGONALS, alone=True)


@cache
def _contractions(
    shape: Shape,
) -> st.SearchStrategy[tuple[Argument, tuple[int, ...], Shape, Shape]]:
    """The ``axes`` argument, the first factor's axes, the second's shape and what is left of it."""
    rank = len(shape)
    table: list[tuple[Argument, tuple[int, ...], Shape, Shape]] = []
    for count in range(min(rank, 2) + 1):
        over = tuple(range(rank - count, rank))
        shared = shape[rank - count :]
        table += [(count, over, shared, ()), (count, over, (*shared, 2), (2,))]
    for axis in range(rank):
        side = shape[axis]
        table += [
            (((axis,), (0,)), (axis,), (side, 3), (3,)),
            (((axis - rank,), (-1,)), (axis,), (2, side), (2,)),
        ]
    return st.sampled_from(table)


@op("tf.tensordot")
def tensordot(site: Site) -> Call:
    """A contraction of some axes of one tensor with some of another."""
    a = site.operand(max_rank=3)
    axes, over, shape, right = site.draw(_contractions(a.shape), "axes")
    b = site.operand(shape=shape)
    count = math.prod(a.shape[axis] for axis in over)
    left = reduced(a.shape, over)
    return call(a, b, axes=axes, result=a.type.like(left + right, contraction(count, a, b)))


@op("tf.norm", dtypes=FLOATS)
def norm(site: Site) -> Call:
    """Of vectors along an axis, or of all elements; never of the zero vector."""
    named = site.draw(_NORMS, "ord")
    x = site.operand(
        min_rank=1, domain=POSITIVE if named.get("ord") == math.inf else NONZERO, fits=has_elements
    )
    axis, over = site.draw(_norm_axes(x.rank), "axis")
    keep = site.draw(KEEPDIMS, "keepdims")
    shape = reduced(x.shape, over, keep=keep)
    return call(x, **named, **axis, **keep, result=x.type.like(shape, (0.0, x.size * x.bound)))


_NORMS = keywords("ord", (1, 2, 3, math.inf))


@cache
def _norm_axes(rank: int) -> st.SearchStrategy[tuple[Keywords, tuple[int, ...]]]:
    named: list[tuple[Keywords, tuple[int, ...]]]
    named = [({"axis": axis}, (axis % rank,)) for axis in axis_table(rank)]
    return st.sampled_from([({}, tuple(range(rank))), *named])


def _holds_triples(shape: Shape) -> bool:
    return shape[-1] == 3  # noqa: PLR2004 - a cross product lives in three dimensions


@op("tf.linalg.cross", dtypes=FLOATS)
def cross(site: Site) -> Call:
    """Cross products of vectors of three."""
    a = site.operand(min_rank=1, fits=_holds_triples)
    b = site.operand(shape=a.shape)
    return call(a, b, result=a.type.like(bounds=contraction(2, a, b)))
