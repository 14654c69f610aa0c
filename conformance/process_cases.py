"""Programs in a process of their own: what may end it is asked there.

There are few of them, and each is run once: starting a process takes seconds. They are the same
for every seed.
"""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from hypothesis import strategies as st

from conformance.contract import Cases

PATIENCE: Final = 200.0
"""Seconds that a program may take: less than an item may."""

_COMPOSITE: Final = """import tensorflow as tf

x = tf.ones([3, 3])
with tf.GradientTape() as tape:
    tape.watch(x)
    identity = tf.linalg.LinearOperatorIdentity(num_rows=3)
    target = tf.linalg.LinearOperatorLowRankUpdate(identity, x, x).matmul(identity)
try:
    tape.gradient(target, [x], [tf.ones([3, 3])])
except (TypeError, ValueError):
    pass
"""

_LIST: Final = """import tensorflow as tf

x = tf.constant(1.0)
with tf.GradientTape() as tape:
    tape.watch(x)
    targets = [x * 2.0, x * 3.0, x * 4.0]
try:
    tape.gradient(targets, x, [tf.constant(1.0)])
except (TypeError, ValueError):
    pass
"""


def _window(call: str, window: str, kind: str) -> str:
    """A program about a window that is longer than the image."""
    return f"""import tensorflow as tf

x, window = tf.ones([1, 2, 2, 1], tf.{kind}), {window}
with tf.GradientTape() as tape:
    tape.watch([x, window])
    target = tf.nn.{call}
tape.gradient(target, [x, window])
"""


def _filter(step: int) -> str:
    filters = "tf.ones([3, 3, 1, 1], tf.float64)"
    return _window(f'conv2d(x, window, {step}, "VALID")', filters, "float64")


_SPLIT: Final = """import tensorflow as tf

@tf.function(autograph=False)
def program(x, tangent):
    with tf.autodiff.ForwardAccumulator(x, tangent) as accumulator:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.split(x, [0, 2])[0]
        gradient = tape.gradient(y, x)
    return accumulator.jvp(gradient)

program(tf.ones([2]), tf.ones([2]))
"""


PROGRAMS: Final = {
    "fwd-over-gradient-process": (_SPLIT,),
    "output-gradients-fewer-process": (_LIST, _COMPOSITE),
    "window-without-place-process": (
        _filter(1),
        _filter(3),
        _window('max_pool2d(x, 3, 1, "VALID")', "tf.constant(3.0)", "float32"),
    ),
}
"""By contract; the first is the simplest."""


@dataclass(frozen=True)
class ProcessCase:
    """A program."""

    program: str

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of the program."""
        return hashlib.sha256(self.program.encode()).digest()

    def source(self, _mode: str) -> str:
        """The program, whatever the mode."""
        return self.program


@dataclass(frozen=True)
class SeenProcess:
    """How a program ended.

    Attributes:
        case: the program.
        signal: the name of what ended its process; empty if it ended by itself.
        error: the last line of what it said, if it raised; else empty.
    """

    case: ProcessCase
    signal: str
    error: str


def run(case: ProcessCase, _mode: str) -> SeenProcess:
    """Run a program in a process of its own.

    Raises:
        subprocess.TimeoutExpired: if it does not end.
    """
    command = [sys.executable, "-c", case.program]
    done = subprocess.run(  # noqa: S603 - the programs are our own
        command, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode < 0:
        return SeenProcess(case, signal.Signals(-done.returncode).name, "")
    said = done.stderr.strip().splitlines() or ["no word"]
    return SeenProcess(case, "", said[-1] if done.returncode else "")


def _cases(subject: str, _mode: str) -> st.SearchStrategy[ProcessCase]:
    return st.sampled_from(PROGRAMS[subject]).map(ProcessCase)


PROCESSES: Cases[ProcessCase, SeenProcess] = Cases(
    "process",
    _cases,
    run,
    ProcessCase.source,
    subjects=tuple(PROGRAMS),
    modes=("eager",),
    one_each=True,
)
"""Programs in processes of their own."""
