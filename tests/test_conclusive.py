"""How much an oracle can decide: nine checks in ten, or the entry of the op says why not."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE as CONTRACTS
from conformance.contract import Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, load
from conformance.profiles import PROFILES
from conformance.record import Outcome
from conformance.running import ItemRun, Plan
from strategies.ops import CATALOGUE, Op
from tests.forks import in_fork

SHARE = 0.9
"""The least share of the checks that must be conclusive."""
SAMPLE = 24
"""One op in so many is tried with the other tests."""
ORACLE = CONTRACTS["gradient-finite-difference"]


def decided(subject: str) -> Outcome:
    """What finite differences find in the gate profile, eagerly."""
    minor = version(tensorflow())
    known = tuple(d for d in load(FILE, CONTRACTS) if d.covers(minor))
    family = replace(contracts.graph, contracts=[ORACLE])
    run = ItemRun(family, subject, "eager", Plan(PROFILES["gate"], 0, None, minor, known))
    with contextlib.suppress(Violation):  # the suite itself reports it
        run.test()()
    return run.finish()[0]


def complaint(entry: Op, outcome: Outcome) -> str:
    """What is wrong with an entry of which so much was decided; empty if nothing is."""
    undecided = sum(outcome.inconclusive.values())
    enough = outcome.conclusive >= SHARE * (outcome.conclusive + undecided)
    if enough or entry.rough:
        return ""
    return f"{outcome.conclusive} conclusive, and not: {outcome.inconclusive}"


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(subject, marks=[] if number % SAMPLE == 0 else pytest.mark.kill)
        for number, subject in enumerate(CATALOGUE)
    ],
)
def test_nine_checks_in_ten_are_conclusive_or_the_entry_says_why_not(subject: str) -> None:
    """Of those of finite differences about each op, in the gate profile."""
    outcome = in_fork(decided, subject)

    assert complaint(CATALOGUE[subject], outcome) == ""


def test_an_op_of_which_too_little_is_decided_needs_a_reason() -> None:
    """Below nine in ten; trivial checks and what deviates do not count."""
    entry = next(iter(CATALOGUE.values()))
    poor = Outcome(ORACLE.id, entry.name, "eager", conclusive=8, trivial=9, inconclusive={"why": 1})
    good = replace(poor, conclusive=9)

    assert complaint(entry, poor) == "8 conclusive, and not: {'why': 1}"
    assert complaint(replace(entry, rough="a reason"), poor) == ""
    assert complaint(entry, good) == ""
