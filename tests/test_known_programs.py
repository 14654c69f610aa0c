"""The program of a fault that TensorFlow really has is short, and fails by itself."""

from __future__ import annotations

import ast
import contextlib
from typing import Any

import pytest

from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Cases, Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, Deviation, load
from conformance.profiles import PROFILES
from conformance.record import Failure
from conformance.running import ItemRun, Plan
from tests.forks import in_fork
from tests.test_reproduction import ending, sample

GATE = PROFILES["gate"]
MOST_STATEMENTS = 12
SAMPLE = 40
"""One known deviation in so many is found anew with the other tests."""
KNOWN = {
    "cumprod-zero": ("special", "tf.math.cumprod", "eager"),
    "gather-nd-depth-0": ("graph", "tf.gather_nd", "eager"),
    "moments-second-derivative": ("second_order_graph", "tf.nn.moments", "function"),
    "bessel-i1-zero": ("special", "tf.math.special.bessel_i1", "eager"),
}
"""Faults of released versions, by the id of their deviation, and an item that meets them."""
FAMILIES: dict[str, Cases[Any, Any]] = {
    contract.id: family
    for family in vars(contracts).values()
    if isinstance(family, Cases)
    for contract in family.contracts
}


def item_of(known: Deviation) -> tuple[str, str, str] | None:
    """The item about its first op that may meet a deviation; None if it is about no op."""
    for contract in known.contracts:
        family = FAMILIES[contract]
        modes = [mode for mode in family.modes if not known.modes or mode in known.modes]
        if known.ops and known.ops[0] in family.subjects and modes:
            return family.name, known.ops[0], modes[0]
    return None


ITEMS = {known.id: item_of(known) for known in load(FILE, CATALOGUE) if item_of(known)}


def statements_of(program: str) -> int:
    """How many statements a program has."""
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(program)))


def found_anew(known: str, family: str, subject: str, mode: str) -> dict[str, Failure] | None:
    """The failures of an item where a fault is not known; None where it is not there."""
    here = version(tensorflow())
    deviations = [d for d in load(FILE, CATALOGUE) if d.covers(here)]
    others = tuple(d for d in deviations if d.id != known)
    if len(others) == len(deviations):
        return None
    cases: Cases[Any, Any] = vars(contracts)[family]
    run = ItemRun(cases, subject, mode, Plan(GATE, 0, None, here, others))
    with contextlib.suppress(Violation):  # the outcomes hold it
        run.test()()
    return {o.contract: o.failure for o in run.finish() if o.failure is not None}


def check(failures: dict[str, Failure]) -> None:
    """At most twelve statements, the import among them, and no statement of ours."""
    for failure in failures.values():
        assert statements_of(failure.program) <= MOST_STATEMENTS, failure.program
        assert in_fork(ending, failure.program, None).startswith(f"AssertionError: {failure.kind}")


@pytest.mark.parametrize("known", KNOWN)
def test_the_program_of_a_real_fault_is_short_and_fails_by_itself(known: str) -> None:
    """Of faults that are found in any case where they are."""
    failures = in_fork(found_anew, known, *KNOWN[known])
    if failures is None:
        pytest.skip("this TensorFlow does not have the fault")

    assert failures
    check(failures)


@pytest.mark.parametrize("known", sample(list(ITEMS), SAMPLE))
def test_the_program_of_a_known_deviation_is_short_and_fails_by_itself(known: str) -> None:
    """Of each that is met about its own op."""
    item = ITEMS[known]
    assert item is not None
    failures = in_fork(found_anew, known, *item)
    if not failures:
        pytest.skip("these programs do not meet the fault, or this TensorFlow does not have it")

    check(failures)
