"""Second derivatives: the gradient of a graph as a graph, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from conformance.boundary import Gradient, tensorflow
from conformance.graph_cases import run
from conformance.profiles import PROFILES, hypothesis_settings
from conformance.second_order_cases import (
    SECOND_ORDER,
    SecondOrderCase,
    bent,
    gradient_of,
    is_smooth,
)
from strategies.graphs import Graph, Node, Ref
from strategies.ops import CATALOGUE as OPS
from strategies.tensors import Input, TensorType
from strategies.values import REAL
from tests.cases import accusation, case_of, chain, conclusive, doctored
from tests.forks import in_fork
from tests.test_lies import outcomes_of, violated

CUBE = chain(("tf.math.multiply", (0, 0)), ("tf.math.multiply", (0, 1)))
PRODUCT = chain(("tf.math.multiply", (0, 1)), inputs=2)
FLOAT16 = TensorType("float16", ())
REVERSE, FORWARD = "second-order-reverse", "second-order-forward"


@given(point=st.integers(-64, 64).map(lambda n: n / 16))
@settings(deadline=None)  # the first call of TensorFlow takes seconds
def test_the_gradient_of_a_case_is_a_graph_of_its_inputs(point: float) -> None:
    """Of w x x x it is 3 w x x, for the weight w that the case has."""
    tf = tensorflow()
    case = case_of(CUBE, (point,))

    made = gradient_of(case, 0)

    (value,) = made.graph.function(tf)(tf.constant(point, tf.float64))
    assert made.first is case
    np.testing.assert_allclose(value.numpy(), 3 * case.weights[0] * point**2, rtol=1e-14)


def test_a_gradient_is_with_respect_to_the_source_that_is_named() -> None:
    """Of w x y by y it is w x."""
    tf = tensorflow()
    case = case_of(PRODUCT, (3.0,), (5.0,))

    (value,) = gradient_of(case, 1).graph.function(tf)(
        tf.constant(3.0, tf.float64), tf.constant(5.0, tf.float64)
    )

    assert value.numpy() == 3.0 * case.weights[0]


def test_what_is_linear_has_a_second_derivative_once_it_is_bent() -> None:
    """Of y + y² with y = -x the gradient is 2 x - 1, weighted; of y alone it is constant."""
    tf = tensorflow()
    case = bent(case_of(chain(("tf.math.negative", (0,))), (1.5,)))

    (value,) = gradient_of(case, 0).graph.function(tf)(tf.constant(1.5, tf.float64))

    np.testing.assert_allclose(value.numpy(), case.weights[0] * 2.0, rtol=1e-14)


def test_a_gradient_is_as_coarse_as_what_it_is_the_gradient_of() -> None:
    """Differences of what is rounded to sixteen bits on its way say nothing."""
    coarse = Node("tf.cast", "tf.cast", (Ref(0),), (("dtype", "float16"),), (FLOAT16,))
    case = case_of(Graph((Input(TensorType("float64", ()), REAL),), (coarse,), (1,)), (1.5,))

    assert not case.is_finest
    assert not gradient_of(case, 0).is_finest


@pytest.mark.parametrize("factor", [1.01, 0.0])
def test_a_second_derivative_that_is_off_is_accused(factor: float) -> None:
    """By 1 %, or as if there were none."""
    case = gradient_of(case_of(CUBE, (1.5,)), 0)

    seen = doctored(case, lambda g: Gradient(g.dtype, g.array * factor))

    found = accusation(REVERSE, seen)
    assert found is not None
    assert found.about is case.first


@pytest.mark.parametrize("contract", [REVERSE, FORWARD])
def test_what_cancels_within_an_op_rounds_as_what_it_is_made_of(contract: str) -> None:
    """The gradient of a scalar divided by its modulus is zero wherever differences are taken.

    What TensorFlow answers is a rounding of the terms that cancel.
    """
    kind = TensorType("float64", ())
    keywords = (("axis", ()), ("epsilon", 1e-6))
    node = Node("tf.math.l2_normalize", "tf.math.l2_normalize", (Ref(0),), keywords, (kind,))
    modulus = Graph((Input(kind, REAL),), (node,), (1,))
    case = gradient_of(replace(case_of(modulus, (-0.546875,)), forward=True), 0)

    assert accusation(contract, run(case, "eager")) is None
    if contract == REVERSE:
        wrong = doctored(case, lambda g: Gradient(g.dtype, g.array * 0 + 0.01))
        assert accusation(contract, wrong) is not None


def test_a_second_derivative_of_another_shape_is_accused() -> None:
    """It has the shape of its source, as the first has."""
    case = gradient_of(case_of(CUBE, (1.5,)), 0)

    seen = doctored(case, lambda g: Gradient(g.dtype, g.array[None]))

    found = accusation(REVERSE, seen)
    assert found is not None
    assert (found.kind, found.about) == ("shape", case.first)


def test_a_second_derivative_of_zero_may_be_none() -> None:
    """A product's gradient with respect to one factor does not depend on that factor."""
    case = gradient_of(case_of(PRODUCT, (3.0,), (5.0,)), 0)

    seen = run(case, "eager")

    assert seen.points[0].gradients[0] is None
    assert accusation(REVERSE, seen) is None
    assert conclusive(REVERSE, seen) == 1


@pytest.mark.parametrize(
    ("lie", "broken"),
    [
        ("the_gradient_of_cos_is_scaled", {REVERSE: "value"}),
        ("the_jvp_is_doubled", {FORWARD: "value"}),
    ],
)
def test_each_contract_fails_under_a_lie(lie: str, broken: dict[str, str]) -> None:
    """The gradient of the sine stays what it is, and its derivative does not."""
    ask = partial(outcomes_of, "tf.math.sin", "eager", cases=SECOND_ORDER.name, examples=40)

    assert violated(in_fork(ask)) == {}
    assert broken.items() <= violated(in_fork(ask, lie)).items()


def test_what_is_constant_by_decree_is_no_subject() -> None:
    """Differences of a gradient do not know what stop_gradient held."""
    assert not is_smooth("tf.stop_gradient")
    assert set(SECOND_ORDER.subjects) == {name for name in OPS if is_smooth(name)}


@pytest.mark.parametrize(("subject", "takes"), [("tf.math.cumprod", True), ("tf.math.log", False)])
def test_second_derivatives_are_taken_at_exact_zeros_too(subject: str, *, takes: bool) -> None:
    """In some cases, but not where an op has a pole at zero."""
    met = []

    @seed(0)
    @hypothesis_settings(PROFILES["gate"], 40)
    @given(SECOND_ORDER.draw(subject, "eager"))
    def test(case: SecondOrderCase) -> None:
        node = next(n for n in case.first.graph.nodes if n.op == subject)
        taken = [case.points[0][i] for i in node.operands if i < len(case.graph.inputs)]
        met.append(any(0.0 in numbers for numbers in taken))

    test()

    assert (sum(met) > 5) is takes
    assert takes or not any(met)


def test_zeros_do_not_tie_what_must_be_distinct() -> None:
    """A standard deviation of equal numbers has no derivative, whatever it is multiplied by."""
    met = []

    @seed(0)
    @hypothesis_settings(PROFILES["gate"], 40)
    @given(SECOND_ORDER.draw("tf.math.reduce_std", "eager"))
    def test(case: SecondOrderCase) -> None:
        node = next(n for n in case.first.graph.nodes if n.op == "tf.math.reduce_std")
        numbers = case.points[0][node.operands[0]]
        met.append(numbers.count(0.0))

    test()

    assert max(met) == 1
