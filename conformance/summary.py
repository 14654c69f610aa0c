"""What the terminal says of a record: what does not hold, and the counts."""

from __future__ import annotations

from collections import Counter

from conformance.coverage import STATES
from conformance.record import Outcome, Record

NAMED = 3
"""Cells of one line that are named; more are counted."""


def summary_lines(record: Record) -> list[str]:
    """Cells that do not hold, one a line, with those alike in one; then the counts."""
    lines, alike = [], dict[tuple[str, str, str], list[str]]()
    for o in sorted(record.outcomes, key=lambda o: (o.contract, o.subject, o.mode)):
        where = " ".join(part for part in (o.subject, o.mode) if part)
        if o.verdict in ("violated", "crashed") and o.failure is not None:
            lines.append(
                f"{o.verdict:9} {o.contract} [{where}]: expected {_short(o.failure.expected)}, "
                f"got {_short(o.failure.got)}"
            )
        elif o.verdict != "holds":
            # a forward pass that raises is the same for every contract
            contract = "all contracts" if o.verdict == "unsupported" else o.contract
            cells = alike.setdefault((o.verdict, contract, _main_reason(o)), [])
            cells += [where] if where not in cells else []
    for (verdict, contract, reason), cells in sorted(alike.items()):
        named = f"[{', '.join(cells)}]" if len(cells) <= NAMED else f"in {len(cells)} cells"
        lines.append(f"{verdict:9} {contract} {named}: {reason}")
    if record.documentation:
        lines.append(_documentation(record))
    if record.coverage.ran:
        lines.append(_gradients(record))
    if not record.outcomes:
        return ["no contract was judged"]
    counts = ", ".join(f"{n} {verdict}" for verdict, n in record.counts().items() if n)
    contracts = number(len({o.contract for o in record.outcomes}), "contract")
    return [*lines, f"{contracts}, {number(len(record.outcomes), 'cell')}: {counts}"]


def _documentation(record: Record) -> str:
    """How much of the documentation is accounted for."""
    states = Counter(sentence["state"] for sentence in record.documentation)
    total = len(record.documentation)
    done = states["cited"] + states["filed"]
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return (
        f"documentation: {done / total:.1%} of {number(total, 'sentence')} accounted for: {counts}"
    )


def _gradients(record: Record) -> str:
    """How many of TensorFlow's gradient functions were verified."""
    found = record.coverage.states(record.registered)
    states = Counter(one["state"] for one in found)
    counts = ", ".join(f"{states[state]} {state}" for state in STATES)
    beyond = sum(bool(one["out_of_reach"]) for one in found)
    return f"gradient functions: {len(found)} registered: {counts}, {beyond} of them out of reach"


def number(count: int, word: str) -> str:
    """A number of things, in words."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _main_reason(outcome: Outcome) -> str:
    by_verdict = {
        "deviates": outcome.deviations,
        "gap": outcome.gaps,
        "unsupported": outcome.rejected,
    }
    reasons = by_verdict.get(outcome.verdict, outcome.inconclusive)
    if not reasons:
        return "no case concerned it" if not outcome.trivial else "no check could have failed"
    return _short(max(reasons, key=lambda reason: reasons[reason]))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:97] + "..."  # noqa: PLR2004 - a line's width
