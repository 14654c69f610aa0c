"""The program that a process died of, made smaller, as Hypothesis makes any other failure smaller.

The cases of the item are drawn anew, from the same seed. None of them meets TensorFlow until the
one comes up that the process died of; from then on each is tried in a fork, and has failed if that
fork ends as the process did. So a crash that needs what went before it, or memory that it finds by
chance, is told apart from one that its program alone brings about.

Only a death that a program can repeat within seconds is looked at: not a hang, which says nothing
before its time is up, and not SIGKILL, which someone has sent: repeated for want of memory, it
could hit others.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

from hypothesis.errors import FlakyFailure

from conformance.blackbox import BlackBox, Wreck, found
from conformance.contract import Violation
from conformance.forked import BROKE_OFF, DiedError, Fork, ending
from conformance.running import ItemRun

T = TypeVar("T")

SECONDS = 60
"""How long one crash may take, TensorFlow's import included."""
TOTAL = 120
"""How long all crashes of a run may take."""
_CANDIDATE = 10.0
"""How long one candidate may take; one that takes longer does not crash."""


class _Died(Exception):  # noqa: N818 - for Hypothesis alone
    """A candidate died as the process did."""


def can_be_smaller(wreck: Wreck) -> bool:
    """Whether a death is one that is looked at."""
    if wreck.note is None or wreck.note.failed or wreck.kind == "hang":
        return False
    return wreck.ending not in (ending(-signal.SIGKILL), ending(BROKE_OFF))


@dataclass(frozen=True)
class Search(Generic[T]):
    """How smaller programs are looked for.

    Attributes:
        begin: makes a process one in which items run, and gives an item, without a black box.
        folder, name: of the black box of the candidates.
    """

    begin: Callable[[T], ItemRun]
    folder: Path
    name: str

    def smaller(
        self, wrecks: Sequence[tuple[T, Wreck]], seconds: float
    ) -> Iterator[tuple[T, Wreck]]:
        """What processes would have left that died of smaller programs.

        Args:
            wrecks: what was left, and by which item; :func:`can_be_smaller`.
            seconds: how long all of them may take.

        Yields:
            an item and a wreck with a remark, for those that there was time for.
        """
        deadline = time.monotonic() + seconds

        def serve(pipe: Connection) -> None:
            while True:
                number, until = pipe.recv()
                item, wreck = wrecks[number]
                pipe.send(self._searched(item, wreck, until))

        fork: Fork | None = None
        for number, (item, _) in enumerate(wrecks):
            until = min(time.monotonic() + SECONDS, deadline)
            if time.monotonic() >= until:
                break
            # one that imports TensorFlow once, and runs none of it itself, for as long as it lasts
            fork = fork or Fork(serve)
            try:
                fork.send((number, until))
                answer: Wreck | None = fork.receive(until - time.monotonic())
            except (DiedError, TimeoutError):
                fork.end()
                fork = None
            else:
                if answer is not None:
                    yield item, answer
        if fork is not None:
            fork.end()

    def _searched(self, which: T, wreck: Wreck, deadline: float) -> Wreck | None:
        """What a process would have left that died of a smaller program, if there was time."""
        item = self.begin(which)
        alike: list[Wreck] = []
        met, survived = False, False

        def attempt(case: Any) -> None:
            nonlocal met, survived
            met = met or (wreck.note is not None and case.digest == wreck.note.case.digest)
            if not met or survived:
                return
            left = self._tried(item, case)
            if left.note is not None and left.ending == wreck.ending:
                alike.append(left)
                raise _Died
            survived = not alike

        seconds = deadline - time.monotonic() - _CANDIDATE
        with suppress(_Died, FlakyFailure):
            item.test(attempt, max(int(seconds), 1))()
        if alike:  # Hypothesis ends with the smallest one
            left = self._plainest(item, alike[-1], deadline)
            remark = ", and so does one that runs nothing else"
            return replace(left, remark=remark, words=wreck.words)
        if survived:
            return replace(wreck, remark=", but one that runs nothing else does not")
        return None

    def _plainest(self, item: ItemRun, wreck: Wreck, deadline: float) -> Wreck:
        """What the simplest case leaves that ends alike, of those that are not drawn."""
        note, simpler = wreck.note, item.cases.simpler
        for case in () if note is None or simpler is None else simpler(note.case):
            if time.monotonic() > deadline - _CANDIDATE:
                break
            left = self._tried(item, case)
            if left.note is not None and left.ending == wreck.ending:
                return left
        return wreck

    def _tried(self, item: ItemRun, case: Any) -> Wreck:
        """What a fork leaves that runs a case."""

        def work(_: Connection) -> None:
            item.plan = replace(item.plan, black_box=BlackBox(self.folder, self.name))
            with suppress(Violation):
                item.attempt(case)

        fork = Fork(work)
        with suppress(DiedError, TimeoutError):
            fork.receive(_CANDIDATE)
        return found(self.folder, self.name, ending(fork.end()))
