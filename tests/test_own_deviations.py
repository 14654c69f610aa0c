"""Deviations of the user's own: taken in beside ours, and refused when they are no longer true."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.deviations import load
from conformance.errors import ExitCode, UsageError
from conformance.own_deviations import verdict, witnessed
from tests.conftest import HOLDS, Checkout
from tests.runs import KNOWN, VERDICTS, error, summary, verdicts
from tests.test_deviations import MADE

FAILS = "import tensorflow as tf\\nassert tf.__version__ == 'another'"
OWN = (
    KNOWN.replace('"odd-numbers"', '"our-odd-numbers"')
    .replace('witness = "print(1)"', f'witness = "{FAILS}"')
    .replace('link = ""', 'link = ""\nexpires = 2999-12-31')
    .replace('ops = ["odd"]', "ops = []")
)
BUDGET = ("--tape-profile", "gate", "--tape-examples", "6", "--tape-mode", "eager")


def entry(checkout: Checkout, text: str = OWN, name: str = "ours.toml") -> Path:
    """A file of the user's own."""
    path = checkout.path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("workers", ["0", "1"])
def test_an_own_deviation_is_known_and_its_witness_is_run(checkout: Checkout, workers: str) -> None:
    """What matches it is no failure; the record says what it is; with workers too."""
    checkout.contracts(VERDICTS)
    path = entry(checkout)
    result, record = checkout.recorded(*BUDGET, "-n", workers, "--tape-deviations", path)

    assert result.ret == ExitCode.HOLDS
    assert verdicts(record)["known-bug-odd-eager"] == "deviates"
    assert [known["id"] for known in record["deviations"]] == ["our-odd-numbers"]
    assert record["footer"]["complete"] is True


def test_what_both_know_is_the_users(checkout: Checkout) -> None:
    """So that a gate passes over a regression that this project knows of, if the user says so."""
    (checkout.path / "conformance" / "deviations.toml").write_text(KNOWN, encoding="utf-8")
    checkout.contracts(VERDICTS)
    _, alone = checkout.recorded(*BUDGET)
    _, record = checkout.recorded(*BUDGET, "--tape-deviations", entry(checkout))

    assert [known["id"] for known in alone["deviations"]] == ["odd-numbers"]
    assert "deviations" not in alone["header"]
    assert [(d["id"], d["expires"]) for d in record["deviations"]] == [
        ("our-odd-numbers", "2999-12-31")
    ]
    assert len(record["header"]["deviations"]) == 1


@pytest.mark.parametrize(
    ("witness", "says"),
    [
        (
            "import tensorflow as tf",
            """\
the witness of deviation 'our-odd-numbers' holds on TensorFlow 2.21.0: what it says of \
'numbers may be odd' is no longer so
  to do: end its versions with the last one that has it, or take the entry out
""",
        ),
        (
            "import tensorflow as tf\\ntf.no_such",
            """\
the witness of deviation 'our-odd-numbers' fails otherwise on TensorFlow 2.21.0
  expected: a failed assertion
  got: AttributeError: module 'tensorflow' has no attribute 'no_such'
  to do: see what has changed, and write what is so now: another entry, with its own versions, \
witness and pattern
""",
        ),
    ],
    ids=["holds", "fails otherwise"],
)
def test_a_witness_that_is_no_longer_true_fails_the_run_and_says_what_to_do(
    checkout: Checkout, witness: str, says: str
) -> None:
    """It holds now, or fails otherwise; the contracts are judged all the same."""
    checkout.contracts(HOLDS)
    path = entry(checkout, OWN.replace(FAILS, witness).replace('"known-bug"', '"number-holds"'))
    result, record = checkout.recorded(*BUDGET, "--tape-deviations", path, "--tape-record-only")

    assert result.ret == ExitCode.VIOLATED
    assert says in result.stdout.str()
    assert verdicts(record) == {"number-holds-eager": "holds"}


def test_on_a_nightly_build_that_is_news(checkout: Checkout) -> None:
    """The summary tells it, and the run does not fail."""
    checkout.tensorflow("2.22.0.dev20261127")
    checkout.contracts(VERDICTS)
    path = entry(checkout, OWN.replace(FAILS, "import tensorflow as tf"))
    result = checkout.run(*BUDGET, "--tape-deviations", path)

    assert result.ret == ExitCode.HOLDS
    assert "the witness of deviation 'our-odd-numbers' holds on TensorFlow 2.22" in summary(result)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_an_entry_past_its_date_is_refused_before_anything_runs(
    checkout: Checkout, workers: str
) -> None:
    """With what to do, and no record is left."""
    checkout.contracts(VERDICTS)
    path = entry(checkout, OWN.replace("2999-12-31", "2026-01-31"))
    options = ("--tape-record", checkout.record, "-n", workers)
    result = checkout.run("--tape-deviations", path, *options)

    assert result.ret == ExitCode.USAGE
    assert not checkout.record.exists()
    assert error(result) == (
        "ERROR: deviation 'our-odd-numbers' expired on 2026-01-31\n"
        "  expected: a date that is not past\n"
        "  hint: if it is still there, and still not to be mended, give it another date; if not, "
        "take the entry out"
    )


def test_an_id_that_is_there_already_is_refused(checkout: Checkout) -> None:
    """In ours, or in another file of the user's."""
    checkout.contracts(VERDICTS)
    one, two = entry(checkout), entry(checkout, OWN, "other.toml")
    result = checkout.run("--tape-deviations", one, "--tape-deviations", two)

    assert result.ret == ExitCode.USAGE
    assert error(result).startswith("ERROR: deviation 'our-odd-numbers' is there twice\n")


def test_an_unknown_contract_is_refused_with_the_nearest(checkout: Checkout) -> None:
    """As in our own file."""
    checkout.contracts(VERDICTS)
    result = checkout.run(
        "--tape-deviations", entry(checkout, OWN.replace("known-bug", "kown-bug"))
    )

    assert result.ret == ExitCode.USAGE
    assert error(result) == (
        "ERROR: deviation 'our-odd-numbers' has 'kown-bug' among its contracts\n"
        "  expected: the id of a contract\n"
        "  hint: did you mean 'known-bug'?"
    )


BAD = {
    "none": (None, "cannot be read: No such file or directory"),
    "toml": ("[[deviation]", "is not TOML: "),
    "empty": ("", "has no [[deviation]] tables, or something beside them"),
    "other": ("[deviation]\nid = 1\n", "has no [[deviation]] tables, or something beside them"),
    "numbers": ("deviation = [1]\n", "has no [[deviation]] tables, or something beside them"),
    "beside": (f"x = 1\n{OWN}", "has no [[deviation]] tables, or something beside them"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_file_that_is_none_of_deviations_is_refused(tmp_path: Path, fault: str) -> None:
    """Missing, not TOML, or of another sort."""
    content, says = BAD[fault]
    path = tmp_path / "ours.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError) as caught:
        load(path, ["known-bug"], ["odd"], own=True)

    assert caught.value.what.startswith(f"{path} {says}")


@pytest.mark.parametrize("date", ["", 'expires = "2999-12-31"', "expires = 2999-12-31T08:00:00"])
def test_an_entry_of_ones_own_has_a_date(tmp_path: Path, date: str) -> None:
    """A day, as TOML writes it; entries of this project have none."""
    path = tmp_path / "ours.toml"
    path.write_text(OWN.replace("expires = 2999-12-31", date))
    with pytest.raises(UsageError) as caught:
        load(path, ["known-bug"], ["odd"], own=True)

    assert caught.value.what.startswith("deviation 'our-odd-numbers' has the")
    assert "expires" in str(caught.value)


def test_a_witness_is_judged_by_the_kind_of_its_entry() -> None:
    """An exception by its pattern, all else by a failed assertion; other versions not at all."""
    assert not verdict(MADE, "2.8.4", "InvalidArgumentError: expected 'tf.Tensor(1.0)'")
    assert not verdict(MADE, "2.22.0", "")
    assert verdict(MADE, "2.21.0", "").startswith("the witness of deviation 'cumprod-zero' holds")
    assert "fails otherwise" in verdict(MADE, "2.21.0", "ImportError: no")
    assert "fails otherwise" in verdict(MADE, "", "Crash: the process ended with code -11: ")


def test_a_witness_that_kills_its_process_is_told(
    checkout: Checkout,  # noqa: ARG001 - it provides the TensorFlow
) -> None:
    """And takes nothing else with it."""
    version, raised = witnessed("import os\nos._exit(7)\n")

    assert (version, raised) == ("", "Crash: the process ended with code 7: ")
