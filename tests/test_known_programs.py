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
from conformance.modes import MODES
from conformance.profiles import PROFILES
from conformance.record import Failure
from conformance.running import ItemRun, Plan
from tests.forks import ForkFailedError, in_fork
from tests.test_reproduction import ending, sample

GATE = PROFILES["gate"]
MOST_STATEMENTS = 12
OF_ANY = 20
"""The most that the program of any deviation has: a scene is as long as what it tells, and an op of
eight inputs has a statement for each."""
SAMPLE = 40
"""One known deviation in so many is found anew with the other tests."""
MET = (
    "cumprod-zero",
    "gather-nd-depth-0",
    "moments-second-derivative",
    "bessel-i1-zero",
    "branch-in-branch-second",
)
"""Deviations that the programs of the gate profile meet wherever they are."""
FAMILIES: dict[str, Cases[Any, Any]] = {
    contract.id: family
    for family in vars(contracts).values()
    if isinstance(family, Cases)
    for contract in family.contracts
}


DEVIATIONS = {known.id: known for known in load(FILE, CATALOGUE)}
Item = tuple[str, str, str]
"""A family, a subject and a mode."""


def items_of(known: Deviation) -> list[Item]:
    """The items about its ops, or its own, that may meet a deviation: its first modes first."""
    found = [
        (family.name, subject, mode)
        for mode in MODES
        for contract, family in ((contract, FAMILIES[contract]) for contract in known.contracts)
        for subject in ((contract,) if family.one_each else known.ops)
        if mode in (known.modes or MODES) and mode in family.modes and subject in family.subjects
    ]
    return list(dict.fromkeys(found))


WITH_ITEMS = [known.id for known in DEVIATIONS.values() if items_of(known)]


def statements_of(program: str) -> int:
    """How many statements a program has."""
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(program)))


def found_anew(known: str) -> dict[str, Failure] | None:
    """The failures of the first item that meets a fault, as if it were not known.

    None if this TensorFlow does not have it; no failure if no item meets it.
    """
    here = version(tensorflow())
    if not DEVIATIONS[known].covers(here):
        return None
    others = tuple(d for d in DEVIATIONS.values() if d.covers(here) and d.id != known)
    for family, subject, mode in items_of(DEVIATIONS[known]):
        cases: Cases[Any, Any] = vars(contracts)[family]
        run = ItemRun(cases, subject, mode, Plan(GATE, 0, None, here, others))
        with contextlib.suppress(Violation):  # the outcomes hold it
            run.test()()
        if failures := {o.contract: o.failure for o in run.finish() if o.failure is not None}:
            return failures
    return {}


def check(known: str, failures: dict[str, Failure], most: int) -> None:
    """It has few statements, the import among them, and none of ours.

    And it fails by itself; what reads memory that is not its own may find the right answer there.
    """
    for failure in failures.values():
        assert statements_of(failure.program) <= most, failure.program
        try:
            found = in_fork(ending, failure.program, None)
        except ForkFailedError:
            found = "AssertionError: crash"  # as no assertion could say
        as_told = found.startswith(f"AssertionError: {failure.kind}")
        assert as_told or (DEVIATIONS[known].flickers and not found), failure.program


@pytest.mark.parametrize("known", MET)
def test_a_real_fault_is_met_and_its_program_is_short_and_fails_by_itself(known: str) -> None:
    """Of faults that are found in any case where they are."""
    failures = in_fork(found_anew, known)
    if failures is None:
        pytest.skip("this TensorFlow does not have the fault")

    assert failures
    check(known, failures, MOST_STATEMENTS)


@pytest.mark.parametrize("known", sample(WITH_ITEMS, SAMPLE))
def test_the_program_of_a_known_deviation_is_short_and_fails_by_itself(known: str) -> None:
    """Of each that is met about its own ops, or by a scene."""
    failures = in_fork(found_anew, known)
    if failures is None:
        pytest.skip("this TensorFlow does not have the fault")
    if not failures:
        pytest.skip("these programs do not meet the fault")

    check(known, failures, OF_ANY)
