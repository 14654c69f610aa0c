"""The digest of the programs of a few subjects, in a process that has no TensorFlow.

``python -m tests.digests > tests/digests.json`` takes the snapshot anew, after a change to what is
generated; Hypothesis and NumPy are all that it needs. A change that nobody meant shows in
``tests/test_digest.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from conformance.contract import UNDOCUMENTED, Cases, Contract, Tally
from conformance.graph_cases import GRAPHS
from conformance.profiles import PROFILES
from conformance.program_cases import PROGRAMS
from conformance.running import ItemRun, Plan

FILE: Final = Path(__file__).with_name("digests.json")
SUBJECTS: Final = (
    "tf.math.sin",
    "tf.math.reduce_sum",
    "tf.gather",
    "tf.linalg.matmul",
    "tf.einsum",
)
MODES: Final = ("eager", "dynamic")
PROGRAM_SUBJECTS: Final = ("variable.assign", "tape.again", "tape.gradient")
PROGRAM_MODES: Final = ("eager", "function")
EXAMPLES: Final = 15


def digests() -> dict[str, str]:
    """The digest of each of the subjects in each of the modes, by the name of its item."""
    found: dict[str, str] = {}
    for family, subjects, modes in (
        (GRAPHS, SUBJECTS, MODES),
        (PROGRAMS, PROGRAM_SUBJECTS, PROGRAM_MODES),
    ):
        found |= {f"{s}-{m}": digest(family, s, m) for s in subjects for m in modes}
    return found


def digest(family: Cases[Any, Any], subject: str, mode: str) -> str:
    """The digest of one item's cases, which are drawn and not run."""
    drawn = Cases[Any, Any](family.name, family.draw, lambda case, _: case, family.source)
    looks_at = Contract(
        "any", "A case.", (UNDOCUMENTED,), (mode,), (2, 8), None, 0.5, lambda _: Tally(conclusive=1)
    )
    drawn.contracts.append(looks_at)
    item = ItemRun(drawn, subject, mode, Plan(PROFILES["gate"], 0, EXAMPLES, (2, 8)))
    item.test()()
    return item.finish()[0].digest


if __name__ == "__main__":
    json.dump(digests(), sys.stdout, indent=1)
    sys.stdout.write("\n")
    assert "tensorflow" not in sys.modules, "generation has asked TensorFlow something"
