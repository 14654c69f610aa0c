"""All records beside each other: what each contract came to in each version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from conformance.modes import MODES
from conformance.record import Outcome
from conformance.site.source import Chapter, Property, properties
from conformance.site.verdicts import ABSENT, SIGNS, Summary, overall, summarise
from conformance.site.versions import Version, spoken

ELSEWHERE: Final = Chapter("elsewhere", "Contracts that this checkout does not have")


@dataclass(frozen=True)
class Entry:
    """A contract in all versions.

    Attributes:
        id: its permanent name.
        sentence: as the newest record has it.
        stated: by version, its citations as the record of that version has them.
        outcomes: by version, its cells.
        check: its property; None if this checkout has no such contract.
    """

    id: str
    sentence: str
    stated: Mapping[str, Sequence[Mapping[str, Any]]]
    outcomes: Mapping[str, Sequence[Outcome]]
    check: Property | None

    @property
    def chapter(self) -> Chapter:
        """Where it stands."""
        return ELSEWHERE if self.check is None else self.check.chapter

    @cached_property
    def summaries(self) -> dict[str, Summary]:
        """What it came to, by version."""
        return {version: summarise(cells) for version, cells in self.outcomes.items()}

    @cached_property
    def by_mode(self) -> dict[str, dict[str, Summary]]:
        """What it came to, by version and mode."""
        return {version: _by_mode(cells) for version, cells in self.outcomes.items()}

    @cached_property
    def by_subject(self) -> dict[str, dict[str, str]]:
        """For each subject its verdict by version, of all modes together; subjects are sorted."""
        found: dict[str, dict[str, list[str]]] = {}
        for version, cells in self.outcomes.items():
            for one in cells:
                found.setdefault(one.subject, {}).setdefault(version, []).append(one.verdict)
        return {
            subject: {version: overall(verdicts) for version, verdicts in versions.items()}
            for subject, versions in sorted(found.items())
        }

    @cached_property
    def told(self) -> list[tuple[str, str]]:
        """Its verdicts, each with the versions in words; where nothing was asked is left out."""
        found: dict[str, list[str]] = {}
        for version, summary in self.summaries.items():
            found.setdefault(summary.verdict, []).append(version)
        return [(name, spoken(found[name])) for name in SIGNS if name in found and name != ABSENT]

    def verdict(self, version: str) -> str:
        """What it came to in a version."""
        return self.summaries[version].verdict


def _by_mode(cells: Iterable[Outcome]) -> dict[str, Summary]:
    found: dict[str, list[Outcome]] = {mode: [] for mode in MODES}
    for one in cells:
        found[one.mode].append(one)
    return {mode: summarise(outcomes) for mode, outcomes in found.items()}


@dataclass(frozen=True)
class Atlas:
    """What all pages are made from.

    Attributes:
        versions: the oldest first, the nightly last.
        entries: the contracts by id, in the order of the chapters.
        deviations: the known deviations that were met, by id, as the newest record has them.
    """

    versions: Sequence[Version]
    entries: Mapping[str, Entry]
    deviations: Mapping[str, Mapping[str, Any]] = field(repr=False)

    @cached_property
    def names(self) -> list[str]:
        """What the versions are called."""
        return [version.name for version in self.versions]

    @cached_property
    def chapters(self) -> dict[Chapter, list[Entry]]:
        """The contracts by chapter."""
        found: dict[Chapter, list[Entry]] = {}
        for entry in self.entries.values():
            found.setdefault(entry.chapter, []).append(entry)
        return found

    @cached_property
    def dated(self) -> str:
        """The day of the newest record: what is at hand says no more than was known then."""
        return max(version.date for version in self.versions)

    @cached_property
    def suites(self) -> str:
        """Which version of the suite has made the records."""
        return ", ".join(sorted({str(v.reading.header["tapemeasure"]) for v in self.versions}))

    def version(self, name: str) -> Version | None:
        """The version of a name; None if there is no record of it."""
        return next((version for version in self.versions if version.name == name), None)


def atlas(versions: Sequence[Version]) -> Atlas:
    """Put records beside each other.

    Args:
        versions: at least one, in their order.
    """
    known = properties()
    sentences: dict[str, str] = {}
    stated: dict[str, dict[str, Any]] = {}
    cells: dict[str, dict[str, list[Outcome]]] = {}
    deviations: dict[str, Mapping[str, Any]] = {}
    for version in versions:
        for contract in version.reading.data["contracts"]:
            sentences[contract["id"]] = contract["sentence"]
            stated.setdefault(contract["id"], {})[version.name] = contract["citations"]
        for outcome in version.reading.outcomes.values():
            by_version = cells.setdefault(outcome.contract, {})
            by_version.setdefault(version.name, []).append(outcome)
        deviations |= {one["id"]: one for one in version.reading.data["deviations"]}
    ids = [id_ for id_ in known if id_ in sentences]
    ids += sorted(sentences.keys() - known.keys())
    entries = {
        id_: Entry(
            id_,
            sentences[id_],
            stated[id_],
            {version.name: cells.get(id_, {}).get(version.name, []) for version in versions},
            known.get(id_),
        )
        for id_ in ids
    }
    return Atlas(versions, entries, deviations)
