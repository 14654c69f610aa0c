"""One pytest item: many of them in one process."""

from __future__ import annotations

import hashlib
import sys
import time
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from conformance.contract import CATALOGUE, UNDOCUMENTED, Cases, Tally
from conformance.profiles import PROFILES
from conformance.running import ItemRun, Plan

ITEMS = 2000


@dataclass(frozen=True)
class Number:
    """A case that costs nothing."""

    value: int

    @property
    def digest(self) -> bytes:
        """A stable hash of what was drawn."""
        return hashlib.sha256(str(self.value).encode()).digest()


def test_two_thousand_items_run_in_one_process() -> None:
    """Each item has a fresh test, so that settings do not nest until Python's stack overflows."""
    family: Cases[Number, Number] = Cases(
        "number",
        lambda _, __: st.integers(0, 9).map(Number),
        lambda case, _: case,
        repr,
        subjects=tuple(map(str, range(ITEMS))),
        modes=("eager",),
    )
    promise = family.contract("number-is-small", "It is small.", cites=[UNDOCUMENTED])
    try:
        promise(lambda seen: Tally(conclusive=int(seen.value < 10)))
    finally:
        CATALOGUE.pop("number-is-small")
    plan = Plan(replace(PROFILES["quick"], examples={"eager": 1}), 0, None, (2, 21))
    started = time.perf_counter()

    verdicts = set()
    for subject in family.subjects:
        run = ItemRun(family, subject, "eager", plan)
        run.test()()
        verdicts |= {outcome.verdict for outcome in run.finish()}

    assert verdicts == {"holds"}
    assert sys.getrecursionlimit() < ITEMS
    print(f"{ITEMS} items in {time.perf_counter() - started:.1f} s")  # noqa: T201 - for the reader
