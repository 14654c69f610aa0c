"""What a session of pytest has to do with the workers of xdist, if it has any."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from conformance.blackbox import found
from conformance.errors import ExitCode, UsageError
from conformance.record import Record, outcome_from_json
from conformance.supervisor import tell


class Workers:
    """What is sent to workers, and what comes from them beside the reports of items.

    Args:
        config: of the session; a worker of xdist has one of its own.
        record: of the run.
        seed: the base of all seeds.
        refuse: ends the run with an error of the user's.
    """

    def __init__(
        self,
        config: pytest.Config,
        record: Record,
        seed: int,
        refuse: Callable[[UsageError], None],
    ) -> None:
        self.config, self.record, self.seed, self.refuse = config, record, seed, refuse
        self._ready: set[str] = set()
        self._failed: dict[str, pytest.TestReport] = {}
        if getattr(config.option, "maxworkerrestart", "") is None:
            # as often as someone kills one, the run goes on
            config.option.maxworkerrestart = str(sys.maxsize)

    @cached_property
    def boxes(self) -> tempfile.TemporaryDirectory[str]:
        """Where the processes that run items keep what they try."""
        return tempfile.TemporaryDirectory(prefix="tapemeasure-")

    def pytest_unconfigure(self) -> None:
        """Nobody is left who could write there."""
        if "boxes" in vars(self):
            self.boxes.cleanup()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Every worker uses the same base seed, and keeps its notes in the same folder."""
        node.workerinput["tape_seed"] = self.seed
        node.workerinput["tape_boxes"] = self.boxes.name

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """From now on a worker has items to die of."""
        self._ready.add(node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """What a worker knows at its end: why it refused, or more of what it has reported."""
        output = getattr(node, "workeroutput", {})
        for data in output.get("tape_retold", []):
            self.retell(
                self.config.hook.pytest_report_from_serializable(config=self.config, data=data)
            )
        if refused := output.get("tape_refused"):
            what, expected, hint, code = refused
            self.refuse(UsageError(what, expected=expected, hint=hint, code=ExitCode(code)))
        if error and node.gateway.id not in self._ready:
            # the next one would die too, and so without end
            self.refuse(
                UsageError(
                    f"a worker died while it collected the contracts: {error}",
                    expected="modules that can be imported",
                    hint="see where: pytest conformance -n 0 --collect-only",
                    code=ExitCode.INTERNAL,
                ),
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, report: Any) -> None:
        """Someone has killed a worker of xdist, and with it the process that ran the item."""
        wreck = found(Path(self.boxes.name), report.node.gateway.id, "killed with its parent")
        tell(report, wreck, self.config.option.tape_record)
        report.when = "call"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what failed, as more may be known of it at the end."""
        if report.when == "call" and report.failed:
            self._failed[report.nodeid] = report

    def retell(self, report: Any) -> None:
        """Take what is known now of an item that was reported before; a worker sends it on."""
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
            output.setdefault("tape_retold", []).append(data)
            return
        self._failed[report.nodeid].longrepr = report.longrepr
        outcomes = map(outcome_from_json, json.loads(report.tape_outcomes))
        told = {(o.contract, o.subject, o.mode): o for o in outcomes}
        self.record.outcomes[:] = [
            told.get((o.contract, o.subject, o.mode), o) for o in self.record.outcomes
        ]
