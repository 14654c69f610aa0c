"""What the documentation says is there, is accounted for, and runs."""

from __future__ import annotations

from conformance.citations import fold
from conformance.contract import UNDOCUMENTED, Tally, Violation
from conformance.documentation_cases import (
    CITATIONS,
    DOCSTRINGS,
    EXAMPLES,
    SeenCitations,
    SeenDocstring,
    SeenExample,
    docstring_program,
)
from conformance.reproduction import Claim


@CITATIONS.contract(
    "documentation-cited",
    "What a contract cites stands in the installed documentation, in one sentence.",
    cites=[UNDOCUMENTED],
)
def documentation_cited(seen: SeenCitations) -> Tally:
    """Every citation of a contract that is asserted in this version."""
    for cited in seen.cited:
        if len(cited.sentences) != 1:
            found = f"{len(cited.sentences)} sentences with these words"
            kind = "ambiguous" if cited.sentences else "gone"
            claim = Claim(kind, f"doc.count({fold(cited.fragment)!r})", "got == 1")
            raise Violation(
                kind=kind,
                expected=f"one sentence with {cited.fragment!r}, which {cited.contract} cites",
                got=f"{found} in {cited.symbol}" if seen.exists else f"no {cited.symbol}",
                where=docstring_program(cited.symbol, claim),
                why="the installed docstring was taken apart into sentences",
            )
    return Tally(conclusive=len(seen.cited))


@DOCSTRINGS.contract(
    "documentation-accounted",
    "Every sentence is cited by a contract, or filed with the reason why it is no promise.",
    cites=[UNDOCUMENTED],
)
def documentation_accounted(seen: SeenDocstring) -> Tally:
    """None is open or changed, and no entry of the ledger is out of place."""
    told = {
        "open": [f"nobody speaks for: {s.sentence}" for s in seen.sentences if s.state == "open"],
        "misplaced": seen.misplaced,
        "changed": [
            f"new to {' and '.join(s.by)}; once that is right, add the line "
            f"'{s.symbol} {s.hash}' to conformance/sentences.txt: {s.sentence}"
            for s in seen.sentences
            if s.state == "changed"
        ],
    }
    if any(told.values()):
        kind = next(kind for kind, found in told.items() if found)
        sentences = [s.sentence for s in seen.sentences if s.state == kind]
        claim = Claim(kind, f"[one for one in {sentences} if one in doc]", "not got")
        raise Violation(
            kind=kind,
            expected="every sentence and every example in one place of the ledger, and read",
            got="; ".join(
                f"{seen.place.symbol}: {one}" for found in told.values() for one in found
            ),
            where=docstring_program(seen.place.symbol, claim),
            why="each sentence was looked for among citations and in conformance/ledger.toml",
        )
    # where there is no docstring, a sentence that is added would be seen
    return Tally(conclusive=max(len(seen.sentences), 1))


@EXAMPLES.contract(
    "documentation-example",
    "An example of the documentation runs, and what it shows is what comes out.",
    cites=[UNDOCUMENTED],
)
def documentation_example(seen: SeenExample) -> Tally:
    """Outputs and stated values are compared; running is a check of its own."""
    fault, excuse, tally = seen.ran.fault, seen.excuse, Tally()
    if fault is not None and excuse is not None:
        tally.undecided(f"cannot run as it stands: {excuse}")
        return tally
    if fault is not None or excuse is not None:
        raise Violation(
            kind=fault.kind if fault else "filed",
            expected=fault.expected if fault else f"an example that cannot run: {excuse}",
            got=f"{seen.place.symbol}#{seen.place.number}: {fault.got if fault else 'it ran'}",
            where=seen.ran.shown or seen.ran.program,
            why="the examples of the docstring were run in their order, with tf and np at hand",
        )
    return Tally(conclusive=1 + seen.ran.compared)
