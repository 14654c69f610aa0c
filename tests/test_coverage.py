"""Which gradient functions ran, and which were verified."""

from __future__ import annotations

from typing import Any

from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Cases, Tally
from conformance.contracts import test_contracts as contracts
from conformance.coverage import STATES, Coverage
from conformance.deviations import FILE, load
from conformance.profiles import PROFILES
from conformance.registry import registry
from conformance.running import ItemRun, Plan, is_certain


def test_what_a_tape_differentiates_is_looked_up() -> None:
    """Not what merely runs, and not again once it was told."""
    tf = tensorflow()
    x = tf.Variable(1.0)
    registry().take()
    with tf.GradientTape() as tape:
        y = tf.math.sin(x)
    assert not registry().take()

    tape.gradient(y, x)
    assert registry().take() == {"Sin", "ReadVariableOp"}
    assert not registry().take()


def test_what_has_no_gradient_is_not_registered() -> None:
    """Declared so by TensorFlow, or registered by somebody else."""
    known = registry().differentiable
    tensorflow().RegisterGradient("TapemeasureCoverage")(lambda _, upstream: upstream)

    assert "Sin" in known
    assert not {"ZerosLike", "TapemeasureCoverage"} & set(registry().differentiable)


def test_a_gradient_function_is_verified_exercised_or_unreached() -> None:
    """What one item has verified another need not."""
    coverage = Coverage()
    coverage.add(["Sin", "Cos"], ["a-promise"])
    coverage.add(["Sin"], ["another"], ["tf.math.sin"])
    coverage.add(["Sin", "Neg"])

    states = coverage.states(dict.fromkeys(["Cos", "Neg", "Sin", "Tan"], "no kernel"))
    assert states == [
        {"name": "Cos", "state": "verified", "by": ["a-promise"], "ops": [], "out_of_reach": ""},
        {"name": "Neg", "state": "exercised", "by": [], "ops": [], "out_of_reach": ""},
        {
            "name": "Sin",
            "state": "verified",
            "by": ["a-promise", "another"],
            "ops": ["tf.math.sin"],
            "out_of_reach": "",
        },
        {"name": "Tan", "state": "unreached", "by": [], "ops": [], "out_of_reach": "no kernel"},
    ]
    assert {one["state"] for one in states} == set(STATES)


def covered(family: Cases[Any, Any], subject: str, profile: str = "quick") -> Coverage:
    """What the eager item of a subject covers."""
    minor = version(tensorflow())
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(minor))
    run = ItemRun(
        family, subject, "eager", Plan(PROFILES[profile], 0, None, minor, known, registry())
    )
    run.test()()
    return run.coverage


def test_an_item_knows_what_its_cases_verified() -> None:
    """The sine's gradient against finite differences."""
    coverage = covered(contracts.graph, "tf.math.sin")

    assert "gradient-finite-difference" in coverage.ran["Sin"]
    by = sorted(coverage.ran["Sin"])
    note = {"note": "gradient", "name": "Sin", "contracts": by, "ops": ["tf.math.sin"]}
    assert note in coverage.notes()
    assert not coverage.ops["Mul"]  # something else beside the sine ran it


def test_what_another_question_calls_is_not_verified_by_this_one() -> None:
    """Forward mode runs a gradient function that raises, and reverse mode is right."""
    coverage = covered(contracts.graph, "tf.quantization.quantize_and_dequantize_v2", "gate")

    assert coverage.ran["QuantizeAndDequantizeV4Grad"] == set()
    assert "gradient-finite-difference" in coverage.ran["QuantizeAndDequantizeV4"]


def test_what_an_oracle_calls_itself_it_does_not_verify() -> None:
    """Differences of a gradient: were the gradient wrong, they would be as wrong."""
    coverage = covered(contracts.second_order_graph, "tf.math.lgamma")

    assert coverage.ran["Digamma"] == {"second-order-reverse"}
    assert coverage.ran["Lgamma"] == set()


def test_what_was_not_decided_throughout_verifies_nothing() -> None:
    """Nor what could not fail, nor a gradient that TensorFlow does not offer."""
    unsure = Tally(1), Tally(1, 1), Tally(), Tally(0, 1), Tally(1, 0, {"rough": 1})
    offered = Tally(1, gaps={"LookupError": 1})

    assert [is_certain(found) for found in (*unsure, offered)] == [True] * 2 + [False] * 4
