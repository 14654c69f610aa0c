"""The question-shaped index: what people ask, and the contract that answers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance.site.atlas import Atlas, Entry

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest itself needs tomli there
    import tomli as tomllib

FILE: Final = Path(__file__).with_name("questions.toml")


@dataclass(frozen=True)
class Question:
    """A question with its answer.

    Attributes:
        text: the question.
        entry: the contract whose sentence answers it.
    """

    text: str
    entry: Entry


def asked() -> dict[str, dict[str, str]]:
    """The questions under their headings, by the contracts that answer them."""
    found: dict[str, dict[str, str]] = tomllib.loads(FILE.read_text("utf-8"))
    return found


def questions(atlas: Atlas) -> dict[str, list[Question]]:
    """Those that the records at hand can answer, under their headings."""
    return {
        heading: [Question(text, atlas.entries[id_]) for id_, text in of if id_ in atlas.entries]
        for heading, of in ((heading, of.items()) for heading, of in asked().items())
    }


def by_contract() -> dict[str, str]:
    """The questions, by the contracts that answer them."""
    return {id_: text for of in asked().values() for id_, text in of.items()}
