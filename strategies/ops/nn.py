"""Activations, normalisation and losses of ``tf.nn``."""

from __future__ import annotations

import math
from functools import cache

from hypothesis import strategies as st

from strategies.dtypes import COMPLEX, FLOATS
from strategies.ops.choices import (
    KEEPDIMS,
    has_elements,
    keywords,
    one_of,
    optional_axis,
    reduced,
    reductions,
)
from strategies.ops.math import KINK_AT_ZERO, NONZERO
from strategies.ops.site import Site
from strategies.ops.spec import Call, around_zero, binary, call, even, op, rising, unary
from strategies.shapes import axes_of, axis_choices
from strategies.values import Domain, Interval

unary("tf.nn.relu", domain=KINK_AT_ZERO, bounds=rising(lambda x: max(x, 0.0)))
unary(
    "tf.nn.relu6",
    domain=Domain(kinks=(0.0, 6.0)),
    bounds=rising(lambda x: min(max(x, 0.0), 6.0)),
)
unary("tf.nn.elu", domain=KINK_AT_ZERO, bounds=lambda _lo, hi: (-1, max(hi, 0.0)))
unary("tf.nn.selu", domain=KINK_AT_ZERO, bounds=lambda _lo, hi: (-1.765, max(hi, 0.0) * 1.0625))
unary(
    "tf.nn.leaky_relu",
    domain=KINK_AT_ZERO,
    bounds=lambda lo, hi: (min(lo, 0.0), max(hi, 0.0)),
    kwargs=keywords("alpha", (0.5, 0.0)),
)
unary("tf.nn.softsign", domain=KINK_AT_ZERO, bounds=rising(lambda x: x / (1 + abs(x))))
unary(
    "tf.nn.silu",
    bounds=lambda _lo, hi: (-0.28125, max(hi, 0.0)),
    kwargs=keywords("beta", (1.0, 2.0)),
)
# an entry of its own, as the gradient of what is broadcast is known to have another shape
binary(
    "tf.nn.silu(x, beta)",
    call="tf.nn.silu",
    bounds=lambda x, _beta: around_zero(max(map(abs, x))),
    dtypes=FLOATS,
    alone=True,
)
unary(
    "tf.nn.gelu",
    bounds=lambda _lo, hi: (-0.1875, max(hi, 0.0)),
    kwargs=keywords("approximate", (True, False)),
)


@op("tf.nn.softmax", dtypes=FLOATS)
def softmax(site: Site) -> Call:
    """Along one axis, the last if none is named."""
    x = site.operand(min_rank=1, fits=has_elements)
    given, _ = site.draw(optional_axis(x.shape, -1), "axis")
    return call(x, **given, result=x.type.like(bounds=(0, 1)))


@op("tf.nn.log_softmax", dtypes=FLOATS)
def log_softmax(site: Site) -> Call:
    """Along one axis, the last if none is named."""
    x = site.operand(min_rank=1, fits=has_elements)
    given, axis = site.draw(optional_axis(x.shape, -1), "axis")
    least = x.bounds[0] - x.bounds[1] - math.log(x.shape[axis])
    return call(x, **given, result=x.type.like(bounds=(least, 0)))


@op(
    "tf.math.l2_normalize",
    rough="of a single number its gradient is zero: it answers the rounding of what cancels",
)
def l2_normalize(site: Site) -> Call:
    """To length one over one axis, several or all; never the zero vector."""
    x = site.operand(domain=NONZERO)
    axis, _ = site.draw(reductions(x.shape), "axis")
    small = site.draw(keywords("epsilon", (1e-6,)), "epsilon")
    return call(x, axis=axis, **small, result=x.type.like(bounds=(-1, 1)))


@op("tf.nn.moments", dtypes=FLOATS)
def moments(site: Site) -> Call:
    """Mean and variance."""
    x = site.operand(min_rank=1, fits=has_elements)
    axes = site.draw(_moment_axes(x.rank), "axes")
    keep = site.draw(KEEPDIMS, "keepdims")
    mean = x.type.like(shape=reduced(x.shape, axes_of(axes, x.rank), keep=keep))
    variance = mean.like(bounds=spread(x.bounds))
    return call(x, axes, **keep, result=[mean, variance])


@cache
def _moment_axes(rank: int) -> st.SearchStrategy[tuple[int, ...]]:
    """One axis or several, in a list; an empty list means all sides of 1 to the implementation."""
    return st.sampled_from([a for a in axis_choices(rank) if isinstance(a, tuple) and a])


def spread(bounds: Interval) -> Interval:
    """Bounds of a variance (Popoviciu): at most a quarter of the square of the range."""
    return 0.0, (bounds[1] - bounds[0]) ** 2 / 4


@op("tf.nn.bias_add", dtypes=FLOATS + COMPLEX)
def bias_add(site: Site) -> Call:
    """A vector added along the last axis, or along the second where data_format says so."""
    x = site.operand(min_rank=2)
    layouts = ("N...C", "NC...") if x.rank > 2 else ("N...C",)  # noqa: PLR2004 - batch, C, space
    layout = site.draw(keywords("data_format", layouts), "data_format")
    side = x.shape[1 if layout.get("data_format") == "NC..." else -1]
    bias = site.operand(shape=(side,))
    bounds = x.bounds[0] + bias.bounds[0], x.bounds[1] + bias.bounds[1]
    return call(x, bias, **layout, result=x.type.like(bounds=bounds))


@op("tf.nn.sigmoid_cross_entropy_with_logits", dtypes=FLOATS)
def sigmoid_cross_entropy(site: Site) -> Call:
    """Elementwise loss of labels and logits of one shape; differentiable in both."""
    logits = site.operand(domain=KINK_AT_ZERO)
    labels = site.operand(shape=logits.shape)
    most = logits.bound * (1 + labels.bound) + 1
    return call(labels=labels, logits=logits, result=logits.type.like(bounds=(-most, most)))


@op("tf.nn.l2_loss", dtypes=FLOATS)
def l2_loss(site: Site) -> Call:
    """Half the sum of squares."""
    x = site.operand()
    _, square = even(lambda v: v * v)(*x.bounds)
    return call(x, result=x.type.like(shape=(), bounds=(0, x.size * square / 2)))


@op("tf.nn.crelu", dtypes=FLOATS)
def crelu(site: Site) -> Call:
    """The positive and the negative part, one after the other along an axis."""
    x = site.operand(domain=KINK_AT_ZERO, min_rank=1)
    axis = site.draw(one_of(-1, 0), "axis")
    shape = list(x.shape)
    shape[axis] *= 2
    named = {} if axis == -1 else {"axis": axis}
    return call(x, **named, result=x.type.like(shape=tuple(shape), bounds=(0, x.bound)))
