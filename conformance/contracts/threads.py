"""What tapes in one thread have to do with those in another: nothing."""

from __future__ import annotations

from conformance.boundary import Gradient
from conformance.contract import UNDOCUMENTED, Tally, Violation
from conformance.contracts.programs import same
from conformance.program_cases import SeenProgram
from conformance.thread_cases import THREADS, SeenThreads
from strategies.structures import Structure, leaves


@THREADS.contract(
    "thread-independent",
    "Programs in two threads at once do not see each other's tapes: each answers as it does alone.",
    cites=[UNDOCUMENTED],
)
def thread_independent(seen: SeenThreads) -> Tally:
    """Answers bit for bit, exceptions by their type, and which Variables are watched."""
    tally = Tally()
    for alone, beside in zip(seen.alone, seen.beside, strict=True):
        for number in alone.model.answers.keys() | alone.model.watched:
            expected, got = (_told(one, number) for one in (alone, beside))
            if not _agree(alone, beside, number):
                raise Violation(
                    kind="thread",
                    expected=f"{expected} for g{number}",
                    got=got,
                    where=seen.case.source(),
                    why="the same program was run alone, in the same process, just before",
                )
            tally.conclusive += 1
    return tally


def _told(seen: SeenProgram, number: int) -> str:
    return repr(seen.watched.get(number, seen.answers.get(number)))


def _agree(alone: SeenProgram, beside: SeenProgram, number: int) -> bool:
    if alone.watched.get(number) != beside.watched.get(number):
        return False
    one, other = alone.answers.get(number), beside.answers.get(number)
    if isinstance(one, Exception) or isinstance(other, Exception) or one is None or other is None:
        return type(one) is type(other)
    flat: list[list[Gradient | None]] = [_leaves(one), _leaves(other)]
    return len(flat[0]) == len(flat[1]) and all(map(same, *flat))


def _leaves(structure: Structure[Gradient | None]) -> list[Gradient | None]:
    return list(leaves(structure))
