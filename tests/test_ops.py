"""Every entry of the op catalogue says of TensorFlow what is true of the installed one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, Phase, event, given, note, reject, settings
from hypothesis import strategies as st

from conformance.boundary import raised_by_tensorflow, version
from strategies.drawing import Point, graphs, points
from strategies.dtypes import is_complex, is_differentiable
from strategies.graphs import Graph, tensor_source
from strategies.ops import CATALOGUE, MODULES
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, call, register
from strategies.tensors import TensorType

EXAMPLES = 30
"""Programs an op; the deterministic seed makes a failure of one run a failure of the next."""

NO_KERNEL = (tf.errors.NotFoundError, tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)
"""What a version raises, with TypeError, for a dtype that an op does not take there."""

EXACT = ("float64", "complex128")
COMPLEX_SINCE = (2, 12)
"""The version from which on each op that takes complex numbers has a kernel for them."""


@st.composite
def cases(draw: Any, subject: str) -> tuple[Graph, Point]:
    """One op on fresh inputs, and numbers for them."""
    graph = draw(graphs(subject, max_nodes=1), "graph")
    return graph, draw(points(graph.inputs), "point")


def tensors(graph: Graph, point: Point) -> list[tf.Tensor]:
    """The inputs of a graph, made by evaluating what is printed for them."""
    scope = {"tf": tf}
    return [
        eval(tensor_source(made.type, numbers), scope)  # noqa: S307 - our own text
        for made, numbers in zip(graph.inputs, point, strict=True)
    ]


def results(graph: Graph, inputs: list[tf.Tensor]) -> list[tuple[TensorType, tf.Tensor]]:
    """Every result of every node beside the type that the catalogue declares for it.

    A result is the operand itself exactly where the node says so.
    """
    seen: list[tuple[TensorType, tf.Tensor]] = []
    values = list(inputs)

    def around(number: int, result: Any) -> Any:
        node = graph.nodes[number]
        several = list(result) if node.listed else [result]
        assert len(several) == len(node.outputs), f"{len(several)} results of {node.op}"
        same = any(result is values[i] for i in node.operands)
        assert same == node.aliases, (
            f"{node.op} of {node.args} is {'' if same else 'not '}an operand"
        )
        values.extend(several)
        seen.extend(zip(node.outputs, several, strict=True))
        return result

    graph.function(tf, around)(*inputs)
    return seen


def assert_as_declared(declared: TensorType, result: tf.Tensor) -> None:
    """The dtype and shape are as declared and, in double precision, so are the bounds."""
    __tracebackhide__ = True
    assert (result.dtype.name, tuple(result.shape)) == (declared.dtype, declared.shape)
    numbers = result.numpy()
    if not numbers.size or declared.dtype not in EXACT:
        return
    assert np.isfinite(numbers).all(), f"not finite: {numbers}"
    lo, hi = declared.bounds
    slack = 1e-12 * max(1.0, abs(lo), abs(hi))  # the last bits of TensorFlow's own rounding
    if is_complex(declared.dtype):
        assert np.abs(numbers).max() <= hi + slack, f"modulus above {hi}: {numbers}"
    else:
        assert lo - slack <= numbers.min(), f"below {lo}: {numbers}"
        assert numbers.max() <= hi + slack, f"above {hi}: {numbers}"


def assert_reached_as_modelled(graph: Graph, inputs: list[tf.Tensor], raised: Counter[str]) -> None:
    """The tape answers None for the inputs that the graph does not reach, and between its results.

    A gradient that is None for another, or that raises, is counted and no more: the contracts
    judge it, not this test.
    """
    __tracebackhide__ = True
    watched = {i: x for i, x in enumerate(inputs) if x.dtype.is_floating or x.dtype.is_complex}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(list(watched.values()))
        outputs = graph.function(tf)(*inputs)
    for value, output in zip(graph.outputs, outputs, strict=True):
        if output.dtype.is_floating or output.dtype.is_complex:
            others = [other for other in outputs if other is not output]
            try:
                gradients = tape.gradient(output, watched)
                between = tape.gradient(output, others)
            except Exception as error:  # noqa: BLE001 - the op ran, and it is its gradient that raises
                raised_by_tensorflow(error)
                raised[f"{type(error).__name__}: {str(error)[:200]}: {graph.statements()}"] += 1
                continue
            connected = {i for i, gradient in gradients.items() if gradient is not None}
            assert connected <= graph.reached[value]
            if connected != graph.reached[value]:
                raised[f"None: {graph.statements()}"] += 1
            assert between == [None] * len(others), "a result is computed from another one"


@pytest.mark.parametrize("subject", CATALOGUE)
def test_an_op_gives_what_its_entry_declares(
    subject: str, record_property: Callable[[str, object], None]
) -> None:
    """Results have the declared number, dtype, shape and bounds, and the modelled connections."""
    if version(tf) < CATALOGUE[subject].since:
        pytest.skip(f"this TensorFlow has no {subject}")
    finest = "float64" if CATALOGUE[subject].in_double else "float32"
    worked: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    raised: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(cases(subject))
    def declares(case: tuple[Graph, Point]) -> None:
        graph, point = case
        note("\n".join(graph.statements()))
        main = next((d for d in (i.type.dtype for i in graph.inputs) if is_differentiable(d)), "")
        inputs = tensors(graph, point)
        try:
            seen = results(graph, inputs)
        except (*NO_KERNEL, TypeError) as error:
            if main == finest or (main in EXACT and version(tf) >= COMPLEX_SINCE):
                raise
            note(str(error))
            refused[main] += 1
            return
        worked[main] += 1
        for declared, result in seen:
            assert_as_declared(declared, result)
        assert_reached_as_modelled(graph, inputs, raised)

    declares()
    record_property("dtypes without a kernel", dict(refused))
    record_property("gradients that raise", dict(raised))

    assert worked, f"no dtype has a kernel: {dict(refused)}"


def bits(graph: Graph, inputs: list[tf.Tensor]) -> list[bytes | None]:
    """What a graph gives, and the gradients of it unless they raise."""
    watched = [x for x in inputs if x.dtype.is_floating or x.dtype.is_complex]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        outputs = graph.function(tf)(*inputs)
    try:
        gradients = tape.gradient(outputs, watched)
    except Exception as error:  # noqa: BLE001 - the op ran, and it is its gradient that raises
        raised_by_tensorflow(error)
        gradients = []
    answers = [None if a is None else tf.convert_to_tensor(a) for a in [*outputs, *gradients]]
    return [
        a.numpy().tobytes() if a is not None and a.dtype.is_numpy_compatible else None
        for a in answers
    ]


@pytest.mark.parametrize("subject", [op.name for op in CATALOGUE.values() if op.is_partner])
def test_what_occurs_in_programs_gives_the_same_bits_again(subject: str) -> None:
    """Programs are compared bit for bit: what they hold may not depend on how often it was run."""
    if version(tf) < CATALOGUE[subject].since:
        pytest.skip(f"this TensorFlow has no {subject}")

    @settings(
        max_examples=6,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(cases(subject))
    def repeats(case: tuple[Graph, Point]) -> None:
        graph, point = case
        inputs = tensors(graph, point)
        try:
            first = bits(graph, inputs)
        except (*NO_KERNEL, TypeError) as error:
            event(f"no kernel: {type(error).__name__}")
            reject()
        assert bits(graph, inputs) == first, graph.statements()

    repeats()


def test_the_catalogue_goes_from_simple_to_involved() -> None:
    """The simplest first, and the modules in the order that is stated."""
    found = dict.fromkeys(entry.build.__globals__["__name__"] for entry in CATALOGUE.values())
    modules = [module.__name__ for module in MODULES]

    assert next(iter(CATALOGUE)) == "tf.identity"
    assert [name for name in found if name in modules] == [
        name for name in modules if name in found
    ]


def test_a_name_is_registered_once_only() -> None:
    """A second entry of the same name is refused, and the first one stays."""
    first = CATALOGUE["tf.math.negative"]

    def build(site: Site) -> Call:
        x = site.operand()
        return call(x, result=x.type)

    with pytest.raises(ValueError, match="two catalogue entries") as caught:
        register(Op("tf.math.negative", build, "tf.math.negative"))

    assert str(caught.value) == "two catalogue entries are named 'tf.math.negative'"
    assert CATALOGUE["tf.math.negative"] is first
