"""Two tape programs at once, in two threads that take turns line by line, and each alone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import FrameType
from typing import Any

from hypothesis import strategies as st

from conformance.contract import Cases
from conformance.program_cases import FILENAME, ProgramCase, SeenProgram
from conformance.program_cases import run as run_alone
from strategies.program_drawing import KINDS, programs

PATIENCE = 60.0
"""Seconds that a thread waits for its turn before it gives up: far more than any line takes."""


@dataclass(frozen=True)
class ThreadCase:
    """Two programs."""

    programs: tuple[ProgramCase, ProgramCase]

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        return b"".join(program.digest for program in self.programs)

    def source(self, _mode: str = "eager") -> str:
        """Both programs, one after the other: what runs them line by line is this module."""
        first, second = (program.source() for program in self.programs)
        return f"# in one thread\n{first}\n# in another, line by line in turn\n{second}"


@dataclass
class SeenThreads:
    """What was seen of each program, alone and beside the other."""

    case: ThreadCase
    alone: list[SeenProgram]
    beside: list[SeenProgram]


class Turns:
    """Threads that take turns, one line of a program each.

    A tracing function (``sys.settrace``, of this thread alone) hands over before each line. So what
    one thread does between two lines of the other is the same in every run.
    """

    def __init__(self, count: int) -> None:
        self._running = list(range(count))
        self._turn = 0
        self._changed = threading.Condition()

    def take(self, thread: int, task: Callable[[], None]) -> None:
        """Run a task as one of the threads."""
        sys.settrace(lambda frame, _event, _arg: self._trace(thread, frame))
        try:
            self._wait(thread)
            task()
        finally:
            sys.settrace(None)
            with self._changed:
                self._pass_on(thread)
                self._running.remove(thread)

    def _trace(self, thread: int, frame: FrameType) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != FILENAME:
            return None

        def line(frame: FrameType, event: str, _arg: Any) -> Callable[..., Any]:
            if event == "line" and frame.f_code.co_name == "<module>":
                with self._changed:
                    self._pass_on(thread)
                self._wait(thread)
            return line

        return line

    def _pass_on(self, thread: int) -> None:
        after = self._running[self._running.index(thread) + 1 :]
        self._turn = (after or self._running)[0]
        self._changed.notify_all()

    def _wait(self, thread: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._turn == thread, PATIENCE):
                raise TimeoutError("the other thread does not come to the end of its line")


def run(case: ThreadCase, mode: str) -> SeenThreads:
    """Run each program alone, and both at once.

    Raises:
        Unsupported: if the ops of one alone raise in this mode on this TensorFlow.
    """
    alone = [run_alone(program, mode) for program in case.programs]
    beside: list[SeenProgram | BaseException] = [AssertionError("never ran")] * len(alone)
    turns = Turns(len(alone))

    def task(thread: int) -> None:
        try:
            beside[thread] = run_alone(case.programs[thread], mode)
        except BaseException as error:  # noqa: BLE001 - it is raised again, in the main thread
            beside[thread] = error

    threads = [
        threading.Thread(target=turns.take, args=(number, lambda number=number: task(number)))
        for number in range(len(alone))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = []
    for found in beside:
        if isinstance(found, BaseException):
            raise found
        seen.append(found)
    return SeenThreads(case, alone, seen)


def _cases(_subject: str, _mode: str) -> st.SearchStrategy[ThreadCase]:
    one = st.sampled_from(list(KINDS)).flatmap(programs).map(ProgramCase)
    return st.tuples(one, one).map(ThreadCase)


THREADS: Cases[ThreadCase, SeenThreads] = Cases(
    "thread", _cases, run, ThreadCase.source, modes=("eager",)
)
"""Pairs of tape programs."""
