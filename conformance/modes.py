"""The five ways in which a program meets the tape.

A program is a Python function of tensors that opens tapes and calls ``ops``, the generated graph.
A mode decides which of the two TensorFlow traces, and how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class Mode:
    """How a program is run.

    Attributes:
        name: what ``--tape-mode`` and records call it.
        sentence: what it means, for readers.
        traces_ops: whether the graph alone is a ``tf.function``.
        traces_program: whether tape and graph together are a ``tf.function``.
        compiled: whether that is compiled by XLA.
        open_signature: whether its signature leaves dimensions, or the rank, unknown.
    """

    name: str
    sentence: str
    traces_ops: bool = False
    traces_program: bool = False
    compiled: bool = False
    open_signature: bool = False

    @property
    def traced(self) -> bool:
        """Whether anything is traced, so that one trace should serve several inputs."""
        return self.traces_ops or self.traces_program

    def ops(self, tf: Any, function: Function) -> Function:
        """The graph as this mode runs it under a tape."""
        return tf.function(function, autograph=False) if self.traces_ops else function

    def program(
        self, tf: Any, function: Function, dtypes: Sequence[str], ranks: Sequence[int | None]
    ) -> Function:
        """The whole program as this mode runs it.

        Args:
            tf: the TensorFlow module.
            function: takes tensors, returns a structure of tensors and None.
            dtypes: of the tensors.
            ranks: of the tensors, as far as an open signature tells them: None is unknown.
        """
        if not self.traces_program:
            return function
        options: dict[str, Any] = {"jit_compile": True} if self.compiled else {}
        if self.open_signature:
            options["input_signature"] = [
                tf.TensorSpec(None if rank is None else [None] * rank, dtype)
                for dtype, rank in zip(dtypes, ranks, strict=True)
            ]
        traced: Function = tf.function(function, autograph=False, **options)
        return traced


MODES: dict[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode("eager", "tape and ops run eagerly"),
        Mode("function", "tape and ops inside one tf.function", traces_program=True),
        Mode("outer", "the tape outside, the ops inside a tf.function", traces_ops=True),
        Mode("xla", "a tf.function with jit_compile=True", traces_program=True, compiled=True),
        Mode(
            "dynamic",
            "a tf.function whose signature leaves dimensions, or the rank, unknown",
            traces_program=True,
            open_signature=True,
        ),
    )
}
