"""The same as data: the matrix as CSV and JSON, and what the search looks through."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final

from conformance.gate.telling import harmless
from conformance.modes import MODES
from conformance.site.atlas import Atlas
from conformance.site.verdicts import ABSENT, Summary

ALL: Final = "all"
"""In place of a mode: all of them together."""
_COLUMNS: Final = (
    "contract",
    "chapter",
    "version",
    "tensorflow",
    "mode",
    "verdict",
    "programs",
    "conclusive",
    "trivial",
    "undecided",
    "rejected",
    "gaps",
)
_FORMULA: Final = ("=", "+", "-", "@")
"""What begins so would be computed by a spreadsheet."""


def rows(atlas: Atlas) -> Iterator[dict[str, Any]]:
    """What each contract came to in each version, in all modes together and in each."""
    for entry in atlas.entries.values():
        for version in atlas.versions:
            known = entry.summaries[version.name], entry.by_mode[version.name]
            for mode, summary in {ALL: known[0], **known[1]}.items():
                if summary.verdict != ABSENT:
                    yield {
                        "contract": entry.id,
                        "chapter": entry.chapter.name,
                        "version": version.name,
                        "tensorflow": harmless(version.tensorflow),
                        "mode": mode,
                        **_counts(summary),
                    }


def _counts(summary: Summary) -> dict[str, Any]:
    return {
        "verdict": summary.verdict,
        "programs": summary.programs,
        "conclusive": summary.conclusive,
        "trivial": summary.trivial,
        "undecided": summary.undecided,
        "rejected": summary.rejected,
        "gaps": summary.gaps,
    }


def matrix_csv(atlas: Atlas) -> str:
    """The matrix, a line for a contract, a version and a mode."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows(atlas))
    return text.getvalue()


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def matrix_json(atlas: Atlas) -> str:
    """The matrix, with what each contract says."""
    data = {
        "versions": [
            {"name": v.name, "tensorflow": v.tensorflow, "measured": v.date} for v in atlas.versions
        ],
        "modes": [ALL, *MODES],
        "contracts": [
            {"id": e.id, "chapter": e.chapter.name, "sentence": e.sentence}
            for e in atlas.entries.values()
        ],
        "cells": list(rows(atlas)),
    }
    return json.dumps(data, separators=(",", ":")) + "\n"


def search_index(atlas: Atlas, asked: dict[str, str]) -> str:
    """What the search looks through, as a script: a file may not fetch another one.

    Each entry has a kind, a title, what else is searched, and an address.
    """
    found: list[tuple[str, str, str, str]] = []
    for entry in atlas.entries.values():
        more = f"{entry.id} {asked.get(entry.id, '')}"
        found.append(("contract", harmless(entry.sentence), more, f"contract/{entry.id}.html"))
    newest = atlas.versions[-1]
    page = f"documentation/{newest.name}.html"
    sentences = newest.reading.data["documentation"]
    symbols = [harmless(symbol) for symbol in dict.fromkeys(one["symbol"] for one in sentences)]
    found += [("docstring", symbol, "documentation", f"{page}#{symbol}") for symbol in symbols]
    for one in sentences:
        symbol, place = harmless(one["symbol"]), f"s-{one['symbol']}-{one['hash']}"
        found += [(symbol, harmless(one["sentence"]), "sentence", f"{page}#{harmless(place)}")]
    for version in atlas.versions:
        name = harmless(version.tensorflow)
        found.append(("version", f"TensorFlow {name}", "release", f"version/{version.name}.html"))
    return f"window.tapemeasure = {json.dumps(found, separators=(',', ':'))};\n"
