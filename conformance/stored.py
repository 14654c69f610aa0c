"""Failures as files that run by themselves: ``results/mine.failures/CONTRACT-SUBJECT-MODE.py``.

A stored program is Python. It begins with comments that say what it is about::

    # tapemeasure failure 1
    # contract: gradient-finite-difference
    # sentence: The gradient of a watched source is the derivative that finite differences find.
    # subject: tf.math.cumprod
    # mode: eager
    # kind: value
    # expected: 1.0 for x0[1]
    # got: 0.0
    # because: central differences at steps 0.0005 and 0.00025, tolerance 8.7e-11
    # versions: python 3.11.9, tensorflow 2.21.0
    # search: pytest "..." --tape-profile quick --tape-seed 0

A value of several lines goes on in lines that begin with ``#`` and four spaces. The number is that
of the format. After the program the last line is ``# end``, by which a truncated file is known.
What stands between may be edited: the shorter it gets, the better.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from conformance.errors import ExitCode, UsageError, nearest
from conformance.record import Outcome

FORMAT: Final = 1
_FIRST: Final = "# tapemeasure failure "
_LAST: Final = "# end"
_MORE: Final = "#     "
_CONTROL: Final = re.compile(r"[^\n\x20-\x7e\xa0-\U0010ffff]|[\u2028\u2029]")
"""What would end a comment, or not show."""


@dataclass(frozen=True)
class Stored:
    """A failure and the program that shows it.

    Attributes:
        contract, sentence: whose promise was broken.
        subject, mode: about what, and how the program met the tape.
        kind, expected, got, because: as of a violation.
        versions: with which it was found.
        search: the command that looks for it anew.
        program: the program, which asserts that the promise is kept.
    """

    contract: str
    sentence: str
    subject: str
    mode: str
    kind: str
    expected: str
    got: str
    because: str
    versions: str
    search: str
    program: str = ""

    @property
    def name(self) -> str:
        """What its file is called."""
        return file_name(self.contract, self.subject, self.mode)

    def text(self) -> str:
        """The file."""
        lines = [f"{_FIRST}{FORMAT}"]
        for key in _KEYS:
            value = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], getattr(self, key))
            first, *more = (line.rstrip() for line in value.split("\n"))
            lines += [f"# {key}: {first}".rstrip(), *(f"{_MORE}{line}".rstrip() for line in more)]
        return "\n".join([*lines, "", self.program.rstrip(), _LAST]) + "\n"


_KEYS: Final = tuple(one.name for one in fields(Stored) if one.name != "program")


def file_name(contract: str, subject: str, mode: str) -> str:
    """The name of the file of a failure; subjects may have signs that file systems do not like."""
    parts = (contract, re.sub(r"[^\w.]", "_", subject), mode)
    return "-".join(part for part in parts if part) + ".py"


def is_stored(text: str) -> bool:
    """Whether a file's text begins as a stored program does."""
    return text.startswith(_FIRST)


def parse(text: str, path: str) -> Stored:
    """The failure that a file's text holds.

    Raises:
        UsageError: if it is truncated, of a newer format, or says not all that it should.
    """
    lines = text.split("\n")
    number = lines[0].removeprefix(_FIRST).strip()
    if not number.isdigit() or int(number) > FORMAT:
        raise UsageError(
            f"{path} is a failure of format {number or 'unknown'}",
            expected=f"format {FORMAT} or older",
            hint="a newer tapemeasure wrote it: replay it with that one, or run it with python",
            code=ExitCode.UNREADABLE,
        )
    if lines[-2:] != [_LAST, ""]:
        raise UsageError(
            f"{path} is truncated: its last line is not '{_LAST}'",
            expected="a program as it was stored",
            hint="run the suite with --tape-record again, or add the line if you cut the program",
            code=ExitCode.UNREADABLE,
        )
    found: dict[str, str] = {}
    key, at = "", 1
    while at < len(lines) and lines[at].startswith("#"):
        line = lines[at]
        name, _, value = line.removeprefix("# ").partition(":")
        if line.startswith(_MORE) or line == "#":
            found[key] = f"{found.get(key, '')}\n{line.removeprefix(_MORE).removeprefix('#')}"
        else:
            key = name
            found[key] = value.strip()
        at += 1
    for name in _KEYS:
        if name not in found:
            like = nearest(name, found) if found else "run the suite with --tape-record again"
            raise UsageError(
                f"{path} does not say its {name}",
                expected=f"a line '# {name}: ...'",
                hint=like,
                code=ExitCode.UNREADABLE,
            )
    told = {name: found[name] for name in _KEYS}
    return Stored(**told, program="\n".join(lines[at:-2]).strip("\n") + "\n")


def stored(outcome: Outcome, sentences: Mapping[str, str], versions: str) -> Stored | None:
    """The failure of an outcome of a record; None if it has none.

    Args:
        outcome: of a record.
        sentences: of contracts, by id.
        versions: of what was used.
    """
    failure = outcome.failure
    if failure is None:
        return None
    return Stored(
        outcome.contract,
        sentences.get(outcome.contract, ""),
        outcome.subject,
        outcome.mode,
        failure.kind,
        failure.expected,
        failure.got,
        failure.why,
        versions,
        failure.replay,
        failure.program,
    )


def folder_of(record: Path) -> Path:
    """Where the failures of a record are: beside it."""
    return record.with_name(f"{record.name.removesuffix('.json')}.failures")


def store(failures: Sequence[Stored], record: Path) -> None:
    """Let the folder of a record hold these failures, and none of an earlier run.

    Each file is written in one step; files that are not stored programs are left alone.

    Raises:
        OSError: if a file cannot be written.
    """
    folder = folder_of(record)
    wanted = {failure.name: failure.text() for failure in failures}
    if wanted:
        folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.py"):
        known = path.read_text(encoding="utf-8", errors="replace")
        if wanted.get(path.name) == known:
            del wanted[path.name]
        elif path.name not in wanted and is_stored(known):
            path.unlink()
    for name, text in wanted.items():
        _write(folder / name, text)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
