"""Special values: where they come from, what is observed there, and what is judged."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Violation
from conformance.contracts import test_contracts as contracts
from conformance.contracts.special_values import gradient_special_values
from conformance.deviations import FILE, load
from conformance.drawn_graphs import WATCHED
from conformance.oracles.agreement import is_smooth
from conformance.profiles import PROFILES
from conformance.record import Outcome
from conformance.running import ItemRun, Plan
from conformance.special_cases import SpecialCase, digits, run_special, special_cases
from strategies.graphs import Graph, Node, Ref
from strategies.ops.math import ABOVE_ONE, KINK_AT_ZERO, NONZERO, POSITIVE, UNIT
from strategies.specials import LARGE, SMALL, SPECIALS
from strategies.tensors import TensorType
from strategies.values import REAL, Domain
from tests.cases import chain
from tests.finding import reaches
from tests.forks import in_fork
from tests.test_finite_difference import estimate, of

Numbers = tuple[float, ...]


@pytest.mark.parametrize(
    ("kind", "domain", "numbers"),
    [
        ("kinks", Domain(kinks=(0.0, 6.0)), (0.0, 6.0)),
        ("kinks", REAL, ()),
        ("ends", POSITIVE, (0.0,)),
        ("ends", UNIT, (-1.0, 1.0)),
        ("ends", NONZERO, (0.0,)),
        ("ends", Domain(-8.0, 8.0), ()),
        ("zeros", POSITIVE, (0.0,)),
        ("zeros", ABOVE_ONE, ()),
        ("ties", KINK_AT_ZERO, (1.0,)),
        ("large", REAL, (LARGE, -LARGE)),
        ("large", POSITIVE, (LARGE,)),
        ("large", UNIT, ()),
        ("small", REAL, (SMALL, -SMALL)),
        ("small", POSITIVE, (SMALL,)),
    ],
)
def test_special_values_follow_from_the_domain(kind: str, domain: Domain, numbers: Numbers) -> None:
    """Its kinks, its poles and ends, zero where it is defined, ties, and both sides of it."""
    assert SPECIALS[kind](domain) == numbers


def at_zeros(that: Callable[[Any, Any], bool]) -> Callable[[SpecialCase], bool]:
    """Of both operands at the exact zeros."""

    def look(case: SpecialCase) -> bool:
        zeros = dict(zip(case.kinds, case.points, strict=True))["zeros"]
        return len(zeros) == 2 and len(zeros[0]) > 2 and that(zeros[0], zeros[1])

    return look


@pytest.mark.parametrize(
    "that",
    [
        pytest.param(lambda x, y: not any(x) and all(y), id="one operand"),
        pytest.param(lambda x, y: not any(x) and not any(y), id="both operands"),
        pytest.param(lambda x, y: x[0] == 0 and x[1] != 0 and all(y), id="mixed"),
    ],
)
def test_zeros_fill_an_operand_or_all_or_are_mixed_with_others(
    that: Callable[[Any, Any], bool],
) -> None:
    """As they matter in products: x * y at x = 0 is another point than at x = y = 0."""
    assert reaches(special_cases("tf.math.xlogy", "eager"), at_zeros(that))


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(1 / 3), "0.333333"),
        (np.array([1.0, -0.0, 1e-13, np.nan, -np.inf]), "[1, 0, 0, nan, -inf]"),
        (np.array([[2.5e-17], [2e17 / 3]]), "[0, 6.66667e+16]"),
        (np.array([4.2484e-18]), "[4.2484e-18]"),
        (np.array([1 + 2j, 0.5 - 1e-20j]), "[1+2j, 0.5+0j]"),
        (np.array([]), "[]"),
    ],
)
def test_an_answer_has_six_digits_and_no_roundings(array: Any, text: str) -> None:
    """What remains of a zero beside larger numbers is zero, and so is its sign."""
    assert digits(array) == text


@pytest.mark.parametrize(
    ("function", "smooth"),
    [
        (lambda t: t * abs(t), True),
        (lambda t: 1 + 0 * t, True),
        (lambda t: 3 + t, True),
        (abs, False),
        (lambda t: max(t, 0.0), False),
        (lambda t: abs(t) ** 0.5, False),
        (lambda t: float(t >= 0), False),
        (lambda t: t if t >= 0 else float("nan"), False),
    ],
)
def test_a_function_is_smooth_where_both_sides_agree(
    function: Callable[[float], float],
    smooth: bool,  # noqa: FBT001 - pytest gives parameters by name
) -> None:
    """Not at a kink, at a root, at a step, nor where one side is not defined."""
    assert is_smooth(estimate(of(function, 0.0))) is smooth


# -- what is observed and judged -------------------------------------------------------------------


def relu_has_a_slope_at_zero(tf: Any) -> None:
    """The gradient of relu is one at zero, where it has no derivative."""
    truth = tf.nn.relu

    def relu(x: Any) -> Any:
        return truth(x), lambda dy: tf.where(x >= 0, dy, tf.zeros_like(dy))

    tf.nn.relu = tf.custom_gradient(relu)


def tanh_is_flat_at_zero(tf: Any) -> None:
    """The gradient of tanh is NaN at zero, where it has a derivative."""
    truth = tf.math.tanh

    def tanh(x: Any) -> Any:
        y = truth(x)
        return y, lambda dy: tf.where(x == 0, np.nan * dy, dy * (1 - y * y))

    tf.math.tanh = tf.custom_gradient(tanh)


LIES = {lie.__name__: lie for lie in (relu_has_a_slope_at_zero, tanh_is_flat_at_zero)}


def seen(subject: str, lie: str | None = None) -> tuple[Outcome, list[Mapping[str, Any]]]:
    """The outcome of the contract about an op, and its observations. Runs in a fork."""
    tf = tensorflow()
    if lie is not None:
        LIES[lie](tf)
    minor = version(tf)
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(minor))
    plan = Plan(PROFILES["gate"], 0, None, minor, known)
    run = ItemRun(contracts.special, subject, "eager", plan)
    with contextlib.suppress(Violation):  # the outcome holds it
        run.test()()
    return run.finish()[0], run.notes


@cache
def honestly(subject: str) -> tuple[Outcome, list[Mapping[str, Any]]]:
    """The same on the TensorFlow that is installed."""
    return in_fork(seen, subject)


def test_a_planted_difference_is_observed_and_accuses_nobody() -> None:
    """The same programs have another answer at the kink, and nowhere else."""
    outcome, before = honestly("tf.nn.relu")

    lied, after = in_fork(seen, "tf.nn.relu", "relu_has_a_slope_at_zero")

    assert [o["program"] for o in before] == [o["program"] for o in after]
    changed = {o["special"] for o, p in zip(before, after, strict=True) if o != p}
    assert changed == {"kinks", "zeros"}
    assert outcome.verdict == lied.verdict == "holds"


def test_a_gradient_that_is_wrong_where_the_function_is_smooth_is_accused() -> None:
    """NaN at zero, which no kink excuses: the function has a derivative there."""
    outcome, _ = in_fork(seen, "tf.math.tanh", "tanh_is_flat_at_zero")

    assert outcome.verdict == "violated"
    assert outcome.failure is not None
    assert outcome.failure.kind == "value"
    assert honestly("tf.math.tanh")[0].verdict == "holds"


@pytest.mark.parametrize("subject", ["tf.math.sqrt", "tf.math.abs", "tf.sort", "tf.norm"])
def test_nobody_is_accused_where_there_is_no_derivative(subject: str) -> None:
    """Roots, kinks, ties and norms of nothing; the answers are kept."""
    outcome, observations = honestly(subject)

    assert outcome.failure is None
    assert outcome.inconclusive["the function has no derivative there"]
    assert {o["special"] for o in observations} >= {"zeros", "ties", "large", "small"}


def test_nobody_is_accused_where_derivatives_do_not_add_up() -> None:
    """The middle one of three equal numbers has a derivative along every line, and no gradient."""
    row = TensorType("float64", (1, 3))
    graph = Graph(
        (replace(chain(("tf.math.sin", (0,))).inputs[0], type=row),),
        (
            Node(
                "middle", "tf.raw_ops.NthElement(input={0}, n=1)", (Ref(0),), (), (row.like((1,)),)
            ),
        ),
        (1,),
    )
    flags = {"persistent": False, "forward": False, "unknown_rank": False, "pulls": False}
    case = SpecialCase(graph, (WATCHED,), (((0.0, 0.0, 0.0),),), kinds=("zeros",), **flags)

    found = gradient_special_values.check(run_special(case, "eager"))

    assert found.conclusive == 0
    assert set(found.inconclusive) == {"derivatives do not add up"}


def test_what_raises_at_special_values_is_observed_too() -> None:
    """A Cholesky decomposition of zeros; the other points are looked at all the same."""
    _, observations = honestly("tf.linalg.cholesky")

    answers = {o["answer"].partition(":")[0] for o in observations}
    assert "x0" in answers


def test_the_programs_are_the_same_each_time() -> None:
    """And are whole programs, with the numbers beside them."""
    first, again = (in_fork(seen, "tf.math.atan2")[1] for _ in range(2))

    assert first == again
    for observation in first:
        assert observation["program"].startswith("import tensorflow as tf\n")
        assert all(text in observation["program"] for text in observation["values"])
