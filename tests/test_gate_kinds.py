"""How a cell is sorted, from the verdicts of both sides and from what became of each program."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.gate.kinds import FAIL_ON, KINDS, sort
from conformance.record import FATES, VERDICTS, Outcome
from tests.records import failure, outcome

TABLE = """
was           holds              violated           deviates           crashed        gap                inconclusive         unsupported
holds         -                  regressed          regressed          crashed        gap-opened         became-inconclusive  support-lost
violated      fixed              still-failing      fails-differently  crashed        gap-opened         unclear              support-lost
deviates      fixed              fails-differently  still-failing      crashed        gap-opened         unclear              support-lost
crashed       fixed              fails-differently  fails-differently  still-failing  fails-differently  unclear              fails-differently
gap           gap-closed         newly-failing      newly-failing      crashed        -                  gap-closed           support-lost
inconclusive  became-conclusive  regressed          newly-failing      crashed        gap-opened         -                    support-lost
unsupported   support-won        newly-failing      newly-failing      crashed        support-won        support-won          -
"""  # noqa: E501 - a table


def rows() -> list[tuple[str, str, str]]:
    """Each pair of verdicts, and the kind of change between them."""
    head, *lines = (line.split() for line in TABLE.strip().splitlines())
    return [(was, is_, kind) for was, *kinds in lines for is_, kind in zip(head[1:], kinds)]  # noqa: B905


@pytest.mark.parametrize(("was", "is_", "kind"), rows())
def test_a_change_of_verdicts_is_of_one_kind(was: str, is_: str, kind: str) -> None:
    """Every pair of verdicts is in the table, and the table is the documentation."""
    found = sort(outcome(was), outcome(is_))

    assert (found[0] if found else "-") == kind
    assert len(rows()) == len(VERDICTS) ** 2


@pytest.mark.parametrize(("verdict", "kind"), [("holds", "added"), ("crashed", "crashed")])
def test_a_cell_that_one_side_was_not_asked_is_added_or_removed(verdict: str, kind: str) -> None:
    """But one that crashes is more than an addition."""
    assert sort(None, outcome(verdict)) == (kind, "")
    assert sort(outcome(verdict), None) == ("removed", "")


def test_the_gate_fails_on_what_used_to_hold() -> None:
    """Regressed, crashed, became inconclusive, support lost; all else only if it is asked for."""
    assert FAIL_ON == ("regressed", "crashed", "became-inconclusive", "support-lost")
    assert all(kind.id == name and kind.sentence for name, kind in KINDS.items())


def changed(was: str, is_: str, **more: Any) -> tuple[str, str] | None:
    """The kind of change between two outcomes whose fates are given after their verdicts."""
    before, after = (text.partition(":") for text in (was, is_))
    return sort(outcome(before[0], fates=before[2]), outcome(after[0], fates=after[2], **more))


def test_what_fails_now_is_a_regression_only_if_the_same_program_held() -> None:
    """A program that did not run before, or that the baseline never reached, has broken nothing."""
    held = changed("holds:hhhh", "deviates:hdhh")
    not_run = changed("holds:hrhh", "deviates:hdhh")
    gap = changed("holds:hghh", "violated:hv")
    unreached = changed("holds:hh", "violated:hhhv")
    undecided = changed("holds:hhi", "violated:hhv")
    undecided_known = changed("holds:hhi", "deviates:hhd")

    assert held == ("regressed", "")
    assert not_run == ("newly-failing", "the baseline could not run these programs")
    assert gap == ("newly-failing", "the baseline had no gradient")
    assert unreached == (
        "newly-failing",
        "the baseline stopped at a failure before this program",
    )
    could_not = "the baseline ran these programs, and could not decide"
    assert undecided == ("regressed", could_not)
    assert undecided_known == ("newly-failing", could_not)


def test_a_cell_becomes_inconclusive_only_if_something_that_was_decided_no_longer_is() -> None:
    """Programs that newly run and cannot be judged take nothing away."""
    lost = changed("holds:hhh", "inconclusive:hii")
    diluted = changed("holds:hrr", "inconclusive:hii")
    stopped = changed("holds:hhhhh", "inconclusive:h")

    assert lost == ("became-inconclusive", "")
    assert diluted == ("unclear", "what held holds; of the other programs too few can be judged")
    assert stopped == (
        "became-inconclusive",
        "stopped at another contract's failure, at program 1",
    )


def test_what_failed_is_fixed_only_if_it_is_judged_now() -> None:
    """A program that cannot run any more has not been mended."""
    fixed = changed("deviates:hdh", "holds:hhh")
    gone = changed("deviates:hdh", "holds:hrh")
    unjudged = changed("deviates:hdh", "holds:hih")

    assert fixed == ("fixed", "")
    assert gone == ("support-lost", "the programs that failed cannot run any more")
    assert unjudged == ("unclear", "the programs that failed are not judged any more")


def test_a_run_that_stopped_early_proves_nothing_of_what_it_did_not_try() -> None:
    """Neither that a failure is mended, nor that a gradient is gone."""
    stopped = "stopped at another contract's failure, at program 1"

    assert changed("deviates:hhd", "holds:h") == ("unclear", stopped)
    assert changed("holds:ghhh", "gap:g") == ("unclear", stopped)
    assert changed("holds:hhhh", "gap:g") == ("gap-opened", "")


def test_support_that_is_lost_for_some_programs_alone_is_lost() -> None:
    """The verdict of the cell need not change; the same goes for gradients."""
    assert changed("holds:hhhh", "holds:hhrr") == ("support-lost", "2 of 4 programs")
    assert changed("holds:hhhh", "holds:hhhg") == ("gap-opened", "1 of 4 programs")
    assert changed("holds:hhrr", "holds:hhhh") is None
    assert changed("inconclusive:irr", "gap:igg") == (
        "support-won",
        "what runs now has no gradient",
    )


def test_what_fails_in_another_way_says_how() -> None:
    """Another kind, another error, another known deviation, or more programs; not other numbers."""
    wrong = outcome("violated", failure=failure(got="3.0"))
    raised = outcome("violated", failure=failure(kind="exception", got="ValueError: bad shape"))
    other = outcome("violated", failure=failure(kind="exception", got="TypeError: bad shape"))
    known = outcome("deviates", deviations={"cumprod-zero": 7, "cumsum-nan": 1})

    assert sort(outcome("violated"), wrong) == ("still-failing", "")
    assert sort(wrong, raised) == ("fails-differently", "value, now exception ValueError")
    assert sort(raised, other) == (
        "fails-differently",
        "exception ValueError, now exception TypeError",
    )
    assert sort(outcome("deviates"), known) == (
        "fails-differently",
        "now cumsum-nan",
    )
    assert sort(outcome("deviates"), wrong) == (
        "fails-differently",
        "known as cumprod-zero, now value",
    )


def test_a_failure_that_was_there_hides_no_program_that_kept_the_promise() -> None:
    """In the same cell another program may begin to fail."""
    why = "it failed already, but not on 1 program on which it does now"

    assert changed("deviates:hdh", "deviates:ddh") == ("regressed", why)
    assert changed("violated:hhv", "violated:hv") == ("regressed", why)
    assert changed("violated:hhv", "violated:hhv") == ("still-failing", "")


outcomes = st.builds(
    outcome,
    st.sampled_from(VERDICTS),
    fates=st.text("".join(FATES), max_size=6),
)


@given(before=st.none() | outcomes, after=st.none() | outcomes)
def test_every_pair_of_outcomes_is_of_a_kind_that_exists(
    before: Outcome | None, after: Outcome | None
) -> None:
    """Whatever the verdicts and the fates, also if they do not fit each other."""
    found = sort(before, after)

    assert found is None or found[0] in KINDS


@given(one=outcomes)
def test_nothing_has_changed_where_nothing_has(one: Outcome) -> None:
    """A record beside itself passes the gate."""
    found = sort(one, dataclasses.replace(one))

    assert found is None or found == ("still-failing", "")


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({}, {"memory": 1}, "unclear"),
        ({"memory": 1}, {}, "unclear"),
        ({}, {"memory": 1, "cumprod-zero": 1}, "regressed"),
        ({"memory": 1}, {"cumprod-zero": 2}, "fails-differently"),
        ({"memory": 2}, {"memory": 1, "cumprod-zero": 2}, "fails-differently"),
        ({"memory": 1, "cumprod-zero": 2}, {}, "fixed"),
        ({"cumprod-zero": 1}, {"memory": 2, "cumprod-zero": 1}, "unclear"),
        ({}, {"cumprod-zero": 1}, "regressed"),
    ],
)
def test_what_comes_and_goes_from_run_to_run_is_no_change(
    before: dict[str, int], after: dict[str, int], kind: str
) -> None:
    """What stands in memory is another number in each run, on any version."""
    was, is_ = (
        outcome("deviates", fates="h" * 5 + "d" * sum(known.values()), deviations=known)
        if known
        else outcome("holds", fates="h" * 8, conclusive=8)
        for known in (before, after)
    )
    flickering = frozenset({"memory"})
    found = sort(was, is_, flickering=flickering)

    assert found is not None
    assert found[0] == kind
    once, again = (outcome("deviates", fates=f, deviations={"memory": 1}) for f in ("hhd", "dhh"))
    assert (sort(once, again, flickering=flickering) or "")[0] == "unclear"
