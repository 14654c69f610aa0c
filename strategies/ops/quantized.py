"""Quantization, whose gradients are not derivatives, and samples, whose derivatives are implicit.

What is quantized changes by steps; its gradient is that of clipping, or of nothing at all, which is
the surrogate. Limits are chosen so that the steps lie at known places, as kinks, for a value there
may go one way in double precision and the other in a lower one.

A sample is no function of its parameters: at a fixed seed a sampler may reject and draw again. What
holds is that the sample keeps its place in its distribution: so the calls add the distribution
function at the sample, less the same number held fast, and what is added has the derivative zero.
"""

from __future__ import annotations

import math
from typing import Any

from strategies.graphs import Constant
from strategies.ops.choices import has_elements, keywords, one_of, optional_axis
from strategies.ops.math import HALVES, POSITIVE
from strategies.ops.site import Site
from strategies.ops.spec import Call, around_zero, call, op
from strategies.values import Domain

SINGLE = ("float32",)
"""The only dtype of the fake_quant kernels."""
LIMITS = ((-3.0, 3.0, 2, False), (-3.0, 4.0, 3, False), (-3.0, 3.0, 3, True), (-1.0, 2.0, 2, False))
"""Smallest, largest, bits, and whether the range is narrow; all of it exact in any dtype."""

Limits = tuple[float, float, int, bool]


def _moved(low: float, high: float, bits: int, narrow: bool) -> tuple[float, float, Domain]:  # noqa: FBT001 - a row of the table
    """The limits moved so that zero is a step, as documented; and where it is not smooth."""
    steps = 2**bits - 1 - narrow
    width = (high - low) / steps
    zero = math.floor(-low / width + 0.5)
    low, high = -zero * width, (steps - zero) * width
    return low, high, Domain(kinks=(low, high, *(low + (k + 0.5) * width for k in range(steps))))


@op(
    "tf.quantization.fake_quant_with_min_max_args",
    call="tf.quantization.fake_quant_with_min_max_args({0}, {1}, {2}, {3}, {4})",
    surrogate="tf.clip_by_value({0}, {5}, {6})",
    dtypes=SINGLE,
)
def fake_quant_args(site: Site) -> Call:
    """Within limits that are numbers."""
    limits = site.draw(one_of(*LIMITS), "limits")
    low, high, domain = _moved(*limits)
    x = site.operand(domain=domain)
    return call(x, *limits, low, high, result=x.type.like(bounds=(low, high)))


_HELD = "{0}, {1} - tf.stop_gradient({1}) + {3}, {2} - tf.stop_gradient({2}) + {4}, {5}, {6}"
"""Limits that have the gradients of two operands, and known values."""
_CLIPPED = "tf.where({0} < {7}, {1}, tf.where({0} > {8}, {2}, {0}))"


def _fake_quant_vars(name: str, *, per_channel: bool) -> None:
    def build(site: Site) -> Call:
        limits = site.draw(one_of(*LIMITS), "limits")
        low, high, domain = _moved(*limits)
        x = site.operand(domain=domain, min_rank=int(per_channel))
        shape = x.shape[-1:] if per_channel else ()
        a, b = site.operand(shape=shape), site.operand(shape=shape)
        return call(x, a, b, *limits, low, high, result=x.type.like(bounds=(low, high)))

    op(name, call=f"{name}({_HELD})", surrogate=_CLIPPED, dtypes=SINGLE)(build)


_fake_quant_vars("tf.quantization.fake_quant_with_min_max_vars", per_channel=False)
_fake_quant_vars("tf.quantization.fake_quant_with_min_max_vars_per_channel", per_channel=True)

_LIMITED = "{0}, {1}, {2}, num_bits=3, range_given=True"


def _quantize(name: str, call_: str, surrogate: str, least: int = 0) -> None:
    """From -3 to 3 with three bits, so in steps of one; without a range the steps are anywhere."""

    def build(site: Site) -> Call:
        x = site.operand(min_rank=least, domain=Domain(kinks=(-3.0, 3.0, *HALVES.kinks)))
        low, high = Constant(-3, x.dtype), Constant(3, x.dtype)
        return call(x, low, high, result=x.type.like(bounds=(-4, 4)))

    op(name, call=call_, surrogate=surrogate, dtypes=("float64", "float32"))(build)


_quantize(
    "tf.quantization.quantize_and_dequantize",
    f"tf.quantization.quantize_and_dequantize({_LIMITED})",
    "tf.identity({0})",
)
_quantize(
    "tf.quantization.quantize_and_dequantize_v2",
    f"tf.quantization.quantize_and_dequantize_v2({_LIMITED})",
    "tf.clip_by_value({0}, {1}, {2})",
)
_quantize(
    "tf.raw_ops.QuantizeAndDequantizeV3",
    "tf.raw_ops.QuantizeAndDequantizeV3(input={0}, input_min={1}, input_max={2}, num_bits=3)",
    "tf.identity({0})",
    least=1,
)


@op(
    "tf.raw_ops.QuantizeAndDequantizeV4Grad",
    call="tf.raw_ops.QuantizeAndDequantizeV4Grad("
    "gradients={0}, input={1}, input_min={2}, input_max={3})",
    dtypes=("float64", "float32"),
    alone=True,
)
def quantize_grad(site: Site) -> Call:
    """What comes back through the values within the limits, and the sums of what is without."""
    x = site.operand(domain=Domain(kinks=(-3.0, 3.0)))
    g = site.operand(shape=x.shape)
    low, high = Constant(-3, x.dtype), Constant(3, x.dtype)
    inside = g.type.like(bounds=around_zero(g.bound))
    outside = inside.like((), around_zero(g.bound * x.size))
    return call(g, x, low, high, result=[inside, outside, outside])


@op("tf.nn.isotonic_regression", dtypes=("float64", "float32"), ties=True, alone=True)
def isotonic_regression(site: Site) -> Call:
    """The nearest sequence that never rises, or never falls, and the numbers of its plateaus."""
    x = site.operand(min_rank=1, fits=has_elements)
    named, axis = site.draw(optional_axis(x.shape, -1), "axis")
    order = site.draw(keywords("decreasing", (False, True)), "decreasing")
    places = x.type.like(bounds=(0, x.shape[axis] - 1), dtype="int32")
    return call(x, **order, **named, result=[x.type, places])


@op("tf.fill")
def fill(site: Site) -> Call:
    """A tensor of one number."""
    shape = site.draw(one_of((), (2,), (1,), (2, 3), (0,), (2, 1, 2)), "dims")
    dtype = site.draw(one_of(None, "int32", "int64"), "dims given as") if shape else None
    value = site.operand(shape=())
    return call(
        Constant(shape, dtype) if dtype else shape, value, result=value.type.like(shape=shape)
    )


_GAMMA = "tf.math.igamma({0}, sample)"
_KEPT = "(lambda sample: {{0}} + {place} - tf.stop_gradient({place}))({sample})"


def _gamma(name: str, sample: str, **fields: Any) -> None:
    def build(site: Site) -> Call:
        shape = site.operand(domain=POSITIVE, fits=has_elements)
        return call(shape, site.draw(one_of(1, 2, 3), "seed"), result=shape.type)

    op(
        name,
        call=_KEPT.format(place=_GAMMA, sample=sample),
        dtypes=("float64", "float32"),
        **fields,
    )(build)


# each call has a sample of its own, and so other last bits
_gamma("tf.random.gamma", "tf.random.gamma([], {0}, dtype={0}.dtype, seed={1})", alone=True)
_gamma(
    "tf.random.stateless_gamma",
    "tf.random.stateless_gamma(tf.shape({0}), [{1}, 7], {0}, dtype={0}.dtype)",
)
_gamma(
    "tf.raw_ops.StatelessRandomGammaV2",
    "tf.raw_ops.StatelessRandomGammaV2(shape=tf.shape({0}), seed=[{1}, 7], alpha={0})",
)
_gamma(
    "tf.raw_ops.StatelessRandomGammaV3",
    "tf.raw_ops.StatelessRandomGammaV3(shape=tf.shape({0}), key=tf.constant([{1}], tf.uint64),"
    " counter=tf.constant([{1}, 7], tf.uint64), alg=1, alpha={0})",
    since=(2, 12),
)


def _below(number: str) -> str:
    return f"tf.math.erf(({number} - mean) / deviation * 0.5 ** 0.5)"


_BETWEEN = f"({_below('sample')} - {_below('low')}) / ({_below('high')} - {_below('low')})"
_TRUNCATED = (
    f"(lambda sample, mean, deviation, low, high: {{0}} + {{1}} + {_BETWEEN} "
    f"- tf.stop_gradient({_BETWEEN}))(tf.random.stateless_parameterized_truncated_normal("
    "{4}, [{5}, 7], %(four)s), %(four)s)"
)


def _truncated(
    name: str,
    four: str,
    first: Domain,
    second: Domain,
    rest: tuple[float, float],
    **fields: Any,
) -> None:
    """Two of mean, deviation and limits are operands and two are numbers."""

    def build(site: Site) -> Call:
        x = site.operand(domain=first, fits=has_elements)
        y = site.operand(shape=site.draw(one_of((), x.shape), "shape"), domain=second)
        numbers = (Constant(number, x.dtype) for number in rest)
        seed = site.draw(one_of(1, 2, 3), "seed")
        made = x.type.like(bounds=around_zero(x.bound + y.bound))
        return call(x, y, *numbers, x.shape, seed, result=made)

    text = _TRUNCATED % {"four": four}
    op(name, call=text, dtypes=("float64", "float32"), **fields)(build)


_truncated(
    "tf.random.stateless_parameterized_truncated_normal",
    "{2}, {3}, {0}, {1}",
    Domain(-4.0, -0.5),
    Domain(1.0, 4.0),
    (0.5, 2.0),
)
# an entry of its own, as the gradient is known to be wrong there
_truncated(
    "tf.random.stateless_parameterized_truncated_normal(means, stddevs)",
    "{0}, {1}, {2}, {3}",
    Domain(-1.0, 1.0),
    Domain(0.5, 2.0),
    (-2.0, 3.0),
    alone=True,
)
