"""The pytest plugin: options, header, verdicts, summary, failures, and how a run ends."""

from __future__ import annotations

import platform
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from conformance import environment
from conformance.errors import ExitCode
from tests.conftest import HOLDS, VIOLATED, Checkout

VERDICTS = """
several = cases("several", subjects=("even", "odd"), modes=("eager", "function", "xla"))
fickle = cases("fickle")


@several.contract("known-bug", "A number is even.", cites=[UNDOCUMENTED])
def known_bug(case):
    if case.number % 2:
        raise violation(case, "parity")
    return Tally(conclusive=1)


@several.contract("eager-gap", "A number has a gradient.", cites=[UNDOCUMENTED], modes=["eager"])
def eager_gap(case):
    return Tally(gaps={"LookupError: no gradient defined for operation 'Number'": 1})


@fickle.contract("seldom-conclusive", "Some numbers say something.", cites=[UNDOCUMENTED])
def seldom_conclusive(case):
    if case.number % 4:
        return Tally(inconclusive={"near a kink": 1})
    return Tally(conclusive=1)


@fickle.contract("cannot-fail", "A number of no elements is anything.", cites=[UNDOCUMENTED])
def cannot_fail(case):
    return Tally(trivial=1)


@fickle.contract("of-the-future", "Numbers are dreams.", cites=[UNDOCUMENTED], since=(99, 0))
def of_the_future(case):
    raise violation(case)


def no_kernel(case, mode):
    raise Unsupported("NotFoundError")


refused = cases("refused", no_kernel)


@refused.contract("never-asked", "Every number runs.", cites=[UNDOCUMENTED])
def never_asked(case):
    return Tally(conclusive=1)
"""

KNOWN = """
[[deviation]]
id = "odd-numbers"
contracts = ["known-bug"]
ops = ["odd"]
modes = []
versions = "2.8-"
kind = "parity"
got = "^[0-9]+$"
witness = "print(1)"
reason = "numbers may be odd"
link = ""
"""

TWO_MODES = """
both = cases("both", subjects=("one", "two"), modes=("eager", "function"))


@both.contract("both-hold", "Every number is a number.", cites=[UNDOCUMENTED])
def both_hold(case):
    return Tally(conclusive=1)
"""

BREAKS = """
def crash(case, mode):
    raise RuntimeError("a fault of our own")


broken = cases("broken", crash)


@broken.contract("never-judged", "Every number is a number.", cites=[UNDOCUMENTED])
def never_judged(case):
    return Tally(conclusive=1)
"""

STUCK = """
import pathlib
import time


def wait(case, mode):
    pathlib.Path("stuck").touch()
    time.sleep(60)


stuck = cases("stuck", wait)


@stuck.contract("never-judged", "Every number is a number.", cites=[UNDOCUMENTED])
def never_judged(case):
    return Tally(conclusive=1)
"""

UNCITED = """
plain = cases("plain")


@plain.contract("number-uncited", "Every number is a number.", cites=[])
def number_uncited(case):
    return Tally()
"""


def part(result: pytest.RunResult, start: str, end: str) -> str:
    """The lines of a run's output between two lines that match, without them."""
    lines = result.outlines
    first = next(i for i, line in enumerate(lines) if re.search(start, line))
    last = next(i for i, line in enumerate(lines) if i > first and re.search(end, line))
    return "\n".join(lines[first + 1 : last])


def summary(result: pytest.RunResult) -> str:
    """What is printed last, but for pytest's own lines."""
    return part(result, r"^=+ tapemeasure =+$", r"^=+ ")


def verdicts(record: dict[str, Any]) -> dict[str, str]:
    """The verdict of each cell of a record."""
    return {
        "-".join(filter(None, (o["contract"], o["subject"], o["mode"]))): o["verdict"]
        for o in record["outcomes"]
    }


def lasting(record: dict[str, Any]) -> dict[str, Any]:
    """What is the same of a record in every run: all but times."""
    outcomes = [{**outcome, "seconds": 0} for outcome in record["outcomes"]]
    header = {**record["header"], "started": ""}
    return {"header": header, "outcomes": outcomes, "counts": record["footer"]["counts"]}


def error(result: pytest.RunResult) -> str:
    """The one error on a run's error output, which prints nothing beside it."""
    assert not result.outlines or "error" not in result.stdout.str().lower()
    return "\n".join(result.errlines)


# -- options and header ----------------------------------------------------------------------------


def test_help_says_what_every_option_does_and_its_default(checkout: Checkout) -> None:
    """``--help`` names six options; modes, profiles and defaults are the ones that are used."""
    result = checkout.run("--help")

    assert " ".join(part(result, "^conformance of", "^$|^[^ ]").split()) == (
        "--tape-mode=MODE run only this mode, repeatable: eager, function, outer, xla, dynamic "
        "(default: all) "
        "--tape-profile=PROFILE how much to try: quick, gate, explore (default: quick) "
        "--tape-record=FILE write the record of the run to FILE "
        "--tape-record-only exit 0 if the record is complete, whatever it says; "
        "needs --tape-record "
        "--tape-examples=N cases of an item, instead of the profile's "
        "--tape-seed=N the base of all seeds (default: 0; random in the profile explore)"
    )


def test_the_defaults_are_quick_every_mode_and_seed_zero(checkout: Checkout) -> None:
    """Without options a run takes the quick profile, all modes, seed 0 and its own numbers."""
    checkout.contracts(HOLDS)
    _, record = checkout.recorded()

    header = record["header"]
    assert {key: header[key] for key in ("profile", "modes", "seed", "examples")} == {
        "profile": "quick",
        "modes": ["eager", "function", "outer", "xla", "dynamic"],
        "seed": 0,
        "examples": None,
    }
    assert [outcome["examples"] for outcome in record["outcomes"]] == [12]


def test_options_decide_what_runs_and_the_header_says_so(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modes, profile, cases and seed are those asked for, in the terminal and in the record."""
    for name in environment.variables():
        monkeypatch.delenv(name)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("TF_VAR_password", "Terraform's, and secret")
    checkout.contracts(TWO_MODES)
    options = "--tape-mode function --tape-profile gate --tape-examples 3 --tape-seed 7"
    result, record = checkout.recorded(*options.split())

    lines = part(result, "^platform", "^rootdir").splitlines()
    versions = record["header"]["versions"]
    named = [f"{name} {number}" for name, number in versions.items() if number]
    assert lines == [
        f"tapemeasure 0.1.0: {', '.join(named)}",
        "profile gate, seed 7, modes function, 3 cases an item",
        "environment TF_ENABLE_ONEDNN_OPTS=0",
    ]
    assert (versions["python"], versions["tensorflow"], versions["pytest"]) == (
        platform.python_version(),
        "2.21.0",
        pytest.__version__,
    )
    assert record["header"]["environment"] == {"TF_ENABLE_ONEDNN_OPTS": "0"}
    assert record["header"]["used"] == {
        "tensorflow": "2.21.0",
        "git": "v2.21.0-0-gfake",
        "devices": ["CPU"],
    }
    assert [(o["subject"], o["mode"], o["examples"]) for o in record["outcomes"]] == [
        ("one", "function", 3),
        ("two", "function", 3),
    ]


def test_explore_prints_the_random_seed_that_it_used(checkout: Checkout) -> None:
    """The seed of an explore run differs from run to run and can be given to the next one."""
    checkout.contracts(HOLDS)
    result, record = checkout.recorded("--tape-profile", "explore", "--tape-examples", "5")
    seed = record["header"]["seed"]
    result.stdout.fnmatch_lines([f"profile explore, seed {seed}, *"])
    options = ("--tape-profile", "explore", "--tape-examples", "5", "--tape-seed", str(seed))
    _, again = checkout.recorded(*options)

    assert seed != 0
    assert lasting(again) == lasting(record)


def test_a_contract_id_selects_its_items(checkout: Checkout) -> None:
    """``-k`` with a contract's id runs the items that judge it, in its own modes."""
    checkout.contracts(HOLDS, VERDICTS)
    result = checkout.run("-k", "eager-gap", "--collect-only", "-q", "--tape-profile", "gate")

    assert result.outlines[:2] == [
        "conformance/contracts/test_numbers.py::several[even-eager]",
        "conformance/contracts/test_numbers.py::several[odd-eager]",
    ]
    result.stdout.fnmatch_lines(["2/9 tests collected (7 deselected) in *"])


def test_collecting_only_leaves_a_record_alone(checkout: Checkout) -> None:
    """``--collect-only`` runs nothing, so it writes no record."""
    checkout.contracts(HOLDS)
    result = checkout.run("--collect-only", "--tape-record", checkout.record)

    assert result.ret == ExitCode.HOLDS
    assert not checkout.record.exists()


# -- verdicts, summary, failures -------------------------------------------------------------------


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
        deviates  known-bug in 3 cells: odd-numbers
        gap       eager-gap in 2 cells: LookupError: no gradient defined for operation 'Number'
        inconclusive cannot-fail in 1 cell: no check could have failed
        inconclusive seldom-conclusive in 1 cell: near a kink
        unsupported never-asked in 1 cell: NotFoundError
        7 contracts, 13 cells: 4 violated, 3 deviates, 2 gap, 2 inconclusive, 1 unsupported, 1 holds
        record: {checkout.record} (complete)"""
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
    """Contract, program, expected and got, why, the command that replays it, versions."""
    checkout.contracts(VIOLATED)
    result, record = checkout.recorded("--tape-examples", "20")

    versions = record["header"]["versions"]
    assert part(result, r"^_+ large\[eager\] _+$", "^=+ ") == dedent(
        f"""\
        number-small: Every number is below 1000.
          about in mode eager

        print(1000)

        expected  a number below 1000
        got       1000
        because   the number was looked at
        replay    pytest "conformance/contracts/test_numbers.py::large[eager]" \
--tape-profile quick --tape-seed 0 --tape-examples 20
        versions  {", ".join(f"{k} {v}" for k, v in versions.items() if v)}"""
    )


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


# -- how a run ends --------------------------------------------------------------------------------


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
    assert summary(result).endswith(f"record: {checkout.record} (INCOMPLETE)")


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


def stopped(checkout: Checkout, by: signal.Signals) -> int:
    """Start a run that gets stuck in its second item, and send it a signal."""
    checkout.contracts(HOLDS, STUCK)
    record = str(checkout.record)
    options = ["-n", "0", "--tape-record", record]
    command = [sys.executable, "-m", "pytest", "conformance", *options]
    # a shell's job in the background ignores SIGINT, and so would this process
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    ) as process:
        deadline = time.monotonic() + 60
        while not (checkout.path / "stuck").exists():
            assert time.monotonic() < deadline, "the run never came to its second item"
            time.sleep(0.02)
        process.send_signal(by)
        return process.wait(60)


def test_ctrl_c_exits_2_and_leaves_an_incomplete_record(checkout: Checkout) -> None:
    """ExitCode.INTERRUPTED; what was finished before is in the record."""
    code = stopped(checkout, signal.SIGINT)

    assert (code, ExitCode.INTERRUPTED) == (2, 2)
    assert verdicts(checkout.read()) == {"number-holds-eager": "holds"}
    assert checkout.read()["footer"]["complete"] is False


def test_a_killed_run_leaves_an_incomplete_record(checkout: Checkout) -> None:
    """``kill -9`` leaves the record as it was last written, whole, and no other file."""
    stopped(checkout, signal.SIGKILL)

    assert checkout.read()["footer"]["complete"] is False
    assert [path.name for path in checkout.record.parent.iterdir()] == ["mine.json"]


# -- bad input -------------------------------------------------------------------------------------

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


TOO_OLD = """\
TensorFlow 2.7.4 is too old
  expected: TensorFlow 2.8 or newer
  hint: pip install --upgrade tensorflow-cpu, or let tox install one: tox run -e tf2.21"""


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

    assert TOO_OLD in result.stdout.str()
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


def test_the_plugin_asks_nothing_of_other_tests(checkout: Checkout) -> None:
    """Tests that hold no contracts run without TensorFlow, header or summary."""
    checkout.tensorflow(None)
    Path("test_other.py").write_text("def test_nothing(): pass\n", encoding="ascii")
    checkout.target = "test_other.py"
    result = checkout.run()

    assert result.ret == ExitCode.HOLDS
    assert "tape" not in "\n".join(result.outlines)


def test_the_exit_codes_of_pytest_keep_their_meaning() -> None:
    """Ours begin where pytest's end, in whatever version is installed."""
    theirs = {code.value for code in pytest.ExitCode}

    assert theirs <= set(ExitCode) - {ExitCode.NO_TENSORFLOW}
