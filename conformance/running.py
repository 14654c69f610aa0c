"""One pytest item: a family of cases about one subject in one mode, judged contract by contract."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import given
from hypothesis.errors import FlakyFailure

from conformance.blackbox import BlackBox, Note
from conformance.boundary import forget_jvps
from conformance.contract import Cases, Contract, Tally, Unsupported, Violation
from conformance.coverage import Coverage
from conformance.deviations import Deviation
from conformance.profiles import (
    Profile,
    draw_each_case_afresh,
    forget_local_constants,
    hypothesis_settings,
    seed_for,
    shrinking_at_most,
)
from conformance.record import PREFIX, Failure, Outcome
from conformance.registry import Registry

SHRINK_SECONDS = 10
"""How long a failure is made smaller. The verdict stands before; only the program gets shorter."""


@dataclass(frozen=True)
class Plan:
    """What an item needs to know of the run.

    Attributes:
        profile: the budget.
        seed: the base of all seeds.
        examples: the number of cases, if not the profile's.
        version: the minor version of TensorFlow.
        deviations: the known ones that concern this version.
        registry: where it is noted which gradient functions run, if it is.
        black_box: where each case is noted before it meets TensorFlow, if it is.
    """

    profile: Profile
    seed: int
    examples: int | None
    version: tuple[int, int]
    deviations: Sequence[Deviation] = ()
    registry: Registry | None = None
    black_box: BlackBox | None = None


class ItemRun:
    """The cases of one item, and what became of each contract.

    Counting, and the digest of the programs, stop at the first failure: what Hypothesis runs after
    it depends on what TensorFlow answered.

    Args:
        cases, subject, mode: what is asked of what, and how.
        plan: what it needs to know of the run.
        past: by digest, the cases that another process died of, each with the id of the known
            deviation that it is: they count, and are not run.
    """

    def __init__(
        self,
        cases: Cases[Any, Any],
        subject: str,
        mode: str,
        plan: Plan,
        past: Mapping[bytes, str] | None = None,
    ) -> None:
        self.cases, self.subject, self.mode, self.plan = cases, subject, mode, plan
        self.past = past or {}
        self.contracts = [c for c in cases.about(subject) if c.applies(mode, plan.version)]
        told = "" if cases.one_each else subject
        self.outcomes = {c.id: Outcome(c.id, told, mode) for c in self.contracts}
        self.node_id = ""
        self.notes: list[Mapping[str, Any]] = []
        self.coverage = Coverage()
        self._digest = hashlib.sha256()
        self._prefixes: list[str] = []
        self._seconds = 0.0
        self._pinned: tuple[str, str] | None = None
        self._raised: Violation | None = None
        self._violated: dict[str, tuple[Violation, Any]] = {}

    def test(
        self, attempt: Callable[[Any], None] | None = None, seconds: int | None = None
    ) -> Callable[[], None]:
        """A fresh Hypothesis test of this item.

        Fresh, because parametrising one test function nests its settings once for each item and
        ends in a RecursionError near the 950th.

        Args:
            attempt: what is done with each case instead of :meth:`attempt`; fails by raising.
            seconds: for how long a failure is made smaller, if not :data:`SHRINK_SECONDS`.
        """
        shrinking = SHRINK_SECONDS if seconds is None else seconds
        look = self._drawing(attempt or self.attempt)

        def run() -> None:
            if not self.contracts:
                return
            forget_local_constants()
            draw_each_case_afresh()
            started = time.perf_counter()
            try:
                with shrinking_at_most(shrinking):
                    look()
            except Violation:
                self._make_plain(time.perf_counter() + shrinking)
                raise
            except FlakyFailure as flaky:
                if self._raised is None:
                    raise
                raise self._unsteady(self._raised) from flaky
            finally:
                self._seconds = time.perf_counter() - started
                if self.plan.black_box is not None:
                    self.plan.black_box.rest()

        return run

    def _drawing(self, look: Callable[[Any], None]) -> Callable[[], None]:
        """Draw as many cases as the plan says, and look at each.

        Hypothesis begins with the simplest case, which tells less than any other; so the only case
        of an item is another, unless there is none. With a database it may begin with one that
        failed.
        """
        usual = self.cases.usual(self.plan.profile.examples, self.subject, self.mode)
        examples = self.plan.examples or usual
        more = int(examples == 1)
        passed_over = more * self.plan.profile.fixed_seed
        drawn: list[Any] = []

        def test(case: Any) -> None:
            drawn.append(case)
            if len(drawn) > passed_over:
                look(case)

        wrapped = given(case=self.cases.draw(self.subject, self.mode))(test)
        wrapped = hypothesis_settings(self.plan.profile, examples + more)(wrapped)
        seed = seed_for(self.plan.seed, self.cases.name, self.subject)
        seeded: Callable[[], None] = hypothesis.seed(seed)(wrapped)

        def draw() -> None:
            seeded()
            if len(drawn) == passed_over == 1:
                look(*drawn)
            for case in self.cases.beside(drawn, self.mode) if self.cases.beside else ():
                look(case)

        return draw

    def _make_plain(self, deadline: float) -> None:
        """Tell each violation in a simpler case, if one has it too, of those that are not drawn."""
        for name, (violation, case) in self._violated.items():
            found = self._plainer(violation, case, deadline)
            if found is not None:
                self.outcomes[name].failure = self._failure(found)

    def _plainer(self, violation: Violation, case: Any, deadline: float) -> Violation | None:
        """The same violation in the simplest case that has it, of those that there is time for."""
        for simpler in self.cases.simpler(case) if self.cases.simpler else ():
            if time.perf_counter() > deadline:
                break
            try:
                with self._noted(simpler), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = _look(violation.contract, self._run(simpler))
            except Unsupported:
                continue
            if not isinstance(found, Violation) or found.kind != violation.kind:
                continue
            if self._known(found, violation.contract.id, simpler) is None:
                return found
        return None

    def _unsteady(self, violation: Violation) -> Violation:
        """A violation that was seen, but not again when its program was run once more."""
        violation.why += "; run once more in the same process, it was not violated: what TensorFlow"
        violation.why += " does here depends on what went before, or on memory that is not its own"
        self.outcomes[violation.contract.id].failure = self._failure(violation)
        return violation

    def attempt(self, case: Any) -> None:
        """Note one case, then :meth:`examine` it."""
        with warnings.catch_warnings():
            # what TensorFlow warns of is not judged; raised, it would pass for what its gradients
            # raise
            warnings.simplefilter("ignore")
            with self._noted(case):
                self.examine(case)

    def examine(self, case: Any) -> None:
        """Run one case and let every contract look at it.

        Raises:
            Violation: if a contract is violated; once one is, only that one in that way, so that
                shrinking does not slip to another fault.
        """
        __tracebackhide__ = True
        searching = self._pinned is None
        if searching:
            self._digest.update(case.digest)
            self._prefixes.append(self._digest.hexdigest()[:PREFIX])
        started = time.perf_counter()
        seen = self._seen(case, searching=searching)
        if seen is None:
            return
        if searching and self.cases.notes is not None:
            self.notes += self.cases.notes(seen)
        share = (time.perf_counter() - started) / max(len(self.contracts), 1)
        ran, violations = self._called(), []
        alone = self.cases.alone is not None and self.cases.alone(case, self.mode)
        self.coverage.add(ran, ops=[self.subject] if alone else [])
        for contract in self.contracts:
            started = time.perf_counter()
            found = _look(contract, seen)
            known = self._known(found, contract.id, case)
            if searching:
                self.outcomes[contract.id].seconds += share + time.perf_counter() - started
                self._count(self.outcomes[contract.id], found, known)
            if isinstance(found, Violation) and known is None:
                violations.append(found)
            certain = isinstance(found, Tally) and found.certain and known is None
            self._cover(contract, ran, verified=contract.oracle and certain)
        self._note(violations, case, first=searching)
        for violation in violations:
            if (violation.contract.id, violation.kind) == self._pinned:
                self._raised = violation
                raise violation

    def _seen(self, case: Any, *, searching: bool) -> Any:
        """What was seen of a case; None if it cannot be run, or nobody survives it."""
        try:
            if case.digest not in self.past:
                return self._run(case)
        except Unsupported as error:
            if searching:
                self._reject(str(error))
            return None
        if searching:
            self._count_death(self.past[case.digest])
        return None

    def _run(self, case: Any) -> Any:
        self._called()
        forget_jvps()
        return self.cases.run(case, self.mode)

    def _noted(self, case: Any) -> AbstractContextManager[None]:
        """While it lasts the black box says what is being tried, if there is one."""
        if self.plan.black_box is None:
            return nullcontext()
        told = next(iter(self.outcomes.values())).subject
        source, replay = self.cases.source, self._replay
        failed = tuple(o for o in self.outcomes.values() if o.failure is not None)
        note = Note(tuple(self.outcomes), told, self.mode, source, case, replay, failed)
        return self.plan.black_box.trying(note)

    def _cover(self, contract: Contract, ran: set[str], *, verified: bool) -> None:
        """Note which gradient functions a contract ran, and which of the case's it verified."""
        asked = self._called()
        self.coverage.add(asked)
        if verified:
            # an oracle that runs a function itself would not notice that it is wrong
            self.coverage.add(ran - asked, [contract.id])

    def _called(self) -> set[str]:
        """Which gradient functions ran since this was asked before, as far as it is noted."""
        return self.plan.registry.take() if self.plan.registry is not None else set()

    def _reject(self, error: str) -> None:
        for outcome in self.outcomes.values():
            outcome.examples += 1
            outcome.fates += "r"
            _add(outcome.rejected, error)

    def _count_death(self, known: str) -> None:
        """A deviation of the contracts that it names; to the others the case cannot be shown."""
        named = {name for d in self.plan.deviations if d.id == known for name in d.contracts}
        for outcome in self.outcomes.values():
            failed = outcome.contract in named
            outcome.examples += 1
            outcome.fates += "d" if failed else "r"
            _add(outcome.deviations if failed else outcome.rejected, known)

    def _known(self, found: Tally | Violation, contract: str, case: Any) -> Deviation | None:
        """The known deviation that a failure is, if any, or that this time has not shown."""
        where = self.subject, self.mode
        known = self.plan.deviations
        if isinstance(found, Violation):
            about = found.about or case
            return next((d for d in known if d.matches(found, *where, about)), None)
        if not (found.conclusive or found.trivial or found.inconclusive):
            return None
        # what stood in memory must not decide a verdict; of a gradient its own case is asked
        flickering = (d for d in known if d.flickers)
        about = getattr(case, "first", case)
        return next((d for d in flickering if d.may_show(contract, *where, about)), None)

    @staticmethod
    def _count(outcome: Outcome, found: Tally | Violation, known: Deviation | None) -> None:
        outcome.examples += 1
        outcome.fates += _fate(found, known)
        if known is not None:
            _add(outcome.deviations, known.id)
        if known is not None or isinstance(found, Violation):
            return
        outcome.conclusive += found.conclusive
        outcome.trivial += found.trivial
        for reason, count in found.inconclusive.items():
            _add(outcome.inconclusive, reason, count)
        for error, count in found.gaps.items():
            _add(outcome.gaps, error, count)

    def _note(self, violations: Sequence[Violation], case: Any, *, first: bool) -> None:
        """Pin the first violation that is seen, and keep the last of its kind.

        What else is violated then is kept too; what shrinking happens to meet is not.
        """
        for violation in violations:
            key = (violation.contract.id, violation.kind)
            if self._pinned is None:
                self._pinned = key
            if first or key == self._pinned:
                self.outcomes[violation.contract.id].failure = self._failure(violation)
                self._violated[violation.contract.id] = violation, case

    @property
    def _replay(self) -> str:
        """The command that repeats the item."""
        plan = self.plan
        options = f"--tape-profile {plan.profile.name} --tape-seed {plan.seed}"
        if plan.examples:
            options += f" --tape-examples {plan.examples}"
        return f'pytest "{self.node_id}" {options}'

    def _failure(self, violation: Violation) -> Failure:
        return Failure(
            violation.kind,
            violation.expected,
            violation.got,
            violation.where,
            violation.why,
            self._replay,
        )

    @property
    def failures(self) -> list[Failure]:
        """What has failed, one for each contract."""
        return [o.failure for o in self.outcomes.values() if o.failure is not None]

    @property
    def _told(self) -> str:
        """The digest of all programs that were drawn, as outcomes have it."""
        return self._digest.hexdigest()[:16]

    def seen(self) -> list[Mapping[str, Any]]:
        """What a record keeps of the item beside its outcomes, ready for JSON."""
        if not self.contracts:
            return []  # none of them is asked of this version, so nothing was drawn
        met = {name for outcome in self.outcomes.values() for name in outcome.deviations}
        known = [d.note() for d in self.plan.deviations if d.id in met]
        programs = {
            "note": "programs",
            "digest": self._told,
            "item": self.node_id,
            "prefixes": "".join(self._prefixes),
            "seconds": round(self._seconds, 4),
        }
        return [*self.notes, *self.coverage.notes(), *known, programs]

    def finish(self) -> list[Outcome]:
        """The outcomes, judged."""
        for contract in self.contracts:
            outcome = self.outcomes[contract.id]
            outcome.digest = self._told
            outcome.seconds = round(outcome.seconds, 4)
            outcome.judge(contract.floor)
        return list(self.outcomes.values())


def _look(contract: Contract, seen: Any) -> Tally | Violation:
    """What a contract says of what was seen."""
    try:
        return contract.check(seen)
    except Violation as violation:
        violation.contract = contract
        return violation


def _fate(found: Tally | Violation, known: Deviation | None) -> str:
    """What became of a case, as records have it."""
    if known is not None:
        return "d"
    if isinstance(found, Violation):
        return "v"
    seen = {"h": found.conclusive, "g": found.gaps, "i": found.inconclusive, "t": found.trivial}
    return next((letter for letter, any_ in seen.items() if any_), "n")


def _add(counts: dict[str, int], reason: str, more: int = 1) -> None:
    counts[reason] = counts.get(reason, 0) + more
