"""Jacobians of graphs: what is asked, what it is compared with, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from conformance.boundary import Gradient, tensorflow
from conformance.contract import Tally, Violation
from conformance.jacobian_cases import (
    BATCHED,
    BATCHED_LOOPED,
    JACOBIANS,
    LOOPED,
    MOST,
    VECTORIZED,
    JacobianCase,
    SeenJacobian,
    jacobian_of,
    run,
)
from strategies.graphs import Graph, Node, Ref
from strategies.ops import CATALOGUE as OPS
from strategies.tensors import Input, TensorType
from strategies.values import REAL
from tests.cases import case_of, chain, ending
from tests.forks import in_fork
from tests.test_lies import outcomes_of, violated

CONTRACTS = {contract.id: contract for contract in JACOBIANS.contracts}
BY_WAY = {
    VECTORIZED: "jacobian-vectorized",
    LOOPED: "jacobian-looped",
    BATCHED: "batch-jacobian-blocks",
    BATCHED_LOOPED: "batch-jacobian-blocks",
}
NUMBERS = (0.5, 1.0, -2.0, 3.0)


def squares(batches: str = BATCHED, shape: tuple[int, ...] = (2, 2)) -> JacobianCase:
    """The Jacobian of the squares of a matrix."""
    size = int(np.prod(shape))
    case = case_of(chain(("tf.math.square", (0,)), shape=shape), NUMBERS[:1] * size)
    return jacobian_of(case, 1, 0, batches=batches)


def accusation(seen: SeenJacobian, way: str) -> Violation | None:
    """What the contract about a way says of it: a violation, or None."""
    try:
        CONTRACTS[BY_WAY[way]].check(seen)
    except Violation as violation:
        return violation
    return None


def tally(seen: SeenJacobian, way: str) -> Tally:
    """What the contract about a way counts."""
    return CONTRACTS[BY_WAY[way]].check(seen)


def doctored(
    way: str, change: Callable[[Any], Any], dtype: str = "float64", mode: str = "eager"
) -> SeenJacobian:
    """What is seen of the squares, with what was answered in one way changed."""
    seen = run(squares(BATCHED_LOOPED if way == BATCHED_LOOPED else BATCHED), mode)
    found = seen.answers[way]
    assert isinstance(found, Gradient)
    seen.answers[way] = Gradient(dtype, change(found.array))
    return seen


@pytest.mark.parametrize("mode", JACOBIANS.modes)
@pytest.mark.parametrize("batches", [BATCHED, BATCHED_LOOPED])
def test_each_way_is_compared_with_the_gradients_of_the_elements(mode: str, batches: str) -> None:
    """Of squares each is twice the number, and nothing beside it."""
    case = squares(batches)

    seen = run(case, mode)

    np.testing.assert_array_equal(seen.stacked, np.eye(4).reshape(2, 2, 2, 2))
    assert tuple(seen.answers) == (VECTORIZED, LOOPED, batches)
    assert [tally(seen, way).conclusive for way in case.ways] == [1, 1, 1]


@pytest.mark.parametrize("way", BY_WAY)
def test_an_element_that_is_off_by_one_percent_is_accused(way: str) -> None:
    """And no contract about another way."""
    seen = doctored(way, lambda a: a * np.where(np.arange(a.size) == 0, 1.01, 1).reshape(a.shape))

    found = accusation(seen, way)

    assert found is not None
    assert (found.kind, found.expected.split()[0]) == ("value", "1.0")
    others = {other for other in seen.answers if BY_WAY[other] != BY_WAY[way]}
    assert all(accusation(seen, other) is None for other in others)


@pytest.mark.parametrize("way", BY_WAY)
@pytest.mark.parametrize(
    ("kind", "change", "dtype"),
    [
        ("value", lambda array: array * np.nan, "float64"),
        ("shape", lambda array: array[None], "float64"),
        ("dtype", lambda array: array, "float32"),
    ],
)
def test_a_jacobian_of_another_kind_is_accused(
    way: str, kind: str, change: Callable[[Any], Any], dtype: str
) -> None:
    """It is finite where the gradients are, and has their shape and the dtype of the source."""
    found = accusation(doctored(way, change, dtype), way)

    assert found is not None
    assert found.kind == kind


def test_a_transposed_batch_jacobian_is_accused() -> None:
    """Of a product with a matrix that is not symmetric."""
    kind = TensorType("float64", (2, 2))
    product = Node("tf.linalg.matmul", "tf.linalg.matmul", (Ref(0), Ref(1)), (), (kind,))
    graph = Graph((Input(kind, REAL),) * 2, (product,), (2,))
    case = jacobian_of(case_of(graph, NUMBERS, NUMBERS), 2, 0, batches=BATCHED)
    seen = run(case, "eager")
    assert accusation(seen, BATCHED) is None
    found = seen.answers[BATCHED]
    assert isinstance(found, Gradient)

    seen.answers[BATCHED] = Gradient(found.dtype, found.array.swapaxes(1, 2))

    assert accusation(seen, BATCHED) is not None


def test_a_batch_whose_rows_depend_on_each_other_is_not_judged() -> None:
    """What a batch_jacobian is then is not documented."""
    kind = TensorType("float64", (2, 2))
    reverse = Node("tf.reverse", "tf.reverse", (Ref(0), (0,)), (), (kind,))
    case = case_of(Graph((Input(kind, REAL),), (reverse,), (1,)), NUMBERS)

    seen = run(jacobian_of(case, 1, 0, batches=BATCHED), "eager")

    assert tally(seen, BATCHED) == Tally()
    assert tally(seen, VECTORIZED).conclusive == 1


@pytest.mark.parametrize("way", BY_WAY)
def test_what_raises_is_a_gap_only_if_it_says_so(way: str) -> None:
    """That it cannot be vectorized, or that there is no gradient."""
    seen = doctored(way, lambda array: array)
    told = "Encountered an exception while vectorizing the jacobian computation. No."
    seen.answers[way] = ValueError(told)
    assert tally(seen, way).gaps == {told.removesuffix(". No."): 1}

    seen.answers[way] = ValueError("no")

    found = accusation(seen, way)
    assert found is not None
    assert (found.kind, found.got) == ("exception", "ValueError: no")


@pytest.mark.parametrize("way", [VECTORIZED, LOOPED])
def test_none_is_accused_where_there_are_gradients(way: str) -> None:
    """And a Jacobian where there are none."""
    seen = doctored(way, lambda array: array)
    known, seen.answers[way] = seen.answers[way], None
    found = accusation(seen, way)
    assert found is not None
    assert (found.kind, found.got) == ("none", "None")

    seen.stacked, seen.answers[way] = None, known

    found = accusation(seen, way)
    assert found is not None
    assert (found.kind, found.expected) == ("none", "None")


def test_gradients_of_another_shape_are_for_others_to_judge() -> None:
    """A Jacobian that is made of them is no better."""
    seen = run(squares(), "eager")
    seen.stacked, seen.misshapen = None, True

    tallies = [tally(seen, way) for way in (VECTORIZED, LOOPED)]

    reason = "the gradient has another shape or dtype"
    assert [t.inconclusive for t in tallies] == [{reason: 1}] * 2
    assert tally(seen, BATCHED) == Tally()


def test_gradients_that_raise_are_for_others_to_judge() -> None:
    """Nothing is asked then, and nothing counts."""
    graph = chain(("tf.math.igammac", (0, 1)), inputs=2)
    case = jacobian_of(case_of(graph, (2.0,), (3.0,)), 2, 0, batches=BATCHED)

    seen = run(case, "eager")
    seen.error, seen.answers = LookupError("no"), {}

    assert tally(seen, VECTORIZED).inconclusive == {"the gradient raises": 1}


def test_a_large_target_is_cut_and_what_it_does_not_need_is_left_out() -> None:
    """The first elements of a value in the middle."""
    graph = chain(
        ("tf.math.sin", (0,)), ("tf.math.cos", (0,)), ("tf.math.square", (2,)), shape=(4, 5)
    )
    case = jacobian_of(case_of(graph, (0.5,) * 20), 3, 0, batches=BATCHED)

    assert case.graph.ops == ("tf.math.cos", "tf.math.square", "tf.reshape")
    assert [kind.shape for kind in case.target_types] == [(MOST,)]
    assert tally(run(case, "eager"), VECTORIZED).conclusive == 1


TRUE = {
    "value": lambda array: array * 2,
    "shape": lambda array: array[None],
    "dtype": lambda array: array,
}
"""What is made of an answer; the programs are about tapes that answer so."""


@pytest.mark.parametrize("mode", JACOBIANS.modes)
@pytest.mark.parametrize("kind", TRUE)
@pytest.mark.parametrize("way", BY_WAY)
def test_a_program_that_accuses_fails_where_the_jacobian_is_wrong_alone(
    way: str, kind: str, mode: str
) -> None:
    """It asks in that way, and for the gradient of an element."""
    seen = doctored(way, TRUE[kind], "float32" if kind == "dtype" else "float64", mode)
    found = accusation(seen, way)
    assert found is not None
    ending(found.where)

    def wrong(tape: Any, method: str) -> Any:
        tf = tensorflow()
        made = {"value": 2.0, "shape": tf.ones([1, 1, 1, 1, 1], tf.float64), "dtype": 1.0}[kind]
        return lambda *given, **named: tf.cast(
            getattr(tape, method)(*given, **named) * made,
            "float32" if kind == "dtype" else "float64",
        )

    method = way.partition("(")[0]
    with pytest.raises(AssertionError, match=rf"^{kind}: "):
        ending(found.where.replace(f"tape.{method}", f"wrong(tape, '{method}')"), wrong=wrong)


@pytest.mark.parametrize("mode", JACOBIANS.modes)
@pytest.mark.parametrize("way", BY_WAY)
def test_a_program_about_what_raises_asks_in_that_way(way: str, mode: str) -> None:
    """It comes to its end where nothing is raised, and fails where something is."""
    seen = doctored(way, lambda array: array, mode=mode)
    seen.answers[way] = ValueError("no")
    found = accusation(seen, way)
    assert found is not None
    ending(found.where, print=list)

    method = way.partition("(")[0]
    with pytest.raises(AssertionError, match=r"^exception: AttributeError"):
        ending(found.where.replace(f"tape.{method}", "tape.missing"))


@pytest.mark.parametrize("mode", JACOBIANS.modes)
@pytest.mark.parametrize("way", [VECTORIZED, LOOPED])
def test_a_program_about_none_asks_in_that_way(way: str, mode: str) -> None:
    """It comes to its end where there is a Jacobian."""
    seen = doctored(way, lambda array: array, mode=mode)
    seen.answers[way] = None
    found = accusation(seen, way)
    assert found is not None
    ending(found.where)

    method = way.partition("(")[0]
    with pytest.raises(AssertionError, match=r"^none: None"):
        ending(found.where.replace(f"tape.{method}", "no"), no=lambda *_, **__: None)


@pytest.mark.parametrize("mode", JACOBIANS.modes)
def test_a_case_is_printed_as_a_program_that_asks_what_its_run_had_come_to(mode: str) -> None:
    """For whoever sees the process die of it: each row, then each way."""
    case = squares()
    asked = [
        re.findall(r"tape\.(\w+)\(", JACOBIANS.source(case, mode, step).replace("tape.watch", ""))
        for step in range(len(case.units) + len(case.ways))
    ]

    assert asked == [["gradient"]] * 4 + [["jacobian"]] * 2 + [["batch_jacobian"]]
    for step in range(len(asked)):
        ending(JACOBIANS.source(case, mode, step))


@given(case=JACOBIANS.draw("tf.math.multiply", "eager"))
@settings(max_examples=200, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_case_leads_from_its_source_through_the_subject_to_its_target(case: JacobianCase) -> None:
    """In a graph with one output, of few elements, at one point."""
    assert "tf.math.multiply" in case.graph.ops
    assert case.by in case.differentiated
    assert case.target_types[0].size <= MOST
    assert len(case.points) == len(case.targets) == 1


def test_cases_reach_what_breaks_jacobians() -> None:
    """Targets and sources without elements, scalars, batches asked in either way, Variables."""
    cases: list[JacobianCase] = []

    @given(case=JACOBIANS.draw("tf.math.multiply", "eager"))
    @settings(max_examples=300, database=None, suppress_health_check=[HealthCheck.too_slow])
    def draw(case: JacobianCase) -> None:
        cases.append(case)

    draw()

    def sizes(case: JacobianCase) -> tuple[int, int]:
        return case.target_types[0].size, case.graph.inputs[case.by].type.size

    assert {0, 1, MOST} <= {target for target, _ in map(sizes, cases)}
    assert {0, 1} <= {source for _, source in map(sizes, cases)}
    assert set(BY_WAY) <= {way for case in cases for way in case.ways}
    assert {"watched", "variable"} == {case.roles[case.by] for case in cases}


def test_what_has_no_gradient_is_no_subject() -> None:
    """All other ops are."""
    assert set(JACOBIANS.subjects) == {name for name, op in OPS.items() if not op.blocks}


# -- lies ----------------------------------------------------------------------------------------


def _changed(method: str, change: Callable[[Any, bool], Any]) -> None:
    """Replace what a method answers by ``change(answer, whether it is vectorized)``."""
    tape = tensorflow().GradientTape
    truth = getattr(tape, method)

    def told(self: Any, *args: Any, experimental_use_pfor: bool = True) -> Any:
        answer = truth(self, *args, experimental_use_pfor=experimental_use_pfor)
        return None if answer is None else change(answer, experimental_use_pfor)

    setattr(tape, method, told)


def _transposed(answer: Any) -> Any:
    axes = range(len(answer.shape))
    return tensorflow().transpose(answer, [0, *reversed(axes[1:])])


LIES: dict[str, tuple[Callable[[], None], str]] = {
    "vectorized_jacobians_are_off_by_a_hundredth": (
        lambda: _changed("jacobian", lambda j, pfor: j * 1.01 if pfor else j),
        "jacobian-vectorized",
    ),
    "looped_jacobians_are_off_by_a_hundredth": (
        lambda: _changed("jacobian", lambda j, pfor: j if pfor else j * 1.01),
        "jacobian-looped",
    ),
    "batch_jacobians_are_transposed": (
        lambda: _changed("batch_jacobian", lambda j, _: _transposed(j)),
        "batch-jacobian-blocks",
    ),
    "batch_jacobians_are_off_by_a_hundredth": (
        lambda: _changed("batch_jacobian", lambda j, _: j * 1.01),
        "batch-jacobian-blocks",
    ),
}


def verdicts(subject: str, lie: str | None) -> dict[str, str]:
    """What is violated in an item, under one of these lies; in a fork."""
    if lie is not None:
        LIES[lie][0]()
    return violated(outcomes_of(subject, "eager", cases=JACOBIANS.name, examples=24))


@pytest.mark.parametrize("lie", LIES)
def test_each_contract_fails_under_a_lie(lie: str) -> None:
    """And no other does."""
    ask = partial(verdicts, "tf.math.square")

    assert in_fork(ask, None) == {}
    assert set(in_fork(ask, lie)) == {LIES[lie][1]}
