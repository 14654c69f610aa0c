"""What the page of a version tells, and what the home page has of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from conformance.gate.comparable import Objection, objections
from conformance.gate.compare import Comparison, compare, differences
from conformance.gate.drift import Coverage, Drift, coverage, documentation
from conformance.gate.kinds import FAIL_ON, KINDS
from conformance.gate.telling import Finding, findings
from conformance.site.atlas import Atlas, Entry
from conformance.site.verdicts import ABSENT, SIGNS
from conformance.site.versions import Version


@dataclass(frozen=True)
class Glance:
    """A version at a glance.

    Attributes:
        version: which.
        contracts: how many have each verdict.
        cells: the same of contracts, subjects and modes.
        notable: contracts that do not hold for a reason that accuses: violated, crashed.
    """

    version: Version
    contracts: Mapping[str, int]
    cells: Mapping[str, int]
    notable: Sequence[Entry]

    @property
    def asked(self) -> int:
        """How many contracts were asked."""
        return sum(n for verdict, n in self.contracts.items() if verdict != ABSENT)

    @property
    def bar(self) -> list[tuple[str, float, float]]:
        """Verdicts, each with where its part of a bar of 100 begins and how long it is."""
        found, at = [], 0.0
        for verdict, number in self.contracts.items():
            if verdict != ABSENT:
                size = 100 * number / self.asked
                found.append((verdict, round(at, 2), round(size, 2)))
                at += size
        return found


def glance(version: Version, atlas: Atlas) -> Glance:
    """A version at a glance."""
    verdicts = {entry.id: entry.verdict(version.name) for entry in atlas.entries.values()}
    contracts, cells = Counter(verdicts.values()), version.reading.data["footer"]["counts"]
    notable = [e for e in atlas.entries.values() if verdicts[e.id] in ("violated", "crashed")]
    return Glance(
        version,
        {verdict: contracts[verdict] for verdict in SIGNS if contracts[verdict]},
        {verdict: cells[verdict] for verdict in SIGNS if cells.get(verdict)},
        notable,
    )


@dataclass(frozen=True)
class Changes:
    """What changed against another version.

    Attributes:
        before: the other version.
        refused: why the two cannot be compared cell by cell, if they cannot.
        drift: of the documentation; None where the two have not read the same of it.
        coverage: of the gradient functions; None as above.
        comparison: as the gate has it.
        findings: the changes by kind, those alike in one.
    """

    before: Version
    refused: Sequence[Objection]
    drift: Drift | None = None
    coverage: Coverage | None = None
    comparison: Comparison | None = None
    findings: Mapping[str, Sequence[Finding]] | None = None


_OTHER: Final = frozenset({"profile", "selection", "incomplete"})
"""Objections to runs that were asked other things, so that what one has not is no news."""


def changes(before: Version, version: Version) -> Changes:
    """What the gate says of two versions, or why it says nothing."""
    refused = list(objections(before.reading, version.reading))
    if _OTHER.intersection(one.id for one in refused):
        return Changes(before, refused)
    drift = documentation(before.reading, version.reading)
    covered = coverage(before.reading, version.reading)
    if refused:
        return Changes(before, refused, drift, covered)
    comparison = compare(before.reading, version.reading, FAIL_ON)
    found = {kind: findings(comparison, [kind]) for kind in KINDS if comparison.counts.get(kind)}
    return Changes(before, (), drift, covered, comparison, found)


def told(finding: Finding) -> str:
    """What is to be said of alike changes beside the names of their contracts."""
    about, _, rest = finding.heading.partition(": ")
    if about.startswith("known deviation"):
        return about
    return rest if about.startswith(finding.contracts[0]) else finding.heading


def context(version: Version, before: Version | None, atlas: Atlas) -> dict[str, Any]:
    """All that the template asks for beside the version."""
    gradients: dict[str, list[Mapping[str, Any]]] = {}
    for one in version.reading.data["gradients"]:
        gradients.setdefault(one["state"], []).append(one)
    by_chapter = {
        chapter: Counter(entry.verdict(version.name) for entry in entries)
        for chapter, entries in atlas.chapters.items()
    }
    return {
        "glance": glance(version, atlas),
        "changes": None if before is None else changes(before, version),
        "surroundings": []
        if before is None
        else list(differences(before.reading, version.reading)),
        "kinds": KINDS,
        "told": told,
        "gradients": gradients,
        "by_chapter": by_chapter,
    }
