"""Agree, disagree or inconclusive: a claimed derivative against an estimated one.

The tolerance is what the estimate says of itself; nothing here is tuned. A check counts as
conclusive only where the tolerance is below 1 % of what is checked: a check that cannot fail is not
evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from conformance.oracles.finite_difference import Estimate

RESOLUTION = 0.01
"""The relative error that a conclusive check must be able to see."""


class Answer(Enum):
    """What comparing a claim with an estimate says."""

    AGREE = "agree"
    DISAGREE = "disagree"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Judgement:
    """An answer and the numbers behind it.

    Attributes:
        answer: whether they agree.
        reason: why it is inconclusive, else empty.
        claimed: the derivative that was claimed.
        estimate: what it was compared with.
        tolerance: how far apart they may be.
    """

    answer: Answer
    reason: str
    claimed: float
    estimate: Estimate
    tolerance: float

    @property
    def expected(self) -> float:
        """The derivative, by the estimate."""
        return self.estimate.value

    def conclusive_about(self, part: float) -> bool:
        """Whether an error of 1 % in a part of the claim would have been seen."""
        return self.answer is Answer.AGREE and self.tolerance < RESOLUTION * abs(part)


def judge(claimed: float, estimate: Estimate, *, slack: float) -> Judgement:
    """Compare a claimed directional derivative with an estimate.

    Args:
        claimed: the claim, a gradient's product with the direction.
        estimate: the derivative by finite differences.
        slack: how far the claim itself may be off by rounding.
    """
    tolerance = estimate.error + (slack if math.isfinite(claimed) else 0.0)

    def answer(what: Answer, reason: str = "") -> Judgement:
        return Judgement(what, reason, claimed, estimate, tolerance)

    if not estimate.finite:
        return answer(Answer.INCONCLUSIVE, "the differences are not finite")
    if not math.isfinite(claimed):
        return answer(Answer.DISAGREE)
    if abs(claimed - estimate.value) > tolerance:
        return answer(Answer.DISAGREE)
    return answer(Answer.AGREE)


def is_smooth(estimate: Estimate) -> bool:
    """Whether a function has a derivative where it was estimated, as far as differences can see.

    Both sides agree to within the resolution, beside the derivative or beside one: where it is
    zero, so that there is nothing to compare the jump with, inputs and weights of about one make a
    kink of about one.
    """
    scale = max(abs(estimate.value), 1.0)
    return estimate.finite and estimate.error < RESOLUTION * scale


def is_sum(whole: Estimate, one: Estimate, other: Estimate) -> bool:
    """Whether the derivative along the sum of two directions can be the sum of both.

    Where a function has a gradient it is. A median of equal elements has a derivative along every
    direction, the median of the direction, and no gradient.

    Args:
        whole: along the sum.
        one: along one direction.
        other: along another.
    """
    off = abs(whole.value - one.value - other.value)
    return not (off > whole.error + one.error + other.error)  # one that is not finite says nothing
