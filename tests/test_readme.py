"""The README is a promise: its tables, defaults and commands are those of the code."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import replay
from conformance.contract import CATALOGUE
from conformance.contracts import test_contracts as contracts
from conformance.deviations import load
from conformance.errors import ExitCode
from conformance.gate.kinds import KINDS
from conformance.modes import MODES
from conformance.own_deviations import verdict, witnessed
from conformance.profiles import DEFAULT, PROFILES
from conformance.record import VERDICTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head, backticks stripped."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def indented_commands() -> list[str]:
    """The lines that the README sets apart as commands."""
    section = README.split("\n## Two commands\n")[1].split("\n## ")[0]
    return [line.strip() for line in section.splitlines() if line.startswith("    ")]


def block(start: str) -> str:
    """The lines set apart that begin with this one, without their indentation."""
    lines = README[README.index(f"    {start}\n") :].splitlines()
    end = next(i for i, line in enumerate(lines) if line and not line.startswith("    "))
    return "\n".join(line[4:] for line in lines[:end]) + "\n"


def environments() -> set[str]:
    """The environments that tox.ini knows, by tox's own expansion of factor ranges."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "tox.ini")
    found = {
        section.split(":")[1] for section in config.sections() if section.startswith("testenv:")
    }
    for name in re.findall(r"^ *([a-z0-9.{}\-]+):", config["testenv"]["description"], re.MULTILINE):
        ranged = re.fullmatch(r"(.*)\{(\d+)-(\d+)\}", name)
        if ranged:
            first, last = int(ranged[2]), int(ranged[3])
            found |= {f"{ranged[1]}{minor}" for minor in range(first, last + 1)}
        else:
            found.add(name)
    return found


def test_the_table_of_verdicts_is_that_of_records() -> None:
    """Every verdict that a record may hold is explained, and no other."""
    stated = [row[0] for row in table("Reading the outcome")]

    assert sorted(stated) == sorted(VERDICTS)


def test_the_table_of_endings_is_that_of_replays() -> None:
    """Every word that a replay has for an ending is explained, and no other."""
    stated = [row[0] for row in table("A failure, and what has become of it")]

    assert sorted(stated) == sorted(replay.VERDICTS)


def test_the_table_of_modes_is_that_of_the_code() -> None:
    """Every mode is explained in the words of the code."""
    stated = table("Modes")

    assert stated == [[mode.name, mode.sentence] for mode in MODES.values()]


def test_the_table_of_exit_codes_is_that_of_the_code() -> None:
    """Every exit code is named with its number."""
    stated = [(int(row[0]), row[1]) for row in table("Exit codes")]

    assert stated == [(code.value, code.name) for code in ExitCode]


def test_the_table_of_changes_is_that_of_the_gate() -> None:
    """Every kind with its meaning, and whether the gate fails on it, the worst first."""
    stated = table("The gate")

    assert stated == [[k.id, k.sentence, "yes" if k.fails else ""] for k in KINDS.values()]


def test_the_table_of_options_is_what_pytest_prints() -> None:
    """Every option that ``pytest --help`` lists stands in the README, and no other."""
    stated = {row[0].split()[0] for row in table("Options")}
    command = [sys.executable, "-m", "pytest", "--help"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert set(re.findall(r"--tape-[a-z-]+(?=[ =\n])", printed)) >= stated
    assert set(re.findall(r"^  (--tape-[a-z-]+)", printed, re.MULTILINE)) == stated


def test_the_default_profile_and_the_profiles_are_those_of_the_code() -> None:
    """The options table names the default profile and all profiles."""
    row = next(row for row in table("Options") if row[0].startswith("--tape-profile"))

    assert row[1] == DEFAULT
    assert row[2] == f"how much to try: {', '.join(PROFILES)}"


@pytest.mark.parametrize("name", sorted(set(re.findall(r"tox run -e (\S+?)[`\s]", README))))
def test_an_environment_that_the_readme_names_exists(name: str) -> None:
    """Every ``tox run -e`` of the README names an environment of tox.ini."""
    assert name in environments()


def test_the_two_commands_are_the_ones_that_ci_runs() -> None:
    """The two commands install tox and run an environment; CI runs the same two."""
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    parts = re.search(r"^for part in (.*?);", ci, re.MULTILINE)

    assert indented_commands() == [
        "pip install tox && tox run -e tf2.21",
        "pip install tox && tox run -e tests",
    ]
    assert "pip install" in ci
    assert parts is not None
    assert {"tests", "tf2.21"} <= set(parts[1].split())


def test_the_pinned_hypothesis_is_the_one_of_the_project() -> None:
    """The command for an installed TensorFlow installs what pyproject.toml pins."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    pinned = re.findall(r"hypothesis==[\d.]+", README)

    assert pinned
    assert all(f'"{pin}"' in project for pin in pinned)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:conformance|strategies)/[\w/.]+)`", README)))
)
def test_a_file_that_the_readme_names_exists(path: str) -> None:
    """Every path in the README is there."""
    assert (ROOT / path).is_file()


def test_the_workflow_for_gatekeepers_gives_the_action_what_it_takes() -> None:
    """Each input and output that is named exists; the actions are pinned as ours are."""
    action = (ROOT / "action.yml").read_text("utf-8")
    shown = block("on:")
    given = re.findall(
        r"^          (?:  )?([a-z-]+): ", shown.partition("with:\n")[2], re.MULTILINE
    )
    pinned = re.findall(r"uses: (actions/.*)", shown)
    ours = "".join(path.read_text("utf-8") for path in (ROOT / ".github/workflows").iterdir())

    assert {"baseline", "candidate", "deviations"} <= set(given)
    for name in ("baseline", "candidate", "deviations", "tensorflow", "shard", "verdict", "record"):
        assert f"\n  {name}:\n" in action
    assert pinned
    assert all(pin in ours for pin in pinned)


def test_the_deviation_for_gatekeepers_is_one(tmp_path: Path) -> None:
    """It is taken in as it stands; its witness fails where it says so."""
    path = tmp_path / "ours.toml"
    path.write_text(block("[[deviation]]"), encoding="utf-8")
    assert contracts.CHAPTERS  # who imports them has the catalogue filled
    (ours,) = load(path, CATALOGUE, [], own=True)

    version, raised = witnessed(ours.witness)
    assert verdict(ours, version, raised) == ""
    assert raised
