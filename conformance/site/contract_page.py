"""What the page of a contract tells."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.gate.kinds import signature
from conformance.gate.telling import reason
from conformance.record import Failure, Outcome
from conformance.site.atlas import Atlas, Entry
from conformance.site.verdicts import SIGNS
from conformance.site.versions import NIGHTLY, Version, spoken


@dataclass(frozen=True)
class Wording:
    """A sentence of the documentation, and the versions that are shipped with it."""

    sentence: str
    versions: str


@dataclass(frozen=True)
class Source:
    """Where a promise is written.

    Attributes:
        kind, where, words: as in a record.
        wordings: the sentences, the newest first; more than one where the documentation drifted.
        unread: the versions whose record has not read it.
    """

    kind: str
    where: str
    words: str
    wordings: Sequence[Wording]
    unread: str

    @property
    def address(self) -> str:
        """A guide's page; empty for what is no guide."""
        guide = self.kind == "guide" and self.where.replace("_", "").isalnum()
        return f"https://www.tensorflow.org/guide/{self.where}" if guide else ""


@dataclass(frozen=True)
class About:
    """A subject that fares alike for one reason: where, as modes with their versions."""

    subject: str
    where: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Finding:
    """Cells that do not hold, for one reason."""

    verdict: str
    why: str
    about: Sequence[About]


@dataclass(frozen=True)
class Shown:
    """A failure, with the place where it was seen."""

    failure: Failure
    where: str
    version: str


def sources(entry: Entry) -> list[Source]:
    """The citations of a contract, each with its sentence in each version."""
    found: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    unread: dict[tuple[str, str, str], list[str]] = {}
    for version, citations in reversed(list(entry.stated.items())):
        for one in citations:
            key = one["kind"], one["where"], one["words"]
            by_sentence = found.setdefault(key, {})
            if one["sentence"] is None:
                unread.setdefault(key, []).append(version)
            else:
                by_sentence.setdefault(one["sentence"], []).append(version)
    return [
        Source(
            *key,
            [Wording(sentence, spoken(names[::-1])) for sentence, names in by_sentence.items()],
            spoken(unread.get(key, [])[::-1]),
        )
        for key, by_sentence in found.items()
    ]


def findings(entry: Entry) -> list[Finding]:
    """All cells that do not hold, those of one reason together, the worst first."""
    found: dict[tuple[str, str], dict[str, dict[str, list[str]]]] = {}
    for version, outcomes in entry.outcomes.items():
        for outcome in outcomes:
            for why in _reasons(outcome):
                by_subject = found.setdefault((outcome.verdict, why), {})
                by_version = by_subject.setdefault(outcome.subject, {})
                by_version.setdefault(version, []).append(outcome.mode)
    order = list(SIGNS)
    ranked = sorted(found.items(), key=lambda one: (order.index(one[0][0]), -len(one[1])))
    return [
        Finding(*key, [About(subject, _where(by)) for subject, by in sorted(by_subject.items())])
        for key, by_subject in ranked
    ]


def _reasons(outcome: Outcome) -> Iterable[str]:
    if outcome.verdict == "holds":
        return ()
    return sorted(outcome.deviations) if outcome.verdict == "deviates" else [reason(outcome)]


def _where(by_version: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Modes, with the versions in which it is just these."""
    found: dict[str, list[str]] = {}
    for version, modes in by_version.items():
        found.setdefault(", ".join(modes), []).append(version)
    return [(modes, spoken(versions)) for modes, versions in found.items()]


def failures(entry: Entry) -> list[Shown]:
    """The failures of a contract that nobody knew of, of those alike the shortest."""
    found: dict[tuple[str, str, str], Shown] = {}
    for version, outcomes in entry.outcomes.items():
        for one in outcomes:
            if one.failure is None:
                continue
            key = one.verdict, one.subject, signature(one)
            where = " ".join(filter(None, (one.subject, one.mode)))
            known = found.get(key)
            if known is None or len(one.failure.program) <= len(known.failure.program):
                found[key] = Shown(one.failure, where, version)
    return sorted(found.values(), key=lambda shown: len(shown.failure.program))


def deviations(entry: Entry, atlas: Atlas) -> list[tuple[Mapping[str, str], str]]:
    """The known deviations that a contract has met and where, the shortest witness first."""
    met: dict[str, list[str]] = {}
    for version, outcomes in entry.outcomes.items():
        for id_ in dict.fromkeys(id_ for one in outcomes for id_ in one.deviations):
            met.setdefault(id_, []).append(version)
    known = [
        (atlas.deviations[id_], spoken(v)) for id_, v in met.items() if id_ in atlas.deviations
    ]
    return sorted(known, key=lambda one: len(one[0]["witness"]))


def commands(entry: Entry, atlas: Atlas) -> Iterator[tuple[Version, str]]:
    """For each version, the newest first, what runs again the programs that decided."""
    for version in reversed(atlas.versions):
        outcomes = entry.outcomes[version.name]
        if outcomes:
            decided = min(outcomes, key=lambda one: list(SIGNS).index(one.verdict))
            yield version, command(version, decided)


def command(version: Version, outcome: Outcome) -> str:
    """What runs the programs of a cell again."""
    header, env = version.reading.header, version.environment
    pytest = ["pytest", version.reading.item(outcome) or "conformance"]
    pytest += ["--tape-profile", header["profile"], "--tape-seed", str(header["seed"])]
    if header["examples"]:
        pytest += ["--tape-examples", str(header["examples"])]
    wheel = f"tensorflow-cpu=={version.tensorflow}"
    named = f"TAPEMEASURE_TF={shlex.quote(wheel)} " if env == "tf" else ""
    return f"{named}tox run --notest -e {env} && {named}tox exec -e {env} -- {shlex.join(pytest)}"


def context(entry: Entry, atlas: Atlas) -> dict[str, Any]:
    """All that the template asks for beside the contract."""
    return {
        "sources": sources(entry),
        "findings": findings(entry),
        "failures": failures(entry),
        "deviations": deviations(entry, atlas),
        "commands": list(commands(entry, atlas)),
        "subjects": entry.by_subject if len(entry.by_subject) > 1 else {},
        "nightly": NIGHTLY,
    }
