"""A fault in the gradient of an op is caught in the item of that op, whichever op it is.

The faults are made from the catalogue. A sample is tried with the other tests, all of them in
``tox run -e kill``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conformance.boundary import tensorflow, version
from conformance.contract import Unsupported
from conformance.drawn_graphs import GraphCase
from conformance.graph_cases import GRAPHS, Seen
from conformance.record import Outcome
from strategies.ops import CATALOGUE
from tests.cases import CONTRACTS
from tests.plants import FAULTS, Fault, is_felt, planted
from tests.sampled import SUBJECTS, ran

UNFELT = "no watched source is differentiated through an operand to which the fault applies"
UNCHANGED = "what the tape answers is the same with and without the fault"


def outcomes(subject: str, fault: Fault, *, honest: bool = False) -> list[Outcome]:
    """What becomes of the contracts that a fault may violate, in the item of a subject.

    Args:
        subject: in the gradient of which the fault is planted.
        fault: the fault.
        honest: whether the cases are run without it, those in which it changes something.
    """

    def run(case: GraphCase, mode: str) -> Seen:
        wrong = replace(case, graph=planted(case.graph, subject, fault))
        vars(wrong)["weights"] = case.weights  # which are drawn by the text of the graph
        if not is_felt(wrong):
            raise Unsupported(UNFELT)
        seen = GRAPHS.run(wrong, mode)
        if not honest:
            return seen
        right = GRAPHS.run(case, mode)
        if same(right, seen):
            raise Unsupported(UNCHANGED)
        return right

    contracts = [CONTRACTS[name] for name in fault.kinds]
    return ran(replace(GRAPHS, run=run, contracts=contracts), subject).finish()


def same(one: Seen, other: Seen) -> bool:
    """Whether the tape gave the same gradients, or raised twice."""
    first, second = ([g for p in seen.points for g in p.gradients] for seen in (one, other))
    return len(first) == len(second) and all(
        a is b or (a and b and np.array_equal(a.array, b.array, equal_nan=True))
        for a, b in zip(first, second, strict=True)
    )


def why_unseen(subject: str, fault: Fault, found: list[Outcome]) -> str:
    """The reason why a fault cannot show in the gradient of a subject; "" if there is none.

    Args:
        subject: in the gradient of which the fault is planted.
        fault: the fault.
        found: what became of the contracts with the fault.
    """
    deviations = sorted({name for outcome in found for name in outcome.deviations})
    if CATALOGUE[subject].alone and deviations:
        return f"known to be at fault, and in graphs of itself alone: {', '.join(deviations)}"
    honest = outcomes(subject, fault, honest=True)
    if not any(outcome.conclusive for outcome in honest):
        return "; ".join(sorted({reason for outcome in honest for reason in outcome.rejected}))
    return ""


def assert_found(subject: str, fault: Fault) -> str:
    """A fault violates a contract that speaks of it, in the item of a subject.

    Returns:
        The reason why it cannot be seen there; "" if it was.
    """
    __tracebackhide__ = True
    found = outcomes(subject, fault)
    caught = {o.contract: o.failure.kind for o in found if o.failure is not None}
    if not caught and (why := why_unseen(subject, fault, found)):
        return why
    assert caught, f"it survives: {fault.identity}: {found}"
    assert caught.items() <= fault.kinds.items()
    return ""


def test_every_fault_in_the_gradient_of_a_product_is_found() -> None:
    """It has two operands, which broadcast."""
    assert [assert_found("tf.math.multiply", fault) for fault in FAULTS.values()] == [""] * 3


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_fault_in_the_gradient_of_an_op_is_found(subject: str) -> None:
    """The item of the op violates the contract that the fault breaks, within the gate profile.

    Where it does not, the fault changes nothing, or TensorFlow's own gradient is known to be wrong.
    """
    if version(tensorflow()) < CATALOGUE[subject].since:
        pytest.skip(f"this TensorFlow has no {subject}")

    unseen = {name: assert_found(subject, fault) for name, fault in FAULTS.items()}

    if all(unseen.values()):
        pytest.skip(f"no fault can be seen: {unseen}")
