"""The oracle of the lower precisions: real errors are seen, rounding alone never is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from conformance.boundary import Gradient, tensorflow
from conformance.contract import CATALOGUE, Unsupported
from conformance.deviations import FILE, load
from conformance.drawn_graphs import WATCHED, GraphCase
from conformance.graph_cases import run
from strategies.drawing import graphs, points
from strategies.graphs import Graph, Node, Ref
from strategies.tensors import Input, TensorType
from strategies.values import REAL, Domain, grid
from tests.cases import CONTRACTS, accusation, case_of, chain, conclusive, doctored
from tests.forks import in_fork

CONTRACT = "gradient-lower-precision"
SMOOTH = ("tf.math.sin", "tf.math.tanh", "tf.math.multiply", "tf.math.add", "tf.linalg.matvec")
GRAPHS = 30
"""Graphs for each dtype: a few hundred in all."""


def smooth(dtype: str) -> Graph:
    """A graph of three ordinary ops."""
    return chain(
        ("tf.math.sin", (0,)),
        ("tf.math.multiply", (0, 1)),
        ("tf.math.add", (2, 0)),
        dtype=dtype,
        shape=(3,),
    )


@pytest.mark.parametrize(
    ("dtype", "error"),
    [
        ("float32", 0.01),
        ("complex64", 0.01),
        ("float16", 0.05),
        ("bfloat16", 0.25),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_an_error_above_rounding_is_seen(dtype: str, error: float, sign: int) -> None:
    """In one element of three."""
    case = case_of(chain(("tf.math.sin", (0,)), dtype=dtype, shape=(3,)), (0.5, 1.0, -1.5))
    honest = run(case, "eager").points[0].gradients[0]
    assert honest is not None
    largest = int(np.abs(honest.array).argmax())

    def spoil(gradient: Gradient) -> Gradient:
        array = gradient.array.copy()
        array[largest] *= 1 + sign * error
        return Gradient(gradient.dtype, array)

    violation = accusation(CONTRACT, doctored(case, spoil))

    assert violation is not None
    assert violation.kind == "value"
    assert violation.expected.endswith(f"for x0[{largest}]")


@pytest.mark.parametrize("dtype", ["float32", "complex64", "float16", "bfloat16"])
def test_an_honest_gradient_is_conclusive(dtype: str) -> None:
    """On an ordinary graph the bound is sharp enough to be evidence."""
    seen = doctored(case_of(smooth(dtype), (0.5, 1.0, -1.5)), lambda gradient: gradient)

    assert accusation(CONTRACT, seen) is None
    assert conclusive(CONTRACT, seen) == 1


def test_a_gradient_that_cancels_is_not_accused_of_its_rounding() -> None:
    """Of 100 x - 100 x + x / 8 the rounding is large beside the result, and that is known."""
    graph = chain(
        ("tf.math.multiply", (0, 100.0)),
        ("tf.math.multiply", (0, 99.875)),
        ("tf.math.subtract", (1, 2)),
        dtype="bfloat16",
    )
    seen = doctored(case_of(graph, (1.0,)), lambda gradient: gradient)

    assert accusation(CONTRACT, seen) is None


AT_FAULT = {op for d in load(FILE, CATALOGUE) if CONTRACT in d.contracts for op in d.ops}
"""The ops that are known to be imprecise."""


def honest(subject: str, dtype: str) -> st.SearchStrategy[Graph]:
    """Graphs of up to six ops that take a dtype, none of which is known to be imprecise."""
    drawn = graphs(subject, max_nodes=6, among=(dtype,))
    return drawn.filter(lambda graph: AT_FAULT.isdisjoint(graph.ops))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("subject", SMOOTH)
def test_rounding_alone_is_never_accused(subject: str, dtype: str) -> None:
    """Random graphs of up to six ops in a lower precision, run as they are."""
    judged = 0

    @st.composite
    def cases(draw: st.DrawFn) -> GraphCase:
        graph = draw(honest(subject, dtype), "graph").astype(lambda d: into(d, dtype))
        roles = (WATCHED,) * len(graph.inputs)
        point = draw(points(graph.inputs), "point")
        return GraphCase(graph, roles, (point,), False, False, False, False)

    @seed(0)
    @settings(
        max_examples=GRAPHS,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=cases())
    def accuses_nothing(case: GraphCase) -> None:
        nonlocal judged
        try:
            seen = run(case, "eager")
        except Exception:  # noqa: BLE001 - unsupported
            return
        judged += 1
        assert accusation(CONTRACT, seen) is None

    accuses_nothing()

    assert judged > GRAPHS / 4


def into(dtype: str, lower: str) -> str:
    """Real floats become ``lower``; everything else stays."""
    return lower if dtype in ("float64", "float32", "float16", "bfloat16") else dtype


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("subject", ["tf.math.tanh", "tf.math.erfc", "tf.math.l2_normalize"])
def test_the_rounding_inside_an_op_is_never_accused(subject: str, dtype: str) -> None:
    """Not where a gradient cancels or underflows: 1 - tanh(x)**2, exp(-x**2), that of x / |x|."""
    kind = TensorType(dtype, ())
    keywords = (("axis", ()),) if subject == "tf.math.l2_normalize" else ()
    node = Node(subject, subject, (Ref(0),), keywords, (kind,))
    graph = Graph((Input(kind, REAL),), (node,), (1,))

    for x in grid(Domain(poles=(0.0,)))[::3]:
        try:
            seen = run(case_of(graph, (x,)), "eager")
        except Unsupported:
            pytest.skip(f"this TensorFlow has no {subject} in {dtype}")
        assert accusation(CONTRACT, seen) is None


def accused_where_double_is_sharper(dtype: str) -> list[float]:
    """Where tanh is accused when double precision alone does not cancel; in a fork."""
    tf = tensorflow()
    truth = tf.math.tanh

    def parts(x: Any) -> Any:
        return truth(x), lambda upstream: upstream / tf.math.cosh(x) ** 2

    sharper = tf.custom_gradient(parts)
    tf.math.tanh = lambda x: sharper(x) if x.dtype == tf.float64 else truth(x)
    kind = TensorType(dtype, ())
    node = Node("tf.math.tanh", "tf.math.tanh", (Ref(0),), (), (kind,))
    graph = Graph((Input(kind, REAL),), (node,), (1,))
    seen = {x: run(case_of(graph, (x,)), "eager") for x in (2.5, 3.5, 3.625, 3.75, 3.875, 4.0)}
    return [x for x, one in seen.items() if accusation(CONTRACT, one) is not None]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_double_precision_may_have_a_gradient_function_of_its_own(dtype: str) -> None:
    """As tanh has from 2.22 on: how the others round it does not show."""
    assert in_fork(accused_where_double_is_sharper, dtype) == []


def test_what_only_a_mode_runs_has_no_reference() -> None:
    """Eagerly the gradient of a mirrored pad of nothing raises; compiled by XLA it does not."""
    kind = TensorType("float32", (0,))
    node = Node("tf.pad", "tf.pad", (Ref(0), ((0, 0),)), (("mode", "SYMMETRIC"),), (kind,))
    case = case_of(Graph((Input(kind, REAL),), (node,), (1,)), ())

    tally = CONTRACTS[CONTRACT].check(run(case, "xla"))

    assert tally.inconclusive == {"eagerly, in double precision, it raises InvalidArgumentError": 1}
