"""Ops of ``tf.image``: colours, and images of another size.

Most kernels give float32 whatever they are given; what they are given is drawn in half precision
and float32, so that an oracle runs the same kernels.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import FLOATS
from strategies.graphs import Argument
from strategies.ops.choices import has_elements, keywords, one_of
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, around_zero, call, op
from strategies.ops.windows import is_filled
from strategies.shapes import Shape
from strategies.tensors import Value
from strategies.values import GAP, Domain

SINGLE = ("float32", "float16", "bfloat16")
COLOUR = Domain(GAP, 4.0)
INSIDE = Domain(1 / 16, 15 / 16)
IMAGES = ((1, 1, 1, 1), (1, 2, 2, 1), (1, 3, 2, 1), (2, 2, 3, 1), (1, 4, 3, 2), (2, 1, 4, 2))


def _is_colour(shape: Shape) -> bool:
    return has_elements(shape) and shape[-1] == 3  # noqa: PLR2004 - red, green and blue


@op("tf.image.rgb_to_hsv", dtypes=FLOATS, ties=True)
def rgb_to_hsv(site: Site) -> Call:
    """Hue, saturation and value of colours; no smooth functions of greys."""
    x = site.operand(min_rank=1, domain=COLOUR, fits=_is_colour)
    return call(x, result=x.type.like(bounds=(0.0, max(1.0, x.bounds[1]))))


# by themselves, as they have no gradient
@op("tf.image.hsv_to_rgb", dtypes=FLOATS, alone=True)
def hsv_to_rgb(site: Site) -> Call:
    """Colours of a hue, a saturation and a value."""
    x = site.operand(min_rank=1, domain=INSIDE, fits=_is_colour)
    return call(x, result=x.type.like(bounds=(0.0, x.bounds[1])))


def adjusting(name: str, *amounts: float) -> Op:
    """Register a change of all colours of an image by an amount."""

    def build(site: Site) -> Call:
        x = site.operand(min_rank=3, domain=INSIDE, fits=_is_colour)
        amount = site.draw(one_of(*amounts), "amount")
        return call(x, amount, result=x.type.like(bounds=(0.0, x.bounds[1])))

    return op(name, dtypes=("float32", "bfloat16"), ties=True, alone=True)(build)


adjusting("tf.image.adjust_hue", 0.25, -0.5)
adjusting("tf.image.adjust_saturation", 0.5, 2.0, 0.0)


@op("tf.image.adjust_contrast", dtypes=("float32", "float16"), alone=True)
def adjust_contrast(site: Site) -> Call:
    """Further from the mean of each channel, or nearer; the factor may be differentiated too."""
    x = site.operand(min_rank=3, domain=INSIDE, fits=has_elements)
    factor = site.operand(shape=(), domain=Domain(-2.0, 2.0), dtype="float32")
    bounds = around_zero(2 * x.bound * (1 + factor.bound))
    return call(x, factor, result=x.type.like(bounds=bounds))


@cache
def _sizes(rows: int, columns: int, *, same: bool) -> st.SearchStrategy[Shape]:
    """Sizes that shrink and grow an image, one axis or both, or keep it."""
    sides = ((2, 3), (1, 1), (rows, 5), (2 * rows, 2 * columns), (3, 2), (4, 4), (rows, columns))
    return st.sampled_from([s for s in sides if same or s != (rows, columns)])


def _image(site: Site) -> Value:
    return site.operand(min_rank=4, max_rank=4, fits=is_filled, fresh=IMAGES)


def _resized(x: Value, size: Shape, *, single: bool = True) -> Any:
    """What comes out: some methods overshoot."""
    shape = (x.shape[0], *size, x.shape[-1])
    return x.type.like(shape, around_zero(4 * x.bound), "float32" if single else None)


METHODS = (
    "bilinear",
    "bicubic",
    "area",
    "lanczos3",
    "lanczos5",
    "gaussian",
    "mitchellcubic",
)


@op("tf.image.resize", dtypes=SINGLE)
def resize(site: Site) -> Call:
    """Another size by one of the methods that interpolate; the same size gives the same tensor."""
    x = _image(site)
    size = site.draw(_sizes(*x.shape[1:3], same=False), "size")
    named = site.draw(keywords("method", METHODS), "method")
    smooth = site.draw(keywords("antialias", (True, False)), "antialias")
    return call(x, size, **named, **smooth, result=_resized(x, size))


def resizing(name: str, **fields: Any) -> Op:
    """Register a kernel that resizes, with its conventions for where pixels are."""
    single = "float64" not in fields["dtypes"]

    def build(site: Site) -> Call:
        x = _image(site)
        size = site.draw(_sizes(*x.shape[1:3], same=True), "size")
        flags = site.draw(_CONVENTIONS, "conventions")
        return call(images=x, size=size, **flags, result=_resized(x, size, single=single))

    return op(name, **fields)(build)


_CONVENTIONS = st.sampled_from([{}, {"align_corners": True}, {"half_pixel_centers": True}])

resizing("tf.raw_ops.ResizeBilinear", dtypes=SINGLE)
resizing("tf.raw_ops.ResizeBicubic", dtypes=SINGLE)
resizing("tf.raw_ops.ResizeNearestNeighbor", dtypes=FLOATS)

KERNELS = ("triangle", "box", "lanczos1", "keyscubic", "gaussian")


@op("tf.raw_ops.ScaleAndTranslate", dtypes=SINGLE)
def scale_and_translate(site: Site) -> Call:
    """A scaled and shifted image, sampled by a kernel."""
    x = _image(site)
    size = site.draw(_sizes(*x.shape[1:3], same=True), "size")
    scale = site.draw(one_of((1.0, 1.0), (2.0, 1.5), (0.5, 0.75)), "scale")
    shift = site.draw(one_of((0.0, 0.0), (0.5, -0.25), (-1.0, 1.0)), "translation")
    kernel = site.draw(keywords("kernel_type", KERNELS), "kernel_type")
    smooth = site.draw(keywords("antialias", (True, False)), "antialias")
    moved = {"scale": scale, "translation": shift, **kernel, **smooth}
    return call(images=x, size=size, **moved, result=_resized(x, size))


@cache
def _corners(rows: int, columns: int) -> st.SearchStrategy[Domain]:
    """Where boxes lie: between the first pixels, or the last ones, as on a pixel there is a kink.

    There also lies what is read inside of a box, whatever its size.
    """
    steps = max(rows - 1, columns - 1, 1)
    near, far = 1 / 8 / steps, 7 / 8 / steps
    return one_of(Domain(near, far), Domain(1 - far, 1 - near))


@op("tf.image.crop_and_resize", dtypes=("float32",))
def crop_and_resize(site: Site) -> Call:
    """Boxes cut out of images and resized; differentiable in the boxes too."""
    return _cropped(site)


# an entry of its own, as the boxes get the gradient of the other method
@op(
    "tf.image.crop_and_resize(nearest)",
    call="tf.image.crop_and_resize",
    dtypes=("float32",),
    alone=True,
    rough="what the boxes get is at fault: the images alone decide, in single precision",
)
def crop_and_resize_nearest(site: Site) -> Call:
    """The nearest pixels of boxes, which do not change as the boxes move a little."""
    return _cropped(site, method="nearest")


def _cropped(site: Site, **named: Argument) -> Call:
    x = _image(site)
    count = site.draw(one_of(1, 2), "boxes")
    boxes = site.operand(shape=(count, 4), domain=site.draw(_corners(*x.shape[1:3]), "corner"))
    which = site.indices(((count,),), 0, x.shape[0] - 1, among=("int32",))
    size = site.draw(one_of((2, 2), (1, 1), (3, 2)), "crop_size")
    fill = site.draw(keywords("extrapolation_value", (1.5,)), "extrapolation_value")
    shape = (count, *size, x.shape[-1])
    result = x.type.like(shape, around_zero(max(x.bound, 1.5)))
    return call(x, boxes, which, size, **named, **fill, result=result)


LATTICE = (
    (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
    (1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0),
    (1.0, 0.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0),
    (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0),
)
"""The identity, two shifts by a pixel and an exchange of the axes: pixels go to pixels."""
BETWEEN = (
    (1.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0),
    (2.0, 0.0, 0.0, 0.0, 0.5, 0.25, 0.0, 0.0),
    (1.0, 0.25, 0.0, 0.0, 1.0, 0.0, 0.125, 0.0),
)
"""A shift by half a pixel, another scale, and a projection: they read between pixels."""


def projection(
    name: str,
    transforms: tuple[tuple[float, ...], ...],
    *,
    alone: bool = False,
    fills: tuple[str, ...] = (),
    **filled: Any,
) -> Op:
    """Register a projective transform of images.

    Args:
        name: the public name.
        transforms: the transforms.
        alone: as in :class:`Op`.
        fills: ways to fill what lies outside of the image with what lies inside, if it has them.
        **filled: the value outside of the image, where it can be given.
    """

    def build(site: Site) -> Call:
        x = _image(site)
        size = site.draw(_sizes(*x.shape[1:3], same=True), "output_shape")
        moves = site.draw(one_of(*transforms), "transform")
        # between pixels the kernel for float64 computes in float32
        methods = ("NEAREST",) if site.dtype == "float64" else ("NEAREST", "BILINEAR")
        method = site.draw(one_of(*methods), "interpolation")
        named = {"transforms": (moves,), "output_shape": size, **filled, "interpolation": method}
        if fills:
            named["fill_mode"] = site.draw(one_of(*fills), "fill_mode")
        shape = (x.shape[0], *size, x.shape[-1])
        bounds = min(x.bounds[0], 0.0), max(x.bounds[1], 0.0)
        return call(images=x, **named, result=x.type.like(shape, bounds))

    return op(name, call=name.partition("(")[0], dtypes=FLOATS, alone=alone)(build)


projection("tf.raw_ops.ImageProjectiveTransformV2", LATTICE)
projection("tf.raw_ops.ImageProjectiveTransformV3", LATTICE, fill_value=0.0)
# an entry of its own, as the registered gradient fills in, too, instead of adding up what was used
# for filling
projection(
    "tf.raw_ops.ImageProjectiveTransformV3(filled)",
    LATTICE,
    alone=True,
    fills=("NEAREST", "REFLECT", "WRAP"),
    fill_value=0.0,
)
# an entry of its own, as the registered gradient resamples along the inverse: that is the gradient
# where pixels go to pixels alone
projection(
    "tf.raw_ops.ImageProjectiveTransformV3(between pixels)", BETWEEN, alone=True, fill_value=0.0
)
