"""Who runs the items: a process that dies or is worn out is replaced, and none else loses by it."""

from __future__ import annotations

import pytest

from conformance.errors import ExitCode
from tests.conftest import HOLDS, VIOLATED, Checkout
from tests.runs import verdicts

GREEDY = """
import resource

import numpy as np


def ask(case, mode):
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
    return np.ones(2**40)


greedy = cases("greedy", ask)


@greedy.contract("modest", "There is enough memory.", cites=[UNDOCUMENTED])
def modest(case):
    return Tally(conclusive=1)
"""


def test_a_process_that_runs_out_of_memory_is_replaced(checkout: Checkout) -> None:
    """An allocation that fails is no fault of the suite, and nobody is asked what came of it."""
    checkout.contracts(GREEDY, HOLDS)
    result, record = checkout.recorded()

    assert verdicts(record) == {"modest-eager": "crashed", "number-holds-eager": "holds"}
    (failure,) = (o["failure"] for o in record["outcomes"] if o["failure"])
    assert "MemoryError: Unable to allocate 8.00 TiB" in failure["got"]
    assert " in ask\n" in failure["why"]
    assert result.ret == ExitCode.VIOLATED


BETWEEN = """
import os


def end(symbol):
    os.abort()
    return st.just(Case(1))


dying = Cases(
    "dying",
    lambda subject, mode: st.integers().flatmap(end),
    lambda case, mode: case,
    Case.source,
    modes=("eager",),
)


@dying.contract("never-judged", "The process survives.", cites=[UNDOCUMENTED])
def never_judged(case):
    return Tally(conclusive=1)
"""


def test_a_process_that_dies_between_two_cases_breaks_its_item_off(checkout: Checkout) -> None:
    """A fault of our own: no TensorFlow was asked. Other items lose nothing."""
    checkout.contracts(BETWEEN, HOLDS)
    result, record = checkout.recorded()

    assert verdicts(record) == {"number-holds-eager": "holds"}
    assert not record["footer"]["complete"]
    assert result.ret == ExitCode.INTERNAL
    result.stdout.fnmatch_lines(
        ["*dying[[]eager]: the process died between two cases: Fatal Python error: Aborted"]
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_tensorflow_that_kills_who_imports_it_ends_the_run(
    checkout: Checkout, workers: str
) -> None:
    """ExitCode.NO_TENSORFLOW, once, with what it said: no item could run."""
    (stub,) = checkout.path.parent.glob("stub-*")
    dies = 'import os\n\nos.write(2, b"no such instruction")\nos.abort()\n'
    (stub / "tensorflow.py").write_text(dies)
    checkout.contracts(HOLDS, VIOLATED)
    result, record = checkout.recorded("-n", workers)

    assert result.ret == ExitCode.NO_TENSORFLOW
    assert (record["footer"]["complete"], record["outcomes"]) == (False, [])
    output = result.stdout.str() + result.stderr.str()
    assert "TensorFlow cannot be imported by" in output
    assert "no such instruction" in output


LATE = """
import os
import threading


def die_later(case, mode):
    threading.Timer(0.2, os.abort).start()
    return case


late = cases("late", die_later)


@late.contract("answers", "There is an answer.", cites=[UNDOCUMENTED])
def answers(case):
    return Tally(conclusive=1)
"""

DAWDLES = """

import time


def pytest_runtest_logfinish():
    time.sleep(2)
"""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_process_that_dies_after_an_item_is_told_with_it(
    checkout: Checkout, workers: str
) -> None:
    """What the item had begun went on; the next one runs in another process."""
    with (checkout.path / "conftest.py").open("a") as conftest:
        conftest.write(DAWDLES)
    checkout.contracts(LATE, VIOLATED)
    result, record = checkout.recorded("-n", workers, "--tape-examples", "1")

    assert verdicts(record) == {"answers-eager": "holds", "number-small-eager": "violated"}
    assert not record["footer"]["complete"]
    assert result.ret == ExitCode.INTERNAL
    result.stdout.fnmatch_lines(
        ["*late[[]eager]: the process died between two cases: Fatal Python error: Aborted"]
    )


ORPHANED = """
import os
import signal
import time


def kill_the_parent(case, mode):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


orphan = cases("orphan", kill_the_parent)


@orphan.contract("survives", "The process survives.", cites=[UNDOCUMENTED])
def survives(case):
    return Tally(conclusive=1)
"""


def test_a_worker_of_xdist_that_is_killed_is_replaced_too(checkout: Checkout) -> None:
    """With the process that ran its item: that has the verdict, and the others lose nothing."""
    checkout.contracts(HOLDS, ORPHANED, VIOLATED)
    _, record = checkout.recorded("-n", "2")

    assert verdicts(record) == {
        "number-holds-eager": "holds",
        "survives-eager": "crashed",
        "number-small-eager": "violated",
    }
    assert record["footer"]["complete"]
    (got,) = (o["failure"]["got"] for o in record["outcomes"] if o["verdict"] == "crashed")
    assert got == "killed with its parent"


WHERE = """
import os
import pathlib


def note(case, mode):
    pathlib.Path("ran").write_text(f"{os.getpid()} {os.getppid()}")
    return case


noted = cases("noted", note)


@noted.contract("is-noted", "Every number is a number.", cites=[UNDOCUMENTED])
def is_noted(case):
    return Tally(conclusive=1)

pathlib.Path("collected").write_text(str(os.getpid()))
"""


@pytest.mark.parametrize(("option", "where"), [("--strict-config", 1), ("--pdb", 0)])
def test_a_debugger_has_the_items_in_its_own_process(
    checkout: Checkout, option: str, where: int
) -> None:
    """Without one they run in a child of the process that has collected them."""
    checkout.contracts(WHERE)
    checkout.run(option)

    ran = (checkout.path / "ran").read_text().split()
    assert ran[where] == (checkout.path / "collected").read_text()


WEARS_OUT = """
import os
import pathlib

from conformance import supervisor

supervisor.ITEMS = 2


def note(case, mode):
    pathlib.Path(f"ran-{os.getpid()}").touch()
    return case


noted = cases("noted", note, subjects=("a", "b", "c", "d", "e"))


@noted.contract("is-noted", "Every number is a number.", cites=[UNDOCUMENTED])
def is_noted(case):
    return Tally(conclusive=1)
"""


def test_a_worker_is_replaced_before_it_has_run_too_many_items(checkout: Checkout) -> None:
    """TensorFlow never gives back the memory of what it has compiled; nothing is lost by it."""
    checkout.contracts(WEARS_OUT)
    _, record = checkout.recorded("--tape-profile", "gate")

    assert len(list(checkout.path.glob("ran-*"))) == 3
    assert set(verdicts(record).values()) == {"holds"}
    assert record["footer"]["complete"]


DIES_WHERE_WORKERS_COLLECT = """
import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.abort()
"""


def test_a_worker_that_dies_while_it_collects_ends_the_run(checkout: Checkout) -> None:
    """Another would die too, and so without end."""
    checkout.contracts(HOLDS, DIES_WHERE_WORKERS_COLLECT)
    result = checkout.run("-n", "2")

    assert result.ret == ExitCode.INTERNAL
    assert "ERROR: a worker died while it collected the contracts" in result.stderr.str()
