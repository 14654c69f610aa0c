"""The projection of a graph on a direction, and the contracts that judge gradients by it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.boundary import Gradient, tensorflow
from conformance.drawn_graphs import GraphCase
from conformance.graph_cases import run
from conformance.oracles.finite_difference import step_for
from conformance.oracles.projection import Projection
from conformance.second_order_cases import gradient_of
from strategies.graphs import Graph, Node, Ref
from strategies.tensors import TensorType
from tests.cases import CONTRACTS, accusation, case_of, chain, conclusive, doctored

EPSILON = 2.0**-52
STEP = step_for(EPSILON)
NUMBERS = st.integers(-256, 256).map(lambda n: n / 64)
COMPLEX = st.builds(complex, NUMBERS, NUMBERS)

SIN = chain(("tf.math.sin", (0,)))


def project(graph: Graph, *arrays: object, weight: complex = 1.0) -> Projection:
    """The first output of a graph, weighted."""
    numbers = [np.asarray(array) for array in arrays]
    weights = [np.full(graph.types[graph.outputs[0]].shape, weight)]
    return Projection(
        tensorflow(), graph=graph, arrays=numbers, targets=[0], weights=weights, epsilon=EPSILON
    )


@settings(deadline=None)  # the first example starts TensorFlow
@given(point=NUMBERS, weight=NUMBERS, tangent=NUMBERS)
def test_a_derivative_is_that_of_the_weighted_output(
    point: float, weight: float, tangent: float
) -> None:
    """For sin: w cos(x) v."""
    found = project(SIN, point, weight=weight).derivative({0: np.array(tangent)}, step=STEP)

    assert abs(found.value - weight * np.cos(point) * tangent) <= found.error + 1e-300


@settings(deadline=None)  # as above
@given(point=COMPLEX, weight=COMPLEX, tangent=COMPLEX)
def test_of_a_complex_graph_the_real_part_of_the_weighted_sum_counts(
    point: complex, weight: complex, tangent: complex
) -> None:
    """For z squared: Re(conj(w) 2 z v), which is Re(conj(g) v) with g = w conj(2 z)."""
    graph = chain(("tf.math.square", (0,)), dtype="complex128")

    found = project(graph, point, weight=weight).derivative({0: np.array(tangent)}, step=STEP)

    gradient = weight * np.conj(2 * point)
    assert abs(found.value - (np.conj(gradient) * tangent).real) <= found.error + 1e-300


@given(point=st.integers(32, 256).map(lambda n: n / 64))
@settings(deadline=None)  # as above
def test_what_stop_gradient_takes_is_held_constant(point: float) -> None:
    """Of x * stop_gradient(x) the derivative is x, not 2 x."""
    graph = chain(("tf.stop_gradient", (0,)), ("tf.math.multiply", (0, 1)))

    found = project(graph, point).derivative({0: np.array(1.0)}, step=STEP)

    assert abs(found.value - point) <= found.error < 0.01 * point


@given(point=st.integers(-120, 120).map(lambda n: n / 64))
@settings(deadline=None)  # as above
def test_what_has_a_surrogate_keeps_its_value_and_changes_as_the_surrogate_does(
    point: float,
) -> None:
    """Of the square of a number that is rounded, and moves as if it were not: 2 round(x)."""
    rounded = Node(
        "round", "tf.math.round", (Ref(0),), (), (SIN.types[0],), surrogate="tf.identity({0})"
    )
    square = Node("square", "tf.math.square", (Ref(1),), (), (SIN.types[0],))
    graph = Graph(SIN.inputs, (rounded, square), (2,))

    along = project(graph, point)
    found = along.derivative({0: np.array(1.0)}, step=STEP, growth=along.growth())

    assert abs(found.value - 2 * np.round(point)) <= found.error < 1e-6


def test_an_input_that_does_not_move_is_constant() -> None:
    """Of x * y along x alone the derivative is y."""
    graph = chain(("tf.math.multiply", (0, 1)), inputs=2)

    found = project(graph, 2.0, 3.0).derivative({0: np.array(1.0)}, step=STEP)

    assert abs(found.value - 3.0) <= found.error < 0.03


@pytest.mark.parametrize(("apart", "jump"), [(False, 0.0), (True, 2.0)])
def test_kinks_of_two_elements_cancel_unless_each_counts_by_itself(
    apart: bool,  # noqa: FBT001 - pytest gives parameters by name
    jump: float,
) -> None:
    """Of relu(x) - relu(-x) at zero, two targets that are not smooth by themselves."""
    relu = chain(("tf.nn.relu", (0,)), ("tf.math.negative", (0,)), ("tf.nn.relu", (2,)))
    graph = replace(relu, outputs=(1, 3))
    along = Projection(
        tensorflow(),
        graph=graph,
        arrays=[np.array(0.0)],
        targets=[0, 1],
        weights=[np.array(1.0), np.array(-1.0)],
        epsilon=EPSILON,
    )

    found = along.derivative({0: np.array(1.0)}, step=STEP, apart=apart)

    assert (found.value, found.jump) == (1.0, jump)
    assert found.error >= jump / 2


def test_what_does_not_change_with_what_moves_adds_to_no_error() -> None:
    """Of an output of 1e12 beside sin(y), along y."""
    graph = chain(("tf.math.multiply", (0, 1e12)), ("tf.math.sin", (1,)), inputs=2, outputs=(2, 3))
    along = Projection(
        tensorflow(),
        graph=graph,
        arrays=[np.array(1.0), np.array(0.5)],
        targets=[0, 1],
        weights=[np.array(1.0), np.array(1.0)],
        epsilon=EPSILON,
    )

    alone = along.derivative({1: np.array(1.0)}, step=STEP)
    both = along.derivative({0: np.array(1.0), 1: np.array(1.0)}, step=STEP)

    assert abs(alone.value - np.cos(0.5)) <= alone.error < 1e-6
    assert both.error > 1.0


def test_growth_is_about_one_where_nothing_cancels() -> None:
    """One rounding of a value of 1 moves the sum by one epsilon at most."""
    growth = project(chain(("tf.math.exp", (0,))), 0.0).growth()

    assert 0.5 <= growth <= 2.0


@pytest.mark.parametrize("scale", [1e4, 1e8])
def test_growth_is_that_of_the_terms_that_cancel(scale: float) -> None:
    """For 1e8 + x - 1e8 it is about 1e8, though the result is 1."""
    graph = chain(("tf.math.add", (0, scale)), ("tf.math.subtract", (1, scale)))

    assert scale / 2 <= project(graph, 1.0).growth() <= scale * 4


@pytest.mark.parametrize("scale", [1e4, 1e8])
def test_with_growth_the_bound_holds_where_terms_cancel(scale: float) -> None:
    """The rounding inside the graph is counted, though its output hides it."""
    graph = chain(("tf.math.add", (0, scale)), ("tf.math.subtract", (1, scale)))
    projection = project(graph, 1.015625)

    found = projection.derivative({0: np.array(1.0)}, step=STEP, growth=projection.growth())

    assert abs(found.value - 1.0) <= found.error


def test_what_refuses_a_step_has_no_derivative_there() -> None:
    """An arc sine at the end of its domain, whose NaN is refused, as it would be if it were not."""
    call = "tf.debugging.check_numerics(tf.math.asin({0}), 'refused')"
    graph = Graph(SIN.inputs, (Node("strict", call, (Ref(0),), (), (SIN.types[0],)),), (1,))

    assert not project(graph, 1.0).derivative({0: np.array(1.0)}, step=STEP).finite
    with pytest.raises(tensorflow().errors.InvalidArgumentError):
        project(graph, 2.0).derivative({0: np.array(1.0)}, step=STEP)


def test_growth_is_infinite_where_a_cotangent_has_another_shape_than_its_value() -> None:
    """A row where a column is due passes an op that makes a matrix of both, a disturbance not."""
    column = TensorType("float64", (3, 1))
    call = "tf.custom_gradient(lambda x: (tf.square(x), lambda dy: tf.reshape(dy, [1, 3])))({0})"
    bad = Node("bad", call, (Ref(0),), (), (column,))
    graph = Graph((replace(SIN.inputs[0], type=column),), (bad,), (1,))
    case = gradient_of(case_of(graph, (1.0, 2.0, 3.0)), 0)

    assert project(case.graph, np.ones((3, 1))).growth() == math.inf


# -- the contracts that stand on it ----------------------------------------------------------------

THOUSAND = case_of(
    chain(("tf.math.exp", (0,)), shape=(10, 100)), tuple((k % 256 - 128) / 64 for k in range(1000))
)
ONE = case_of(SIN, (1.0,))
ROOT = case_of(chain(("tf.math.square", (0,)), dtype="complex128"), (1 + 2j,))
TWO = case_of(chain(("tf.math.sin", (0,)), shape=(2,)), (0.5, 1.0))


def scaled(factor: complex) -> Callable[[Gradient], Gradient]:
    """Every element of a gradient times a factor."""
    return lambda g: Gradient(g.dtype, g.array * factor)


@pytest.mark.parametrize("case", [THOUSAND, ONE, ROOT, TWO], ids=["1000", "sin", "complex", "two"])
def test_an_honest_gradient_is_accused_by_no_contract(case: GraphCase) -> None:
    """And the finite differences are conclusive about it."""
    seen = doctored(case, lambda gradient: gradient)

    assert accusation("gradient-shape-and-dtype", seen) is None
    assert conclusive("gradient-finite-difference", seen) == 1


PRODUCT = case_of(
    chain(("tf.math.multiply", (0, 2.0**20)), ("tf.math.tanh", (1,)), inputs=2, outputs=(2, 3)),
    (1.0,),
    (1.0,),
)
"""Of whose derivative along both sources the second is a millionth."""
TIED = case_of(
    replace(
        chain(("tf.math.abs", (0,)), ("tf.math.sin", (1,)), inputs=2, outputs=(2, 3)),
        nodes=tuple(
            replace(node, kinks=((0, (0.0,)),) if node.op == "tf.math.abs" else ())
            for node in chain(("tf.math.abs", (0,)), ("tf.math.sin", (1,)), inputs=2).nodes
        ),
    ),
    (0.0,),
    (1.0,),
)
"""One source at a kink beside another one that is at none."""


@pytest.mark.parametrize("case", [PRODUCT, TIED], ids=["small", "beside a kink"])
def test_a_source_that_others_hide_is_judged_alone(case: GraphCase) -> None:
    """An error of 1 % in its part is seen, and named."""
    seen = run(case, "eager")
    assert CONTRACTS["gradient-finite-difference"].check(seen).conclusive >= 1
    gradient = seen.points[0].gradients[1]
    assert gradient is not None
    seen.points[0].gradients[1] = scaled(1.01)(gradient)

    violation = accusation("gradient-finite-difference", seen)

    assert violation is not None
    assert "for x1" in violation.expected


@pytest.mark.parametrize("coordinates", [10, 10_000])
def test_what_a_case_costs_does_not_grow_with_its_coordinates(
    coordinates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function is run once by the tape and at four points by the oracle, whatever its size."""
    tf = tensorflow()
    calls, sin = [0], tf.math.sin

    def counted(x: object) -> object:
        calls[0] += 1
        return sin(x)

    numbers = tuple((k % 256 - 128) / 64 for k in range(coordinates))
    case = case_of(chain(("tf.math.sin", (0,)), shape=(coordinates,)), numbers)
    monkeypatch.setattr(tf.math, "sin", counted)

    found = conclusive("gradient-finite-difference", run(case, "eager"))

    assert (found, calls[0]) == (1, 5)


@pytest.mark.parametrize("factor", [1.01, float("nan")])
@pytest.mark.parametrize("place", [0, 137, 999])
def test_one_wrong_element_of_a_thousand_is_found_and_named(place: int, factor: float) -> None:
    """It is off by 1 %, or not a number, and the report says which one it is."""

    def spoil(gradient: Gradient) -> Gradient:
        array = gradient.array.copy()
        array[divmod(place, 100)] *= factor
        return Gradient(gradient.dtype, array)

    violation = accusation("gradient-finite-difference", doctored(THOUSAND, spoil))

    assert violation is not None
    assert violation.kind == "value"
    assert violation.expected.endswith(f"for x0{list(divmod(place, 100))}")


@pytest.mark.parametrize("factor", [1.01, 0.99, -1.0, 0.0, float("nan"), float("inf")])
def test_a_gradient_with_a_wrong_value_is_accused(factor: float) -> None:
    """By 1 %, in sign, zero, and not finite."""
    violation = accusation("gradient-finite-difference", doctored(ONE, scaled(factor)))

    assert violation is not None
    assert violation.kind == "value"


def test_a_conjugated_complex_gradient_is_accused() -> None:
    """The convention is dL/dx + i dL/dy; its conjugate differs in the imaginary part alone."""
    seen = doctored(ROOT, lambda g: Gradient(g.dtype, g.array.conj()))

    violation = accusation("gradient-finite-difference", seen)

    assert violation is not None
    assert violation.expected.endswith("for imaginary part of x0")


def test_the_right_value_in_a_wrong_shape_is_accused() -> None:
    """Of two elements as a matrix of one row."""
    seen = doctored(TWO, lambda g: Gradient(g.dtype, g.array.reshape(1, 2)))

    violation = accusation("gradient-shape-and-dtype", seen)

    assert violation is not None
    assert (violation.kind, violation.expected, violation.got) == (
        "shape",
        "float64 [2] for x0",
        "float64 [1, 2]",
    )


def test_the_right_value_in_a_wrong_dtype_is_accused() -> None:
    """Of float64 as float32."""
    seen = doctored(ONE, lambda g: Gradient("float32", g.array))

    violation = accusation("gradient-shape-and-dtype", seen)

    assert violation is not None
    assert (violation.kind, violation.expected, violation.got) == (
        "dtype",
        "float64 [] for x0",
        "float32 []",
    )


def test_a_missing_gradient_is_accused() -> None:
    """None for a source that is watched and connected."""
    violation = accusation("gradient-exists", doctored(ONE, lambda _: None))

    assert violation is not None
    assert (violation.kind, violation.got) == ("none", "None")
