"""Processes that are forked from this one: who does what may die, hang, or eat up the memory.

A fork has what its parent has collected, at no cost. It is made before TensorFlow is imported, or
after the import and before the first op: whoever has run an op has threads, and a fork of those
would wait for locks that nobody is left to open.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

BROKE_OFF = 70
"""The exit code of a fork whose work raised, as EX_SOFTWARE of sysexits.h."""
_GLANCE = 1.0
"""Seconds between two looks whether a fork is still there."""


class DiedError(Exception):
    """A fork is no longer there to answer."""


class Fork:
    """A forked process, and the pipe to it.

    It ends when its work is done, and at once when its parent is gone, however that went. It
    ignores the signals that end a run: they are sent to a whole group of processes, and the parent
    would take the end of its fork for a crash.

    Args:
        work: what it does; gets its end of the pipe.
    """

    def __init__(self, work: Callable[[Connection], None]) -> None:
        self._code: int | None = None
        self._pipe, theirs = Pipe()
        alive, self._alive = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Python 3.12 warns of forks beside threads: the one of xdist's waits for messages
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if not self._pid:
            self._pipe.close()
            os.close(self._alive)
            _live(work, theirs, alive)
        theirs.close()
        os.close(alive)

    def send(self, message: Any) -> None:
        """Send what can be pickled.

        Raises:
            DiedError: if nobody is there.
        """
        try:
            self._pipe.send(message)
        except OSError as error:
            raise DiedError from error

    def receive(self, seconds: float | None = None) -> Any:
        """Wait for what it sends.

        Args:
            seconds: for at most how long; None: for as long as it takes.

        Raises:
            DiedError: if it ends without a word.
            TimeoutError: if it has not said anything.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._pipe.poll(_GLANCE):
            # whoever it has started in turn may hold its end of the pipe open
            if self.gone() and not self._pipe.poll(0):
                raise DiedError
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError
        try:
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise DiedError from error

    def gone(self) -> bool:
        """Whether it has ended."""
        if self._code is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code is not None

    def end(self) -> int:
        """Kill it if it is still there; how it ended, as :attr:`subprocess.Popen.returncode`."""
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            _, status = os.waitpid(self._pid, 0)
            self._code = os.waitstatus_to_exitcode(status)
        if not self._pipe.closed:
            self._pipe.close()
            os.close(self._alive)
        return self._code


def _live(work: Callable[[Connection], None], pipe: Connection, alive: int) -> NoReturn:
    """What a fork does; it leaves without any of its parent's farewells."""
    code = BROKE_OFF
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        threading.Thread(target=_die_with, args=(alive,), daemon=True).start()
        work(pipe)
        code = 0
    except BaseException:  # noqa: BLE001 - nothing of it may run on in a copy of the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


# From 3.11 on CPython keeps frames in pieces of 16 KB. What calls where one ends has the system map
# the next one for each call, and take it back: that was a twentieth of the time of all items. The
# frame of who says that it needs more begins a piece of 1 MB (push_chunk in Python/pystate.c).
_live.__code__ = _live.__code__.replace(co_stacksize=2**16)


def _die_with(alive: int) -> None:
    """Wait for the parent's end of a pipe to be closed, which it is when the parent is gone."""
    os.read(alive, 1)
    os._exit(BROKE_OFF)


def ending(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"killed by signal {-code} ({signal.strsignal(-code)})"
    return f"left with exit code {code}"
