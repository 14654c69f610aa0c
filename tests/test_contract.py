"""What a contract is: registering one, its range, and the counts of its checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from conformance.contract import (
    ALL_MODES,
    CATALOGUE,
    UNDOCUMENTED,
    Cases,
    Citation,
    Contract,
    Tally,
    Violation,
    article,
    docstring,
    guide,
)
from conformance.errors import ExitCode, UsageError, nearest
from conformance.modes import MODES


@pytest.fixture
def family() -> Iterator[Cases[Any, Any]]:
    """A family of cases; what it registers is forgotten after the test."""
    before = dict(CATALOGUE)
    yield Cases("family", lambda *_: st.none(), lambda case, _: case, lambda case, _: repr(case))
    CATALOGUE.clear()
    CATALOGUE.update(before)


def state(
    family: Cases[Any, Any],
    id: str = "a-promise",  # noqa: A002 - the field's own word
    *,
    cites: Sequence[Citation] = (UNDOCUMENTED,),
    **more: Any,
) -> Contract:
    """A contract that asserts nothing."""
    return family.contract(id, "It is so.", cites=cites, **more)(lambda _: Tally())


def test_a_contract_is_in_the_catalogue_and_in_its_family(family: Cases[Any, Any]) -> None:
    """Its defaults: all modes of the family, from 2.8 on, half of the checks conclusive."""
    made = state(family)

    assert CATALOGUE["a-promise"] is made
    assert family.contracts == [made]
    assert (made.modes, made.since, made.until, made.floor) == (ALL_MODES, (2, 8), None, 0.5)


@pytest.mark.parametrize("bad", ["", "A-Promise", "a_promise", "a--promise", "-a", "a-", "a b"])
def test_a_malformed_id_is_refused(family: Cases[Any, Any], bad: str) -> None:
    """Ids are lower-case words joined by hyphens."""
    with pytest.raises(UsageError) as caught:
        state(family, bad)

    assert str(caught.value) == (
        f"contract id {bad!r} is malformed\n"
        "  expected: lower-case words joined by hyphens\n"
        "  hint: ids are permanent: name the promise, not the test"
    )
    assert caught.value.code is ExitCode.USAGE


def test_an_id_used_twice_is_refused(family: Cases[Any, Any]) -> None:
    """The first contract stays."""
    first = state(family)
    with pytest.raises(UsageError) as caught:
        state(family)

    assert str(caught.value) == (
        "contract id 'a-promise' is used twice\n"
        "  expected: one contract for each id\n"
        "  hint: it already says: It is so."
    )
    assert (CATALOGUE["a-promise"], family.contracts) == (first, [first])


def test_a_contract_without_citation_is_refused(family: Cases[Any, Any]) -> None:
    """Also where nothing is documented one says so."""
    with pytest.raises(UsageError) as caught:
        state(family, cites=())

    assert str(caught.value) == (
        "contract 'a-promise' has no citation\n"
        "  expected: at least one docstring(...), guide(...), article(...) or UNDOCUMENTED\n"
        "  hint: say where TensorFlow promises it, or that nobody does: cites=[UNDOCUMENTED]"
    )
    assert "a-promise" not in CATALOGUE


def test_an_unknown_mode_is_refused(family: Cases[Any, Any]) -> None:
    """The nearest mode is named."""
    with pytest.raises(UsageError) as caught:
        state(family, modes=["eager", "functoin"])

    assert str(caught.value) == (
        "contract 'a-promise' names the unknown mode 'functoin'\n"
        "  expected: one of eager, function, outer, xla, dynamic\n"
        "  hint: did you mean 'function'?"
    )


def test_a_contract_applies_in_its_modes_and_versions(family: Cases[Any, Any]) -> None:
    """Both ends of a version range belong to it."""
    made = state(family, modes=["xla"], since=(2, 9), until=(2, 11))
    versions = [(2, minor) for minor in range(8, 13)]

    assert [made.applies("xla", version) for version in versions] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert not made.applies("eager", (2, 10))


def test_citations_say_where_a_promise_is_written() -> None:
    """A docstring's fragment, a guide's heading, the article's claim, or nothing."""
    cited = [docstring("tf.Variable", "assign"), guide("autodiff", "Watching"), article("Wrong.")]

    assert [(c.kind, c.where, c.words) for c in [*cited, UNDOCUMENTED]] == [
        ("docstring", "tf.Variable", "assign"),
        ("guide", "autodiff", "Watching"),
        ("article", "Should tf.GradientTape only operate on tf.Variable?", "Wrong."),
        ("undocumented", "", ""),
    ]


def test_tallies_add_up_by_reason() -> None:
    """Nothing that could not be judged is lost."""
    tally = Tally(conclusive=2, trivial=1, inconclusive={"kink": 1})
    tally.gap("LookupError")
    other = Tally(conclusive=1)
    other.undecided("kink")
    other.undecided("not finite")
    other.gap("LookupError")
    tally += other

    assert tally == Tally(3, 1, {"kink": 2, "not finite": 1}, {"LookupError": 2})


def test_a_violation_reads_as_an_assertion() -> None:
    """What an uncaught one prints says what was expected and what came."""
    found = Violation(
        kind="none", expected="None", got="0.0", where="a program", why="nobody asked"
    )

    assert str(found) == "none: expected None, got 0.0"
    assert isinstance(found, AssertionError)


def test_a_word_like_no_other_gets_the_whole_list() -> None:
    """A guess that is not near helps nobody."""
    assert nearest("compiled", MODES) == "known are eager, function, outer, xla, dynamic"
