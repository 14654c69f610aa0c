"""Tensors made of Python literals, with and without an explicit dtype, as sources of gradients."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hypothesis import strategies as st

from conformance.boundary import Gradient, raised_by_tensorflow, read, tensorflow
from conformance.contract import Cases, Unsupported
from conformance.modes import MODES, Mode
from conformance.reproduction import Claim, Page, raising
from strategies.shapes import Shape, shapes
from strategies.values import REAL, codes, decode, grid

KINDS = ("plain", "explicit", "whole")
"""Floats without a dtype, the same floats with dtype=tf.float32, integers without a dtype."""


@dataclass(frozen=True)
class Literals:
    """Rows of Python floats (mostly no binary fractions), as many integers, and weights.

    Attributes:
        rows: as Python floats.
        whole: as Python integers, of the same shape.
        weights: one for each column.
    """

    rows: tuple[tuple[float, ...], ...]
    whole: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        return hashlib.sha256(repr((self.rows, self.whole, self.weights)).encode()).digest()

    @property
    def column(self) -> list[list[float]]:
        """The weights as a literal of one column."""
        return [[weight] for weight in self.weights]

    def literal(self, kind: str) -> list[list[float]] | list[list[int]]:
        """The rows as a kind of literal has them."""
        if kind == "whole":
            return [list(row) for row in self.whole]
        return [list(row) for row in self.rows]

    def page(self, mode: str, kind: str) -> Page:
        """The program about one kind of literal; it binds ``x`` and ``gradient``."""
        dtype = ", dtype=tf.float32" * (kind == "explicit")
        loss = "tf.reduce_mean(tf.square(tf.matmul(tf.cast(x, tf.float32), w)))"
        if MODES[mode].traces_ops:
            loss = f"tf.function(lambda: {loss}, autograph=False)()"
        body = [
            f"x = tf.constant({self.literal(kind)}{dtype})",
            "with tf.GradientTape() as tape:",
            "    tape.watch(x)",
            f"    loss = {loss}",
            "gradient = tape.gradient(loss, x)",
        ]
        before = ["import tensorflow as tf", "", f"w = tf.constant({self.column}, tf.float32)"]
        spec = "tf.TensorSpec(None, tf.float32)"
        return Page(before, body, ("w",), ("x", "gradient"), (spec,))

    def showing(self, mode: str, kind: str, claim: Claim) -> str:
        """The program about one kind of literal, which ends in an assertion."""
        return self.page(mode, kind).text(MODES[mode], claim.lines())

    def unraised(self, mode: str) -> str:
        """The program about floats, which should not raise."""
        return self.page(mode, "plain").text(MODES[mode], guard=raising)

    def source(self, mode: str) -> str:
        """The program about floats as a mode runs it."""
        return self.page(mode, "plain").text(MODES[mode])


def _has_elements(shape: Shape) -> bool:
    return 0 not in shape


@st.composite
def literals(draw: Callable[..., Any], subject: str, mode: str) -> Literals:  # noqa: ARG001
    """Literals of any shape of rank 2 with elements; shrinks to one row of one number."""
    n, k = draw(shapes(min_rank=2, max_rank=2, max_size=8, fits=_has_elements), "rows, columns")
    found = decode(draw(codes(n * k), "floats"), grid(REAL), set())
    whole = draw(codes(n * k), "integers")
    weights = decode(draw(codes(k), "weights"), grid(REAL), set())
    return Literals(
        tuple(tuple(number / 10 for number in found[i * k : (i + 1) * k]) for i in range(n)),
        tuple(tuple(byte % 19 - 9 for byte in whole[i * k : (i + 1) * k]) for i in range(n)),
        weights,
    )


class Seen:
    """What was seen of each kind of literal.

    Attributes:
        case: what was run.
        mode: the name of the mode.
        dtypes: the dtype of each kind's tensor.
        gradients: of each kind, None where there was none.
        error: what differentiating raised though the forward pass alone does not; else None.
    """

    def __init__(self, case: Literals, mode: str) -> None:
        self.case, self.mode = case, mode
        self.dtypes: dict[str, str] = {}
        self.gradients: dict[str, Gradient | None] = {}
        self.error: Exception | None = None


class _Run:
    def __init__(self, case: Literals, mode: Mode, seen: Seen) -> None:
        self.tf = tf = tensorflow()
        self.case, self.mode, self.seen = case, mode, seen
        self.ops = mode.ops(
            tf, lambda x, w: tf.reduce_mean(tf.square(tf.matmul(tf.cast(x, tf.float32), w)))
        )

    def tensor(self, kind: str) -> Any:
        dtype = {"dtype": self.tf.float32} if kind == "explicit" else {}
        return self.tf.constant(self.case.literal(kind), **dtype)

    def gradients(self, w: Any) -> dict[str, Any]:
        found = {}
        for kind in KINDS:
            x = self.tensor(kind)
            self.seen.dtypes[kind] = x.dtype.name
            with self.tf.GradientTape() as tape:
                tape.watch(x)
                loss = self.ops(x, w)
            found[kind] = tape.gradient(loss, x)
        return found

    def losses(self, w: Any) -> dict[str, Any]:
        return {kind: self.ops(self.tensor(kind), w) for kind in KINDS}

    def run(self, function: Callable[..., Any]) -> dict[str, Any]:
        program = self.mode.program(self.tf, function, ["float32"], [2])
        found: dict[str, Any] = program(self.tf.constant(self.case.column, self.tf.float32))
        return found


def run(case: Literals, mode_name: str) -> Seen:
    """Run a case in a mode.

    Raises:
        Unsupported: if the forward pass alone raises in this mode.
    """
    seen = Seen(case, mode_name)
    made = _Run(case, MODES[mode_name], seen)
    error = None
    try:
        found = made.run(made.gradients)
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        error = raised_by_tensorflow(raised)
    if error is None:
        seen.gradients = {kind: read(gradient) for kind, gradient in found.items()}
        return seen
    try:
        made.run(made.losses)
    except Exception as raised:  # as above: the cell is unsupported
        raise Unsupported(type(raised_by_tensorflow(raised)).__name__) from raised
    seen.error = error
    return seen


LITERALS: Cases[Literals, Seen] = Cases("literal", literals, run, Literals.source)
