"""The versions of TensorFlow that there are records of: their order, and their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.errors import UsageError
from conformance.gate.compare import minor
from conformance.gate.making import releases
from conformance.gate.telling import harmless
from conformance.reading import Reading

NIGHTLY: Final = "nightly"


@dataclass(frozen=True)
class Version:
    """A version with its record.

    Attributes:
        name: what pages and addresses call it: 2.21 for each of its patch releases, nightly, or
            the whole of what any other calls itself.
        reading: its record.
    """

    name: str
    reading: Reading

    @property
    def tensorflow(self) -> str:
        """What it calls itself."""
        return self.reading.tensorflow

    @property
    def is_release(self) -> bool:
        """Whether it is one of the releases, each of which has a minor version to itself."""
        return re.fullmatch(r"\d+\.\d+", self.name) is not None

    @property
    def environment(self) -> str:
        """The environment of tox.ini that has it; that of one's own wheel if none has."""
        return f"tf{self.name}" if self.name in known() else "tf"

    @property
    def date(self) -> str:
        """The day on which it was measured, in UTC."""
        return str(self.reading.header["started"])[:10]


def known() -> list[str]:
    """The versions that tox.ini has, in their order; each has a page, whether measured or not."""
    return [*(env.removeprefix("tf") for env, _ in releases()), NIGHTLY]


def ordered(readings: Iterable[Reading]) -> list[Version]:
    """The versions of records, the oldest first and the nightly last.

    Raises:
        UsageError: if two records are of one version.
    """
    found: dict[str, Version] = {}
    for reading in readings:
        version = Version(name(reading.tensorflow), reading)
        other = found.setdefault(version.name, version)
        if other is not version:
            raise UsageError(
                f"two records are of TensorFlow {version.name}: {other.reading.path} "
                f"and {reading.path}",
                expected="one record of each version, of which patch releases are one",
                hint="leave one of them out",
            )
    return sorted(found.values(), key=lambda v: (v.name == NIGHTLY, minor(v.tensorflow), v.name))


def name(tensorflow: str) -> str:
    """What a version is called in pages and addresses.

    Args:
        tensorflow: what it calls itself.
    """
    if release := re.fullmatch(r"(\d{1,4}\.\d{1,4})\.\d{1,4}", tensorflow):
        return release[1]
    if re.fullmatch(r"\d+\.\d+\.\d+[.-]?dev\d+", tensorflow):
        return NIGHTLY
    return re.sub(r"[^\w.+-]", "_", harmless(tensorflow), flags=re.ASCII)[:60].strip(".") or "_"


def spoken(names: Sequence[str]) -> str:
    """Versions in words: 2.8 to 2.10, 2.12 and nightly. A range leaves out none that exists."""
    parts: list[list[str]] = []
    for one in names:
        if parts and _follows(parts[-1][-1], one):
            parts[-1].append(one)
        else:
            parts.append([one])
    told: list[str] = []
    for part in parts:
        told += part if len(part) < 3 else [f"{part[0]} to {part[-1]}"]  # noqa: PLR2004 - two are no range
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}" if told else ""


def _follows(before: str, after: str) -> bool:
    pair = re.fullmatch(r"(\d+)\.(\d+) (\d+)\.(\d+)", f"{before} {after}")
    return pair is not None and pair[1] == pair[3] and int(pair[2]) + 1 == int(pair[4])
