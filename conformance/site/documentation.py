"""The documentation, read aloud: each docstring with who speaks for each of its sentences."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from textwrap import dedent
from typing import Any, Final

from conformance.site.atlas import Atlas, Entry
from conformance.site.verdicts import overall
from conformance.site.versions import Version
from conformance.suite import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest itself needs tomli there
    import tomli as tomllib

LEDGER: Final = ROOT / "conformance" / "ledger.toml"


@dataclass(frozen=True)
class Part:
    """A piece of a docstring.

    Attributes:
        text: a sentence, or what stands between two of them.
        kind: ``sentence``; ``code``, printed as it is written; ``text``, a heading or a label.
        anchor: of a sentence, by which it is linked to: its fingerprint.
        state: of a sentence, as the record has it.
        verdict: of the contracts that speak for it; empty if none does.
        entries: these contracts.
        why: why none does.
    """

    text: str
    kind: str = "sentence"
    anchor: str = ""
    state: str = ""
    verdict: str = ""
    entries: Sequence[Entry] = ()
    why: str = ""


@dataclass(frozen=True)
class Read:
    """A docstring.

    Attributes:
        symbol: whose it is.
        parts: its pieces in order.
        whole: whether the record has all of it, and not its sentences alone.
    """

    symbol: str
    parts: Sequence[Part]
    whole: bool

    @property
    def counts(self) -> tuple[int, int, int]:
        """Sentences; those that contracts speak for; those that nobody speaks for."""
        states = [part.state for part in self.parts if part.kind == "sentence"]
        return len(states), states.count("cited"), len(states) - states.count("cited")


@cache
def _ledger() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(LEDGER.read_text("utf-8"))
    return found


def scope() -> list[str]:
    """The symbols whose docstrings are read, in the order in which a reader meets them."""
    return list(_ledger()["symbols"])


def read_aloud(version: Version, atlas: Atlas) -> list[Read]:
    """The docstrings of a version, in the order of the scope."""
    data = version.reading.data
    texts = {one["symbol"]: one["text"] for one in data.get("docstrings", ())}
    sentences: dict[str, list[Mapping[str, Any]]] = {}
    for one in data["documentation"]:
        sentences.setdefault(one["symbol"], []).append(one)
    symbols = [symbol for symbol in scope() if symbol in sentences]
    symbols += [symbol for symbol in sentences if symbol not in symbols]
    found = []
    for symbol in symbols:
        parts = [_sentence(one, version, atlas) for one in sentences[symbol]]
        whole = symbol in texts
        found.append(Read(symbol, list(_laid_out(texts[symbol], parts)) if whole else parts, whole))
    return found


def _sentence(one: Mapping[str, Any], version: Version, atlas: Atlas) -> Part:
    entries = [atlas.entries[id_] for id_ in one["by"] if id_ in atlas.entries]
    cited = one["state"] == "cited"
    if cited:
        why = ""
    elif one["state"] == "filed":
        reason = ", ".join(one["by"])
        why = f"{reason}: {_ledger()['reasons'].get(reason, 'no promise')}"
    else:
        why = "nothing tests this sentence"
    verdict = overall(entry.verdict(version.name) for entry in entries) if cited else ""
    entries = entries if cited else []
    return Part(one["sentence"], "sentence", one["hash"], one["state"], verdict, entries, why)


def _laid_out(text: str, sentences: Sequence[Part]) -> Iterator[Part]:
    """Sentences in the text that they stand in, with what is between them."""
    at = 0
    for part in sentences:
        pattern = r"\s+".join(map(re.escape, part.text.split()))
        found = re.compile(pattern).search(text, at)
        if found is not None:
            yield from _between(text[at : found.start()])
            at = found.end()
        yield part
    yield from _between(text[at:])


def _between(text: str) -> Iterator[Part]:
    """Code, as it is written; labels and headings in one line; list marks are left out."""
    plain: list[str] = []
    code: list[str] = []
    fenced = False
    for line in text.split("\n"):
        bare = line.strip()
        fence = bare.startswith("```")
        if fence or fenced or bare.startswith((">>>", "...")) or (code and bare):
            if not fence:
                code.append(line)
            elif fenced:
                yield from _text(plain)
                yield from _code(code)
                plain, code = [], []
            fenced = fenced != fence
            continue
        if code and not bare:
            yield from _text(plain)
            yield from _code(code)
            plain, code = [], []
        if re.search(r"\w", bare):
            plain.append(bare.lstrip("#*- "))
    yield from _text(plain)
    yield from _code(code)


def _text(lines: Sequence[str]) -> Iterator[Part]:
    for line in lines:
        yield Part(line, "text")


def _code(lines: Sequence[str]) -> Iterator[Part]:
    if any(line.strip() for line in lines):
        yield Part(dedent("\n".join(lines)).strip("\n"), "code")


def index(atlas: Atlas) -> dict[str, dict[str, tuple[int, int]]]:
    """For each symbol and version the number of sentences, and of those with a contract."""
    found: dict[str, dict[str, tuple[int, int]]] = {symbol: {} for symbol in scope()}
    for version in atlas.versions:
        for one in version.reading.data["documentation"]:
            by_version = found.setdefault(one["symbol"], {})
            all_, cited = by_version.get(version.name, (0, 0))
            by_version[version.name] = all_ + 1, cited + (one["state"] == "cited")
    return found
