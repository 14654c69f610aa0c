"""Processes that die: what they were trying, and where they were, is told."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.blackbox import Note, Wreck, found
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


SHRINKS = """
import os

tried = []


def end(case, mode):
    tried.append(case)
    if case.number >= 1000:
        os.abort()
    return case


def seldom(case, mode):
    if 10**6 < case.number < 2 * 10**6:
        os.abort()
    return case


def wear_out(case, mode):
    tried.append(case)
    if len(tried) == 5:
        os.abort()
    return case


fragile = cases("fragile", end)
rare = cases("rare", seldom)
worn = cases("worn", wear_out)


@fragile.contract("survives", "The process survives.", cites=[UNDOCUMENTED])
def survives(case):
    return Tally(conclusive=1)


@rare.contract("seldom-dies", "The process survives.", cites=[UNDOCUMENTED])
def seldom_dies(case):
    return Tally(conclusive=1)


@worn.contract("lasts", "The process lasts.", cites=[UNDOCUMENTED])
def lasts(case):
    return Tally(conclusive=1)
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_crash_is_made_as_small_as_any_other_failure(checkout: Checkout, workers: str) -> None:
    """In processes that run nothing else; a crash that needs what went before it is told apart."""
    checkout.contracts(SHRINKS)
    result, record = checkout.recorded("-n", workers, "--tape-examples", "1000")

    told = {outcome["contract"]: outcome for outcome in record["outcomes"]}
    assert told["survives"]["failure"]["program"] == "print(1000)\n"
    assert told["seldom-dies"]["failure"]["program"] == "print(1000001)\n"
    assert {name: outcome["failure"]["why"].splitlines()[0] for name, outcome in told.items()} == {
        "survives": "the process that ran it died, and so does one that runs nothing else; "
        "it left this behind:",
        "seldom-dies": "the process that ran it died, and so does one that runs nothing else; "
        "it left this behind:",
        "lasts": "the process that ran it died, but one that runs nothing else does not; "
        "it left this behind:",
    }
    assert [outcome["verdict"] for outcome in told.values()] == ["crashed"] * 3
    assert record["footer"]["complete"]
    assert "\nprint(1000)\n" in result.stdout.str()


STEPS = """
import os

from conformance.blackbox import reached


def source(case, mode, step=0):
    return f"print({case.number}, {step})\\n"


def end(case, mode):
    for step in (0, 1, 2):
        if step:
            reached(step)
        if step == 1 and case.number >= deaths[mode]:
            os.abort()
    return case


def simpler(case):
    return [Case(0), Case(case.number * 2)] if case.number < 10**5 else []


deaths = {"eager": 1000, "function": 0}
stepping = Cases("stepping", numbers, end, source, modes=tuple(deaths), simpler=simpler)


@stepping.contract("survives", "The process survives.", cites=[UNDOCUMENTED])
def survives(case):
    return Tally(conclusive=1)
"""


def test_a_crash_is_told_at_the_step_at_which_it_was(checkout: Checkout) -> None:
    """And in the simplest case that has it, which need not be one that is drawn."""
    checkout.contracts(STEPS)
    _, record = checkout.recorded()

    assert {o["mode"]: o["failure"]["program"] for o in record["outcomes"]} == {
        "eager": "print(2000, 1)\n",
        "function": "print(0, 1)\n",
    }


KEPT = """
import os

first = []


def end(case, mode):
    if first and case != first[0]:
        os.abort()
    if case.number >= 1000:
        first.append(case)
    return case


large = cases("large", end)


@large.contract("number-small", "Every number is below 1000.", cites=[UNDOCUMENTED])
def number_small(case):
    if case.number >= 1000:
        raise violation(case)
    return Tally(conclusive=1)


@large.contract("survives", "The process survives.", cites=[UNDOCUMENTED])
def survives(case):
    return Tally(conclusive=1)
"""


def test_a_failure_outlives_the_process_that_was_to_make_it_smaller(checkout: Checkout) -> None:
    """What was violated stays so, with its program; the others are crashed."""
    checkout.contracts(KEPT)
    _, record = checkout.recorded()

    told = {outcome["contract"]: outcome for outcome in record["outcomes"]}
    assert {name: outcome["verdict"] for name, outcome in told.items()} == {
        "number-small": "violated",
        "survives": "crashed",
    }
    assert int(told["number-small"]["failure"]["got"]) >= 1000
    assert told["survives"]["failure"]["got"] == "Fatal Python error: Aborted"


PRINTS = """
import os
import sys


def end(case, mode):
    print("last words")
    sys.stdout.flush()
    os.abort()


dying = cases("dying", end)


@dying.contract("survives", "The process survives.", cites=[UNDOCUMENTED])
def survives(case):
    return Tally(conclusive=1)
"""


def test_what_a_process_printed_before_it_died_is_shown(checkout: Checkout) -> None:
    """With the item that it died of, and no other: TensorFlow says there which check failed."""
    checkout.contracts(PRINTS, VIOLATED)
    result = checkout.run()

    assert result.stdout.str().count("Captured stdout call") == 1
    result.stdout.fnmatch_lines(["*Captured stdout call*", "last words"])


TRIES = """
import os
import sys
from pathlib import Path

from conformance.blackbox import BlackBox, Note

folder, name, *inside = sys.argv[1:]
box = BlackBox(Path(folder), name)
trying = box.trying(Note(("promise",), "tf.sin", "eager", str.format, name, "pytest"))
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


FIRST = "(most recent call first):"
OP = '  File "/theirs/ops.py", line 1 in op'
RUN = '  File "/ours/conformance/running.py", line 7 in _run'
CALLED = f'{RUN}\n  File "/ours/conformance/running.py", line 6 in examine'
ABORTED = "Fatal Python error: Aborted"
LAST = f"MemoryError: more\nTraceback (most recent call last):\n{CALLED}\n{OP}\n"
STACKS = {
    f"{ABORTED}\n\nThread 0x1 {FIRST}\n{OP}\n\nCurrent thread 0x2 {FIRST}\n{OP}\n{CALLED}\n\nIt": (
        f"{ABORTED}\nCurrent thread 0x2 {FIRST}\n{OP}\n{RUN}"
    ),
    f"Timeout (0:00:02)!\nThread 0x2 {FIRST}\n{OP}\n{CALLED}\n": (
        f"Timeout (0:00:02)!\nThread 0x2 {FIRST}\n{OP}\n{RUN}"
    ),
    LAST: LAST,
    "": "",
}


@pytest.mark.parametrize("stack", STACKS)
def test_of_a_stack_what_the_case_had_come_to_is_told(stack: str) -> None:
    """Of the thread that ran it, with the cause; a traceback of Python's as it is."""
    assert Wreck(None, stack, "killed").frames == STACKS[stack]


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
