"""The article that this project grew out of: each of its claims, with what was found."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.site.atlas import Atlas, Entry


@dataclass
class Claim:
    """A claim, in our own words, with the contracts that tested it."""

    words: str
    entries: list[Entry] = field(default_factory=list)


def claims(atlas: Atlas) -> list[Claim]:
    """The claims of the article, in the order of the contracts."""
    found: dict[str, Claim] = {}
    for entry in atlas.entries.values():
        for cited in list(entry.stated.values())[-1]:
            if cited["kind"] == "article":
                claim = found.setdefault(cited["words"], Claim(cited["words"]))
                claim.entries.append(entry)
    return list(found.values())
