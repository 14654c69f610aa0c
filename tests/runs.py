"""Contracts that sessions of pytest run, and readings of what those print and record."""

from __future__ import annotations

import re
from typing import Any

import pytest

VERDICTS = """
several = cases("several", subjects=("even", "odd"), modes=("eager", "function", "xla"))
fickle = cases("fickle")


@several.contract("known-bug", "A number is even.", cites=[UNDOCUMENTED])
def known_bug(case):
    if case.number % 2:
        raise violation(case, "parity")
    return Tally(conclusive=1)


@several.contract("eager-gap", "A number has a gradient.", cites=[UNDOCUMENTED], modes=["eager"])
def eager_gap(case):
    return Tally(gaps={"LookupError: no gradient of 'Number'": 1})


@fickle.contract("seldom-conclusive", "Some numbers say something.", cites=[UNDOCUMENTED])
def seldom_conclusive(case):
    if case.number % 4:
        return Tally(inconclusive={"near a kink": 1})
    return Tally(conclusive=1)


@fickle.contract("cannot-fail", "A number of no elements is anything.", cites=[UNDOCUMENTED])
def cannot_fail(case):
    return Tally(trivial=1)


@fickle.contract("of-the-future", "Numbers are dreams.", cites=[UNDOCUMENTED], since=(99, 0))
def of_the_future(case):
    raise violation(case)


def no_kernel(case, mode):
    raise Unsupported("NotFoundError")


refused = cases("refused", no_kernel)


@refused.contract("never-asked", "Every number runs.", cites=[UNDOCUMENTED])
def never_asked(case):
    return Tally(conclusive=1)
"""

KNOWN = """
[[deviation]]
id = "odd-numbers"
contracts = ["known-bug"]
ops = ["odd"]
modes = []
versions = "2.8-"
kind = "parity"
got = "^[0-9]+$"
witness = "print(1)"
reason = "numbers may be odd"
link = ""
"""


def part(result: pytest.RunResult, start: str, end: str) -> str:
    """The lines of a run's output between two lines that match, without them."""
    lines = result.outlines
    first = next(i for i, line in enumerate(lines) if re.search(start, line))
    last = next(i for i, line in enumerate(lines) if i > first and re.search(end, line))
    return "\n".join(lines[first + 1 : last])


def summary(result: pytest.RunResult) -> str:
    """What is printed last, but for pytest's own lines."""
    return part(result, r"^=+ tapemeasure =+$", r"^=+ ")


def verdicts(record: dict[str, Any]) -> dict[str, str]:
    """The verdict of each cell of a record."""
    return {
        "-".join(filter(None, (o["contract"], o["subject"], o["mode"]))): o["verdict"]
        for o in record["outcomes"]
    }


def lasting(record: dict[str, Any]) -> dict[str, Any]:
    """What is the same of a record in every run: all but times."""
    outcomes = [{**outcome, "seconds": 0} for outcome in record["outcomes"]]
    header = {**record["header"], "started": ""}
    return {"header": header, "outcomes": outcomes, "counts": record["footer"]["counts"]}


def error(result: pytest.RunResult) -> str:
    """The one error on a run's error output, which prints nothing beside it."""
    assert not result.outlines or "error" not in result.stdout.str().lower()
    return "\n".join(result.errlines)
