"""Shapes, axes, dtypes and numbers: what the strategies reach, hold to and shrink to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from operator import eq
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import dtypes, shapes, values
from strategies.shapes import Shape
from strategies.values import GAP, REACH, REAL, Domain
from tests.finding import minimal, reaches

KINKED = Domain(-2.0, 2.0, poles=(1.0,), kinks=(-1.0, 0.0))


@pytest.mark.parametrize("rank", range(6))
def test_shapes_reach_every_rank(rank: int) -> None:
    """Ranks 0 to 5 occur, and the simplest shape of each has one element."""
    assert minimal(shapes.shapes(), lambda s: len(s) == rank) == (1,) * rank


@pytest.mark.parametrize("rank", range(1, 6))
def test_shapes_reach_size_zero_in_every_rank(rank: int) -> None:
    """A tensor without elements occurs in every rank from 1."""
    assert reaches(shapes.shapes(min_rank=rank, max_rank=rank), lambda s: 0 in s)


def test_about_one_shape_in_eight_is_of_size_zero() -> None:
    """Zero-size shapes are drawn often enough to meet every op, and leave room for the others."""
    table = shapes.shape_table(0, 5, shapes.MAX_SIZE)

    assert 1 / 12 < sum(0 in s for s in table) / len(table) < 1 / 6


@given(shapes.shapes(min_rank=1, max_rank=3, max_size=8))
def test_shapes_keep_to_their_bounds(shape: Shape) -> None:
    """Rank and number of elements are as asked for."""
    assert 1 <= len(shape) <= 3
    assert math.prod(shape) <= 8


def test_shapes_shrink_to_the_scalar() -> None:
    """The simplest shape has no axis; with an axis or two, each side is 1; zero-size comes last."""
    assert minimal(shapes.shapes()) == ()
    assert minimal(shapes.shapes(min_rank=2)) == (1, 1)
    assert minimal(shapes.shapes(), lambda s: math.prod(s) > 1) == (2,)
    assert minimal(shapes.shapes(), lambda s: math.prod(s) == 0) == (0,)


@pytest.mark.parametrize(
    "partner",
    [(), (1,), (3,), (1, 3), (2, 1), (2, 3), (1, 2, 3), (2, 2, 3)],
    ids=str,
)
def test_broadcast_partners_are_smaller_and_larger(partner: Shape) -> None:
    """Partners have fewer axes, sides of 1, the same shape, or axes more."""
    assert reaches(shapes.broadcast_partners((2, 3)), lambda s: s == partner)


def test_broadcast_partners_grow_sides_of_one() -> None:
    """A side of 1 meets a partner with a longer one, also from a scalar."""
    assert reaches(shapes.broadcast_partners((2, 1)), lambda s: s == (2, 3))
    assert reaches(shapes.broadcast_partners((2, 1)), lambda s: s == (1, 3))
    assert reaches(shapes.broadcast_partners((2, 1)), lambda s: s == (3,))
    assert reaches(shapes.broadcast_partners(()), lambda s: s == (2,))
    assert minimal(shapes.broadcast_partners((2, 3))) == ()


@given(st.data())
def test_broadcast_partners_broadcast(data: st.DataObject) -> None:
    """Every partner fits, and what both broadcast to is what NumPy says."""
    shape = data.draw(shapes.shapes(), "shape")
    partner = data.draw(shapes.broadcast_partners(shape), "partner")

    assert shapes.broadcast(shape, partner) == np.broadcast_shapes(shape, partner)


@given(shapes.shapes(max_size=8), shapes.shapes(max_size=8))
def test_broadcast_is_none_where_shapes_do_not_fit(first: Shape, second: Shape) -> None:
    """Two shapes that NumPy refuses give None."""
    try:
        expected: Any = np.broadcast_shapes(first, second)
    except ValueError:
        expected = None

    assert shapes.broadcast(first, second) == expected


def test_axes_count_from_both_ends() -> None:
    """Every axis occurs from the front and from the back; the simplest is the first."""
    assert shapes.axis_table(3) == [0, -1, 1, -2, 2, -3]
    assert shapes.axis_table(3)[:4] == shapes.axis_table(2)
    assert all(reaches(shapes.axes(3), partial(eq, axis)) for axis in range(-3, 3))
    assert minimal(shapes.axes(3)) == 0
    assert minimal(shapes.axes(3), lambda a: a < 0) == -1


def test_axis_choices_name_every_set_of_axes() -> None:
    """None, no axis, each axis, and every set of several, negative ones among them."""
    choices = shapes.axis_choices(3)
    sets = {frozenset(shapes.axes_of(c, 3)) for c in choices}

    assert choices[:4] == [None, (), 0, -1]
    assert sets == {frozenset(c) for n in range(4) for c in itertools.combinations(range(3), n)}
    assert any(isinstance(c, tuple) and min(c, default=0) < 0 for c in choices)


def test_permutations_reach_all_and_shrink_to_the_identity() -> None:
    """Each of the six orders of three axes occurs."""
    drawn = shapes.permutations(3)

    assert all(reaches(drawn, partial(eq, order)) for order in itertools.permutations(range(3)))
    assert minimal(drawn) == (0, 1, 2)
    assert minimal(shapes.permutations(0)) == ()


@pytest.mark.parametrize("dtype", dtypes.DIFFERENTIABLE)
def test_every_differentiable_dtype_occurs(dtype: str) -> None:
    """Four floats and two complex dtypes are drawn; float64 is the simplest."""
    assert reaches(dtypes.differentiable_dtypes(), lambda d: d == dtype)
    assert dtypes.is_differentiable(dtype)
    assert minimal(dtypes.differentiable_dtypes()) == "float64"


@pytest.mark.parametrize("dtype", dtypes.UNDIFFERENTIABLE)
def test_every_undifferentiable_dtype_occurs(dtype: str) -> None:
    """Integers, bool and string are drawn; int32 is the simplest."""
    assert reaches(dtypes.undifferentiable_dtypes(), lambda d: d == dtype)
    assert not dtypes.is_differentiable(dtype)
    assert minimal(dtypes.undifferentiable_dtypes()) == "int32"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_what_is_said_of_a_dtype_is_what_numpy_says(dtype: str) -> None:
    """Epsilon and the largest number agree with NumPy's."""
    assert dtypes.epsilon(dtype) == np.finfo(dtype).eps
    assert np.finfo(dtype).max / 4 < dtypes.largest(dtype) <= np.finfo(dtype).max


def is_exact_in_bfloat16(number: float) -> bool:
    """Whether a number is m * 2**e with at most eight significant bits, and not extreme."""
    mantissa, _ = math.frexp(number)
    return (mantissa * 256).is_integer()


@given(values.smooth_values(KINKED, 12))
def test_smooth_values_are_distinct_exact_and_off_the_kinks(numbers: tuple[float, ...]) -> None:
    """No two are equal, each is exact in bfloat16, inside, and away from kinks and poles."""
    assert len(set(numbers)) == 12
    assert all(map(is_exact_in_bfloat16, numbers))
    assert all(-2 <= x <= 2 for x in numbers)
    assert all(abs(x - k) >= GAP for x in numbers for k in (-1.0, 0.0, 1.0))


def test_smooth_values_shrink_to_whole_numbers() -> None:
    """The simplest numbers are 1, 0 and -1; off the kinks they are the next simplest."""
    assert minimal(values.smooth_values(REAL, 4)) == (1.0, 0.0, -1.0, 2.0)
    assert minimal(values.smooth_values(KINKED, 3)) == (2.0, -2.0, 0.5)
    assert minimal(values.smooth_values(REAL, 2), lambda v: min(v) < 0) == (-1.0, 1.0)
    assert minimal(values.smooth_values(REAL, 0)) == ()


def test_smooth_values_reach_the_ends_and_the_fine_numbers() -> None:
    """The whole reach is used: its ends, zero, sixteenths and sixty-fourths."""
    drawn = values.smooth_values(REAL, 1)

    for number in (REACH, -REACH, 0.0, -63 / 16, 1 / 64, -63 / 64):
        assert reaches(drawn, partial(eq, (number,)))


@given(values.smooth_values(Domain(1.0, 1.25), 40))
def test_more_values_than_a_domain_has_are_repeated(numbers: tuple[float, ...]) -> None:
    """A small domain fills a large tensor, with ties as there must be."""
    assert len(numbers) == 40
    assert all(1 <= x <= 1.25 for x in numbers)


def test_kink_values_stand_on_each_kink_and_tie() -> None:
    """Each kink occurs, poles never, and all elements may be equal."""
    drawn = values.kink_values(KINKED, 3)
    reached: list[Callable[[tuple[float, ...]], bool]] = [
        lambda v: -1.0 in v,
        lambda v: 0.0 in v,
        lambda v: len(set(v)) == 1,
        lambda v: len(set(v)) == 2,
    ]

    assert [reaches(drawn, that) for that in reached] == [True] * 4
    assert not reaches(drawn, lambda v: 1.0 in v)
    assert minimal(drawn) == (-1.0, -1.0, -1.0)


@pytest.mark.parametrize(
    ("interval", "admitted"),
    [
        ((-2, 0.875), True),
        ((-2, 1), False),
        ((0.9, 0.95), False),
        ((1.125, 2), True),
        ((0, 3), False),
    ],
    ids=str,
)
def test_a_domain_admits_what_keeps_off_its_poles(
    interval: tuple[float, float],
    admitted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """An interval that leaves the domain or comes near a pole is refused; kinks do not matter."""
    assert KINKED.admits(interval) is admitted


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_rounding_out_never_loses_a_number(lo: float, hi: float) -> None:
    """What was inside stays inside, and the ends are multiples of 1/64."""
    below, above = values.rounded_out(lo, hi)

    assert below <= lo <= below + 1 / 64
    assert above - 1 / 64 <= hi <= above
    assert (below * 64).is_integer()
    assert (above * 64).is_integer()
