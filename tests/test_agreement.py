"""The three answers: agree, disagree, inconclusive."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.oracles.agreement import RESOLUTION, Answer, is_sum, judge
from conformance.oracles.finite_difference import Estimate
from tests.test_finite_difference import NUMBERS, SIZES, estimate, of

POLE = Estimate(math.nan, math.inf, math.nan, finite=False)


@given(slope=SIZES, bend=NUMBERS, wrong=st.sampled_from([1.01, 0.99, -1.0, 2.0, 0.0]))
def test_a_gradient_that_is_wrong_by_one_percent_or_more_disagrees(
    slope: float, bend: float, wrong: float
) -> None:
    """On an ordinary function, and in its sign too."""
    found = estimate(of(lambda t: slope * t + bend * math.sin(t) ** 2, slope))

    assert judge(wrong * slope, found, slack=0.0).answer is Answer.DISAGREE


@given(slope=SIZES, bend=NUMBERS)
def test_the_true_gradient_agrees_and_is_conclusive(slope: float, bend: float) -> None:
    """An error of 1 % would have been seen."""
    judgement = judge(
        slope, estimate(of(lambda t: slope * t + bend * math.sin(t) ** 2, slope)), slack=0.0
    )

    assert judgement.answer is Answer.AGREE
    assert judgement.conclusive_about(slope)


@pytest.mark.parametrize("claimed", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_not_finite_disagrees_with_finite_differences(claimed: float) -> None:
    """NaN is compared with care: it is on neither side of a tolerance."""
    rounding = abs(claimed) * 2.0**-52  # as large as what it is the rounding of
    judgement = judge(claimed, Estimate(1.0, 1e-9, 0.0, finite=True), slack=rounding)

    assert judgement.answer is Answer.DISAGREE
    assert judgement.tolerance == 1e-9


@pytest.mark.parametrize("claimed", [0.0, 1.0, math.nan, math.inf])
def test_differences_that_are_not_finite_decide_nothing(claimed: float) -> None:
    """At a pole no gradient is accused, and none is confirmed."""
    judgement = judge(claimed, POLE, slack=0.0)

    assert judgement.answer is Answer.INCONCLUSIVE
    assert judgement.reason == "the differences are not finite"
    assert not judgement.conclusive_about(1.0)


@pytest.mark.parametrize("claimed", [-2.0, -1.0, 0.0, 1.0, 2.0])
def test_no_slope_between_those_of_a_kink_is_accused_or_conclusive(claimed: float) -> None:
    """Any subgradient of 2 |t| is within the tolerance, which is far above 1 %."""
    judgement = judge(claimed, estimate(of(lambda t: 2 * abs(t), 0.0)), slack=0.0)

    assert judgement.answer is Answer.AGREE
    assert not judgement.conclusive_about(claimed)


def test_agreement_within_a_wide_tolerance_is_not_conclusive() -> None:
    """A tolerance of 1 % of the part or more could have hidden an error of 1 %."""
    judgement = judge(1.0, Estimate(1.0, RESOLUTION, 0.0, finite=True), slack=0.0)

    assert judgement.answer is Answer.AGREE
    assert not judgement.conclusive_about(1.0)
    assert judgement.conclusive_about(1.01)


def test_a_part_that_is_zero_is_never_conclusive() -> None:
    """A check that cannot fail is not evidence."""
    judgement = judge(1.0, Estimate(1.0, 0.0, 0.0, finite=True), slack=0.0)

    assert not judgement.conclusive_about(0.0)


@pytest.mark.parametrize(("slack", "answer"), [(0.0, Answer.DISAGREE), (0.1, Answer.AGREE)])
def test_the_rounding_of_the_claim_widens_the_tolerance(slack: float, answer: Answer) -> None:
    """The slack is added to the error of the estimate."""
    assert judge(1.1, Estimate(1.0, 0.01, 0.0, finite=True), slack=slack).answer is answer


VECTORS = st.lists(SIZES, min_size=3, max_size=3)


def slope_of(function: Callable[[list[float]], float], direction: list[float]) -> Estimate:
    """The derivative of a function of three numbers at 0 along a direction."""
    return estimate(of(lambda t: function([t * d for d in direction]), max(map(abs, direction))))


@given(one=VECTORS, other=VECTORS)
def test_derivatives_of_what_has_a_gradient_add_up(one: list[float], other: list[float]) -> None:
    """Along any two directions."""

    def smooth(at: list[float]) -> float:
        return math.sin(at[0]) - 2 * at[1] + at[2] ** 2

    both = [a + b for a, b in zip(one, other, strict=True)]

    assert is_sum(*(slope_of(smooth, along) for along in (both, one, other)))


def test_derivatives_of_a_median_of_equal_elements_do_not_add_up() -> None:
    """It has one along every direction, the same from both sides, and no gradient."""
    one, other, both = ([1.0, 2.0, 4.0], [3.0, -1.0, 0.5], [4.0, 1.0, 4.5])
    found = [slope_of(statistics.median, along) for along in (both, one, other)]

    assert [estimate.value for estimate in found] == pytest.approx([4.0, 2.0, 0.5])
    assert not is_sum(*found)


def test_what_is_not_finite_does_not_say_that_derivatives_do_not_add_up() -> None:
    """It says nothing."""
    assert is_sum(POLE, Estimate(1.0, 0.0, 0.0, finite=True), Estimate(1.0, 0.0, 0.0, finite=True))
