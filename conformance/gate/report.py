"""A comparison for programs: JSON as ``gate.schema.json`` has it, and a badge of shields.io."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from conformance.gate.compare import Change, Comparison
from conformance.gate.kinds import KINDS
from conformance.gate.telling import SHOWN, counted, findings, reason
from conformance.record import Outcome

SCHEMA_VERSION: Final = 1
SCHEMA_FILE: Final = Path(__file__).parents[1] / "gate.schema.json"


def report(comparison: Comparison) -> dict[str, Any]:
    """The comparison as the schema has it."""
    return {
        "schema": SCHEMA_VERSION,
        "passes": comparison.passes,
        "fail_on": list(comparison.fail_on),
        "counts": {kind: comparison.counts.get(kind, 0) for kind in KINDS},
        "unchanged": comparison.unchanged,
        "baseline": asdict(comparison.baseline),
        "candidate": asdict(comparison.candidate),
        "notes": list(comparison.notes),
        "passed_over": [asdict(objection) for objection in comparison.passed_over],
        "programs": asdict(comparison.programs),
        "findings": [
            {
                "kind": finding.kind,
                "heading": finding.heading,
                "contracts": finding.contracts,
                "cells": finding.cells,
                "program": finding.program,
                "facts": [{"label": label, "text": text} for label, text in finding.facts],
            }
            for finding in findings(comparison, SHOWN)
        ],
        "changes": [_change(change) for change in comparison.changes],
        "documentation": asdict(comparison.drift),
        "gradients": asdict(comparison.coverage),
        "answers": [asdict(answer) for answer in comparison.answers],
        "costs": [asdict(cost) for cost in comparison.costs],
        "differences": [asdict(difference) for difference in comparison.differences],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "contract": change.contract,
        "subject": change.subject,
        "mode": change.mode,
        "why": change.why,
        "item": change.item,
        "first": change.first,
        "before": _outcome(change.before),
        "after": _outcome(change.after),
    }


def _outcome(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {
        "verdict": outcome.verdict,
        "examples": outcome.examples,
        "conclusive": outcome.conclusive,
        "reason": reason(outcome),
        "deviations": sorted(outcome.deviations),
        "failure": None if outcome.failure is None else asdict(outcome.failure),
    }


def badge(comparison: Comparison) -> dict[str, Any]:
    """What an endpoint badge of shields.io reads."""
    was, is_ = comparison.baseline.tensorflow, comparison.candidate.tensorflow
    return {
        "schemaVersion": 1,
        "label": f"tf.GradientTape {was} to {is_}",
        "message": "passes" if comparison.passes else counted(comparison.failing),
        "color": "brightgreen" if comparison.passes else "red",
    }
