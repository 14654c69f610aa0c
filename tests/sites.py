"""Sites that tests look at: of records that no run has written, read as a browser reads them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from conformance.reading import read
from conformance.record import VERDICTS, Outcome
from conformance.site.atlas import Atlas, atlas
from conformance.site.command import write as write_pages
from conformance.site.pages import pages
from conformance.site.source import properties
from conformance.site.versions import ordered
from tests.records import data, outcome, write

VOID = frozenset({"meta", "link", "input", "img", "br", "rect", "path"})
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&lt;b&gt; {{ 7 * 7 }} {% raw %} "
    "\u202etxet\u202c \u2066x\u2069 \x1b[31mred\x1b[0m \x07\x00 \u200b </code></pre></title>"
)
"""Markup, template code, letters that turn a line around, escape sequences, what cannot be seen."""
REAL = ("unwatched-none", "watch-variable-auto", "gradient-finite-difference", "article-ex1")
"""Contracts of this checkout, so that there are properties and questions."""


def cells(*, worse: bool = False) -> list[Outcome]:
    """Outcomes of all verdicts, of contracts that exist and of one that does not."""
    found = [
        outcome(contract=contract, subject=subject, mode=mode)
        for contract in REAL
        for subject in ("tf.math.sin", "tf.math.cos")
        for mode in ("eager", "xla")
    ]
    verdicts = [one for one in VERDICTS if one not in ("violated", "crashed")]
    verdicts += ["violated", "crashed"] if worse else []
    found += [outcome(verdict, subject=f"tf.nn.{verdict}") for verdict in verdicts]
    return found


def made(version: str, *, worse: bool = False) -> dict[str, Any]:
    """A record that has something for every page."""
    record = data(*cells(worse=worse), version=version)
    for contract in record["contracts"]:
        known = properties().get(contract["id"])
        kind = "article" if contract["id"].startswith("article") else "docstring"
        contract["sentence"] = f"What {contract['id']} says." if known else "Something is so."
        first, *others = contract["citations"]
        first = {**first, "kind": kind, "sentence": f"As in {version[:3]}."}
        contract["citations"] = [first, *others]
    return record


def hostile(value: Any, key: str = "") -> Any:
    """A record in which every text that may say anything says the worst."""
    if isinstance(value, dict):
        return {name: hostile(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [hostile(one, key) for one in value]
    free = {
        "sentence", "words", "where", "reason", "witness", "link", "program", "expected", "got",
        "why", "replay", "answer", "values", "text", "git", "item", "subject", "symbol", "system",
        "machine", "numpy", "keras", "out_of_reach", "module",
    }  # fmt: skip
    return f"{value} {HOSTILE}" if key in free and isinstance(value, str) and value else value


def build(folder: Path, *records: dict[str, Any]) -> tuple[Path, Atlas]:
    """The site of some records in a folder, with what it was made from."""
    paths = [write(folder / f"{at}.json", copy.deepcopy(one)) for at, one in enumerate(records)]
    known = atlas(ordered(map(read, paths)))
    write_pages(folder / "site", pages(known))
    return folder / "site", known


@dataclass
class Page(HTMLParser):
    """A page as a browser reads it.

    Attributes:
        path: of its file.
        tags: every start tag with its attributes.
        anchors: ids.
        text: all that is shown.
        open: tags that were never closed.
    """

    path: Path
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it; it is closed."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Close the last one, which must be of this name."""
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"{self.path}: </{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        """Note it."""
        self.text += data

    @property
    def anchors(self) -> list[str]:
        """Every id."""
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Every address, with the tag that has it."""
        for tag, attributes in self.tags:
            for name in ("href", "src"):
                if name in attributes:
                    yield tag, attributes[name]


def every(site: Path) -> list[Page]:
    """All pages of a site."""
    return [Page(path) for path in sorted(site.rglob("*.html"))]
