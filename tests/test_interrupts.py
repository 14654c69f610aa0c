"""Runs that are ended from outside: what had been reached is in the record, which says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import ExitCode
from tests.conftest import HOLDS, VIOLATED, Checkout
from tests.runs import verdicts
from tests.test_record import complaints

WAITS = """
import os
import time


def wait(number):
    open("reached", "w").close()
    time.sleep(number)
"""
"""How a moment is made to last: whoever comes there says so, and stays."""

STUCK = """
def stay(case, mode):
    wait(60)


stuck = cases("stuck", stay)


@stuck.contract("never-judged", "Every number is a number.", cites=[UNDOCUMENTED])
def never_judged(case):
    return Tally(conclusive=1)
"""

COLLECTING = """
if os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0":
    wait(60)
"""

PATIENCE = 120.0
"""Seconds until something must have happened, on a machine that does much else."""


def awaited(what: Callable[[], Any], why: str) -> Any:
    """What is true in the end."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.01)
    return found


def processes(checkout: Checkout) -> list[int]:
    """Those that work in the folder of a checkout."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if place.readlink() == checkout.path:
                found.append(int(place.parent.name))
        except OSError:  # noqa: PERF203 - it is gone, or somebody else's
            continue
    return [pid for pid in found if pid != os.getpid()]


@contextmanager
def running(checkout: Checkout, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a session of its own, as a terminal has it, that leaves no process behind."""
    command = [sys.executable, "-m", "pytest", "conformance", "--tape-record", "results/mine.json"]
    with subprocess.Popen(
        [*command, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # what a worker of xdist is called, its processes would take for their own name
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
        # a shell's job in the background ignores SIGINT, and so would this process
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    ) as process:
        yield process
    awaited(lambda: not processes(checkout), "a process is left")


def stop(process: subprocess.Popen[bytes], by: signal.Signals) -> int:
    """Ctrl-C reaches all processes of the terminal, other signals the one that was started."""
    if by == signal.SIGINT:
        os.killpg(process.pid, by)
    else:
        process.send_signal(by)
    return process.wait(PATIENCE)


CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.INTERRUPTED,
    signal.SIGKILL: -signal.SIGKILL,
}

by_signal = pytest.mark.parametrize("by", CODES, ids=lambda by: by.name)
with_workers = pytest.mark.parametrize("workers", ["0", "1", "2"])


@with_workers
@by_signal
def test_a_run_that_is_ended_keeps_the_verdicts_that_it_had_reached(
    checkout: Checkout, by: signal.Signals, workers: str
) -> None:
    """In the middle of an item: a whole record that says it is incomplete.

    And the programs of failures beside it, unless nothing could be done any more.
    """
    checkout.contracts(HOLDS, VIOLATED, WAITS, STUCK)
    with running(checkout, "-n", workers) as process:
        awaited((checkout.path / "reached").exists, "the run never came to its last item")
        awaited(lambda: len(checkout.read()["outcomes"]) == 2, "there are no verdicts")
        code = stop(process, by)

    assert code == CODES[by]
    assert complaints(checkout.read()) == []
    assert checkout.read()["footer"]["complete"] is False
    assert verdicts(checkout.read()) == {
        "number-holds-eager": "holds",
        "number-small-eager": "violated",
    }
    left = sorted(path.name for path in checkout.record.parent.iterdir())
    assert left == ["mine.failures"] * (by is not signal.SIGKILL) + ["mine.json"]


@pytest.mark.parametrize("workers", ["0", "2"])
@by_signal
def test_a_run_that_is_ended_while_tensorflow_is_imported_leaves_an_empty_record(
    checkout: Checkout, by: signal.Signals, workers: str
) -> None:
    """It is incomplete, and nothing has been reached."""
    (stub,) = checkout.path.parent.glob("stub-*")
    (stub / "tensorflow.py").write_text(f"{WAITS}\nwait(60)\n")
    checkout.contracts(HOLDS)
    with running(checkout, "-n", workers) as process:
        awaited((checkout.path / "reached").exists, "TensorFlow was never imported")
        code = stop(process, by)

    assert code == CODES[by]
    assert complaints(checkout.read()) == []
    assert (checkout.read()["footer"]["complete"], checkout.read()["outcomes"]) == (False, [])


@pytest.mark.parametrize("workers", ["0", "2"])
@by_signal
def test_a_run_that_is_ended_while_it_collects_leaves_an_empty_record_or_none(
    checkout: Checkout, by: signal.Signals, workers: str
) -> None:
    """Nothing has been begun; ``kill -9`` leaves what was there, if no other worker was done."""
    checkout.contracts(HOLDS, WAITS, COLLECTING)
    with running(checkout, "-n", workers) as process:
        awaited((checkout.path / "reached").exists, "nothing was ever collected")
        code = stop(process, by)

    assert code == CODES[by]
    if by != signal.SIGKILL or checkout.record.exists():
        assert complaints(checkout.read()) == []
        assert (checkout.read()["footer"]["complete"], checkout.read()["outcomes"]) == (False, [])


MANY = """
many = cases("many", subjects=[f"s{i}" for i in range(300)])


@many.contract("many-hold", "Every number is a number.", cites=[UNDOCUMENTED])
def many_hold(case):
    return Tally(conclusive=1)
"""


@pytest.mark.parametrize("reached", [1, 20, 80])
def test_no_verdict_is_lost_to_kill_9(checkout: Checkout, reached: int) -> None:
    """At whatever moment, such as while the record is written: it is whole, and holds them all."""
    checkout.contracts(MANY)
    with running(checkout, "-n", "0", "-v", "--tape-profile", "gate") as process:
        there = checkout.record.exists
        awaited(there, "no record was begun")
        awaited(lambda: len(checkout.read()["outcomes"]) >= reached, "there are no verdicts")
        stop(process, signal.SIGKILL)

    assert complaints(checkout.read()) == []
    assert checkout.read()["footer"]["complete"] is False
    assert len(checkout.read()["outcomes"]) >= reached
