"""Programs in two threads at once: how they take turns, and that a tape which leaks is found."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from itertools import zip_longest
from typing import Any

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import Violation
from conformance.contracts import test_contracts as contracts
from conformance.profiles import PROFILES
from conformance.running import ItemRun, Plan
from conformance.thread_cases import in_a_thread
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


def log_of(*counts: int, broken: int | None = None) -> list[str]:
    """What steps leave in a log that run in threads which take turns.

    Args:
        *counts: how many steps each thread has.
        broken: the thread whose last step raises.
    """
    log: list[str] = []

    def steps(thread: int) -> Iterator[None]:
        for step in range(counts[thread]):
            log.append(f"{'ab'[thread]}{step}")
            yield
        if thread == broken:
            raise KeyError

    def turns(thread: int) -> Iterator[None]:
        with contextlib.suppress(KeyError):
            yield from in_a_thread(steps(thread))

    for _ in zip_longest(*map(turns, range(len(counts)))):
        pass
    return log


def test_two_threads_take_turns_step_by_step() -> None:
    """Whichever has more steps ends alone."""
    assert log_of(3, 5) == ["a0", "b0", "a1", "b1", "a2", "b2", "b3", "b4"]


def test_a_thread_that_raises_leaves_the_turn_to_the_other() -> None:
    """Nobody waits for it."""
    assert log_of(1, 3, broken=0) == ["a0", "b0", "b1", "b2"]


def test_every_step_runs_in_the_same_thread_of_its_own() -> None:
    """A tape is kept by the thread that entered it."""
    threads: list[int] = []

    def steps() -> Iterator[None]:
        for _ in range(3):
            threads.append(threading.get_ident())
            yield

    assert list(in_a_thread(steps())) == [None] * 3
    assert len(set(threads)) == 1
    assert threading.get_ident() not in threads
