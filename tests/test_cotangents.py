"""The gradient for other cotangents: which they are, and what is said of what comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.boundary import Gradient, make_tensor, tensorflow
from conformance.drawn_graphs import COMBINED, PART, ZERO, GraphCase
from conformance.graph_cases import GRAPHS, Seen, run
from strategies import dtypes
from strategies.drawing import points
from strategies.graphs import Graph, Node, Ref
from strategies.ops import CATALOGUE as OPS
from strategies.values import Number
from tests.cases import CONTRACTS, accusation, case_of, chain, conclusive, ending

SIN = chain(("tf.math.sin", (0,)), shape=(3,))
NUMBERS = (0.5, 1.0, -2.0)


def asked(graph: Graph = SIN, *numbers: tuple[Number, ...]) -> GraphCase:
    """A case whose gradient is asked for with other cotangents too."""
    return case_of(graph, *(numbers or (NUMBERS,)), pulls=True)


def doctored(case: GraphCase, name: str, change: Any, mode: str = "eager") -> Seen:
    """What is seen of a case in a mode, with the answer to one of the other cotangents changed."""
    seen = run(case, mode)
    answer = seen.pulled[name]
    assert isinstance(answer, list)
    gradient = answer[0]
    assert gradient is not None
    answer[0] = Gradient(gradient.dtype, change(gradient.array))
    return seen


@given(data=st.data())
@settings(deadline=None)  # the first call of TensorFlow takes seconds
def test_other_cotangents_are_exact_in_every_dtype(data: st.DataObject) -> None:
    """So that a combination of them is one, bit for bit, whatever the precision."""
    tf = tensorflow()
    dtype = data.draw(st.sampled_from(dtypes.DIFFERENTIABLE), "dtype")
    graph = chain(("tf.math.negative", (0,)), dtype=dtype, shape=(4,))
    case = asked(graph, data.draw(points(graph.inputs), "point")[0])

    for cotangent in (case.weights, *case.cotangents.values()):
        made = make_tensor(tf, dtype, cotangent[0])
        np.testing.assert_array_equal(tf.cast(made, "complex128").numpy(), cotangent[0])
    zero, part, combined = (case.cotangents[name][0] for name in (ZERO, PART, COMBINED))
    assert not zero.any()
    np.testing.assert_array_equal(part[1::2], 0)
    np.testing.assert_array_equal(combined, -case.weights[0] - part)


def test_no_other_cotangent_is_asked_unless_it_was_drawn() -> None:
    """Each costs a forward pass and a backward pass."""
    case = case_of(SIN, NUMBERS)

    assert case.cotangents == {}
    assert run(case, "eager").pulled == {}


@pytest.mark.parametrize("mode", ["eager", "function", "outer", "xla", "dynamic"])
def test_each_mode_is_asked_at_the_first_point(mode: str) -> None:
    """A Variable has stepped by then, and is put back."""
    case = asked()
    case = replace(case, roles=("variable",), points=(case.points[0], ((7.0, 8.0, 9.0),)))

    seen = run(case, mode)

    for name, cotangent in case.cotangents.items():
        answer = seen.pulled[name]
        assert isinstance(answer, list)
        assert answer[0] is not None
        np.testing.assert_allclose(answer[0].array, cotangent[0] * np.cos(NUMBERS), rtol=1e-14)
    assert conclusive("zero-cotangent", seen) == conclusive("linear-cotangent", seen) == 1


@pytest.mark.parametrize("error", [np.nan, np.inf, 5e-324])
def test_what_is_not_zero_for_the_zero_cotangent_is_accused(error: float) -> None:
    """In one element, be it the smallest number that there is."""
    seen = doctored(asked(), ZERO, lambda g: g + np.array([0, 0, error]))

    found = accusation("zero-cotangent", seen)

    assert found is not None
    assert (found.kind, found.expected) == ("value", "zeros for x0")
    assert found.got == f"{error!r} at [2]"


@pytest.mark.parametrize("name", [PART, COMBINED])
def test_what_is_not_linear_by_one_percent_is_accused(name: str) -> None:
    """In the element that matters most."""
    seen = doctored(asked(), name, lambda g: g * np.where(abs(g) == abs(g).max(), 1.01, 1))

    found = accusation("linear-cotangent", seen)

    assert found is not None
    assert found.kind == "value"
    assert accusation("zero-cotangent", seen) is None


def squeezed(tape: Any) -> Any:
    """How a tape answers that is not linear."""
    return lambda *given, **named: tensorflow().exp(tape.gradient(*given, **named))


@pytest.mark.parametrize("mode", ["eager", "function", "outer", "xla", "dynamic"])
@pytest.mark.parametrize(
    ("contract", "name"), [("zero-cotangent", ZERO), ("linear-cotangent", PART)]
)
@pytest.mark.parametrize("weights", ["plain", "drawn"])
def test_a_program_that_accuses_asks_with_other_cotangents(
    contract: str, name: str, mode: str, weights: str
) -> None:
    """It comes to its end where nothing is wrong, and fails where a tape is not linear."""
    case = replace(asked(), plain=weights == "plain")
    found = accusation(contract, doctored(case, name, lambda g: g * 1.01 + 1e-3, mode))
    assert found is not None
    ending(found.where)

    with pytest.raises(AssertionError, match=r"^value: "):
        ending(found.where.replace("tape.gradient", "squeezed(tape)"), squeezed=squeezed)


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_a_program_about_what_raises_asks_with_that_cotangent(mode: str) -> None:
    """Zeros stand in it; it comes to its end where nothing is raised."""
    seen = run(asked(), mode)
    seen.pulled[ZERO] = TypeError("no")
    found = accusation("zero-cotangent", seen)
    assert found is not None
    assert "tf.constant([0.0, 0.0, 0.0], tf.float64)" in found.where

    ending(found.where)


def test_what_cancels_on_the_way_back_is_no_accusation() -> None:
    """Of the difference of two products, what rounding leaves of it may be anything."""
    graph = chain(
        ("tf.math.multiply", (0, 1 / 3)),
        ("tf.math.multiply", (0, 1 / 3 + 1e-14)),
        ("tf.math.subtract", (1, 2)),
    )
    seen = doctored(asked(graph, (0.5,)), COMBINED, lambda g: g + 2.0**-54)

    tally = CONTRACTS["linear-cotangent"].check(seen)
    assert (tally.conclusive, tally.inconclusive) == (0, {"rounding explains too much": 1})


def test_what_does_not_cancel_is_accused_of_a_millionth() -> None:
    """The bound is that of roundings."""
    seen = doctored(asked(), COMBINED, lambda g: g * (1 + 1e-6))

    assert accusation("linear-cotangent", seen) is not None


def test_what_is_not_finite_is_not_judged() -> None:
    """Zero times infinity is no number, whoever computes it."""
    root = chain(("tf.math.sqrt", (0,)), shape=(3,))
    seen = run(asked(root, (0.0, 1.0, 4.0)), "eager")

    for name in ("zero-cotangent", "linear-cotangent"):
        tally = CONTRACTS[name].check(seen)
        assert (tally.conclusive, tally.inconclusive) == (0, {"the gradient is not finite": 1})


def test_a_result_that_is_not_finite_excuses_its_gradient() -> None:
    """Though the gradient without zeros is finite: an infinite factor was left out there."""
    kind = SIN.inputs[0].type
    nodes = (
        Node("tf.math.reciprocal", "tf.math.reciprocal", (Ref(0),), (), (kind,)),
        Node("tf.math.sin", "tf.math.sin", (Ref(0),), (), (kind,)),
    )
    case = asked(Graph(SIN.inputs, nodes, (2,)), (0.0, 1.0, 2.0))
    seen = doctored(case, ZERO, lambda g: g * np.nan)

    tally = CONTRACTS["zero-cotangent"].check(seen)

    reason = "the result of tf.math.reciprocal is not finite"
    assert (tally.conclusive, tally.inconclusive) == (0, {reason: 1})


@pytest.mark.parametrize("name", [PART, COMBINED, ZERO])
def test_a_cotangent_that_raises_is_accused(name: str) -> None:
    """As with others the gradient is there."""
    seen = run(asked(), "eager")
    seen.pulled[name] = TypeError("no")

    found = accusation("zero-cotangent" if name == ZERO else "linear-cotangent", seen)

    assert found is not None
    assert (found.kind, found.got) == ("exception", "TypeError: no")


def test_cases_reach_other_cotangents_and_watched_integers() -> None:
    """One case in four is asked; an input of integers is watched as often as another Tensor."""
    cases: list[GraphCase] = []

    @given(case=GRAPHS.draw("tf.gather_nd", "eager"))
    @settings(max_examples=200, database=None, deadline=None)
    def draw(case: GraphCase) -> None:
        cases.append(case)

    draw()

    assert "tf.gather_nd" in OPS
    assert 20 < sum(case.pulls for case in cases) < 100
    integers = [
        case.roles[i]
        for case in cases
        for i, made in enumerate(case.graph.inputs)
        if not dtypes.is_differentiable(made.type.dtype)
    ]
    assert set(integers) == {"watched", "constant"}
