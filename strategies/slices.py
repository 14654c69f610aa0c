"""What of a tape program one of its answers depends on: the same program, and no statement more.

A slice is taken backwards from the answer: a statement stays if it binds, or changes, what a later
one that stays makes use of. So whatever happens to a tape that stays happens in a slice too, in the
same order, and what the model of the tape says of the answer it says of that in the slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from strategies.programs import (
    Assign,
    Body,
    Call,
    Gradient,
    Make,
    Misuse,
    Program,
    Reset,
    Same,
    Statement,
    Stop,
    Take,
    Tape,
    Watch,
    Watched,
)
from strategies.structures import leaves

_Name = tuple[str, int]
"""A slot, a tape or an answer, by its number."""


def slices(program: Program) -> Iterator[Program]:
    """The slices of a program for each of its answers that are smaller, the smallest first."""
    asked = [s for s in program.statements() if isinstance(s, Gradient | Misuse | Watched)]
    found = dict.fromkeys(_slice(program, statement.answer) for statement in asked)
    whole = _size(program)
    yield from (one for one in sorted(found, key=_size) if _size(one) < whole)


def _size(program: Program) -> int:
    return sum(1 for _ in program.statements())


def _slice(program: Program, answer: int) -> Program:
    return replace(program, body=_needed(program.body, {("answer", answer)}))


def _needed(body: Body, names: set[_Name]) -> Body:
    """The statements that bind or change any of some names, or of those that these make use of.

    Args:
        body: statements.
        names: what is made use of after them; before them, when this returns.
    """
    kept: list[Statement] = []
    for statement in reversed(body):
        if isinstance(statement, Tape | Stop):
            inside = _needed(statement.body, names)
            if ("tape", statement.tape) in names:
                kept.append(replace(statement, body=inside))
            else:
                kept.extend(reversed(inside))
        elif not names.isdisjoint(_changed(statement)):
            kept.append(statement)
            names.update(_used(statement))
    return tuple(reversed(kept))


def _changed(statement: Statement) -> list[_Name]:
    """What a statement binds, or what is another thing after it."""
    slots: Iterable[int] = ()
    match statement:
        case Make(slot=slot) | Same(slot=slot) | Take(slot=slot):
            slots = (slot,)
        case Call():
            slots = statement.slots
        case Assign(variable=variable):
            slots = (variable,)
    changed: list[_Name] = [("slot", slot) for slot in slots]
    if isinstance(statement, Watch | Reset | Gradient | Misuse):
        changed.append(("tape", statement.tape))
    if isinstance(statement, Gradient | Misuse | Watched):
        changed.append(("answer", statement.answer))
    return changed


def _used(statement: Statement) -> list[_Name]:
    """What a statement takes, and what it changes."""
    slots: Iterable[int] = ()
    match statement:
        case Call(node=node):
            slots = node.operands
        case Same(of=of):
            slots = (of,)
        case Assign(variable=variable, value=value):
            slots = (variable, value)
        case Watch(what=what):
            slots = leaves(what)
        case Gradient(targets=targets, sources=sources):
            slots = (*leaves(targets), *leaves(sources))
    used: list[_Name] = [("slot", slot) for slot in slots]
    if isinstance(statement, Take):
        used.append(("answer", statement.answer))
    if isinstance(statement, Watch | Reset | Gradient | Misuse | Watched):
        used.append(("tape", statement.tape))
    return used
