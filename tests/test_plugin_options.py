"""The pytest plugin: its options, what they select, and the header that says so."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from conformance import environment
from conformance.errors import ExitCode
from tests.conftest import HOLDS, Checkout
from tests.runs import VERDICTS, lasting, part

TWO_MODES = """
both = cases("both", subjects=("one", "two"), modes=("eager", "function"))


@both.contract("both-hold", "Every number is a number.", cites=[UNDOCUMENTED])
def both_hold(case):
    return Tally(conclusive=1)
"""


def test_help_says_what_every_option_does_and_its_default(checkout: Checkout) -> None:
    """``--help`` names all options; modes, profiles and defaults are the ones that are used."""
    result = checkout.run("--help")

    assert " ".join(part(result, "^conformance of", "^$|^[^ ]").split()) == (
        "--tape-mode=MODE run only this mode, repeatable: eager, function, outer, xla, dynamic "
        "(default: all) "
        "--tape-profile=PROFILE how much to try: quick, gate, explore (default: quick) "
        "--tape-record=FILE write the record of the run to FILE "
        "--tape-record-only exit 0 if the record is complete, whatever it says; "
        "needs --tape-record "
        "--tape-examples=N cases of an item, instead of the profile's "
        "--tape-seed=N the base of all seeds (default: 0; random in the profile explore) "
        "--tape-deviations=FILE known deviations of your own, beside "
        "conformance/deviations.toml; repeatable "
        "--tape-shard=I/N run only the part I of N; see python -m conformance merge "
        "--tape-balance=FILE an earlier record, by whose seconds the parts of --tape-shard are "
        "made equal"
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


def test_the_plugin_asks_nothing_of_other_tests(checkout: Checkout) -> None:
    """Tests that hold no contracts run without TensorFlow, header or summary."""
    checkout.tensorflow(None)
    Path("test_other.py").write_text("def test_nothing(): pass\n", encoding="ascii")
    checkout.target = "test_other.py"
    result = checkout.run()

    assert result.ret == ExitCode.HOLDS
    assert "tape" not in "\n".join(result.outlines)


def test_a_family_runs_where_it_goes_by_its_name(checkout: Checkout) -> None:
    """A module that imports it under another name, to look at it, runs nothing of it."""
    checkout.contracts(HOLDS, "another = plain\n")
    result = checkout.run("--collect-only", "-q")

    assert result.outlines[0] == "conformance/contracts/test_numbers.py::plain[eager]"
    result.stdout.fnmatch_lines(["1 test collected in *"])
