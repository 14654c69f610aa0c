"""Who runs the items: a forked worker, which is replaced when it dies.

With the workers of xdist each of them has one, without them pytest itself. It imports TensorFlow,
and whoever supervises it never does. A debugger is an exception: what it looks at runs where it is.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol  # what a worker needs has no public name

from conformance.blackbox import SECONDS as PATIENCE
from conformance.blackbox import BlackBox, Wreck, found
from conformance.errors import ExitCode, UsageError
from conformance.failures import crashed
from conformance.forked import DiedError, Fork, ending
from conformance.record import Outcome
from conformance.results import told
from conformance.running import ItemRun
from conformance.smaller import TOTAL, Search, can_be_smaller

DEATHS = 8
"""Known deaths of one item; what dies once more is given up."""
ITEMS = 500
"""After how many items a worker is replaced, for its memory: TensorFlow keeps what it compiles."""


@dataclass(frozen=True)
class Work:
    """What is supervised.

    Attributes:
        items: the type of the items that a worker runs; others are pytest's.
        begin: makes a process one in which they run: keeps its notes in a black box, imports
            TensorFlow, and returns what only such a process knows, ready for JSON.
        again: makes a process one in which items run, without a black box, and gives an item.
        retell: takes the report of an item that was reported before; it says more now.
        refuse: ends the run with an error of the user's.
        known: the id of the known deviation that the death of a process is, if it is one.
        folder: where black boxes are kept.
        name: of this process, unlike any other's that keeps its black box there.
        share: the part of the time that crashes may take in a run that belongs to this process.
    """

    items: type[pytest.Item]
    begin: Callable[[BlackBox], dict[str, Any]]
    again: Callable[[Any], ItemRun]
    retell: Callable[[pytest.TestReport], None]
    refuse: Callable[[UsageError], None]
    known: Callable[[Wreck], str | None]
    folder: Path
    name: str
    share: float


class Supervisor:
    """Runs items in a worker, and tells what becomes of those that it dies of."""

    def __init__(self, config: pytest.Config, work: Work) -> None:
        self.config, self.work = config, work
        self._worker: Fork | None = None
        self._served = 0
        self._last: pytest.Item
        self._wrecks: list[tuple[pytest.Item, Wreck]] = []
        self._facts: str | None = None
        self._items: list[pytest.Item] = []
        self._places: dict[pytest.Item, int] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Let a worker run an item of ours."""
        if not isinstance(item, self.work.items):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(item, nextitem):
            if self._facts is not None:
                report.tape_facts, self._facts = self._facts, None  # type: ignore[attr-defined]
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """When every item has its verdict there is time to make crashes smaller."""
        self._end()
        if exitstatus not in (ExitCode.HOLDS, ExitCode.VIOLATED):
            return
        search = Search(self._again, self.work.folder, f"{self.work.name}.smaller")
        for item, wreck in search.smaller(self._wrecks, TOTAL * self.work.share):
            self.work.retell(_report(item, wreck))

    def _again(self, item: pytest.Item) -> ItemRun:
        with self._captured():
            return self.work.again(item)

    def _reports(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Iterator[pytest.TestReport]:
        """The reports of an item, as they come; the last is ours if its process dies."""
        if not self._items:
            self._items = item.session.items
            self._places = {each: place for place, each in enumerate(self._items)}
        if self._served and self._worker is not None and self._worker.gone():
            # what the last one had begun went on, and killed it; this one has not begun
            report = _report(item, *self._wreck(), self._last.nodeid)
            report.when = "setup"
            yield report
        self._last = item
        past: dict[bytes, str] = {}
        while (more := (yield from self._served_by_one(item, nextitem, past))) is not None:
            past.update(more)

    def _served_by_one(
        self, item: pytest.Item, nextitem: pytest.Item | None, past: Mapping[bytes, str]
    ) -> Generator[pytest.TestReport, None, dict[bytes, str] | None]:
        """The reports of an item by one worker.

        Args:
            item: what it runs.
            nextitem: what it runs next.
            past: the cases that others died of, each with the known deviation that it is.

        Returns:
            one more of them, if it died of one and another should try; else None.
        """
        worker = self._worker or self._begun()
        self._served += 1
        last = self._served >= ITEMS
        places = [self._places[each] for each in (item, None if last else nextitem) if each]
        try:
            worker.send((places, past))
            while (data := worker.receive()) is not None:
                yield self.config.hook.pytest_report_from_serializable(
                    config=self.config, data=data
                )
        except DiedError:
            wreck, printed = self._wreck()
            known = self.work.known(wreck)
            if known is not None and wreck.note is not None and len(past) < DEATHS:
                digest: bytes = wreck.note.case.digest
                if digest not in past:
                    return {digest: known}
            if can_be_smaller(wreck):
                self._wrecks.append((item, wreck))
            yield _report(item, wreck, printed)
        if last:
            self._end()
        return None

    def _begun(self) -> Fork:
        """A worker that has imported TensorFlow."""
        self._worker, self._served = Fork(self._serve), 0
        try:
            facts = self._worker.receive(PATIENCE)
        except (DiedError, TimeoutError) as error:
            wreck, printed = self._wreck()
            late = f"it took more than {PATIENCE:.0f} seconds"
            cause = late if isinstance(error, TimeoutError) else wreck.cause
            facts = UsageError(
                f"TensorFlow cannot be imported by {sys.executable}: {cause}",
                expected="a process that is still there when it has imported TensorFlow",
                hint="its last words: " + "\n".join([*dict(printed).values(), wreck.stack]),
                code=ExitCode.NO_TENSORFLOW,
            )
        if isinstance(facts, UsageError):
            self.work.refuse(facts)
        self._facts = facts
        return self._worker

    def _serve(self, pipe: Connection) -> None:
        """What a worker does."""
        box = BlackBox(self.work.folder, self.work.name)
        try:
            with self._captured():
                facts = self.work.begin(box)
        except UsageError as error:
            pipe.send(error)
            return
        pipe.send(json.dumps(facts))
        gc.freeze()  # TensorFlow stays: no collection has to look at all of it
        while True:
            try:
                places, past = pipe.recv()
            except EOFError:
                return
            item, *following = (self._items[place] for place in places)
            item.past = past
            nextitem = following[0] if following else None
            for report in runtestprotocol(item, log=False, nextitem=nextitem):
                data = self.config.hook.pytest_report_to_serializable(
                    config=self.config, report=report
                )
                pipe.send(data)
            sys.stdout.flush()
            sys.stderr.flush()
            pipe.send(None)

    def _end(self) -> int:
        worker, self._worker = self._worker, None
        return 0 if worker is None else worker.end()

    def _wreck(self) -> tuple[Wreck, list[tuple[str, str]]]:
        """What is left of the worker, and what it had printed."""
        wreck = found(self.work.folder, self.work.name, ending(self._end()))
        printed = self._printed()
        words = [word for _, text in printed for word in _FATAL.findall(text)]
        return replace(wreck, words=words[0] if words else ""), printed

    @contextmanager
    def _captured(self) -> Iterator[None]:
        """What is printed stays unprinted: TensorFlow has much to say when it is imported."""
        capture = self._capture
        if capture is not None:
            capture.resume_global_capture()
        yield
        if capture is not None:
            capture.suspend_global_capture()
            capture.read_global_capture()

    @property
    def _capture(self) -> Any:
        """Pytest's, if it captures what is printed."""
        capture = self.config.pluginmanager.getplugin("capturemanager")
        return capture if capture is not None and capture.is_globally_capturing() else None

    def _printed(self) -> list[tuple[str, str]]:
        """What a worker had printed; whoever is captured next would be given it else."""
        if self._capture is None:
            return []
        texts = zip(("out", "err"), self._capture.read_global_capture(), strict=True)
        return [(f"Captured std{name} call", text) for name, text in texts if text]


_FATAL: Final = re.compile(r"^(?:F\d{4} |.*: F ).*?\] (.+)$", re.MULTILINE)
"""A line that TensorFlow logs before it ends the process, and after where that is in its source."""


def _report(
    item: pytest.Item,
    wreck: Wreck,
    sections: Sequence[tuple[str, str]] = (),
    node: str = "",
) -> pytest.TestReport:
    """The report of an item whose process has died."""
    report = pytest.TestReport(item.nodeid, item.location, {}, "failed", None, "call", sections)
    tell(report, wreck, item.config.option.tape_record, node)
    return report


def tell(report: Any, wreck: Wreck, record: str | None, node: str = "") -> None:
    """Write into the report of an item what its process has left.

    Args:
        report: of the item.
        wreck: what is left.
        record: the file of the run's record, if there is one.
        node: of the item that the process died of, if it is another one.
    """
    if wreck.note is None:
        where = node or report.nodeid
        report.tape_broken = True
        report.longrepr = (
            f"{where}: the process died between two cases: {wreck.cause}\n{wreck.stack}"
        )
        return
    outcomes = crashed(wreck.note, wreck)
    report.tape_outcomes = json.dumps([asdict(outcome) for outcome in outcomes])
    report.tape_notes = json.dumps([])
    report.longrepr = "\n\n".join(_texts(report.nodeid, outcomes, record))


def _texts(node: str, outcomes: Sequence[Outcome], record: str | None) -> Iterator[str]:
    """Each failure for the terminal: what the process died of once, for all contracts."""
    headings = {"crashed": f"{node}: the process died"}
    for outcome in {o.contract if o.verdict == "violated" else "": o for o in outcomes}.values():
        if outcome.failure is not None:
            heading = headings.get(outcome.verdict, outcome.contract)
            yield told(heading, outcome, outcome.failure, record)
