"""Ops of ``tf.sparse``: a template makes a sparse tensor of values, and the result dense again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

from strategies.dtypes import FLOATS
from strategies.graphs import Argument, Constant
from strategies.ops.choices import (
    FLAG,
    KEEPDIMS,
    Keywords,
    has_elements,
    keywords,
    one_of,
    reduced,
)
from strategies.ops.lists import or_zero
from strategies.ops.math import KINK_AT_ZERO, NONZERO
from strategies.ops.site import Site, fits_beside
from strategies.ops.spec import Call, Op, around_zero, call, op
from strategies.shapes import Shape, axes_of, axis_choices
from strategies.tensors import Value
from strategies.values import REAL, Domain

FIRST = "tf.SparseTensor({1}, {0}, {2})"
SECOND = "tf.SparseTensor({4}, {3}, {5})"
DENSE_SHAPES: tuple[Shape, ...] = (
    (1,),
    (3,),
    (1, 1),
    (2, 3),
    (3, 2),
    (4, 1),
    (2, 1, 2),
    (2, 2, 3),
    (0, 2),
)
Places = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Sparse:
    """A sparse tensor: its values as an operand, where they are, and its dense shape."""

    values: Value
    places: Places
    shape: Shape

    @property
    def args(self) -> tuple[Value, Constant, Constant]:
        """The arguments of the template, in its order."""
        return self.values, indices(self.places, self.shape), Constant(self.shape, "int64")


def indices(places: Places, shape: Shape) -> Constant:
    """Places in a tensor of a shape, as a tensor."""
    return Constant(places, "int64", (len(places), len(shape)))


@cache
def places_in(shape: Shape) -> st.SearchStrategy[Places]:
    """The first cell, all, some, the first row left out, or none, in row-major order."""
    cells = tuple(itertools.product(*map(range, shape)))
    later = tuple(cell for cell in cells if cell[0])
    return st.sampled_from(
        list(dict.fromkeys([cells[:1], cells, cells[1::2], cells[::3], later[::2], ()]))
    )


@cache
def dense_shapes(
    min_rank: int, max_rank: int, fits: Callable[[Shape], bool] | None
) -> st.SearchStrategy[Shape]:
    """Shapes of a few elements, between two ranks."""
    ranked = [s for s in DENSE_SHAPES if min_rank <= len(s) <= max_rank]
    return st.sampled_from([s for s in ranked if fits is None or fits(s)])


def sparse(  # noqa: PLR0913 - all by keyword, and most left out
    site: Site,
    *,
    shape: Shape | None = None,
    min_rank: int = 1,
    max_rank: int = 3,
    fits: Callable[[Shape], bool] | None = None,
    domain: Domain = REAL,
) -> Sparse:
    """A sparse operand, of that dense shape if one is given."""
    if shape is None:
        shape = site.draw(dense_shapes(min_rank, max_rank, fits), "dense shape")
    places = site.draw(places_in(shape), "places")
    return Sparse(site.operand(shape=(len(places),), domain=domain), places, shape)


def dense(text: str) -> str:
    """A template: a sparse tensor made dense."""
    return f"tf.sparse.to_dense({text})"


@op("tf.sparse.to_dense", call=f"tf.sparse.to_dense({FIRST}, {{named}})")
def to_dense(site: Site) -> Call:
    """Filled up with zeros, or with another tensor's one element."""
    x = sparse(site)
    if not site.draw(FLAG, "default_value"):
        return call(*x.args, result=x.values.type.like(x.shape, or_zero(x.values)))
    default = site.operand(shape=())
    result = x.values.type.like(x.shape, or_zero(x.values, default))
    return call(*x.args, default_value=default, result=result)


@op("tf.sparse.from_dense", call=dense("tf.sparse.from_dense({0})"))
def from_dense(site: Site) -> Call:
    """All elements, as none of them is zero."""
    x = site.operand(min_rank=1, domain=NONZERO, fits=has_elements)
    return call(x, result=x.type.like(bounds=or_zero(x)))


def _sum(a: Value, b: Value) -> tuple[float, float]:
    return around_zero(a.bound + b.bound)


@op("tf.sparse.add", call=dense(f"tf.sparse.add({FIRST}, {SECOND})"))
def add(site: Site) -> Call:
    """Sums of two sparse tensors whose elements stand in other places."""
    a = sparse(site)
    b = sparse(site, shape=a.shape)
    result = a.values.type.like(a.shape, _sum(a.values, b.values))
    return call(*a.args, *b.args, result=result)


@op(
    "tf.raw_ops.SparseTensorDenseAdd",
    call="tf.raw_ops.SparseTensorDenseAdd(a_values={0}, a_indices={1}, a_shape={2}, b={3})",
)
def add_dense(site: Site) -> Call:
    """A sparse tensor and a dense one of its shape."""
    a = sparse(site)
    b = site.operand(shape=a.shape)
    return call(*a.args, b, result=b.type.like(bounds=_sum(a.values, b)))


@cache
def _beside(shape: Shape) -> tuple[Shape, ...]:
    """Shapes that broadcast to this one, simplest first."""
    ones = itertools.product((True, False), repeat=len(shape))
    single = [tuple(1 if o else s for s, o in zip(shape, one, strict=True)) for one in ones]
    return tuple(dict.fromkeys([*single, *(shape[k:] for k in range(1, len(shape)))]))


def _beside_dense(site: Site, a: Sparse, domain: Domain = REAL) -> Value:
    """A dense operand that broadcasts to the shape of the sparse one."""

    def fits(shape: Shape) -> bool:
        return shape in _beside(a.shape) and fits_beside(shape, a.shape)

    return site.operand(fits=fits, fresh=_beside(a.shape), domain=domain, min_rank=1)


@op("tf.SparseTensor.__mul__", call=dense(f"{FIRST} * {{3}}"), dtypes=FLOATS)
def multiply(site: Site) -> Call:
    """A sparse tensor times a dense one that broadcasts to its shape."""
    a = sparse(site, fits=has_elements)
    b = _beside_dense(site, a)
    bounds = around_zero(a.values.bound * b.bound)
    return call(*a.args, b, result=a.values.type.like(a.shape, bounds))


@op("tf.SparseTensor.__truediv__", call=dense(f"{FIRST} / {{3}}"), dtypes=FLOATS)
def divide(site: Site) -> Call:
    """A sparse tensor by a dense one that broadcasts to its shape."""
    a = sparse(site, fits=has_elements)
    b = _beside_dense(site, a, NONZERO)
    bounds = around_zero(a.values.bound * 8)
    return call(*a.args, b, result=a.values.type.like(a.shape, bounds))


@op(
    "tf.raw_ops.SparseDenseCwiseAdd",
    call=dense(
        "tf.SparseTensor({1}, tf.raw_ops.SparseDenseCwiseAdd("
        "sp_values={0}, sp_indices={1}, sp_shape={2}, dense={3}), {2})"
    ),
    dtypes=FLOATS,
)
def cwise_add(site: Site) -> Call:
    """A dense tensor added where the sparse one has elements; no gradient is implemented."""
    a = sparse(site, fits=has_elements)
    b = _beside_dense(site, a)
    return call(*a.args, b, result=a.values.type.like(a.shape, _sum(a.values, b)))


@op("tf.sparse.fill_empty_rows", call=dense(f"tf.sparse.fill_empty_rows({FIRST}, {{3}})[0]"))
def fill_empty_rows(site: Site) -> Call:
    """A default in the first place of each row without elements."""
    a = sparse(site, min_rank=2, max_rank=2, fits=has_elements)
    default = site.operand(shape=())
    result = a.values.type.like(a.shape, or_zero(a.values, default))
    return call(*a.args, default, result=result)


def extreme(name: str) -> Op:
    """Register the extreme of two sparse tensors; what one of them lacks is 0."""

    def build(site: Site) -> Call:
        a = sparse(site, domain=KINK_AT_ZERO)
        b = sparse(site, shape=a.shape, domain=KINK_AT_ZERO)
        result = a.values.type.like(a.shape, or_zero(a.values, b.values))
        return call(*a.args, *b.args, result=result)

    text = dense(f"{name}({FIRST}, {SECOND})")
    return op(name, call=text, dtypes=FLOATS, ties=True, alone=True)(build)


extreme("tf.sparse.maximum")
extreme("tf.sparse.minimum")


@cache
def _reductions(shape: Shape) -> st.SearchStrategy[tuple[Keywords, tuple[int, ...]]]:
    rank = len(shape)
    choices = [c for c in axis_choices(rank) if c is not None and c != ()]
    named: list[tuple[Keywords, tuple[int, ...]]]
    named = [({"axis": c}, axes_of(c, rank)) for c in choices]
    return st.sampled_from([({}, tuple(range(rank))), *named])


@op("tf.sparse.reduce_sum", call=f"tf.sparse.reduce_sum({FIRST}, {{named}})")
def reduce_sum(site: Site) -> Call:
    """Over all axes or some; the result is dense."""
    a = sparse(site)
    axis, over = site.draw(_reductions(a.shape), "axis")
    keep = site.draw(KEEPDIMS, "keepdims")
    bounds = around_zero(a.values.bound * len(a.places))
    shape = reduced(a.shape, over, keep=keep)
    return call(*a.args, **axis, **keep, result=a.values.type.like(shape, bounds))


@op("tf.sparse.reorder", call=dense(f"tf.sparse.reorder({FIRST})"))
def reorder(site: Site) -> Call:
    """Elements given in any order."""
    a = sparse(site)
    turned = site.draw(FLAG, "reversed")
    a = Sparse(a.values, a.places[::-1] if turned else a.places, a.shape)
    return call(*a.args, result=a.values.type.like(a.shape, or_zero(a.values)))


@cache
def _windows(shape: Shape) -> st.SearchStrategy[tuple[Constant, Constant, Shape]]:
    """Start, size and the shape of what lies between; the size may reach beyond the end."""
    table: list[tuple[Constant, Constant, Shape]] = []
    for shift, width in ((0, 9), (1, 1), (0, 2), (1, 9), (0, 0)):
        start = tuple(min(shift, max(side - 1, 0)) for side in shape)
        out = tuple(min(width, side - at) for side, at in zip(shape, start, strict=True))
        table.append((Constant(start, "int64"), Constant((width,) * len(shape), "int64"), out))
    return st.sampled_from(table)


@op("tf.sparse.slice", call=dense(f"tf.sparse.slice({FIRST}, {{3}}, {{4}})"))
def slice_(site: Site) -> Call:
    """A window given by its start and size."""
    a = sparse(site)
    start, size, shape = site.draw(_windows(a.shape), "start and size")
    return call(*a.args, start, size, result=a.values.type.like(shape, or_zero(a.values)))


@cache
def _splits(shape: Shape) -> st.SearchStrategy[tuple[dict[str, int], Shape]]:
    """Keywords of a split, and the shape of its first part."""
    table: list[tuple[dict[str, int], Shape]] = []
    for axis, side in enumerate(shape):
        for parts in range(1, side + 1):
            first = (*shape[:axis], -(-side // parts), *shape[axis + 1 :])
            table.append(({"num_split": parts, "axis": axis}, first))
    return st.sampled_from(table)


# by itself, as it has no gradient
@op("tf.sparse.split", call=dense(f"tf.sparse.split({FIRST}, {{named}})[0]"), alone=True)
def split(site: Site) -> Call:
    """The first part; where the sides are not equal it is the longest."""
    a = sparse(site)
    named, shape = site.draw(_splits(a.shape), "num_split and axis")
    return call(*a.args, **named, result=a.values.type.like(shape, or_zero(a.values)))


COMBINERS = keywords("combiner", ("mean", "sum", "sqrtn"))


@cache
def _bags(side: int) -> st.SearchStrategy[tuple[Places, tuple[int, ...], Shape]]:
    """Which rows of a table each bag holds: their places, the rows, and the shape of the bags."""
    bags = (((0,),), ((0, side - 1), (0,)), ((0, 0), (), (side - 1,)), (tuple(range(side)),))
    table: list[tuple[Places, tuple[int, ...], Shape]] = []
    for rows in bags:
        places = tuple((k, j) for k, row in enumerate(rows) for j in range(len(row)))
        table.append((places, tuple(itertools.chain(*rows)), (len(rows), max(map(len, rows)))))
    return st.sampled_from(table)


@op(
    "tf.nn.embedding_lookup_sparse",
    call="tf.nn.embedding_lookup_sparse({0}, tf.SparseTensor({1}, {2}, {3}), None, {named})",
    dtypes=FLOATS,
    composite=True,
)
def embedding_lookup_sparse(site: Site) -> Call:
    """Rows of a table, those of each bag summed or averaged."""
    x = site.operand(min_rank=2, max_rank=3, fits=has_elements)
    places, rows, shape = site.draw(_bags(x.shape[0]), "bags")
    combiner = site.draw(COMBINERS, "combiner")
    given = indices(places, shape), Constant(rows, "int64"), Constant(shape, "int64")
    bounds = around_zero(x.bound * shape[1])
    return call(x, *given, **combiner, result=x.type.like((shape[0], *x.shape[1:]), bounds))


@op("tf.sparse.softmax", call=dense(f"tf.sparse.softmax({FIRST})"), dtypes=FLOATS)
def softmax(site: Site) -> Call:
    """Of the elements of each row; those it lacks stay zero."""
    a = sparse(site, min_rank=2)
    return call(*a.args, result=a.values.type.like(a.shape, (0, 1)))


_SPARSE_FLAGS: Final = st.sampled_from(
    [{}, {"a_is_sparse": True}, {"a_is_sparse": True, "b_is_sparse": True}]
)
ADJOINTS = tuple(itertools.product((False, True), repeat=2))


@op(
    "tf.sparse.sparse_dense_matmul",
    call=f"tf.sparse.sparse_dense_matmul({FIRST}, {{3}}, {{named}})",
)
def sparse_dense_matmul(site: Site) -> Call:
    """A sparse matrix times a dense one, each adjoint if asked."""
    a = sparse(site, min_rank=2, max_rank=2)
    first, second = site.draw(one_of(*ADJOINTS), "adjoint")
    rows, inner = a.shape[::-1] if first else a.shape
    columns = site.draw(one_of(1, 2, 0), "columns")
    b = site.operand(shape=(columns, inner) if second else (inner, columns))
    named: dict[str, Argument] = {"adjoint_a": True} if first else {}
    named |= {"adjoint_b": True} if second else {}
    bounds = around_zero(a.values.bound * b.bound * max(inner, 1))
    return call(*a.args, b, **named, result=b.type.like((rows, columns), bounds))


@op(
    "tf.raw_ops.SparseMatMul",
    call="tf.cast(tf.raw_ops.SparseMatMul(a=tf.cast({0}, tf.float32), b=tf.cast({1}, tf.float32), "
    "{named}), {0}.dtype)",
    dtypes=("float32",),
)
def sparse_matmul(site: Site) -> Call:
    """Dense matrices of which some elements are zero; it computes in float32, whatever it takes."""
    a = site.operand(min_rank=2, max_rank=2, fits=has_elements)
    flags = site.draw(one_of(*ADJOINTS), "transposed")
    rows, inner = a.shape[::-1] if flags[0] else a.shape
    columns = site.draw(one_of(1, 2), "columns")
    b = site.operand(shape=(columns, inner) if flags[1] else (inner, columns))
    named: dict[str, Any] = {"transpose_a": True} if flags[0] else {}
    named |= {"transpose_b": True} if flags[1] else {}
    named |= site.draw(_SPARSE_FLAGS, "sparse")
    bounds = around_zero(a.bound * b.bound * inner)
    return call(a, b, **named, result=a.type.like((rows, columns), bounds))
