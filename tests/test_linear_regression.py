"""The article's regression: its closed form is right, and its bounds are what they say."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest

from conformance.linear_regression import BEFORE, NEVER, Array, Regression, closed_form, regressions

WATCHED = (BEFORE, NEVER, NEVER, NEVER)


@hypothesis.settings(max_examples=100, database=None, deadline=None, derandomize=True)
@hypothesis.given(case=regressions("", "eager"))
def test_the_closed_form_is_the_slope_of_the_loss(case: Regression) -> None:
    """Symmetric differences of a quadratic function are its derivative: one step is enough."""
    form = closed_form(case, 0)
    at = case.arrays(0)

    def loss(moved: dict[str, Array]) -> float:
        residual = moved["x"] @ moved["w"] + moved["b"] - moved["y"]
        return float(np.mean(residual**2))

    hypothesis.assume(case.rows)  # the mean of nothing has no slope
    for name in at:
        for place in np.ndindex(at[name].shape):
            step = np.zeros_like(at[name])
            step[place] = 0.5
            slope = loss({**at, name: at[name] + step}) - loss({**at, name: at[name] - step})
            assert form[name].value[place] == pytest.approx(slope, abs=1e-9)


def test_whole_numbers_leave_no_room_for_rounding() -> None:
    """With the article's own numbers every gradient is exact, and its bound is zero."""
    numbers = ((1.0, 2.0, 3.0, 4.0), (0.5, -1.0), (0.0,), (5.0, 11.0))
    case = Regression("float32", 2, 2, 0.01, (numbers,), WATCHED, unknown_rank=False)
    bounds = {name: float(form.bound.max()) for name, form in closed_form(case, 0).items()}

    assert bounds == dict.fromkeys(bounds, 0.0)


def test_a_mean_over_three_rows_has_a_bound() -> None:
    """A third is no binary fraction, so the gradient is only as good as its roundings."""
    numbers = ((1.0, 2.0, 3.0), (0.5,), (0.0,), (5.0, 11.0, 1.0))
    case = Regression("float64", 3, 1, 0.25, (numbers,), WATCHED, unknown_rank=False)
    form = closed_form(case, 0)["w"]

    assert 0 < form.bound.max() < 1e-13
