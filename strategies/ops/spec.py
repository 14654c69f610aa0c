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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import COMPLEX, FLOATS
from strategies.graphs import Argument, Blocks, Ref
from strategies.ops.site import Site
from strategies.shapes import (
    broadcast,
)
from strategies.tensors import TensorType, Value
from strategies.values import REAL, Domain, Interval

Bounds = Callable[[float, float], Interval]


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
