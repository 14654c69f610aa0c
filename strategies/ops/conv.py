"""Convolutions of ``tf.nn`` and, as ops by themselves, the gradients of convolutions.

Kernels for a CPU want the channels last and one group of them, and no gradient of a window with
gaps but in float32; dilations are drawn where Python code makes up for it, and once to see.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.ops.choices import FLAG, SELDOM, one_of
from strategies.ops.linalg import contraction
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, call, op
from strategies.ops.windows import (
    KINDS,
    SMALL,
    VOLUME,
    Sliding,
    around,
    images,
    is_filled,
    is_image,
    misfits,
    slidings,
)
from strategies.shapes import Shape
from strategies.tensors import Value

OUT = (1, 2)
"""Channels that come out; for depthwise convolutions how many each channel becomes."""


def _image(site: Site, rank: int, *, empty: bool = True) -> Value:
    """Images for a convolution: an empty batch only in double precision.

    In float32 the result for an empty batch has the wrong number of channels (2.21).
    """
    axes = rank + 2
    if empty and site.dtype == "float64":
        return site.operand(
            min_rank=axes, max_rank=axes, domain=SMALL, fits=is_image, fresh=images(rank)
        )
    fresh = images(rank)[:-1]
    return site.operand(min_rank=axes, max_rank=axes, domain=SMALL, fits=is_filled, fresh=fresh)


def _convolved(x: Value, f: Value, how: Sliding, channels: int) -> Any:
    """The type of a convolution, with bounds for as many terms as each element sums."""
    terms = how.elements * f.shape[-2]
    return x.type.like((x.shape[0], *how.shape, channels), contraction(terms, x, f))


def _strides(how: Sliding) -> Any:
    """One number where all are equal, as a list is as good."""
    return how.strides[0] if len(set(how.strides)) == 1 else how.strides


def convolution(
    name: str,
    rank: int,
    strides: Callable[[Sliding], Any],
    *,
    explicit: bool = False,
    gaps: bool = False,
) -> None:
    """Register a convolution of an image with a filter, and the same in bfloat16 as one by itself.

    Args:
        name: the public name.
        rank: the number of spatial axes.
        strides: how the strides are given.
        explicit: whether it takes a padding in numbers.
        gaps: whether it takes dilations.
    """

    def build(site: Site) -> Call:
        x = _image(site, rank)
        dilated = gaps and site.draw(SELDOM, "dilated")
        ways = slidings(x.shape[1:-1], dilated=dilated, explicit=explicit, overlaps=rank == VOLUME)
        how = site.draw(ways, "window")
        channels = site.draw(one_of(*OUT), "channels")
        f = site.operand(shape=(*how.sides, x.shape[-1], channels), domain=SMALL)
        named = {"dilations": how.dilations} if dilated else {}
        padding = how.explicit
        return call(x, f, strides(how), padding, **named, result=_convolved(x, f, how, channels))

    op(name, dtypes=KINDS)(build)
    # before, kernels of gradients are missing in it, or answer without writing anything
    single = ("float32", "bfloat16")
    op(f"{name}(bfloat16)", call=name, since=(2, 11), dtypes=single, alone=True)(build)


convolution("tf.nn.conv1d", 1, _strides)
convolution("tf.nn.conv2d", 2, _strides, explicit=True, gaps=True)
convolution("tf.nn.conv3d", VOLUME, lambda how: around(how.strides))


def _is_centred(how: Sliding) -> bool:
    """Whether steps are longer than the window by two, and both ends are padded for it."""
    gaps = (step - side for step, side in zip(how.strides, how.sides, strict=True))
    return how.padding == "SAME" and max(gaps) > 1


@cache
def _long_steps(spatial: Shape, *, centred: bool) -> st.SearchStrategy[Sliding]:
    return slidings(spatial).filter(lambda how: _is_centred(how) == centred)


def volumes(name: str, *, centred: bool) -> Op:
    """Register the op whose steps may be longer than the window, as no other of volumes does."""

    def build(site: Site) -> Call:
        x = _image(site, VOLUME)
        how = site.draw(_long_steps(x.shape[1:-1], centred=centred), "window")
        channels = site.draw(one_of(*OUT), "channels")
        f = site.operand(shape=(*how.sides, x.shape[-1], channels), domain=SMALL)
        result = _convolved(x, f, how, channels)
        named = {"strides": around(how.strides), "padding": how.padding}
        return call(input=x, filter=f, **named, result=result)

    return op(name, call="tf.raw_ops.Conv3D", dtypes=KINDS, alone=centred)(build)


volumes("tf.raw_ops.Conv3D", centred=False)
# an entry of its own, as value and gradients are known to place such windows differently
volumes("tf.raw_ops.Conv3D(centred)", centred=True)


@op("tf.nn.convolution", dtypes=KINDS)
def any_convolution(site: Site) -> Call:
    """One to three spatial axes; strides and dilations may be left out."""
    rank = site.draw(one_of(2, 1, 3), "spatial axes")
    x = _image(site, rank)
    dilated = site.draw(FLAG, "dilated")
    ways = slidings(x.shape[1:-1], dilated=dilated, overlaps=rank == VOLUME)
    how = site.draw(ways, "window")
    channels = site.draw(one_of(*OUT), "channels")
    f = site.operand(shape=(*how.sides, x.shape[-1], channels), domain=SMALL)
    named: dict[str, Any] = {"dilations": how.dilations} if dilated else {}
    if set(how.strides) != {1}:
        named["strides"] = how.strides
    result = _convolved(x, f, how, channels)
    return call(x, f, padding=how.padding, **named, result=result)


def without_place(name: str, rank: int, *, given: Callable[[Shape], Any] = lambda _: 1) -> Op:
    """Register a convolution in steps of one with a filter that is longer than the image.

    Args:
        name: the public name.
        rank: the number of spatial axes.
        given: how the strides are given.
    """

    def build(site: Site) -> Call:
        x = _image(site, rank, empty=False)
        how = site.draw(misfits(x.shape[1:-1]), "window")
        channels = site.draw(one_of(*OUT), "channels")
        f = site.operand(shape=(*how.sides, x.shape[-1], channels), domain=SMALL)
        many = channels * x.shape[-1] if "depthwise" in name else channels
        shape = (x.shape[0], *how.shape, many)
        return call(x, f, given(how.strides), how.padding, result=x.type.like(shape, (0, 0)))

    return op(f"{name}(no place)", call=name, dtypes=("float64",), alone=True)(build)


without_place("tf.nn.conv1d", 1)
without_place("tf.nn.conv2d", 2)
without_place("tf.nn.conv3d", VOLUME, given=around)
without_place("tf.nn.depthwise_conv2d", 2, given=around)


@op("tf.nn.depthwise_conv2d", dtypes=KINDS)
def depthwise(site: Site) -> Call:
    """Each channel by itself; strides are equal, as the kernels want.

    Of an empty batch the gradient of the filter is memory that nobody wrote: another each time.
    """
    x = _image(site, 2, empty=False)
    dilated = site.draw(FLAG, "dilated")
    how = site.draw(slidings(x.shape[1:-1], dilated=dilated, equal=True), "window")
    times = site.draw(one_of(*OUT), "multiplier")
    f = site.operand(shape=(*how.sides, x.shape[-1], times), domain=SMALL)
    named = {"dilations": how.dilations} if dilated else {}
    shape = (x.shape[0], *how.shape, x.shape[-1] * times)
    result = x.type.like(shape, contraction(how.elements, x, f))
    return call(x, f, around(how.strides), how.padding, **named, result=result)


def _planned(site: Site, rank: int, *, square: bool = False) -> tuple[Shape, Sliding, Shape, Shape]:
    """A convolution: the shapes of image, filter and result, and how the window slides."""
    most = None if site.dtype == "float64" and not square else -1  # as above
    image = site.draw(one_of(*images(rank)[:most]), "image")
    spatial = image[1:-1]
    how = site.draw(slidings(spatial, equal=square, overlaps=rank == VOLUME), "window")
    channels = site.draw(one_of(*OUT), "channels")
    out = channels * (image[-1] if square else 1)
    return image, how, (*how.sides, image[-1], channels), (image[0], *how.shape, out)


def transposed(name: str, rank: int) -> Op:
    """Register the convolution whose gradient with respect to the image is named transposed."""

    def build(site: Site) -> Call:
        image, how, kernel, shape = _planned(site, rank)
        g = site.operand(shape=shape, domain=SMALL)
        f = site.operand(shape=kernel, domain=SMALL)
        bounds = contraction(how.elements * kernel[-1], g, f)
        strides = around(how.strides) if rank == VOLUME else _strides(how)
        result = g.type.like(image, bounds)
        return call(g, f, image, strides, padding=how.padding, result=result)

    return op(name, dtypes=KINDS)(build)


transposed("tf.nn.conv1d_transpose", 1)
transposed("tf.nn.conv2d_transpose", 2)
transposed("tf.nn.conv3d_transpose", VOLUME)


def backprop_filter(name: str, rank: int, sizes: str, grad: str, *, square: bool = False) -> Op:
    """Register the gradient of a convolution with respect to its filter, an op by itself.

    Args:
        name: the public name.
        rank: the number of spatial axes.
        sizes: what it calls the shape of the filter.
        grad: what it calls the gradient of the result.
        square: whether it is depthwise, with equal strides.
    """

    def build(site: Site) -> Call:
        image, how, kernel, shape = _planned(site, rank, square=square)
        x = site.operand(shape=image, domain=SMALL)
        g = site.operand(shape=shape, domain=SMALL)
        named = {"input": x, sizes: kernel, grad: g, "strides": around(how.strides)}
        bounds = contraction(g.size // max(shape[-1], 1), x, g)
        return call(**named, padding=how.padding, result=x.type.like(kernel, bounds))

    return op(name, dtypes=KINDS)(build)


backprop_filter("tf.raw_ops.Conv2DBackpropFilter", 2, "filter_sizes", "out_backprop")
backprop_filter("tf.raw_ops.Conv3DBackpropFilterV2", VOLUME, "filter_sizes", "out_backprop")
backprop_filter(
    "tf.nn.depthwise_conv2d_backprop_filter", 2, "filter_sizes", "out_backprop", square=True
)


@op("tf.nn.depthwise_conv2d_backprop_input", dtypes=KINDS)
def depthwise_backprop_input(site: Site) -> Call:
    """The gradient of a depthwise convolution with respect to the image."""
    image, how, kernel, shape = _planned(site, 2, square=True)
    f = site.operand(shape=kernel, domain=SMALL)
    g = site.operand(shape=shape, domain=SMALL)
    bounds = contraction(how.elements * kernel[-1], f, g)
    strides = around(how.strides)
    return call(image, f, g, strides, how.padding, result=f.type.like(image, bounds))
