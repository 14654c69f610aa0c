"""Elementwise ops of ``tf.math`` and of ``tf``."""

from __future__ import annotations

import math

from strategies.dtypes import COMPLEX, FLOATS, is_complex, real_part
from strategies.graphs import DType
from strategies.ops.choices import has_elements, keywords, one_of, optional_axis, reduced
from strategies.ops.site import Site
from strategies.ops.spec import (
    Call,
    around_zero,
    binary,
    call,
    even,
    falling,
    op,
    rising,
    unary,
    within,
)
from strategies.shapes import broadcast
from strategies.tensors import Value
from strategies.values import GAP, REAL, Domain, Interval

POSITIVE = Domain(lo=GAP)
NONZERO = Domain(poles=(0.0,))
KINK_AT_ZERO = Domain(kinks=(0.0,))
WHOLE = Domain(kinks=tuple(float(k) for k in range(-65, 66)))
HALVES = Domain(kinks=tuple(k + 0.5 for k in range(-65, 65)))
MODEST = Domain(-8.0, 8.0)
UNIT = Domain(-7 / 8, 7 / 8)
ABOVE_ONE = Domain(lo=1 + GAP)
BELOW_POLE = Domain(-1.25, 1.25)
ABOVE_MINUS_ONE = Domain(lo=-7 / 8)

unary("tf.identity", bounds=rising(float), modulus=abs)
unary("tf.math.negative", bounds=lambda lo, hi: (-hi, -lo), modulus=abs)
unary("tf.math.square", bounds=even(lambda x: x * x), modulus=lambda m: m * m)
unary("tf.math.exp", domain=MODEST, bounds=rising(math.exp), modulus=math.exp)
unary("tf.math.expm1", domain=MODEST, bounds=rising(math.expm1), modulus=lambda m: math.exp(m) + 1)
unary(
    "tf.math.log", domain=POSITIVE, bounds=rising(math.log), modulus=lambda m: math.log(m + 8) + 2
)
unary(
    "tf.math.log1p",
    domain=ABOVE_MINUS_ONE,
    bounds=rising(math.log1p),
    modulus=lambda m: math.log(m + 8) + 2,
)
unary("tf.math.sqrt", domain=POSITIVE, bounds=rising(math.sqrt), modulus=math.sqrt)
unary(
    "tf.math.rsqrt",
    domain=POSITIVE,
    bounds=falling(lambda x: 1 / math.sqrt(x)),
    modulus=lambda _: math.sqrt(8),
)
unary("tf.math.sin", bounds=within(-1, 1), modulus=math.cosh, domain=MODEST)
unary("tf.math.cos", bounds=within(-1, 1), modulus=math.cosh, domain=MODEST)
unary("tf.math.tan", domain=BELOW_POLE, bounds=rising(math.tan), modulus=lambda _: 3.125)
unary("tf.math.asin", domain=UNIT, bounds=rising(math.asin))
unary("tf.math.acos", domain=UNIT, bounds=falling(math.acos))
unary("tf.math.atan", bounds=rising(math.atan))
unary("tf.math.sinh", domain=MODEST, bounds=rising(math.sinh), modulus=math.cosh)
unary("tf.math.cosh", domain=MODEST, bounds=even(math.cosh), modulus=math.cosh)
unary("tf.math.tanh", bounds=rising(math.tanh))
unary("tf.math.asinh", bounds=rising(math.asinh))
unary("tf.math.acosh", domain=ABOVE_ONE, bounds=rising(math.acosh))
unary("tf.math.atanh", domain=UNIT, bounds=rising(math.atanh))
unary("tf.math.sigmoid", bounds=within(0, 1))
unary("tf.math.log_sigmoid", bounds=lambda lo, _hi: (min(lo, 0.0) - 1, 0))
unary("tf.math.softplus", bounds=lambda _lo, hi: (0, max(hi, 0.0) + 1))
unary("tf.math.erf", bounds=rising(math.erf))
unary("tf.math.erfc", bounds=falling(math.erfc))
unary("tf.math.erfinv", domain=UNIT, bounds=within(-1.25, 1.25))
unary("tf.math.lgamma", domain=POSITIVE, bounds=lambda _lo, hi: (-0.125, math.lgamma(hi + 2) + 2.5))
unary(
    "tf.math.digamma",
    domain=POSITIVE,
    bounds=lambda lo, hi: (math.log(lo) - 1 / lo, math.log(hi)),
)
unary(
    "tf.math.reciprocal",
    domain=NONZERO,
    bounds=lambda lo, hi: (1 / hi, 1 / lo) if lo * hi > 0 else (-8, 8),
    modulus=lambda _: 8.0,
)
unary("tf.math.sign", domain=NONZERO, bounds=within(-1, 1), modulus=lambda _: 1.0)
unary("tf.stop_gradient", bounds=rising(float), modulus=abs, blocks="stopped")
unary("tf.zeros_like", bounds=within(0, 0), modulus=lambda _: 0.0, blocks="flat")
unary("tf.ones_like", bounds=within(1, 1), modulus=lambda _: 1.0, blocks="flat")
unary("tf.math.floor", domain=WHOLE, bounds=rising(math.floor), blocks="flat")
unary("tf.math.ceil", domain=WHOLE, bounds=rising(math.ceil), blocks="flat")
unary(
    "tf.math.round",
    domain=HALVES,
    bounds=lambda lo, hi: (math.floor(lo), math.ceil(hi)),
    blocks="flat",
)


def _product(a: Interval, b: Interval) -> Interval:
    corners = [x * y for x in a for y in b]
    return min(corners), max(corners)


def _quotient(a: Interval, b: Interval) -> Interval:
    return _product(a, (1 / b[1], 1 / b[0]) if b[0] * b[1] > 0 else (-8, 8))


def _power(a: Interval, b: Interval) -> Interval:
    corners = [x**y for x in a for y in b]
    return min(corners), max(corners)


def _difference(a: Interval, b: Interval) -> Interval:
    return a[0] - b[1], a[1] - b[0]


def _x_log_y(a: Interval, b: Interval) -> Interval:
    return _product(a, (math.log(b[0]), math.log(b[1])))


binary("tf.math.add", bounds=lambda a, b: (a[0] + b[0], a[1] + b[1]), modulus=lambda m, n: m + n)
binary("tf.math.subtract", bounds=_difference, modulus=lambda m, n: m + n)
binary("tf.math.multiply", bounds=_product, modulus=lambda m, n: m * n)
binary("tf.math.divide", second=NONZERO, bounds=_quotient, modulus=lambda m, _: 8 * m)
binary("tf.math.maximum", ties=True, bounds=lambda a, b: (max(a[0], b[0]), max(a[1], b[1])))
binary("tf.math.minimum", ties=True, bounds=lambda a, b: (min(a[0], b[0]), min(a[1], b[1])))
binary(
    "tf.math.squared_difference",
    bounds=lambda a, b: even(lambda x: x * x)(*_difference(a, b)),
    modulus=lambda m, n: (m + n) ** 2,
)
binary(
    "tf.math.pow",
    first=Domain(GAP, 4.0),
    second=Domain(-4.0, 4.0),
    bounds=_power,
    modulus=lambda _, n: (8 * math.exp(math.pi / 2)) ** n,
)
binary(
    "tf.math.atan2",
    first=NONZERO,
    bounds=lambda _a, _b: (-math.pi, math.pi),
    alone=True,  # to 2.13 what it hands on has the broadcast shape, which may kill the process
)
binary(
    "tf.math.xlogy",
    second=POSITIVE,
    bounds=_x_log_y,
    modulus=lambda m, n: m * (math.log(n + 8) + 2),
)
binary(
    "tf.math.xlog1py",
    second=ABOVE_MINUS_ONE,
    bounds=lambda a, b: _product(a, (math.log1p(b[0]), math.log1p(b[1]))),
    modulus=lambda m, n: m * (math.log(n + 8) + 2),
)
binary("tf.math.xdivy", second=NONZERO, bounds=_quotient, modulus=lambda m, _: 8 * m)
binary("tf.math.divide_no_nan", second=NONZERO, bounds=_quotient, modulus=lambda m, _: 8 * m)
binary("tf.math.multiply_no_nan", bounds=_product, modulus=lambda m, n: m * n)
binary(
    "tf.math.floormod",
    first=Domain(-1.75, 1.75, kinks=(0.0,)),
    second=Domain(2.0, 4.0),
    bounds=lambda _a, b: (0, b[1]),
)
binary("tf.math.greater", ties=True, bounds=lambda _a, _b: (0, 1), result_dtype="bool")
binary("tf.math.less_equal", ties=True, bounds=lambda _a, _b: (0, 1), result_dtype="bool")
binary(
    "tf.math.equal",
    ties=True,
    bounds=lambda _a, _b: (0, 1),
    modulus=lambda _m, _n: 1,
    result_dtype="bool",
)


@op("tf.math.add_n")
def add_n(site: Site) -> Call:
    """One to three operands of one shape; a list of one comes back as the very same tensor."""
    x = site.operand()
    count = site.draw(one_of(1, 2, 3), "count")
    terms = [x, *(site.operand(shape=x.shape) for _ in range(count - 1))]
    bounds = sum(t.bounds[0] for t in terms), sum(t.bounds[1] for t in terms)
    return call(tuple(terms), result=x.type.like(bounds=bounds)).aliasing(count == 1)


def _place(site: Site) -> Call:
    """The place of the largest or smallest element, as int64 unless asked otherwise."""
    x = site.operand(min_rank=1, fits=has_elements)
    given, axis = site.draw(optional_axis(x.shape, 0), "axis")
    kind = site.draw(keywords("output_type", (DType("int32"), DType("int64"))), "output_type")
    result = x.type.like(
        shape=reduced(x.shape, (axis,)),
        bounds=(0, x.shape[axis] - 1),
        dtype=kind["output_type"].name if kind else "int64",
    )
    return call(x, **given, **kind, result=result)


op("tf.math.argmax", dtypes=FLOATS, ties=True)(_place)
op("tf.math.argmin", dtypes=FLOATS, ties=True)(_place)


@op("tf.argsort", dtypes=FLOATS, ties=True)
def argsort(site: Site) -> Call:
    """The places of the elements in order, as int32."""
    x = site.operand(min_rank=1, fits=has_elements)
    given, axis = site.draw(optional_axis(x.shape, -1), "axis")
    order = site.draw(keywords("direction", ("DESCENDING",)), "direction")
    places = x.type.like(bounds=(0, x.shape[axis] - 1), dtype="int32")
    return call(x, **given, **order, result=places)


@op("tf.math.abs")
def absolute(site: Site) -> Call:
    """The absolute value, or the modulus, which is real."""
    x = site.operand(domain=KINK_AT_ZERO)
    bounds = (0.0, x.bound) if x.is_complex else even(float)(*x.bounds)
    return call(x, result=x.type.like(bounds=bounds, dtype=real_part(x.dtype)))


def _part(x: Value, bounds: Interval) -> Call:
    made = x.type.like(bounds=bounds, dtype=real_part(x.dtype))
    return call(x, result=made).aliasing(not x.is_complex)


@op("tf.math.real")
def real(site: Site) -> Call:
    """The real part; a real tensor comes back as the very same tensor."""
    x = site.operand()
    return _part(x, x.bounds)


@op("tf.math.imag", dtypes=COMPLEX)
def imag(site: Site) -> Call:
    """The imaginary part."""
    x = site.operand()
    return _part(x, x.bounds)


@op("tf.math.angle", dtypes=COMPLEX)
def angle(site: Site) -> Call:
    """The argument, to the right of the branch cut."""
    return _part(site.operand(domain=POSITIVE), around_zero(math.pi / 2))


@op("tf.math.conj")
def conj(site: Site) -> Call:
    """The complex conjugate; a real tensor comes back as the very same tensor."""
    x = site.operand()
    return call(x, result=x.type).aliasing(not is_complex(x.dtype))


@op("tf.complex", dtypes=COMPLEX)
def from_parts(site: Site) -> Call:
    """A complex tensor of two real ones."""
    x = site.operand(dtype=real_part(site.dtype))
    y = site.partner(x)
    bounds = around_zero(math.hypot(x.bound, y.bound))
    shape = broadcast(x.shape, y.shape)
    return call(x, y, result=x.type.like(shape=shape, bounds=bounds, dtype=site.dtype))


_REAL_TARGETS = (*FLOATS, *COMPLEX, "int32", "int64", "int8", "bool")
_COMPLEX_TARGETS = (*COMPLEX, *FLOATS)


@op("tf.cast")
def cast(site: Site) -> Call:
    """What the graph has of another dtype, to the site's dtype; if there is none, to any dtype.

    To integers and bool only off the jumps.
    """
    others = site.foreign()
    if others:
        x, target = others[site.draw(one_of(*range(min(len(others), 6))), "operand")], site.dtype
        return call(x, DType(target), result=x.type.like(dtype=target, bounds=_hull(x, target)))
    choices = _COMPLEX_TARGETS if is_complex(site.dtype) else _REAL_TARGETS
    target = site.draw(one_of(*choices), "target")
    x = site.operand(domain={"bool": KINK_AT_ZERO}.get(target, WHOLE if "int" in target else REAL))
    made = x.type.like(dtype=target, bounds=_hull(x, target))
    return call(x, DType(target), result=made).aliasing(target == x.dtype)


def _hull(x: Value, target: str) -> Interval:
    if target == "bool":
        return 0, 1
    return around_zero(x.bound) if is_complex(target) else x.bounds


@op("tf.clip_by_value", dtypes=FLOATS)
def clip_by_value(site: Site) -> Call:
    """Limits as numbers, which inputs stay off, or as tensors of their own."""
    limits = site.draw(one_of((-1.0, 1.0), (0.0, 2.0), (-0.5, 0.5), None), "limits")
    if limits:
        x = site.operand(domain=Domain(kinks=limits))
        low, high = limits
        return call(x, low, high, result=x.type.like(bounds=limits))
    x = site.operand()
    shape = site.draw(one_of((), x.shape), "shape of limits")
    below = site.operand(shape=shape, domain=Domain(hi=-GAP))
    above = site.operand(shape=shape, domain=Domain(lo=GAP))
    return call(x, below, above, result=x.type.like(bounds=(below.bounds[0], above.bounds[1])))
