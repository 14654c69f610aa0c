"""Which gradient functions ran, and which were verified."""

from __future__ import annotations

from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE
from conformance.contracts import test_contracts as contracts
from conformance.coverage import STATES, Coverage
from conformance.deviations import FILE, load
from conformance.profiles import PROFILES
from conformance.registry import registry
from conformance.running import ItemRun, Plan


def test_what_a_tape_differentiates_is_looked_up() -> None:
    """Not what merely runs, and not again once it is forgotten."""
    tf = tensorflow()
    x = tf.Variable(1.0)
    registry().forget()
    with tf.GradientTape() as tape:
        y = tf.math.sin(x)
    assert "Sin" not in registry().looked_up()

    tape.gradient(y, x)
    assert {"Sin", "ReadVariableOp"} <= registry().looked_up()

    registry().forget()
    assert not registry().looked_up()


def test_what_has_no_gradient_is_not_registered() -> None:
    """Declared so by TensorFlow, or registered by somebody else."""
    tf = tensorflow()
    tf.RegisterGradient("TapemeasureCoverage")(lambda _, upstream: upstream)

    assert "Sin" in registry().differentiable
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


def test_an_item_knows_what_its_cases_verified() -> None:
    """The sine's gradient against finite differences."""
    minor = version(tensorflow())
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(minor))
    plan = Plan(PROFILES["quick"], 0, None, minor, known, registry=registry())
    run = ItemRun(contracts.graph, "tf.math.sin", "eager", plan)

    run.test()()

    assert "gradient-finite-difference" in run.coverage.ran["Sin"]
    contracts_ = sorted(run.coverage.ran["Sin"])
    note = {"note": "gradient", "name": "Sin", "contracts": contracts_, "ops": ["tf.math.sin"]}
    assert note in run.coverage.notes()
    assert not run.coverage.ops["Mul"]  # something else beside the sine ran it
