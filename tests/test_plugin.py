"""The pytest plugin: verdicts, summary, failures, and how a run ends."""

from __future__ import annotations

import textwrap
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest

from conformance.errors import ExitCode
from tests.conftest import HOLDS, VIOLATED, Checkout
from tests.runs import KNOWN, VERDICTS, lasting, part, summary, verdicts

BREAKS = """
def crash(case, mode):
    raise RuntimeError("a fault of our own")


broken = cases("broken", crash)


@broken.contract("never-judged", "Every number is a number.", cites=[UNDOCUMENTED])
def never_judged(case):
    return Tally(conclusive=1)
"""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_the_junit_report_of_pytest_has_every_item(checkout: Checkout, workers: str) -> None:
    """With the failure in the words of its contract, as the terminal has it."""
    checkout.contracts(HOLDS, VIOLATED)
    checkout.run("--junitxml", "junit.xml", "-n", workers, "--tape-profile", "gate")
    cases = ET.parse("junit.xml").getroot().iter("testcase")  # noqa: S314 - our own file
    found = {case.get("name"): case.findtext("failure") for case in cases}

    assert found.keys() == {"plain[eager]", "large[eager]"}
    assert found["plain[eager]"] is None
    assert str(found["large[eager]"]).startswith("number-small: Every number is below 1000.\n")


def test_the_summary_has_a_line_for_what_does_not_hold_and_the_counts(checkout: Checkout) -> None:
    """Violations have a line each; other verdicts a line for all cells with the same reason."""
    (checkout.path / "conformance" / "deviations.toml").write_text(KNOWN)
    checkout.contracts(HOLDS, VIOLATED, VERDICTS)
    result, record = checkout.recorded("--tape-profile", "gate")

    assert result.ret == ExitCode.VIOLATED
    assert summary(result) == dedent(
        f"""\
        violated  known-bug [even eager]: expected a number below 1000, got 1
        violated  known-bug [even function]: expected a number below 1000, got 1
        violated  known-bug [even xla]: expected a number below 1000, got 1
        violated  number-small [eager]: expected a number below 1000, got 1000
        deviates  known-bug [odd eager, odd function, odd xla]: odd-numbers
        gap       eager-gap [even eager, odd eager]: LookupError: no gradient of 'Number'
        inconclusive cannot-fail [eager]: no check could have failed
        inconclusive seldom-conclusive [eager]: near a kink
        unsupported all contracts [eager]: NotFoundError
        7 contracts, 13 cells: 4 violated, 3 deviates, 2 gap, 2 inconclusive, 1 unsupported, 1 holds
        record: {checkout.record} (complete)
        failures: {checkout.record.with_suffix(".failures")}"""
    )
    assert verdicts(record) == {
        "cannot-fail-eager": "inconclusive",
        "eager-gap-even-eager": "gap",
        "eager-gap-odd-eager": "gap",
        "known-bug-even-eager": "violated",
        "known-bug-even-function": "violated",
        "known-bug-even-xla": "violated",
        "known-bug-odd-eager": "deviates",
        "known-bug-odd-function": "deviates",
        "known-bug-odd-xla": "deviates",
        "never-asked-eager": "unsupported",
        "number-holds-eager": "holds",
        "number-small-eager": "violated",
        "seldom-conclusive-eager": "inconclusive",
    }


def test_a_failure_says_what_broke_and_how_to_see_it_again(checkout: Checkout) -> None:
    """Contract, program, expected and got, why, the commands that replay it, versions."""
    checkout.contracts(VIOLATED)
    result, record = checkout.recorded("--tape-examples", "20")
    file = checkout.record.with_suffix(".failures") / "number-small-eager.py"

    versions = ", ".join(f"{k} {v}" for k, v in record["header"]["versions"].items() if v)
    told = textwrap.wrap(versions, 90, break_on_hyphens=False)
    assert part(result, r"^_+ large\[eager\] _+$", "^=+ ") == dedent(
        f"""\
        number-small: Every number is below 1000.
          in mode eager

        assert 1000 < 1000, "value: 1000"

        expected  a number below 1000
        got       1000
        because   the number was looked at
        alone     violated as recorded, in an interpreter of its own: value: 1000
        replay    python -m conformance replay {file}
        or        pytest "conformance/contracts/test_numbers.py::large[eager]" \
--tape-profile quick --tape-seed 0 --tape-examples 20
        versions  """
    ) + "\n          ".join(told)


def test_the_printed_command_replays_a_failure(checkout: Checkout) -> None:
    """The command of a failure runs its item alone, on the same programs."""
    checkout.contracts(HOLDS, VIOLATED)
    _, record = checkout.recorded()
    (failed,) = [o for o in record["outcomes"] if o["failure"]]
    command = failed["failure"]["replay"].replace('"', "").split()
    checkout.target, *options = command[1:]
    result = checkout.run(*options, "--tape-record", checkout.record)

    assert result.ret == ExitCode.VIOLATED
    assert lasting(checkout.read())["outcomes"] == [{**failed, "seconds": 0}]


def test_two_workers_leave_the_record_of_one_process(checkout: Checkout) -> None:
    """With ``-n 2`` outcomes, digests and header are those of a run without workers."""
    (checkout.path / "conformance" / "deviations.toml").write_text(KNOWN)
    checkout.contracts(HOLDS, VIOLATED, VERDICTS)
    alone, one = checkout.recorded()
    shared, two = checkout.recorded("-n", "2")

    assert lasting(two) == lasting(one)
    assert summary(shared) == summary(alone)
    assert shared.ret == alone.ret == ExitCode.VIOLATED


READS = """
def read(case):
    told = {"symbol": "tf.a", "sentence": "It is.", "hash": "0" * 16, "state": "open", "by": []}
    return [{"note": "sentence", **told}]


reader = Cases(
    "reader",
    lambda subject, mode: st.just(Case(1)),
    lambda case, mode: case,
    Case.source,
    modes=("eager",),
    notes=read,
)


@reader.contract("reads", "It is read.", cites=[UNDOCUMENTED])
def reads(case):
    return Tally(conclusive=1)
"""


def test_what_items_read_is_in_the_record_beside_every_contract(checkout: Checkout) -> None:
    """Also where workers ran them; the controller knows no contract."""
    checkout.contracts(HOLDS, READS)
    _, alone = checkout.recorded()
    _, shared = checkout.recorded("-n", "2")

    assert [contract["id"] for contract in alone["contracts"]] == ["number-holds", "reads"]
    assert [sentence["sentence"] for sentence in alone["documentation"]] == ["It is."]
    assert shared["contracts"] == alone["contracts"]
    assert shared["documentation"] == alone["documentation"]


def test_a_run_in_which_nothing_is_violated_exits_0(checkout: Checkout) -> None:
    """ExitCode.HOLDS."""
    checkout.contracts(HOLDS)
    result = checkout.run()

    assert (result.ret, ExitCode.HOLDS) == (0, 0)
    assert summary(result) == "1 contract, 1 cell: 1 holds"


def test_record_only_exits_0_on_a_violated_but_complete_record(checkout: Checkout) -> None:
    """Only the gate judges an upgrade, so an old failure does not turn one side red."""
    checkout.contracts(VIOLATED)
    result, record = checkout.recorded("--tape-record-only")

    assert result.ret == ExitCode.HOLDS
    assert record["footer"]["complete"]
    assert record["footer"]["counts"]["violated"] == 1


def test_record_only_does_not_exit_0_on_an_incomplete_record(checkout: Checkout) -> None:
    """A run that stops after its first failure has not reached every item."""
    checkout.contracts(VIOLATED, HOLDS)
    result, record = checkout.recorded("--tape-record-only", "-x")

    assert result.ret == ExitCode.VIOLATED
    assert not record["footer"]["complete"]
    assert f"\nrecord: {checkout.record} (INCOMPLETE)\n" in summary(result)


def test_a_fault_of_our_own_exits_3_and_is_no_verdict(checkout: Checkout) -> None:
    """ExitCode.INTERNAL, also with --tape-record-only: an item that broke off judged nothing."""
    checkout.contracts(HOLDS, BREAKS)
    result, record = checkout.recorded("--tape-record-only")

    assert (result.ret, ExitCode.INTERNAL) == (3, 3)
    assert not record["footer"]["complete"]
    assert verdicts(record) == {"number-holds-eager": "holds"}
    assert summary(result) == (
        "1 contract, 1 cell: 1 holds\n"
        "1 item broke off: see the errors above\n"
        f"record: {checkout.record} (INCOMPLETE)"
    )
    result.stdout.fnmatch_lines(["E   *RuntimeError: a fault of our own"])


def test_a_run_of_nothing_exits_5_and_leaves_a_record_alone(checkout: Checkout) -> None:
    """ExitCode.NOTHING_RAN; the record of an earlier run stays."""
    checkout.contracts(HOLDS)
    checkout.record.parent.mkdir()
    checkout.record.write_text("an earlier record")
    result = checkout.run("-k", "no-such-contract", "--tape-record", checkout.record)

    assert (result.ret, ExitCode.NOTHING_RAN) == (5, 5)
    assert checkout.record.read_text() == "an earlier record"


def test_the_exit_codes_of_pytest_keep_their_meaning() -> None:
    """Ours begin where pytest's end, in whatever version is installed."""
    theirs = {code.value for code in pytest.ExitCode}

    assert theirs <= set(ExitCode) - {ExitCode.NO_TENSORFLOW}
