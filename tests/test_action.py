"""The action of a GitHub workflow: its script is the gate's command line, and obeys no input."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from conformance.__main__ import main
from conformance.gate.kinds import FAIL_ON
from tests.conftest import ROOT

ACTION = (ROOT / "action.yml").read_text("utf-8")
SCRIPT = ACTION.rpartition("run: |\n")[2].replace("\n        ", "\n").removeprefix("        ")

TOX = """\
#!/usr/bin/env bash
mkdir results
printf '%s\\n' "$TAPEMEASURE_TF" "$@" > told
while [[ $# -gt 0 ]]; do
  if [[ $1 == --markdown ]]; then echo '# page' > "$2"; fi
  if [[ $1 == --json ]]; then echo '{"candidate": {"path": "results/a.json"}}' > "$2"; fi
  shift
done
exit 1
"""


@pytest.mark.parametrize("evil", ["", "$(touch owned)", "`touch owned`; touch owned"])
def test_the_script_runs_the_gate_and_ends_as_it_does(tmp_path: Path, evil: str) -> None:
    """Paths are the workflow's, the page is in the summary, and an input is never a command."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "tf.whl").touch()
    (tmp_path / "work" / "ours.toml").touch()
    (tmp_path / "tox").write_text(TOX)
    (tmp_path / "tox").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "BASELINE": f"2.20{evil}",
        "CANDIDATE": "tf",
        "DEVIATIONS": "ours.toml",
        "FAIL_ON": "regressed",
        "PROFILE": "quick",
        "SHARD": "1/3",
        "TAPEMEASURE_TF": "tf.whl",
        "GITHUB_WORKSPACE": str(tmp_path / "work"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "RUNNER_TEMP": str(tmp_path),
    }
    command = ["bash", "-e", "-o", "pipefail", "-c", SCRIPT]
    run = subprocess.run(command, cwd=tmp_path, env=environment, check=False)

    assert run.returncode == 1
    assert (tmp_path / "told").read_text().splitlines() == [
        str(tmp_path / "work" / "tf.whl"),
        *("run", "-e", "gate", "--", f"2.20{evil}", "tf"),
        *("--tape-profile", "quick", "--fail-on", "regressed", "--tape-shard", "1/3"),
        *("--tape-deviations", str(tmp_path / "work" / "ours.toml")),
        *("--markdown", str(tmp_path / "gate.md"), "--json", str(tmp_path / "gate.json")),
    ]
    assert (tmp_path / "summary").read_text() == "# page\n"
    assert (tmp_path / "output").read_text().splitlines() == [
        f"report={tmp_path / 'gate.json'}",
        f"record={tmp_path / 'results' / 'a.json'}",
        "verdict=fails",
    ]
    assert not (tmp_path / "owned").exists()


def test_the_script_names_no_input_and_only_options_that_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What it fails on by default is what the gate does."""
    with pytest.raises(SystemExit):
        main(["gate", "--help"])
    known = capsys.readouterr().out

    assert "${{" not in SCRIPT
    assert set(re.findall(r"(?<=\s)--[a-z-]+", SCRIPT)) <= set(re.findall(r"--[a-z-]+", known))
    assert f"default: {','.join(FAIL_ON)}\n" in ACTION
