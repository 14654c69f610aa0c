"""What the calls of an op reach, seen from outside: many sites are drawn and looked at.

Nothing here is said of a single op: what an entry can reach is what it asks its site for.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from hypothesis.internal.conjecture.data import ConjectureData

from strategies import shapes
from strategies.drawing import draw_point
from strategies.graphs import Argument, Constant
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op
from strategies.shapes import Shape, shape_table
from strategies.tensors import Indices, Input, Value
from strategies.values import Number

SITES: Final = 200
FORMS: Final = frozenset({"int32", "int64"})
"""What tensors of integers may be."""


class Seeing(Site):
    """A site that notes what is asked of it.

    Attributes:
        admitted: for each operand that may be of several shapes those that it may be of.
        partners: the shapes of two operands that broadcast.
        axes: axes as they were drawn.
        numbers: of each input, at one point.
    """

    def __init__(self, data: ConjectureData, dtype: str) -> None:
        self.inputs: list[Input] = []
        self.admitted: list[tuple[Shape, ...]] = []
        self.partners: list[tuple[Shape, Shape]] = []
        self.axes: list[Any] = []
        self.numbers: tuple[tuple[Number, ...], ...] = ()
        super().__init__(lambda strategy, _: data.draw(strategy), dtype, [], self.inputs)

    def draw(self, strategy: Any, label: str) -> Any:
        """Draw a choice, and note it if it is of axes."""
        made = super().draw(strategy, label)
        if label in ("axis", "axes"):
            self.axes.append(made)
        return made

    def operand(self, **asked: Any) -> Value:
        """Hand out an operand, and note what it may be."""
        if "shape" not in asked:
            bounds = asked.get("min_rank", 0), asked.get("max_rank", shapes.MAX_RANK)
            self.admitted.append(
                asked.get("fresh") or shape_table(*bounds, shapes.MAX_SIZE, asked.get("fits"))
            )
        return super().operand(**asked)

    def partner(self, value: Value, *args: Any, **asked: Any) -> Value:
        """Hand out an operand that broadcasts with another."""
        found = super().partner(value, *args, **asked)
        self.partners.append((value.shape, found.shape))
        return found


class Reach:
    """What the calls of an op were, at many sites.

    Attributes:
        slots: for each argument, by its place or name, the values that it had, as they print.
        forms: for each argument how integers were given: as Python's, or in tensors of which dtype.
        given: how often each argument was given.
    """

    def __init__(self, op: Op) -> None:
        random = Random(0)  # noqa: S311 - a seed, not a secret
        self.op = op
        self.slots: dict[int | str, set[str]] = defaultdict(set)
        self.forms: dict[int | str, set[str]] = defaultdict(set)
        self.given: dict[int | str, int] = defaultdict(int)
        self.sites: list[Seeing] = []
        for number in range(SITES):
            site = Seeing(ConjectureData(random=random), op.dtypes[number % len(op.dtypes)])
            self._note(op.build(site))
            site.numbers = draw_point(site.draw, tuple(site.inputs))
            self.sites.append(site)

    def _note(self, made: Call) -> None:
        slots: dict[int | str, Argument] = {**dict(enumerate(made.args)), **dict(made.kwargs)}
        for slot, argument in slots.items():
            self.given[slot] += 1
            self.slots[slot].add(repr(argument))
            if isinstance(argument, Constant):
                self.forms[slot].add(argument.dtype)

    def missing(self) -> Iterator[str]:
        """The edges that this op might reach, and does not."""
        yield from self._shapes()
        yield from self._broadcasting()
        yield from self._arguments()
        drawn = {axis for site in self.sites for given in site.axes for axis in _integers(given)}
        if drawn and (max(drawn) < 0 or not min(drawn) < 0):
            yield "axes from both ends"
        free = [
            numbers
            for site in self.sites
            for made, numbers in zip(site.inputs, site.numbers, strict=True)
            if isinstance(made.domain, Indices) and made.type.rank and not made.domain.distinct
        ]
        if free and not any(len(set(numbers)) < len(numbers) for numbers in free):
            yield "indices that are repeated"

    def _shapes(self) -> Iterator[str]:
        drawn = {made.type.shape for site in self.sites for made in site.inputs}
        admitted = {shape for site in self.sites for several in site.admitted for shape in several}
        if min(map(len, admitted), default=9) < min(map(len, drawn), default=9):
            yield "the lowest rank"
        for what, that in (
            ("no elements", lambda shape: 0 in shape),
            ("one element", lambda shape: set(shape) <= {1}),
        ):
            if any(map(that, admitted)) and not any(map(that, drawn)):
                yield what

    def _broadcasting(self) -> Iterator[str]:
        pairs = {pair for site in self.sites for pair in site.partners}
        if pairs:
            both = {pair: shapes.broadcast(*pair) for pair in pairs}
            grown = {(x != whole, y != whole) for (x, y), whole in both.items()}
            names = {(True, False): "the first", (False, True): "the second", (True, True): "both"}
            yield from (f"{names[key]} of two operands grown" for key in names if key not in grown)

    def _arguments(self) -> Iterator[str]:
        for slot, values in self.slots.items():
            operands = any("Ref(" in text for text in values)
            if len(values) == 1 and self.given[slot] == SITES and not operands:
                yield f"{slot}: anything but {min(values)}"
            if len(self.forms[slot] & FORMS) == 1 and not operands:
                yield f"{slot}: integers of {min(FORMS - self.forms[slot])}"

    def never_given(self, function: Any) -> Iterator[str]:
        """The optional parameters of a function that no call gives, or that every one does.

        Args:
            function: what is called, whose signature says what is optional.
        """
        parameters = list(inspect.signature(function).parameters.values())
        for place, parameter in enumerate(parameters):
            count = self.given[place] + self.given[parameter.name]
            optional = parameter.default is not parameter.empty and parameter.name != "name"
            if optional and count in (0, SITES):
                yield f"{parameter.name} {'given' if not count else 'left out'}"


def _integers(argument: Any) -> Iterator[int]:
    if isinstance(argument, Constant):
        argument = argument.value
    if isinstance(argument, dict):
        argument = tuple(argument.values())
    if isinstance(argument, tuple):
        for part in argument:
            yield from _integers(part)
    elif isinstance(argument, int):
        yield argument
