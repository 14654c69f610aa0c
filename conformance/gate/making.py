"""The records of versions that are missing or stale, made by tox in the versions' environments."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.errors import ExitCode, UsageError, nearest
from conformance.modes import MODES
from conformance.reading import Reading, read
from conformance.suite import ROOT, fingerprint, fingerprints

PROFILES: Final = ("quick", "gate")
"""Those that draw the same programs in every run."""
VARIABLE: Final = "TAPEMEASURE_TOX"
"""The Python that has the tox by which the gate is run; toxfile.py sets it."""

Run = Callable[[str, Sequence[str]], int]
"""Runs pytest with these arguments in the environment of that name; gives the exit code."""


@dataclass(frozen=True)
class Asked:
    """What both sides of a gate are asked.

    Attributes:
        profile: how much to try.
        shard: which part of the suite, I/N; None: the whole.
        deviations: files with known deviations of the user's own.
    """

    profile: str = "gate"
    shard: str | None = None
    deviations: tuple[str, ...] = ()

    def arguments(self, record: Path) -> list[str]:
        """What pytest is told; paths hold in whatever folder it runs."""
        told = ["--tape-profile", self.profile, "--tape-record-only"]
        if self.shard is not None:
            told += ["--tape-shard", self.shard]
        for path in self.deviations:
            told += ["--tape-deviations", str(Path(path).resolve())]
        return [*told, "--tape-record", str(record.resolve())]

    def record(self, results: Path, env: str) -> Path:
        """Where the record of an environment lies."""
        part = "" if self.shard is None else f"-{self.shard.replace('/', 'of')}"
        return results / self.profile / f"{env}{part}.json"

    def is_of(self, header: Mapping[str, Any]) -> bool:
        """Whether a record's header is that of a run that was asked this."""
        asked = (header["profile"], header["shard"], header["seed"], header["examples"])
        whole = set(header["modes"]) == set(MODES) and not header["selection"]
        own = header.get("deviations", [])
        return (
            whole
            and asked == (self.profile, self.shard, 0, None)
            and own == fingerprints(self.deviations)
        )


def environment(name: str, known: Sequence[str]) -> str:
    """The environment that measures a version.

    Args:
        name: the version as the command line names it: 2.20, tf2.20, nightly, tf.
        known: the environments that exist.

    Raises:
        UsageError: if there is none.
    """
    for candidate in (name, f"tf{name}"):
        if candidate in known:
            return candidate
    versions = [one.removeprefix("tf") or one for one in known]
    raise UsageError(
        f"there is no TensorFlow {ascii(name)[:60]}",
        expected=f"one of {', '.join(versions)}; or a record",
        hint=f"{nearest(name, versions)}; for any other: TAPEMEASURE_TF=tensorflow-cpu==2.16.1 and "
        "the name tf",
    )


def environments() -> list[str]:
    """The environments of tox.ini that measure a version."""
    return [*(env for env, _ in releases()), "tfnightly", "tf"]


def releases() -> list[tuple[str, str]]:
    """The environments of tox.ini that measure a release, each with its version, in order."""
    text = (ROOT / "tox.ini").read_text("utf-8")
    return re.findall(r"^ +(tf\d+\.\d+).*: TENSORFLOW_RELEASE = (\S+)$", text, re.MULTILINE)


def stale(path: Path, name: str, today: str, asked: Asked) -> str:
    """Why a record does not say what a run would say now; empty if it does.

    Args:
        path: of the record.
        name: of the environment.
        today: the date in UTC, as in 2026-11-27.
        asked: what its run should have been asked.
    """
    if not path.is_file():
        return "there is no record"
    try:
        found = read(path)
    except UsageError as error:
        return f"the record cannot be read: {error.what}"
    header = found.header
    reasons = {
        f"its run did not come to its end{_far(found)}": not found.data["footer"]["complete"],
        "the suite has changed since": header["suite"] != fingerprint(),
        "it has another Hypothesis": header["versions"]["hypothesis"] != hypothesis(),
        "it is of a run that was asked something else": not asked.is_of(header),
        "it is of another day's nightly": name == "tfnightly" and header["started"][:10] != today,
        # what a path or a requirement stands for may be another thing than yesterday
        "what TAPEMEASURE_TF names may have changed": name == "tf",
        "it is of another TensorFlow": not _is_of(found, name),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _far(found: Reading) -> str:
    progress = found.data["footer"].get("progress")
    return f": {progress}" if progress else ""


def _is_of(found: Reading, name: str) -> bool:
    release = re.fullmatch(r"tf(\d+\.\d+)", name)
    return release is None or found.tensorflow.startswith(f"{release[1]}.")


def hypothesis() -> str:
    """The version of Hypothesis that pyproject.toml pins."""
    found = re.search(r'"hypothesis==([^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    return found[1] if found else ""


def made(name: str, results: Path, asked: Asked, run: Run, say: Callable[[str], None]) -> Path:
    """The record of a version, made if it is missing or stale.

    Args:
        name: the version, or the path of a record, which is taken as it is.
        results: the folder of results.
        asked: what it should be asked.
        run: runs an environment.
        say: tells the user what goes on.

    Raises:
        UsageError: if there is no such version, or its record could not be made.
    """
    if name.endswith(".json"):
        return Path(name)
    env = environment(name, environments())
    path = asked.record(results, env)
    why = stale(path, env, time.strftime("%Y-%m-%d", time.gmtime()), asked)
    if not why:
        say(f"{env}: the record {path} is up to date")
        return path
    say(f"{env}: {why}: running the suite in the profile {asked.profile}, which takes a while")
    code = run(env, asked.arguments(path))
    if code != ExitCode.HOLDS:
        raise UsageError(
            f"the record of {env} could not be made: its run ended with code {code}",
            expected="a run that comes to its end, whatever it finds",
            hint=f"see what is printed above, such as a deviation of yours that is no longer true; "
            f"`tox run -e {env}` runs it alone",
            code=ExitCode.UNMADE,
        )
    return path


def tox(env: str, arguments: Sequence[str]) -> int:
    """Run the suite in one of tox's environments, and let its output through.

    Args:
        env: the environment.
        arguments: for pytest, beside those of the environment.
    """
    return _tox(["run", *_MUST, "-e", env, "--", *arguments], {})


def tox_pytest(env: str, arguments: Sequence[str], requirement: str = "") -> int:
    """Run pytest in one of tox's environments with these arguments alone.

    Args:
        env: the environment.
        arguments: for pytest.
        requirement: what the environment `tf` is to install, if it is that one.
    """
    named = {"TAPEMEASURE_TF": requirement} if requirement else {}
    # `tox exec` makes an environment without what the suite needs beside TensorFlow
    code = _tox(["run", *_MUST, "--notest", "-e", env], named)
    return code or _tox(["exec", "-e", env, "--", "pytest", *arguments], named)


_MUST: Final = ("--skip-missing-interpreters", "false")


def _tox(arguments: Sequence[str], named: Mapping[str, str]) -> int:
    line = [os.environ.get(VARIABLE, sys.executable), "-m", "tox", *arguments]
    # inside of tox these are set for the environment that runs the gate
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TOX_", "VIRTUAL_ENV"))}
    run = subprocess.run(  # noqa: S603 - tox, with our own arguments
        line, cwd=ROOT, env={**inherited, **named}, check=False
    )
    return run.returncode
