"""Special functions, quotients and sums that ``tf.math`` has beside the common ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from strategies.dtypes import FLOATS
from strategies.graphs import Constant
from strategies.ops.choices import one_of
from strategies.ops.math import HALVES, KINK_AT_ZERO, NONZERO, POSITIVE
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, around_zero, binary, call, even, op, unary, within
from strategies.values import GAP, REAL, Domain

DOUBLE = ("float64", "float32")
"""What most kernels of special functions take."""
HALF = (*DOUBLE, "float16")
MODEST = Domain(-8.0, 8.0)
PROBABILITY = Domain(GAP, 1 - GAP)

unary("tf.math.special.bessel_i0", domain=MODEST, bounds=even(math.exp), dtypes=HALF)
unary("tf.math.special.bessel_i0e", domain=KINK_AT_ZERO, bounds=within(0, 1), dtypes=HALF)
unary(
    "tf.math.special.bessel_i1",
    domain=MODEST,
    dtypes=HALF,
    bounds=lambda lo, hi: around_zero(math.exp(max(abs(lo), abs(hi)))),
)
unary(
    "tf.math.special.bessel_i1e",
    domain=KINK_AT_ZERO,  # its derivative has one
    bounds=within(-0.25, 0.25),
    dtypes=HALF,
)
unary("tf.math.special.bessel_j0", bounds=within(-0.5, 1), dtypes=HALF)
unary("tf.math.special.bessel_j1", bounds=within(-0.625, 0.625), dtypes=HALF)
unary("tf.math.special.bessel_k0", domain=POSITIVE, bounds=within(0, 2.5), dtypes=HALF)
unary("tf.math.special.bessel_k0e", domain=POSITIVE, bounds=within(0, 3), dtypes=HALF)
unary("tf.math.special.bessel_k1", domain=POSITIVE, bounds=within(0, 8.5), dtypes=HALF)
unary("tf.math.special.bessel_k1e", domain=POSITIVE, bounds=within(0, 9), dtypes=HALF)
unary("tf.math.special.bessel_y0", domain=POSITIVE, bounds=within(-1.5, 0.5625), dtypes=HALF)
unary("tf.math.special.bessel_y1", domain=POSITIVE, bounds=within(-5.5, 0.5), dtypes=HALF)
unary("tf.math.special.dawsn", bounds=within(-0.5625, 0.5625), dtypes=HALF)
unary(
    "tf.math.special.expint",
    domain=Domain(GAP, 8.0),
    dtypes=HALF,
    bounds=lambda _lo, hi: (-1.5, math.exp(hi)),
)
unary("tf.math.special.fresnel_cos", bounds=within(-0.8125, 0.8125), dtypes=HALF)
unary("tf.math.special.fresnel_sin", bounds=within(-0.8125, 0.8125), dtypes=HALF)
unary("tf.math.special.spence", domain=POSITIVE, bounds=within(-11, 1.6875), dtypes=HALF)
unary("tf.math.ndtri", domain=PROBABILITY, bounds=within(-1.25, 1.25), dtypes=DOUBLE)
unary(
    "tf.math.rint",
    domain=HALVES,
    blocks="flat",
    bounds=lambda lo, hi: (math.floor(lo), math.ceil(hi)),
)

binary(
    "tf.math.igamma", first=POSITIVE, second=POSITIVE, dtypes=DOUBLE, bounds=lambda _a, _b: (0, 1)
)
binary(
    "tf.math.igammac", first=POSITIVE, second=POSITIVE, dtypes=DOUBLE, bounds=lambda _a, _b: (0, 1)
)
binary("tf.math.nextafter", bounds=lambda a, _b: a, dtypes=DOUBLE)
for _name, _since in (("tf.math.floordiv", (2, 8)), ("tf.truncatediv", (2, 12))):
    binary(
        _name,
        first=Domain(-1.75, 1.75, kinks=(0.0,)),
        second=Domain(2.0, 4.0),
        bounds=lambda _a, _b: (-1, 1),
        blocks="flat",
        since=_since,  # of floats; before, it divides integers alone
    )
binary(
    "tf.raw_ops.Div",
    call="tf.raw_ops.Div(x={0}, y={1})",
    second=NONZERO,
    bounds=lambda a, _b: around_zero(8 * max(map(abs, a))),
    modulus=lambda m, _: 8 * m,
)
binary(
    "tf.raw_ops.Add",
    call="tf.raw_ops.Add(x={0}, y={1})",
    modulus=lambda m, n: m + n,
    bounds=lambda a, b: (a[0] + b[0], a[1] + b[1]),
)
unary(
    "tf.raw_ops.Inv",
    call="tf.raw_ops.Inv(x={0})",
    domain=NONZERO,
    modulus=lambda _: 8.0,
    bounds=lambda _lo, _hi: (-8, 8),
)
unary(
    "tf.debugging.check_numerics",
    call="tf.debugging.check_numerics({0}, 'message')",
    bounds=lambda lo, hi: (lo, hi),
    alone=True,  # it raises where the gradient of another op is wrongly NaN
)
unary(
    "tf.raw_ops.CheckNumericsV2",
    bounds=lambda lo, hi: (lo, hi),
    call="tf.raw_ops.CheckNumericsV2(tensor={0}, message='message')",
    alone=True,
)


unary("tf.experimental.numpy.sinc", bounds=within(-0.25, 1), dtypes=HALF, composite=True)


def inner_gradient(
    name: str, steepest: Callable[[float], float], domain: Domain = REAL, **fields: Any
) -> Op:
    """Register what the gradient of an elementwise op is made of: dy times a function of y.

    Args:
        name: its public name.
        steepest: the largest modulus of that function, by the largest of y.
        domain: where y must stand.
        **fields: other fields of :class:`Op`.
    """

    def build(site: Site) -> Call:
        y = site.operand(domain=domain)
        dy = site.operand(shape=y.shape)
        bounds = around_zero(dy.bound * steepest(y.bound))
        return call(y, dy, result=y.type.like(bounds=bounds))

    return op(name, call=f"{name}(y={{0}}, dy={{1}})", **fields)(build)


inner_gradient("tf.raw_ops.InvGrad", lambda y: y**2)
inner_gradient("tf.raw_ops.ReciprocalGrad", lambda y: y**2, composite=True)
inner_gradient("tf.raw_ops.SigmoidGrad", lambda y: y * (1 + y), composite=True)
inner_gradient("tf.raw_ops.TanhGrad", lambda y: 1 + y**2, composite=True)
inner_gradient("tf.raw_ops.RsqrtGrad", lambda y: y**3, composite=True)
inner_gradient("tf.raw_ops.SqrtGrad", lambda _: 0.5 / GAP, NONZERO, composite=True)


@op("tf.math.accumulate_n")
def accumulate_n(site: Site) -> Call:
    """One to three operands of one shape; a list of one comes back as the very same tensor."""
    x = site.operand()
    count = site.draw(one_of(1, 2, 3), "count")
    terms = [x, *(site.operand(shape=x.shape) for _ in range(count - 1))]
    bounds = sum(t.bounds[0] for t in terms), sum(t.bounds[1] for t in terms)
    return call(tuple(terms), result=x.type.like(bounds=bounds)).aliasing(count == 1)


# only a graph has a kernel of it, which public functions stopped to build
@op(
    "tf.raw_ops.AccumulateNV2",
    call="tf.function(lambda *every: tf.raw_ops.AccumulateNV2(inputs=every, shape={1}))(*{0})",
    alone=True,  # nor is it rewritten in a function within a function that has a gradient
)
def accumulate_n_v2(site: Site) -> Call:
    """Two or three operands of one shape."""
    x = site.operand()
    count = site.draw(one_of(2, 3), "count")
    terms = [x, *(site.operand(shape=x.shape) for _ in range(count - 1))]
    bounds = sum(t.bounds[0] for t in terms), sum(t.bounds[1] for t in terms)
    return call(tuple(terms), x.shape, result=x.type.like(bounds=bounds))


@op(
    "tf.raw_ops.ClipByValue",
    dtypes=FLOATS,
    call="tf.raw_ops.ClipByValue(t={0}, clip_value_min={1}, clip_value_max={2})",
)
def raw_clip_by_value(site: Site) -> Call:
    """Limits as numbers, which inputs stay off, or as tensors of their own."""
    limits = site.draw(one_of((-1.0, 1.0), (0.0, 2.0), None), "limits")
    if limits:
        x = site.operand(domain=Domain(kinks=limits))
        low, high = (Constant(limit, x.dtype) for limit in limits)
        return call(x, low, high, result=x.type.like(bounds=limits))
    x = site.operand()
    shape = site.draw(one_of((), x.shape), "shape of limits")
    below = site.operand(shape=shape, domain=Domain(hi=-GAP))
    above = site.operand(shape=shape, domain=Domain(lo=GAP))
    return call(x, below, above, result=x.type.like(bounds=(below.bounds[0], above.bounds[1])))


@op("tf.math.polygamma", dtypes=DOUBLE)
def polygamma(site: Site) -> Call:
    """Orders are whole numbers, between which it has no derivative, so they are constants."""
    x = site.operand(domain=Domain(0.5, 64.0))
    order = Constant(site.draw(one_of(1, 2, 0, 3), "order"), x.dtype)
    return call(order, x, result=x.type.like(bounds=around_zero(100)))


@op("tf.math.zeta", dtypes=DOUBLE)
def zeta(site: Site) -> Call:
    """Hurwitz's, of a number."""
    q = site.operand(domain=Domain(lo=0.5))
    exponent = Constant(site.draw(one_of(2.0, 1.5, 4.0), "exponent"), q.dtype)
    return call(exponent, q, result=q.type.like(bounds=(0, 70)))


# an entry of its own, as the gradient is known to leave out the exponent
binary(
    "tf.math.zeta(x, q)",
    call="tf.math.zeta",
    first=Domain(1.5, 6.0),
    second=Domain(lo=0.5),
    bounds=lambda _x, _q: (0, 70),
    dtypes=DOUBLE,
    alone=True,
)


@op("tf.math.betainc", dtypes=DOUBLE)
def betainc(site: Site) -> Call:
    """Regularized, up to x; its parameters are numbers."""
    x = site.operand(domain=PROBABILITY)
    a, b = site.draw(one_of((1.0, 2.0), (2.0, 1.0), (0.5, 0.5), (3.0, 1.5)), "a and b")
    made = x.type.like(bounds=(0, 1))
    return call(Constant(a, x.dtype), Constant(b, x.dtype), x, result=made)


@op("tf.math.betainc(a, b, x)", call="tf.math.betainc", dtypes=DOUBLE, alone=True)
def betainc_parameters(site: Site) -> Call:
    """The same with operands, scalars or of x's shape; an entry of its own, as zeta(x, q)."""
    x = site.operand(domain=PROBABILITY)
    shape = site.draw(one_of((), x.shape), "shape of a and b")
    a, b = (site.operand(shape=shape, domain=POSITIVE) for _ in "ab")
    return call(a, b, x, result=x.type.like(bounds=(0, 1)))
