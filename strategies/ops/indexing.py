"""Ops of ``tf`` that pick and place elements: slicing, gathering, scattering, segments."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import FLOATS
from strategies.graphs import Argument, Constant, DType, Subscript
from strategies.ops.array import hull
from strategies.ops.choices import Keywords, forms, has_elements, one_of, replaced
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, call, op
from strategies.shapes import MAX_RANK, Shape, axis_table
from strategies.tensors import Value
from strategies.values import Interval

STEPS = (
    slice(None),
    slice(1, None),
    slice(None, None, -1),
    slice(None, None, 2),
    slice(-1, None, -2),
    slice(None, -1),
    slice(2, 0, -1),
    slice(1, 1),
)


def _subscripted(shape: Shape, items: tuple[Any, ...]) -> Shape:
    """The shape of ``x[items]``."""
    given = sum(i is not None and i is not ... for i in items)
    result: list[int] = []
    axis = 0
    for item in items:
        if item is None:
            result.append(1)
        elif item is ...:
            result += shape[axis : axis + len(shape) - given]
            axis += len(shape) - given
        else:
            if isinstance(item, slice):
                result.append(len(range(*item.indices(shape[axis]))))
            axis += 1
    return tuple(result) + shape[axis:]


ONE = object()
"""Where a part that is drawn goes in a layout of a subscript."""
LAYOUTS: tuple[tuple[Any, ...], ...] = (
    (ONE,),
    (..., ONE),
    (None, ONE),
    (..., ONE, None),
    (ONE, ONE),
    (ONE, ..., None, ONE),
)


@cache
def _parts(*, single: bool) -> st.SearchStrategy[slice | int]:
    return st.sampled_from([*STEPS, *((0, -1) if single else ())])


@cache
def _layouts(rank: int) -> st.SearchStrategy[tuple[Any, ...]]:
    fitting = [
        layout
        for layout in LAYOUTS
        if layout.count(ONE) <= rank and rank + layout.count(None) <= MAX_RANK
    ]
    return st.sampled_from([*fitting, (...,), *[(None,)] * (rank < MAX_RANK)])


@op("tf.Tensor.__getitem__", call="{0}[{1}]")
def getitem(site: Site) -> Call:
    """Slices, with negative strides, single places, new axes and an ellipsis."""
    x = site.operand()
    layout = site.draw(_layouts(x.rank), "layout")
    parts = _parts(single=0 not in x.shape)
    items = tuple(site.draw(parts, "part") if item is ONE else item for item in layout)
    return call(x, Subscript(items), result=x.type.like(shape=_subscripted(x.shape, items)))


@op("tf.Tensor.__getitem__(tensors)", call="{0}[{1}, ..., {2}:{3}]", composite=True)
def getitem_by_tensors(site: Site) -> Call:
    """A place along the first axis and a slice along the last, given as tensors."""
    x = site.operand(min_rank=2, fits=_has_a_first)
    place, start, stop = site.draw(
        one_of(*itertools.product((0, -1), (0, 1, -1), (2, -1, 1))), "place, start, stop"
    )
    dtype = site.draw(one_of("int32", "int64"), "given as")
    left = len(range(*slice(start, stop).indices(x.shape[-1])))
    given = (Constant(number, dtype) for number in (place, start, stop))
    return call(x, *given, result=x.type.like(shape=(*x.shape[1:-1], left)))


def _has_a_first(shape: Shape) -> bool:
    return len(shape) > 1 and shape[0] > 0


@cache
def _windows(shape: Shape) -> st.SearchStrategy[tuple[Argument, Argument, Shape]]:
    """Begin, size and the shape of what lies between; -1 stands for all that is left."""
    table: list[tuple[Argument, Argument, Shape]] = []
    for shift, width in ((0, -1), (1, -1), (0, 1), (1, 1), (2, 0), (9, -1)):
        begin = tuple(min(shift, side) for side in shape)
        left = tuple(side - at for side, at in zip(shape, begin, strict=True))
        size = tuple(min(width, side) for side in left)
        out = tuple(side if width < 0 else w for side, w in zip(left, size, strict=True))
        table += [(a, b, out) for a, b in zip(forms(begin), forms(size), strict=True)]
    return st.sampled_from(table)


@op("tf.slice")
def slice_(site: Site) -> Call:
    """A window given by its begin and size."""
    x = site.operand(min_rank=1)
    begin, size, shape = site.draw(_windows(x.shape), "begin and size")
    return call(x, begin, size, result=x.type.like(shape=shape))


@cache
def _places(shape: Shape, side: int) -> st.SearchStrategy[Argument]:
    """Fixed indices of a shape, as Python ints or tensors: all zero, then going round."""

    def nested(numbers: list[int], sides: Shape) -> Any:
        if not sides:
            return numbers.pop()
        return tuple(nested(numbers, sides[1:]) for _ in range(sides[0]))

    size = math.prod(shape)
    several = [nested([(k * step) % side for k in range(size)], shape) for step in (0, 1, 2)]
    return st.sampled_from([form for value in several for form in forms(value)])


def places(
    site: Site, shapes: tuple[Shape, ...], side: int
) -> tuple[Value, Shape] | tuple[Argument, Shape]:
    """Indices into an axis, an input or fixed ones, and which of the shapes they have."""
    full = tuple(shape for shape in shapes if 0 not in shape)
    if side and full and site.draw(one_of("input", "fixed"), "indices as") == "fixed":
        shape = site.draw(one_of(*full), "shape of indices")
        return site.draw(_places(shape, side), "indices"), shape
    indices = site.indices(shapes, 0, side - 1)
    return indices, indices.shape


@cache
def _gather_axes(rank: int, batch: int) -> st.SearchStrategy[tuple[Keywords, int]]:
    """The ``axis`` keyword and the axis that it means: none of the batch axes."""
    later = [axis for axis in axis_table(rank) if axis % rank >= batch]
    named: list[tuple[Keywords, int]] = [({"axis": axis}, axis % rank) for axis in later]
    tensors = [Constant(batch, dtype) for dtype in ("int64", "int32")]
    return st.sampled_from([({}, batch), *named, *(({"axis": axis}, batch) for axis in tensors)])


@cache
def _index_shapes(batch: Shape, room: int, *, empty: bool) -> tuple[Shape, ...]:
    """Shapes of indices that add no more than ``room`` axes; without elements if they must."""
    several = ((0,),) if empty else ((), (1,), (3,), (0,), (2, 2))
    return tuple((*batch, *more) for more in several if len(more) <= room)


@op("tf.gather")
def gather(site: Site) -> Call:
    """Slices by index along an axis, in batches too; indices are often repeated."""
    x = site.operand(min_rank=1)
    batch = site.draw(one_of(*range(min(x.rank, 3))), "batch_dims")
    named, axis = site.draw(_gather_axes(x.rank, batch), "axis")
    batched = {"batch_dims": batch} if batch else {}
    room = MAX_RANK + 1 - x.rank
    shapes = _index_shapes(x.shape[:batch], room, empty=not x.shape[axis])
    indices, shape = places(site, shapes, x.shape[axis])
    out = (*x.shape[:axis], *shape[batch:], *x.shape[axis + 1 :])
    return call(x, indices, **named, **batched, result=x.type.like(shape=out))


@cache
def _nd_gathers(shape: Shape) -> st.SearchStrategy[tuple[Keywords, int, Shape]]:
    """Keywords, the number of batch axes, and the shape of the indices."""
    rank = len(shape)
    table: list[tuple[Keywords, int, Shape]] = []
    for batch in range(min(rank, 2)):
        for depth in range(rank - batch + 1):
            for more in ((), (1,), (3,), (0,), (2, 2)):
                if len(more) + rank - depth <= MAX_RANK and (0 not in shape or 0 in more):
                    named = {"batch_dims": batch} if batch else {}
                    table.append((named, batch, (*shape[:batch], *more, depth)))
    return st.sampled_from(table)


@op("tf.gather_nd")
def gather_nd(site: Site) -> Call:
    """Slices by index along several axes at once, in batches too."""
    x = site.operand(min_rank=1)
    named, batch, shape = site.draw(_nd_gathers(x.shape), "batch_dims")
    depth = shape[-1]
    side = min(x.shape[batch : batch + depth], default=1)
    indices, _ = places(site, (shape,), side)
    out = (*shape[:-1], *x.shape[batch + depth :])
    return call(x, indices, **named, result=x.type.like(shape=out))


def times(bounds: Interval, count: int) -> Interval:
    """Bounds of a sum of none to ``count`` terms."""
    return min(bounds[0] * count, 0.0), max(bounds[1] * count, 0.0)


def _are_rows(shape: Shape) -> bool:
    """Whether there are elements in each row; rows of nothing cannot be placed."""
    return 0 not in shape[1:]


@op("tf.scatter_nd")
def scatter_nd(site: Site) -> Call:
    """Rows added into zeros; those with the same index add up."""
    updates = site.operand(min_rank=1, fits=_are_rows)
    rows = site.draw(one_of(1, 3), "rows")
    indices, _ = places(site, ((updates.shape[0], 1),), rows)
    shape = (rows, *updates.shape[1:])
    bounds = times(updates.bounds, updates.shape[0])
    dtype = indices.dtype if isinstance(indices, Value | Constant) else "int32"
    return call(
        indices,
        updates,
        Constant(shape, dtype),
        result=updates.type.like(shape=shape, bounds=bounds),
    )


@op("tf.tensor_scatter_nd_add")
def tensor_scatter_nd_add(site: Site) -> Call:
    """Rows added to those of a tensor; those with the same index add up."""
    x = site.operand(min_rank=1, fits=has_elements)
    count = site.draw(one_of(1, 2, 0), "rows")
    indices, _ = places(site, ((count, 1),), x.shape[0])
    updates = site.operand(shape=(count, *x.shape[1:]))
    more = times(updates.bounds, count)
    bounds = x.bounds[0] + more[0], x.bounds[1] + more[1]
    return call(x, indices, updates, result=x.type.like(bounds=bounds))


@op("tf.tensor_scatter_nd_update")
def tensor_scatter_nd_update(site: Site) -> Call:
    """Rows put in the place of others; all distinct, as the order of duplicates is undefined."""
    x = site.operand(min_rank=1, fits=has_elements)
    count = site.draw(one_of(1, min(2, x.shape[0]), 0), "rows")
    indices = site.indices(((count, 1),), 0, x.shape[0] - 1, distinct=True)
    updates = site.operand(shape=(count, *x.shape[1:]))
    return call(x, indices, updates, result=x.type.like(bounds=hull(x, updates)))


@cache
def _masks(shape: Shape) -> st.SearchStrategy[tuple[Argument, Keywords, Shape]]:
    """A mask over one or two axes, the axis keyword, and the shape of what is kept."""
    table: list[tuple[Argument, Keywords, Shape]] = []
    for axis in range(len(shape)):
        named = {"axis": axis} if axis else {}
        for pattern in ((True,), (True, False), (False, True, True), (False,)):
            mask = tuple(itertools.islice(itertools.cycle(pattern), shape[axis]))
            table.append((mask, named, replaced(shape, axis, sum(mask))))
    if len(shape) > 1:
        rows = tuple(tuple((i + j) % 2 == 0 for j in range(shape[1])) for i in range(shape[0]))
        table.append((rows, {}, (sum(map(sum, rows)), *shape[2:])))
    return st.sampled_from(table)


@op("tf.boolean_mask")
def boolean_mask(site: Site) -> Call:
    """What a fixed mask keeps, over one axis or two."""
    x = site.operand(min_rank=1, fits=has_elements)
    mask, named, shape = site.draw(_masks(x.shape), "mask")
    return call(x, mask, **named, result=x.type.like(shape=shape))


@cache
def segment_ids(side: int) -> st.SearchStrategy[tuple[Constant, int]]:
    """Ascending ids with repeats and gaps, and the number of segments."""
    table = [
        (Constant(ids, dtype), ids[-1] + 1 if ids else 0)
        for ids in dict.fromkeys(
            tuple(first + k * step // 2 for k in range(side))
            for first in (0, 1)
            for step in (0, 1, 2, 4)
        )
        for dtype in ("int32", "int64")
    ]
    return st.sampled_from(table)


def segments(name: str, *, adds: bool) -> Op:
    """Register a reduction of segments whose ids are sorted and fixed, as they give the shape."""

    def build(site: Site) -> Call:
        x = site.operand(min_rank=1)
        ids, count = site.draw(segment_ids(x.shape[0]), "segment ids")
        bounds = times(x.bounds, x.shape[0] if adds else 1)
        result = x.type.like(shape=(count, *x.shape[1:]), bounds=bounds)
        return call(x, ids, result=result)

    return op(name)(build)


def unsorted_segments(name: str, *, adds: bool, **fields: Any) -> Op:
    """Register a reduction of segments in any order; rows whose id is negative are dropped."""

    def build(site: Site) -> Call:
        x = site.operand(min_rank=1)
        count = site.draw(one_of(1, 2, 4), "num_segments")
        lowest = site.draw(one_of(0, -1), "lowest id")
        ids = site.indices((x.shape[:1],), lowest, count - 1)
        bounds = times(x.bounds, x.shape[0] if adds else 1)
        result = x.type.like(shape=(count, *x.shape[1:]), bounds=bounds)
        return call(x, ids, count, result=result)

    return op(name, **fields)(build)


segments("tf.math.segment_sum", adds=True)
segments("tf.math.segment_mean", adds=False)
unsorted_segments("tf.math.unsorted_segment_sum", adds=True)
unsorted_segments("tf.math.unsorted_segment_mean", adds=False, dtypes=FLOATS)


@cache
def _hot_axes(rank: int) -> st.SearchStrategy[tuple[Keywords, int]]:
    named: list[tuple[Keywords, int]] = [({"axis": a}, a % (rank + 1)) for a in range(-1, rank + 1)]
    return st.sampled_from([({}, rank), *named])


@op("tf.one_hot")
def one_hot(site: Site) -> Call:
    """A one in the place that an index names; takes integers alone."""
    depth = site.draw(one_of(1, 3, 4), "depth")
    indices = site.indices(((), (1,), (3,), (2, 2), (0,)), -1, depth)
    shape = indices.shape
    named, at = site.draw(_hot_axes(len(shape)), "axis")
    result = indices.type.like((*shape[:at], depth, *shape[at:]), (0, 1), site.dtype)
    return call(indices, depth, **named, dtype=DType(site.dtype), result=result)


# an entry of its own, as there is no gradient of the values
@op("tf.one_hot(on_value, off_value)", call="tf.one_hot", alone=True)
def one_hot_values(site: Site) -> Call:
    """One operand in the place that an index names, another one everywhere else."""
    depth = site.draw(one_of(1, 3, 4), "depth")
    indices = site.indices(((), (1,), (3,), (2, 2), (0,)), -1, depth)
    on, off = site.operand(shape=()), site.operand(shape=())
    shape = indices.shape
    named, at = site.draw(_hot_axes(len(shape)), "axis")
    bounds = min(on.bounds[0], off.bounds[0]), max(on.bounds[1], off.bounds[1])
    result = on.type.like((*shape[:at], depth, *shape[at:]), bounds)
    return call(indices, depth, on_value=on, off_value=off, **named, result=result)
