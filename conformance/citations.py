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
_APART = re.compile(rf"{_HEADING.pattern}|{_BULLET.pattern}")
_ABBREVIATED = re.compile(r"(?:e\.g|i\.e|w\.r\.t|vs|cf|resp|approx)\.$", re.IGNORECASE)
_END = re.compile(r"[.!?][\"')\]]*\s+(?=[A-Z`\"'(\[<*]|\d+\.?\d*[^.)\d])")
_LABEL = re.compile(r"For example|(?:\S+ ){0,2}\S+[:,]")
"""``Example usage:`` and ``For example,`` only say that something follows."""
_SHORT = 2
"""``name: Optional.`` is no sentence: so few words belong to what follows."""
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
        if isinstance(block, str):
            sentences.update(dict.fromkeys(_sentences(block)))
        elif adjacent and block.prompted and examples[-1].prompted:
            examples[-1] = Example(f"{examples[-1].text}\n\n{block.text}", prompted=True)
        else:
            examples.append(block)
        adjacent = isinstance(block, Example)
    return Docstring(tuple(sentences), tuple(examples))


def _blocks(lines: Sequence[str]) -> Iterator[str | Example]:
    """Examples, and the texts of paragraphs, items and entries."""
    pending: list[str] = []
    section, base, at = "", 0, 0
    while at < len(lines):
        line = lines[at].strip()
        indent = len(lines[at]) - len(lines[at].lstrip())
        fenced, prompted = line.startswith("```"), line.startswith(">>>")
        if section and line and not base:
            base = indent
        elif section and line and indent < base:
            section = ""
        starts = line.removesuffix(":") if line.endswith(":") else ""
        entry = section in _ENTRIES and indent == base
        if not line or fenced or prompted or starts in SECTIONS or entry or _APART.match(line):
            yield from _joined(pending)
            pending = []
        start, at = at, at + 1
        if fenced or prompted:
            at = _end(lines, start, fenced=fenced)
            code = "\n".join(lines[start + fenced : at])
            yield Example(dedent(code).strip("\n"), prompted)
            at += 1
        elif starts in SECTIONS:
            section, base = starts, 0
            pending = [] if section in _ENTRIES else [line]
        elif line and not _HEADING.match(line):
            pending.append(line)
    yield from _joined(pending)


def _joined(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield " ".join(lines)


def _end(lines: Sequence[str], start: int, *, fenced: bool) -> int:
    """The line after an example: its closing fence, or the first empty line."""
    for at in range(start + 1, len(lines)):
        line = lines[at].strip()
        if line.startswith("```") if fenced else not line:
            return at
    return len(lines)


def _sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph, an item or an entry."""
    text = fold(_BULLET.sub("", text, count=1) if _BULLET.match(text) else text)
    masked = _QUOTED.sub(lambda quoted: "`" + "x" * (len(quoted[0]) - 2) + "`", text)
    start = 0
    for end in _END.finditer(masked):
        piece = text[start : end.end()].strip()
        if not _ABBREVIATED.search(masked[start : end.start() + 1]) and len(piece.split()) > _SHORT:
            yield from _unless_label(piece)
            start = end.end()
    yield from _unless_label(text[start:])


def _unless_label(piece: str) -> Iterator[str]:
    if piece and not _LABEL.fullmatch(piece):
        yield piece
