"""Directional finite differences that derive their own tolerance.

A function of one real parameter is evaluated at 0, at plus and minus h, and at plus and minus h/2.
Richardson's extrapolation of the two central differences gives the derivative; how far they lie
apart bounds the truncation, and the magnitude of what was summed bounds the rounding. Central
differences are blind to a kink exactly at 0: the second differences see it, as those of a smooth
function shrink with h and those of a kink stay.

Source of the method: L. F. Richardson, "The approximate arithmetical solution by finite
differences", Phil. Trans. R. Soc. A 210 (1911), 307-357; W. H. Press et al., "Numerical Recipes",
section 5.7 (step and error of numerical derivatives).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

SAFETY = 8.0
"""The factor between an estimated and a believed error.

Where the function steps at the point, halving the step doubles both central differences, and the
extrapolated value is 7 times what :func:`directional_derivative` takes for the truncation.
"""


@dataclass(frozen=True)
class Sample:
    """A function's value, and the sum of the absolute values of the terms that it sums."""

    value: float
    magnitude: float


@dataclass(frozen=True)
class Estimate:
    """A derivative and how far it may be off.

    Attributes:
        value: the derivative along the direction.
        error: a bound on its error: truncation, rounding and half the jump of the slope.
        jump: by how much the slope jumps at the point; about zero where the function is smooth.
        finite: whether all samples were finite; if not, nothing else is meaningful.
    """

    value: float
    error: float
    jump: float
    finite: bool


def step_for(epsilon: float) -> float:
    """The step that balances truncation (h squared) against rounding (epsilon / h): a power of 2.

    With epsilon of float64 it is 2**-13: larger than the balance of a single central difference,
    as extrapolation removes the leading truncation term.
    """
    return float(2.0 ** round(math.log2(epsilon) / 4))


def directional_derivative(
    phi: Callable[[float], Sample], *, epsilon: float, step: float, roundings: int
) -> Estimate:
    """The derivative of ``phi`` at 0 with a bound on its error.

    Args:
        phi: from a real parameter (no unit) to a sample.
        epsilon: of the coarsest precision in which ``phi`` computes.
        step: the larger of the two steps.
        roundings: how many roundings one term passes through, at least 1.
    """
    middle = phi(0.0)
    wide_up, wide_down = phi(step), phi(-step)
    near_up, near_down = phi(step / 2), phi(-step / 2)
    samples = (middle, wide_up, wide_down, near_up, near_down)
    if not all(math.isfinite(s.value) for s in samples):
        return Estimate(math.nan, math.inf, math.nan, finite=False)
    wide = (wide_up.value - wide_down.value) / (2 * step)
    near = (near_up.value - near_down.value) / step
    wide_bend = (wide_up.value - 2 * middle.value + wide_down.value) / step
    near_bend = 2 * (near_up.value - 2 * middle.value + near_down.value) / step
    jump = abs(2 * near_bend - wide_bend)
    # each sample is off by roundings * epsilon * magnitude; near weighs 4/3 * 2/h, wide 1/3 * 1/h
    rounding = 3 * roundings * epsilon * max(s.magnitude for s in samples) / step
    truncation = abs(near - wide) / 3
    error = SAFETY * (truncation + rounding) + jump / 2
    return Estimate((4 * near - wide) / 3, error, jump, finite=True)
