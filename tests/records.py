"""Records that no run has written: as many cells as a test needs, on versions of its choice."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from conformance.record import Failure, Outcome
from tests.test_record import HEADER, record

FATES = {
    "holds": "hhh",
    "violated": "hhv",
    "deviates": "hhd",
    "gap": "ggg",
    "inconclusive": "iii",
    "unsupported": "rrr",
    "crashed": "",
}
"""What becomes of three cases, for each verdict."""
DIGEST = "0123456789abcdef"
PREFIXES = "111122223333"


def failure(**more: str) -> Failure:
    """A failure that is a value, but for what is given."""
    usual = {
        "kind": "value",
        "expected": "1.0 for x0",
        "got": "2.0",
        "program": "import tensorflow as tf\n\nprint(tf.constant(1.0))\n",
        "why": "central differences",
        "replay": 'pytest "x.py::graph[tf.math.sin-eager]" --tape-profile gate --tape-seed 0',
    }
    return Failure(**{**usual, **more})


def outcome(verdict: str = "holds", **more: Any) -> Outcome:
    """An outcome of a verdict, with the counts that the schema asks of it."""
    usual: dict[str, Any] = {
        "contract": "a-promise",
        "subject": "tf.math.sin",
        "mode": "eager",
        "digest": "" if verdict == "crashed" else DIGEST,
        "fates": FATES[verdict],
        "seconds": 0.5,
    }
    by_verdict: dict[str, dict[str, Any]] = {
        "holds": {"conclusive": 3},
        "violated": {"failure": failure()},
        "crashed": {"failure": failure(kind="crash", got="Fatal Python error: Segmentation fault")},
        "deviates": {"deviations": {"cumprod-zero": 1}},
        "gap": {"gaps": {"LookupError: no gradient": 3}},
        "inconclusive": {"inconclusive": {"near a kink": 3}},
        "unsupported": {"rejected": {"NotFoundError": 3}},
    }
    fields = {**usual, **by_verdict[verdict], **more}
    examples = max(len(fields["fates"]), 1)
    return Outcome(verdict=verdict, examples=examples, **fields)


def data(*outcomes: Outcome, version: str = "2.20.0", **header: Any) -> dict[str, Any]:
    """A complete record of the profile gate.

    Args:
        *outcomes: its cells.
        version: of TensorFlow.
        **header: what else its header says.
    """
    made = record(*outcomes).to_json()
    contracts = sorted({o.contract for o in outcomes} | {"a-promise"})
    made["contracts"] = [{**made["contracts"][0], "id": name} for name in contracts]
    made["programs"] = [
        {
            "digest": digest,
            "item": f"x.py::graph[{subject}-{mode}]",
            "prefixes": PREFIXES[: 4 * len(fates)],
            "seconds": 1.5,
        }
        for digest, subject, mode, fates in sorted(
            {(o.digest, o.subject, o.mode, o.fates) for o in outcomes if o.digest}
        )
    ]
    used = {"tensorflow": version, "git": f"v{version}", "devices": ["CPU"]}
    versions = {**made["header"]["versions"], "tensorflow": version}
    made["header"] = {**HEADER, "profile": "gate", "versions": versions, "used": used, **header}
    return copy.deepcopy(made)


def write(path: Path, made: Any) -> Path:
    """A file that holds this, as JSON unless it is text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made if isinstance(made, str) else json.dumps(made), encoding="utf-8")
    return path
