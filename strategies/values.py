"""Numbers to put into tensors: off the kinks and free of ties, or exactly on them.

All numbers are multiples of 1/64 of at most seven significant bits, so that every floating dtype,
bfloat16 included, holds them exactly: one drawn program means the same in each precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final

from hypothesis import strategies as st

Interval = tuple[float, float]
Number = float | int | complex | bool | str


@dataclass(frozen=True)
class Domain:
    """The numbers at which an operand may stand.

    Attributes:
        lo, hi: bounds of the operand's elements (of the real part, if complex).
        poles: points where the function or its derivative is not finite; never approached.
        kinks: points where it is not smooth; avoided by inputs, met by chance by intermediates.
        distinct: whether no two elements may be equal, whatever numbers are put in their place.
    """

    lo: float = -64.0
    hi: float = 64.0
    poles: tuple[float, ...] = ()
    kinks: tuple[float, ...] = ()
    distinct: bool = False

    def admits(self, interval: Interval) -> bool:
        """Whether all numbers of an interval are inside and well away from every pole."""
        lo, hi = interval
        inside = self.lo <= lo and hi <= self.hi
        return inside and not any(lo - GAP < pole < hi + GAP for pole in self.poles)


GAP: Final = 1 / 8
"""How far inputs stay from kinks and poles: a thousand steps of the finite differences."""
REACH: Final = 4.0
"""Inputs lie in [-4, 4], so that a few nodes do not overflow float16."""
REAL: Final = Domain()


@cache
def _points() -> tuple[float, ...]:
    wide = {Fraction(m, 16) for m in range(-64, 65)}
    fine = {Fraction(m, 64) for m in range(-63, 64)}
    simple = sorted(wide | fine, key=lambda q: (q == 0, q.denominator, abs(q), q < 0))
    whole = [q for q in simple if q.denominator == 1 and q]
    zero, rest = Fraction(0), [q for q in simple if q.denominator > 1]
    return tuple(float(q) for q in [*whole[:1], zero, *whole[1:], *rest])


@cache
def grid(domain: Domain) -> tuple[float, ...]:
    """The numbers of a domain that inputs may take, simplest first: 1, 0, -1, 2, ..., 1/2, ..."""
    avoided = domain.poles + domain.kinks
    return tuple(
        x
        for x in _points()
        if max(domain.lo, -REACH) <= x <= min(domain.hi, REACH)
        and all(abs(x - a) >= GAP for a in avoided)
    )


@cache
def codes(size: int) -> st.SearchStrategy[bytes]:
    """One byte an element: the single draw from which :func:`decode` makes a tensor's numbers."""
    return st.binary(min_size=size, max_size=size)


def decode(code: bytes, points: tuple[float, ...], taken: set[float]) -> tuple[float, ...]:
    """Distinct numbers of ``points`` that are not ``taken``, one for each byte of ``code``.

    A byte counts in the numbers that are left (a Lehmer code), so all bytes zero give the simplest
    distinct numbers, and lowering one byte simplifies one element. What is used is added to
    ``taken``; when fewer are left than needed, all become available again.
    """
    left = [x for x in points if x not in taken]
    if len(left) < len(code):
        left = list(points) * (1 + len(code) // len(points))
    chosen = tuple(left.pop(byte % len(left)) for byte in code)
    taken.update(chosen)
    return chosen


def smooth_values(domain: Domain, size: int) -> st.SearchStrategy[tuple[float, ...]]:
    """``size`` distinct numbers of a domain, away from its kinks and poles; shrinks to 1, 0, -1."""
    return codes(size).map(lambda code: decode(code, grid(domain), set()))


def kink_values(domain: Domain, size: int) -> st.SearchStrategy[tuple[float, ...]]:
    """``size`` numbers exactly on the kinks of a domain, on zero and one, with many ties."""
    inside = [k for k in (*domain.kinks, 0.0, 1.0) if domain.lo <= k <= domain.hi]
    points = tuple(dict.fromkeys(k for k in inside if k not in domain.poles)) or grid(domain)[:1]
    return st.lists(st.sampled_from(points), min_size=size, max_size=size).map(tuple)


def rounded_out(lo: float, hi: float) -> Interval:
    """An interval widened to multiples of 1/64, so that no last bit of libm can change a draw."""
    return math.floor(lo * 64) / 64, math.ceil(hi * 64) / 64
