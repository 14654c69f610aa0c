"""Diagonals, bands and products of matrices, also by the raw ops that no public function calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from hypothesis import strategies as st

from strategies.graphs import Constant
from strategies.ops.choices import Keywords, can_grow, has_elements, keywords, one_of
from strategies.ops.decompositions import DTYPES, NEAR, TRIANGLE
from strategies.ops.linalg import SIDES, contraction
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, around_zero, call, op
from strategies.shapes import MAX_RANK, Shape
from strategies.tensors import Value
from strategies.values import Interval

_HALF_RANK = MAX_RANK // 2


@op("tf.linalg.tensor_diag")
def tensor_diag(site: Site) -> Call:
    """A tensor as the diagonal of one of twice its rank."""
    x = site.operand(min_rank=1, max_rank=_HALF_RANK, fits=has_elements)
    return call(x, result=x.type.like(x.shape * 2, _with_zero(x)))


def _with_zero(*several: Value) -> Interval:
    return min(0.0, *(v.bounds[0] for v in several)), max(0.0, *(v.bounds[1] for v in several))


def _is_doubled(shape: Shape) -> bool:
    half = len(shape) // 2
    return shape[:half] == shape[half:] and has_elements(shape)


@op("tf.linalg.tensor_diag_part")
def tensor_diag_part(site: Site) -> Call:
    """The diagonal of a tensor whose shape is twice the same."""
    x = site.operand(min_rank=2, fits=_is_doubled)
    return call(x, result=x.type.like(x.shape[: x.rank // 2]))


@op("tf.raw_ops.MatrixDiag", call="tf.raw_ops.MatrixDiag(diagonal={0})")
def matrix_diag(site: Site) -> Call:
    """The first version of tf.linalg.diag."""
    x = site.operand(min_rank=1, fits=can_grow)
    return call(x, result=x.type.like((*x.shape, x.shape[-1]), _with_zero(x)))


def _is_matrix(shape: Shape) -> bool:
    return min(shape[-2:]) > 0


@op("tf.raw_ops.MatrixDiagPart", call="tf.raw_ops.MatrixDiagPart(input={0})")
def matrix_diag_part(site: Site) -> Call:
    """The first version of tf.linalg.diag_part."""
    x = site.operand(min_rank=2, fits=_is_matrix)
    return call(x, result=x.type.like((*x.shape[:-2], min(x.shape[-2:]))))


@op("tf.raw_ops.MatrixSetDiag", call="tf.raw_ops.MatrixSetDiag(input={0}, diagonal={1})")
def matrix_set_diag(site: Site) -> Call:
    """The first version of tf.linalg.set_diag."""
    x = site.operand(min_rank=2, fits=_is_matrix)
    d = site.operand(shape=(*x.shape[:-2], min(x.shape[-2:])))
    return call(x, d, result=x.type.like(bounds=_hull(x, d)))


def _hull(x: Value, d: Value) -> Interval:
    return min(x.bounds[0], d.bounds[0]), max(x.bounds[1], d.bounds[1])


@cache
def _bands(
    rows: int, columns: int, *, aligned: bool | None = None
) -> st.SearchStrategy[tuple[int | tuple[int, int], Shape]]:
    """One diagonal, or several side by side; and the shape that they take when stored.

    Args:
        rows: of the matrix.
        columns: of the matrix.
        aligned: whether some are shorter than others, so that they must be aligned; None: either.
    """
    table: list[tuple[int | tuple[int, int], Shape]] = []
    for low, high in ((0, 0), (1, 1), (-1, -1), (0, 1), (-1, 0), (-1, 1)):
        if -rows < low <= high < columns:
            lengths = [min(rows + min(d, 0), columns - max(d, 0)) for d in range(low, high + 1)]
            if aligned in (None, min(lengths) < max(lengths)):
                band = low if low == high else (low, high)
                several = (len(lengths),) if low < high else ()
                table.append((band, (*several, max(lengths))))
    return st.sampled_from(table)


def _alignments() -> list[Keywords]:
    named = ("LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT")
    return [{}, *({"align": align} for align in named)]


ALIGN = st.sampled_from(_alignments())


def _has_short_diagonals(shape: Shape) -> bool:
    """Whether two diagonals side by side may be of different lengths."""
    return min(shape[-2:]) > 1


def _set_diag(
    site: Site, *, aligned: bool | None = None
) -> tuple[Value, Value, int | tuple[int, int]]:
    x = site.operand(min_rank=2, fits=_has_short_diagonals if aligned else _is_matrix)
    k, stored = site.draw(_bands(*x.shape[-2:], aligned=aligned), "k")
    return x, site.operand(shape=(*x.shape[:-2], *stored)), k


@op("tf.linalg.set_diag")
def set_diag(site: Site) -> Call:
    """Some diagonals of matrices exchanged for others."""
    x, d, k = _set_diag(site)
    align = site.draw(ALIGN, "align")
    return call(x, d, **({"k": k} if k else {}), **align, result=x.type.like(bounds=_hull(x, d)))


def second_versions(suffix: str, *, aligned: bool) -> None:
    """Register the second versions of the ops of diagonals, which align them to the left.

    Args:
        suffix: of the public names.
        aligned: as in :func:`_bands`.
    """

    def set_diag(site: Site) -> Call:
        x, d, k = _set_diag(site, aligned=aligned)
        return call(x, d, k, result=x.type.like(bounds=_hull(x, d)))

    def diag_part(site: Site) -> Call:
        x = site.operand(min_rank=2, fits=_has_short_diagonals if aligned else _is_matrix)
        k, stored = site.draw(_bands(*x.shape[-2:], aligned=aligned), "k")
        made = x.type.like((*x.shape[:-2], *stored), _with_zero(x))
        return call(x, k, Constant(0, x.dtype), result=made)

    def diag(site: Site) -> Call:
        sizes = ((2, 2), (3, 3), (2, 3), (3, 2), (1, 3))
        fitting = (size for size in sizes if not aligned or _has_short_diagonals(size))
        rows, columns = site.draw(one_of(*fitting), "rows and columns")
        k, stored = site.draw(_bands(rows, columns, aligned=aligned), "k")
        batch = site.draw(one_of((), (1,), (2,), (2, 1)), "batch")
        x = site.operand(shape=(*batch, *stored))
        made = x.type.like((*batch, rows, columns), _with_zero(x))
        return call(x, k, rows, columns, Constant(0, x.dtype), result=made)

    for name, arguments, build in (
        ("tf.raw_ops.MatrixSetDiagV2", "input={0}, diagonal={1}, k={2}", set_diag),
        ("tf.raw_ops.MatrixDiagPartV2", "input={0}, k={1}, padding_value={2}", diag_part),
        (
            "tf.raw_ops.MatrixDiagV2",
            "diagonal={0}, k={1}, num_rows={2}, num_cols={3}, padding_value={4}",
            diag,
        ),
    ):
        op(name + suffix, call=f"{name}({arguments})", alone=aligned)(build)


second_versions("", aligned=False)
# entries of their own, as the gradients are known to align them to the right
second_versions("(aligned)", aligned=True)


# by itself, as where sides are unknown its gradient has another rank
@op("tf.linalg.diag_part(band)", call="tf.linalg.diag_part", alone=True)
def band_diag_part(site: Site) -> Call:
    """Several diagonals at once, aligned to one side or the other."""
    x = site.operand(min_rank=2, fits=_is_matrix)
    k, stored = site.draw(_bands(*x.shape[-2:]), "k")
    align = site.draw(ALIGN, "align")
    return call(x, k=k, **align, result=x.type.like((*x.shape[:-2], *stored), _with_zero(x)))


@cache
def _left_and_right(shape: Shape) -> tuple[Shape, ...]:
    return tuple((*shape[:-2], shape[-1], n) for n in SIDES)


def _product(site: Site, *, flags: tuple[bool, bool]) -> tuple[Value, Value, Shape, int]:
    a = site.operand(min_rank=2)
    left = (*a.shape[:-2], a.shape[-1], a.shape[-2]) if flags[0] else a.shape
    columns = site.draw(one_of(*SIDES), "columns")
    right = (columns, left[-1]) if flags[1] else (left[-1], columns)
    b = site.operand(shape=(*a.shape[:-2], *right))
    return a, b, (*left[:-1], columns), left[-1]


FLAGS = one_of((False, False), (True, False), (False, True), (True, True))


@op("tf.raw_ops.BatchMatMul", call="tf.raw_ops.BatchMatMul(x={0}, y={1}, adj_x={2}, adj_y={3})")
def batch_matmul(site: Site) -> Call:
    """The first version, whose batches must be the same."""
    flags = site.draw(FLAGS, "adjoint")
    a, b, shape, count = _product(site, flags=flags)
    return call(a, b, *flags, result=a.type.like(shape, contraction(count, a, b)))


@op(
    "tf.raw_ops.BatchMatMulV3",
    call="tf.raw_ops.BatchMatMulV3(x={0}, y={1}, Tout={0}.dtype, adj_x={2}, adj_y={3})",
)
def batch_matmul_v3(site: Site) -> Call:
    """The third version, which may give another dtype; on a CPU floats give their own."""
    flags = site.draw(FLAGS, "adjoint")
    a, b, shape, count = _product(site, flags=flags)
    return call(a, b, *flags, result=a.type.like(shape, contraction(count, a, b)))


def _holds_bands(shape: Shape) -> bool:
    return 1 < shape[-2] <= shape[-1] and has_elements(shape)


def _holds_one_band(shape: Shape) -> bool:
    return shape[-2] == 1 and has_elements(shape)


def banded_triangular_solve(name: str, fits: Callable[[Shape], bool], *, alone: bool) -> Op:
    """Register the solution of a few diagonals of a triangular matrix, the main one the largest.

    Args:
        name: the public name.
        fits: what the shape of the diagonals must satisfy.
        alone: as in :class:`Op`.
    """

    def build(site: Site) -> Call:
        bands = site.operand(min_rank=2, fits=fits, domain=NEAR)
        named = site.draw(TRIANGLE, "lower, adjoint")
        rows = bands.shape[-2]
        main = 0 if named.get("lower", True) else rows - 1
        shift = tuple((rows * bands.bound + 1 if row == main else 0.0,) for row in range(rows))
        columns = site.draw(one_of(1, 2, 3), "columns")
        b = site.operand(shape=(*bands.shape[:-2], bands.shape[-1], columns))
        return call(bands, shift, b, **named, result=b.type.like(bounds=around_zero(b.bound)))

    text = "tf.linalg.banded_triangular_solve({0} + tf.constant({1}, {0}.dtype), {2}, {named})"
    return op(name, call=text, dtypes=DTYPES, alone=alone)(build)


banded_triangular_solve("tf.linalg.banded_triangular_solve", _holds_bands, alone=False)
# an entry of its own, as the gradient is known to lose the axis of the bands
banded_triangular_solve("tf.linalg.banded_triangular_solve(one band)", _holds_one_band, alone=True)


def _holds_three(shape: Shape) -> bool:
    return shape[-2] == 3 and has_elements(shape)  # noqa: PLR2004 - three diagonals


def _is_square(shape: Shape) -> bool:
    return shape[-2] == shape[-1] > 1 and has_elements(shape)  # of side 1 it is refused


FORMATS = ("compact", "sequence", "matrix")


def _tridiagonal(site: Site, form: str) -> tuple[tuple[Value, ...], Shape, int]:
    """The diagonals in one of three formats, and the batch and the side of the matrix."""
    if form == "sequence":
        x = site.operand(min_rank=1, fits=has_elements, domain=NEAR)
        three = (x, *(site.operand(shape=x.shape, domain=NEAR) for _ in range(2)))
        return three, x.shape[:-1], x.shape[-1]
    fits = _holds_three if form == "compact" else _is_square
    x = site.operand(min_rank=2, fits=fits, domain=NEAR)
    return (x,), x.shape[:-2], x.shape[-1]


def _matmul(name: str, form: str) -> None:
    def build(site: Site) -> Call:
        given, batch, side = _tridiagonal(site, form)
        columns = site.draw(one_of(1, 2, 3), "columns")
        b = site.operand(shape=(*batch, side, columns))
        bounds = around_zero(3 * max(x.bound for x in given) * b.bound)
        named = {} if form == "compact" else {"diagonals_format": form}
        diagonals = given if form == "sequence" else given[0]
        return call(diagonals, b, **named, result=b.type.like(bounds=bounds))

    op(name, call="tf.linalg.tridiagonal_matmul", dtypes=DTYPES)(build)


_SOLVE = {
    "compact": "{0} + tf.constant({1}, {0}.dtype)",
    "sequence": "[{0}, {3} + {1}, {4}]",
    "matrix": "{0} + {1} * tf.eye({3}, dtype={0}.dtype)",
}
"""The diagonals with a number added to the middle one; ``{2}`` is the right-hand side."""


def _tridiagonal_solve(name: str, form: str) -> None:
    def build(site: Site) -> Call:
        given, batch, side = _tridiagonal(site, form)
        shape, columns = (*batch, side), site.draw(one_of(0, 1, 2, 3), "columns")
        turned: Keywords = {}
        if columns:
            turned = site.draw(
                _TURNED if given[0].is_complex else keywords("transpose_rhs", (True,)), "turned"
            )
            shape = (*batch, columns, side) if "transpose_rhs" in turned else (*shape, columns)
        b = site.operand(shape=shape)
        made = b.type.like((*batch, side, columns) if columns else shape, around_zero(b.bound))
        named = {} if form == "compact" else {"diagonals_format": form}
        pivoting = site.draw(keywords("partial_pivoting", (False, True)), "partial_pivoting")
        most = 3 * max(x.bound for x in given) + 1
        shift = ((0.0,), (most,), (0.0,)) if form == "compact" else most
        rest = given[1:] or ((side,) if form == "matrix" else ())
        return call(given[0], shift, b, *rest, **named, **turned, **pivoting, result=made)

    op(name, call=f"tf.linalg.tridiagonal_solve({_SOLVE[form]}, {{2}}, {{named}})", dtypes=DTYPES)(
        build
    )


_TURNS: list[Keywords] = [
    {},
    {"transpose_rhs": True},
    {"transpose_rhs": True, "conjugate_rhs": True},
]
_TURNED = st.sampled_from(_TURNS)

for _form in FORMATS:
    _kind = "" if _form == "compact" else f"({_form})"
    _matmul(f"tf.linalg.tridiagonal_matmul{_kind}", _form)
    _tridiagonal_solve(f"tf.linalg.tridiagonal_solve{_kind}", _form)
