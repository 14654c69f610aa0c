"""What is known of a tensor before anything has run: dtype, shape and bounds of its elements."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from strategies import dtypes
from strategies.shapes import Shape
from strategies.values import REACH, Domain, Interval, rounded_out


@dataclass(frozen=True)
class TensorType:
    """dtype, static shape, and an interval that holds every element (its modulus, if complex)."""

    dtype: str
    shape: Shape
    bounds: Interval = (-REACH, REACH)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def bound(self) -> float:
        """A number that no element exceeds in absolute value."""
        return max(abs(self.bounds[0]), abs(self.bounds[1]))

    def like(
        self, shape: Shape | None = None, bounds: Interval | None = None, dtype: str | None = None
    ) -> TensorType:
        """The same type but for what is given; bounds are widened outwards to multiples of 1/64."""
        return replace(
            self,
            shape=self.shape if shape is None else tuple(shape),
            bounds=self.bounds if bounds is None else rounded_out(*bounds),
            dtype=self.dtype if dtype is None else dtype,
        )


@dataclass(frozen=True)
class Indices:
    """The numbers of an integer or bool input: ``lo`` to ``hi``, each once only if ``distinct``."""

    lo: int
    hi: int
    distinct: bool = False


@dataclass(frozen=True)
class Input:
    """A tensor that a graph takes: its type and the numbers that it may hold."""

    type: TensorType
    domain: Domain | Indices


@dataclass(frozen=True)
class Value:
    """A tensor inside a graph under construction: an input or a result, and its type."""

    index: int
    type: TensorType

    @property
    def dtype(self) -> str:
        """The dtype's TensorFlow name."""
        return self.type.dtype

    @property
    def shape(self) -> Shape:
        """The static shape."""
        return self.type.shape

    @property
    def rank(self) -> int:
        """The number of axes."""
        return self.type.rank

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.type.size

    @property
    def bounds(self) -> Interval:
        """An interval that holds every element (its modulus, if complex)."""
        return self.type.bounds

    @property
    def bound(self) -> float:
        """A number that no element exceeds in absolute value."""
        return self.type.bound

    @property
    def is_complex(self) -> bool:
        """Whether elements are complex numbers."""
        return dtypes.is_complex(self.dtype)
