"""Two tape programs at once, in two threads that take turns statement by statement, and each alone.

A program is a generator here, which yields between its statements. A thread of its own runs it to
the next ``yield``, then waits while the other thread does the same. So what one of them does
between two statements of the other is the same in every run, and in the program that is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any, Final

from hypothesis import strategies as st

from conformance.boundary import raised_by_tensorflow
from conformance.contract import Cases
from conformance.drawn_programs import ProgramCase
from conformance.program_cases import FILENAME
from conformance.program_cases import run as run_alone
from conformance.reproduction import Claim, indented, raising, tidy
from conformance.seen_programs import SeenProgram
from strategies.program_drawing import KINDS, programs

_NAMES: Final = ("one", "other")
"""What the programs are called."""

_IN_A_THREAD: Final = """
def in_a_thread(steps):
    with ThreadPoolExecutor(1) as thread:
        while thread.submit(next, steps, steps).result() is not steps:
            yield
"""
_BOTH: Final = "list(zip_longest(in_a_thread(one()), in_a_thread(other())))"


def in_a_thread(steps: Iterator[None]) -> Iterator[None]:
    """The same steps, each of them in a thread of their own."""
    with ThreadPoolExecutor(1) as thread:
        while thread.submit(next, steps, steps).result() is not steps:
            yield


@dataclass(frozen=True)
class ThreadCase:
    """Two programs."""

    programs: tuple[ProgramCase, ProgramCase]

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        return b"".join(program.digest for program in self.programs)

    def source(self, _mode: str = "eager") -> str:
        """Both programs at once, asserting nothing; whatever their questions raise is caught."""
        return self._text(["", ""], [_BOTH])

    def showing(self, which: int, told: str) -> str:
        """The program that runs one of both alone, then beside the other, and compares.

        Args:
            which: the number of the program.
            told: an expression of what it has bound to names, which should be the same.
        """
        tells = ["", ""]
        tells[which] = f"told.append({told})"
        alone = ["told = []", f"list({_NAMES[which]}())"]
        claim = Claim("thread", "told[1]", "got == told[0]")
        return self._text(tells, [*alone, *raising([_BOTH], "thread"), *claim.lines()])

    def _text(self, tells: Sequence[str], ends: Sequence[str]) -> str:
        heads = dict.fromkeys(["from concurrent.futures import ThreadPoolExecutor"])
        heads["from itertools import zip_longest"] = None
        functions: list[str] = []
        for name, program, tell in zip(_NAMES, self.programs, tells, strict=True):
            head, body = program.program.steps(program.caught)
            heads |= dict.fromkeys(head)  # one may need what the other does
            functions += ["", f"def {name}():", *indented([*body, tell])]
        return tidy([*heads, *functions, _IN_A_THREAD, *ends])


@dataclass
class SeenThreads:
    """What was seen of each program, alone and beside the other."""

    case: ThreadCase
    alone: list[SeenProgram]
    beside: list[SeenProgram]


def run(case: ThreadCase, mode: str) -> SeenThreads:
    """Run each program alone, and both at once.

    Raises:
        Unsupported: if the ops of one alone raise in this mode on this TensorFlow.
    """
    alone = [run_alone(program, mode) for program in case.programs]
    beside = [SeenProgram(program, mode) for program in case.programs]
    names: list[dict[str, Any]] = [{} for _ in beside]
    for _ in zip_longest(*map(_turns, beside, names)):
        pass
    for seen, bound in zip(beside, names, strict=True):
        seen.note(bound)
    return SeenThreads(case, alone, beside)


def _turns(seen: SeenProgram, names: dict[str, Any]) -> Iterator[None]:
    """Run a program in a thread of its own, a statement at a time; it binds into ``names``."""
    program = seen.case.program
    before, body = program.steps(seen.case.caught)
    head = [*before, "def steps():", f"    global {', '.join(program.bound)}"]
    exec(compile("\n".join([*head, *indented(body)]), FILENAME, "exec"), names)  # noqa: S102 - ours
    try:
        yield from in_a_thread(names["steps"]())
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        seen.error = raised_by_tensorflow(raised)


def _cases(_subject: str, _mode: str) -> st.SearchStrategy[ThreadCase]:
    one = st.sampled_from(list(KINDS)).flatmap(programs).map(ProgramCase)
    return st.tuples(one, one).map(ThreadCase)


THREADS: Cases[ThreadCase, SeenThreads] = Cases(
    "thread", _cases, run, ThreadCase.source, modes=("eager",)
)
"""Pairs of tape programs."""
