"""What an entry of the op catalogue is.

Why: a generated graph must be valid before TensorFlow has seen it, and an oracle must know what to
expect. An entry says both about one public TensorFlow operation, as data.

What: an :class:`Op` says in four groups how it is called (name, ``call``, since which version),
what it takes (dtypes, and ``build``), what an oracle must know of its gradient (why there is none,
where there is none, whose gradient it has instead, why differences decide little), and in which
graphs it occurs. ``build`` is handed a :class:`Site`, asks it for operands (with the shapes and the
domain that the op needs, kinks and poles in it) and for choices, and returns the :class:`Call`:
arguments and the types of the results, with bounds of their elements, and whether it returns its
operand itself. Bounds are interval arithmetic: they keep ``log`` away from what may be negative.
Too wide is safe, too narrow is a defect. A ``call`` may be a template, which holds what makes a
smooth function of the op: symmetric matrices, factors without free signs. Which registered gradient
functions it reaches is not said but noted, in each run: a record lists them by function and by op.

How: :func:`unary` and :func:`binary` cover elementwise ops in one line::

    unary("tf.math.log", domain=POSITIVE, bounds=rising(math.log))

and the decorator :func:`op` the rest, in about five::

    @op("tf.reverse")
    def reverse(site: Site) -> Call:
        x = site.operand(min_rank=1)
        return call(x, axis=(site.draw(axes(x.rank), "axis"),), result=x.type)

A new entry is tested at once: ``tests/test_ops.py`` runs through the whole catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from strategies import dtypes
from strategies.dtypes import COMPLEX, FLOATS
from strategies.graphs import Argument, Blocks, Ref
from strategies.shapes import (
    MAX_RANK,
    MAX_SIZE,
    Shape,
    broadcast,
    partner_table,
    shape_table,
    shapes,
)
from strategies.tensors import Indices, Input, TensorType, Value
from strategies.values import REACH, REAL, Domain, Interval

T = TypeVar("T")
Bounds = Callable[[float, float], Interval]
Draw = Callable[..., Any]

MAX_RESULT_SIZE = 256
"""Elements of one result: broadcasting and tiling stop here."""


@dataclass(frozen=True)
class Call:
    """How an op is called at one site: arguments, and the types of its results.

    Attributes:
        aliases: whether it returns its operand itself, the very same object: then what watches the
            result watches the operand, and a Variable may come back unread.
    """

    args: tuple[Argument, ...]
    kwargs: tuple[tuple[str, Argument], ...]
    results: tuple[TensorType, ...]
    listed: bool
    aliases: bool = False

    def aliasing(self, when: bool) -> Call:  # noqa: FBT001 - it reads as a sentence
        """The same call, which returns its operand itself when that is so."""
        return replace(self, aliases=when)


@dataclass(frozen=True)
class Op:
    """An entry of the catalogue; see the head of this module.

    How it is called:

    Attributes:
        name: the public name, which is also the subject of outcomes.
        call: what is printed and called, if not the name: a path or a template as ``{0}[{1}]``, in
            which ``{named}`` stands for the keyword arguments.
        since: the first minor version that has it; before, its forward pass raises.

    What it takes:

    Attributes:
        dtypes: the dtypes that its differentiable operands may have.
        build: draws operands and keyword arguments at a site and says what comes out.

    What an oracle must know:

    Attributes:
        blocks: why no gradient passes, if none does: see :class:`strategies.graphs.Node`.
        ties: whether it is not smooth where elements of its operands are equal, as a maximum.
        surrogate: a template of a function that has the gradient that is documented for this one,
            if that is not its derivative.
        rough: why finite differences decide less than nine checks in ten about it, if they do.

    Where it occurs:

    Attributes:
        alone: whether it occurs in graphs of itself alone, where its gradient is known to be at
            fault whatever it is given, or its last bits differ from call to call: what it hands on
            would be blamed on others.
        composite: whether TensorFlow makes it of other ops that are here, or their gradients of it:
            then it occurs in graphs about itself alone, as it adds nothing to those about others.
    """

    name: str
    build: Callable[[Site], Call]
    call: str
    dtypes: tuple[str, ...] = FLOATS + COMPLEX
    blocks: Blocks = ""
    ties: bool = False
    surrogate: str = ""
    alone: bool = False
    composite: bool = False
    since: tuple[int, int] = (2, 8)
    rough: str = ""

    @property
    def is_partner(self) -> bool:
        """Whether it occurs in graphs about other ops, and in functions and programs."""
        return not (self.alone or self.composite or self.surrogate)

    @property
    def in_double(self) -> bool:
        """Whether it computes in double precision; if not, float32 is what oracles run it in."""
        return bool({"float64", "complex128"}.intersection(self.dtypes))


CATALOGUE: dict[str, Op] = {}
"""Every entry by name, in the order of registration, which is from simple to involved."""


def register(entry: Op) -> Op:
    """Add an entry to the catalogue.

    Raises:
        ValueError: if its name is taken.
    """
    if entry.name in CATALOGUE:
        msg = f"two catalogue entries are named {entry.name!r}"
        raise ValueError(msg)
    CATALOGUE[entry.name] = entry
    return entry


class Site:
    """Where one op is applied: hands out operands and draws choices.

    Operands are values that the graph already has, where they fit, or fresh inputs.
    """

    def __init__(self, draw: Draw, dtype: str, values: list[Value], inputs: list[Input]) -> None:
        self._draw = draw
        self._values = values
        self._inputs = inputs
        self.dtype = dtype
        self.kinks: list[tuple[int, tuple[float, ...]]] = []

    def draw(self, strategy: st.SearchStrategy[T], label: str) -> T:
        """One labelled choice."""
        result: T = self._draw(strategy, label)
        return result

    def operand(  # noqa: PLR0913 - all by keyword, and most left out
        self,
        *,
        shape: Shape | None = None,
        min_rank: int = 0,
        max_rank: int = MAX_RANK,
        domain: Domain = REAL,
        dtype: str | None = None,
        fits: Callable[[Shape], bool] | None = None,
        fresh: tuple[Shape, ...] | None = None,
        reuse: int = 3,
    ) -> Value:
        """A differentiable operand.

        Args:
            shape: the exact shape, if only one will do.
            min_rank: the smallest rank.
            max_rank: the largest rank.
            domain: where its elements must stand.
            dtype: the dtype; that of the site if left out.
            fits: what else the shape must satisfy; give ``fresh`` too if it is made on the spot,
                as the table of fresh shapes is kept for each ``fits``.
            fresh: the shapes that a fresh input may have, simplest first; they must satisfy all
                of the above.
            reuse: how many times as likely as a fresh input each value is that fits already.
        """
        dtype = dtype or self.dtype

        def admits(value: Value) -> bool:
            return (
                value.dtype == dtype
                and (
                    value.shape == shape
                    if shape is not None
                    else min_rank <= value.rank <= max_rank
                )
                and domain.admits(value.bounds)
                and (fits is None or fits(value.shape))
            )

        known = [v for v in reversed(self._values) if admits(v)]
        if shape is not None:
            fresh = (shape,)
        elif fresh is None:
            fresh = shape_table(min_rank, max_rank, MAX_SIZE, fits)
        chosen = self._choose(known, fresh, "operand", reuse)
        found = chosen if isinstance(chosen, Value) else self.input(dtype, chosen, domain)
        if domain.kinks:
            self.kinks.append((found.index, domain.kinks))
        return found

    def fresh(
        self,
        *,
        min_rank: int = 0,
        fits: Callable[[Shape], bool] | None = None,
        domain: Domain = REAL,
    ) -> Value:
        """An operand that is always a fresh input, as its elements must not be equal."""
        shape = self.draw(shapes(min_rank=min_rank, fits=fits), "shape")
        return self.input(self.dtype, shape, replace(domain, distinct=True))

    def partner(self, value: Value, domain: Domain = REAL) -> Value:
        """An operand that broadcasts with ``value``, of the same dtype."""
        return self.operand(
            domain=domain,
            fits=lambda shape: fits_beside(shape, value.shape),
            fresh=partner_table(value.shape),
            dtype=value.dtype,
            reuse=1,  # or most would be the value itself
        )

    def input(self, dtype: str, shape: Shape, domain: Domain = REAL) -> Value:
        """A fresh input of the graph."""
        low, high = max(domain.lo, -REACH), min(domain.hi, REACH)
        bounds = (-6.0, 6.0) if dtypes.is_complex(dtype) else (low, high)
        return self._new(Input(TensorType(dtype, shape, bounds), domain))

    def indices(
        self,
        shapes: tuple[Shape, ...],
        lo: int,
        hi: int,
        *,
        distinct: bool = False,
        among: tuple[str, ...] = ("int32", "int64"),
    ) -> Value:
        """Integers from ``lo`` to ``hi`` inclusive: a fresh input, or what is there already.

        Args:
            shapes: those that will do, simplest first.
            lo: the least integer.
            hi: the largest.
            distinct: whether all of them must differ.
            among: the dtypes that they may have.
        """
        known = [] if distinct else self._known(among, lo, hi, lambda s: s in shapes)
        fresh = tuple((shape, dtype) for shape in shapes for dtype in among)
        chosen = self._choose(known, fresh, "indices")
        if isinstance(chosen, Value):
            return chosen
        shape, dtype = chosen
        return self._new(Input(TensorType(dtype, shape, (lo, hi)), Indices(lo, hi, distinct)))

    def condition(self, beside: Shape) -> Value:
        """A bool operand that broadcasts with a shape: what a comparison gave, or a fresh input."""
        known = self._known(("bool",), 0, 1, lambda s: fits_beside(s, beside))
        chosen = self._choose(known, partner_table(beside), "condition")
        if isinstance(chosen, Value):
            return chosen
        return self._new(Input(TensorType("bool", chosen, (0, 1)), Indices(0, 1)))

    def foreign(self) -> list[Value]:
        """The values of the graph that are not of the site's dtype, the newest result first."""
        return [v for v in reversed(self._values) if v.dtype != self.dtype]

    def _choose(
        self, known: list[Value], fresh: tuple[T, ...], label: str, reuse: int = 3
    ) -> Value | T:
        """One of what is known, newest first, or else what a fresh input is to be like.

        It is a single draw, whichever comes out, so that in shrinking a fresh input takes the place
        of a value whose node is dropped and no later draw moves.
        """
        ways = len(fresh) * (reuse * len(known) + 1)
        choice, at = divmod(self.draw(below(ways), label), len(fresh))
        return known[(choice - 1) % len(known)] if choice else fresh[at]

    def _known(
        self, among: tuple[str, ...], lo: float, hi: float, fits: Callable[[Shape], bool]
    ) -> list[Value]:
        return [
            v
            for v in reversed(self._values)
            if v.dtype in among and lo <= v.bounds[0] and v.bounds[1] <= hi and fits(v.shape)
        ]

    def _new(self, made: Input) -> Value:
        value = Value(-1 - len(self._inputs), made.type)
        self._inputs.append(made)
        self._values.append(value)
        return value


@cache
def below(count: int) -> st.SearchStrategy[int]:
    """Whole numbers from 0 to ``count`` - 1."""
    return st.sampled_from(range(count))  # half the cost of st.integers, which is lazy


def fits_beside(shape: Shape, other: Shape) -> bool:
    """Whether two shapes broadcast to something that is not too large."""
    both = broadcast(shape, other)
    return both is not None and math.prod(both) <= MAX_RESULT_SIZE


def call(
    *args: Any,
    result: TensorType | Sequence[TensorType],
    **kwargs: Any,
) -> Call:
    """The call of an op at a site.

    Args:
        *args: as TensorFlow takes them; operands as :class:`Value`.
        result: the type of the result, or a list of types where the call returns a sequence: then
            none of its results is computed from another one that it returns (a copy will do).
        **kwargs: the same, by name.
    """
    listed = not isinstance(result, TensorType)
    results = tuple(result) if isinstance(result, Sequence) else (result,)
    named = tuple((key, _argument(value)) for key, value in kwargs.items())
    return Call(tuple(map(_argument, args)), named, results, listed)


def _argument(value: Any) -> Argument:
    if isinstance(value, Value):
        return Ref(value.index)
    if type(value) in (tuple, list):
        return tuple(map(_argument, value))
    argument: Argument = value
    return argument


def op(name: str, **fields: Any) -> Callable[[Callable[[Site], Call]], Op]:
    """Register a catalogue entry whose ``build`` is the decorated function."""

    def decorate(build: Callable[[Site], Call]) -> Op:
        return register(Op(name, build, **{"call": name, **fields}))

    return decorate


def rising(function: Callable[[float], float]) -> Bounds:
    """Bounds of a function that never falls on its domain."""
    return lambda lo, hi: (function(lo), function(hi))


def within(lo: float, hi: float) -> Bounds:
    """Bounds of a function that stays between two numbers."""
    return lambda _lo, _hi: (lo, hi)


def falling(function: Callable[[float], float]) -> Bounds:
    """Bounds of a function that never rises on its domain."""
    return lambda lo, hi: (function(hi), function(lo))


def around_zero(bound: float) -> Interval:
    """The interval of all numbers whose absolute value is at most ``bound``."""
    return -bound, bound


def even(function: Callable[[float], float]) -> Bounds:
    """Bounds of an even function that rises with the absolute value."""
    return lambda lo, hi: (
        function(max(lo, -hi, 0.0)),
        function(max(abs(lo), abs(hi))),
    )


def unary(
    name: str,
    *,
    bounds: Bounds,
    modulus: Callable[[float], float] | None = None,
    domain: Domain = REAL,
    kwargs: st.SearchStrategy[Mapping[str, Any]] | None = None,
    **fields: Any,
) -> Op:
    """Register an elementwise op of one operand.

    Args:
        name: the public name.
        bounds: from bounds of the operand to bounds of the result.
        modulus: the same for the largest modulus; the op takes complex operands if it is given.
        domain: where the operand must stand.
        kwargs: keyword arguments.
        **fields: other fields of :class:`Op`.
    """

    def build(site: Site) -> Call:
        x = site.operand(domain=domain)
        named = {} if kwargs is None else site.draw(kwargs, "keywords")
        if modulus and x.is_complex:
            return call(x, **named, result=x.type.like(bounds=around_zero(modulus(x.bound))))
        return call(x, **named, result=x.type.like(bounds=bounds(*x.bounds)))

    return op(name, **{"dtypes": FLOATS + COMPLEX if modulus else FLOATS, **fields})(build)


def binary(  # noqa: PLR0913 - all by keyword, and most left out
    name: str,
    *,
    bounds: Callable[[Interval, Interval], Interval],
    modulus: Callable[[float, float], float] | None = None,
    first: Domain = REAL,
    second: Domain = REAL,
    result_dtype: str | None = None,
    **fields: Any,
) -> Op:
    """Register an elementwise op of two operands that broadcast against each other.

    Args:
        name: the public name.
        bounds: from bounds of both operands to bounds of the result.
        modulus: the same for the largest moduli; the op takes complex operands if it is given.
        first: where the first operand must stand.
        second: where the second one must stand.
        result_dtype: the dtype of the result, if not that of the operands.
        **fields: other fields of :class:`Op`.
    """

    def build(site: Site) -> Call:
        x = site.operand(domain=first)
        y = site.partner(x, domain=second)
        out = (
            around_zero(modulus(x.bound, y.bound))
            if modulus and x.is_complex
            else bounds(x.bounds, y.bounds)
        )
        shape = broadcast(x.shape, y.shape)
        return call(x, y, result=x.type.like(shape=shape, bounds=out, dtype=result_dtype))

    return op(name, **{"dtypes": FLOATS + COMPLEX if modulus else FLOATS, **fields})(build)
