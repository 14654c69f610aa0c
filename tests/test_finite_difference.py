"""Finite differences: their error bound where the derivative is known, and on adversaries."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.oracles.agreement import RESOLUTION
from conformance.oracles.finite_difference import (
    Estimate,
    Sample,
    directional_derivative,
    step_for,
)

EPSILON = 2.0**-52
STEP = step_for(EPSILON)
NUMBERS = st.integers(-256, 256).map(lambda n: n / 64)
SIZES = st.integers(16, 256).map(lambda n: n / 64)
FRACTIONS = [2.0**-k for k in range(1, 30)] + [k / 16 for k in range(1, 32)]
"""Distances from the point, in units of the step, on both sides of it."""


@dataclass(frozen=True)
class Known:
    """A function of t, the terms that it sums, and its derivative at 0."""

    terms: Callable[[float], list[float]]
    derivative: float
    roundings: int

    def phi(self, t: float) -> Sample:
        """A sample of the sum."""
        terms = self.terms(t)
        return Sample(sum(terms), sum(map(abs, terms)))


def estimate(known: Known, step: float = STEP) -> Estimate:
    """The derivative in double precision."""
    return directional_derivative(known.phi, epsilon=EPSILON, step=step, roundings=known.roundings)


def assert_bounded(known: Known) -> Estimate:
    """The estimate is off by no more than it says."""
    __tracebackhide__ = True
    found = estimate(known)
    off = abs(found.value - known.derivative)
    assert off <= found.error, f"{found} is off by {off}, expected {known.derivative}"
    return found


def assert_conclusive(known: Known) -> None:
    """The estimate is off by no more than it says, and that is under 1 %, and it sees no kink."""
    __tracebackhide__ = True
    found = assert_bounded(known)
    assert found.error < RESOLUTION * abs(known.derivative)
    assert found.jump < RESOLUTION * abs(known.derivative)


def of(phi: Callable[[float], float], derivative: float, roundings: int = 4) -> Known:
    """A function that is one term."""
    return Known(lambda t: [phi(t)], derivative, roundings)


@st.composite
def polynomials(draw: st.DrawFn) -> Known:
    """Polynomials of degree 1 to 6 at a point of [-4, 4]."""
    coefficients = draw(st.lists(NUMBERS, min_size=2, max_size=7), "coefficients")
    point = draw(NUMBERS, "point")
    degrees = range(len(coefficients))
    return Known(
        lambda t: [c * (point + t) ** k for k, c in enumerate(coefficients)],
        math.fsum(k * coefficients[k] * point ** (k - 1) for k in degrees if k),
        2 + 2 * len(coefficients),
    )


@given(known=polynomials())
def test_the_error_of_a_polynomial_is_within_its_bound(known: Known) -> None:
    """Whatever the coefficients and the point, cancellation to zero included."""
    assert_bounded(known)


@given(scale=SIZES, rate=SIZES, point=NUMBERS)
def test_an_exponential_is_conclusive(scale: float, rate: float, point: float) -> None:
    """Derivative a b exp(b x)."""
    value = scale * math.exp(rate * point)
    # the rounding of b (x + t) is multiplied by its size, up to 16
    assert_conclusive(of(lambda t: scale * math.exp(rate * (point + t)), rate * value, 20))


@given(rate=SIZES, point=NUMBERS)
def test_the_error_of_a_sine_is_within_its_bound(rate: float, point: float) -> None:
    """Derivative b cos(b x), also where it is nearly zero."""
    known = Known(lambda t: [math.sin(rate * (point + t))], rate * math.cos(rate * point), 20)
    assert_bounded(known)


@given(rate=SIZES)
def test_a_sine_at_its_steepest_is_conclusive(rate: float) -> None:
    """Derivative b at 0."""
    assert_conclusive(of(lambda t: math.sin(rate * t), rate))


@given(numerator=SIZES, denominator=SIZES)
def test_a_quotient_is_conclusive(numerator: float, denominator: float) -> None:
    """Derivative of a / (b + t) away from its pole: -a / b^2."""
    assert_conclusive(of(lambda t: numerator / (denominator + t), -numerator / denominator**2))


@given(slope=NUMBERS, size=SIZES)
def test_a_kink_at_the_point_is_seen(slope: float, size: float) -> None:
    """Central differences alone would give the mean slope with no error at all."""
    found = estimate(of(lambda t: slope * t + size * abs(t), slope))

    assert found.jump == pytest.approx(2 * size, rel=1e-6)
    assert found.error >= size
    assert abs(found.value - slope) <= size


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("fraction", FRACTIONS)
def test_a_kink_between_the_samples_is_within_the_bound(fraction: float, side: int) -> None:
    """The slope at the point is that of its own side, wherever the kink lies."""
    kink = side * fraction * STEP

    assert_bounded(of(lambda t: 3 * t + abs(t - kink), 3.0 - side))


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("fraction", FRACTIONS)
def test_a_step_between_the_samples_is_within_the_bound(fraction: float, side: int) -> None:
    """A jump of the value is no slope."""
    step = side * fraction * STEP

    assert_bounded(of(lambda t: 2 * t + (t > step), 2.0))


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_a_step_at_the_point_accuses_no_gradient(at: float) -> None:
    """Whatever the value at the step itself, the error is as large as the estimate."""
    found = estimate(of(lambda t: at if t == 0 else float(t > 0), math.inf))

    assert found.error >= abs(found.value)


@given(point=NUMBERS, scale=st.sampled_from([1e4, 1e8, 1e12]))
def test_cancellation_is_within_the_bound_if_its_terms_are_summed(
    point: float, scale: float
) -> None:
    """The magnitude of 1e8 + x - 1e8 is 2e8, so its rounding is counted."""
    assert_bounded(Known(lambda t: [scale + (point + t), -scale], 1.0, 2))


@pytest.mark.parametrize(
    "known",
    [
        of(lambda t: t + 1e8 * t**2, 1.0),
        of(lambda t: t + 1e12 * t**3, 1.0),
        of(lambda t: t - 1e20 * t**5, 1.0),
        of(lambda t: math.exp(1000 * t), 1000.0),
        of(lambda t: math.sin(1e4 * t), 1e4),
        of(lambda t: 1 / (2 * STEP + t), -1 / (2 * STEP) ** 2),
        of(lambda t: math.sqrt(1.01 * STEP + t), 0.5 / math.sqrt(1.01 * STEP)),
    ],
    ids=["square", "cube", "fifth power", "exp", "sin", "near a pole", "near a branch point"],
)
def test_huge_curvature_is_within_the_bound(known: Known) -> None:
    """Where the series has not converged, the two steps differ by more than the error."""
    assert_bounded(known)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", [0.0, STEP, -STEP, STEP / 2, -STEP / 2])
def test_a_sample_that_is_not_finite_makes_the_estimate_not_finite(
    where: float, bad: float
) -> None:
    """One bad sample of five is enough, and nothing else is claimed."""
    found = estimate(of(lambda t: bad if t == where else t, 1.0))

    assert not found.finite
    assert math.isinf(found.error)


@pytest.mark.parametrize("power", [52, 23, 10, 7])
def test_the_step_is_a_power_of_two_that_balances_truncation_and_rounding(power: int) -> None:
    """It is about the fourth root of epsilon, so that adding it to a grid point is exact."""
    step = step_for(2.0**-power)

    assert math.frexp(step)[0] == 0.5
    assert step == pytest.approx(2.0 ** (-power / 4), rel=0.5)


@given(known=polynomials(), factor=st.sampled_from([1 / 16, 1 / 4, 1.0, 8.0]))
def test_the_bound_holds_at_other_steps(known: Known, factor: float) -> None:
    """The steps with which a disagreement is confirmed are as honest as the first."""
    found = estimate(known, STEP * factor)

    assert abs(found.value - known.derivative) <= found.error
