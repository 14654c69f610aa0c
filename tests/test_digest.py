"""The same programs wherever they are generated: what makes two records comparable."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, Checkout
from tests.digests import EXAMPLES, FILE, MODES, PROGRAM_MODES, PROGRAM_SUBJECTS, SUBJECTS

GRAPHS = f"""
from conformance import graph_cases, program_cases

graph = Cases(
    "graph",
    graph_cases.GRAPHS.draw,
    lambda case, mode: case,
    graph_cases.GRAPHS.source,
    subjects={SUBJECTS},
    modes={MODES},
)


program = Cases(
    "program",
    program_cases.PROGRAMS.draw,
    lambda case, mode: case,
    program_cases.PROGRAMS.source,
    subjects={PROGRAM_SUBJECTS},
    modes={PROGRAM_MODES},
)


@graph.contract("any", "A case.", cites=[UNDOCUMENTED])
def any_case(case):
    return Tally(conclusive=1)


@program.contract("any-program", "A case.", cites=[UNDOCUMENTED])
def any_program(case):
    return Tally(conclusive=1)
"""

FOREIGN = """\
LUCKY = [3, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97]
LARGE = [123456, 234567, 345678, 456789, 567890, 678901, 789012, 890123, 901234, 987654, 876543]
WORDS = ["odd", "strange", b"uncanny", b"curious", 0.123, 4.567, 89.01]
"""

REMEMBERS = """
import conformance.running

conformance.running.forget_local_constants = lambda: None
"""

NUMBERS = """
plain = cases("plain")


@plain.contract("any", "A number.", cites=[UNDOCUMENTED])
def any_number(case):
    return Tally(conclusive=1)
"""

BUDGET = ("--tape-profile", "gate", "--tape-examples")


def snapshot() -> dict[str, str]:
    """The digests as ``python -m tests.digests`` has written them."""
    found: dict[str, str] = json.loads(FILE.read_text("ascii"))
    return found


def digests(checkout: Checkout, *args: str, examples: int = EXAMPLES) -> dict[str, str]:
    """The digests in the record of a run."""
    _, record = checkout.recorded(*BUDGET, str(examples), *args)
    return {f"{o['subject']}-{o['mode']}": o["digest"] for o in record["outcomes"]}


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_the_programs_are_those_of_the_snapshot(hash_seed: str) -> None:
    """Without TensorFlow, on any Python, in any hash seed: ``python -m tests.digests``."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.digests"]
    found = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert json.loads(found.stdout) == snapshot()


def test_the_programs_are_the_same_from_another_working_directory(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it matter where the checkout lies, or that Hypothesis takes this for CI."""
    checkout.contracts(GRAPHS)
    elsewhere = checkout.path.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("CI", "true")
    checkout.target = checkout.path / "conformance"

    assert digests(checkout) == snapshot()


def test_the_programs_are_the_same_with_a_foreign_module_loaded(checkout: Checkout) -> None:
    """Hypothesis would draw the constants of any local module."""
    checkout.contracts(GRAPHS)
    (checkout.path / "foreign.py").write_text(FOREIGN)

    assert digests(checkout, "-p", "foreign") == snapshot()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_programs_are_the_same_with_workers(checkout: Checkout, workers: str) -> None:
    """Which worker runs an item does not matter."""
    checkout.contracts(GRAPHS)

    assert digests(checkout, "-n", workers) == snapshot()


@pytest.mark.parametrize("remembers", [False, True])
def test_forgetting_local_constants_is_what_keeps_them_out(
    checkout: Checkout, *, remembers: bool
) -> None:
    """Without the one private touch of Hypothesis a foreign module changes what is drawn."""
    checkout.contracts(NUMBERS, REMEMBERS if remembers else "")
    (checkout.path / "foreign.py").write_text(FOREIGN)
    alone = digests(checkout, examples=200)
    accompanied = digests(checkout, "-p", "foreign", examples=200)

    assert (accompanied != alone) is remembers


def test_another_seed_gives_other_programs(checkout: Checkout) -> None:
    """The digest is of what was drawn: no digest of another seed is in the snapshot."""
    checkout.contracts(GRAPHS)
    found = digests(checkout, "--tape-seed", "1")

    assert found.keys() == snapshot().keys()
    assert not set(found.values()) & set(snapshot().values())
