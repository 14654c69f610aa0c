"""One pytest item: many of them in one process."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import time
import warnings
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import strategies as st

from conformance import running
from conformance.boundary import forget_jvps, tensorflow
from conformance.contract import CATALOGUE, UNDOCUMENTED, Cases, Tally, Unsupported, Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, load
from conformance.profiles import PROFILES
from conformance.record import PREFIX
from conformance.registry import registry
from conformance.running import ItemRun, Plan
from tests.forks import in_fork

assert contracts.CHAPTERS  # who imports them has the catalogue filled
ITEMS = 2000


@dataclass(frozen=True)
class Number:
    """A case that costs nothing."""

    value: int

    @property
    def digest(self) -> bytes:
        """A stable hash of what was drawn."""
        return hashlib.sha256(str(self.value).encode()).digest()


def printed(case: Number, _: str) -> str:
    """The case as a program."""
    return repr(case)


def small_numbers(subjects: tuple[str, ...]) -> Cases[Number, Number]:
    """A family with a promise that holds."""
    family: Cases[Number, Number] = Cases(
        "number",
        lambda _, __: st.integers(0, 9).map(Number),
        lambda case, _: case,
        printed,
        subjects=subjects,
        modes=("eager",),
    )
    promise = family.contract("number-is-small", "It is small.", cites=[UNDOCUMENTED])
    try:
        promise(lambda seen: Tally(conclusive=int(seen.value < 10)))
    finally:
        CATALOGUE.pop("number-is-small")
    return family


def looked_at(examples: int, drawn: st.SearchStrategy[int], *, profile: str = "quick") -> list[int]:
    """The numbers that an item of so many cases looks at."""
    seen: list[int] = []
    family = replace(small_numbers(("",)), draw=lambda _, __: drawn.map(Number))
    plan = Plan(replace(PROFILES[profile], examples={"eager": examples}), 0, None, (2, 21))
    run = ItemRun(family, "", "eager", plan)
    run.test(lambda case: seen.append(case.value))()
    return seen


def test_the_only_case_of_an_item_is_not_the_simplest() -> None:
    """Which Hypothesis begins with: an item of several has it, and where there is no other, one."""
    assert looked_at(3, st.integers(0, 999))[0] == 0
    (one,) = looked_at(1, st.integers(0, 999))
    assert one
    assert looked_at(1, st.just(0)) == [0]


def test_what_a_database_may_begin_with_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be what has failed before; so there are two."""
    monkeypatch.chdir(tmp_path)

    first, second = looked_at(1, st.integers(0, 999), profile="explore")
    assert first == 0 < second


def test_two_thousand_items_run_in_one_process() -> None:
    """Each item has a fresh test, so that settings do not nest until Python's stack overflows."""
    family = small_numbers(tuple(map(str, range(ITEMS))))
    plan = Plan(replace(PROFILES["quick"], examples={"eager": 1}), 0, None, (2, 21))
    started = time.perf_counter()

    verdicts = set()
    for subject in family.subjects:
        run = ItemRun(family, subject, "eager", plan)
        run.test()()
        verdicts |= {outcome.verdict for outcome in run.finish()}

    assert verdicts == {"holds"}
    assert sys.getrecursionlimit() < ITEMS
    print(f"{ITEMS} items in {time.perf_counter() - started:.1f} s")  # noqa: T201 - for the reader


@pytest.mark.parametrize(("flickers", "verdict"), [(True, "deviates"), (False, "holds")])
def test_what_comes_and_goes_is_counted_where_it_may_show(flickers: bool, verdict: str) -> None:  # noqa: FBT001 - a parameter
    """So that two runs of one version, of which it shows in one, have the same verdict."""
    family = small_numbers(("",))
    (known, *_) = load(FILE, CATALOGUE)
    known = replace(known, contracts=("number-is-small",), ops=(), dtypes=(), operands=(), modes=())
    plan = Plan(PROFILES["quick"], 0, None, (2, 21), (replace(known, flickers=flickers),))
    run = ItemRun(family, "", "eager", plan)
    run.test()()

    assert [outcome.verdict for outcome in run.finish()] == [verdict]


@pytest.mark.parametrize(
    ("subject", "mode", "cases"),
    [("cheap", "eager", 8), ("dear", "eager", 2), ("dear", "function", 1)],
)
def test_dear_cases_are_fewer(subject: str, mode: str, cases: int) -> None:
    """A quarter of what the profile says, and one at the least."""
    family: Cases[Number, Number] = Cases(
        "number",
        lambda _, __: st.integers().map(Number),
        lambda case, _: case,
        printed,
        subjects=("cheap", "dear"),
        modes=("eager", "function"),
        dear=("dear",),
    )
    promise = family.contract("number-is-one", "It is one.", cites=[UNDOCUMENTED])
    try:
        promise(lambda _: Tally(conclusive=1))
    finally:
        CATALOGUE.pop("number-is-one")
    profile = replace(PROFILES["quick"], examples={"eager": 8, "function": 2})
    run = ItemRun(family, subject, mode, Plan(profile, 0, None, (2, 21)))

    run.test()()

    assert [outcome.examples for outcome in run.finish()] == [cases]


def test_a_failure_that_does_not_come_back_says_so() -> None:
    """What is violated once and not again stays violated, and its reason warns of it."""
    family: Cases[Number, Number] = Cases(
        "number", lambda _, __: st.integers(0, 9).map(Number), lambda case, _: case, printed
    )
    accused: list[int] = []

    def accuses_once(seen: Number) -> Tally:
        if not accused:
            accused.append(seen.value)
            raise Violation(kind="value", expected="1", got="2", where="print(1)", why="it is so")
        return Tally(conclusive=1)

    promise = family.contract("number-is-steady", "It stays.", cites=[UNDOCUMENTED])
    try:
        promise(accuses_once)
    finally:
        CATALOGUE.pop("number-is-steady")
    run = ItemRun(family, "", "eager", Plan(PROFILES["quick"], 0, None, (2, 21)))

    with pytest.raises(Violation):
        run.test()()
    (outcome,) = run.finish()

    assert outcome.verdict == "violated"
    assert outcome.failure is not None
    assert outcome.failure.why.startswith("it is so; run once more in the same process")


def test_a_warning_is_not_what_a_gradient_raises() -> None:
    """Not even where the user's pytest makes errors of warnings."""

    def warns(case: Number, _: str) -> Number:
        warnings.warn("this will go away", DeprecationWarning, stacklevel=1)
        return case

    family: Cases[Number, Number] = Cases(
        "number", lambda _, __: st.integers(0, 9).map(Number), warns, printed
    )
    promise = family.contract("number-warns", "It warns.", cites=[UNDOCUMENTED])
    try:
        promise(lambda _: Tally(conclusive=1))
    finally:
        CATALOGUE.pop("number-warns")
    run = ItemRun(family, "", "eager", Plan(PROFILES["quick"], 0, None, (2, 21)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.test()()

    assert [outcome.verdict for outcome in run.finish()] == ["holds"]


@pytest.mark.parametrize("stops", [1, 3, 7])
def test_programs_do_not_depend_on_what_was_answered(stops: int) -> None:
    """A run that stops at a failure has tried the beginning of what one that goes on has."""

    def prefixes(stop: int) -> tuple[str, str]:
        met: list[int] = []

        def run_case(case: Number, _: str) -> Number:
            met.append(case.value)
            if len(met) % 2 and len(met) < stop:
                raise Unsupported("NotFoundError")
            return case

        def fails(seen: Number) -> Tally:
            if len(met) >= stop:
                raise Violation(
                    kind="value", expected="1", got="2", where=repr(seen), why="it is so"
                )
            return Tally(conclusive=1)

        family: Cases[Number, Number] = Cases(
            "number", lambda _, __: st.integers().map(Number), run_case, printed
        )
        promise = family.contract("number-stops", "It goes on.", cites=[UNDOCUMENTED])
        try:
            promise(fails)
        finally:
            CATALOGUE.pop("number-stops")
        run = ItemRun(family, "", "eager", Plan(PROFILES["quick"], 0, None, (2, 21)))
        with contextlib.suppress(Violation):
            run.test()()
        (outcome,) = run.finish()
        note = run.seen()[-1]
        assert note["digest"] == outcome.digest
        assert note["digest"].startswith(note["prefixes"][-PREFIX:])
        return note["prefixes"], outcome.fates

    stopped, whole = prefixes(stops), prefixes(10**9)

    assert len(stopped[0]) == PREFIX * stops
    assert stopped[1].endswith("v")
    assert whole[0].startswith(stopped[0])
    assert len(whole[0]) == PREFIX * len(whole[1]) > len(stopped[0])


def jvps_of(shapes: list[int], *, forgets: bool) -> list[bool]:
    """For each shape whether forward mode traced the gradient anew; runs in a fork."""
    tf, traced = tensorflow(), []
    for size in shapes:
        registry().take()
        if forgets:
            forget_jvps()
        x = tf.ones([size])
        with tf.autodiff.ForwardAccumulator(x, x) as accumulator:
            y = tf.math.sin(x)
        assert accumulator.jvp(y) is not None
        traced.append("Sin" in registry().take())
    return traced


def test_what_forward_mode_has_traced_does_not_outlive_a_case() -> None:
    """Left to itself it traces no shape twice, and none after the first 32: then any will do."""
    shapes = [1, 1, *range(2, 40)]

    assert in_fork(partial(jvps_of, forgets=True), shapes) == [True] * 40
    kept = in_fork(partial(jvps_of, forgets=False), shapes)
    assert (kept[:3], kept[-1]) == ([True, False, True], False)


@pytest.mark.parametrize("seconds", [0, 10])
def test_a_failure_is_made_smaller_for_as_long_as_is_said(
    monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """By Hypothesis, and in simpler cases; when the item is run is when it counts."""

    def is_small(seen: Number) -> Tally:
        if seen.value >= ITEMS:
            where = printed(seen, "")
            raise Violation(kind="value", expected="less", got="more", where=where, why="so")
        return Tally(conclusive=1)

    family: Cases[Number, Number] = Cases(
        "number",
        lambda _, __: st.integers(10 * ITEMS, 10**9).map(Number),
        lambda case, _: case,
        printed,
        simpler=lambda _: [Number(0), Number(ITEMS)],
    )
    promise = family.contract("number-is-small", "It is small.", cites=[UNDOCUMENTED])
    try:
        promise(is_small)
    finally:
        CATALOGUE.pop("number-is-small")
    monkeypatch.setattr(running, "SHRINK_SECONDS", seconds)
    run = ItemRun(family, "", "eager", Plan(PROFILES["quick"], 0, None, (2, 21)))

    with pytest.raises(Violation):
        run.test()()

    (failure,) = run.failures
    assert (failure.program == printed(Number(ITEMS), "")) is bool(seconds)
