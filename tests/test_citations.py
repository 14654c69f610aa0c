"""Docstrings are taken apart into sentences and examples, and what is cited is found in one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from conformance.boundary import tensorflow
from conformance.citations import Example, fingerprint, fold, installed, take_apart
from conformance.contract import CATALOGUE, Violation, docstring
from conformance.contracts import test_contracts as contracts
from conformance.contracts.documentation import documentation_cited
from conformance.documentation_cases import Place, run_citations
from conformance.ledger import ledger

SYMBOLS = tuple(ledger().symbols)

SAMPLE = """\
Does a thing, e.g. to `tf.Variable` objects.  Calls tf.add
and `it.` twice (cf. below). Is 1.5 enough, i.e. the last?

>>> x = 1

>>> x
1

* The first item. It has two sentences.
* `SECOND`: has no full stop
  but another line

### Heading

Note: Only once. For example:

```python
z = 3  # No. Sentence.

z += 1
```

Args:
  x: A number. Defaults to 1.5 or so.

    - `X`: one of many.
  y: Optional. Another, w.r.t. `x`.
    Ends here.

Returns:
  None
Raises:
  ValueError: if x is 0 or
   y is.

See also this.
"""

SENTENCES = (
    "Does a thing, e.g. to `tf.Variable` objects.",
    "Calls tf.add and `it.` twice (cf. below).",
    "Is 1.5 enough, i.e. the last?",
    "The first item.",
    "It has two sentences.",
    "`SECOND`: has no full stop but another line",
    "Note: Only once.",
    "x: A number.",
    "Defaults to 1.5 or so.",
    "`X`: one of many.",
    "y: Optional. Another, w.r.t. `x`.",
    "Ends here.",
    "Returns: None",
    "ValueError: if x is 0 or y is.",
    "See also this.",
)


def test_a_docstring_is_taken_apart_into_sentences() -> None:
    """Abbreviations, dotted names, quoted code, items, entries, notes, headings and labels."""
    assert take_apart(SAMPLE).sentences == SENTENCES


def test_a_docstring_is_taken_apart_into_examples() -> None:
    """Neighbours at the prompt are one example; a fence may hold empty lines."""
    assert take_apart(SAMPLE).examples == (
        Example(">>> x = 1\n\n>>> x\n1", prompted=True),
        Example("z = 3  # No. Sentence.\n\nz += 1", prompted=False),
    )


def test_sentences_of_equal_words_are_one() -> None:
    """They have one hash, and one entry accounts for both."""
    assert take_apart("Do it now please. Or not at all. Do it now please.").sentences == (
        "Do it now please.",
        "Or not at all.",
    )


def test_a_fragment_is_found_whatever_the_line_breaks_are() -> None:
    """White space is folded in both."""
    assert take_apart(SAMPLE).holding("Calls  tf.add\nand") == [SENTENCES[1]]


def test_a_fragment_that_no_sentence_holds_is_looked_for_in_the_examples() -> None:
    """There it leads to a line."""
    assert take_apart(SAMPLE).holding("No. Sentence") == ["z = 3 # No. Sentence."]
    assert take_apart(SAMPLE).holding("No such words") == []


def test_a_fingerprint_is_the_beginning_of_a_sha_256() -> None:
    """Known from elsewhere: the SHA-256 of nothing."""
    assert fingerprint("") == "e3b0c44298fc1c14"


def test_what_does_not_exist_has_no_docstring() -> None:
    """It is told apart from what is there and has none."""
    assert installed("tf.GradientTape.no_such_method") is None
    assert installed("tf.GradientTape.__doc__.nothing") is None
    assert installed("tf.Variable.trainable") == ""


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_sentences_and_examples_are_all_that_is_written(symbol: str) -> None:
    """Of the installed docstrings: only headings, labels, bullets and fences are left over."""
    text = installed(symbol) or ""
    doc = take_apart(text)
    rest = fold(text)
    for example in doc.examples:
        for part in example.text.split("\n\n") if example.prompted else [example.text]:
            assert fold(part) in rest
            rest = rest.replace(fold(part), " | ", 1)
    for sentence in sorted(doc.sentences, key=len, reverse=True):
        assert sentence in rest
        rest = rest.replace(sentence, " | ")
    left = re.sub(r"```(?:python)?|#+ [^|]*|\d\.", "", rest)

    assert not re.search(r"\w", re.sub("For example|Example usage|Example|Args|Raises", "", left))


def test_no_code_is_taken_for_a_sentence() -> None:
    """Nor are sentences that begin in lower case, or with a number, cut off from what they end."""
    found = [s for symbol in SYMBOLS for s in take_apart(installed(symbol) or "").sentences]

    assert len(found) > 250
    assert not [s for s in found if ">>>" in s or "```" in s or s.startswith(("... ", "#"))]
    assert not [s for s in found if re.search(r"(?:e\.g|i\.e|w\.r\.t)\.$", s)]


# -- what is cited stands in the installed documentation -------------------------------------------


def look(symbol: str) -> Violation | int:
    """What the contract says of the citations of a symbol; else how many it found."""
    try:
        return documentation_cited.check(run_citations(Place(symbol), "eager")).conclusive
    except Violation as violation:
        return violation


@pytest.fixture(name="watch")
def _watch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One contract alone, which cites what tf.GradientTape.watch raises."""
    cites = (docstring("tf.GradientTape.watch", "something that is not a tensor"),)
    (any_contract, *others) = CATALOGUE
    monkeypatch.setitem(CATALOGUE, any_contract, replace(CATALOGUE[any_contract], cites=cites))
    for other in others:
        monkeypatch.delitem(CATALOGUE, other)
    return monkeypatch


def rewrite(patch: pytest.MonkeyPatch, symbol: str, old: str, new: str) -> None:
    """Tell a lie in a docstring."""
    name = symbol.rsplit(".", 1)[1]
    method = getattr(tensorflow().GradientTape, name)
    assert old in method.__doc__
    patch.setattr(method, "__doc__", method.__doc__.replace(old, new))


def test_a_citation_leads_to_its_sentence(watch: pytest.MonkeyPatch) -> None:
    """The record keeps it, with its hash."""
    assert watch
    assert look("tf.GradientTape.watch") == 1
    (note,) = run_citations(Place("tf.GradientTape.watch"), "eager").notes()

    assert note["sentence"] == "ValueError: if it encounters something that is not a tensor."
    assert note["hash"] == fingerprint(note["sentence"])


TWICE = "something that is not a tensor"


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        ("", "gone"),
        ("something else than a tensor.", "gone"),
        (f"{TWICE}.\n    Or {TWICE}.", "ambiguous"),
    ],
    ids=["removed", "reworded", "said twice"],
)
def test_a_sentence_that_is_not_as_cited_is_a_violation(
    watch: pytest.MonkeyPatch, new: str, kind: str
) -> None:
    """It names the contract and the fragment."""
    rewrite(watch, "tf.GradientTape.watch", "something that is not a tensor.", new)
    found = look("tf.GradientTape.watch")

    assert isinstance(found, Violation)
    assert found.kind == kind
    assert "'something that is not a tensor'" in found.expected


def test_a_cited_symbol_that_is_gone_is_a_violation(watch: pytest.MonkeyPatch) -> None:
    """It says so."""
    watch.setattr("conformance.documentation_cases.installed", lambda _: None)
    found = look("tf.GradientTape.watch")

    assert isinstance(found, Violation)
    assert (found.kind, found.got) == ("gone", "no tf.GradientTape.watch")


def test_a_contract_of_other_versions_is_not_asked(watch: pytest.MonkeyPatch) -> None:
    """What it cites need not be there."""
    ((name, contract),) = CATALOGUE.items()
    watch.setitem(CATALOGUE, name, replace(contract, since=(99, 0)))
    rewrite(watch, "tf.GradientTape.watch", "something that is not a tensor.", "")

    assert look("tf.GradientTape.watch") == 0


def test_every_cited_symbol_is_a_subject() -> None:
    """Those of all chapters."""
    cited = {c.where for k in CATALOGUE.values() for c in k.cites if c.kind == "docstring"}

    assert set(contracts.citation.subjects) == cited
