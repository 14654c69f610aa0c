"""What a process dies of and is known: it counts, and the item goes on behind it."""

from __future__ import annotations

import pytest

from conformance.errors import ExitCode
from tests.conftest import Checkout
from tests.runs import verdicts

FATAL = """
import os
import sys


def fatal_run(case, mode):
    if case.number % 8 == 3:
        os.write(2, b"F0000 00:00:1.5  7 simplifier.cc:580] Check failed: it is simple\\n")
        os.abort()
    return case


fatal = cases("fatal", fatal_run)


@fatal.contract("survives", "The process survives.", cites=[UNDOCUMENTED])
def survives(case):
    return Tally(conclusive=1)


@fatal.contract("is-looked-at", "The number is looked at.", cites=[UNDOCUMENTED])
def is_looked_at(case):
    return Tally(conclusive=1)
"""
KNOWN = """
[[deviation]]
id = "dies-of-threes"
contracts = ["survives"]
ops = []
modes = []
versions = "2.8-"
kind = "crash"
got = "it is simple"
witness = "print(1)"
reason = "numbers may be three"
link = ""
"""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_known_death_counts_and_the_other_cases_are_looked_at(
    checkout: Checkout, workers: str
) -> None:
    """For what names it it is a deviation, for the others a case that cannot be run."""
    (checkout.path / "conformance" / "deviations.toml").write_text(KNOWN, encoding="utf-8")
    checkout.contracts(FATAL)
    result, record = checkout.recorded("-n", workers, "--tape-profile", "gate")

    assert result.ret == ExitCode.HOLDS
    assert verdicts(record) == {"survives-eager": "deviates", "is-looked-at-eager": "holds"}
    survives, looked = sorted(record["outcomes"], key=lambda o: o["contract"], reverse=True)
    deaths = survives["deviations"]["dies-of-threes"]
    assert looked["rejected"] == {"dies-of-threes": deaths}
    assert survives["conclusive"] == survives["examples"] - deaths > 0
    assert [known["id"] for known in record["deviations"]] == ["dies-of-threes"]
    assert record["footer"]["complete"] is True


def test_an_item_of_which_every_case_dies_is_given_up(checkout: Checkout) -> None:
    """After a few, however well they are known."""
    (checkout.path / "conformance" / "deviations.toml").write_text(KNOWN, encoding="utf-8")
    checkout.contracts(FATAL.replace("case.number % 8 == 3", "True"))
    result, record = checkout.recorded("--tape-profile", "gate")

    assert result.ret == ExitCode.VIOLATED
    assert verdicts(record) == {"survives-eager": "crashed", "is-looked-at-eager": "crashed"}
    assert record["footer"]["complete"] is True


@pytest.mark.parametrize("known", [KNOWN.replace("it is simple", "it is not"), ""])
def test_what_tensorflow_said_at_its_end_is_told(checkout: Checkout, known: str) -> None:
    """It is what a pattern is looked for in."""
    (checkout.path / "conformance" / "deviations.toml").write_text(known, encoding="utf-8")
    checkout.contracts(FATAL)
    result, record = checkout.recorded("--tape-profile", "gate")

    assert result.ret == ExitCode.VIOLATED
    assert verdicts(record) == {"survives-eager": "crashed", "is-looked-at-eager": "crashed"}
    told = {outcome["failure"]["got"] for outcome in record["outcomes"]}
    assert told == {"Fatal Python error: Aborted: Check failed: it is simple"}
