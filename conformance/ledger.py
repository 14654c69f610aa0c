"""Which sentence of the documentation is spoken for by a contract, and why the others are not.

``ledger.toml`` beside this module says how an entry looks. A sentence is in one state: ``cited`` (a
contract's citation is in it), ``filed`` (it is no promise, for a reason that is said once), or,
which no run forgives, ``open`` (neither) or ``changed``: the words of a citation or an entry are in
it, but nobody has read it as it is now. ``sentences.txt`` has the fingerprints of those that were.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conformance.citations import Docstring, Example, fingerprint, fold
from conformance.contract import Contract
from conformance.errors import UsageError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest itself needs tomli there
    import tomli as tomllib

FILE = Path(__file__).with_name("ledger.toml")
SENTENCES = Path(__file__).with_name("sentences.txt")
STATES = ("cited", "filed", "changed", "open")
_HINT = "the head of conformance/ledger.toml shows how an entry looks"
KINDS = ("filed", "example")
TABLES = ("reasons", "symbols", *KINDS)

Version = tuple[int, int]


@dataclass(frozen=True)
class Entry:
    """What is said of one sentence, or of one example.

    Attributes:
        kind: ``filed`` or ``example``.
        symbol: whose docstring it stands in.
        fragment: a few words that no other sentence of that docstring holds; of an example, a
            piece of its code.
        by: the reason.
        since, until: the minor versions whose documentation has it, inclusive; None: open.
    """

    kind: str
    symbol: str
    fragment: str
    by: str
    since: Version
    until: Version | None

    def covers(self, version: Version) -> bool:
        """Whether the documentation of a minor version has the sentence."""
        return self.since <= version and (self.until is None or version <= self.until)


@dataclass(frozen=True)
class Ledger:
    """What is said of every symbol in scope.

    Attributes:
        symbols: those in scope, with the greatest number of examples that a version has.
        reasons: why a sentence is no promise, each with its explanation.
        entries: as in the file.
        read: a symbol and the fingerprint of a sentence of its docstring, with a space between.
    """

    symbols: Mapping[str, int]
    reasons: Mapping[str, str]
    entries: tuple[Entry, ...]
    read: frozenset[str]

    def of(self, symbol: str, version: Version, kind: str) -> list[Entry]:
        """The entries of a kind about a symbol in a version."""
        found = [e for e in self.entries if (e.symbol, e.kind) == (symbol, kind)]
        return [e for e in found if e.covers(version)]

    def excuse(self, symbol: str, version: Version, example: Example) -> str | None:
        """Why an example cannot run as it stands, if that is known."""
        entries = self.of(symbol, version, "example")
        return next((e.by for e in entries if fold(e.fragment) in fold(example.text)), None)


@dataclass(frozen=True)
class Sentence:
    """A sentence of the installed documentation, and who speaks for it.

    Attributes:
        symbol: whose docstring it stands in.
        sentence: its words, white space folded.
        hash: the first 16 hexadecimal digits of their SHA-256.
        state: one of :data:`STATES`.
        by: the contracts that cite it, or the reason why there is none.
    """

    symbol: str
    sentence: str
    hash: str
    state: str
    by: tuple[str, ...]


def account(
    ledger: Ledger, symbol: str, doc: Docstring, version: Version, contracts: Iterable[Contract]
) -> list[Sentence]:
    """Every sentence of a docstring with its state; citations go before what the file says."""
    by: dict[str, tuple[str, list[str]]] = {}
    for contract in contracts:
        for cite in contract.cites:
            if (cite.kind, cite.where) == ("docstring", symbol) and contract.covers(version):
                for sentence in doc.holding(cite.words):
                    by.setdefault(sentence, ("cited", []))[1].append(contract.id)
    for entry in ledger.of(symbol, version, "filed"):
        for sentence in doc.holding(entry.fragment):
            by.setdefault(sentence, ("filed", [entry.by]))
    stated = []
    for text in doc.sentences:
        state, names = by.get(text, ("open", []))
        if state != "open" and f"{symbol} {fingerprint(text)}" not in ledger.read:
            state = "changed"
        stated.append(Sentence(symbol, text, fingerprint(text), state, tuple(dict.fromkeys(names))))
    return stated


def misplaced(ledger: Ledger, symbol: str, doc: Docstring, version: Version) -> list[str]:
    """What is wrong with entries about a symbol: they match nothing, or more than one thing."""
    filed, examples = (ledger.of(symbol, version, kind) for kind in KINDS)
    codes = [fold(example.text) for example in doc.examples]
    found = [(e, len(doc.holding(e.fragment)), "sentences") for e in filed]
    found += [(e, sum(fold(e.fragment) in code for code in codes), "examples") for e in examples]
    wrong = [f"{e.fragment!r} is in {number} {what}" for e, number, what in found if number != 1]
    if (most := ledger.symbols[symbol]) < len(doc.examples):
        wrong.append(f"{len(doc.examples)} examples, of which the ledger knows {most}")
    return wrong


@cache
def ledger() -> Ledger:
    """The ledger of this project."""
    return load(FILE, SENTENCES)


def load(path: Path, sentences: Path) -> Ledger:
    """The ledger of a file, with the fingerprints of another.

    Raises:
        UsageError: if the file is not TOML, or if an entry names a symbol, a reason or versions
            that do not exist.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not TOML: {error}", expected="a ledger of sentences", hint=_HINT
        ) from error
    symbols, reasons = data.get("symbols", {}), data.get("reasons", {})
    entries = []
    for name in data.keys() - TABLES:
        raise UsageError(
            f"the ledger has a table [{name}]",
            expected=f"one of {', '.join(TABLES)}",
            hint=nearest(name, TABLES),
        )
    for kind in KINDS:
        for symbol, table in dict(data.get(kind, {})).items():
            _check_word("symbol", symbol, symbols)
            for fragment, said in table.items():
                entry = _entry(kind, symbol, fragment, said)
                if kind == "filed":
                    _check_word("reason", entry.by, reasons)
                entries.append(entry)
    read = frozenset(sentences.read_text("utf-8").splitlines())
    return Ledger(symbols, reasons, tuple(entries), read)


def _entry(kind: str, symbol: str, fragment: str, said: str | list[str]) -> Entry:
    by, versions = (said, "2.8-") if isinstance(said, str) else said
    span = re.fullmatch(r"(\d+)\.(\d+)-(?:(\d+)\.(\d+))?", versions)
    if span is None:
        raise UsageError(
            f"the ledger has the versions {versions!r} for {fragment!r} of {symbol}",
            expected="the first and the last minor version that have it: 2.8-2.21",
            hint="leave out the last while it lasts: 2.8-",
        )
    until = (int(span[3]), int(span[4])) if span[3] else None
    return Entry(kind, symbol, fragment, by, (int(span[1]), int(span[2])), until)


def _check_word(what: str, word: str, known: Mapping[str, object]) -> None:
    if word not in known:
        raise UsageError(
            f"the ledger has an entry with the unknown {what} {word!r}",
            expected=f"a key of [{what}s]",
            hint=nearest(word, known),
        )
