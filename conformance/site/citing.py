"""How a contract is cited: BibTeX, CSL-JSON, and plain words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from conformance.gate.telling import harmless
from conformance.site.atlas import Atlas, Entry
from conformance.site.versions import spoken

AUTHOR: Final = "The Tapemeasure maintainers"
_SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: rf"\{sign}" for sign in "{}%&#_$"},
}


@dataclass(frozen=True)
class Citation:
    """What there is to copy."""

    plain: str
    bibtex: str
    csl: str


def cite(entry: Entry, atlas: Atlas, url: str = "") -> Citation:
    """How to cite a contract with what is known of it.

    Args:
        entry: the contract.
        atlas: what it was measured on.
        url: of its page; empty if nobody has said it.
    """
    year, month, day = atlas.dated.split("-")
    title = harmless(entry.sentence).rstrip(".")
    asked = [version.tensorflow for version in atlas.versions if entry.outcomes[version.name]]
    where = f"Contract {entry.id}. Tapemeasure {atlas.suites}, a conformance suite for "
    where += "tf.GradientTape"
    measured = f"measured on TensorFlow {spoken(asked)}" if asked else "not measured"
    plain = f"{AUTHOR}: “{title}.” {where}; {harmless(measured)}, {atlas.dated}."
    plain += f" {url}" if url else ""
    fields = {
        "author": f"{{{AUTHOR}}}",
        "title": f"{{{_tex(title)}}}",
        "howpublished": _tex(where),
        "note": _tex(harmless(measured)),
        "year": year,
        "month": str(int(month)),
        **({"url": url} if url else {}),
    }
    lines = [f"  {name:12} = {{{value}}}," for name, value in fields.items()]
    bibtex = "\n".join([f"@misc{{tapemeasure-{entry.id},", *lines, "}"])
    csl = {
        "id": f"tapemeasure-{entry.id}",
        "type": "dataset",
        "title": title,
        "author": [{"literal": AUTHOR}],
        "container-title": "Tapemeasure: a conformance suite for tf.GradientTape",
        "version": atlas.suites,
        "issued": {"date-parts": [[int(year), int(month), int(day)]]},
        "note": measured,
        **({"URL": url} if url else {}),
    }
    return Citation(plain, bibtex, json.dumps([csl], indent=2))


def _tex(text: str) -> str:
    return re.sub(r"[\\~^{}%&#_$]", lambda found: _SPECIAL[found[0]], text)
