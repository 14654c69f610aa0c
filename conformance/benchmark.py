"""How fast cases are verified, where the time goes, and what one check costs.

``python -m conformance benchmark`` prints both. Timings are of this machine; quote the ratios.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import hypothesis
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from conformance.boundary import tensorflow
from conformance.contracts.values import gradient_finite_difference
from conformance.graph_cases import GraphCase, graph_cases, run
from conformance.profiles import PROFILES, forget_local_constants, hypothesis_settings, seed_for
from strategies.drawing import points, sized_graphs
from strategies.ops import CATALOGUE

SIZES = (10, 100, 1000)
_TICK = 0.001


@contextmanager
def sampled() -> Iterator[list[int]]:
    """Count, each millisecond of processor time, whether TensorFlow is on the stack.

    Yields a list of two numbers: all samples, and those inside TensorFlow.
    """
    counts = [0, 0]

    def note(_: int, frame: FrameType | None) -> None:
        counts[0] += 1
        while frame is not None:
            if "/tensorflow/" in frame.f_code.co_filename:
                counts[1] += 1
                return
            frame = frame.f_back

    before = signal.signal(signal.SIGPROF, note)
    signal.setitimer(signal.ITIMER_PROF, _TICK, _TICK)
    try:
        yield counts
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def each(cases: st.SearchStrategy[GraphCase], count: int, look: Callable[[GraphCase], None]) -> int:
    """Generate cases as the gate profile does, and look at each; returns how many there were."""
    seen = 0

    @hypothesis.seed(seed_for(0, "benchmark"))
    @settings(hypothesis_settings(PROFILES["gate"], count), phases=[Phase.generate])
    @given(cases)
    def test(case: GraphCase) -> None:
        nonlocal seen
        seen += 1
        look(case)

    forget_local_constants()
    test()
    return seen


def throughput(count: int = 1500) -> tuple[float, float]:
    """Graphs a second verified eagerly in reverse mode, and the share of the time in TensorFlow."""
    cases = st.sampled_from(list(CATALOGUE)).flatmap(lambda op: graph_cases(op, "eager"))
    double = cases.filter(lambda case: case.is_double)
    for_all = [c.check for c in graph_contracts()]

    def verify(case: GraphCase) -> None:
        look_at(case, for_all)

    each(double, 100, verify)
    with sampled() as counts:
        started = time.perf_counter()
        number = each(double, count, verify)
        seconds = time.perf_counter() - started
    return number / seconds, counts[1] / counts[0]


def main() -> int:
    """Print the figures."""
    tf = tensorflow()
    print(f"TensorFlow {tf.__version__}")  # noqa: T201 - a command's output
    rate, share = throughput()
    print(f"{rate:.0f} graphs a second and core verified eagerly, {share:.0%} in TensorFlow")  # noqa: T201
    return 0


def graph_contracts() -> list[Any]:
    raise NotImplementedError


def look_at(case: GraphCase, checks: list[Any]) -> None:
    raise NotImplementedError


_ = (sys, points, sized_graphs, gradient_finite_difference, run)
