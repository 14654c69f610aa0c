"""The gate as it is used: two records, one answer, and what becomes of bad input."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import ExitCode
from conformance.gate import command, making
from conformance.gate.kinds import FAIL_ON, KINDS
from tests.conftest import ROOT
from tests.gates import Gate, compared, side
from tests.records import DIGEST, data, outcome, write

# -- the answer ------------------------------------------------------------------------------------

REGRESSED = """\
regressed: a-promise: Something is so.
  about tf.math.sin eager

import tensorflow as tf

print(tf.constant(1.0))

expected  1.0 for x0
got       2.0
because   central differences
replay    pytest "x.py::graph[tf.math.sin-eager]" --tape-profile gate --tape-seed 0
versions  TensorFlow 2.21.0; not 2.20.0

=================================== TensorFlow 2.20.0 to 2.21.0 ====================================
programs        the same for 2 items
also different  keras 2.15.0 to 3.15.1, processor feature fma on the baseline only
documentation   no sentence changed
gradients       the same are verified
cells           1 unchanged
FAILS: TensorFlow 2.20.0 to 2.21.0: 1 regressed
"""


def test_a_regression_fails_the_gate_and_is_shown_with_its_program(gate: Gate) -> None:
    """Contract, program, expected and got, why, replay, versions; then the summary and verdict."""
    before = data(outcome(), outcome(mode="function"))
    before["header"]["versions"]["keras"] = "2.15.0"
    after = side(outcome("violated"), outcome(mode="function"))
    after["header"]["versions"]["keras"] = "3.15.1"
    after["header"]["machine"] = {**after["header"]["machine"], "extensions": ["avx2"]}

    assert gate.run(before, after) == (ExitCode.VIOLATED, REGRESSED)


def test_nothing_that_held_is_broken_passes(gate: Gate) -> None:
    """Old failures, on both sides or on the baseline alone, do not turn a gate red."""
    before = data(outcome("violated"), outcome("deviates", mode="function"))
    after = side(outcome("violated"), outcome(mode="function"))
    code, text = gate.run(before, after)

    assert code == ExitCode.HOLDS
    assert text.splitlines()[-2:] == [
        "cells           1 still failing, 1 fixed, 0 unchanged",
        "PASSES: TensorFlow 2.20.0 to 2.21.0: none of: "
        + ", ".join(KINDS[kind].title for kind in FAIL_ON),
    ]


def test_a_known_deviation_that_is_new_is_a_regression_and_says_what_is_known(gate: Gate) -> None:
    """With its reason, its link and its witness; several contracts are one finding."""
    cells = [{"contract": "a-promise"}, {"contract": "b-promise", "mode": "function"}]
    before = data(*(outcome(**cell) for cell in cells))
    after = side(*(outcome("deviates", **cell) for cell in cells))
    after["deviations"][0]["link"] = "https://example.org/1"
    code, text = gate.run(before, after)

    assert code == ExitCode.VIOLATED
    assert text.startswith(
        "regressed: known deviation cumprod-zero: a-promise, b-promise\n"
        "  about tf.math.sin eager, tf.math.sin function\n"
        "\n"
        "print(1)\n"
        "\n"
        "because   it divides by zero\n"
        "reported  https://example.org/1\n"
        'replay    pytest "x.py::graph[tf.math.sin-eager]" --tape-profile gate --tape-seed 0\n'
        "versions  TensorFlow 2.21.0; not 2.20.0\n"
    )
    assert text.count("regressed: ") == 1


def test_a_bisected_regression_says_in_which_version_it_is_first(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between 2.8 and 2.21 tox is asked; what holds is not."""
    asked: list[str] = []

    def tox(env: str, arguments: list[str], *_: Any, **__: Any) -> int:
        asked.append(env)
        verdict = "violated" if making.releases().index((env, releases[env])) > 8 else "holds"
        write(
            Path(arguments[arguments.index("--tape-record") + 1]),
            data(outcome(verdict), version=releases[env]),
        )
        return 0

    releases = dict(making.releases())
    monkeypatch.setattr(making, "tox_pytest", tox)
    _, text = gate.run(data(outcome(), version="2.8.4"), side(outcome("violated")), "--bisect")
    count = len(asked)
    gate.run(data(outcome(), version="2.8.4"), side(outcome()), "--bisect")

    assert "first in  2.17.1\n" in text
    assert len(asked) == count <= 4


@pytest.mark.parametrize(
    ("kind", "was", "is_"),
    [
        ("crashed", "holds", "crashed"),
        ("became-inconclusive", "holds", "inconclusive"),
        ("support-lost", "holds", "unsupported"),
    ],
)
def test_the_gate_fails_on_each_kind_that_takes_something_away(
    gate: Gate, kind: str, was: str, is_: str
) -> None:
    """By default; the verdict names it."""
    code, text = gate.run(data(outcome(was)), side(outcome(is_)))

    assert code == ExitCode.VIOLATED
    assert text.splitlines()[-1].endswith(f": 1 {KINDS[kind].title}")


def test_a_crash_is_one_finding_and_faults_of_two_ops_are_two(gate: Gate) -> None:
    """One process dies of one program; what two ops do is shown by two."""
    crashed = [{"contract": f"promise-{i}", "mode": "xla"} for i in range(3)]
    wrong = [{"subject": "tf.math.cos"}, {"subject": "tf.math.sin"}]
    before = data(*(outcome(**cell) for cell in [*crashed, *wrong]))
    after = side(
        *(outcome("crashed", **cell) for cell in crashed),
        *(outcome("violated", **cell) for cell in wrong),
    )
    _, text = gate.run(before, after)

    assert [line for line in text.splitlines() if line.startswith(("regressed", "crashed"))] == [
        "regressed: a-promise: Something is so.",
        "regressed: a-promise: Something is so.",
        "crashed: promise-0 and 2 more",
    ]


def test_what_fails_the_gate_can_be_chosen(gate: Gate) -> None:
    """Nothing at all, or what does not by default; words may be joined by commas."""
    before, after = data(outcome()), side(outcome("violated"))
    nothing, _ = gate.run(before, after, "--fail-on", "nothing")
    others, _ = gate.run(before, after, "--fail-on", "crashed,gap-opened")
    removed, text = gate.run(before, side(), "--fail-on", "removed", "--fail-on", "added")

    assert (nothing, others, removed) == (ExitCode.HOLDS, ExitCode.HOLDS, ExitCode.VIOLATED)
    assert text.splitlines()[-1] == "FAILS: TensorFlow 2.20.0 to 2.21.0: 1 removed"


def test_a_step_back_is_allowed_with_a_note(gate: Gate) -> None:
    """The baseline may be newer; 2.9 is older than 2.10; the same version is noted too."""
    back = compared(data(version="2.10.1"), data(version="2.9.3"))
    same = compared(data(), data(outcome()))
    itself = compared(data(), data())

    assert back.notes == ["the baseline 2.10.1 is newer than the candidate 2.9.3: a step back"]
    assert same.notes == ["both sides are TensorFlow 2.20.0: what differs is not TensorFlow"]
    assert itself.notes == ["both records are the same run"]
    assert gate.run(data(version="2.21.0"), data(version="2.9.3"))[0] == ExitCode.HOLDS


# -- bad input -------------------------------------------------------------------------------------


def test_a_wrong_word_is_refused_with_the_nearest(gate: Gate) -> None:
    """Kinds and objections that do not exist."""
    code, text = gate.run(data(), side(), "--fail-on", "regresed")
    allow, _ = gate.run(data(), side(), "--allow", "everything")

    assert (code, allow) == (ExitCode.USAGE, ExitCode.USAGE)
    assert text == (
        "error: --fail-on 'regresed'\n"
        f"  expected: one of {', '.join(KINDS)}, nothing\n"
        "  hint: did you mean 'regressed'?\n"
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--tape-profile", "quick"], "--tape-profile without --make"),
        (["--tape-shard", "1/3"], "--tape-shard without --make"),
        (["--tape-deviations", "ours.toml"], "--tape-deviations without --make"),
        (["--make", "--tape-shard", "4/3"], "there is no part '4/3'"),
        (["--make", "--tape-deviations", "no/such.toml"], "there is no file no/such.toml"),
    ],
)
def test_what_is_asked_in_vain_is_refused(gate: Gate, given: list[str], says: str) -> None:
    """Records that are there have been asked already; what is wrong is said before any is made."""
    code, text = gate.run(data(), side(), *given)

    assert code == ExitCode.USAGE
    assert text.startswith(f"error: {says}\n")


def test_wrong_arguments_end_with_the_code_for_usage(gate: Gate) -> None:
    """Not with argparse's, which is pytest's for an interrupted run."""
    code, text = gate.command("2.20")

    assert code == ExitCode.USAGE
    what = "error: the following arguments are required: CANDIDATE\n"
    assert text.startswith(f"{what}  expected: python -m conformance gate ")
    assert text.endswith("\n  hint: python -m conformance gate --help\n")


def test_a_record_that_cannot_be_read_has_its_own_code(gate: Gate) -> None:
    """As has a version that nobody has."""
    assert gate.run(data(), "{}")[0] == ExitCode.UNREADABLE
    assert gate.command("2.20", "2.99")[0] == ExitCode.USAGE


def test_a_record_that_cannot_be_made_has_its_own_code(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version's run broke off; so has a gate that the user interrupts."""
    monkeypatch.setattr(making, "tox", lambda *_: 3)
    code, text = gate.command("2.8", "2.9", "--make")

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "tox", interrupted)

    assert code == ExitCode.UNMADE
    assert "error: the record of tf2.8 could not be made: its run ended with code 3\n" in text
    assert gate.command("2.8", "2.9", "--make")[0] == ExitCode.INTERRUPTED


def test_a_report_that_cannot_be_written_is_refused(gate: Gate) -> None:
    """After the comparison was printed."""
    code, text = gate.run(data(), side(), "--json", str(gate.folder))

    assert code == ExitCode.USAGE
    assert f"error: the report cannot be written to {gate.folder}: Is a directory\n" in text


# -- how well --------------------------------------------------------------------------------------


def test_two_large_records_are_compared_within_two_seconds(gate: Gate) -> None:
    """Sixteen thousand cells on each side, as many as the profile gate has."""
    cells = [
        outcome(contract=f"promise-{i}", subject=f"tf.op{j}", fates="h" * 50, digest=DIGEST)
        for i in range(20)
        for j in range(800)
    ]
    before, after = data(*cells), side(*cells)
    write(gate.folder / "tf2.20.json", before)
    write(gate.folder / "tf2.21.json", after)
    started = time.process_time()
    code, _ = gate.command("2.20", "2.21")

    assert code == ExitCode.HOLDS
    assert time.process_time() - started < 2


def test_the_gate_needs_nothing_but_python(tmp_path: Path) -> None:
    """Neither TensorFlow nor any package: it runs where nothing is installed."""
    for name, made in (("a", data(outcome())), ("b", side(outcome("violated")))):
        write(tmp_path / f"{name}.json", made)
    command_line = [sys.executable, "-I", "-S", "-c", BARE, str(ROOT)]
    files = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    run = subprocess.run([*command_line, *files], capture_output=True, text=True, check=False)

    assert run.stderr == ""
    assert run.returncode == ExitCode.VIOLATED
    assert run.stdout.endswith("FAILS: TensorFlow 2.20.0 to 2.21.0: 1 regressed\n")


BARE = """
import sys
sys.path.append(sys.argv[1])
from conformance.__main__ import main
sys.exit(main(["gate", *sys.argv[2:]]))
"""


def test_the_help_names_every_kind(gate: Gate) -> None:
    """And what the gate fails on by default."""
    code, text = gate.command("--help")

    assert code == ExitCode.HOLDS
    assert ",".join(FAIL_ON) in "".join(text.split())  # argparse breaks lines at hyphens
    assert command.RESULTS in text
