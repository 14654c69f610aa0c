"""What TensorFlow registers is verified, or the record says why nothing can reach it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GOAL = 320
"""Gradient functions that are verified, at the least, on every version."""


@pytest.mark.kill
def test_every_gradient_function_is_reached_or_out_of_reach(tmp_path: Path) -> None:
    """By the graphs of all ops, eagerly and in functions, as the gate draws them."""
    record = tmp_path / "record.json"
    run = [sys.executable, "-m", "pytest", "conformance", "-q", "-p", "no:cacheprovider", "-n", "2"]
    run += ["--tape-profile", "gate", "--tape-mode", "eager", "--tape-mode", "function"]
    run += ["-k", "graph[tf.", "--tape-record", str(record), "--tape-record-only"]

    plain = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}  # no worker's own

    ended = subprocess.run(run, cwd=ROOT, env=plain, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout[-2000:]
    functions = json.loads(record.read_text("utf-8"))["gradients"]
    unreached = [one for one in functions if one["state"] == "unreached"]
    assert [one["name"] for one in unreached if not one["out_of_reach"]] == []
    assert sum(one["state"] == "verified" for one in functions) >= GOAL
