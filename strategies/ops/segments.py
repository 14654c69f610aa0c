"""Reductions of segments that are not sums: extremes, products, and segments of gathered rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import FLOATS
from strategies.graphs import Constant
from strategies.ops.choices import Keywords, has_elements, one_of
from strategies.ops.indexing import segment_ids
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, around_zero, call, op
from strategies.shapes import Shape
from strategies.tensors import Value
from strategies.values import Domain, Interval

MODEST = Domain(-4.0, 4.0)


def _or_zero(x: Value) -> Interval:
    """Bounds of an element, or of the zero that an empty segment has."""
    return min(x.bounds[0], 0.0), max(x.bounds[1], 0.0)


def extremes(name: str) -> Op:
    """Register the extreme of sorted segments; an empty one has 0."""

    def build(site: Site) -> Call:
        x = site.operand(min_rank=1)
        ids, count = site.draw(segment_ids(x.shape[0]), "segment ids")
        result = x.type.like((count, *x.shape[1:]), _or_zero(x))
        return call(x, ids, result=result)

    return op(name, dtypes=FLOATS, ties=True)(build)


extremes("tf.math.segment_max")
extremes("tf.math.segment_min")


def _has_few_rows(shape: Shape) -> bool:
    """Whether a product over the rows does not overflow float16."""
    return shape[0] <= 6  # noqa: PLR2004 - 4 to the sixth is 4096


def _product(x: Value) -> Interval:
    return around_zero(max(x.bound, 1.0) ** x.shape[0])


@op("tf.math.segment_prod")
def segment_prod(site: Site) -> Call:
    """The product of sorted segments; an empty one has 1."""
    x = site.operand(min_rank=1, fits=_has_few_rows, domain=MODEST)
    ids, count = site.draw(segment_ids(x.shape[0]), "segment ids")
    return call(x, ids, result=x.type.like((count, *x.shape[1:]), _product(x)))


@cache
def _covering(side: int) -> st.SearchStrategy[tuple[Constant, int]]:
    """Ids of segments of which none is empty, in any order, and their number; -1 drops a row."""
    table = [
        (tuple((step * k) % count for k in range(side)), count)
        for count in range(1, side + 1)
        for step in (1, 2, 3)
        if math.gcd(step, count) == 1
    ]
    table += [((*ids[:-1], -1), count) for ids, count in table if side > count]
    return st.sampled_from(
        [(Constant(ids, dtype), count) for ids, count in table for dtype in ("int32", "int64")]
    )


def _has_rows(shape: Shape) -> bool:
    return shape[0] > 0


def unsorted_extremes(name: str) -> Op:
    """Register the extreme of segments, none of them empty: that would have the lowest number."""

    def build(site: Site) -> Call:
        x = site.operand(min_rank=1, fits=_has_rows)
        ids, count = site.draw(_covering(x.shape[0]), "segment ids")
        return call(x, ids, count, result=x.type.like((count, *x.shape[1:])))

    return op(name, dtypes=FLOATS, ties=True)(build)


unsorted_extremes("tf.math.unsorted_segment_max")
unsorted_extremes("tf.math.unsorted_segment_min")


@op("tf.math.unsorted_segment_prod")
def unsorted_segment_prod(site: Site) -> Call:
    """The product of segments in any order; rows whose id is negative are dropped."""
    x = site.operand(min_rank=1, fits=_has_few_rows, domain=MODEST)
    count = site.draw(one_of(1, 2, 4), "num_segments")
    ids = site.indices((x.shape[:1],), site.draw(one_of(0, -1), "lowest id"), count - 1)
    return call(x, ids, count, result=x.type.like((count, *x.shape[1:]), _product(x)))


# by itself, as there is no gradient from 2.16 on
@op("tf.math.bincount", dtypes=("float64", "float32"), alone=True)
def bincount(site: Site) -> Call:
    """The sum of the weights of each integer."""
    weights = site.operand(min_rank=1, max_rank=2)
    bins = site.draw(one_of(1, 3, 4), "bins")
    numbers = site.indices((weights.shape,), 0, bins - 1, among=("int32",))
    named = {"weights": weights, "minlength": bins, "maxlength": bins}
    bounds = around_zero(weights.bound * weights.size)
    return call(numbers, **named, result=weights.type.like((bins,), bounds))


Gathered = tuple[Constant, Constant, Keywords, int]
"""Which rows, into which segments, keywords, and how many segments come out."""


@cache
def _rows(side: int) -> st.SearchStrategy[Gathered]:
    """Rows, some of them repeated, into segments that are sorted, with gaps."""
    table: list[Gathered] = []
    for rows in ((0,), (0, side - 1), (0, 0, side - 1), tuple(range(side))):
        for step in (1, 0, 2, 4):
            ids = tuple(k * step // 2 for k in range(len(rows)))
            for dtype in ("int32", "int64"):
                table += _in_segments(rows, ids, dtype)
    return st.sampled_from(table)


@cache
def _no_rows(_side: int) -> st.SearchStrategy[Gathered]:
    return st.sampled_from(
        [one for dtype in ("int32", "int64") for one in _in_segments((), (), dtype)]
    )


def _in_segments(rows: tuple[int, ...], ids: tuple[int, ...], dtype: str) -> list[Gathered]:
    """As many segments as there must be, and more than that."""
    count = 1 + max(ids, default=-1)
    more = max(count, 6)
    given = Constant(rows, dtype), Constant(ids, dtype)
    return [(*given, {}, count), (*given, {"num_segments": more}, more)]


def gathered_segments(name: str) -> None:
    """Register a reduction of segments of rows that are given by their numbers.

    It is there twice: if asked its gradient is one of the rows taken alone, IndexedSlices. And each
    of them with no rows by itself: then kernels are known to answer what stood in memory.
    """
    slices = f"{name}({{0}}, {{1}}, {{2}}, sparse_gradient=True, {{named}})"
    for suffix, drawn in (("", _rows), (" (no rows)", _no_rows)):

        def build(site: Site, drawn: Callable[..., Any] = drawn) -> Call:
            x = site.operand(min_rank=1, fits=has_elements)
            rows, ids, named, count = site.draw(drawn(x.shape[0]), "rows and segment ids")
            bounds = around_zero(x.bound * max(1, len(rows.value)))
            return call(x, rows, ids, **named, result=x.type.like((count, *x.shape[1:]), bounds))

        fields = {"dtypes": FLOATS, "alone": bool(suffix)}
        op(f"{name}{suffix}", call=name, **fields)(build)
        op(f"{name} with slices{suffix}", call=slices, since=(2, 15), **fields)(build)


gathered_segments("tf.sparse.segment_sum")
gathered_segments("tf.sparse.segment_mean")
gathered_segments("tf.sparse.segment_sqrt_n")
