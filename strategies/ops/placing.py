"""Ops of ``tf`` that part, join and overwrite by index, and those that hand a tensor through."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import FLOATS
from strategies.graphs import Argument, Constant
from strategies.ops.array import hull
from strategies.ops.choices import forms, has_elements, one_of
from strategies.ops.indexing import places, times
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, call, op
from strategies.shapes import MAX_RANK, Shape, axis_table


@cache
def _turns(shape: Shape) -> st.SearchStrategy[tuple[Argument, int, int]]:
    """How far each row is reversed, along which axis, and which one the rows are counted by."""
    table: list[tuple[Argument, int, int]] = []
    rank = len(shape)
    for seq, batch in itertools.permutations(range(rank), 2):
        full = tuple((shape[seq] - k) % (shape[seq] + 1) for k in range(shape[batch]))
        for lengths in ((shape[seq],) * shape[batch], full):
            table += [(Constant(lengths, dtype), seq, batch) for dtype in ("int32", "int64")]
            table.append((lengths, seq, batch))
    return st.sampled_from(table)


@op("tf.reverse_sequence")
def reverse_sequence(site: Site) -> Call:
    """The beginning of each row backwards, as far as its length says."""
    x = site.operand(min_rank=2, fits=has_elements)
    lengths, seq, batch = site.draw(_turns(x.shape), "lengths and axes")
    return call(x, lengths, seq_axis=seq, batch_axis=batch, result=x.type)


def _nested(numbers: list[int], sides: Shape) -> Any:
    if not sides:
        return numbers.pop(0)
    return tuple(_nested(numbers, sides[1:]) for _ in range(sides[0]))


@cache
def _partitions(shape: Shape) -> st.SearchStrategy[tuple[Constant, int, tuple[int, ...], int]]:
    """The part of each place, the number of parts, how much each gets, and the axes of places."""
    table: list[tuple[Constant, int, tuple[int, ...], int]] = []
    for axes in (1, 2, 0):
        if axes > len(shape):
            continue
        size = 1
        for side in shape[:axes]:
            size *= side
        for count, step in ((1, 1), (2, 1), (3, 2), (4, 3)):
            parts = [(k * step) % count for k in range(size)]
            value = _nested(list(parts), shape[:axes])
            sizes = tuple(parts.count(part) for part in range(count))
            table.append((Constant(value, "int32", shape[:axes]), count, sizes, axes))
    return st.sampled_from(table)


@op("tf.dynamic_partition")
def dynamic_partition(site: Site) -> Call:
    """The rows that go into each of several parts, some of them empty."""
    x = site.operand(min_rank=1)
    parts, count, sizes, axes = site.draw(_partitions(x.shape), "partitions")
    results = [x.type.like((size, *x.shape[axes:])) for size in sizes]
    return call(x, parts, count, result=results)


STITCHES: tuple[tuple[Any, ...], ...] = (
    ((0,),),
    ((1, 0),),
    ((1,), (0, 2)),
    (0, (2, 1)),
    (((0, 3), (1, 2)), ()),
    ((2, 0), 1, (3,)),
)
"""Numbers of rows, each once, as they are given: a tensor for each operand."""
OVERWRITING: tuple[tuple[Any, ...], ...] = (
    ((0, 0),),
    ((0, 1), (1, 2)),
    ((2, 1, 0), 1),
)
"""The same, where a later row takes the place of one before it."""


def _sides(indices: Any) -> Shape:
    return (
        (len(indices), *(_sides(indices[0]) if indices else ())) if type(indices) is tuple else ()
    )


def _count(indices: Any) -> int:
    """One more than the largest of nested numbers."""
    if type(indices) is tuple:
        return max(map(_count, indices), default=0)
    return 1 + int(indices)


def stitch(name: str, *layouts: tuple[Any, ...]) -> Op:
    """Register an op that puts rows of several tensors where indices say."""

    def build(site: Site) -> Call:
        layout = site.draw(one_of(*layouts), "indices")
        first = _sides(layout[0])
        data = [
            site.operand(
                min_rank=len(first),
                max_rank=MAX_RANK - 1 + len(first),
                fits=lambda shape: shape[: len(first)] == first and 0 not in shape,
                fresh=tuple((*first, *more) for more in ((), (1,), (2,), (2, 2))),
            )
        ]
        row = data[0].shape[len(first) :]
        data += [site.operand(shape=(*_sides(indices), *row)) for indices in layout[1:]]
        given = tuple(Constant(indices, "int32") for indices in layout)
        result = data[0].type.like((_count(layout), *row), hull(*data))
        return call(indices=given, data=tuple(data), result=result)

    return op(name)(build)


stitch("tf.dynamic_stitch", *STITCHES, *OVERWRITING)
stitch("tf.raw_ops.ParallelDynamicStitch", *STITCHES)  # the order of duplicates is undefined


@cache
def _known_shapes(shape: Shape) -> st.SearchStrategy[Argument]:
    return st.sampled_from([shape, *(((None, *shape[1:]),) if shape else ()), (None,) * len(shape)])


@op("tf.ensure_shape")
def ensure_shape(site: Site) -> Call:
    """The tensor itself, told its shape, or part of it."""
    x = site.operand()
    return call(x, site.draw(_known_shapes(x.shape), "shape"), result=x.type)


@op("tf.tensor_scatter_nd_sub")
def tensor_scatter_nd_sub(site: Site) -> Call:
    """Rows taken from those of a tensor, also the same one twice."""
    x = site.operand(min_rank=1, fits=has_elements)
    count = site.draw(one_of(1, 2, 0), "rows")
    indices, _ = places(site, ((count, 1),), x.shape[0])
    updates = site.operand(shape=(count, *x.shape[1:]))
    less = times(updates.bounds, count)
    bounds = x.bounds[0] - less[1], x.bounds[1] - less[0]
    return call(x, indices, updates, result=x.type.like(bounds=bounds))


def scatter_extremes(name: str) -> Op:
    """Register an op that keeps the extreme of what is there and all that comes."""

    def build(site: Site) -> Call:
        x = site.operand(min_rank=1, fits=has_elements)
        count = site.draw(one_of(1, 2, 0), "rows")
        indices, _ = places(site, ((count, 1),), x.shape[0])
        updates = site.operand(shape=(count, *x.shape[1:]))
        return call(x, indices, updates, result=x.type.like(bounds=hull(x, updates)))

    return op(name, dtypes=FLOATS, ties=True)(build)


scatter_extremes("tf.tensor_scatter_nd_max")
scatter_extremes("tf.tensor_scatter_nd_min")


@op("tf.raw_ops.ScatterNdNonAliasingAdd", call="tf.raw_ops.ScatterNdNonAliasingAdd({named})")
def scatter_nd_non_aliasing_add(site: Site) -> Call:
    """Rows added to those of a tensor; those with the same index add up."""
    x = site.operand(min_rank=1, fits=has_elements)
    count = site.draw(one_of(1, 2, 0), "rows")
    indices, _ = places(site, ((count, 1),), x.shape[0])
    updates = site.operand(shape=(count, *x.shape[1:]))
    more = times(updates.bounds, count)
    bounds = x.bounds[0] + more[0], x.bounds[1] + more[1]
    return call(input=x, indices=indices, updates=updates, result=x.type.like(bounds=bounds))


Window = dict[str, Argument]


@cache
def _cuts(shape: Shape) -> st.SearchStrategy[tuple[Window, Shape]]:
    """Begin, end, strides and masks of a window, and its shape."""
    table: list[tuple[Window, Shape]] = []
    plain = [slice(0, side, 1) for side in shape]
    for axis, side in enumerate(shape):
        for part in (plain[axis], slice(0, 1, 1), slice(1, side, 2), slice(0, 0, 1)):
            parts = [*plain[:axis], part, *plain[axis + 1 :]]
            out = (*shape[:axis], len(range(side)[part]), *shape[axis + 1 :])
            begin, end = tuple(p.start for p in parts), tuple(p.stop for p in parts)
            given = zip(forms(begin), forms(end), forms(tuple(p.step for p in parts)), strict=True)
            table += [({"begin": b, "end": e, "strides": s}, out) for b, e, s in given]
    backwards: Window = {
        "begin": (-1,),
        "end": (0,),
        "strides": (-1,),
        "begin_mask": 1,
        "end_mask": 1,
    }
    first: Window = {"begin": (0,), "end": (1,), "strides": (1,), "shrink_axis_mask": 1}
    table += [(backwards, shape), (first, shape[1:])]
    if len(shape) < MAX_RANK:
        grown: Window = {"begin": (0,), "end": (0,), "strides": (1,), "new_axis_mask": 1}
        table.append((grown, (1, *shape)))
    return st.sampled_from(table)


@op("tf.raw_ops.TensorStridedSliceUpdate")
def tensor_strided_slice_update(site: Site) -> Call:
    """A window, with strides, single places and new axes, that is overwritten."""
    x = site.operand(min_rank=1, fits=has_elements)
    named, shape = site.draw(_cuts(x.shape), "window")
    value = site.operand(shape=shape)
    return call(input=x, **named, value=value, result=x.type.like(bounds=hull(x, value)))


@op("tf.raw_ops.Reverse")
def reverse(site: Site) -> Call:
    """The axes backwards of which it is said so; of no rows the kernel refuses some."""
    x = site.operand(min_rank=1, fits=has_elements)
    which = site.draw(one_of(*itertools.product((True, False), repeat=x.rank)), "dims")
    return call(tensor=x, dims=which, result=x.type)


@op("tf.raw_ops.Concat")
def concat(site: Site) -> Call:
    """Two or three tensors end to end; the axis comes first, counted from the front."""
    x = site.operand(min_rank=1)
    axis = site.draw(one_of(*axis_table(x.rank)), "axis")
    count = site.draw(one_of(2, 3), "count")
    parts = [x, *(site.operand(shape=x.shape) for _ in range(count - 1))]
    at = axis % x.rank
    shape = (*x.shape[:at], count * x.shape[at], *x.shape[at + 1 :])
    return call(concat_dim=axis, values=tuple(parts), result=x.type.like(shape, hull(*parts)))


@op("tf.raw_ops.Gather")
def gather(site: Site) -> Call:
    """Rows by index."""
    x = site.operand(min_rank=1, fits=has_elements, max_rank=MAX_RANK - 1)
    indices, shape = places(site, ((), (1,), (3,), (0,), (2, 2)), x.shape[0])
    named = site.draw(one_of((), (False,)), "validate_indices")
    more = {"validate_indices": False} if named else {}
    result = x.type.like((*shape, *x.shape[1:]))
    return call(params=x, indices=indices, **more, result=result)


@op("tf.raw_ops.PlaceholderWithDefault")
def placeholder_with_default(site: Site) -> Call:
    """The default, as nothing else is fed."""
    x = site.operand()
    return call(input=x, shape=site.draw(_known_shapes(x.shape), "shape"), result=x.type)


@op("tf.raw_ops.Print")
def print_(site: Site) -> Call:
    """The tensor itself; nothing is printed where no more than the first 0 calls are to be."""
    x = site.operand()
    return call(input=x, data=("",), first_n=0, result=x.type)


@op("tf.raw_ops.DebugIdentityV2", composite=True)
def debug_identity(site: Site) -> Call:
    """The tensor itself, which is shown to nobody."""
    x = site.operand()
    return call(input=x, result=x.type)


@op("tf.raw_ops.PreventGradient", alone=True)
def prevent_gradient(site: Site) -> Call:
    """The tensor itself; its gradient is the LookupError that says so, which counts as a gap."""
    x = site.operand()
    return call(input=x, message="none", result=x.type)
