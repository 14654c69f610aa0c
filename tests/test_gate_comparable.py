"""What the gate compares and refuses: one suite, asked the same, of the same programs."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.errors import ExitCode
from conformance.gate.comparable import ALLOWED
from tests.gates import Gate, side, versions
from tests.records import data, outcome

OBJECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "suite": (
        side(suite="f" * 16),
        "the fingerprint of the suite's files: 0123456789abcdef and ffffffffffffffff",
    ),
    "schema": ({**side(), "schema": 99}, ""),
    "profile": (side(profile="quick"), "the profile: gate and quick"),
    "selection": (
        side(selection=["-k sin"]),
        "the selection: everything and -k sin",
    ),
    "seed": (side(seed=1), "the seed: 0 and 1"),
    "hypothesis": (
        side(**versions(hypothesis="6.0.0")),
        "the Hypothesis: 6.168.5 and 6.0.0",
    ),
    "incomplete": (
        {**side(), "footer": {**side()["footer"], "complete": False}},
        "the run of the candidate did not come to its end",
    ),
    "programs": (
        side(outcome(digest="f" * 16)),
        "the programs of 1 items differ, such as those of a-promise tf.math.sin eager",
    ),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_cannot_be_compared_is_refused_unless_it_is_allowed(gate: Gate, what: str) -> None:
    """With the reason, its own exit code, and the option that allows it."""
    after, reason = OBJECTIONS[what]
    if what == "programs":
        after["programs"][0]["prefixes"] = "1111ffffffff"
    code, text = gate.run(data(outcome()), after)
    allowed, _ = gate.run(data(outcome()), after, "--allow", what, "--fail-on", "nothing")

    assert (code, allowed) == (ExitCode.INCOMPARABLE, ExitCode.HOLDS)
    assert f"--allow {what}" in text
    assert f"  {what}: {reason}" in text or what == "schema"


def test_all_reasons_are_told_at_once(gate: Gate) -> None:
    """Whoever has to make a record anew wants to do so once."""
    code, text = gate.run(data(shard="1/2"), side(seed=1, modes=["eager", "xla"]))

    assert code == ExitCode.INCOMPARABLE
    assert text == (
        "error: the records cannot be compared:\n"
        "  selection: the modes: eager and eager xla\n"
        "  selection: the part: 1/2 and the whole\n"
        "  seed: the seed: 0 and 1\n"
        "  expected: two complete runs of one suite, on the same programs\n"
        "  hint: `tox run -e gate -- BASELINE CANDIDATE` makes such records; to compare these all "
        "the same: --allow selection --allow seed\n"
    )


def test_the_same_part_of_both_sides_is_compared_like_a_whole(gate: Gate) -> None:
    """Jobs that run side by side have a verdict each."""
    after = side(outcome("violated", fates="hhv"), shard="1/2")

    assert gate.run(data(outcome(), shard="1/2"), side(outcome(), shard="1/2"))[0] == ExitCode.HOLDS
    assert gate.run(data(outcome(), shard="1/2"), after)[0] == ExitCode.VIOLATED


def known(*own: str) -> list[dict[str, str]]:
    """What a record says of deviations: that of the suite, and those of the user's own."""
    ours = {"id": "cumprod-zero", "reason": "so", "link": "", "witness": "pass"}
    return [ours, *({**ours, "id": name, "expires": "2999-12-31"} for name in own)]


@pytest.mark.parametrize(
    ("before", "after", "own", "code"),
    [
        ({}, {"ours": 1}, ["ours"], ExitCode.HOLDS),
        ({}, {"ours": 1, "cumprod-zero": 1}, ["ours"], ExitCode.VIOLATED),
        ({"cumprod-zero": 1}, {"ours": 1, "cumprod-zero": 1}, ["ours"], ExitCode.HOLDS),
        ({}, {"ours": 1}, [], ExitCode.VIOLATED),
    ],
    ids=["own", "own and more", "own beside what was", "not own"],
)
def test_a_regression_that_the_user_knows_of_fails_nothing(
    gate: Gate, before: dict[str, int], after: dict[str, int], own: list[str], code: int
) -> None:
    """But one that only the suite knows of does: it is news to whoever upgrades."""
    was = data(outcome("deviates" if before else "holds", fates="hhd", deviations=before))
    now = side(outcome("deviates", fates="hdd", deviations=after))
    if not before:
        was["outcomes"][0].update(fates="hhh", conclusive=3)
    now["deviations"] = known(*own)
    ended, text = gate.run(was, now)

    assert ended == code
    assert ("1 known to you" in text) == (code == ExitCode.HOLDS)


def test_programs_are_compared_as_far_as_both_sides_went(gate: Gate) -> None:
    """One side stops at a failure: what it tried must be the beginning of what the other did."""
    after = side(outcome("violated", digest="f" * 16, fates="hv"))
    code, text = gate.run(data(outcome()), after)

    assert code == ExitCode.VIOLATED
    assert "programs        the same for 1 items, for 1 of them as far as both went\n" in text
    after["programs"][0]["prefixes"] = "11112223"
    assert gate.run(data(outcome()), after)[0] == ExitCode.INCOMPARABLE
    after["programs"] = []
    assert gate.run(data(outcome()), after)[0] == ExitCode.INCOMPARABLE


def test_of_a_crash_no_programs_are_known(gate: Gate) -> None:
    """That is told, and is no objection."""
    _, text = gate.run(data(outcome()), side(outcome("crashed")))

    assert "programs        the same for 0 items; unknown for 1\n" in text
