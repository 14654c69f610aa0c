"""Cases of tape programs: what is drawn, and what the model of the tape says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from conformance.modes import MODES
from conformance.oracles.tape_model import Model
from conformance.reproduction import Page, raising
from strategies import programs
from strategies.graphs import Graph
from strategies.programs import Call, Program, Take
from strategies.slices import slices
from strategies.ways import WAYS


@dataclass(frozen=True)
class ProgramCase:
    """A tape program, and what the model of the tape says of it."""

    program: Program
    _models: dict[tuple[bool, bool], Model] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        return hashlib.sha256(self.program.source().encode()).digest()

    def model(self, mode: str) -> Model:
        """What should happen in a mode."""
        how = not MODES[mode].traces_program, MODES[mode].traces_ops
        if how not in self._models:
            self._models[how] = Model(self.program, eager=how[0], ops_in_functions=how[1])
        return self._models[how]

    @cached_property
    def graph(self) -> Graph:
        """All ops of the program, what is made or read between them as inputs."""
        return self.program.ops_graph()

    @property
    def assigned(self) -> frozenset[str]:
        """The ops of which comes what it assigns to Variables."""
        return self.program.assigned

    @cached_property
    def questions(self) -> dict[int, programs.Gradient]:
        """The statements that ask for a gradient, by the number of the answer."""
        asked = (s for s in self.program.statements() if isinstance(s, programs.Gradient))
        return {statement.answer: statement for statement in asked}

    @cached_property
    def caught(self) -> frozenset[int]:
        """The questions whose exceptions are caught: those whose answers no statement takes."""
        taken = {s.answer for s in self.program.statements() if isinstance(s, Take)}
        return frozenset(self.questions) - taken

    @cached_property
    def traces(self) -> bool:
        """Whether it traces functions even where it runs eagerly."""
        return any(
            (isinstance(s, Call) and WAYS[s.way].traces)
            or (isinstance(s, programs.Gradient) and s.method != "gradient" and s.pfor)
            for s in self.program.statements()
        )

    def simpler(self) -> Iterator[ProgramCase]:
        """What each of the answers depends on, the smallest first."""
        return map(ProgramCase, slices(self.program))

    def source(self, mode: str = "eager") -> str:
        """The program as a mode runs it, as Python; what should raise is caught."""
        return self._page(mode).text(MODES[mode])

    def showing(self, mode: str, shows: Sequence[str], caught: Collection[int] = ()) -> str:
        """The program as a mode runs it, with what a failure shows at its end.

        Args:
            mode: the name of the mode.
            shows: the lines of an assertion about answers.
            caught: the questions whose exceptions are caught beside those that should raise.
        """
        apart = [f"g{number}" for number in (*caught, *self.model(mode).watched)]
        apart += [f"g{number}" for number in self._raising(mode)]
        return self._page(mode, caught).text(MODES[mode], shows, others=apart)

    def unended(self, mode: str) -> str:
        """The program as a mode runs it, which should come to its end."""
        return self._page(mode).text(MODES[mode], guard=raising)

    def _raising(self, mode: str) -> frozenset[int]:
        """The answers that should be exceptions."""
        return frozenset(n for n, a in self.model(mode).answers.items() if isinstance(a, str))

    def _page(self, mode: str, caught: Collection[int] = ()) -> Page:
        how, bound = MODES[mode], [f"g{number}" for number in self.questions]
        caught = self._raising(mode).union(caught)
        if how.traces_program:
            return Page(*self.program.parts(caught), bound=bound)
        text = self.program.source(caught, traced_ops=how.traces_ops)
        return Page([], text.splitlines(), bound=bound)
