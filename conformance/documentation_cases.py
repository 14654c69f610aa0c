"""The installed documentation as cases: what is cited, each docstring, and each of its examples.

These cases are not drawn: an item has one. They meet TensorFlow eagerly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hypothesis import strategies as st

from conformance.boundary import tensorflow, version
from conformance.citations import fingerprint, installed, take_apart
from conformance.contract import CATALOGUE, Cases, Contract, Unsupported
from conformance.examples import Ran, run_examples
from conformance.ledger import Sentence, account, ledger, misplaced
from conformance.reproduction import Claim, tidy


@dataclass(frozen=True)
class Place:
    """A symbol, or one of the examples of its docstring.

    Attributes:
        symbol: such as tf.GradientTape.
        number: of the example, from 1 on; 0 is the docstring as a whole.
    """

    symbol: str
    number: int = 0

    @property
    def digest(self) -> bytes:
        """A stable hash of it."""
        return hashlib.sha256(f"{self.symbol}#{self.number}".encode()).digest()

    def source(self, _mode: str = "eager") -> str:
        """A program that shows the docstring."""
        return f"import tensorflow as tf\n\nhelp({self.symbol})\n"


def _place(subject: str, _mode: str) -> st.SearchStrategy[Place]:
    symbol, _, number = subject.partition("#")
    return st.just(Place(symbol, int(number or 0)))


def docstring_program(symbol: str, claim: Claim) -> str:
    """A program that makes a claim of a docstring, which it calls ``doc``, on one line."""
    lines = ["import inspect", "import tensorflow as tf", ""]
    lines += [f'doc = " ".join((inspect.getdoc({symbol}) or "").split())']
    return tidy([*lines, *claim.lines()])


# -- citations -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cited:
    """A citation, and what it leads to in the installed documentation.

    Attributes:
        contract: who cites.
        symbol, fragment: what is cited.
        sentences: those that hold the fragment; there should be one.
    """

    contract: str
    symbol: str
    fragment: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class SeenCitations:
    """What is cited of a symbol in this version, and whether the symbol exists."""

    place: Place
    exists: bool
    cited: tuple[Cited, ...]

    def notes(self) -> list[Mapping[str, Any]]:
        """Each citation with its sentence."""
        return [
            {
                "note": "citation",
                "contract": cited.contract,
                "where": cited.symbol,
                "words": cited.fragment,
                "sentence": cited.sentences[0],
                "hash": fingerprint(cited.sentences[0]),
            }
            for cited in self.cited
            if len(cited.sentences) == 1
        ]


def run_citations(place: Place, _mode: str) -> SeenCitations:
    """Look up what the contracts of this version cite of a symbol."""
    minor, text = version(tensorflow()), installed(place.symbol)
    doc = take_apart(text or "")
    cited = [
        Cited(contract.id, cite.where, cite.words, tuple(doc.holding(cite.words)))
        for contract in CATALOGUE.values()
        if contract.covers(minor)
        for cite in contract.cites
        if (cite.kind, cite.where) == ("docstring", place.symbol)
    ]
    return SeenCitations(place, text is not None, tuple(cited))


def cited_symbols(contracts: Iterable[Contract]) -> tuple[str, ...]:
    """The symbols whose docstrings some contracts cite."""
    cites = [cite for contract in contracts for cite in contract.cites]
    return tuple(sorted({cite.where for cite in cites if cite.kind == "docstring"}))


CITATIONS: Cases[Place, SeenCitations] = Cases(
    "citation",
    _place,
    run_citations,
    Place.source,
    subjects=(),  # known when all chapters are: see contracts/test_contracts.py
    modes=("eager",),
    notes=SeenCitations.notes,
)
"""Symbols that contracts cite."""


# -- sentences -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SeenDocstring:
    """A docstring, its sentences with their states, and the ledger's entries that are amiss."""

    place: Place
    text: str
    sentences: tuple[Sentence, ...]
    misplaced: tuple[str, ...]

    def notes(self) -> list[Mapping[str, Any]]:
        """The docstring, and each sentence."""
        whole = {"note": "docstring", "symbol": self.place.symbol, "text": self.text}
        sentences = [{"note": "sentence", **asdict(sentence)} for sentence in self.sentences]
        return [*([whole] if self.text else []), *sentences]


def run_docstring(place: Place, _mode: str) -> SeenDocstring:
    """Look at a docstring.

    Raises:
        Unsupported: if there is no such symbol, and the ledger does not expect it either.
    """
    minor, text = version(tensorflow()), _text(place.symbol)
    doc = take_apart(text)
    return SeenDocstring(
        place,
        text,
        tuple(account(ledger(), place.symbol, doc, minor, CATALOGUE.values())),
        tuple(misplaced(ledger(), place.symbol, doc, minor)),
    )


def _text(symbol: str) -> str:
    """A docstring; empty for a symbol that is gone although the ledger has entries about it."""
    text = installed(symbol)
    if text is None and not ledger().of(symbol, version(tensorflow()), "filed"):
        raise Unsupported("no such symbol in this version")
    return text or ""


DOCSTRINGS: Cases[Place, SeenDocstring] = Cases(
    "docstring",
    _place,
    run_docstring,
    Place.source,
    subjects=tuple(ledger().symbols),
    modes=("eager",),
    notes=SeenDocstring.notes,
)
"""Docstrings of which every sentence is accounted for."""


# -- examples --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SeenExample:
    """What became of an example, and why it cannot run, if that is known."""

    place: Place
    ran: Ran
    excuse: str | None


def run_example(place: Place, _mode: str) -> SeenExample:
    """Run an example, and those before it in its docstring.

    Raises:
        Unsupported: if the docstring of this version has fewer.
    """
    text, minor = _text(place.symbol), version(tensorflow())
    examples = take_apart(text).examples
    if len(examples) < place.number:
        raise Unsupported("no such example in this version")
    ran = run_examples(place.symbol, text)[place.number - 1]
    return SeenExample(place, ran, ledger().excuse(place.symbol, minor, examples[place.number - 1]))


EXAMPLES: Cases[Place, SeenExample] = Cases(
    "example",
    _place,
    run_example,
    Place.source,
    subjects=tuple(f"{s}#{n}" for s, most in ledger().symbols.items() for n in range(1, most + 1)),
    modes=("eager",),
)
"""The examples of these docstrings."""
