"""Special values: numbers where a function is likely to have a branch of its own.

Which numbers those are follows from the domains that an entry of the catalogue gives its operands,
so every op has some: it is zero, tied and large that most of them care about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from strategies import dtypes
from strategies.drawing import Point, draw_numbers
from strategies.ops.site import Draw, below
from strategies.tensors import Input
from strategies.values import GAP, REACH, Domain, Number, codes, grid

LARGE: Final = 40.0
"""Where what saturates has saturated in double precision, and exp is far from overflow."""
SMALL: Final = 2.0**-40
"""Far below one and far above what underflows, even squared."""


def _ends(domain: Domain) -> tuple[float, ...]:
    """Poles, and the ends of what is defined, from which inputs stay away.

    An end beyond the reach of inputs is none: it keeps lower precisions from overflowing.
    """
    ends = [domain.lo - GAP] * (domain.lo > -REACH) + [domain.hi + GAP] * (domain.hi < REACH)
    return (*ends, *(pole for pole in domain.poles if abs(pole) <= REACH))


def _reached(domain: Domain, *numbers: float) -> tuple[float, ...]:
    """Those of the numbers at which a function of this domain is defined, or nearly so."""
    low = domain.lo - GAP if domain.lo > -REACH else -LARGE
    high = domain.hi + GAP if domain.hi < REACH else LARGE
    return tuple(number for number in numbers if low <= number <= high)


SPECIALS: Final[Mapping[str, Callable[[Domain], tuple[float, ...]]]] = {
    "kinks": lambda domain: tuple(k for k in domain.kinks if abs(k) <= 2 * REACH),
    "ends": _ends,
    "zeros": lambda domain: _reached(domain, 0.0),
    "ties": lambda domain: grid(domain)[:1],
    "large": lambda domain: _reached(domain, LARGE, -LARGE),
    "small": lambda domain: _reached(domain, SMALL, -SMALL),
}
"""The kinds of special values, each with the numbers that a domain has of it."""


def draw_special(draw: Draw, inputs: tuple[Input, ...], kind: str) -> Point | None:
    """Numbers for inputs, of which one input or all hold special values; None if none has any.

    They fill an input, or are mixed with ordinary numbers.

    Args:
        draw: supplied by Hypothesis.
        inputs: of a graph.
        kind: one of :data:`SPECIALS`.
    """
    special = {}
    for i, made in enumerate(inputs):
        if isinstance(made.domain, Domain) and (numbers := SPECIALS[kind](made.domain)):
            special[i] = numbers
    if not special:
        return None
    chosen = [*special, None][draw(below(len(special) + (len(special) > 1)), "special input")]
    among = special if chosen is None else {chosen: special[chosen]}
    mixed = draw(below(2), "mixed")
    taken: set[float] = set()
    point = []
    for i, made in enumerate(inputs):
        ordinary = draw_numbers(draw, made, taken)
        if i not in among:
            point.append(ordinary)
            continue
        code = draw(codes(made.type.size), "special numbers")
        point.append(_put(made, ordinary, code, among[i], mixed=bool(mixed)))
    return tuple(point)


def _put(
    made: Input,
    ordinary: tuple[Number, ...],
    code: bytes,
    numbers: tuple[float, ...],
    *,
    mixed: bool,
) -> tuple[Number, ...]:
    """Special numbers in place of ordinary ones: of all, or of every other one if mixed."""
    kind: Callable[[Any], Number] = complex if dtypes.is_complex(made.type.dtype) else float
    return tuple(
        usual if mixed and place % 2 else kind(numbers[byte % len(numbers)])
        for place, (usual, byte) in enumerate(zip(ordinary, code, strict=True))
    )
