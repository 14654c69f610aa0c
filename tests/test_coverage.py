"""Which gradient functions ran, and which were verified."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from conformance.boundary import tensorflow
from conformance.contract import CATALOGUE, UNDOCUMENTED, Cases, Tally
from conformance.contracts import test_contracts as contracts
from conformance.coverage import STATES, Coverage
from conformance.registry import registry
from tests.sampled import ran


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


def test_an_item_knows_what_its_cases_verified() -> None:
    """The sine's gradient against finite differences."""
    coverage = ran(contracts.graph, "tf.math.sin", registry()).coverage

    assert "gradient-finite-difference" in coverage.ran["Sin"]
    by = sorted(coverage.ran["Sin"])
    note = {"note": "gradient", "name": "Sin", "contracts": by, "ops": ["tf.math.sin"]}
    assert note in coverage.notes()
    assert not coverage.ops["Mul"]  # something else beside the sine ran it


def test_what_another_question_calls_is_not_verified_by_this_one() -> None:
    """Forward mode runs a gradient function that raises, and reverse mode is right."""
    coverage = ran(
        contracts.graph, "tf.quantization.quantize_and_dequantize_v2", registry()
    ).coverage

    assert coverage.ran["QuantizeAndDequantizeV4Grad"] == set()
    assert "gradient-finite-difference" in coverage.ran["QuantizeAndDequantizeV4"]


@dataclass(frozen=True)
class Pair:
    """Two functions that were differentiated."""

    digest: bytes = b""


def derivative(function: str) -> float:
    """Of a function of the module ``tf.math``, at 1."""
    tf = tensorflow()
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(tf.math, function)(x)
    return float(tape.gradient(y, x))


def test_what_an_oracle_calls_itself_it_does_not_verify() -> None:
    """Were it wrong, the oracle would be as wrong."""
    family: Cases[Pair, tuple[float, float]] = Cases(
        "pair",
        lambda *_: st.just(Pair()),
        lambda *_: (derivative("sin"), derivative("tanh")),
        lambda *_: "",
    )

    def is_right(seen: tuple[float, float]) -> Tally:
        assert seen[0] == derivative("sin")
        return Tally(conclusive=1)

    family.contract("both-are-right", "Both are right.", cites=[UNDOCUMENTED], oracle=True)(
        is_right
    )
    CATALOGUE.pop("both-are-right")

    coverage = ran(family, "", registry()).coverage

    assert coverage.ran == {"Sin": set(), "Tanh": {"both-are-right"}}


def test_what_was_not_decided_throughout_verifies_nothing() -> None:
    """Nor does what cannot fail, nor a gradient that TensorFlow does not offer."""
    assert Tally(conclusive=1).certain
    assert Tally(conclusive=1, trivial=1).certain

    assert not Tally(trivial=1).certain
    assert not Tally(conclusive=1, inconclusive={"near a kink": 1}).certain
    assert not Tally(conclusive=1, gaps={"LookupError: no gradient": 1}).certain
