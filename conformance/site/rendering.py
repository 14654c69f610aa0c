"""How pages are made: templates, and texts that can do no harm in them.

Whatever a record says is text. Jinja escapes what HTML would take for markup, and before that each
text loses what could move a cursor, turn a line around or not be seen: such characters are spelled
out. Both happen to everything that a template prints, so that none has to remember it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from conformance.gate.telling import harmless
from conformance.site.verdicts import MEANINGS, SAID, SIGNS, WORDS, letter

FOLDER: Final = Path(__file__).parent


def shown(value: Any) -> Any:
    """What a template prints for a value."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return harmless(value)
    return value


@cache
def code(text: str) -> Markup:
    """A program of Python in colours, which are those of the style sheet's classes."""
    return Markup(  # noqa: S704 - Pygments has escaped it
        highlight(harmless(text.strip("\n")), _LEXER, _FORMATTER).rstrip("\n")
    )


def link(address: str) -> str:
    """An address that can be followed; empty if it is no plain address of the web."""
    return address if address.startswith("https://") else ""


_LEXER: Final = PythonLexer()
_FORMATTER: Final = HtmlFormatter(nowrap=True)


def environment() -> Environment:
    """The templates, with what they have in common."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"code": code, "link": link, "letter": letter}
    signs = {verdict: Markup(sign) for verdict, sign in SIGNS.items()}  # noqa: S704 - our own
    made.globals |= {"signs": signs, "meanings": MEANINGS, "said": SAID, "words": WORDS}
    return made
