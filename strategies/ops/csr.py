"""Matrices in compressed sparse rows: ``tf.raw_ops`` alone has them.

A template makes one of the values of an operand, and the result dense again. No kernel takes
float16 or bfloat16; SparseMatrixAdd, SparseMatrixMul and SparseMatrixSoftmax have none on a CPU.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

from strategies.dtypes import COMPLEX
from strategies.graphs import Argument
from strategies.ops.choices import Keywords, has_elements, keywords, one_of
from strategies.ops.lists import or_zero
from strategies.ops.site import Site
from strategies.ops.sparse import Sparse, dense_shapes, indices, places_in, sparse
from strategies.ops.spec import Call, around_zero, call, op
from strategies.shapes import Shape

KERNELS: Final = ("float64", "float32", *COMPLEX)
FIRST: Final = "tf.raw_ops.SparseTensorToCSRSparseMatrix(values={0}, indices={1}, dense_shape={2})"
SECOND: Final = "tf.raw_ops.SparseTensorToCSRSparseMatrix(values={3}, indices={4}, dense_shape={5})"


def dense(text: str) -> str:
    """A template: such a matrix made dense."""
    return f"tf.raw_ops.CSRSparseMatrixToDense(sparse_input={text}, type={{0}}.dtype)"


def _matrices(site: Site) -> Sparse:
    return sparse(site, min_rank=2, fits=has_elements)


def _turned(shape: Shape, *, turn: bool) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if turn else shape


@op("tf.raw_ops.CSRSparseMatrixToDense", call=dense(FIRST), dtypes=KERNELS)
def to_dense(site: Site) -> Call:
    """A matrix or a batch of them."""
    a = _matrices(site)
    return call(*a.args, result=a.values.type.like(a.shape, or_zero(a.values)))


@op(
    "tf.raw_ops.CSRSparseMatrixToSparseTensor",
    call="tf.sparse.to_dense(tf.SparseTensor(*tf.raw_ops.CSRSparseMatrixToSparseTensor("
    f"sparse_matrix={FIRST}, type={{0}}.dtype)))",
    dtypes=KERNELS,
)
def to_sparse(site: Site) -> Call:
    """The same by way of a sparse tensor."""
    a = _matrices(site)
    return call(*a.args, result=a.values.type.like(a.shape, or_zero(a.values)))


@op(
    "tf.raw_ops.DenseToCSRSparseMatrix",
    call=dense("tf.raw_ops.DenseToCSRSparseMatrix(dense_input={0}, indices={1})"),
    dtypes=KERNELS,
)
def from_dense(site: Site) -> Call:
    """Some elements of a dense matrix."""
    shape = site.draw(dense_shapes(2, 3, has_elements), "dense shape")
    places = site.draw(places_in(shape), "places")
    x = site.operand(shape=shape)
    return call(x, indices(places, shape), result=x.type.like(bounds=or_zero(x)))


@op(
    "tf.raw_ops.SparseMatrixTranspose",
    call=dense(f"tf.raw_ops.SparseMatrixTranspose(input={FIRST}, type={{0}}.dtype, {{named}})"),
    dtypes=KERNELS,
)
def transpose(site: Site) -> Call:
    """The last two axes exchanged, conjugated if asked."""
    a = _matrices(site)
    named = site.draw(keywords("conjugate", (True, False)), "conjugate")
    shape = _turned(a.shape, turn=True)
    return call(*a.args, **named, result=a.values.type.like(shape, or_zero(a.values)))


TURNS: Final = tuple(itertools.product(("", "transpose", "adjoint"), repeat=2))


def _flags(first: str, second: str) -> dict[str, Argument]:
    named: dict[str, Argument] = {f"{first}_a": True} if first else {}
    return named | ({f"{second}_b": True} if second else {})


@cache
def _outputs() -> st.SearchStrategy[Keywords]:
    """The result transposed or conjugated, or as it is."""
    return st.sampled_from([{}, {"transpose_output": True}, {"conjugate_output": True}])


@op(
    "tf.raw_ops.SparseMatrixMatMul",
    call=f"tf.raw_ops.SparseMatrixMatMul(a={FIRST}, b={{3}}, {{named}})",
    dtypes=KERNELS,
)
def matmul(site: Site) -> Call:
    """Times a dense matrix; both may be transposed or adjoint, and what comes out too."""
    a = _matrices(site)
    first, second = site.draw(one_of(*TURNS), "transpose or adjoint")
    named: Any = {**_flags(first, second), **site.draw(_outputs(), "output")}
    *batch, rows, inner = _turned(a.shape, turn=bool(first))
    columns = site.draw(one_of(1, 2), "columns")
    b = site.operand(shape=_turned((*batch, inner, columns), turn=bool(second)))
    bounds = around_zero(a.values.bound * b.bound * inner)
    shape = _turned((*batch, rows, columns), turn="transpose_output" in named)
    return call(*a.args, b, **named, result=b.type.like(shape, bounds))


@op(
    "tf.raw_ops.SparseMatrixSparseMatMul",
    call=dense(
        f"tf.raw_ops.SparseMatrixSparseMatMul(a={FIRST}, b={SECOND}, type={{0}}.dtype, {{named}})"
    ),
    dtypes=KERNELS,
    alone=True,
)
def sparse_matmul(site: Site) -> Call:
    """Times another sparse matrix; both may be transposed or adjoint."""
    a = _matrices(site)
    first, second = site.draw(one_of(*TURNS), "transpose or adjoint")
    *batch, rows, inner = _turned(a.shape, turn=bool(first))
    columns = site.draw(one_of(1, 2), "columns")
    b = sparse(site, shape=_turned((*batch, inner, columns), turn=bool(second)))
    bounds = around_zero(a.values.bound * b.values.bound * inner)
    result = a.values.type.like((*batch, rows, columns), bounds)
    return call(*a.args, *b.args, **_flags(first, second), result=result)
