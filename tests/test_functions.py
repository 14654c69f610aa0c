"""What functions of one tensor reach, and that they are what they claim."""

from __future__ import annotations

import contextlib

import pytest
import tensorflow as tf
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from strategies.drawing import draw_numbers
from strategies.functions import Function, draw_function, functions
from strategies.graphs import tensor_source
from strategies.ops.site import Draw
from strategies.tensors import Input, TensorType
from strategies.values import REAL, Number

ARGUMENTS = {
    name: Input(TensorType(*kind), REAL)
    for name, kind in {
        "a scalar": ("float64", ()),
        "a matrix": ("float64", (2, 3)),
        "complex": ("complex128", (3,)),
        "single": ("float32", (2,)),
    }.items()
}
quietly = settings(
    max_examples=150,
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@st.composite
def calls(draw: Draw, argument: Input) -> tuple[Function, tuple[Number, ...]]:
    """A function and numbers for its argument, as scenes draw them."""
    taken: set[float] = set()
    function = draw_function(draw, argument, taken)
    return function, draw_numbers(draw, argument, taken)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_function_returns_what_it_declares_and_is_connected(name: str) -> None:
    """It runs as printed; its result has the dtype of the argument, elements and a gradient."""
    argument = ARGUMENTS[name]

    @quietly
    @given(calls(argument))
    def declares(case: tuple[Function, tuple[Number, ...]]) -> None:
        function, numbers = case
        scope = {"tf": tf}
        exec("\n".join(function.lines("f")), scope)  # noqa: S102 - our own text
        x = eval(tensor_source(argument.type, numbers), scope)  # noqa: S307 - our own text
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = scope["f"](x)
        declared = function.result
        assert (result.dtype.name, tuple(result.shape)) == (declared.dtype, declared.shape)
        assert declared.size
        assert declared.dtype == argument.type.dtype
        assert 0 in function.graph.reached[function.graph.outputs[0]]
        gaps = (LookupError, NotImplementedError, tf.errors.UnimplementedError)
        with contextlib.suppress(
            *gaps, tf.errors.InvalidArgumentError
        ):  # contracts about graphs judge what gradients raise
            assert tape.gradient(result, x) is not None

    declares()


def test_functions_reach_many_ops_and_chains() -> None:
    """Of 600, some have three ops and most ops of the catalogue occur."""
    lengths, ops = set[int](), set[str]()

    @settings(quietly, max_examples=600)
    @given(functions(ARGUMENTS["a matrix"]))
    def look(function: Function) -> None:
        lengths.add(len(function.graph.nodes))
        ops.update(function.graph.ops)

    look()
    assert lengths == {1, 2, 3}
    assert len(ops) > 60


def test_nothing_in_a_function_is_idle() -> None:
    """Every op but the last is taken by another one, and every constant by some."""

    @quietly
    @given(functions(ARGUMENTS["a matrix"]))
    def look(function: Function) -> None:
        graph = function.graph
        assert graph.used == frozenset(range(len(graph.inputs)))
        taken = {i for node in graph.nodes for i in node.operands} | set(graph.outputs)
        for node, first in zip(graph.nodes, graph.first_results, strict=True):
            assert taken.intersection(range(first, first + len(node.outputs)))

    look()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_no_value_of_a_function_is_without_elements(name: str) -> None:
    """What kernels answer of none is no one's promise."""
    sizes: list[int] = []

    @quietly
    @given(calls(ARGUMENTS[name]))
    def test(call: tuple[Function, tuple[Number, ...]]) -> None:
        function, _ = call
        sizes.extend(kind.size for kind in function.graph.types)

    test()

    assert min(sizes) > 0


def test_a_function_shrinks_to_one_op() -> None:
    """Of the argument alone."""
    smallest = find(functions(ARGUMENTS["a scalar"]), lambda _: True)

    assert [node.operands for node in smallest.graph.nodes] == [(0,)]
