"""Profiles: seeds of our own, the share of the subjects, and what is asked of Hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine

from conformance.modes import MODES
from conformance.profiles import (
    DEFAULT,
    PROFILES,
    draw_each_case_afresh,
    hypothesis_settings,
    seed_for,
    shrinking_at_most,
    takes,
)

USUAL = engine.ConjectureRunner.generate_mutations_from
"""Hypothesis's own, before any test has run an item."""


def test_a_seed_is_the_same_everywhere() -> None:
    """Pinned: another number here means that no record can be compared with an older one."""
    assert seed_for(0, "graph", "tf.math.sin") == 13944246310482754045


def test_each_part_of_a_seed_counts() -> None:
    """The base and every name, and where one ends and the next begins."""
    seeds = {seed_for(0, "ab", "c"), seed_for(1, "ab", "c"), seed_for(0, "a", "bc"), seed_for(0)}

    assert len(seeds) == 4


def test_every_profile_has_a_budget_for_every_mode() -> None:
    """At least one case of an item, and of a share of the subjects."""
    for profile in PROFILES.values():
        assert set(profile.examples) == set(profile.share) == set(MODES)
        assert min(profile.examples.values()) >= 1
        assert all(0 < share <= 1 for share in profile.share.values())


def test_runs_that_are_compared_have_a_fixed_seed_and_remember_nothing() -> None:
    """Only explore is random, and only explore keeps what it found."""
    assert {p.name: p.fixed_seed for p in PROFILES.values()} == {
        "quick": True,
        "gate": True,
        "explore": False,
    }
    assert DEFAULT == "quick"
    for profile in PROFILES.values():
        assert (hypothesis_settings(profile, 3).database is None) is profile.fixed_seed


@pytest.mark.parametrize("mode", MODES)
def test_quick_takes_its_share_of_the_subjects(mode: str) -> None:
    """As many as it says, within what chance allows, and the same ones in each run."""
    quick = PROFILES["quick"]
    subjects = [f"tf.op{i}" for i in range(2000)]
    taken = [subject for subject in subjects if takes(quick, 0, subject, mode)]

    assert abs(len(taken) / 2000 - quick.share[mode]) < 0.04
    assert taken == [subject for subject in subjects if takes(quick, 0, subject, mode)]


def test_another_seed_takes_other_subjects() -> None:
    """So that several quick runs see what one leaves out."""
    quick = PROFILES["quick"]
    subjects = [f"tf.op{i}" for i in range(200)]
    first, second = ([s for s in subjects if takes(quick, n, s, "xla")] for n in (0, 1))

    assert first != second


def test_a_family_without_subjects_is_always_taken() -> None:
    """There is nothing of which a share could be taken."""
    quick = PROFILES["quick"]

    assert all(takes(quick, seed, "", "xla") for seed in range(50))


def test_gate_takes_everything() -> None:
    """Records that are compared leave no cell out."""
    gate = PROFILES["gate"]

    assert all(takes(gate, 0, f"tf.op{i}", mode) for i in range(200) for mode in MODES)


def test_settings_depart_from_hypothesis_where_they_say_so() -> None:
    """No clock, our own seed, no blobs, one kind of failure, nothing explained."""
    made = hypothesis_settings(PROFILES["gate"], 7)

    assert made.max_examples == 7
    assert made.deadline is None
    assert made.derandomize is False
    assert made.print_blob is False
    assert made.report_multiple_bugs is False
    assert Phase.explain not in made.phases
    assert tuple(made.suppress_health_check) == (HealthCheck.too_slow,)


def test_shrinking_stops_at_its_limit_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    """The failure stands, it only is not made smaller; afterwards Hypothesis's limit is its own."""
    usual = engine.MAX_SHRINKING_SECONDS
    tried: list[int] = []

    @settings(database=None)
    @given(st.lists(st.integers(), min_size=20))
    def fails(numbers: list[int]) -> None:
        tried.append(len(numbers))
        assert not numbers

    with shrinking_at_most(0), pytest.raises(AssertionError):
        fails()

    assert len(tried) < 20
    assert "WARNING" not in capsys.readouterr().out
    assert usual == engine.MAX_SHRINKING_SECONDS


@pytest.mark.parametrize("afresh", [True, False])
def test_each_case_is_drawn_afresh(monkeypatch: pytest.MonkeyPatch, *, afresh: bool) -> None:
    """Hypothesis would copy one part of a case over another."""
    monkeypatch.setattr(engine.ConjectureRunner, "generate_mutations_from", USUAL)
    if afresh:
        draw_each_case_afresh()
    seen: list[tuple[int, int]] = []

    @seed(0)
    @hypothesis_settings(PROFILES["gate"], 60)
    @given(st.tuples(st.sampled_from(range(1000)), st.sampled_from(range(1000))))
    def test(pair: tuple[int, int]) -> None:
        seen.append(pair)

    test()

    copies = sum(first == second for first, second in seen)
    assert (copies < 5) is afresh, f"{copies} copies in {len(seen)} cases"
