"""Which version was the first to show a change: by halving, on the items that it concerns alone.

It is taken for granted that what one version shows all later ones do. Versions that cannot be
measured are passed over, so the answer may name a version after the first.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from conformance.errors import ExitCode, UsageError
from conformance.gate import making
from conformance.gate.compare import Change, Comparison, minor
from conformance.gate.kinds import sort
from conformance.reading import Reading, read
from conformance.summary import number as counted

NIGHTLY: Final = "tf-nightly"


@dataclass(frozen=True)
class Version:
    """A version that can be measured.

    Attributes:
        number: as TensorFlow says it.
        env: the environment that measures it.
        requirement: what the environment `tf` is to install; empty for the others.
    """

    number: str
    env: str
    requirement: str = ""


Measure = Callable[[Version, Sequence[str]], "Reading | None"]
"""Runs items on a version; None if that cannot be done."""


def bisect(comparison: Comparison, versions: Sequence[Version], measure: Measure) -> Comparison:
    """The same comparison, whose failing changes say which version was the first to show them.

    Args:
        comparison: of two versions.
        versions: those between the two, in order.
        measure: see :data:`Measure`.
    """
    wanted = [c for c in comparison.changes if c.kind in comparison.failing and c.item]
    first = _first(wanted, list(versions), comparison.candidate.tensorflow, measure)
    changes = [replace(c, first=first.get(_cell(c), c.first)) for c in comparison.changes]
    return replace(comparison, changes=changes)


def _first(
    changes: Sequence[Change], versions: list[Version], last: str, measure: Measure
) -> dict[tuple[str, str, str], str]:
    """For each cell the first version that shows its change."""
    # the last that is known not to show it, and the first that is known to
    spans = {_cell(change): (-1, len(versions)) for change in changes}
    while middles := {sum(span) // 2 for span in spans.values() if span[1] - span[0] > 1}:
        middle = min(middles)
        asked = [c for c in changes if _is_open(spans[_cell(c)], middle)]
        found = measure(versions[middle], sorted({change.item for change in asked}))
        if found is None:
            del versions[middle]
            spans = {
                cell: (low - (low > middle), high - (high > middle))
                for cell, (low, high) in spans.items()
            }
            continue
        for change in asked:
            low, high = spans[_cell(change)]
            shown = _shows(change, found)
            spans[_cell(change)] = (low, middle) if shown else (middle, high)
    numbers = [*(version.number for version in versions), last]
    return {cell: numbers[high] for cell, (_, high) in spans.items()}


def _is_open(span: tuple[int, int], middle: int) -> bool:
    return span[1] - span[0] > 1 and sum(span) // 2 == middle


def _cell(change: Change) -> tuple[str, str, str]:
    return change.contract, change.subject, change.mode


def _shows(change: Change, found: Reading) -> bool:
    """Whether a version differs from the baseline as the candidate does."""
    sorted_ = sort(change.before, found.outcomes.get(_cell(change)))
    return sorted_ is not None and sorted_[0] == change.kind


def between(before: str, after: str) -> list[Version]:
    """The released versions between two, in order; before a nightly also the nightlies.

    Args:
        before: the earlier version.
        after: the later one.
    """
    low, high = minor(before), minor(after)
    released = making.releases()
    found = [Version(number, env) for env, number in released if low < minor(number) < high]
    if "dev" in after:
        # a nightly of what was released since is older than the release
        low = max(low, *(minor(number) for _, number in released))
        found += [
            Version(number, "tf", f"{NIGHTLY}=={number}")
            for number in nightlies()
            if low < minor(number) and (minor(number), number) < (high, after.replace("-", "."))
        ]
    return found


def nightlies() -> list[str]:
    """The nightly builds that the package index still lists, in order; none if it cannot be asked.

    pip is asked, as the index may be another than the usual one.
    """
    command = [sys.executable, "-m", "pip", "index", "versions", "--pre", NIGHTLY]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip
    listed = re.search(r"^Available versions: (.*)$", run.stdout, re.MULTILINE)
    numbers = listed[1].split(", ") if listed else []
    return sorted((n for n in numbers if "dev" in n), key=lambda number: (minor(number), number))


def measured(
    version: Version, items: Sequence[str], options: str, folder: Path, say: Callable[[str], None]
) -> Reading | None:
    """Run items on a version by tox; None if they did not come to their end.

    Args:
        version: which one.
        items: their names.
        options: with which pytest draws the same programs.
        folder: where records may lie.
        say: tells the user what goes on.
    """
    say(f"bisecting: TensorFlow {version.number}: {counted(len(items), 'item')}")
    path = (folder / f"{version.number}.json").resolve()
    path.unlink(missing_ok=True)
    arguments = [*items, *options.split(), "--tape-record-only", "--tape-record", str(path)]
    cache = f"cache_dir={folder.resolve() / 'pytest'}"
    code = making.tox_pytest(version.env, [*arguments, "-o", cache], version.requirement)
    if code != ExitCode.HOLDS:
        say(f"bisecting: TensorFlow {version.number} cannot be measured, and is passed over")
        return None
    try:
        return read(path)
    except UsageError as error:
        say(f"bisecting: TensorFlow {version.number} is passed over: {error.what}")
        return None
