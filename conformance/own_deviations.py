"""Deviations of the user's own: ``--tape-deviations FILE``, and what keeps them honest.

An entry has a date, past which the run is refused, and a witness, which runs as an item beside the
contracts: an entry whose witness comes to its end, or fails otherwise than an entry of its kind
does, fails the run and says what to do. On a nightly build that is news.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract import CATALOGUE
from conformance.deviations import FILE, Deviation, load, unique
from conformance.errors import UsageError

PATIENCE: Final = 300.0
"""Seconds that a witness may take, the import of TensorFlow included."""
ASSERTIONS: Final = ("AssertionError", "InvalidArgumentError")
"""What a failed assertion raises: Python's own, and those of tf.debugging."""
DEATHS: Final = ("Crash", "CalledProcessError", *ASSERTIONS)
"""What a witness of a crash comes to: its own end, or that of a process that it starts."""


def known(paths: Sequence[str], subjects: Iterable[str]) -> tuple[Deviation, ...]:
    """The user's own deviations and this project's; what both match is the user's.

    Args:
        paths: of the user's files.
        subjects: those that exist beside the ops of the catalogue.

    Raises:
        UsageError: if a file or an entry is wrong, or an entry is past its date.
    """
    subjects = list(subjects)
    own = [d for path in paths for d in load(Path(path), CATALOGUE, subjects, own=True)]
    today = dt.datetime.now(dt.timezone.utc).date()
    for deviation in own:
        if deviation.expires is not None and deviation.expires < today:
            raise UsageError(
                f"deviation {deviation.id!r} expired on {deviation.expires}",
                expected="a date that is not past",
                hint="if it is still there, and still not to be mended, give it another date; "
                "if not, take the entry out",
            )
    return unique([*own, *load(FILE, CATALOGUE, subjects)])


class WitnessFailure(AssertionError):  # noqa: N818 - a finding, as AssertionError is
    """An entry that is no longer true; says what to do."""


class WitnessItem(pytest.Item):
    """The witness of one of the user's own deviations.

    Attributes:
        deviation: the entry.
        news: what is to be told of it where it is no failure; empty if nothing.
    """

    deviation: Deviation
    news: str = ""

    def runtest(self) -> None:
        """Run the witness in a process of its own.

        Raises:
            WitnessFailure: if the entry is not true of this TensorFlow, unless that is a nightly.
        """
        version, raised = witnessed(self.deviation.witness)
        told = verdict(self.deviation, version, raised)
        if told and "dev" in version:
            self.news = told
        elif told:
            raise WitnessFailure(told)

    def repr_failure(  # type: ignore[override]  # pytest.Item narrows it in the same way
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        """What is wrong with the entry; anything else as pytest prints it."""
        if isinstance(excinfo.value, WitnessFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[str, None, str]:
        """What pytest prints of it: its name."""
        return "", None, self.name


def items(session: pytest.Session, deviations: Iterable[Deviation]) -> list[WitnessItem]:
    """An item for each of the user's own deviations."""
    made = []
    for deviation in deviations:
        if deviation.expires is not None:
            item = WitnessItem.from_parent(session, name=f"deviation[{deviation.id}]")
            item.deviation = deviation
            made.append(item)
    return made


_RUN: Final = """
import json, runpy, sys
import tensorflow as tf
raised = ["", ""]
try:
    runpy.run_path(sys.argv[1])
except Exception as error:
    raised = [type(error).__name__, str(error)]
with open(sys.argv[2], "w", encoding="ascii") as file:
    json.dump([tf.__version__, *raised], file)
"""


def witnessed(witness: str) -> tuple[str, str]:
    """The version of TensorFlow, and what a witness raises there, ``Type: message``.

    The latter is empty if it comes to its end, and says so if the process dies.
    """
    with tempfile.TemporaryDirectory(prefix="tapemeasure-") as folder:
        program, answer = Path(folder) / "witness.py", Path(folder) / "answer.json"
        # AutoGraph reads the source of what it converts
        program.write_text(witness, encoding="utf-8")
        command = [sys.executable, "-c", _RUN, str(program), str(answer)]
        try:
            run = subprocess.run(  # noqa: S603 - the user's own program
                command, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return "", f"Timeout: no answer within {PATIENCE:.0f} seconds"
        if not answer.is_file():
            lines = run.stderr.strip().splitlines() or [""]
            return "", f"Crash: the process ended with code {run.returncode}: {lines[-1]}"
        version, kind, message = json.loads(answer.read_text("ascii"))
    return version, f"{kind}: {message}" if kind else ""


def verdict(deviation: Deviation, version: str, raised: str) -> str:
    """What is wrong with an entry on a version, and what to do; empty if it is true.

    Args:
        deviation: the entry.
        version: of TensorFlow; empty if it did not come to say it.
        raised: what the witness raised.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and not deviation.covers((int(numbers[1]), int(numbers[2]))):
        return ""
    if not raised:
        return (
            f"the witness of deviation {deviation.id!r} holds on TensorFlow {version}: what it "
            f"says of {deviation.reason!r} is no longer so\n"
            "  to do: end its versions with the last one that has it, or take the entry out"
        )
    kind = raised.partition(":")[0]
    if deviation.kind == "exception":
        fits, expected = re.search(deviation.got, raised) is not None, deviation.got
    elif deviation.kind == "crash":
        fits, expected = kind in DEATHS, "a process that dies"
    else:
        fits, expected = kind in ASSERTIONS, "a failed assertion"
    if fits:
        return ""
    return (
        f"the witness of deviation {deviation.id!r} fails otherwise on TensorFlow {version}\n"
        f"  expected: {expected}\n"
        f"  got: {raised}\n"
        "  to do: see what has changed, and write what is so now: another entry, with its own "
        "versions, witness and pattern"
    )
