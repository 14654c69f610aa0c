"""Pooling of ``tf.nn``, the largest elements, and the gradients of pooling as ops by themselves.

Kernels for a CPU want the channels last, and those for volumes have no double precision.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import FLOATS
from strategies.ops.choices import FLAG, has_elements, keywords, one_of
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, around_zero, call, op
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
from strategies.tensors import TensorType, Value
from strategies.values import Interval

SINGLE = ("float32", "bfloat16")
"""What kernels for volumes take."""


def _image(site: Site, rank: int, *, empty: bool = True) -> Value:
    """Images for pooling: an empty batch only in double precision.

    In float32 oneDNN's gradient of one kills the process, where a tf.function asks for it (2.21).
    """
    empty = empty and site.dtype == "float64"
    fresh = images(rank) if empty else images(rank)[:-1]
    fits = is_image if empty else is_filled
    return site.operand(min_rank=rank + 2, max_rank=rank + 2, domain=SMALL, fits=fits, fresh=fresh)


def _pooled(x: Value, how: Sliding, bounds: Interval | None = None) -> TensorType:
    return x.type.like((x.shape[0], *how.shape, x.shape[-1]), bounds)


def pooling(name: str, rank: int, *, explicit: bool = False, **fields: Any) -> Op:
    """Register pooling over windows.

    Args:
        name: the public name.
        rank: the number of spatial axes.
        explicit: whether it takes a padding in numbers.
        **fields: other fields of :class:`Op`.
    """
    averages = not fields.get("ties")

    def build(site: Site) -> Call:
        x = _image(site, rank)
        how = site.draw(slidings(x.shape[1:-1], explicit=explicit, empty=averages), "window")
        sides: Any = how.sides[0] if len(set(how.sides)) == 1 else how.sides
        return call(x, sides, how.strides, how.explicit, result=_pooled(x, how))

    return op(name, **{"dtypes": FLOATS, **fields})(build)


pooling("tf.nn.avg_pool1d", 1, dtypes=KINDS)
pooling("tf.nn.avg_pool2d", 2, dtypes=KINDS)
pooling("tf.nn.avg_pool3d", VOLUME, dtypes=SINGLE)
pooling("tf.nn.max_pool1d", 1, ties=True)
pooling("tf.nn.max_pool2d", 2, explicit=True, ties=True)
pooling("tf.nn.max_pool3d", VOLUME, dtypes=SINGLE, ties=True)


def without_place(name: str, rank: int) -> Op:
    """Register a maximum over windows of which not one fits into the image."""

    def build(site: Site) -> Call:
        x = _image(site, rank, empty=False)
        how = site.draw(misfits(x.shape[1:-1], 3), "window")
        return call(x, how.sides, how.strides, how.padding, result=_pooled(x, how))

    kinds = ("float64",)  # beside half precision an oracle runs float32, which ends the process
    return op(f"{name}(no place)", call=name, dtypes=kinds, ties=True, alone=True)(build)


without_place("tf.nn.max_pool1d", 1)
without_place("tf.nn.max_pool2d", 2)


@op("tf.nn.pool", dtypes=KINDS, ties=True)
def pool(site: Site) -> Call:
    """Either kind, over one or two spatial axes, in windows with gaps too."""
    kind = site.draw(one_of("AVG", "MAX"), "kind")
    x = _image(site, site.draw(one_of(2, 1), "spatial axes"), empty=False)
    dilated = site.draw(FLAG, "dilated")
    how = site.draw(slidings(x.shape[1:-1], dilated=dilated, overlaps=True), "window")
    named: dict[str, Any] = {"dilations": how.dilations} if dilated else {}
    if set(how.strides) != {1}:
        named["strides"] = how.strides
    # the maximum is one of what was added where a window with gaps is padded
    bounds = min(x.bounds[0], 0.0), max(x.bounds[1], 0.0)
    return call(x, how.sides, kind, padding=how.padding, **named, result=_pooled(x, how, bounds))


@op("tf.raw_ops.MaxPoolV2", dtypes=FLOATS, ties=True)
def max_pool_v2(site: Site) -> Call:
    """The window is given by tensors."""
    x = _image(site, 2)
    how = site.draw(slidings(x.shape[1:-1]), "window")
    named = {"ksize": around(how.sides), "strides": around(how.strides)}
    return call(input=x, **named, padding=how.padding, result=_pooled(x, how))


@op("tf.nn.max_pool_with_argmax", dtypes=FLOATS, ties=True)
def max_pool_with_argmax(site: Site) -> Call:
    """The maxima, and the places where they stand."""
    x = _image(site, 2, empty=False)
    how = site.draw(slidings(x.shape[1:-1]), "window")
    batch = site.draw(keywords("include_batch_in_index", (True, False)), "batch in index")
    kind = site.draw(keywords("output_dtype", ("int32",)), "output_dtype")
    result = _pooled(x, how)
    places = result.like(dtype=kind.get("output_dtype", "int64"), bounds=(0, x.size - 1))
    return call(x, how.sides, how.strides, how.padding, **batch, **kind, result=[result, places])


@cache
def _ratios(shape: Shape) -> st.SearchStrategy[tuple[float, Shape]]:
    """A ratio of both spatial sides, and the sides that come out."""
    return st.sampled_from(
        [(r, tuple(int(n / r) for n in shape)) for r in (1.0, 1.5, 2.0) if min(shape) >= r]
    )


def fractional(name: str, **fields: Any) -> Op:
    """Register pooling over windows of random sizes, the same for one seed."""

    def build(site: Site) -> Call:
        x = _image(site, 2, empty=False)
        ratio, sides = site.draw(_ratios(x.shape[1:-1]), "ratio")
        flags: dict[str, Any] = {}
        for flag in ("pseudo_random", "overlapping"):
            flags |= site.draw(keywords(flag, (True,)), flag)
        edges = [x.type.like((n + 1,), (0, 64), "int64") for n in sides]
        result = [x.type.like((x.shape[0], *sides, x.shape[-1])), *edges]
        return call(x, around_ratio(ratio), **flags, seed=7, result=result)

    return op(name, **{"dtypes": ("float64", "float32"), **fields})(build)


def around_ratio(ratio: float) -> tuple[float, ...]:
    """One ratio for each axis: 1 for batch and channels."""
    return (1.0, ratio, ratio, 1.0)


fractional("tf.nn.fractional_avg_pool")
fractional("tf.nn.fractional_max_pool", ties=True)


@op("tf.nn.dilation2d", dtypes=("float64", "float32"))
def dilation2d(site: Site) -> Call:
    """The largest sum of an image's element and that of a filter; a rounded sum may tie."""
    x = _image(site, 2)
    dilated = site.draw(FLAG, "dilated")
    how = site.draw(slidings(x.shape[1:-1], dilated=dilated, overlaps=True), "window")
    f = site.operand(shape=(*how.sides, x.shape[-1]), domain=SMALL)
    bounds = x.bounds[0] + f.bounds[0], x.bounds[1] + f.bounds[1]
    steps = around(how.strides), how.padding, "NHWC", around(how.dilations)
    return call(x, f, *steps, result=_pooled(x, how, bounds))


def _planned(site: Site, rank: int) -> tuple[Shape, Sliding, Shape]:
    """The shapes of an image and of what pooling gives, and how the window slides."""
    most = None if site.dtype == "float64" else -1  # as above
    image = site.draw(one_of(*images(rank)[:most]), "image")
    how = site.draw(slidings(image[1:-1]), "window")
    return image, how, (image[0], *how.shape, image[-1])


def average_gradient(name: str, rank: int, **fields: Any) -> Op:
    """Register the gradient of an average pooling, an op by itself."""

    def build(site: Site) -> Call:
        image, how, shape = _planned(site, rank)
        g = site.operand(shape=shape, domain=SMALL)
        named = {"ksize": around(how.sides), "strides": around(how.strides)}
        result = g.type.like(image, around_zero(g.bound * how.elements))
        return call(orig_input_shape=image, grad=g, **named, padding=how.padding, result=result)

    return op(name, **{"dtypes": FLOATS, **fields})(build)


average_gradient("tf.raw_ops.AvgPoolGrad", 2, dtypes=KINDS)
average_gradient("tf.raw_ops.AvgPool3DGrad", VOLUME, dtypes=SINGLE)


def maximum_gradient(name: str, of: str, rank: int, *, twice: bool = False, **fields: Any) -> Op:
    """Register the gradient of a maximum pooling, or the gradient of that.

    Args:
        name: the public name.
        of: the public name of the pooling, whose result it takes too.
        rank: the number of spatial axes.
        twice: whether it takes what has the shape of the image, and gives that of the result.
        **fields: other fields of :class:`Op`.
    """
    window = "ksize={2}, strides={3}, padding={4}"
    text = (
        f"{name}(orig_input={{0}}, orig_output={of}(input={{0}}, {window}), grad={{1}}, {window})"
    )

    def build(site: Site) -> Call:
        image, how, shape = _planned(site, rank)
        given, made = (image, shape) if twice else (shape, image)
        x = site.operand(shape=image, domain=SMALL)
        g = site.operand(shape=given, domain=SMALL)
        bounds = around_zero(g.bound * (1 if twice else how.elements))
        sides = around(how.sides), around(how.strides), how.padding
        return call(x, g, *sides, result=x.type.like(made, bounds))

    return op(name, **{"call": text, "dtypes": FLOATS, "ties": True, **fields})(build)


_POOL, _POOL_V2, _POOL_3D = (f"tf.raw_ops.{n}" for n in ("MaxPool", "MaxPoolV2", "MaxPool3D"))

maximum_gradient("tf.raw_ops.MaxPoolGrad", _POOL, 2)
maximum_gradient("tf.raw_ops.MaxPoolGradV2", _POOL_V2, 2)
maximum_gradient("tf.raw_ops.MaxPoolGradGrad", _POOL, 2, twice=True)
maximum_gradient("tf.raw_ops.MaxPool3DGrad", _POOL_3D, VOLUME, dtypes=SINGLE)
maximum_gradient("tf.raw_ops.MaxPool3DGradGrad", _POOL_3D, VOLUME, twice=True, dtypes=SINGLE)


@cache
def _places(side: int) -> st.SearchStrategy[int]:
    return st.sampled_from(range(side))


@op("tf.raw_ops.NthElement", dtypes=FLOATS, ties=True)
def nth_element(site: Site) -> Call:
    """The element of each row that comes at one place when they are sorted."""
    x = site.operand(min_rank=1, fits=has_elements)
    n = site.draw(_places(x.shape[-1]), "n")
    order = site.draw(keywords("reverse", (True, False)), "reverse")
    return call(input=x, n=n, **order, result=x.type.like(x.shape[:-1]))


@op(
    "tf.math.approx_max_k",
    dtypes=("float32", "float16", "bfloat16"),
    ties=True,
    since=(2, 13),
)
def approx_max_k(site: Site) -> Call:
    """The largest elements of each row: a CPU finds all of them. It has no approx_min_k."""
    x = site.operand(min_rank=1, fits=has_elements)
    k = site.draw(_places(x.shape[-1]), "k") + 1
    result = x.type.like((*x.shape[:-1], k))
    places = result.like(bounds=(0, x.shape[-1] - 1), dtype="int32")
    return call(x, k, result=[result, places])
