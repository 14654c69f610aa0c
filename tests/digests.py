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
from conformance.profiles import PROFILES, forget_local_constants
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
EXAMPLES: Final = 15


def digests() -> dict[str, str]:
    """The digest of each of the subjects in each of the modes, by the name of its item."""
    any_case: Cases[Any, Any] = Cases(
        GRAPHS.name, GRAPHS.draw, lambda case, _: case, GRAPHS.source, subjects=SUBJECTS
    )
    looks_at = Contract(
        "any", "A case.", (UNDOCUMENTED,), MODES, (2, 8), None, 0.5, lambda _: Tally(conclusive=1)
    )
    any_case.contracts.append(looks_at)
    plan = Plan(PROFILES["gate"], 0, EXAMPLES, (2, 8))
    forget_local_constants()
    found = {}
    for subject in SUBJECTS:
        for mode in MODES:
            item = ItemRun(any_case, subject, mode, plan)
            item.test()()
            found[f"{subject}-{mode}"] = item.finish()[0].digest
    return found


if __name__ == "__main__":
    json.dump(digests(), sys.stdout, indent=1)
    sys.stdout.write("\n")
    assert "tensorflow" not in sys.modules, "generation has asked TensorFlow something"
