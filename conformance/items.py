"""The items of pytest: one for each family of cases, subject and mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from conformance.contract import Cases, Violation
from conformance.errors import UsageError
from conformance.options import Options
from conformance.profiles import Profile, takes
from conformance.results import Results, told
from conformance.running import ItemRun, Plan

Begun = tuple[Plan, Results]
"""What items need to know, and where what they come to goes."""


class ContractItem(pytest.Function):
    """A family of cases about one subject in one mode.

    Attributes:
        cases, subject, mode: what they are.
        begin: what it asks when it runs.
        past: as in :class:`ItemRun`.
        run: what became of it, once it runs.
    """

    cases: Cases[Any, Any]
    subject: str
    mode: str
    begin: Callable[[], Begun]
    past: Mapping[bytes, str] = {}
    run: ItemRun | None = None

    def usual(self, profile: Profile) -> int:
        """The number of cases that a profile gives it."""
        return self.cases.usual(profile.examples, self.subject, self.mode)

    def runtest(self) -> None:
        """Draw and run the cases."""
        try:
            plan, results = self.begin()
        except UsageError as error:  # the installed TensorFlow cannot even be imported
            pytest.exit(str(error), returncode=error.code)
        results.run(self.begun(plan))

    def begun(self, plan: Plan) -> ItemRun:
        """Itself, about to be run."""
        self.run = ItemRun(self.cases, self.subject, self.mode, plan, self.past)
        self.run.node_id = self.nodeid
        return self.run

    def repr_failure(  # type: ignore[override]  # pytest.Function narrows it in the same way
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        """A violation in the words of its contract; anything else as pytest prints it."""
        if isinstance(excinfo.value, Violation) and self.run is not None:
            contract = excinfo.value.contract
            outcome = self.run.outcomes[contract.id]
            if outcome.failure is not None:
                heading = f"{contract.id}: {contract.sentence}"
                return told(heading, outcome, outcome.failure, self.config.option.tape_record)
        return super().repr_failure(excinfo)


def items_of(
    collector: pytest.Module, cases: Cases[Any, Any], options: Options, begin: Callable[[], Begun]
) -> Iterator[ContractItem]:
    """The items of a family that a session is asked for.

    Args:
        collector: the module that holds the family, under its name.
        cases: the family.
        options: of the session.
        begin: what an item asks when it runs.
    """
    for subject in cases.subjects:
        for mode in {m: 0 for c in cases.about(subject) for m in cases.modes if m in c.modes}:
            if mode in options.modes and takes(options.profile, options.seed, subject, mode):
                parts = "-".join(part for part in (subject, mode) if part)
                item: ContractItem = ContractItem.from_parent(
                    collector, name=f"{cases.name}[{parts}]", callobj=lambda: None
                )
                item.cases, item.subject, item.mode, item.begin = cases, subject, mode, begin
                item.extra_keyword_matches.update(
                    c.id for c in cases.about(subject) if mode in c.modes
                )
                yield item
