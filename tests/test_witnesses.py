"""Known deviations: on the installed TensorFlow each is there, or gone, as its entry says."""

from __future__ import annotations

import linecache
import re
import sys
from pathlib import Path

import pytest

from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, Deviation, load
from tests.forks import in_fork

assert contracts.CHAPTERS  # who imports them has the catalogue filled
DEVIATIONS = load(FILE, CATALOGUE)
NAME = "<witness>"


@pytest.fixture(scope="module", name="installed")
def _installed() -> tuple[int, int]:
    """The minor version of the installed TensorFlow."""
    return in_fork(minor)


def minor() -> tuple[int, int]:
    """What the fork's TensorFlow says of itself."""
    return version(tensorflow())


def flags() -> list[str]:
    """The words that Linux says of the processor; none elsewhere."""
    told = Path("/proc/cpuinfo")
    return told.read_text("utf-8").split() if told.exists() else []


def failure(witness: str) -> str:
    """What a witness raises, in words; empty if it comes to its end."""
    # AutoGraph reads the source of what it converts
    linecache.cache[NAME] = (len(witness), None, witness.splitlines(keepends=True), NAME)
    try:
        exec(compile(witness, NAME, "exec", dont_inherit=True), {})  # noqa: S102 - the programs are our own
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("known", DEVIATIONS, ids=lambda known: known.id)
def test_a_witness_fails_on_exactly_the_versions_of_its_deviation(
    known: Deviation, installed: tuple[int, int]
) -> None:
    """An entry that no longer holds must be dated, and one that came back reopened.

    What only some processors show is not asked of others.
    """
    if known.processor and known.processor not in flags():
        pytest.skip(f"the processor is not said to have {known.processor}")
    raised = in_fork(failure, known.witness)
    shows = re.search(known.got, raised) if known.kind == "exception" else raised

    assert known.covers(installed) == bool(shows), raised or "the witness came to its end"


@pytest.mark.parametrize("known", DEVIATIONS, ids=lambda known: known.id)
def test_a_witness_needs_tensorflow_alone(known: Deviation) -> None:
    """It goes into a bug report as it stands."""
    imported = re.findall(r"^(?:import|from) (\w+)", known.witness, re.MULTILINE)

    assert "tensorflow" in imported
    assert set(imported) <= {"tensorflow", *sys.stdlib_module_names}
