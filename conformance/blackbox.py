"""What a process is about to try, kept where the death of the process does not reach it.

A worker notes each case before it meets TensorFlow; its supervisor reads the note when the worker
is gone. A note costs about 100 microseconds, a hundredth of an example: the case as data, not the
program that it prints as.

A signal does not reach a stuck kernel. The timer of :mod:`faulthandler` does: it runs in a thread
of its own, writes the stack and ends the process.

A process that has run out of memory is ended too: whether what failed is an array of ours or one of
TensorFlow's is chance, and so would be whatever it said afterwards.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import pickle
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from conformance.record import Outcome

SECONDS = 300.0
"""How long one example may take. Compiling one with XLA on a busy machine takes tens of seconds."""
OUT_OF_MEMORY = 71
"""The exit code of a process that could not have the memory that it asked for."""
_SIZE = 8
_RUN = f"{os.sep}running.py"
"""What is in each frame of whoever runs cases."""
_STANDING: ContextVar[BlackBox | None] = ContextVar("the black box that has a note", default=None)


def reached(step: int) -> None:
    """Note how far a case has come whose run takes several steps; where no note stands, nothing.

    Args:
        step: its number, from 1; the function that prints the case takes it beside the mode.
    """
    box = _STANDING.get()
    if box is not None:
        box.step(step)


@dataclass(frozen=True)
class Note:
    """What a process was trying.

    Attributes:
        contracts: the ids of those that would have judged it.
        subject, mode: of the item.
        source: the function that prints the case in a mode as a program.
        case: the case itself.
        replay: the command that repeats the item.
        failed: the outcomes that had failed before, while the first failure was made smaller.
        step: how far the case had come, if its run says so: see :func:`reached`; else 0.
    """

    contracts: tuple[str, ...]
    subject: str
    mode: str
    source: Any
    case: Any
    replay: str
    failed: tuple[Outcome, ...] = ()
    step: int = 0

    @property
    def program(self) -> str:
        """The case as a program that can be pasted, of the step at which it was."""
        steps = (self.step,) if self.step else ()
        return str(self.source(self.case, self.mode, *steps))


class BlackBox:
    """The notes of one process: the last one only.

    Args:
        folder: where its files are; it must exist.
        name: of the process, unlike any other's in the folder.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._notes, self._stack = (
            os.open(folder / f"{name}.{kind}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for kind in ("case", "stack")
        )
        # pytest adds folders to it for the modules of contracts that it collects, in workers alone
        (folder / f"{name}.path").write_text(json.dumps(sys.path), encoding="utf-8")
        faulthandler.enable(self._stack)
        self._alarmed = -math.inf

    @contextmanager
    def trying(self, note: Note) -> Iterator[None]:
        """While it lasts the note stands.

        What takes longer than :data:`SECONDS`, or more memory than there is, ends the process: see
        :meth:`rest`.

        Raises:
            pickle.PicklingError: if the case cannot be kept: that is our fault.
        """
        data = pickle.dumps(note, pickle.HIGHEST_PROTOCOL)
        os.pwrite(self._notes, _number(len(data)) + bytes(_SIZE) + data, 0)
        standing = _STANDING.set(self)
        self._set_alarm()
        try:
            yield
        except MemoryError:
            self._end()
        finally:
            _STANDING.reset(standing)
            os.pwrite(self._notes, bytes(_SIZE), 0)

    def _set_alarm(self) -> None:
        """Give a case its seconds, but for a sixtieth: a new alarm is a new thread each time."""
        now = time.monotonic()
        if now > self._alarmed + SECONDS / 60:
            faulthandler.dump_traceback_later(SECONDS, exit=True, file=self._stack)
            self._alarmed = now

    def rest(self) -> None:
        """Nothing more is tried for now, so nothing takes too long."""
        faulthandler.cancel_dump_traceback_later()
        self._alarmed = -math.inf

    def step(self, number: int) -> None:
        """Note how far the case has come."""
        os.pwrite(self._notes, _number(number), _SIZE)

    def _end(self) -> NoReturn:
        """End for want of memory, with the note in place."""
        told = traceback.format_exc().splitlines()
        os.write(self._stack, "\n".join([told[-1] or "MemoryError", *told]).encode())
        os._exit(OUT_OF_MEMORY)


def _number(value: int) -> bytes:
    """A number as black boxes hold it: the size of the note, and its step."""
    return value.to_bytes(_SIZE, "little")


@dataclass(frozen=True)
class Wreck:
    """What a process has left that died.

    Attributes:
        note: what it was trying; None if it was between two cases.
        stack: why it died and where, as faulthandler wrote it; empty if it was killed.
        ending: how it ended, as whoever waited for it was told.
        remark: what is known beside, as the end of a sentence about the process.
        words: what TensorFlow printed when it ended the process itself; empty if it did not.
    """

    note: Note | None
    stack: str
    ending: str
    remark: str = ""
    words: str = ""

    @property
    def kind(self) -> str:
        """``hang`` if it took too long, else ``crash``."""
        return "hang" if self.stack.startswith("Timeout") else "crash"

    @property
    def cause(self) -> str:
        """The first line of the stack, in which the signal or the time is named."""
        return self.stack.partition("\n")[0] or self.ending

    @property
    def told(self) -> str:
        """The cause, and which check of TensorFlow's own has failed, if one has."""
        return f"{self.cause}: {self.words}" if self.words else self.cause

    @property
    def frames(self) -> str:
        """The stack of the thread that ran the case, without what had called the run."""
        for thread in self.stack.split("\n\n"):
            lines = thread.splitlines()
            run = next((n for n, line in enumerate(lines) if _RUN in line), None)
            if run is not None and "(most recent call first)" in thread:
                head = [] if lines[0] == self.cause else [self.cause]
                return "\n".join([*head, *lines[: run + 1]])
        return self.stack


def found(folder: Path, name: str, ending: str) -> Wreck:
    """What a process has left.

    Args:
        folder: as in :class:`BlackBox`.
        name: as in :class:`BlackBox`.
        ending: how it ended.
    """
    try:
        data = (folder / f"{name}.case").read_bytes()
    except FileNotFoundError:
        return Wreck(None, "", ending)
    stack = (folder / f"{name}.stack").read_text(errors="replace")
    size, step = (int.from_bytes(data[at : at + _SIZE], "little") for at in (0, _SIZE))
    if not size:
        return Wreck(None, stack, ending)
    paths = json.loads((folder / f"{name}.path").read_text(encoding="utf-8"))
    sys.path += [path for path in paths if path not in sys.path]
    note = pickle.loads(data[2 * _SIZE : 2 * _SIZE + size])  # noqa: S301 - our own worker wrote it
    return Wreck(replace(note, step=step), stack, ending)
