"""What counts as unsupported, what as an observation, and what as a fault of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.boundary import tensorflow
from conformance.contract import Unsupported
from conformance.graph_cases import _Run, forward_step, printed, run
from tests.cases import case_of, chain

Program = Callable[..., Any]
CASE = case_of(chain(("tf.math.tanh", (0,))), (0.5,))


def refuse(*_: Any) -> Any:
    """Raise in TensorFlow, as an op does whose operands do not fit."""
    tf = tensorflow()
    tf.raw_ops.MatMul(a=tf.ones([2]), b=tf.ones([2]))


def test_a_gradient_that_raises_alone_is_an_observation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forward pass runs, so the error is kept for the contracts."""
    monkeypatch.setattr(_Run, "program", lambda _, *tensors: refuse(*tensors))

    seen = run(CASE, "function")

    assert isinstance(seen.error, ValueError)


def test_a_forward_pass_that_raises_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the gradient does then."""

    def compiled(_: _Run, *__: Any) -> Program:
        return refuse

    monkeypatch.setattr(_Run, "compiled", compiled)

    with pytest.raises(Unsupported, match="InvalidArgumentError"):
        run(CASE, "function")


def test_an_op_that_xla_only_folds_away_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    """It compiles where its result is asked for, as a constant, and nowhere else."""

    def compiled(of: _Run, function: Program, _: Any) -> Program:
        def call(*tensors: Any) -> Any:
            found = function(*tensors)
            asked = isinstance(found, list) and len(found) == len(of.case.graph.outputs)
            return found if asked else refuse()

        return call

    monkeypatch.setattr(_Run, "compiled", compiled)

    with pytest.raises(Unsupported, match="InvalidArgumentError"):
        run(CASE, "xla")
    assert run(CASE, "function").error is not None  # nothing is folded where nothing is compiled


def test_an_error_of_ours_is_no_observation() -> None:
    """What a line of the project raises comes through, whatever else there is to see."""
    with pytest.raises(IndexError):
        run(replace(CASE, points=()), "eager")


def test_a_case_prints_at_the_step_that_its_run_had_reached() -> None:
    """One of its points, then each other cotangent at the first, then forward mode."""
    points = (((0.5,),), ((0.25,),))
    case = replace(case_of(chain(("tf.math.sin", (0,))), (0.5,), pulls=True), points=points)
    lines = [printed(case, "eager", step).splitlines() for step in range(5)]

    assert [line[2] for line in lines] == [
        f"x0 = tf.constant({number}, tf.float64)" for number in (0.5, 0.25, 0.5, 0.5, 0.5)
    ]
    weights = [case.weights, case.weights, *case.cotangents.values()]
    assert [line[-1].rpartition("tf.constant(")[2] for line in lines] == [
        f"{float(weight)}, tf.float64)])" for (weight,) in weights
    ]
    assert "tf.autodiff.ForwardAccumulator" in printed(case, "eager", forward_step(case))


@pytest.mark.parametrize("persistent", [True, False])
def test_a_persistent_tape_is_printed_as_one(persistent: bool) -> None:  # noqa: FBT001 - a parameter
    """Also one that is asked once: what a function computes for it is more."""
    case = replace(case_of(chain(("tf.math.sin", (0,))), (0.5,)), persistent=persistent)

    assert ("tf.GradientTape(persistent=True)" in printed(case, "outer")) is persistent
