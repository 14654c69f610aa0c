"""Every sentence of the documentation is in one state, and the ledger has no entry too many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.boundary import tensorflow, version
from conformance.citations import Docstring, fingerprint, installed, take_apart
from conformance.contract import CATALOGUE, Tally, Unsupported, Violation, docstring
from conformance.contracts import test_contracts
from conformance.contracts.documentation import documentation_accounted
from conformance.documentation_cases import DOCSTRINGS, Place, run_docstring
from conformance.errors import UsageError
from conformance.ledger import SENTENCES, STATES, Entry, Ledger, account, ledger, load, misplaced

assert test_contracts.CHAPTERS  # who imports them has the catalogue filled
SYMBOLS = tuple(ledger().symbols)
ANY = next(iter(CATALOGUE.values()))
DOC = take_apart("It is a thing. It does this well.\n\nIt is said again. Nobody says this.")

READ = frozenset(f"tf.ours {fingerprint(sentence)}" for sentence in DOC.sentences)
NOW = (2, 21)


def entry(kind: str, fragment: str, by: str, *versions: tuple[int, int]) -> Entry:
    """An entry about tf.ours, of all versions unless some are given."""
    since, until = versions or ((2, 8), None)
    return Entry(kind, "tf.ours", fragment, by, since, until)


def states(*entries: Entry, doc: Docstring = DOC) -> list[tuple[str, tuple[str, ...]]]:
    """State and speakers of each sentence, where a contract cites the second."""
    cites = (docstring("tf.ours", "does this"), docstring("tf.others", "Nobody says"))
    contract = replace(ANY, id="a-promise", cites=cites)
    book = Ledger({"tf.ours": 0}, {}, entries, READ)
    return [(s.state, s.by) for s in account(book, "tf.ours", doc, NOW, [contract])]


def test_a_sentence_is_cited_filed_or_open() -> None:
    """With the contracts, or the reason."""
    assert states(entry("filed", "It is a", "example")) == [
        ("filed", ("example",)),
        ("cited", ("a-promise",)),
        ("open", ()),
        ("open", ()),
    ]


def test_a_sentence_that_nobody_has_read_is_changed() -> None:
    """Cited or filed: the words that find it are there, and others beside them."""
    changed = take_apart("It is another thing. It does this badly.\n\nIt is a new sentence.")

    assert states(entry("filed", "It is another", "example"), doc=changed) == [
        ("changed", ("example",)),
        ("changed", ("a-promise",)),
        ("open", ()),
    ]
    assert {"cited", "filed", "changed", "open"} == set(STATES)


def test_an_entry_of_other_versions_says_nothing() -> None:
    """Neither before its range nor after it."""
    early = entry("filed", "It is a", "example", (2, 8), (2, 20))
    late = entry("filed", "Nobody", "example", (2, 22), (2, 23))

    assert [state for state, _ in states(early, late)] == ["open", "cited", "open", "open"]


def test_a_contract_of_other_versions_speaks_for_nothing() -> None:
    """Its sentence is open there."""
    cites = (docstring("tf.ours", "does this"),)
    later = replace(ANY, cites=cites, since=(2, 22))
    book = Ledger({"tf.ours": 0}, {}, (), READ)

    assert {s.state for s in account(book, "tf.ours", DOC, NOW, [later])} == {"open"}


def test_an_entry_that_matches_nothing_or_too_much_is_misplaced() -> None:
    """Within its versions; and so is a number of examples that is too small."""
    doc = Docstring(DOC.sentences, take_apart("Text.\n\n>>> 1\n1").examples)
    entries = (
        entry("filed", "It is", "example"),
        entry("filed", "no such words", "example"),
        entry("example", "no such code", "why"),
        entry("filed", "gone by now", "example", (2, 8), (2, 20)),
        entry("filed", "It is a", "example"),
    )

    assert misplaced(Ledger({"tf.ours": 0}, {}, entries, READ), "tf.ours", doc, NOW) == [
        "'It is' is in 2 sentences",
        "'no such words' is in 0 sentences",
        "'no such code' is in 0 examples",
        "1 examples, of which the ledger knows 0",
    ]


# -- the file --------------------------------------------------------------------------------------

FILE = """\
[reasons]
example = "introduces code"

[symbols]
"tf.ours" = 1

[filed."tf.ours"]
"a few words" = "example"
"other words" = ["example", "2.8-2.15"]
"""


def test_an_entry_has_a_reason_and_perhaps_versions(tmp_path: Path) -> None:
    """Without versions it is of all."""
    path = tmp_path / "mine.toml"
    path.write_text(FILE)

    read = tmp_path / "read.txt"
    read.write_text("tf.ours 0123456789abcdef\ntf.ours fedcba9876543210\n")

    assert load(path, read) == Ledger(
        {"tf.ours": 1},
        {"example": "introduces code"},
        (
            entry("filed", "a few words", "example"),
            entry("filed", "other words", "example", (2, 8), (2, 15)),
        ),
        frozenset({"tf.ours 0123456789abcdef", "tf.ours fedcba9876543210"}),
    )


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[symbols]", "[symbols", "is not TOML"),
        ("[reasons]", "[reason]", r"a table \[reason\]"),
        ('[filed."tf.ours"]', '[filed."tf.our"]', "the unknown symbol 'tf.our'"),
        ('= "example"', '= "exmple"', "the unknown reason 'exmple'"),
        ("2.8-2.15", "2.8", "the versions '2.8'"),
    ],
)
def test_a_ledger_with_a_mistake_is_refused(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    """What is wrong, what is expected and a hint."""
    path = tmp_path / "mine.toml"
    path.write_text(FILE.replace(old, new))
    with pytest.raises(UsageError, match=complaint):
        load(path, SENTENCES)


def test_no_sentence_that_a_contract_cites_is_filed_as_well() -> None:
    """Once a contract cites a sentence, its entry in conformance/ledger.toml is to be deleted."""
    minor, twice = version(tensorflow()), []
    for symbol in SYMBOLS:
        doc = take_apart(installed(symbol) or "")
        said = account(ledger(), symbol, doc, minor, CATALOGUE.values())
        cited = {s.sentence for s in said if s.state == "cited"}
        entries = ledger().of(symbol, minor, "filed")
        twice += [(symbol, e.fragment) for e in entries if cited & {*doc.holding(e.fragment)}]

    assert twice == []


# -- the contract ----------------------------------------------------------------------------------

RESET = "tf.GradientTape.reset"
USEFUL = "Clears all information stored in this tape."


def look(symbol: str = RESET) -> Tally | Violation:
    """What the contract says of a docstring."""
    try:
        return documentation_accounted.check(run_docstring(Place(symbol), "eager"))
    except Violation as violation:
        return violation


def rewrite(patch: pytest.MonkeyPatch, new: str, old: str = USEFUL) -> None:
    """Tell a lie in the docstring of tf.GradientTape.reset."""
    method = tensorflow().GradientTape.reset
    assert old in method.__doc__
    patch.setattr(method, "__doc__", method.__doc__.replace(old, new))


def test_a_docstring_of_which_all_is_accounted_for_holds() -> None:
    """Each sentence is a check."""
    assert look() == Tally(conclusive=len(take_apart(installed(RESET) or "").sentences))


@pytest.mark.parametrize(
    ("new", "kind", "named"),
    [
        ("Forgets what it holds.", "open", "Forgets what it holds."),
        (f"{USEFUL[:-1]}, or most of it.", "changed", "or most of it."),
        (f"{USEFUL} And more than that.", "open", "And more than that."),
        (f"{USEFUL}\n\n>>> 1\n\nText.\n\n>>> 2\n", "open", "Text."),
    ],
    ids=["reworded", "qualified", "added", "added with examples"],
)
def test_a_sentence_that_nobody_speaks_for_is_a_violation(
    monkeypatch: pytest.MonkeyPatch, new: str, kind: str, named: str
) -> None:
    """It is named."""
    rewrite(monkeypatch, new)
    found = look()

    assert isinstance(found, Violation)
    assert found.kind == kind
    assert named in found.got


def test_an_entry_that_two_sentences_hold_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could say which of them it files."""
    rewrite(monkeypatch, f"{USEFUL} Not so: for the two following code blocks.", USEFUL)
    rewrite(monkeypatch, "For example, the two following code", "for the two following code")
    found = look()

    assert isinstance(found, Violation)
    assert found.kind == "misplaced"
    assert "is in 2 sentences" in found.got


def test_an_example_that_the_ledger_does_not_count_is_a_violation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would not be run."""
    rewrite(monkeypatch, f"{USEFUL}\n\n>>> 1\n")
    found = look()

    assert isinstance(found, Violation)
    assert "3 examples, of which the ledger knows 2" in found.got


def test_a_symbol_that_is_gone_is_a_violation_where_the_ledger_expects_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Elsewhere there is nothing to account for."""
    monkeypatch.setattr("conformance.documentation_cases.installed", lambda _: None)
    found = look()
    monkeypatch.setattr("conformance.documentation_cases.version", lambda _: (1, 15))

    assert isinstance(found, Violation)
    with pytest.raises(Unsupported, match="no such symbol in this version"):
        look()


def test_the_record_has_a_docstring_and_each_sentence_with_its_state() -> None:
    """The whole text; then symbol, words, hash, state, and by whom."""
    whole, *notes = run_docstring(Place(RESET), "eager").notes()

    assert whole == {"note": "docstring", "symbol": RESET, "text": installed(RESET)}
    assert {note["state"] for note in notes} <= set(STATES)
    assert notes[0] == {
        "note": "sentence",
        "symbol": RESET,
        "sentence": USEFUL,
        "hash": notes[0]["hash"],
        "state": notes[0]["state"],
        "by": notes[0]["by"],
    }
    assert set(DOCSTRINGS.subjects) == set(SYMBOLS)
