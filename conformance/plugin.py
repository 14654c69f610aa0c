"""The pytest plugin: options, one item for each family, subject and mode, record and summary.

It imports no TensorFlow before an item runs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Generator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from conformance import __version__, environment, options, own_deviations, shards
from conformance.blackbox import BlackBox, Wreck
from conformance.boundary import OLDEST, tensorflow, version
from conformance.contract import Cases, stated
from conformance.deviations import Deviation
from conformance.errors import ExitCode, UsageError
from conformance.items import ContractItem, items_of
from conformance.reach import why_out_of_reach
from conformance.record import Record, check_writable, outcome_from_json
from conformance.registry import registry
from conformance.results import Results
from conformance.running import ItemRun, Plan
from conformance.suite import fingerprint, fingerprints
from conformance.summary import number, summary_lines
from conformance.supervisor import Supervisor, Work
from conformance.workers import Workers

HERE = Path(__file__).parent


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main() -> Generator[None, Any, Any]:
    """What the user can put right is one error with its own exit code, wherever it was found."""
    try:
        return (yield)
    except pytest.UsageError as error:
        if not isinstance(error.__cause__, UsageError):
            raise
        sys.stderr.write(f"ERROR: {error}\n")
        return error.__cause__.code


def _refuse(config: pytest.Config, error: UsageError) -> NoReturn:
    """End the run; a worker leaves it to its controller."""
    output = getattr(config, "workeroutput", None)
    if output is None:
        raise pytest.UsageError(str(error)) from error
    output["tape_refused"] = [error.what, error.expected, error.hint, int(error.code)]
    pytest.exit(str(error), returncode=error.code)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all named --tape-…."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options before anything runs."""
    try:
        run = TapeRun(config)
    except UsageError as error:
        _refuse(config, error)
    config.stash[RUN] = run
    config.pluginmanager.register(run, "tapemeasure-run")
    if run.judges:
        # what ends a run from outside ends it as Ctrl-C does
        usual = signal.signal(signal.SIGTERM, signal.default_int_handler)
        config.add_cleanup(partial(_restore, usual))
    config.pluginmanager.register(run.workers, "tapemeasure-workers")
    supervisor = run.supervisor()
    if supervisor is not None:
        config.pluginmanager.register(supervisor, "tapemeasure-supervisor")


def _restore(handler: Any) -> None:
    signal.signal(signal.SIGTERM, handler)


def pytest_exception_interact(
    node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any]
) -> None:
    """A module that states a contract wrongly ends the run before anything was tried."""
    error = None if call.excinfo is None else call.excinfo.value
    if call.when == "collect" and isinstance(error, UsageError):
        _refuse(node.config, error)


class TapeRun:
    """One pytest session: what was asked, what came out, and the record of it."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options = options.read(config)
        self.is_worker = hasattr(config, "workerinput")
        asked = bool(self.options.path or self.options.record_only)
        asked = asked or options.asks_for_contracts(config)
        self.judges = asked and not self.is_worker and not config.option.collectonly
        if self.judges:
            self._check_surroundings()
        self.record = Record({})
        self.reported = 0
        self.broken = 0
        self.untrue = 0
        self.news: list[str] = []
        self.collected: int | None = None
        self.deviations: tuple[Deviation, ...] = ()
        self.refused: UsageError | None = None
        self.subjects: dict[str, None] = {}
        self.started = time.monotonic()
        self.results = Results(self.record, self.options.path)
        self._plan: Plan | None = None
        self.box: BlackBox | None = None
        self.workers = Workers(config, self.record, self.options.seed, partial(_refuse, config))

    def _check_surroundings(self) -> None:
        """TensorFlow is there, and the record can be written."""
        found = environment.installed_tensorflow()
        if found in (None, "unknown") or tuple(map(int, found.split(".")[:2])) < OLDEST:
            tensorflow()
        path = self.options.path
        if self.options.record_only and path is None:
            raise UsageError(
                "--tape-record-only without --tape-record",
                expected="a file for the record, as its completeness is the verdict",
                hint="add --tape-record FILE",
            )
        if path is None:
            return
        try:
            check_writable(path)
        except OSError as error:
            raise UsageError(
                f"the record cannot be written to {path}: {error.strerror}",
                expected="a file in a folder that exists or can be made",
                hint="give another path: --tape-record results/mine.json",
            ) from error

    @property
    def plan(self) -> Plan:
        """What items need to know; imports TensorFlow on first use."""
        if self._plan is None:
            minor = version(tensorflow())
            known = [d for d in self.deviations if d.covers(minor)]
            self._plan = Plan(
                self.options.profile,
                self.options.seed,
                self.options.examples,
                minor,
                tuple(known),
                registry(),
                self.box,
            )
        return self._plan

    # -- workers ---------------------------------------------------------------------------------

    def begin(self, box: BlackBox) -> dict[str, Any]:
        """Make this process one in which items run; what only such a process knows."""
        self.is_worker, self.box, self._plan = True, box, None
        tensorflow()
        return _facts()

    def again(self, item: ContractItem) -> ItemRun:
        """Make this process one in which items run, without a black box; an item that has run."""
        self.is_worker, self.box, self._plan = True, None, None
        return item.begun(self.plan)

    def known(self, wreck: Wreck) -> str | None:
        """The known deviation that the death of a process is; imports no TensorFlow."""
        note, found = wreck.note, environment.installed_tensorflow()
        if note is None or found in (None, "unknown"):
            return None
        major, minor, *_ = found.split(".")
        about = getattr(note.case, "first", note.case)
        told = note.contracts, wreck.told, note.subject, note.mode, about
        here = (d for d in self.deviations if d.covers((int(major), int(minor))))
        return next((d.id for d in here if d.kills(*told)), None)

    def supervisor(self) -> Supervisor | None:
        """Who runs the items of this process, if it is not itself that does."""
        option = self.config.option
        distributes = self.judges and getattr(option, "dist", "no") != "no"
        debugs = option.usepdb or option.trace
        if distributes or debugs or option.collectonly or not hasattr(os, "fork"):
            return None
        given = getattr(self.config, "workerinput", None)
        if given is None:
            given = {"tape_boxes": self.workers.boxes.name, "workerid": "0", "workercount": 1}
        work = Work(
            items=ContractItem,
            begin=self.begin,
            again=self.again,
            retell=self.workers.retell,
            refuse=partial(_refuse, self.config),
            known=self.known,
            folder=Path(given["tape_boxes"]),
            name=given["workerid"],
            share=1 / given["workercount"],
        )
        return Supervisor(self.config, work)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:  # noqa: ARG002
        """How many items there are, where workers collect them."""
        if self.judges:
            self._begin(len(ids))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Leave out what belongs to other parts of the run; take in the user's witnesses."""
        ours = [item for item in items if isinstance(item, ContractItem)]
        if ours:
            try:
                files = self.options.deviations
                self.deviations = own_deviations.known(files, self.subjects)
            except UsageError as error:
                self.refused = error  # what raises here would not keep workers from beginning
            items += own_deviations.items(session, self.deviations)
        if self.options.shard is None:
            return
        usual = {item.nodeid: float(item.usual(self.options.profile)) for item in ours}
        mine = self.options.shard.takes(shards.weights(usual, self.options.took))
        others = [item for item in ours if item.nodeid not in mine]
        if others:
            self.config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if item.nodeid not in usual or item.nodeid in mine]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """How many items there are, and what is known of the contracts that they speak for."""
        if self.refused is not None:
            _refuse(self.config, self.refused)
        if any(isinstance(item, ContractItem) for item in session.items):
            self._begin(len(session.items))

    def _begin(self, collected: int) -> None:
        """Leave a record that says it is incomplete, for whatever happens.

        Not before everything that can be refused has been looked at: a refused run leaves nothing.
        """
        if self.collected is None and collected:
            own = fingerprints(self.options.deviations)
            known = {"deviations": own} if own else {}
            self.record.header = {**self._header(), **known, "used": None}
            self.collected = collected
            self._write_unfinished()

    # -- what is printed first -------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        """What is really used."""
        if not self.judges:
            return []
        return environment.header_lines(self._header())

    def _header(self) -> dict[str, Any]:
        """The header of a record, as far as it is known before TensorFlow is imported."""
        return {
            "tapemeasure": __version__,
            "suite": fingerprint(),
            "selection": options.selection(self.config),
            "shard": None if self.options.shard is None else str(self.options.shard),
            "profile": self.options.profile.name,
            "seed": self.options.seed,
            "examples": self.options.examples,
            "modes": list(self.options.modes),
            **environment.surroundings(),
        }

    # -- outcomes --------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the outcomes of an item to its report, which also travels between processes."""
        report = yield
        if isinstance(item, own_deviations.WitnessItem) and item.news:
            report.tape_news = item.news  # type: ignore[attr-defined]
        if isinstance(item, own_deviations.WitnessItem):
            report.tape_untrue = call.excinfo is not None  # type: ignore[attr-defined]
        if isinstance(item, ContractItem) and call.when == "call":
            outcomes = [] if item.run is None else item.run.finish()
            if call.excinfo is None or any(o.failure is not None for o in outcomes):
                text = json.dumps([asdict(outcome) for outcome in outcomes])
                report.tape_outcomes = text  # type: ignore[attr-defined]
                notes = [] if item.run is None else item.run.seen()
                report.tape_notes = json.dumps(notes)  # type: ignore[attr-defined]
            else:
                report.tape_broken = True  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcomes of an item into the record."""
        if report.when == "call":
            self.reported += 1
            self.news += [report.tape_news] if hasattr(report, "tape_news") else []
        self.broken += getattr(report, "tape_broken", False)
        self.untrue += getattr(report, "tape_untrue", False)
        outcomes = getattr(report, "tape_outcomes", None)
        facts = getattr(report, "tape_facts", None)
        if self.is_worker:
            return
        if facts is not None:
            self._take(json.loads(facts))
        if outcomes is None:
            return
        self.record.outcomes += map(outcome_from_json, json.loads(outcomes))
        self.record.note(json.loads(report.tape_notes))
        self._write_unfinished()

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the record; with --tape-record-only its completeness is the verdict.

        But whoever holds deviations of their own is told that one is no longer true.
        """
        if self.is_worker:
            return
        if self._plan is not None:
            self._take(_facts())
        ran = exitstatus in (ExitCode.HOLDS, ExitCode.VIOLATED)
        complete = ran and self.collected == self.reported and not self.broken
        self.record.complete = complete
        self.record.seconds = time.monotonic() - self.started
        interrupted = exitstatus == ExitCode.INTERRUPTED
        if self.options.path is not None and self.judges and (self.collected or interrupted):
            self.record.header = self.record.header or {**self._header(), "used": None}
            self.results.write()
        if ran and self.broken:
            session.exitstatus = ExitCode.INTERNAL
        elif self.options.record_only and complete and not self.untrue:
            session.exitstatus = ExitCode.HOLDS

    def _take(self, facts: dict[str, Any]) -> None:
        self.record.header["used"], self.record.contracts = facts["used"], facts["contracts"]
        self.record.registered, self.record.modules = facts["registered"], facts["modules"]

    def _write_unfinished(self) -> None:
        """Whatever comes next, what has been reached is on disk."""
        self.record.seconds = time.monotonic() - self.started
        self.record.progress = f"{self.reported} of {self.collected} items"
        if self.judges:
            self.results.write_unfinished()

    # -- what is printed last --------------------------------------------------------------------

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """A line for each cell that does not hold, then the counts."""
        if not self.judges or (self.collected is None and not self.record.outcomes):
            return
        terminalreporter.write_sep("=", "tapemeasure")
        for line in [*self.news, *summary_lines(self.record)]:
            terminalreporter.write_line(line)
        if self.broken:
            items = number(self.broken, "item")
            terminalreporter.write_line(f"{items} broke off: see the errors above")
        for line in self.results.lines():
            terminalreporter.write_line(line)


RUN = pytest.StashKey[TapeRun]()


def _facts() -> dict[str, Any]:
    """What only a process knows that has run items: its TensorFlow's, and the contracts."""
    used = environment.used(tensorflow())
    registered = {op: why_out_of_reach(op) for op in registry().differentiable}
    modules = registry().modules
    return {"used": used, "contracts": stated(), "registered": registered, "modules": modules}


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module, name: str, obj: object
) -> list[pytest.Item] | None:
    """One item for each subject and mode of a family of cases, in the module that calls it so."""
    if not isinstance(obj, Cases) or not isinstance(collector, pytest.Module) or name != obj.name:
        return None
    run = collector.config.stash[RUN]
    run.subjects |= dict.fromkeys(obj.subjects)
    return list(items_of(collector, obj, run.options, lambda: (run.plan, run.results)))
