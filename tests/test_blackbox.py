"""Processes that die: what they were trying is told, and nothing else is lost."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.blackbox import Note, found
from conformance.contract import Cases
from conformance.contracts import test_contracts as contracts
from conformance.errors import ExitCode
from tests.conftest import HOLDS, VIOLATED, Checkout
from tests.forks import ROOT
from tests.runs import summary, verdicts

DIES = """
import os
import signal
import time

from conformance import blackbox

blackbox.SECONDS = 2.0


def end(case, mode):
    if case.number % 3 == 0:
        deaths[mode]()
    return case


def wait():
    time.sleep(60)


deaths = {
    "eager": os.abort,
    "function": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "outer": wait,
    "xla": lambda: os._exit(3),
}
dying = cases("dying", end, subjects=("one", "other"), modes=tuple(deaths))


@dying.contract("survives", "The process survives.", cites=[UNDOCUMENTED])
def survives(case):
    return Tally(conclusive=1)


@dying.contract("answers", "There is an answer.", cites=[UNDOCUMENTED])
def answers(case):
    return Tally(conclusive=1)
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_worker_that_dies_is_replaced_and_its_item_is_crashed(
    checkout: Checkout, workers: str
) -> None:
    """As often as it takes, for each of its contracts; what other items found stays."""
    checkout.contracts(HOLDS, VIOLATED, DIES)
    result, record = checkout.recorded("-n", workers, "--tape-profile", "gate")

    crashed = [f"{c}-{s}-{m}" for c in ("answers", "survives") for s in ("one", "other")
               for m in ("eager", "function", "outer", "xla")]  # fmt: skip
    assert verdicts(record) == {
        **dict.fromkeys(crashed, "crashed"),
        "number-holds-eager": "holds",
        "number-small-eager": "violated",
    }
    assert record["footer"]["complete"]
    assert result.ret == ExitCode.VIOLATED
    assert (
        "crashed   survives [one eager]: expected an answer, got Fatal Python error: Aborted"
        in summary(result)
    )


def test_a_crash_is_told_with_its_program_its_cause_and_where_it_was(checkout: Checkout) -> None:
    """The signal or the time, and the stack; of a process that was killed nothing is left."""
    checkout.contracts(DIES)
    result, record = checkout.recorded("-n", "2", "--tape-profile", "gate")

    told = {o["mode"]: o["failure"] for o in record["outcomes"] if o["subject"] == "one"}
    assert {mode: failure["kind"] for mode, failure in told.items()} == {
        "eager": "crash",
        "function": "crash",
        "outer": "hang",
        "xla": "crash",
    }
    assert told["eager"]["got"] == "Fatal Python error: Aborted"
    assert told["function"]["got"] == "killed by signal 9 (Killed)"
    assert told["outer"]["got"] == "Timeout (0:00:02)!"
    for mode, function in (("eager", "end"), ("outer", "wait")):
        assert f" in {function}\n" in told[mode]["why"]
    for failure in told.values():
        assert failure["program"].startswith("print(")
        assert "dying[one-" in failure["replay"]
    assert "dying[one-eager]: the process died" in result.stdout.str()


TRIES = """
import os
import sys
from pathlib import Path

from conformance.blackbox import BlackBox, Note

folder, name, *inside = sys.argv[1:]
box = BlackBox(Path(folder), name)
trying = box.trying(Note(("promise",), "tf.sin", "eager", str, name, "pytest"))
trying.__enter__()
if not inside:
    trying.__exit__(None, None, None)
os.abort()
"""


def test_what_was_tried_to_its_end_is_no_longer_told(tmp_path: Path) -> None:
    """A process that dies between two cases has tried nothing; each has a box of its own."""
    for words in (["between"], ["one", "inside"], ["two", "inside"]):
        subprocess.run([sys.executable, "-c", TRIES, tmp_path, *words], cwd=ROOT, check=False)

    notes = {name: found(tmp_path, name, "").note for name in ("between", "one", "two", "nobody")}

    assert notes["between"] is None
    assert notes["nobody"] is None
    assert [note.program for note in notes.values() if note] == ["one", "two"]


FAMILIES = [contracts.graph, contracts.program, contracts.thread, contracts.scene,
            contracts.regression, contracts.literal, contracts.example, contracts.docstring,
            contracts.citation]  # fmt: skip


@pytest.mark.parametrize("cases", FAMILIES, ids=lambda cases: cases.name)
@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_cases_of_every_family_can_be_kept(cases: Cases[Any, Any], data: st.DataObject) -> None:
    """And print as the same program when they are read again."""
    subject = data.draw(st.sampled_from(sorted(cases.subjects)))
    case = data.draw(cases.draw(subject, cases.modes[0]))
    note = Note((), subject, cases.modes[0], cases.source, case, "")

    read: Note = pickle.loads(pickle.dumps(note))  # noqa: S301 - our own
    assert read.program == note.program
