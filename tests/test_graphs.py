"""Op graphs: what they reach, what they shrink to, and how they print."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import dtypes
from strategies.drawing import MAX_NODES, Point, graphs, points
from strategies.graphs import Constant, DType, Graph, Node, Ref, Subscript, tensor_source
from strategies.ops import CATALOGUE
from strategies.tensors import Indices, Input, TensorType
from strategies.values import REAL
from tests.finding import minimal, reaches

Predicate = Callable[[Graph], bool]


def constants(graph: Graph) -> list[Constant]:
    """The tensors of integers among the arguments of a graph."""
    arguments = [a for n in graph.nodes for a in (*n.args, *(v for _, v in n.kwargs))]
    return [a for a in arguments if isinstance(a, Constant)]


def keywords(graph: Graph, op: str) -> list[dict[str, Any]]:
    """The keyword arguments of every node of an op."""
    return [dict(node.kwargs) for node in graph.nodes if node.op == op]


def results_used_twice(graph: Graph) -> bool:
    """Whether two nodes take one result of a third."""
    takers = Counter(i for node in graph.nodes for i in set(node.operands))
    return any(count > 1 for i, count in takers.items() if i >= len(graph.inputs))


def has_partners_of_two_ranks(graph: Graph) -> bool:
    """Whether an addition broadcasts."""
    return any(
        len({len(graph.types[i].shape) for i in node.operands}) > 1
        for node in graph.nodes
        if node.op == "tf.math.add"
    )


REACHED: dict[str, Predicate] = {
    "one node": lambda g: len(g.nodes) == 1,
    "twelve nodes": lambda g: len(g.nodes) == MAX_NODES,
    "rank 5": lambda g: any(t.rank == 5 for t in g.types),
    "a tensor without elements": lambda g: any(t.size == 0 for t in g.types),
    "one element in three axes": lambda g: any(t.shape == (1, 1, 1) for t in g.types),
    "a result used twice": results_used_twice,
    "a value taken twice by one op": lambda g: any(
        len(set(n.operands)) < len(n.operands) for n in g.nodes
    ),
    "several inputs": lambda g: len(g.used) > 3,
    "an unused input": lambda g: len(g.used) < len(g.inputs),
    "several outputs": lambda g: len(g.outputs) > 3,
    "an output that another node takes": lambda g: any(
        i in n.operands for i in g.outputs for n in g.nodes
    ),
    "several results of one call": lambda g: any(n.listed and len(n.outputs) > 1 for n in g.nodes),
    "an int64 axis": lambda g: any(c.dtype == "int64" for c in constants(g)),
    "an int32 axis": lambda g: any(c.dtype == "int32" for c in constants(g)),
    "an integer input": lambda g: any(i.type.dtype == "int64" for i in g.inputs),
    "a bool input": lambda g: any(i.type.dtype == "bool" for i in g.inputs),
    "an output that no input reaches": lambda g: any(not g.reached[i] for i in g.outputs),
}


@pytest.mark.parametrize("what", REACHED)
def test_graphs_reach(what: str) -> None:
    """Each of these occurs among graphs of any op."""
    assert reaches(graphs(), REACHED[what])


REACHED_BY_OP: dict[str, tuple[str, Predicate]] = {
    "operands that broadcast": ("tf.math.add", has_partners_of_two_ranks),
    "a condition that comes from a comparison": (
        "tf.where",
        lambda g: any(n.op == "tf.where" and n.operands[0] >= len(g.inputs) for n in g.nodes),
    ),
    "indices that come from an op": (
        "tf.one_hot",
        lambda g: any(n.op == "tf.one_hot" and n.operands[0] >= len(g.inputs) for n in g.nodes),
    ),
    "keepdims left out": (
        "tf.math.reduce_sum",
        lambda g: any("keepdims" not in k for k in keywords(g, "tf.math.reduce_sum")),
    ),
    "keepdims": (
        "tf.math.reduce_sum",
        lambda g: any(k.get("keepdims") for k in keywords(g, "tf.math.reduce_sum")),
    ),
    "batch_dims": (
        "tf.gather",
        lambda g: any("batch_dims" in k for k in keywords(g, "tf.gather")),
    ),
    "fixed indices": (
        "tf.gather",
        lambda g: any(n.op == "tf.gather" and len(n.operands) == 1 for n in g.nodes),
    ),
    "padding by mirrors": (
        "tf.pad",
        lambda g: any(k.get("mode") == "REFLECT" for k in keywords(g, "tf.pad")),
    ),
    "both factors adjoint": (
        "tf.linalg.matmul",
        lambda g: any(len(k) == 2 for k in keywords(g, "tf.linalg.matmul")),
    ),
}


@pytest.mark.parametrize("what", REACHED_BY_OP)
def test_graphs_of_an_op_reach(what: str) -> None:
    """Each of these occurs among graphs of the op that it is about."""
    subject, that = REACHED_BY_OP[what]

    assert reaches(graphs(subject), that)


@pytest.mark.parametrize("dtype", dtypes.DIFFERENTIABLE)
def test_graphs_reach_every_dtype(dtype: str) -> None:
    """Each differentiable dtype is that of an input, and nothing but it makes a graph."""
    graph = minimal(graphs(), lambda g: g.inputs[0].type.dtype == dtype)

    assert graph.statements() == ["y0 = tf.identity(x0)"]


@pytest.mark.parametrize("count", range(1, MAX_NODES + 1))
def test_graphs_reach_every_number_of_nodes(count: int) -> None:
    """Graphs of one node to twelve are drawn."""
    assert reaches(graphs(), lambda g: len(g.nodes) == count)


@pytest.mark.parametrize("count", [2, 5])
def test_graphs_of_several_nodes_shrink_to_identities(count: int) -> None:
    """The simplest graph of so many nodes has the simplest op alone, on scalars of their own."""
    graph = minimal(graphs(), lambda g: len(g.nodes) >= count)

    assert graph.statements() == [f"y{i} = tf.identity(x{i})" for i in range(count)]


@given(graphs("tf.math.exp", max_nodes=3))
def test_the_subject_occurs_and_the_nodes_are_counted(graph: Graph) -> None:
    """The op asked for is among the nodes, of which there are no more than asked for."""
    assert "tf.math.exp" in graph.ops
    assert len(graph.nodes) <= 3


@settings(max_examples=300)
@given(graphs())
def test_graphs_are_in_topological_order_and_something_is_differentiable(graph: Graph) -> None:
    """A node takes only what stands before it, and one result at least may be differentiated."""
    known = len(graph.inputs)
    for node in graph.nodes:
        assert all(i < known for i in node.operands)
        known += len(node.outputs)
    assert known == len(graph.types)
    assert any(dtypes.is_differentiable(t.dtype) for t in graph.types[len(graph.inputs) :])


@settings(max_examples=300)
@given(graphs())
def test_every_result_is_used_or_an_output(graph: Graph) -> None:
    """No result is lost: what no node takes is an output."""
    taken = {i for node in graph.nodes for i in node.operands}

    assert set(range(len(graph.inputs), len(graph.types))) <= taken | set(graph.outputs)


@pytest.mark.parametrize("subject", CATALOGUE)
def test_an_op_shrinks_to_itself_alone(subject: str) -> None:
    """The simplest graph of an op is one call on distinct fresh float inputs of fewest elements."""
    graph = minimal(graphs(subject))
    casts = not any(dtypes.is_differentiable(result.dtype) for result in graph.nodes[0].outputs)

    assert graph.ops == ((subject, "tf.cast") if casts else (subject,))
    assert len(graph.nodes[0].operands) == len(graph.inputs)
    assert all(i.type.size <= 8 for i in graph.inputs)  # as the weights of an LSTM's gates have


MINIMAL: dict[str, tuple[str | None, Predicate, list[str]]] = {
    "any graph": (None, lambda _: True, ["y0 = tf.identity(x0)"]),
    "an addition": ("tf.math.add", lambda _: True, ["y0 = tf.math.add(x0, x1)"]),
    "an addition of a value to itself": (
        "tf.math.add",
        lambda g: (g.nodes[0].op, g.nodes[0].operands) == ("tf.math.add", (0, 0)),
        ["y0 = tf.math.add(x0, x0)"],
    ),
    "two nodes": (
        None,
        lambda g: len(g.nodes) > 1,
        ["y0 = tf.identity(x0)", "y1 = tf.identity(x1)"],
    ),
    "a node that takes the result of another": (
        "tf.math.exp",
        lambda g: any(n.op == "tf.math.exp" and n.operands[0] >= len(g.inputs) for n in g.nodes),
        ["y0 = tf.identity(x0)", "y1 = tf.math.exp(y0)"],
    ),
    "tf.gather with a negative axis": (
        "tf.gather",
        lambda g: any(str(k.get("axis")) == "-1" for k in keywords(g, "tf.gather")),
        ["y0 = tf.gather(x0, x1, axis=-1)"],
    ),
    "tf.math.reduce_sum with a negative axis": (
        "tf.math.reduce_sum",
        lambda g: any(str(k.get("axis")) == "-1" for k in keywords(g, "tf.math.reduce_sum")),
        ["y0 = tf.math.reduce_sum(x0, axis=-1)"],
    ),
    "tf.math.cumprod with an int64 axis": (
        "tf.math.cumprod",
        lambda g: any(
            isinstance(k.get("axis"), Constant) and k["axis"].dtype == "int64"
            for k in keywords(g, "tf.math.cumprod")
        ),
        ["y0 = tf.math.cumprod(x0, axis=tf.constant(0, tf.int64))"],
    ),
    "a negative stride": (
        "tf.Tensor.__getitem__",
        lambda g: "::-1" in g.statements()[0],
        ["y0 = x0[::-1]"],
    ),
    "a transposed second factor": (
        "tf.linalg.matmul",
        lambda g: any("transpose_b" in k for k in keywords(g, "tf.linalg.matmul")),
        ["y0 = tf.linalg.matmul(x0, x1, transpose_b=True)"],
    ),
    "rank 5": (
        "tf.math.exp",
        lambda g: any(n.op == "tf.math.exp" and n.outputs[0].rank == 5 for n in g.nodes),
        ["y0 = tf.math.exp(x0)"],
    ),
    "an unused input": (
        None,
        lambda g: len(g.used) < len(g.inputs),
        ["y0 = tf.identity(x0)"],
    ),
}


@pytest.mark.parametrize("fault", MINIMAL)
def test_a_planted_fault_shrinks_to_its_simplest_graph(fault: str) -> None:
    """A fault that shows in such graphs alone is reported with exactly this program."""
    subject, shows, expected = MINIMAL[fault]

    assert minimal(graphs(subject), shows).statements() == expected


def cases(subject: str) -> st.SearchStrategy[tuple[Graph, Point]]:
    """A graph of one node and numbers for its inputs."""

    @st.composite
    def both(draw: Any) -> tuple[Graph, Point]:
        graph = draw(graphs(subject, max_nodes=1), "graph")
        return graph, draw(points(graph.inputs), "point")

    return both()


def test_numbers_shrink_to_one_zero_and_minus_one() -> None:
    """Distinct whole numbers come first, across all inputs of a graph."""
    _, point = minimal(cases("tf.math.add"), lambda c: sum(i.type.size for i in c[0].inputs) == 3)

    assert [x for numbers in point for x in numbers] == [1.0, 0.0, -1.0]


def test_integer_indices_repeat() -> None:
    """An input of indices names one place twice, and shrinks to the least."""
    wanted = cases("tf.one_hot")

    def repeats(case: tuple[Graph, Point]) -> bool:
        graph, point = case
        return any(
            isinstance(made.domain, Indices) and len(set(numbers)) < len(numbers)
            for made, numbers in zip(graph.inputs, point, strict=True)
        )

    graph, point = minimal(wanted, repeats)

    assert graph.statements() == ["y0 = tf.one_hot(x0, 1, dtype=tf.float64)"]
    assert set(point[0]) == {-1}


@settings(max_examples=300)
@given(st.data())
def test_indices_of_an_update_are_distinct(data: st.DataObject) -> None:
    """No row is written twice, as the order of two writes is undefined."""
    graph, point = data.draw(cases("tf.tensor_scatter_nd_update"), "case")
    for made, numbers in zip(graph.inputs, point, strict=True):
        if isinstance(made.domain, Indices):
            assert len(set(numbers)) == len(numbers)
            assert set(numbers) <= set(range(made.domain.lo, made.domain.hi + 1))


def float64(*shape: int) -> TensorType:
    """A float64 type of a shape."""
    return TensorType("float64", shape)


def chain(*blocks: Any) -> Graph:
    """A chain of nodes on one input, each blocked as given."""
    nodes = tuple(
        Node("op", "tf.identity", (Ref(i),), (), (float64(),), blocks=block)
        for i, block in enumerate(blocks)
    )
    return Graph((Input(float64(), REAL),), nodes, (len(nodes),))


def test_a_blocked_node_cuts_what_comes_after_it_off() -> None:
    """Nothing behind a flat or stopped node is reached, and what stands before it still is."""
    assert chain("", "").reached == (frozenset({0}),) * 3
    assert chain("", "flat", "").reached == (
        frozenset({0}),
        frozenset({0}),
        frozenset(),
        frozenset(),
    )
    assert chain("stopped").reached == (frozenset({0}), frozenset())


def test_an_integer_in_between_cuts_off_too() -> None:
    """What passes through an integer is not reached."""
    to_int = Node("tf.cast", "tf.cast", (Ref(0), DType("int32")), (), (TensorType("int32", ()),))
    back = Node("tf.cast", "tf.cast", (Ref(1), DType("float64")), (), (float64(),))
    graph = Graph((Input(float64(), REAL),), (to_int, back), (2,))

    assert graph.reached == (frozenset({0}), frozenset(), frozenset())


def test_what_holds_a_subscript_can_be_a_key() -> None:
    """In every Python: programs are looked up to see that none is tried twice."""
    one, same, other = (
        Node("op", "{0}[{1}]", (Ref(0), Subscript((..., slice(first, None)))), (), (float64(),))
        for first in (1, 1, 2)
    )

    assert len({one, same, other}) == 2


def test_arguments_print_as_tensorflow_source() -> None:
    """Tensors, dtypes, lists, infinity and subscripts print so that they can be pasted."""
    call = Node(
        "op",
        "tf.op",
        (Ref(0), (Ref(0), 1), Constant((0, 1), "int64"), DType("int32")),
        (("ord", float("inf")), ("mode", "REFLECT"), ("axis", None)),
        (float64(2), float64(2)),
        listed=True,
    )
    items = Subscript((..., None, slice(None, None, -1), slice(1, None), 0))
    cut = Node("op", "{0}[{1}]", (Ref(2), items), (), (float64(),))
    graph = Graph((Input(float64(), REAL),), (call, cut), (1, 3))

    assert graph.definition == (
        "def graph(x0):\n"
        "    y0 = tf.op(x0, [x0, 1], tf.constant([0, 1], tf.int64), tf.int32, "
        "ord=float('inf'), mode='REFLECT', axis=None)\n"
        "    y1 = y0[1][..., tf.newaxis, ::-1, 1:, 0]\n"
        "    return [y0[0], y1]\n"
    )


def test_a_template_prints_its_keyword_arguments_where_it_says() -> None:
    """As the other arguments, separated by commas."""
    named = (("axis", -1), ("mode", "REFLECT"))
    cut = Node("op", "tf.op({0} + {1}, {named})", (Ref(0), (2.0,)), named, (float64(),))
    graph = Graph((Input(float64(), REAL),), (cut,), (1,))

    assert graph.statements() == ["y0 = tf.op(x0 + [2.0], axis=-1, mode='REFLECT')"]


def test_tensors_print_as_nested_lists() -> None:
    """Numbers print row by row; a tensor without elements prints as zeros of its shape."""
    assert tensor_source(float64(), (1.0,)) == "tf.constant(1.0, tf.float64)"
    assert (
        tensor_source(float64(2, 2), (1.0, 0.0, -1.0, 0.5))
        == "tf.constant([[1.0, 0.0], [-1.0, 0.5]], tf.float64)"
    )
    assert tensor_source(float64(2, 0), ()) == "tf.zeros([2, 0], tf.float64)"


def test_widening_changes_every_floating_dtype() -> None:
    """Inputs, results and dtypes among the arguments are widened; integers are kept."""
    narrow = TensorType("float16", ())
    cast = Node(
        "tf.cast", "tf.cast", (Ref(0), DType("float32")), (), (replace(narrow, dtype="float32"),)
    )
    graph = Graph((Input(narrow, REAL),), (cast,), (1,)).astype(dtypes.widest)

    assert graph.statements() == ["y0 = tf.cast(x0, tf.float64)"]
    assert {t.dtype for t in graph.types} == {"float64"}


DIGEST = """
import hashlib, sys
from hypothesis import given, seed, settings, strategies as st
from strategies.drawing import graphs, points
digest = hashlib.sha256()

@seed(1)
@settings(max_examples=200, database=None, deadline=None)
@given(st.data())
def draw(data):
    graph = data.draw(graphs())
    digest.update(repr((graph, data.draw(points(graph.inputs)))).encode())

draw()
print(digest.hexdigest(), sorted({"tensorflow", "numpy"} & set(sys.modules)))
"""


def digest(hash_seed: str, folder: Path) -> str:
    """What a fresh interpreter draws, with this seed of string hashes, in this folder."""
    root = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env=environment,
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_the_same_seed_draws_the_same_programs_without_tensorflow(tmp_path: Path) -> None:
    """String hashes and the working directory play no part, nor do TensorFlow and NumPy."""
    first = digest("1", Path(__file__).parent)

    assert first.endswith(" []")
    assert digest("2", tmp_path) == first
