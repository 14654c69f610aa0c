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


def asked() -> dict[str, str]:
    """The questions, by the contracts that answer them."""
    found: dict[str, str] = tomllib.loads(FILE.read_text("utf-8"))["questions"]
    return found


def questions(atlas: Atlas) -> list[Question]:
    """Those that the records at hand can answer."""
    return [
        Question(text, atlas.entries[id_]) for id_, text in asked().items() if id_ in atlas.entries
    ]
