"""Records as they are read: found by name, and believed only as far as they can be checked.

A record comes from another machine, or from a stranger: it may be cut off, huge, deeply nested or
of another sort altogether. Whatever is wrong with it is one clear error.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, NoReturn

from conformance.errors import ExitCode, UsageError, nearest
from conformance.record import SCHEMA_FILE, SCHEMA_VERSION, Outcome, outcome_from_json
from conformance.schema import Check, checker

LARGEST: Final = 64 * 2**20
"""Bytes; a record of the whole suite in the profile gate has about a tenth."""
FOLDERS: Final = ("gate", ".")
"""Where records lie below the folder of results, in the order in which they are looked for."""

Cell = tuple[str, str, str]
"""A contract, a subject and a mode."""


@dataclass(frozen=True)
class Reading:
    """A record that was read, and is as the schema has it.

    Attributes:
        path: where it lies.
        data: the whole record.
    """

    path: Path
    data: Mapping[str, Any]

    @property
    def header(self) -> Mapping[str, Any]:
        """What ran, and on what."""
        header: Mapping[str, Any] = self.data["header"]
        return header

    @property
    def tensorflow(self) -> str:
        """The version of TensorFlow, as it called itself if it was asked."""
        used = self.header["used"]
        told: str = used["tensorflow"] if used else self.header["versions"]["tensorflow"]
        return told or "unknown"

    @cached_property
    def outcomes(self) -> dict[Cell, Outcome]:
        """The outcomes by contract, subject and mode."""
        made = map(outcome_from_json, self.data["outcomes"])
        return {(o.contract, o.subject, o.mode): o for o in made}

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """For the digest of an item's programs, those of all programs up to each of them."""
        return {one["digest"]: one["prefixes"] for one in self.data["programs"]}

    @cached_property
    def _items(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for one in self.data["programs"]:
            mode = re.search(r"(\w+)\]$", one["item"])
            found.setdefault((one["digest"], mode[1] if mode else ""), []).append(one["item"])
        return found

    def item(self, outcome: Outcome) -> str:
        """The name of the item that an outcome came from; empty if it is not known."""
        items = self._items.get((outcome.digest, outcome.mode), [""])
        return next((item for item in items if f"[{outcome.subject}-" in item), items[0])


def read(path: Path, *, any_schema: bool = False) -> Reading:
    """Read a record.

    Args:
        path: of the file.
        any_schema: whether a record of another version of the schema will do, if it can be read
            as one of ours.

    Raises:
        UsageError: if it cannot be read, or is not a record.
    """
    data = _load(path)
    if not isinstance(data, dict) or not {"schema", "header", "outcomes"} <= data.keys():
        _refuse(path, "is JSON, but no record", hint="a record is what --tape-record FILE writes")
    version = data["schema"]
    if version != SCHEMA_VERSION or isinstance(version, bool):
        if not any_schema:
            raise UsageError(
                f"the record {path} has another schema: {_short(version)}",
                expected=f"schema {SCHEMA_VERSION}",
                hint="make it anew with this suite; the gate reads it with --allow schema",
                code=ExitCode.INCOMPARABLE,
            )
        data["schema"] = SCHEMA_VERSION
    if fault := _check()(data):
        _refuse(path, f"is not as the schema has it: {fault}", hint="make the record anew")
    _check_cells(path, data)
    return Reading(path, data)


def took(path: Path) -> dict[str, float]:
    """What each item of an earlier run took, in seconds.

    Raises:
        UsageError: as in :func:`read`.
    """
    return {one["item"]: one["seconds"] for one in read(path).data["programs"]}


def find(name: str, results: Path) -> Path:
    """The record that a command line names.

    Args:
        name: a file, or a version such as 2.20 whose record lies among the results.
        results: the folder of results.

    Raises:
        UsageError: if there is none.
    """
    if name.endswith(".json") or "/" in name or "\\" in name:
        return Path(name)
    for folder in FOLDERS:
        for stem in (name, f"tf{name}"):
            path = results / folder / f"{stem}.json"
            if path.is_file():
                return path
    known = sorted(
        {p.stem.removeprefix("tf") or "tf" for f in FOLDERS for p in (results / f).glob("*.json")}
    )
    made = f"`tox run -e gate -- {name} ...` makes the record of a version that tox.ini has"
    raise UsageError(
        f"there is no record of {_short(name)}",
        expected=f"a file, or a version with a record in {results}",
        hint=f"{nearest(name, known)}; {made}" if known else made,
    )


def _load(path: Path) -> Any:
    """What the file says, whatever it is."""
    data = content(path)
    try:
        return json.loads(data, parse_constant=_no_number)
    except RecursionError:
        _refuse(path, "is nested too deeply", hint="no record is: it is not one of this suite's")
    except UnicodeDecodeError:
        _refuse(path, "is not text", hint="a record is what --tape-record FILE writes")
    except ValueError as error:
        _refuse(
            path,
            f"is not JSON: {error}",
            hint="it may have been cut off on its way: copy it again, or make it anew",
        )


def content(path: Path) -> bytes:
    """What a file holds, as long as a record might.

    Raises:
        UsageError: if it is not there, or cannot be read, or is empty or too large.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            _refuse(path, "is no file", hint="see whether the path is right")
        if not size:
            _refuse(path, "is empty", hint="it may have been cut off on its way: copy it again")
        if size > LARGEST:
            _refuse(
                path,
                f"has {size / 2**20:.0f} MiB",
                hint=f"a record has a few; more than {LARGEST // 2**20} are not read",
            )
        return path.read_bytes()
    except FileNotFoundError:
        beside = (p.name for p in path.parent.glob(f"*{path.suffix}"))
        close = difflib.get_close_matches(path.name, beside, n=1)
        raise UsageError(
            f"{path} is not there",
            expected="a file that --tape-record has written",
            hint=f"did you mean {close[0]!r}?" if close else "see whether the path is right",
        ) from None
    except OSError as error:
        raise UsageError(
            f"the record {path} cannot be read: {error.strerror}",
            expected="a file that --tape-record has written",
            hint="see whether the path is right",
        ) from error


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


@cache
def _check() -> Check:
    return checker(json.loads(SCHEMA_FILE.read_text("utf-8")))


def _check_cells(path: Path, data: Mapping[str, Any]) -> None:
    """What the schema cannot say: each cell is there once, and is about a contract that exists."""
    known = {contract["id"] for contract in data["contracts"]}
    seen: set[Cell] = set()
    for cell in _cells(data):
        if cell in seen or (known and cell[0] not in known):
            told = " ".join(filter(None, cell))
            wrong = "twice" if cell in seen else "but not its contract"
            _refuse(path, f"has the cell {_short(told)} {wrong}", hint="make the record anew")
        seen.add(cell)


def _cells(data: Mapping[str, Any]) -> Iterator[Cell]:
    for outcome in data["outcomes"]:
        yield outcome["contract"], outcome["subject"], outcome["mode"]


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}..."  # noqa: PLR2004 - a line's width


def _refuse(path: Path, fault: str, *, hint: str) -> NoReturn:
    raise UsageError(
        f"the record {path} {fault}",
        expected="a record as conformance/record.schema.json has it",
        hint=hint,
        code=ExitCode.UNREADABLE,
    )
