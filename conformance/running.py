"""One pytest item: a family of cases about one subject in one mode, judged contract by contract."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import given

from conformance.contract import Cases, Contract, Unsupported, Violation
from conformance.deviations import Deviation
from conformance.profiles import Profile, hypothesis_settings, seed_for
from conformance.record import Failure, Outcome

MAX_SHRINKS = 200
"""Candidates that are tried to make a failure smaller; more take minutes and gain a digit."""


@dataclass(frozen=True)
class Plan:
    """What an item needs to know of the run.

    Attributes:
        profile: the budget.
        seed: the base of all seeds.
        examples: the number of cases, if not the profile's.
        version: the minor version of TensorFlow.
        deviations: the known ones that concern this version.
    """

    profile: Profile
    seed: int
    examples: int | None
    version: tuple[int, int]
    deviations: Sequence[Deviation] = ()


class ItemRun:
    """The cases of one item, and what became of each contract.

    Counting, and the digest of the programs, stop at the first failure: what Hypothesis runs after
    it depends on what TensorFlow answered.
    """

    def __init__(self, cases: Cases[Any, Any], subject: str, mode: str, plan: Plan) -> None:
        self.cases, self.subject, self.mode, self.plan = cases, subject, mode, plan
        self.contracts = [c for c in cases.contracts if c.applies(mode, plan.version)]
        self.outcomes = {c.id: Outcome(c.id, subject, mode) for c in self.contracts}
        self.node_id = ""
        self._digest = hashlib.sha256()
        self._pinned: tuple[str, str] | None = None
        self._failing: set[bytes] = set()
        self._shrinks = 0

    def test(self) -> Callable[[], None]:
        """A fresh Hypothesis test of this item.

        Fresh, because parametrising one test function nests its settings once for each item and
        ends in a RecursionError near the 950th.
        """
        examples = self.plan.examples or self.plan.profile.examples[self.mode]

        def test(case: Any) -> None:
            self.examine(case)

        wrapped = given(case=self.cases.draw(self.subject, self.mode))(test)
        wrapped = hypothesis_settings(self.plan.profile, examples)(wrapped)
        seed = seed_for(self.plan.seed, self.cases.name, self.subject)
        run: Callable[[], None] = hypothesis.seed(seed)(wrapped)
        return run

    def examine(self, case: Any) -> None:
        """Run one case and let every contract look at it.

        Raises:
            Violation: if a contract is violated; once one is, only that one in that way, so that
                shrinking does not slip to another fault.
        """
        __tracebackhide__ = True
        counting = self._pinned is None
        if counting:
            self._digest.update(case.digest)
        elif case.digest not in self._failing:
            self._shrinks += 1
            if self._shrinks > MAX_SHRINKS:
                return
        started = time.perf_counter()
        try:
            seen = self.cases.run(case, self.mode)
        except Unsupported as error:
            if counting:
                for outcome in self.outcomes.values():
                    outcome.examples += 1
                    _add(outcome.rejected, str(error))
            return
        share = (time.perf_counter() - started) / max(len(self.contracts), 1)
        found = [v for c in self.contracts if (v := self._look(c, seen, case, share, counting))]
        for violation in found:
            key = (violation.contract.id, violation.kind)
            if self._pinned is None:
                self._pinned = key
            if key == self._pinned or self.outcomes[key[0]].failure is None:
                self.outcomes[key[0]].failure = self._failure(violation)
        for violation in found:
            if (violation.contract.id, violation.kind) == self._pinned:
                self._failing.add(case.digest)
                raise violation

    def _look(
        self, contract: Contract, seen: Any, case: Any, share: float, counting: bool
    ) -> Violation | None:
        outcome = self.outcomes[contract.id]
        started = time.perf_counter()
        violation: Violation | None = None
        tally = None
        try:
            tally = contract.check(seen)
        except Violation as raised:
            violation = raised
            violation.contract = contract
        if counting:
            outcome.examples += 1
            outcome.seconds += share + time.perf_counter() - started
        if violation is not None:
            for known in self.plan.deviations:
                if known.matches(violation, self.subject, self.mode, case):
                    if counting:
                        _add(outcome.deviations, known.id)
                    return None
        elif counting and tally is not None:
            outcome.conclusive += tally.conclusive
            outcome.trivial += tally.trivial
            for into, more in (
                (outcome.inconclusive, tally.inconclusive),
                (outcome.gaps, tally.gaps),
            ):
                for reason, count in more.items():
                    _add(into, reason, count)
        return violation

    def _failure(self, violation: Violation) -> Failure:
        plan = self.plan
        options = f"--tape-profile {plan.profile.name} --tape-seed {plan.seed}"
        if plan.examples:
            options += f" --tape-examples {plan.examples}"
        return Failure(
            violation.kind,
            violation.expected,
            violation.got,
            violation.where,
            violation.why,
            f'pytest "{self.node_id}" {options}',
        )

    def finish(self) -> list[Outcome]:
        """The outcomes, judged."""
        for contract in self.contracts:
            outcome = self.outcomes[contract.id]
            outcome.digest = self._digest.hexdigest()[:16]
            outcome.seconds = round(outcome.seconds, 4)
            outcome.judge(contract.floor)
        return list(self.outcomes.values())


def _add(counts: dict[str, int], reason: str, more: int = 1) -> None:
    counts[reason] = counts.get(reason, 0) + more


def failure_text(contract: Contract, outcome: Outcome, versions: str) -> str:
    """A failure for the terminal, most useful first."""
    failure = outcome.failure
    assert failure is not None
    about = " ".join(part for part in (outcome.subject, f"in mode {outcome.mode}") if part)
    return "\n".join(
        [
            f"{contract.id}: {contract.sentence}",
            f"  about {about}",
            "",
            failure.program.rstrip(),
            "",
            f"expected  {failure.expected}",
            f"got       {failure.got}",
            f"because   {failure.why}",
            f"replay    {failure.replay}",
            f"versions  {versions}",
        ]
    )
