"""Failures as they are told: tried by themselves, and in words for the terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import Final

from conformance.blackbox import Note, Wreck
from conformance.interpreter import HOLDS, run_alone
from conformance.record import Failure, Outcome

CONFIRMING_SECONDS: Final = 120.0
"""How long the program of a failure may take by itself; TensorFlow's import is most of it."""


def confirm(failures: Sequence[Failure]) -> None:
    """Run the programs of failures in interpreters of their own, and say what came of it."""
    for failure in failures:
        ending = run_alone(sys.executable, failure.program, CONFIRMING_SECONDS)
        verdict = ending.verdict(failure.kind, failure.got)
        failure.alone = f"{verdict}, in an interpreter of its own"
        if verdict == HOLDS:
            failure.alone += ": it depends on what went before, or was seen by more than this"
        elif ending.told:
            failure.alone += f": {ending.told}"


WIDTH = 100
"""Columns of what is said of a failure; programs and commands are as wide as they are."""
_LABEL = 10


def failure_text(
    heading: str, outcome: Outcome, failure: Failure, versions: str, replay: str = ""
) -> str:
    """A failure for the terminal, most useful first.

    Args:
        heading: what failed, in a line.
        outcome: of one contract: what it is about.
        failure: how it failed.
        versions: of what was used.
        replay: the command that runs its program again, if it is stored.
    """
    about = f"about {outcome.subject} " if outcome.subject else ""
    told = {"expected": failure.expected, "got": failure.got, "because": failure.why}
    if failure.alone:
        told["alone"] = failure.alone
    commands = [replay, failure.replay] if replay else [failure.replay]
    labels = ["replay", "or"]
    return "\n".join(
        [
            *_wrapped(heading),
            f"  {about}in mode {outcome.mode}",
            "",
            failure.program.rstrip(),
            "",
            *(line for label, text in told.items() for line in _wrapped(text, label)),
            *(f"{label:{_LABEL}}{one}" for label, one in zip(labels, commands, strict=False)),
            *_wrapped(versions, "versions"),
        ]
    )


def _wrapped(text: str, label: str = "") -> list[str]:
    """Text in lines of at most :data:`WIDTH` columns, after its label if it has one."""
    margin = " " * _LABEL if label else "  "
    lines = []
    for number, line in enumerate(text.splitlines() or [""]):
        first = "" if not label else f"{label:{_LABEL}}" if not number else margin
        lines += textwrap.wrap(
            line,
            WIDTH,
            initial_indent=first,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]
    return lines


def crashed(note: Note, wreck: Wreck) -> list[Outcome]:
    """What becomes of the contracts of an item in the middle of which its process died.

    What had failed before stays so: the process died of a program that is smaller, or was to be.

    Args:
        note: what the process was trying.
        wreck: what else it has left.
    """
    why = f"the process that ran it died{wreck.remark}"
    if wreck.stack:
        why += f"; it left this behind:\n{wreck.frames}"
    failure = Failure(wreck.kind, "an answer", wreck.told, note.program, why.rstrip(), note.replay)
    failed = {outcome.contract: outcome for outcome in note.failed}
    for outcome in failed.values():
        outcome.judge(0.0)  # violated, whatever the counts are
    return [
        failed.get(contract)
        or Outcome(contract, note.subject, note.mode, "crashed", examples=1, failure=failure)
        for contract in note.contracts
    ]
