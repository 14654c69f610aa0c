"""What the installed documentation says: docstrings, sentence by sentence, and their examples.

A docstring is taken apart into sentences (of paragraphs, of the items of lists, and of the entries
of sections such as Args) and examples (what stands at the prompt ``>>>``, or between fences). A
citation is found again by a fragment of a few words, whatever the line breaks are.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from textwrap import dedent

from conformance.boundary import tensorflow

SECTIONS = ("Args", "Arguments", "Attributes", "Raises", "Returns", "Yields")
"""Headings whose contents are indented."""

_ENTRIES = ("Args", "Arguments", "Attributes", "Raises")
"""Those of them that hold entries, each of which begins at the section's own indentation."""

_BULLET = re.compile(r"(?:[*-]|\d+\.) +")
_HEADING = re.compile(r"#{1,6} ")
_ABBREVIATED = re.compile(r"(?:e\.g|i\.e|w\.r\.t|vs|cf|resp|approx)\.$", re.IGNORECASE)
_END = re.compile(r"[.!?][\"')\]]*\s+(?=[A-Z`\"'(\[<*]|\d+\.?\d*[^.)\d])")
_LABEL = re.compile(r"For example|(?:\S+ ){0,2}\S+[:,]")
"""``Example usage:`` and ``For example,`` only say that something follows."""
_QUOTED = re.compile(r"``.*?``|`[^`]*`")


@dataclass(frozen=True)
class Example:
    """A piece of code in a docstring.

    Attributes:
        text: its lines, with prompts and output if it has them.
        prompted: whether it stands at the prompt ``>>>``.
    """

    text: str
    prompted: bool


@dataclass(frozen=True)
class Docstring:
    """A docstring, taken apart; each in the order in which it is written.

    Attributes:
        sentences: with white space folded; those of equal words once.
        examples: the pieces of code.
    """

    sentences: tuple[str, ...]
    examples: tuple[Example, ...]

    def holding(self, fragment: str) -> list[str]:
        """The sentences that hold a fragment; where there are none, the lines of examples."""
        fragment = fold(fragment)
        found = [sentence for sentence in self.sentences if fragment in sentence]
        if not found:
            lines = [fold(line) for e in self.examples for line in e.text.splitlines()]
            found = list(dict.fromkeys(line for line in lines if fragment in line))
        return found


def fold(text: str) -> str:
    """A text on one line, with single spaces."""
    return " ".join(text.split())


def fingerprint(sentence: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a sentence."""
    return hashlib.sha256(sentence.encode()).hexdigest()[:16]


def installed(symbol: str) -> str | None:
    """The docstring of a public symbol such as ``tf.GradientTape.watch``; empty if it has none.

    None if the installed TensorFlow has no such symbol.
    """
    try:
        found = reduce(getattr, symbol.split(".")[1:], tensorflow())
    except AttributeError:
        return None
    return inspect.getdoc(found) or ""


@cache
def take_apart(text: str) -> Docstring:
    """The sentences and the examples of a docstring, as :func:`inspect.getdoc` gives it."""
    sentences: dict[str, None] = {}
    examples: list[Example] = []
    adjacent = False
    for block in _blocks(text.splitlines()):
        if isinstance(block, Example):
            if adjacent and block.prompted and examples[-1].prompted:
                block = Example(f"{examples.pop().text}\n\n{block.text}", prompted=True)
            examples.append(block)
            adjacent = True
        else:
            sentences.update(dict.fromkeys(_sentences(block)))
            adjacent = False
    return Docstring(tuple(sentences), tuple(examples))


def _blocks(lines: Sequence[str]) -> Iterator[str | Example]:
    """Examples, and the texts of paragraphs, items and entries."""
    pending: list[str] = []
    section, base, at = "", 0, 0
    while at < len(lines):
        line, start = lines[at], at
        stripped, indent = line.strip(), len(line) - len(line.lstrip())
        at += 1
        starts_example = stripped.startswith(("```", ">>>"))
        starts_section = stripped.removesuffix(":") in SECTIONS and stripped.endswith(":")
        if section and stripped and not base:
            base = indent
        if section and stripped and indent < base:
            section = ""
        breaks = (
            not stripped
            or starts_example
            or starts_section
            or _HEADING.match(stripped)
            or _BULLET.match(stripped)
            or (section in _ENTRIES and indent == base)
        )
        if breaks and pending:
            yield " ".join(pending)
            pending = []
        if starts_section:
            section, base = stripped[:-1], 0
            pending = [] if section in _ENTRIES else [stripped]
        elif stripped.startswith("```"):
            while at < len(lines) and not lines[at].strip().startswith("```"):
                at += 1
            yield Example(dedent("\n".join(lines[start + 1 : at])).strip("\n"), prompted=False)
            at += 1
        elif starts_example:
            while at < len(lines) and lines[at].strip():
                at += 1
            yield Example(dedent("\n".join(lines[start:at])), prompted=True)
        elif stripped and not _HEADING.match(stripped):
            pending.append(stripped)
    if pending:
        yield " ".join(pending)


def _sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph, an item or an entry."""
    text = fold(_BULLET.sub("", text, count=1) if _BULLET.match(text) else text)
    masked = _QUOTED.sub(lambda quoted: "`" + "x" * (len(quoted[0]) - 2) + "`", text)
    start = 0
    for end in _END.finditer(masked):
        piece = text[start : end.end()].strip()
        if not _ABBREVIATED.search(masked[start : end.start() + 1]) and len(piece.split()) > 2:
            yield from _unless_label(piece)
            start = end.end()
    yield from _unless_label(text[start:])


def _unless_label(piece: str) -> Iterator[str]:
    if piece and not _LABEL.fullmatch(piece):
        yield piece
