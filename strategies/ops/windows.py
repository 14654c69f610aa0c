"""Windows that slide over images: what convolutions, pooling and patches have in common."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.shapes import Shape
from strategies.values import Domain

SMALL = Domain(-16.0, 16.0)
"""Where a sum of products of a window does not overflow float16."""

KINDS = ("float64", "float32", "float16")
"""What most kernels take. Not bfloat16: in 2.8 what convolutions and averages give in it comes out
as float32, and to 2.10 convolutions of volumes have no gradient in it."""
VOLUME = 3
"""Spatial axes of a volume."""

LARGEST_IMAGE = 64
"""Elements of an image that is taken from the graph; fresh ones have up to about 24."""


@dataclass(frozen=True)
class Sliding:
    """How a window slides over the spatial axes of an image.

    Attributes:
        sides: of the window, one for each spatial axis.
        strides: its steps.
        dilations: the steps inside of the window.
        padding: SAME, VALID, or what is added before and after each spatial axis.
        shape: the spatial axes of what comes out.
    """

    sides: Shape
    strides: Shape
    dilations: Shape
    padding: str | tuple[tuple[int, int], ...]
    shape: Shape

    @property
    def elements(self) -> int:
        """How many elements of a channel one window has."""
        return math.prod(self.sides)

    @property
    def explicit(self) -> Any:
        """The padding as functions of ``tf.nn`` take it, for channels last."""
        return self.padding if isinstance(self.padding, str) else ((0, 0), *self.padding, (0, 0))

    @property
    def named(self) -> dict[str, Any]:
        """The padding as raw ops take it: a word, and a flat list."""
        if isinstance(self.padding, str):
            return {"padding": self.padding}
        flat = tuple(number for pair in self.explicit for number in pair)
        return {"padding": "EXPLICIT", "explicit_paddings": flat}


def around(numbers: Shape) -> Shape:
    """One number for each axis of an image with the channels last: 1 for batch and channels."""
    return (1, *numbers, 1)


def _length(side: int, window: int, stride: int, padding: str | tuple[int, int]) -> int:
    """How often a window fits; negative where TensorFlow refuses."""
    if padding == "SAME":
        return -(-side // stride)
    added = 0 if isinstance(padding, str) else sum(padding)
    return (side + added - window + stride) // stride


PADS = ((1, 1), (1, 0), (0, 2))


@cache
def slidings(  # noqa: PLR0913 - all by keyword, and most left out
    spatial: Shape,
    *,
    dilated: bool = False,
    explicit: bool = False,
    equal: bool = False,
    overlaps: bool = False,
    empty: bool = False,
) -> st.SearchStrategy[Sliding]:
    """Windows that slide over these spatial axes, simplest first.

    Args:
        spatial: sides of the image.
        dilated: whether the window may have gaps; then it moves in steps of one.
        explicit: whether the padding may be given in numbers.
        equal: whether all strides must be equal.
        overlaps: whether no element may lie between windows, and a window with gaps not in the
            padding alone.
        empty: whether the window may find no place at all: see :func:`misfits`.
    """
    rank = len(spatial)
    windows = [(1,) * rank, (2,) * rank, (3,) * rank, (2, *(1,) * (rank - 1)), (1, 3, 2)[-rank:]]
    steps = [
        ((1,) * rank, (1,) * rank),
        ((2,) * rank, (1,) * rank),
        ((1, 2, 3)[-rank:], (1,) * rank),
    ]
    if dilated:
        steps = [((1,) * rank, (2,) * rank), ((1,) * rank, (1, 2, 1)[-rank:])]
    steps = [step for step in steps if not equal or len(set(step[0])) == 1]
    paddings: list[Any] = ["VALID"] if overlaps and dilated else ["VALID", "SAME"]
    if explicit:
        paddings += [(pad,) * rank for pad in PADS]
    table = []
    for sides, (strides, dilations) in itertools.product(dict.fromkeys(windows), steps):
        if not overlaps or all(s <= k for s, k in zip(strides, sides, strict=True)):
            reach = tuple((k - 1) * d + 1 for k, d in zip(sides, dilations, strict=True))
            for padding in paddings:
                each = (padding,) * rank if isinstance(padding, str) else padding
                pads = [0 if isinstance(p, str) else max(p) for p in each]
                shape = tuple(map(_length, spatial, reach, strides, each))
                # a window that lies in the padding alone has no maximum
                if min(shape) >= (not empty) and all(
                    p < k for p, k in zip(pads, sides, strict=True)
                ):
                    table.append(Sliding(sides, strides, dilations, padding, shape))
    return st.sampled_from(table)


@cache
def misfits(spatial: Shape, most: int = 1) -> st.SearchStrategy[Sliding]:
    """Windows that find no place, as they are too long along one axis or along all.

    There most gradient kernels return memory that nobody wrote, so ops with such windows have
    entries of their own. Some kill the process instead, which a run does not survive: those of
    convolutions in steps of more than one, of volumes in half precision (all versions), of maxima
    in float32 (2.21). They are left out.

    Args:
        spatial: sides of the image.
        most: the longest step.
    """
    rank = len(spatial)
    table = []
    for step, longer in itertools.product(range(1, most + 1), range(1, most + 1)):
        whole = tuple(side + longer for side in spatial)
        for sides in dict.fromkeys([whole, (whole[0], *(1,) * (rank - 1))]):
            shape = tuple(
                _length(n, window, step, "VALID") for n, window in zip(spatial, sides, strict=True)
            )
            if min(shape) == 0:
                table.append(Sliding(sides, (step,) * rank, (1,) * rank, "VALID", shape))
    return st.sampled_from(table)


_SIDES: tuple[tuple[Shape, ...], ...] = (
    ((1,), (3,), (4,), (2,)),
    ((1, 1), (2, 2), (3, 3), (4, 3), (1, 4)),
    ((1, 1, 1), (2, 2, 2), (3, 2, 2), (1, 2, 3)),
)


@cache
def images(rank: int, channels: tuple[int, ...] = (1, 2)) -> tuple[Shape, ...]:
    """Shapes of fresh images with this many spatial axes and the channels last, simplest first."""
    sides = _SIDES[rank - 1]
    full = [(batch, *s, c) for batch in (1, 2) for s in sides for c in channels]
    return (*full, (0, *sides[1], 1))


def is_image(shape: Shape) -> bool:
    """Whether there are elements in each image of the batch, and not too many."""
    return 0 not in shape[1:] and math.prod(shape) <= LARGEST_IMAGE


def is_filled(shape: Shape) -> bool:
    """Whether there are elements, and not too many."""
    return 0 < math.prod(shape) <= LARGEST_IMAGE
