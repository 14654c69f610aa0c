"""Known deviations: places where TensorFlow is known to do otherwise than a contract says.

A failure that matches one is counted and generation goes on, so that a second fault in the same
place is still found; it hides nothing else. ``deviations.toml`` beside this module says how an
entry looks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.contract import Violation
from conformance.errors import UsageError, nearest
from conformance.modes import MODES

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest itself needs tomli there
    import tomli as tomllib

FILE = Path(__file__).with_name("deviations.toml")
_LISTS = {"contracts", "ops", "modes"}
_LIST = "a list of strings"
_FIELDS = {"id", "versions", "kind", "got", "witness", "reason", "link", *_LISTS}
_HINT = "the head of conformance/deviations.toml shows how an entry looks"


@dataclass(frozen=True)
class Deviation:
    """A claim about TensorFlow, with the signature of the failure that it explains.

    Attributes:
        id: its name in records.
        contracts: the contracts that fail.
        ops: catalogue entries of which the failing program holds at least one; empty: any.
        modes: the modes in which it shows; empty: all.
        since, until: the minor versions that have it, inclusive; None: open.
        kind: the kind of the violation.
        got: a pattern that is found in what TensorFlow answered.
        witness: the shortest program that shows it.
        reason, link: why it is so, and where it is reported.
    """

    id: str
    contracts: tuple[str, ...]
    ops: tuple[str, ...]
    modes: tuple[str, ...]
    since: tuple[int, int]
    until: tuple[int, int] | None
    kind: str
    got: str
    witness: str
    reason: str
    link: str

    def covers(self, version: tuple[int, int]) -> bool:
        """Whether it is claimed for a minor version."""
        return self.since <= version and (self.until is None or version <= self.until)

    def matches(self, violation: Violation, subject: str, mode: str, case: Any) -> bool:
        """Whether a failure is this one."""
        present = {subject, *getattr(getattr(case, "graph", None), "ops", ())}
        return (
            violation.contract.id in self.contracts
            and violation.kind == self.kind
            and (not self.modes or mode in self.modes)
            and (not self.ops or any(op in present for op in self.ops))
            and re.search(self.got, violation.got) is not None
        )


def load(path: Path, contracts: Iterable[str]) -> tuple[Deviation, ...]:
    """The deviations of a file.

    Args:
        path: a TOML file of ``[[deviation]]`` tables.
        contracts: the ids that exist.

    Raises:
        UsageError: if the file is not TOML; if an entry lacks a field, has one too many or of the
            wrong type, has the id of another, or names a contract, a mode, versions or a pattern
            that do not exist.
    """
    known, found = list(contracts), dict[str, Deviation]()
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("deviation", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not TOML: {error}",
            expected="a TOML file of [[deviation]] tables",
            hint=_HINT,
        ) from error
    for entry in entries:
        made = _entry(entry, known)
        if made.id in found:
            raise UsageError(
                f"deviation {made.id!r} is there twice",
                expected="one entry for each id",
                hint="ids are permanent: give the later one another",
            )
        found[made.id] = made
    return tuple(found.values())


def _entry(entry: dict[str, Any], known: list[str]) -> Deviation:
    name = entry.get("id", "without id")
    if wrong := sorted(entry.keys() ^ _FIELDS):
        raise UsageError(
            f"deviation {name!r} has these fields too many or too few: {', '.join(wrong)}",
            expected=f"exactly {', '.join(sorted(_FIELDS))}",
            hint=_HINT,
        )
    for field, value in entry.items():
        expected = _LIST if field in _LISTS else "a string"
        if (expected == _LIST) != isinstance(value, list) or not all(
            isinstance(part, str) for part in (value if isinstance(value, list) else [value])
        ):
            raise UsageError(
                f"deviation {name!r} has the {field} {value!r}", expected=expected, hint=_HINT
            )
    for contract in entry["contracts"]:
        if contract not in known:
            raise UsageError(
                f"deviation {name!r} names the unknown contract {contract!r}",
                expected="the id of a contract",
                hint=nearest(contract, known),
            )
    for mode in entry["modes"]:
        if mode not in MODES:
            raise UsageError(
                f"deviation {name!r} names the unknown mode {mode!r}",
                expected=f"one of {', '.join(MODES)}",
                hint=nearest(mode, MODES),
            )
    if not re.fullmatch(r"\d+\.\d+(-(\d+\.\d+)?)?", entry["versions"]):
        raise UsageError(
            f"deviation {name!r} has the versions {entry['versions']!r}",
            expected="the first and the last minor version that have it: 2.8-2.21",
            hint="leave out the last while it lasts: 2.8-",
        )
    try:
        re.compile(entry["got"])
    except re.error as error:
        raise UsageError(
            f"deviation {name!r} has the pattern {entry['got']!r}: {error}",
            expected="a regular expression that is found in what TensorFlow answered",
            hint="put a backslash before each of . * + ? ( ) [ ] that stands for itself",
        ) from error
    since, dash, until = entry["versions"].partition("-")
    return Deviation(
        entry["id"],
        tuple(entry["contracts"]),
        tuple(entry["ops"]),
        tuple(entry["modes"]),
        _minor(since),
        _minor(until or since) if until or not dash else None,
        entry["kind"],
        entry["got"],
        entry["witness"],
        entry["reason"],
        entry["link"],
    )


def _minor(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)
