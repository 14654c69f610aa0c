"""Run a function in a process of its own that has TensorFlow imported and has run no op.

A lie is told to a whole process and cannot be taken back, and TensorFlow takes seconds to import.
So one server a session imports it, and forks for each call (20 to 55 ms). The server is a process
of its own, because whoever has run an op has threads, and cannot fork safely.
"""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Callable
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest import mock

P = ParamSpec("P")
T = TypeVar("T")

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0
"""Seconds that a call may take, the server's import of TensorFlow included."""


class ForkFailedError(Exception):
    """A call raised, died or took too long; holds the fork's traceback, or its exit code."""


@cache
def _server() -> ForkServerContext:
    """The server, started on the first call."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["conformance.contracts.test_contracts", "tensorflow"])
    with mock.patch.dict(os.environ, PYTHONPATH=str(ROOT), TF_CPP_MIN_LOG_LEVEL="3"):
        forkserver.ensure_running()
    return context


def in_fork(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``function(*args, **kwargs)`` returns in a fresh fork.

    Args:
        function: of a module that can be imported, as it is sent by name.
        *args: anything that can be pickled, as must be what it returns.
        **kwargs: the same.

    Raises:
        ForkFailedError: if it does not return.
    """
    __tracebackhide__ = True
    context = _server()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, function, args, kwargs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(PATIENCE):
            process.kill()
            raise ForkFailedError(f"no answer within {PATIENCE:.0f} seconds")
        returned, answer = ours.recv()
    except EOFError:
        process.join()
        raise ForkFailedError(f"died with exit code {process.exitcode}") from None
    finally:
        ours.close()
        process.join()
    if not returned:
        raise ForkFailedError(answer)
    value: T = answer
    return value


def _answer(pipe: Connection, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Runs in the fork, which leaves by ``os._exit`` without any of its server's farewells."""
    try:
        answer = (True, function(*args, **kwargs))
    except BaseException:  # noqa: BLE001 - whatever it is, the caller must hear of it
        answer = (False, traceback.format_exc())
    pipe.send(answer)
    pipe.close()
