"""Every contract that has a scene fails under a lie: what no lie can break promises nothing.

A few of them are tried with the other tests, all in ``tox run -e kill``.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, load
from conformance.profiles import PROFILES
from conformance.record import Outcome
from conformance.running import ItemRun, Plan
from tests import chapters
from tests.forks import in_fork

KILLS: dict[str, Callable[[Any], None]] = {}
for _found in pkgutil.iter_modules(chapters.__path__):
    KILLS |= importlib.import_module(f"tests.chapters.{_found.name}").KILLS

GATE = PROFILES["gate"]
SAMPLE = 16
"""One in so many is tried with the other tests."""


def outcome_under_lie(contract: str) -> Outcome | None:
    """What becomes of a contract when its lie is told; None where it does not apply. In a fork."""
    vars(running)["SHRINK_SECONDS"] = 0  # the verdict is what counts here
    tf = tensorflow()
    KILLS[contract](tf)
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(version(tf)))
    mode = CATALOGUE[contract].modes[0]
    run = ItemRun(contracts.scene, contract, mode, Plan(GATE, 0, None, version(tf), known))
    with contextlib.suppress(Violation):  # the outcome holds it
        run.test()()
    return next(iter(run.finish()), None)


@pytest.mark.parametrize(
    "contract",
    [
        pytest.param(contract, marks=[] if number % SAMPLE == 0 else pytest.mark.kill)
        for number, contract in enumerate(sorted(KILLS))
    ],
)
def test_a_contract_fails_under_its_lie(contract: str) -> None:
    """It is violated within the gate profile, in the first of its modes."""
    outcome = in_fork(outcome_under_lie, contract)

    if outcome is None:
        pytest.skip("the contract does not speak of this TensorFlow")
    assert outcome.verdict == "violated", outcome


def test_every_contract_that_has_a_scene_has_a_lie() -> None:
    """And no other."""
    assert sorted(KILLS) == sorted(contracts.scene.subjects)
