"""Ops of ``tf`` that move elements around: shape, order, joining, splitting and padding."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import FLOATS
from strategies.graphs import Argument, Constant
from strategies.ops.choices import (
    Keywords,
    can_grow,
    forms,
    given_axis,
    has_elements,
    keywords,
    one_of,
    optional_axis,
    per_axis,
    replaced,
)
from strategies.ops.site import MAX_RESULT_SIZE, Site
from strategies.ops.spec import Call, call, op
from strategies.shapes import MAX_RANK, Shape, axis_table, broadcast, permutations, shape_table
from strategies.tensors import Value
from strategies.values import Interval


@op("tf.expand_dims")
def expand_dims(site: Site) -> Call:
    """One axis more."""
    x = site.operand(fits=can_grow)
    axis, at = given_axis(site, x.rank + 1, "int32", "int64")
    return call(x, axis, result=x.type.like(shape=(*x.shape[:at], 1, *x.shape[at:])))


@cache
def _squeezes(shape: Shape) -> st.SearchStrategy[tuple[Keywords, Shape]]:
    ones = [a for a, side in enumerate(shape) if side == 1]
    table: list[tuple[Keywords, Shape]] = [({}, tuple(s for s in shape if s != 1))]
    for axis in ones:
        left = shape[:axis] + shape[axis + 1 :]
        table += [({"axis": axis}, left), ({"axis": (axis - len(shape),)}, left)]
    return st.sampled_from(table)


@op("tf.squeeze")
def squeeze(site: Site) -> Call:
    """Fewer axes: all of size one, or those named."""
    x = site.operand()
    named, shape = site.draw(_squeezes(x.shape), "axis")
    return call(x, **named, result=x.type.like(shape=shape))


MANY_AXES = 3
"""From this rank on, only short sides are tried."""


@cache
def _reshapes(size: int) -> st.SearchStrategy[tuple[Argument, Shape]]:
    """Shapes of this many elements as they are given, with -1 in them too, and as they come out."""
    table: list[tuple[Argument, Shape]] = []
    for rank in range(MAX_RANK + 1):
        sides = itertools.product(
            [d for d in range(size + 1) if not d or not size % d], repeat=rank
        )
        if rank >= MANY_AXES:
            sides = itertools.product([d for d in (0, 1, 2, 3, 4) if d <= size], repeat=rank)
        fitting = [s for s in sides if math.prod(s) == size][:24]
        for number, shape in enumerate(fitting):
            table.append((shape, shape))
            if rank and size:
                guessed = replaced(shape, number % rank, -1)
                table += [(form, shape) for form in (guessed, forms(guessed)[1 + number % 2])]
    return st.sampled_from(table)


@op("tf.reshape")
def reshape(site: Site) -> Call:
    """Another shape of as many elements, one side left to be guessed or none."""
    x = site.operand()
    given, shape = site.draw(_reshapes(x.size), "shape")
    return call(x, given, result=x.type.like(shape=shape))


@op("tf.transpose")
def transpose(site: Site) -> Call:
    """The axes reversed or permuted, conjugated if asked."""
    x = site.operand()
    perm = site.draw(permutations(x.rank), "perm")
    named: dict[str, Any] = {}
    if perm != tuple(reversed(range(x.rank))):
        dtype = site.draw(one_of(None, "int32", "int64"), "perm given as")
        named["perm"] = Constant(perm, dtype) if dtype else perm
    if x.is_complex:
        named |= site.draw(keywords("conjugate", (True,)), "conjugate")
    return call(x, **named, result=x.type.like(shape=tuple(x.shape[a] for a in perm)))


@op("tf.reverse")
def reverse(site: Site) -> Call:
    """One axis backwards, several or none."""
    x = site.operand(min_rank=1)
    several = site.draw(_axis_lists(x.rank), "axis")
    dtype = site.draw(one_of(None, "int32", "int64"), "axis given as")
    return call(x, axis=Constant(several, dtype) if dtype else several, result=x.type)


@cache
def _axis_lists(rank: int) -> st.SearchStrategy[tuple[int, ...]]:
    single = [(axis,) for axis in axis_table(rank)]
    return st.sampled_from([(0,), (), *single[1:], tuple(range(rank))])


@op("tf.roll")
def roll(site: Site) -> Call:
    """Shifted round along one axis, or along several at once and one of them twice."""
    x = site.operand(min_rank=1)
    axis, at = given_axis(site, x.rank, "int32", "int64")
    shift = site.draw(one_of(1, -1, 2, 0, -5), "shift")
    if site.draw(one_of("one axis", "several"), "axes") == "several":
        return call(x, shift=(shift, 1, 1), axis=(at, at - x.rank, 0), result=x.type)
    dtype = site.draw(one_of(None, "int32", "int64"), "shift given as")
    return call(x, shift=Constant(shift, dtype) if dtype else shift, axis=axis, result=x.type)


@cache
def _larger(shape: Shape) -> st.SearchStrategy[tuple[Argument, Shape]]:
    """Shapes to which one broadcasts, as ints and as tensors."""
    table = [
        (form, target)
        for target in (
            shape,
            *dict.fromkeys(shape_table(0, MAX_RANK, 24)),
            (2, *shape),
            (0, *shape),
        )
        if broadcast(shape, target) == target and len(target) <= MAX_RANK
        for form in forms(target)
    ]
    return st.sampled_from(table[:300])


@op("tf.broadcast_to")
def broadcast_to(site: Site) -> Call:
    """Sides of one grown, and axes added in front."""
    x = site.operand()
    given, shape = site.draw(_larger(x.shape), "shape")
    return call(x, given, result=x.type.like(shape=shape))


@cache
def _tiles(rank: int) -> st.SearchStrategy[tuple[Argument, tuple[int, ...]]]:
    lists = per_axis(rank, (1, 2, 3, 0), 1)
    return st.sampled_from([(form, times) for times in lists for form in forms(times)])


@op("tf.tile")
def tile(site: Site) -> Call:
    """Copies side by side, also none."""
    x = site.operand(max_rank=3)
    given, times = site.draw(_tiles(x.rank), "multiples")
    shape = tuple(side * count for side, count in zip(x.shape, times, strict=True))
    return call(x, given, result=x.type.like(shape=shape))


@cache
def _repeats(shape: Shape) -> st.SearchStrategy[tuple[Argument, Keywords, Shape]]:
    size = math.prod(shape)
    table: list[tuple[Argument, Keywords, Shape]] = [
        (form, {}, (n * size,)) for n in (1, 2, 3, 0) for form in forms(n)
    ]
    for axis in axis_table(len(shape)):
        side = shape[axis]
        uneven = tuple((3 * i + 1) % 4 for i in range(side))
        for given, total in ((2, 2 * side), (uneven, sum(uneven))):
            at = axis % len(shape)
            made = replaced(shape, at, total)
            table += [(form, {"axis": axis}, made) for form in forms(given)]
    return st.sampled_from(table)


@op("tf.repeat")
def repeat(site: Site) -> Call:
    """Each element several times, equally often or not; without an axis the result is flat."""
    x = site.operand(fits=has_elements)
    times, named, shape = site.draw(_repeats(x.shape), "repeats")
    return call(x, times, **named, result=x.type.like(shape=shape))


@cache
def _paddings(*, reflects: bool) -> st.SearchStrategy[Keywords]:
    """The mode, unless it is the plain one, and what is filled in."""
    table: list[Keywords] = [{}, {"mode": "SYMMETRIC"}]
    table += [{"constant_values": 1.5}, {"constant_values": -2.0}]
    return st.sampled_from([*table, *[{"mode": "REFLECT"}] * reflects])


PAD_WIDTHS = ((1, 0), (0, 0), (0, 1), (1, 1), (2, 1))


@cache
def _pads(shape: Shape, mode: str) -> st.SearchStrategy[tuple[Argument, Shape]]:
    table: list[tuple[Argument, Shape]] = []
    for widths in per_axis(len(shape), PAD_WIDTHS, (0, 0)):
        padded = tuple(side + a + b for side, (a, b) in zip(shape, widths, strict=True))
        most = {"CONSTANT": 2, "REFLECT": -1, "SYMMETRIC": 0}[mode]
        sides = shape if mode != "CONSTANT" else (0,) * len(shape)
        fits = all(max(w) <= max(side + most, 0) for side, w in zip(sides, widths, strict=True))
        if fits and math.prod(padded) <= MAX_RESULT_SIZE:
            table += [(form, padded) for form in forms(widths)]
    return st.sampled_from(table)


@op("tf.pad")
def pad(site: Site) -> Call:
    """Elements added at the ends: a constant, or the tensor mirrored."""
    x = site.operand(min_rank=1, fits=_leaves_room)
    named = site.draw(_paddings(reflects=has_elements(x.shape)), "mode, constant_values")
    given, shape = site.draw(_pads(x.shape, named.get("mode", "CONSTANT")), "paddings")
    fill = named.get("constant_values", 0.0)
    bounds = min(x.bounds[0], fill), max(x.bounds[1], fill)
    return call(x, given, **named, result=x.type.like(shape=shape, bounds=bounds))


def _leaves_room(shape: Shape) -> bool:
    return math.prod(shape) <= MAX_RESULT_SIZE


def hull(*values: Value) -> Interval:
    """Bounds of whatever is one of several values."""
    return min(v.bounds[0] for v in values), max(v.bounds[1] for v in values)


@cache
def _along(shape: Shape, axis: int) -> tuple[Shape, ...]:
    return tuple(replaced(shape, axis, side) for side in (1, 2, 0, 3))


@op("tf.concat")
def concat(site: Site) -> Call:
    """One to three tensors end to end; of one alone comes the very same tensor."""
    x = site.operand(min_rank=1)
    axis, at = given_axis(site, x.rank, "int32")

    def fits(shape: Shape) -> bool:
        return len(shape) == x.rank and replaced(shape, at, x.shape[at]) == x.shape

    count = site.draw(one_of(1, 2, 3), "count")
    fresh = _along(x.shape, at)
    parts = [x, *(site.operand(fits=fits, fresh=fresh) for _ in range(count - 1))]
    shape = replaced(x.shape, at, sum(p.shape[at] for p in parts))
    return call(tuple(parts), axis, result=x.type.like(shape=shape, bounds=hull(*parts)))


@op("tf.stack")
def stack(site: Site) -> Call:
    """One to three tensors of one shape beside each other."""
    x = site.operand(fits=can_grow)
    named, at = site.draw(_stack_axes(x.rank + 1), "axis")
    count = site.draw(one_of(1, 2, 3), "count")
    parts = [x, *(site.operand(shape=x.shape) for _ in range(count - 1))]
    shape = (*x.shape[:at], count, *x.shape[at:])
    return call(tuple(parts), **named, result=x.type.like(shape=shape, bounds=hull(*parts)))


@cache
def _stack_axes(rank: int) -> st.SearchStrategy[tuple[Keywords, int]]:
    named: list[tuple[Keywords, int]] = [({"axis": a}, a % rank) for a in axis_table(rank)]
    return st.sampled_from([({}, 0), *named])


@op("tf.identity_n")
def identity_n(site: Site) -> Call:
    """Two operands as they are."""
    x = site.operand()
    y = site.operand()
    return call((x, y), result=[x.type, y.type])


@op("tf.unstack")
def unstack(site: Site) -> Call:
    """The slices along an axis."""
    x = site.operand(min_rank=1, fits=has_elements)
    named, at = site.draw(optional_axis(x.shape, 0), "axis")
    count = site.draw(keywords("num", (x.shape[at],)), "num")
    part = x.type.like(shape=x.shape[:at] + x.shape[at + 1 :])
    return call(x, **named, **count, result=[part] * x.shape[at])


@cache
def _splits(side: int) -> st.SearchStrategy[tuple[Argument, tuple[int, ...]]]:
    """Equal parts, by their number, or sizes, one of them left to be guessed or zero."""
    parts = [d for d in range(1, side + 1) if not side % d] or [1, 2]
    equal: list[tuple[Argument, tuple[int, ...]]] = [(d, (side // d,) * d) for d in parts]
    head = side // 2
    sizes = [(side,), (head, side - head), (0, side)]
    guessed: list[tuple[Argument, tuple[int, ...]]] = [((-1, side - head), (head, side - head))]
    return st.sampled_from([*equal, *((form, s) for s in sizes for form in forms(s)), *guessed])


@op("tf.split")
def split(site: Site) -> Call:
    """Parts along an axis, equal or not."""
    x = site.operand(min_rank=1)
    named, at = site.draw(_stack_axes(x.rank), "axis")
    dtype = site.draw(one_of(None, "int32"), "axis given as") if named else None
    if dtype:
        named = {"axis": Constant(named["axis"], dtype)}
    given, sizes = site.draw(_splits(x.shape[at]), "num_or_size_splits")
    parts = [x.type.like(shape=replaced(x.shape, at, size)) for size in sizes]
    return call(x, given, **named, result=parts)


@op("tf.where")
def where(site: Site) -> Call:
    """One of two tensors, element by element, by a comparison or a bool input."""
    x = site.operand()
    y = site.partner(x)
    both = broadcast(x.shape, y.shape) or ()
    condition = site.condition(both)
    shape = broadcast(both, condition.shape)
    return call(condition, x, y, result=x.type.like(shape=shape, bounds=hull(x, y)))


@op("tf.sort", dtypes=FLOATS, ties=True)
def sort(site: Site) -> Call:
    """Sorted along an axis, the last if none is named."""
    x = site.operand(min_rank=1, fits=has_elements)
    named, _ = site.draw(optional_axis(x.shape, -1), "axis")
    order = site.draw(keywords("direction", ("ASCENDING", "DESCENDING")), "direction")
    return call(x, **named, **order, result=x.type)


# an entry of its own, as there the gradient raises
@op("tf.sort(no columns)", call="tf.sort", dtypes=FLOATS, alone=True)
def sort_no_columns(site: Site) -> Call:
    """Nothing to sort in each row."""
    x = site.operand(shape=site.draw(one_of((0,), (2, 0), (0, 0), (1, 3, 0)), "shape"))
    return call(x, result=x.type)


@op("tf.math.top_k", dtypes=FLOATS, ties=True)
def top_k(site: Site) -> Call:
    """The largest elements of each row, and their places."""
    x = site.operand(min_rank=1, fits=has_elements)
    k = site.draw(_counts(x.shape[-1]), "k")
    order = site.draw(keywords("sorted", (True,)), "sorted")
    shape = (*x.shape[:-1], k.get("k", 1))
    places = x.type.like(shape=shape, bounds=(0, x.shape[-1] - 1), dtype="int32")
    return call(x, **k, **order, result=[x.type.like(shape=shape), places])


@cache
def _counts(most: int) -> st.SearchStrategy[Keywords]:
    return st.sampled_from([{}, *({"k": k} for k in range(most + 1))])
