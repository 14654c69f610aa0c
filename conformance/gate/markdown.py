"""A comparison as Markdown, for a pull request or a step's summary.

Texts come from records, and records from anywhere: each stands in a code span or a code block,
where neither HTML nor Markdown, nor a name after an at sign, means anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from conformance.gate.compare import Comparison
from conformance.gate.kinds import KINDS
from conformance.gate.telling import SHOWN, Finding, counted, findings, harmless, several

_LISTED: Final = 100
"""Entries of a list; a step's summary holds a megabyte."""
_CELLS: Final = 12
BAR: Final = r"\|"


def render(comparison: Comparison) -> str:
    """The text."""
    was, is_ = comparison.baseline, comparison.candidate
    lines = [
        f"## tf.GradientTape, {code(f'TensorFlow {was.tensorflow} to {is_.tensorflow}')}",
        "",
        f"**{verdict(comparison)}**",
        "",
        *_notes(comparison),
        *_table(
            ("change", "cells", "fails the gate", "meaning"),
            (
                (
                    KINDS[kind].title,
                    str(count),
                    "yes" if kind in comparison.fail_on else "",
                    KINDS[kind].sentence,
                )
                for kind, count in comparison.counts.items()
            ),
        ),
        f"{comparison.unchanged} cells are unchanged.",
        "",
    ]
    for finding in findings(comparison, SHOWN)[:_LISTED]:
        lines += _shown(finding)
    for kind in KINDS:
        if kind not in SHOWN and kind in comparison.counts:
            lines += _listed(kind, findings(comparison, [kind]))
    lines += [*_drift(comparison), *_coverage(comparison)]
    lines += [*_answers(comparison), *_beside(comparison)]
    return "\n".join(lines).rstrip("\n") + "\n"


def verdict(comparison: Comparison) -> str:
    """The answer in a line that is ours alone."""
    if comparison.passes:
        asked = ", ".join(KINDS[kind].title for kind in comparison.fail_on)
        return f"Passes: none of {asked}" if asked else "Passes: nothing was asked"
    return f"Fails: {counted(comparison.failing)}"


def code(text: str) -> str:
    """A text as a code span, in one line."""
    text = " ".join(harmless(text).split()) or " "
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def block(text: str, language: str = "") -> list[str]:
    """A text as a code block."""
    text = harmless(text).strip("\n")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return [f"{fence}{language}", *text.split("\n"), fence, ""]


def _notes(comparison: Comparison) -> Iterator[str]:
    notes = [*comparison.notes, *(f"{o.id}: {o.text}" for o in comparison.passed_over)]
    for note in notes:
        yield f"- {code(note)}"
    if notes:
        yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table; its cells are ours, or code in which a bar is escaped."""
    rows = list(rows)
    if rows:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from (
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in r)} |" for r in rows
        )
        yield ""


def _shown(finding: Finding) -> Iterator[str]:
    yield f"### {KINDS[finding.kind].title}: {code(finding.heading)}"
    yield ""
    yield f"about {', '.join(map(code, finding.cells[:_CELLS]))}{_more(finding.cells, _CELLS)}"
    yield ""
    if finding.program:
        yield from block(finding.program, "python")
    yield from block("\n".join(f"{label:9} {text}" for label, text in finding.facts), "text")


def _listed(kind: str, found: list[Finding]) -> Iterator[str]:
    title = f"{KINDS[kind].title}: {KINDS[kind].sentence}"
    yield from _details(
        title, (f"- {code(f.heading)}: {code(several(f.cells, _CELLS))}" for f in found)
    )


def _details(title: str, lines: Iterable[str]) -> Iterator[str]:
    """A list that is folded until somebody asks for it; the title is ours."""
    lines = list(lines)
    if lines:
        yield f"<details><summary>{title} ({len(lines)})</summary>"
        yield ""
        yield from lines[:_LISTED]
        if len(lines) > _LISTED:
            yield f"- and {len(lines) - _LISTED} more"
        yield ""
        yield "</details>"
        yield ""


def _more(names: Sequence[str], most: int) -> str:
    return f" and {len(names) - most} more" if len(names) > most else ""


def _drift(comparison: Comparison) -> Iterator[str]:
    drift = comparison.drift
    if not drift.read:
        yield from ["The documentation was not read by both runs.", ""]
        return
    by_symbol: dict[str, list[str]] = {}
    for reworded in drift.reworded:
        told = f"  - reworded: {code(reworded.before)} to {code(reworded.after)}"
        by_symbol.setdefault(reworded.symbol, []).append(told)
    for word, part in (("removed", drift.removed), ("added", drift.added)):
        for one in part:
            by_symbol.setdefault(one.symbol, []).append(f"  - {word}: {code(one.sentence)}")
    entries = ("\n".join([f"- {code(s)}", *told]) for s, told in sorted(by_symbol.items()))
    yield from _details("the documentation of these symbols changed", entries)


def _coverage(comparison: Comparison) -> Iterator[str]:
    coverage = comparison.coverage
    for title, names in (
        ("gradient functions that are newly verified", coverage.gained),
        ("gradient functions that are no longer verified", coverage.lost),
        ("newly registered gradient functions", coverage.registered),
        ("gradient functions that are no longer registered", coverage.unregistered),
    ):
        yield from _details(title, (f"- {code(name)}" for name in names))


def _answers(comparison: Comparison) -> Iterator[str]:
    yield from _details(
        "answers at special values, where nothing is promised, that changed",
        (
            f"- {code(a.subject)}, {a.special}: {code(', '.join(a.values))} gave {code(a.before)}, "
            f"gives {code(a.after)}"
            for a in comparison.answers
        ),
    )


def _beside(comparison: Comparison) -> Iterator[str]:
    yield from _table(
        ("also different", "baseline", "candidate"),
        (
            (code(d.what), *(code(v) if v else "" for v in (d.baseline, d.candidate)))
            for d in comparison.differences
        ),
    )
    yield from _table(
        ("takes another time", "baseline", "candidate"),
        ((code(c.contract), f"{c.before:.1f} s", f"{c.after:.1f} s") for c in comparison.costs),
    )
    programs = comparison.programs
    yield (
        f"Same programs on both sides: {programs.identical} items, and {programs.prefix} as far as "
        f"both went; unknown for {programs.unknown}, different for {len(programs.different)}."
    )
