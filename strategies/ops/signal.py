"""Fourier transforms of ``tf.signal``."""

from __future__ import annotations

import math

from strategies.dtypes import COMPLEX, complex_of, real_part
from strategies.ops.choices import Keywords, has_elements, one_of
from strategies.ops.site import Site
from strategies.ops.spec import Call, around_zero, call, op
from strategies.shapes import Shape

REAL = ("float64", "float32")


def _transform(name: str, axes: int) -> None:
    def build(site: Site) -> Call:
        x = site.operand(min_rank=axes)
        size = math.prod(x.shape[-axes:])
        return call(x, result=x.type.like(bounds=around_zero(size * x.bound)))

    op(name, dtypes=COMPLEX)(build)


def _given(site: Site, sides: Shape, fewer: bool) -> tuple[Keywords, Shape]:  # noqa: FBT001 - a fact
    """How many elements are transformed along each axis: all, or more, after zeros, or fewer."""
    more = tuple(side + 1 for side in sides)
    less = tuple(max(side - 1, 1) for side in sides)
    lengths = less if fewer else site.draw(one_of(None, sides, more), "fft_length")
    return ({"fft_length": lengths}, lengths) if lengths else ({}, sides)


def _real_transform(name: str, axes: int, *, fewer: bool = False) -> None:
    def build(site: Site) -> Call:
        x = site.operand(min_rank=axes, fits=has_elements)
        named, lengths = _given(site, x.shape[-axes:], fewer)
        # half of the last axis is left out, as it is the other half conjugated
        shape = (*x.shape[:-axes], *lengths[:-1], lengths[-1] // 2 + 1)
        made = x.type.like(shape, around_zero(x.size * x.bound), complex_of(x.dtype))
        return call(x, **named, result=made)

    op(name, call=name.partition("(")[0], dtypes=REAL, alone=fewer)(build)


def _is_half(shape: Shape) -> bool:
    return has_elements(shape) and shape[-1] > 1  # of one element nothing is left to transform


def _inverse_real_transform(name: str, axes: int, *, fewer: bool = False) -> None:
    def build(site: Site) -> Call:
        x = site.operand(min_rank=axes, fits=_is_half)
        named, lengths = _given(site, (*x.shape[-axes:-1], 2 * (x.shape[-1] - 1)), fewer)
        shape = (*x.shape[:-axes], *lengths)
        made = x.type.like(shape, around_zero(2 * x.size * x.bound), real_part(x.dtype))
        return call(x, **named, result=made)

    op(name, call=name.partition("(")[0], dtypes=COMPLEX, alone=fewer)(build)


for _axes, _suffix in ((1, ""), (2, "2d"), (3, "3d")):
    _transform(f"tf.signal.fft{_suffix}", _axes)
    _transform(f"tf.signal.ifft{_suffix}", _axes)
    _real_transform(f"tf.signal.rfft{_suffix}", _axes)
    _inverse_real_transform(f"tf.signal.irfft{_suffix}", _axes)

# entries of their own, as the gradients are known to forget what is left out
for _axes, _suffix in ((1, ""), (2, "2d")):
    _real_transform(f"tf.signal.rfft{_suffix}(fewer)", _axes, fewer=True)
    _inverse_real_transform(f"tf.signal.irfft{_suffix}(fewer)", _axes, fewer=True)
