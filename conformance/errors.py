"""What goes wrong on the user's side: one error, with a code, what was expected and a hint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum
from functools import partial
from typing import Any


class ExitCode(IntEnum):
    """How a run ends; the README has the same table.

    Up to 6 they are pytest's own, in the words of this project.
    """

    HOLDS = 0
    VIOLATED = 1
    INTERRUPTED = 2
    INTERNAL = 3
    USAGE = 4
    NOTHING_RAN = 5
    WARNINGS = 6
    NO_TENSORFLOW = 7
    UNREADABLE = 8
    INCOMPARABLE = 9
    UNMADE = 10
    DIFFERS = 11


class UsageError(Exception):
    """Something the user can put right.

    Args:
        what: what is wrong, with the value that was given.
        expected: what would have been right.
        hint: what to do next.
        code: the exit code of the run.
    """

    def __init__(
        self, what: str, *, expected: str, hint: str, code: ExitCode = ExitCode.USAGE
    ) -> None:
        super().__init__(f"{what}\n  expected: {expected}\n  hint: {hint}")
        self.what, self.expected, self.hint, self.code = what, expected, hint, code

    def __reduce__(self) -> tuple[Any, ...]:
        """Exceptions are made again from their arguments by place, and these have names."""
        make = partial(UsageError, expected=self.expected, hint=self.hint, code=self.code)
        return make, (self.what,)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word most like a given one."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
