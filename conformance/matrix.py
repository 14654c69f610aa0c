"""``python -m conformance matrix``: the versions that can be measured, and the records at hand."""

from __future__ import annotations

import argparse
import configparser
import json
import re
import sys
import time
from pathlib import Path
from typing import Final

from conformance.errors import ExitCode, UsageError
from conformance.gate.making import Asked, environments, releases, stale
from conformance.reading import read
from conformance.suite import ROOT

_RANGE: Final = re.compile(r"(.*)\{(\d+)-(\d+)\}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="as the matrix of a GitHub workflow")
    parser.add_argument(
        "--results",
        default="results",
        metavar="DIR",
        help="where the records lie (default: %(default)s)",
    )


def main(options: argparse.Namespace) -> int:
    """Print the matrix."""
    rows = matrix(Path(options.results), time.strftime("%Y-%m-%d", time.gmtime()))
    if options.json:
        sys.stdout.write(json.dumps({"include": rows}) + "\n")
    else:
        for row in rows:
            state = row["stale"] or "the gate's record is up to date"
            state += _running(Path(options.results) / f"{row['env']}.json")
            sys.stdout.write(
                f"{row['env']:10} {row['tensorflow']:8} Python {row['python']:5} {state}\n"
            )
    return ExitCode.HOLDS


def _running(path: Path) -> str:
    """How far the main job is, or was when it was interrupted; empty if it is at its end."""
    try:
        footer = read(path).data["footer"]
    except UsageError:
        return ""
    return "" if footer["complete"] else f"; {path}: {footer.get('progress', 'begun')}"


def matrix(results: Path, today: str) -> list[dict[str, str]]:
    """For each version its environment, its release, its Python, and what its record lacks.

    Args:
        results: the folder of results.
        today: the date in UTC, as in 2026-11-27.
    """
    numbers, interpreters, asked = dict(releases()), pythons(), Asked()
    return [
        {
            "env": env,
            "tensorflow": numbers.get(env, "nightly"),
            "python": interpreters[env],
            "stale": stale(asked.record(results, env), env, today, asked),
        }
        for env in environments()
        if env != "tf"
    ]


def pythons() -> dict[str, str]:
    """The first Python that tox.ini names for each environment."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "tox.ini", encoding="utf-8")
    found: dict[str, str] = {}
    for line in config["testenv"]["base_python"].strip().splitlines():
        factors, _, python = line.rpartition(": ")
        for factor in re.split(r", (?![^{]*\})", factors):
            for env in _expanded(factor):
                found.setdefault(env, python)
    return found


def _expanded(factor: str) -> list[str]:
    """A factor of tox.ini as environments: ``tf2.{8-11}``, ``tf2.{20,21}`` or a plain one."""
    ranged = _RANGE.fullmatch(factor)
    if ranged:
        return [f"{ranged[1]}{n}" for n in range(int(ranged[2]), int(ranged[3]) + 1)]
    head, brace, rest = factor.partition("{")
    return [f"{head}{part}" for part in rest.rstrip("}").split(",")] if brace else [factor]
