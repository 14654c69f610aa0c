"""What the user can put right is one error, with a hint and an exit code of its own."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from conformance.errors import ExitCode
from tests.conftest import HOLDS, Checkout
from tests.runs import KNOWN, error

UNCITED = """
plain = cases("plain")


@plain.contract("number-uncited", "Every number is a number.", cites=[])
def number_uncited(case):
    return Tally()
"""

BAD_OPTIONS = {
    "--tape-mode eagre": """\
        unknown mode 'eagre'
          expected: one of eager, function, outer, xla, dynamic
          hint: did you mean 'eager'?""",
    "--tape-profile thorough": """\
        unknown profile 'thorough'
          expected: one of quick, gate, explore
          hint: known are quick, gate, explore""",
    "--tape-examples 0": """\
        --tape-examples 0
          expected: a number of cases, 1 or more
          hint: leave it out for the profile's own numbers""",
    "--tape-record-only": """\
        --tape-record-only without --tape-record
          expected: a file for the record, as its completeness is the verdict
          hint: add --tape-record FILE""",
    "--tape-record conformance": """\
        the record cannot be written to conformance: Is a directory
          expected: a file in a folder that exists or can be made
          hint: give another path: --tape-record results/mine.json""",
    "--tape-record pyproject.toml/below/mine.json": """\
        the record cannot be written to pyproject.toml/below/mine.json: Not a directory
          expected: a file in a folder that exists or can be made
          hint: give another path: --tape-record results/mine.json""",
}

TOO_OLD = """\
TensorFlow 2.7.4 is too old
  expected: TensorFlow 2.8 or newer
  hint: pip install --upgrade tensorflow-cpu, or let tox install one: tox run -e tf2.21"""


@pytest.mark.parametrize("options", BAD_OPTIONS)
def test_a_bad_option_is_one_error_that_exits_4(checkout: Checkout, options: str) -> None:
    """ExitCode.USAGE: what is wrong, what was expected, what to do; nothing is left behind."""
    checkout.contracts(HOLDS)
    before = checkout.files()
    result = checkout.run(*options.split())

    assert error(result) == "ERROR: " + dedent(BAD_OPTIONS[options])
    assert (result.ret, ExitCode.USAGE) == (4, 4)
    assert checkout.files() == before


def test_a_missing_tensorflow_is_one_error_that_exits_7(checkout: Checkout) -> None:
    """ExitCode.NO_TENSORFLOW, before anything is collected or written."""
    checkout.tensorflow(None)
    checkout.contracts(HOLDS)
    before = checkout.files()
    result = checkout.run("--tape-record", checkout.record)

    assert error(result) == (
        f"ERROR: TensorFlow cannot be imported by {sys.executable}: "
        "No module named 'tensorflow'\n"
        "  expected: an installed TensorFlow, 2.8 or newer\n"
        "  hint: pip install tensorflow-cpu, or let tox install one: tox run -e tf2.21"
    )
    assert (result.ret, ExitCode.NO_TENSORFLOW) == (7, 7)
    assert checkout.files() == before


def test_a_tensorflow_that_is_too_old_is_one_error_that_exits_7(checkout: Checkout) -> None:
    """A TensorFlow older than 2.8 is told by its metadata, and nothing is written."""
    checkout.tensorflow("2.7.4")
    checkout.contracts(HOLDS)
    before = checkout.files()
    result = checkout.run("--tape-record", checkout.record)

    assert error(result) == f"ERROR: {TOO_OLD}"
    assert result.ret == ExitCode.NO_TENSORFLOW
    assert checkout.files() == before


def test_a_tensorflow_whose_metadata_lie_ends_the_run_with_7(checkout: Checkout) -> None:
    """What TensorFlow says of itself once imported decides; the record is incomplete."""
    checkout.tensorflow("2.7.4", metadata="2.21.0")
    checkout.contracts(HOLDS)
    result, record = checkout.recorded()

    assert "\n".join(result.errlines) == f"ERROR: {TOO_OLD}"
    assert result.ret == ExitCode.NO_TENSORFLOW
    assert (record["footer"]["complete"], record["outcomes"]) == (False, [])


def test_a_tensorflow_that_does_not_load_ends_the_run_with_7(checkout: Checkout) -> None:
    """One that is there, but was built for another NumPy, say."""
    (stub,) = checkout.path.parent.glob("stub-*")
    (stub / "tensorflow.py").write_text('raise ImportError("numpy.core.multiarray")')
    checkout.contracts(HOLDS)
    result, record = checkout.recorded()

    assert result.errlines[0] == (
        f"ERROR: TensorFlow cannot be imported by {sys.executable}: numpy.core.multiarray"
    )
    assert result.ret == ExitCode.NO_TENSORFLOW
    assert (record["footer"]["complete"], record["outcomes"]) == (False, [])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_wrong_contract_is_one_error_that_exits_4(checkout: Checkout, workers: str) -> None:
    """It is found while collecting, with workers too: no traceback, and no record is touched."""
    checkout.contracts(UNCITED)
    checkout.record.parent.mkdir()
    checkout.record.write_text("an earlier record")
    before = checkout.files()
    result = checkout.run("--tape-record", checkout.record, "-n", workers)

    assert "\n".join(result.errlines) == (
        "ERROR: contract 'number-uncited' has no citation\n"
        "  expected: at least one docstring(...), guide(...), article(...) or UNDOCUMENTED\n"
        "  hint: say where TensorFlow promises it, or that nobody does: cites=[UNDOCUMENTED]"
    )
    assert "Traceback" not in result.stdout.str()
    assert result.ret == ExitCode.USAGE
    assert checkout.files() == before
    assert checkout.record.read_text() == "an earlier record"


def test_a_broken_deviation_is_one_error_that_exits_4(checkout: Checkout) -> None:
    """Deviations are read when the contracts are known, and before anything is written."""
    broken = KNOWN.replace("known-bug", "number-hold")
    (checkout.path / "conformance" / "deviations.toml").write_text(broken)
    checkout.contracts(HOLDS)
    before = checkout.files()
    result = checkout.run("--tape-record", checkout.record)

    assert "\n".join(result.errlines) == (
        "ERROR: deviation 'odd-numbers' has 'number-hold' among its contracts\n"
        "  expected: the id of a contract\n"
        "  hint: did you mean 'number-holds'?"
    )
    assert result.ret == ExitCode.USAGE
    assert checkout.files() == before
