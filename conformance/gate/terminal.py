"""A comparison for the terminal: what broke, then one screen of summary with the verdict last."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from conformance.gate.compare import Comparison
from conformance.gate.kinds import KINDS
from conformance.gate.telling import SHOWN, Finding, counted, findings, harmless, several

_CELLS: Final = 4
_LINES: Final = 8
"""Findings of a kind that are told without a program; the other reports have all."""
_LABEL: Final = 15


def render(comparison: Comparison, width: int = 100) -> str:
    """The text.

    Args:
        comparison: what to tell.
        width: of the terminal, in characters.
    """
    blocks = [_block(comparison, finding) for finding in findings(comparison, SHOWN)]
    lines = [line for block in blocks for line in [*block, ""]]
    lines += _others(comparison, width)
    was, is_ = comparison.baseline.tensorflow, comparison.candidate.tensorflow
    lines.append(_ruled(f"TensorFlow {was} to {is_}", width))
    for label, text in _summary(comparison):
        lines += textwrap.wrap(
            f"{label:{_LABEL}} {text}",
            width,
            subsequent_indent=" " * (_LABEL + 1),
            break_on_hyphens=False,
        )
    lines.append(verdict(comparison))
    return harmless("\n".join(lines)) + "\n"


def verdict(comparison: Comparison) -> str:
    """The answer in a line."""
    was, is_ = comparison.baseline.tensorflow, comparison.candidate.tensorflow
    if comparison.passes:
        asked = ", ".join(KINDS[kind].title for kind in comparison.fail_on) or "nothing was asked"
        return f"PASSES: TensorFlow {was} to {is_}: none of: {asked}"
    return f"FAILS: TensorFlow {was} to {is_}: {counted(comparison.failing)}"


def _block(comparison: Comparison, finding: Finding) -> list[str]:
    """Contract, program, what came, why, how to repeat it, and on which versions."""
    was, is_ = comparison.baseline.tensorflow, comparison.candidate.tensorflow
    lines = [f"{finding.kind}: {finding.heading}", f"  about {several(finding.cells, _CELLS)}", ""]
    lines += [*finding.program.strip("\n").splitlines(), ""] if finding.program else []
    lines += [f"{label:9} {_folded(text, 10)}" for label, text in finding.facts]
    return [*lines, f"versions  TensorFlow {is_}; not {was}"]


def _folded(text: str, indent: int) -> str:
    return text.strip().replace("\n", "\n" + " " * indent)


def _others(comparison: Comparison, width: int) -> Iterator[str]:
    """The other kinds that say that something is worse, a line for each finding."""
    worse = [kind for kind in list(KINDS)[: list(KINDS).index("removed")] if kind not in SHOWN]
    listed = dict.fromkeys([*worse, *(k for k in comparison.fail_on if k not in SHOWN)])
    for kind in listed:
        found = findings(comparison, [kind])
        for finding in found[:_LINES]:
            cells = several(finding.cells, 2)
            line = f"{KINDS[kind].title} {' '.join(finding.heading.split())} [{cells}]"
            yield textwrap.shorten(line, 2 * width, placeholder=" ...")
        if len(found) > _LINES:
            yield f"{KINDS[kind].title} and {len(found) - _LINES} more: --markdown FILE has all"
        if found:
            yield ""


def _summary(comparison: Comparison) -> Iterator[tuple[str, str]]:
    for note in comparison.notes:
        yield "note", note
    for objection in comparison.passed_over:
        yield "passed over", f"{objection.id}: {objection.text}"
    programs = comparison.programs
    told = f"the same for {programs.identical + programs.prefix} items"
    told += f", for {programs.prefix} of them as far as both went" if programs.prefix else ""
    told += f"; unknown for {programs.unknown}" if programs.unknown else ""
    told += f"; DIFFERENT for {len(programs.different)}" if programs.different else ""
    yield "programs", told
    if comparison.differences:
        pairs = (f"{d.what} {_to(d.baseline, d.candidate)}" for d in comparison.differences)
        yield "also different", ", ".join(pairs)
    yield "documentation", _drift(comparison)
    yield "gradients", _coverage(comparison)
    if comparison.answers:
        ops = list(dict.fromkeys(answer.subject for answer in comparison.answers))
        changed = f"answers changed: {len(comparison.answers)} ({several(ops, _CELLS)})"
        yield "special values", changed
    if comparison.costs:
        yield (
            "cost",
            ", ".join(
                f"{cost.contract} {cost.before:.1f} s to {cost.after:.1f} s"
                for cost in comparison.costs[:_CELLS]
            ),
        )
    others = {kind: n for kind, n in comparison.counts.items() if kind not in comparison.failing}
    same = f"{comparison.unchanged} unchanged"
    yield "cells", ", ".join(filter(None, (counted(others), same)))


def _to(before: str | None, after: str | None) -> str:
    if before is None or after is None:
        side = "candidate" if before is None else "baseline"
        value = after if before is None else before
        return f"on the {side} only" if value == "yes" else f"{value} on the {side} only"
    return f"{before} to {after}"


def _drift(comparison: Comparison) -> str:
    drift = comparison.drift
    if not drift.read:
        return "not read by both runs"
    parts = {
        "added": [one.symbol for one in drift.added],
        "removed": [one.symbol for one in drift.removed],
        "reworded": [one.symbol for one in drift.reworded],
    }
    told = [
        f"{len(symbols)} {name} ({several(list(dict.fromkeys(symbols)), _CELLS)})"
        for name, symbols in parts.items()
        if symbols
    ]
    return ", ".join(told) or "no sentence changed"


def _coverage(comparison: Comparison) -> str:
    told = [
        f"{len(names)} {what} ({several(names, _CELLS)})"
        for what, names in (
            ("newly verified", comparison.coverage.gained),
            ("no longer verified", comparison.coverage.lost),
            ("newly registered", comparison.coverage.registered),
            ("no longer registered", comparison.coverage.unregistered),
        )
        if names
    ]
    return ", ".join(told) or "the same are verified"


def _ruled(title: str, width: int) -> str:
    return f" {title} ".center(width, "=")
