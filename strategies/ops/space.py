"""Ops that move elements between the space, the depth and the batch of images; and patches.

Kernels for a CPU want the channels last.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import COMPLEX, FLOATS
from strategies.graphs import Argument
from strategies.ops.choices import FLAG, forms, one_of
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, call, op
from strategies.ops.windows import (
    SMALL,
    Sliding,
    around,
    images,
    is_filled,
    is_image,
    slidings,
)
from strategies.shapes import Shape
from strategies.tensors import TensorType, Value

BLOCK = 2
"""The side of a block that becomes depth or batch."""


def _in_blocks(shape: Shape) -> bool:
    return is_image(shape) and not any(side % BLOCK for side in shape[1:3])


def _in_depth(shape: Shape) -> bool:
    return is_image(shape) and not shape[3] % BLOCK**2


_BLOCKS = ((1, 2, 2, 1), (1, 2, 4, 1), (2, 2, 2, 2), (0, 2, 2, 1))
_DEPTHS = ((1, 1, 1, 4), (1, 1, 2, 4), (2, 2, 1, 8), (0, 1, 1, 4))


@op("tf.nn.space_to_depth", dtypes=FLOATS + COMPLEX)
def space_to_depth(site: Site) -> Call:
    """The elements of a block become channels."""
    x = site.operand(min_rank=4, max_rank=4, fits=_in_blocks, fresh=_BLOCKS)
    batch, rows, columns, channels = x.shape
    shape = batch, rows // BLOCK, columns // BLOCK, channels * BLOCK**2
    return call(x, BLOCK, result=x.type.like(shape))


@op("tf.nn.depth_to_space", dtypes=FLOATS + COMPLEX)
def depth_to_space(site: Site) -> Call:
    """Channels become the elements of a block."""
    x = site.operand(min_rank=4, max_rank=4, fits=_in_depth, fresh=_DEPTHS)
    batch, rows, columns, channels = x.shape
    shape = batch, rows * BLOCK, columns * BLOCK, channels // BLOCK**2
    return call(x, BLOCK, result=x.type.like(shape))


Blocks = tuple[Shape, tuple[tuple[int, int], ...], Shape]
"""Sides of a block, how much is added to each axis or cut off, and the shape that comes out."""


@cache
def _batchings(shape: Shape, *, equal: bool) -> st.SearchStrategy[Blocks]:
    """Ways to move space to the batch, over all spatial axes or the first one alone."""
    rank = len(shape) - 2
    table: list[Blocks] = []
    for block in ((1,) * rank, (2,) * rank, (3,), (2,), (1, 2)[-rank:]):
        if equal and (len(block) != rank or len(set(block)) > 1):
            continue
        for front in (0, 1):
            sides = shape[1 : 1 + len(block)]
            pads = tuple((front, -(n + front) % b) for n, b in zip(sides, block, strict=True))
            inner = [(n + sum(p)) // b for n, p, b in zip(sides, pads, block, strict=True)]
            shaped = (shape[0] * math.prod(block), *inner, *shape[1 + len(block) :])
            table.append((block, pads, shaped))
    return st.sampled_from(list(dict.fromkeys(table)))


def _with_zeros(x: Value, shape: Shape) -> TensorType:
    return x.type.like(shape, (min(x.bounds[0], 0.0), max(x.bounds[1], 0.0)))


@cache
def _given(block: Shape) -> st.SearchStrategy[Argument]:
    return st.sampled_from(forms(block))


@op("tf.space_to_batch", dtypes=FLOATS)
def space_to_batch(site: Site) -> Call:
    """Blocks of one or two axes, padded where they do not fit."""
    rank = site.draw(one_of(1, 2), "spatial axes")
    x = site.operand(min_rank=rank + 2, max_rank=rank + 2, fits=is_filled, fresh=images(rank)[:-1])
    block, pads, shape = site.draw(_batchings(x.shape, equal=False), "block")
    given = site.draw(_given(block), "block given as")
    return call(x, given, pads, result=_with_zeros(x, shape))


@op("tf.raw_ops.SpaceToBatch", dtypes=FLOATS)
def old_space_to_batch(site: Site) -> Call:
    """Square blocks; their side is an attribute, and at least 2."""
    x = site.operand(min_rank=4, max_rank=4, fits=is_filled, fresh=images(2)[:-1])
    block, pads, shape = site.draw(_batchings(x.shape, equal=True).filter(_is_larger), "block")
    return call(input=x, paddings=pads, block_size=block[0], result=_with_zeros(x, shape))


def _is_larger(blocks: Blocks) -> bool:
    return blocks[0][0] > 1


_BATCHES = ((4, 1, 1, 1), (4, 2, 1, 2), (8, 1, 2, 1))


def _in_batches(shape: Shape) -> bool:
    return is_filled(shape) and not shape[0] % BLOCK**2


@cache
def _croppings(shape: Shape, axes: int) -> st.SearchStrategy[Blocks]:
    """Ways to move the batch to space, over so many axes."""
    block = (BLOCK,) * axes
    table: list[Blocks] = []
    for crop in ((0, 0), (1, 0), (0, 1)):
        inner = [n * BLOCK - sum(crop) for n in shape[1 : 1 + axes]]
        shaped = (shape[0] // BLOCK**axes, *inner, *shape[1 + axes :])
        table.append((block, (crop,) * axes, shaped))
    return st.sampled_from(table)


@op("tf.batch_to_space", dtypes=FLOATS)
def batch_to_space(site: Site) -> Call:
    """Blocks of one or two axes out of the batch, cropped."""
    x = site.operand(min_rank=4, max_rank=4, fits=_in_batches, fresh=_BATCHES)
    axes = site.draw(one_of(2, 1), "spatial axes")
    block, crops, shape = site.draw(_croppings(x.shape, axes), "crops")
    given = site.draw(_given(block), "block given as")
    return call(x, given, crops, result=x.type.like(shape))


@op("tf.raw_ops.BatchToSpace", dtypes=FLOATS)
def old_batch_to_space(site: Site) -> Call:
    """Square blocks; their side is an attribute."""
    x = site.operand(min_rank=4, max_rank=4, fits=_in_batches, fresh=_BATCHES)
    block, crops, shape = site.draw(_croppings(x.shape, 2), "crops")
    return call(input=x, crops=crops, block_size=block[0], result=x.type.like(shape))


def patches(name: str, rank: int, call_of: Any) -> Op:
    """Register the op that lays windows of an image side by side in the depth.

    Args:
        name: the public name.
        rank: the number of spatial axes.
        call_of: from the operand and the window to keyword arguments.
    """

    def build(site: Site) -> Call:
        axes = rank + 2
        x = site.operand(
            min_rank=axes, max_rank=axes, domain=SMALL, fits=is_filled, fresh=images(rank)[:-1]
        )
        dilated = rank == 2 and site.draw(FLAG, "dilated")  # noqa: PLR2004 - images
        how = site.draw(slidings(x.shape[1:-1], dilated=dilated), "window")
        shape = (x.shape[0], *how.shape, x.shape[-1] * how.elements)
        return call(**call_of(x, how), padding=how.padding, result=_with_zeros(x, shape))

    return op(name, dtypes=FLOATS)(build)


def _flat(x: Value, how: Sliding) -> dict[str, Any]:
    sides, strides, rates = map(around, (how.sides, how.strides, how.dilations))
    return {"images": x, "sizes": sides, "strides": strides, "rates": rates}


def _solid(x: Value, how: Sliding) -> dict[str, Any]:
    return {"input": x, "ksizes": around(how.sides), "strides": around(how.strides)}


patches("tf.image.extract_patches", 2, _flat)
patches("tf.raw_ops.ExtractVolumePatches", 3, _solid)
