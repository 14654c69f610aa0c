"""Decompositions, determinants, inverses and solvers of ``tf.linalg``.

Matrices are kept away from singular ones by a diagonal that the call adds to its operand, larger
than what stands beside it: all alike for what wants an inverse, all different where eigenvalues
must be distinct. What is defined up to signs, phases or order is put together again in the call, so
that what comes out is a smooth function of what goes in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import COMPLEX, complex_of, real_part
from strategies.ops.choices import has_elements, keywords, one_of
from strategies.ops.site import Site
from strategies.ops.spec import Call, around_zero, call, op
from strategies.shapes import Shape
from strategies.tensors import Value
from strategies.values import Domain

DTYPES = ("float64", "float32", *COMPLEX)
"""What the kernels take, on all versions."""
NEAR = Domain(-1.0, 1.0)

SHIFTED = "{0} + tf.linalg.diag(tf.constant({1}, {0}.dtype))"
"""The operand and a diagonal."""
SYMMETRIC = "{0} + tf.linalg.adjoint({0}) + tf.linalg.diag(tf.constant({1}, {0}.dtype))"
"""The same, and made symmetric, so that a perturbation is symmetric too."""
RECTANGULAR = "{0} + tf.linalg.diag(tf.constant({1}, {0}.dtype), k=0, num_rows={2}, num_cols={3})"


def is_square(shape: Shape) -> bool:
    """Whether the last two sides are equal."""
    return shape[-2] == shape[-1]


def is_regular(shape: Shape) -> bool:
    """Whether a matrix is square and has elements."""
    return is_square(shape) and has_elements(shape)


def square(site: Site, **fields: Any) -> Value:
    """Square matrices of elements that are not large (of modulus at most 2, if fresh)."""
    return site.operand(**{"min_rank": 2, "fits": is_regular, "domain": NEAR, **fields})


def even_diagonal(x: Value, times: int = 1) -> tuple[float, ...]:
    """Larger than the rest of a row: what is added to each element of the diagonal."""
    return (float(times * _row(x) + 1),) * min(x.shape[-2:])


def ladder(x: Value, times: int = 1) -> tuple[float, ...]:
    """Different enough for the discs around its elements (Gershgorin) not to touch."""
    step = float(2 * times * _row(x) + 1)
    return tuple(step * (i + 1) for i in range(min(x.shape[-2:])))


def _row(x: Value) -> float:
    return math.ceil(max(x.shape[-2:]) * x.bound)


ADJOINT = keywords("adjoint", (True, False))


@op("tf.linalg.inv", call=f"tf.linalg.inv({SHIFTED}, {{named}})", dtypes=DTYPES)
def inv(site: Site) -> Call:
    """The inverse, or that of the adjoint."""
    x = square(site, fits=is_square)
    named = site.draw(ADJOINT, "adjoint")
    return call(x, even_diagonal(x), **named, result=x.type.like(bounds=(-1, 1)))


@op("tf.linalg.det", call=f"tf.linalg.det({SHIFTED})", dtypes=DTYPES)
def det(site: Site) -> Call:
    """The determinant."""
    x = square(site)
    diagonal = _signed(site, x)
    most = (2 * abs(diagonal[0])) ** x.shape[-1]
    return call(x, diagonal, result=x.type.like(x.shape[:-2], around_zero(most)))


def _signed(site: Site, x: Value) -> tuple[float, ...]:
    """A diagonal after which the determinant is positive, or negative."""
    first, *rest = even_diagonal(x)
    return (site.draw(one_of(1, -1), "sign") * first, *rest)


# two entries, as the gradient is known to leave out the phase of complex determinants
@op("tf.linalg.slogdet(x)[0]", call=f"tf.linalg.slogdet({SHIFTED})[0]", dtypes=DTYPES)
def determinant_sign(site: Site) -> Call:
    """The sign of the determinant, or its phase."""
    x = square(site)
    return call(x, _signed(site, x), result=x.type.like(x.shape[:-2], (-1, 1)))


@op("tf.linalg.slogdet(x)[1]", call=f"tf.linalg.slogdet({SHIFTED})[1]", dtypes=DTYPES)
def determinant_log(site: Site) -> Call:
    """The logarithm of its modulus, of a complex dtype if x is."""
    x = square(site)
    diagonal = _signed(site, x)
    log = x.shape[-1] * math.log(2 * abs(diagonal[0]))
    return call(x, diagonal, result=x.type.like(x.shape[:-2], (0, log)))


# an entry of its own, as the gradient is known to invert what is singular too
@op(
    "tf.linalg.slogdet(x)[1][1:]",
    call=f"tf.linalg.slogdet(tf.concat([tf.zeros_like({{0}}[:1]), {SHIFTED}], 0))[1][1:]",
    dtypes=("float64", "float32"),
    alone=True,
)
def determinant_log_beside(site: Site) -> Call:
    """The same of a batch whose first matrix is singular, and which is not asked for."""
    x = square(site, min_rank=3)
    diagonal = _signed(site, x)
    log = x.shape[-1] * math.log(2 * abs(diagonal[0]))
    return call(x, diagonal, result=x.type.like(x.shape[:-2], (0, log)))


@op("tf.linalg.cholesky", call=f"tf.linalg.cholesky({SYMMETRIC})", dtypes=DTYPES)
def cholesky(site: Site) -> Call:
    """Of a symmetric, or Hermitian, matrix that is positive."""
    x = square(site, fits=is_square)
    diagonal = even_diagonal(x, 2)
    return call(x, diagonal, result=x.type.like(bounds=around_zero(math.sqrt(2 * _most(diagonal)))))


def _most(diagonal: tuple[float, ...]) -> float:
    return max(map(abs, diagonal), default=0.0)


@op("tf.linalg.sqrtm", call=f"tf.linalg.sqrtm({SHIFTED})", dtypes=DTYPES)
def sqrtm(site: Site) -> Call:
    """The principal square root."""
    x = square(site)
    diagonal = even_diagonal(x)
    return call(x, diagonal, result=x.type.like(bounds=around_zero(2 * _most(diagonal))))


# in a lower precision it takes a shorter series, and its error is more than rounding
@op("tf.linalg.expm", dtypes=("float64", "complex128"))
def expm(site: Site) -> Call:
    """The matrix exponential."""
    x = site.operand(min_rank=2, fits=is_regular, domain=NEAR)
    most = math.exp(x.shape[-1] * x.bound)
    return call(x, result=x.type.like(bounds=around_zero(most)))


@cache
def _right_sides(shape: Shape) -> tuple[Shape, ...]:
    return tuple((*shape[:-1], columns) for columns in (1, 2, 3))


@op("tf.linalg.solve", call=f"tf.linalg.solve({SHIFTED}, {{2}}, {{named}})", dtypes=DTYPES)
def solve(site: Site) -> Call:
    """Linear equations with several right-hand sides."""
    x = square(site)
    b = _right_side(site, x)
    named = site.draw(ADJOINT, "adjoint")
    made = x.type.like(b.shape, around_zero(b.bound))
    return call(x, even_diagonal(x), b, **named, result=made)


def _right_side(site: Site, x: Value) -> Value:
    fresh = _right_sides(x.shape)
    return site.operand(fits=lambda s: s in fresh, fresh=fresh)


TRIANGLE = st.sampled_from(
    [
        {**lower, **adjoint}
        for lower in ({}, {"lower": False}, {"lower": True})
        for adjoint in ({}, {"adjoint": True})
    ]
)


@op(
    "tf.linalg.triangular_solve",
    dtypes=DTYPES,
    call=f"tf.linalg.triangular_solve({SHIFTED}, {{2}}, {{named}})",
)
def triangular_solve(site: Site) -> Call:
    """The same where one triangle alone counts; batches broadcast."""
    x = square(site)
    batch = site.draw(one_of(x.shape[:-2], (), (1,) * (x.rank - 2)), "batch")
    columns = site.draw(one_of(1, 2, 3), "columns")
    b = site.operand(shape=(*batch, x.shape[-1], columns))
    named = site.draw(TRIANGLE, "lower, adjoint")
    made = x.type.like((*x.shape[:-1], columns), around_zero(b.bound))
    return call(x, even_diagonal(x), b, **named, result=made)


@op(
    "tf.linalg.cholesky_solve",
    dtypes=DTYPES,
    call=f"tf.linalg.cholesky_solve({SHIFTED}, {{2}}, {{named}})",
)
def cholesky_solve(site: Site) -> Call:
    """Linear equations whose matrix is given by its Cholesky factor."""
    x = square(site)
    b = _right_side(site, x)
    return call(x, even_diagonal(x), b, result=x.type.like(b.shape, around_zero(b.bound)))


@op("tf.linalg.lstsq", call=f"tf.linalg.lstsq({RECTANGULAR}, {{4}}, {{named}})", dtypes=DTYPES)
def lstsq(site: Site) -> Call:
    """Equations that are too many, solved in the sense of least squares, or too few."""
    x = site.operand(min_rank=2, domain=NEAR, fits=has_elements)
    b = _right_side(site, x)
    # refused for complex numbers, for its poor accuracy
    more = () if x.is_complex else (0.5,)
    named = site.draw(keywords("l2_regularizer", more), "l2_regularizer")
    shape = (*x.shape[:-2], x.shape[-1], b.shape[-1])
    made = x.type.like(shape, around_zero(x.shape[-2] * b.bound))
    return call(x, even_diagonal(x), *x.shape[-2:], b, **named, result=made)


@op(
    "tf.raw_ops.MatrixSolveLs",
    call=f"tf.raw_ops.MatrixSolveLs(matrix={RECTANGULAR}, rhs={{4}}, l2_regularizer={{5}})",
    dtypes=DTYPES,
)
def matrix_solve_ls(site: Site) -> Call:
    """The same by the op that lstsq calls for what is larger than a cache."""
    x = site.operand(min_rank=2, domain=NEAR, fits=has_elements)
    b = _right_side(site, x)
    regularizer = 0.0 if x.is_complex else site.draw(one_of(0.0, 0.5), "l2_regularizer")
    shape = (*x.shape[:-2], x.shape[-1], b.shape[-1])
    made = x.type.like(shape, around_zero(x.shape[-2] * b.bound))
    return call(x, even_diagonal(x), *x.shape[-2:], b, regularizer, result=made)


@op("tf.linalg.qr", call=f"tf.linalg.qr({RECTANGULAR}, {{named}})", dtypes=DTYPES[:2])
def qr(site: Site) -> Call:
    """Of real matrices, where the signs of the factors are those of the pivots."""
    x = site.operand(min_rank=2, domain=NEAR, fits=has_elements)
    named = site.draw(keywords("full_matrices", (True, False)), "full_matrices")
    rows, columns = x.shape[-2:]
    diagonal = even_diagonal(x)
    inner = rows if named.get("full_matrices") else min(rows, columns)
    q = x.type.like((*x.shape[:-2], rows, inner), (-1, 1))
    most = around_zero(rows * 2 * _most(diagonal))
    r = x.type.like((*x.shape[:-2], inner, columns), most)
    return call(x, diagonal, rows, columns, **named, result=[q, r])


@op(
    "tf.linalg.qr(complex)",
    dtypes=COMPLEX,
    call=f"(lambda q, r: [tf.matmul(q * tf.constant({{4}}, q.dtype), q, adjoint_b=True),"
    f" tf.matmul(r, tf.constant({{4}}, q.dtype)[:, tf.newaxis] * r, adjoint_a=True)])"
    f"(*tf.linalg.qr({RECTANGULAR}))",
)
def complex_qr(site: Site) -> Call:
    """Of complex ones what does not depend on the phases of the factors."""
    x = site.operand(min_rank=2, domain=NEAR, fits=has_elements)
    rows, columns = x.shape[-2:]
    diagonal = even_diagonal(x)
    weights = tuple(float(i + 1) for i in range(min(rows, columns)))
    first = x.type.like((*x.shape[:-2], rows, rows), around_zero(len(weights)))
    most = len(weights) * (rows * 2 * _most(diagonal)) ** 2
    second = x.type.like((*x.shape[:-2], columns, columns), around_zero(most))
    return call(x, diagonal, rows, columns, weights, result=[first, second])


@op(
    "tf.linalg.svd",
    dtypes=DTYPES,
    call=f"(lambda s, u, v: [tf.identity(s), tf.matmul(u[..., :{{4}}]"
    f" * tf.cast(tf.sin(s / {{5}}), u.dtype)[..., tf.newaxis, :], v[..., :{{4}}], adjoint_b=True)])"
    f"(*tf.linalg.svd({RECTANGULAR}, {{named}}))",
)
def svd(site: Site) -> Call:
    """The singular values, and the matrix with the sines of them, which has no free signs."""
    x = site.operand(min_rank=2, domain=NEAR, fits=has_elements)
    named = site.draw(keywords("full_matrices", (True, False)), "full_matrices")
    rows, columns = x.shape[-2:]
    steps, count = ladder(x), min(rows, columns)
    s = x.type.like((*x.shape[:-2], count), (0, 2 * _most(steps)), real_part(x.dtype))
    sines = x.type.like(bounds=around_zero(count))
    return call(x, steps, rows, columns, count, steps[0], **named, result=[s, sines])


@op(
    "tf.linalg.eigh",
    dtypes=DTYPES,
    call=f"(lambda e, v: [tf.identity(e), tf.matmul(v * tf.cast(tf.sin(e / {{2}}), v.dtype)"
    f"[..., tf.newaxis, :], v, adjoint_b=True)])(*tf.linalg.eigh({SYMMETRIC}))",
)
def eigh(site: Site) -> Call:
    """The eigenvalues of a Hermitian matrix, and the sine of the matrix."""
    x = square(site)
    steps = ladder(x, 2)
    e = x.type.like(x.shape[:-1], around_zero(2 * _most(steps)))  # complex, if x is
    return call(x, steps, steps[0], result=[e, x.type.like(bounds=around_zero(x.shape[-1]))])


@op("tf.linalg.eigvalsh", call=f"tf.linalg.eigvalsh({SYMMETRIC})", dtypes=DTYPES)
def eigvalsh(site: Site) -> Call:
    """The eigenvalues of a Hermitian matrix alone."""
    x = square(site)
    steps = ladder(x, 2)
    e = x.type.like(x.shape[:-1], around_zero(2 * _most(steps)))  # complex, if x is
    return call(x, steps, result=e)


@op(
    "tf.linalg.eig",
    dtypes=DTYPES,
    call=f"(lambda e, v: tf.matmul(v * tf.sin(e / {{2}})[..., tf.newaxis, :], tf.linalg.inv(v)))"
    f"(*tf.linalg.eig({SHIFTED}))",
)
def eig(site: Site) -> Call:
    """The sine of a matrix by its eigenvalues and eigenvectors, whose order is nobody's promise."""
    x = square(site)
    made = x.type.like(bounds=around_zero(_sine(x)), dtype=_complex(x.dtype))
    steps = ladder(x)
    return call(x, steps, steps[0], result=made)


@op(
    "tf.linalg.eigvals",
    dtypes=DTYPES,
    call=f"tf.reduce_sum(tf.sin(tf.linalg.eigvals({SHIFTED}) / {{2}}), -1)",
)
def eigvals(site: Site) -> Call:
    """The sum of the sines of the eigenvalues."""
    x = square(site)
    made = x.type.like(x.shape[:-2], around_zero(_sine(x)), _complex(x.dtype))
    steps = ladder(x)
    return call(x, steps, steps[0], result=made)


def _sine(x: Value) -> float:
    """A bound of the sines of matrices whose eigenvalues may be complex."""
    return 16.0 * x.shape[-1]


def _complex(dtype: str) -> str:
    return dtype if dtype in COMPLEX else complex_of(dtype)


def _twice(name: str, matrix: str, options: str, times: int, part: Callable[[str], str]) -> None:
    """Register the sums of values that are equal, as the matrix stands twice on a diagonal.

    Each of them has no derivative, and their sum has.

    Args:
        name: the public name of what gives the values.
        matrix: the operand and a diagonal, as a template.
        options: what else it is called with.
        times: how often the operand counts in an element of the matrix.
        part: from the dtype of the operand to that of the values.
    """
    one = f"tf.linalg.LinearOperatorFullMatrix({matrix})"
    values = f"{name}(tf.linalg.LinearOperatorBlockDiag([{one}] * 2).to_dense(){options})"

    def build(site: Site) -> Call:
        x = square(site, max_rank=2)
        steps = ladder(x, times)
        most = around_zero(4 * _most(steps))
        return call(x, steps, result=x.type.like((x.shape[-1],), most, part(x.dtype)))

    pairs = f"tf.reduce_sum(tf.reshape({values}, [-1, 2]), 1)"
    op(f"{name}(equal values)", call=pairs, dtypes=DTYPES, composite=True)(build)


_twice("tf.linalg.svd", SHIFTED, ", compute_uv=False", 1, real_part)
_twice("tf.linalg.eigvalsh", SYMMETRIC, "", 2, str)
