"""Reductions and running reductions of ``tf.math``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from strategies.dtypes import FLOATS, real_part
from strategies.ops.choices import (
    KEEPDIMS,
    given_axis,
    given_reduction,
    is_small,
    keywords,
    reduced,
)
from strategies.ops.math import NONZERO
from strategies.ops.nn import spread
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, around_zero, call, op
from strategies.shapes import Shape
from strategies.tensors import Value
from strategies.values import REAL, Domain, Interval

NEAR_ONE = Domain(-1.25, 1.25)
"""Where a product of 24 factors does not overflow float16."""

Bounds = Callable[[Value, int], Interval]
"""From the operand and the number of elements that each result is made of to its bounds."""


def _sum(x: Value, count: int) -> Interval:
    return x.bounds[0] * count, x.bounds[1] * count


def _product(x: Value, count: int) -> Interval:
    return around_zero(max(x.bound, 1.0) ** count)


def _running(of: Bounds) -> Bounds:
    """Bounds of what stands before the end too: all counts between none and all."""

    def bounds(x: Value, count: int) -> Interval:
        ends = of(x, 0) + of(x, 1) + of(x, count)
        return min(ends), max(ends)

    return bounds


def reduction(
    name: str,
    bounds: Bounds,
    *,
    least: int = 0,
    domain: Domain = REAL,
    fits: Callable[[Shape], bool] | None = None,
    **fields: Any,
) -> Op:
    """Register a reduction over one axis, several or all.

    Args:
        name: the public name.
        bounds: bounds of the result.
        least: how many elements at least each result must be made of.
        domain: where the operand must stand.
        fits: what its shape must satisfy.
        **fields: other fields of :class:`Op`.
    """

    def build(site: Site) -> Call:
        x = site.operand(domain=domain, fits=fits)
        axis, over = given_reduction(site, x.shape, least)
        keep = site.draw(KEEPDIMS, "keepdims")
        count = math.prod(x.shape[a] for a in over)
        shape = reduced(x.shape, over, keep=keep)
        return call(x, **axis, **keep, result=x.type.like(shape=shape, bounds=bounds(x, count)))

    return op(name, **fields)(build)


reduction("tf.math.reduce_sum", _sum)
reduction("tf.math.reduce_mean", lambda x, _: x.bounds, least=1)
reduction("tf.math.reduce_prod", _product, domain=NEAR_ONE, fits=is_small)
reduction("tf.math.reduce_max", lambda x, _: x.bounds, least=1, dtypes=FLOATS, ties=True)
reduction("tf.math.reduce_min", lambda x, _: x.bounds, least=1, dtypes=FLOATS, ties=True)
reduction(
    "tf.math.reduce_logsumexp",
    lambda x, count: (x.bounds[0], x.bounds[1] + math.log(count)),
    least=1,
    dtypes=FLOATS,
)
reduction(
    "tf.math.reduce_euclidean_norm",
    lambda x, count: (-x.bound if x.is_complex else 0, x.bound * math.sqrt(count)),
    domain=NONZERO,
)


@op("tf.math.reduce_variance")
def reduce_variance(site: Site) -> Call:
    """The variance, which is real also for complex numbers."""
    x = site.operand()
    axis, over = given_reduction(site, x.shape, 1)
    keep = site.draw(KEEPDIMS, "keepdims")
    shape = reduced(x.shape, over, keep=keep)
    kind = real_part(x.dtype)
    return call(x, **axis, **keep, result=x.type.like(shape, spread(x.bounds), kind))


def _has_two(shape: Shape) -> bool:
    return math.prod(shape) > 1


@op("tf.math.reduce_std")
def reduce_std(site: Site) -> Call:
    """The standard deviation of a fresh input: of equal numbers it has no derivative."""
    x = site.fresh(min_rank=1, fits=_has_two)
    axis, over = given_reduction(site, x.shape, 2)
    keep = site.draw(KEEPDIMS, "keepdims")
    shape = reduced(x.shape, over, keep=keep)
    kind = real_part(x.dtype)
    return call(x, **axis, **keep, result=x.type.like(shape, (0.0, x.bound), kind))


def cumulative(
    name: str, bounds: Bounds, *, domain: Domain = REAL, flags: tuple[str, ...], **fields: Any
) -> Op:
    """Register a running reduction along one axis, the first if none is named."""

    def build(site: Site) -> Call:
        x = site.operand(min_rank=1, domain=domain, fits=is_small)
        axis, at = given_axis(site, x.rank, "int32", "int64")
        named = {} if axis == 0 else {"axis": axis}
        for flag in flags:
            named |= site.draw(keywords(flag, (True, False)), flag)
        return call(x, **named, result=x.type.like(bounds=bounds(x, x.shape[at])))

    return op(name, **fields)(build)


BOTH = ("exclusive", "reverse")

cumulative("tf.math.cumsum", _running(_sum), flags=BOTH)
cumulative("tf.math.cumprod", _running(_product), domain=NEAR_ONE, flags=BOTH)
cumulative(
    "tf.math.cumulative_logsumexp",
    lambda x, count: (x.bounds[0], x.bounds[1] + math.log(max(count, 1))),
    flags=("reverse",),  # exclusive starts with the lowest number there is
    dtypes=FLOATS,
)
