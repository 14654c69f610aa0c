"""Programs in two threads at once: how they take turns, and that a tape which leaks is found."""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from typing import Any

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import Violation
from conformance.contracts import test_contracts as contracts
from conformance.profiles import PROFILES, forget_local_constants
from conformance.program_cases import FILENAME
from conformance.running import ItemRun, Plan
from conformance.thread_cases import Turns
from tests.forks import in_fork


def watching_goes_to_the_tape_entered_last(tf: Any) -> None:
    """``watch`` tells the tape that was entered last, in whatever thread."""
    enter, leave = tf.GradientTape.__enter__, tf.GradientTape.__exit__
    watch = tf.GradientTape.watch
    entered: list[Any] = []

    def start(self: Any) -> Any:
        enter(self)
        entered.append(self)
        return self

    def end(self: Any, *raised: Any) -> None:
        entered.remove(self)
        leave(self, *raised)

    def watch_last(self: Any, what: Any) -> None:
        watch(entered[-1] if entered else self, what)

    tf.GradientTape.__enter__, tf.GradientTape.__exit__ = start, end
    tf.GradientTape.watch = watch_last


def kinds_of_failures(*, lie: bool) -> list[str]:
    """How the contract about threads fails in the gate profile; runs in a fork."""
    vars(running)["SHRINK_SECONDS"] = 0  # what it shrinks to is not looked at
    tf = tensorflow()
    if lie:
        watching_goes_to_the_tape_entered_last(tf)
    forget_local_constants()
    run = ItemRun(contracts.thread, "", "eager", Plan(PROFILES["gate"], 0, None, version(tf)))
    with contextlib.suppress(Violation):  # the outcomes hold it
        run.test()()
    return [o.failure.kind for o in run.finish() if o.failure is not None]


def test_a_tape_that_leaks_into_another_thread_is_found() -> None:
    """One that is told to watch what another thread computes with answers otherwise there."""
    assert in_fork(partial(kinds_of_failures, lie=True)) == ["thread"]


def test_no_thread_accuses_an_honest_tape() -> None:
    """Without the lie nothing is violated."""
    assert in_fork(partial(kinds_of_failures, lie=False)) == []


def log_of(*texts: str) -> list[str]:
    """What texts that append to ``log`` leave there when they run in threads that take turns."""
    log: list[str] = []
    turns = Turns(len(texts))

    def task(text: str) -> None:
        with contextlib.suppress(KeyError):
            exec(compile(text, FILENAME, "exec"), {"log": log})  # noqa: S102 - our own text

    threads = [
        threading.Thread(target=turns.take, args=(i, partial(task, text)))
        for i, text in enumerate(texts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return log


def lines(name: str, count: int) -> str:
    """A text of so many lines."""
    return "\n".join(f"log.append('{name}{i}')" for i in range(count))


def test_two_threads_take_turns_line_by_line() -> None:
    """Whichever has more lines ends alone."""
    assert log_of(lines("a", 3), lines("b", 5)) == ["a0", "b0", "a1", "b1", "a2", "b2", "b3", "b4"]


def test_a_thread_that_raises_leaves_the_turn_to_the_other() -> None:
    """Nobody waits for it."""
    raising = f"{lines('a', 1)}\nraise KeyError"

    assert log_of(raising, lines("b", 3)) == ["a0", "b0", "b1", "b2"]
