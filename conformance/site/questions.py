"""The question-shaped index: what people ask, and the contract that answers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance.site.atlas import Atlas, Entry
from conformance.site.verdicts import ABSENT
from conformance.site.versions import spoken

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest itself needs tomli there
    import tomli as tomllib

FILE: Final = Path(__file__).with_name("questions.toml")

_SAID: Final = {
    "violated": "violated",
    "crashed": "crashes the process",
    "deviates": "known to deviate",
    "holds": "holds",
    "gap": "has a gap",
    "inconclusive": "not decided",
    "unsupported": "not supported",
    ABSENT: "not asked",
}


@dataclass(frozen=True)
class Question:
    """A question with its answer.

    Attributes:
        text: the question.
        entry: the contract whose sentence answers it.
        verdict: in how many words that sentence is true, by version.
    """

    text: str
    entry: Entry
    verdict: str


def asked() -> dict[str, str]:
    """The questions, by the contracts that answer them."""
    found: dict[str, str] = tomllib.loads(FILE.read_text("utf-8"))["questions"]
    return found


def questions(atlas: Atlas) -> list[Question]:
    """Those that the records at hand can answer."""
    return [
        Question(text, atlas.entries[id_], told(atlas.entries[id_]))
        for id_, text in asked().items()
        if id_ in atlas.entries
    ]


def told(entry: Entry) -> str:
    """The verdicts of a contract in words, each with its versions: holds in 2.8 to 2.21."""
    by: dict[str, list[str]] = {}
    for version, summary in entry.summaries.items():
        by.setdefault(summary.verdict, []).append(version)
    asked_in = {verdict: names for verdict, names in by.items() if verdict != ABSENT}
    if not asked_in:
        return "not asked"
    return "; ".join(f"{_SAID[verdict]} in {spoken(names)}" for verdict, names in asked_in.items())
