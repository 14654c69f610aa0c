"""The article's linear regression as a family of problems: what is drawn, printed and expected.

``loss = mean((y - (x @ w + b)) ** 2)`` over n rows and k features. Its gradients have a closed
form, so no gradient of TensorFlow's is needed to judge one.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from conformance.modes import MODES
from strategies import dtypes
from strategies.graphs import tensor_source
from strategies.shapes import Shape, shapes
from strategies.tensors import TensorType
from strategies.values import REAL, codes, decode, grid

Array = npt.NDArray[Any]

TENSORS: Final = ("x", "w", "b", "y")
BEFORE: Final = "before"
AFTER: Final = "after"
NEVER: Final = "never"
RATES: Final = (0.25, 0.01, 1.0, 0.1, 0.003)
POINTS: Final = 2
"""Drawn points that one trace serves."""
_WHOLE: Final = 9
"""The grid begins with the whole numbers from -4 to 4."""


@dataclass(frozen=True)
class Expected:
    """A gradient by the closed form.

    Attributes:
        value: in double precision.
        bound: how far TensorFlow may be from it by rounding, element by element.
    """

    value: Array
    bound: Array


@dataclass(frozen=True)
class Regression:
    """A problem, and when a tape is asked to watch each of its Tensors.

    Attributes:
        dtype: of everything.
        rows, features: the shape of x.
        rate: the learning rate, a Python float as in the article.
        points: numbers for x, w, b and y, once for each point.
        watched: for x, w, b and y: before the ops, after them, or never.
        unknown_rank: whether the open signature of the dynamic mode leaves even ranks unknown.
    """

    dtype: str
    rows: int
    features: int
    rate: float
    points: tuple[tuple[tuple[float, ...], ...], ...]
    watched: tuple[str, ...]
    unknown_rank: bool

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        sizes = (self.dtype, self.rows, self.features, self.rate)
        text = repr((sizes, self.points, self.watched, self.unknown_rank))
        return hashlib.sha256(text.encode()).digest()

    @cached_property
    def types(self) -> dict[str, TensorType]:
        """The types of x, w, b and y."""
        made = ((self.rows, self.features), (self.features, 1), (1,), (self.rows, 1))
        return {n: TensorType(self.dtype, s) for n, s in zip(TENSORS, made, strict=True)}

    def arrays(self, point: int) -> dict[str, Array]:
        """The numbers of a point in double precision; every dtype holds them exactly."""
        return {
            name: np.array(numbers, "float64").reshape(self.types[name].shape)
            for name, numbers in zip(TENSORS, self.points[point], strict=True)
        }

    def when(self, time: str) -> tuple[str, ...]:
        """The Tensors that are watched at a time."""
        return tuple(n for n, w in zip(TENSORS, self.watched, strict=True) if w == time)

    def recorded(self, *, whole: bool) -> frozenset[str]:
        """Those of x, w, b and y whose reading op is recorded; ``y_hat`` if the op that made it is.

        Args:
            whole: whether prediction and loss are one op each (a ``tf.function``); else the
                product, the sum and the difference are recorded each for itself.
        """
        early = set(self.when(BEFORE))
        product = bool(early & ({"x", "w", "b"} if whole else {"x", "w"}))
        prediction = product or "b" in early
        found = {"x": product, "w": product, "b": prediction, "y_hat": prediction}
        found["y"] = prediction or "y" in early
        return frozenset(name for name, is_recorded in found.items() if is_recorded)

    def source(self, scene: str = "example 1") -> str:
        """One of the article's examples with these numbers, or a variation; runs when pasted."""
        lines = ["import tensorflow as tf", ""]
        names = {"w": "weights", "b": "bias"}
        for (name, kind), numbers in zip(self.types.items(), self.points[0], strict=True):
            lines.append(f"{names.get(name, name)} = {tensor_source(kind, numbers)}")
        before, after = (", ".join(self.when(time)) for time in (BEFORE, AFTER))
        body = SCENES[scene].replace("BEFORE", before).replace("AFTER", after)
        return "\n".join(lines) + f"\nlearning_rate = {self.rate}\n{body}"


_FORWARD: Final = """\
    y_hat = tf.matmul(x, w) + b
    loss = tf.reduce_mean(tf.square(y - y_hat))
"""
_VARIABLES: Final = "w, b = tf.Variable(weights), tf.Variable(bias)\n"
_TAPE: Final = "with tf.GradientTape() as tape:\n"
SCENES: Final = {
    "example 1": f"""\
{_VARIABLES}{_TAPE}{_FORWARD}dw, db = tape.gradient(loss, [w, b])
print(dw, db)
w.assign_sub(learning_rate * dw)
b.assign_sub(learning_rate * db)
print(w, b)
""",
    "example 2": f"""\
w, b = tf.constant(weights), tf.Variable(bias)
{_TAPE}{_FORWARD}dw, db = tape.gradient(loss, [w, b])
b.assign_sub(learning_rate * db)
print(dw.numpy())
print(b.numpy())
""",
    "example 3": f"""\
{_VARIABLES}{_TAPE}    tape.watch(x)
{_FORWARD}print(tape.gradient(loss, x))
""",
    "example 3, late": f"""\
{_VARIABLES}{_TAPE}{_FORWARD}    tape.watch(x)
print(tape.gradient(loss, x))
""",
    "all late": f"""\
w, b = weights, bias
{_TAPE}{_FORWARD}    tape.watch([x, w, b, y])
print(tape.gradient(loss, [x, w, b, y]))
""",
    "watching": f"""\
w, b = weights, bias
{_TAPE}    tape.watch([BEFORE])
{_FORWARD}    tape.watch([AFTER])
print(tape.gradient(loss, [x, w, b, y, y_hat]))
""",
    "context": f"""\
{_VARIABLES}early = tf.matmul(x, w) + b
with tf.GradientTape(persistent=True) as tape:
    inside = tf.matmul(x, w) + b
late = tf.matmul(x, w) + b
print([tape.gradient(y_hat, [w, b]) for y_hat in (early, inside, late)])
""",
    "sum": f"""\
{_VARIABLES}{_TAPE}    squares = tf.square(y - (tf.matmul(x, w) + b))
print(tape.gradient(squares, [w, b]))
""",
    "intermediate": f"{_VARIABLES}{_TAPE}{_FORWARD}print(tape.gradient(loss, y_hat))\n",
    "frozen": f"""\
w, b = tf.Variable(weights, trainable=False), tf.Variable(bias)
{_TAPE}{_FORWARD}print(tape.gradient(loss, w))
{_TAPE}    tape.watch(w)
{_FORWARD}print(tape.gradient(loss, w), w.trainable)
""",
    "constant": """\
print(tf.constant(weights) is weights)
with tf.GradientTape() as tape:
    tape.watch(weights)
    loss = tf.reduce_mean(tf.square(y - (tf.matmul(x, tf.constant(weights)) + bias)))
print(tape.gradient(loss, weights))
""",
}
"""What follows the numbers of a case: the article's examples, and what its other claims concern."""


def _has_features(shape: Shape) -> bool:
    return shape[1] > 0


_TIMES: Final = tuple(
    times
    for times in itertools.product((BEFORE, NEVER, AFTER), repeat=len(TENSORS))
    if BEFORE in times and NEVER in times
)
_TYPES: Final = ("float64", "float32", "float32", "float64", "float16", "bfloat16")


@st.composite
def regressions(draw: Callable[..., Any], subject: str, mode: str) -> Regression:  # noqa: ARG001
    """Problems of any size, now and then of no rows; shrinks to one row of one feature.

    The lower precisions get whole numbers, so that their sums are mostly exact.
    """
    shape = draw(shapes(min_rank=2, max_rank=2, max_size=12, fits=_has_features), "rows, features")
    dtype = draw(st.sampled_from(_TYPES), "dtype")
    rate = draw(st.sampled_from(RATES), "learning rate")
    watched = draw(st.sampled_from(_TIMES), "when x, w, b and y are watched")
    unknown_rank = draw(st.booleans(), "unknown rank")
    sizes = (math.prod(shape), shape[1], 1, shape[0])
    low = dtype in ("float16", "bfloat16")
    numbers = grid(REAL)[:_WHOLE] if low else grid(REAL)
    points = []
    for _ in range(POINTS if MODES[mode].traced else 1):
        code, taken = draw(codes(sum(sizes)), "numbers"), set[float]()
        flat = iter(decode(code, numbers, taken))
        points.append(tuple(tuple(next(flat) for _ in range(size)) for size in sizes))
    rows, features = shape
    return Regression(dtype, rows, features, rate, tuple(points), watched, unknown_rank)


def _quantum(array: Array) -> float:
    """The largest power of two of which all of these multiples of 1/64 are multiples."""
    found = np.abs(array[array != 0] * 64).astype(np.int64)
    return float((found & -found).min()) / 64 if found.size else math.inf


def closed_form(case: Regression, point: int) -> dict[str, Expected]:
    """The gradients of the loss with respect to x, w, b, y and the prediction; and two sums.

    ``squares.w`` and ``squares.b`` are those of the sum of the squares, ``prediction.w`` and
    ``prediction.b`` those of the sum of the predictions.

    Every gradient is a sum of products such as ``2/n * x * x * w``. Let S be the sum of their
    absolute values and R the most roundings that any of them goes through. The forward pass rounds
    k + 1 times (a product and up to k - 1 sums, then the bias, then y); 1/n and its product round
    twice; x^T e rounds n times and the sum for b n - 1 times. A result is then off by at most
    R u / (1 - R u) S, with u half an epsilon (Higham, Accuracy and Stability of Numerical
    Algorithms, section 3.1); two roundings are added for what a compiler may reorder.

    Where all products are multiples of a quantum q, 1/n is exact, and S is no more than q / u, no
    partial sum in any order needs more bits than there are, and the bound is 0.
    """
    at = case.arrays(point)
    x, w, b, y = (at[name] for name in TENSORS)
    rows, features = case.rows, case.features
    residual, forward = x @ w + b - y, features + 2
    size = np.abs(x) @ np.abs(w) + np.abs(b) + np.abs(y)
    grain = min(_quantum(x) * _quantum(w), _quantum(b), _quantum(y))
    mean = 2 / rows if rows else 0.0
    exact_mean = rows in (1, 2, 4, 8)
    unit = dtypes.epsilon(case.dtype) / 2

    def expected(
        value: Array, most: Array, roundings: int, quantum: float, *, exact: bool
    ) -> Expected:
        if exact and (most <= quantum / unit).all():
            return Expected(value, np.zeros_like(most))
        gamma = (roundings + 2) * unit / (1 - (roundings + 2) * unit)
        return Expected(value, gamma * most + (roundings + 2) * dtypes.tiny(case.dtype))

    def of_mean(value: Array, most: Array, roundings: int, quantum: float = 1.0) -> Expected:
        quantum *= mean * grain if rows else 1.0
        return expected(
            mean * value, mean * most, forward + 2 + roundings, quantum, exact=exact_mean
        )

    def of_squares(value: Array, most: Array, quantum: float = 1.0) -> Expected:
        return expected(2 * value, 2 * most, forward + rows, quantum * 2 * grain, exact=True)

    ones, count = np.ones_like(y), np.full_like(b, rows)
    return {
        "x": of_mean(residual @ w.T, size @ np.abs(w.T), 1, _quantum(w)),
        "w": of_mean(x.T @ residual, np.abs(x.T) @ size, rows, _quantum(x)),
        "b": of_mean(residual.sum(axis=0), size.sum(axis=0), rows),
        "y": of_mean(-residual, size, 0),
        "y_hat": of_mean(residual, size, 0),
        "squares.w": of_squares(x.T @ residual, np.abs(x.T) @ size, _quantum(x)),
        "squares.b": of_squares(residual.sum(axis=0), size.sum(axis=0)),
        "prediction.w": expected(x.T @ ones, np.abs(x.T) @ ones, rows, _quantum(x), exact=True),
        "prediction.b": expected(count, count, rows, 1.0, exact=True),
    }
