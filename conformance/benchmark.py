"""How fast cases are verified, where the time goes, and what one check costs.

``python -m conformance benchmark`` prints both. Timings are of this machine; quote the ratios.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conformance.boundary import tensorflow
from conformance.contract import Unsupported, Violation
from conformance.contracts import test_contracts
from conformance.drawn_graphs import GraphCase, graph_cases
from conformance.graph_cases import run
from conformance.profiles import (
    PROFILES,
    draw_each_case_afresh,
    forget_local_constants,
    hypothesis_settings,
    seed_for,
)
from strategies.drawing import points
from strategies.ops import CATALOGUE
from strategies.sized import sized_graphs

SIZES = (10, 100, 1000, 10_000)
NODES = 8
DRAWN = 100
"""Numbers that are drawn for an input; a larger one repeats them, as an example is 8 kB at most."""
LARGEST_JACOBIAN = 1000
"""Coordinates up to which tf.test.compute_gradient, whose Jacobians are dense, takes part."""
_TICK = 0.005


@contextmanager
def sampled() -> Iterator[list[int]]:
    """Count, every five milliseconds of processor time, whether TensorFlow is on the stack.

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
    @settings(
        hypothesis_settings(PROFILES["gate"], count),
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),  # a thousand coordinates are large on purpose
    )
    @given(cases)
    def test(case: GraphCase) -> None:
        nonlocal seen
        seen += 1
        look(case)

    forget_local_constants()

    draw_each_case_afresh()
    test()
    return seen


def throughput(rounds: int = 5, count: int = 400) -> tuple[list[float], float]:
    """Graphs a second and core verified eagerly, and the share of the time inside TensorFlow.

    Double precision, reverse mode against finite differences; forward mode apart. A rate for each
    of several rounds over the same graphs: what else the machine does makes a round slower, never
    faster, so the best is the nearest to the truth.
    """
    ops = st.sampled_from(list(CATALOGUE))
    cases = ops.flatmap(lambda op: graph_cases(op, "eager", ("float64", "complex128")))
    plain = cases.filter(lambda case: case.is_finest).map(lambda c: replace(c, forward=False))
    each(plain, count, verify)  # the first op of a kind costs up to a hundred times as much
    rates = []
    with sampled() as counts:
        for _ in range(rounds):
            started = time.perf_counter()
            number = each(plain, count, verify)
            rates.append(number / (time.perf_counter() - started))
    return rates, counts[1] / counts[0]


def verify(case: GraphCase) -> None:
    """Run a case eagerly and let every contract look at it; what they find is not the point."""
    with suppress(Unsupported):
        seen = run(case, "eager")
        for contract in test_contracts.graph.contracts:
            with suppress(Violation):
                contract.check(seen)


@st.composite
def _sized_cases(draw: Callable[..., Any], size: int) -> GraphCase:
    graph = draw(sized_graphs(size, NODES), "graph")
    few = min(size, DRAWN)
    small = tuple(replace(made, type=made.type.like(shape=(few,))) for made in graph.inputs)
    point = tuple(numbers * (size // few) for numbers in draw(points(small), "point"))
    roles = ("watched",) * len(graph.inputs)
    flags = {"persistent": False, "forward": False, "unknown_rank": False, "pulls": False}
    return GraphCase(graph, roles, (point,), **flags)


@dataclass(frozen=True)
class Costs:
    """Milliseconds that an example takes.

    Attributes:
        checked: by this suite, generation included.
        plain: a forward pass and a gradient, and nothing else.
        theirs: ``tf.test.compute_gradient``, which is given the inputs and the function and
            generates nothing; None where its Jacobians would be too large.
    """

    checked: float
    plain: float
    theirs: float | None


def costs(size: int, count: int) -> Costs:
    """What graphs of eight elementwise ops on float64 vectors of ``size`` elements cost."""
    tf = tensorflow()
    kept: list[GraphCase] = []

    def keep(case: GraphCase) -> None:
        verify(case)
        kept.append(case)

    each(_sized_cases(size), 10, verify)
    checked = _milliseconds(lambda: each(_sized_cases(size), count, keep)) / count
    asked = [
        (case.graph.function(tf), [tf.constant(array) for array in case.arrays(0)]) for case in kept
    ]

    def gradients() -> None:
        for function, inputs in asked:
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                targets = function(*inputs)
            tape.gradient(targets, inputs)

    gradients()
    plain = _milliseconds(gradients) / len(asked)
    if size > LARGEST_JACOBIAN:
        return Costs(checked, plain, None)
    some = asked[:: max(1, len(asked) * size // 4000)]

    def jacobians() -> None:
        for function, inputs in some:
            # it takes a function of one result, so the targets are summed
            tf.test.compute_gradient(lambda *x, f=function: tf.add_n(f(*x)), inputs)

    return Costs(checked, plain, _milliseconds(jacobians) / len(some))


def _milliseconds(work: Callable[[], object]) -> float:
    """The processor time that it takes, which other processes change least."""
    started = time.process_time()
    work()
    return 1000 * (time.process_time() - started)


def main() -> int:
    """Print the figures."""
    print(f"TensorFlow {tensorflow().__version__}")
    rates, share = throughput()
    print(
        f"{max(rates):.0f} graphs a second and core verified eagerly, {share:.0%} in TensorFlow "
        f"(the best of {len(rates)} rounds; the slowest {min(rates):.0f})"
    )
    print("an example of eight ops, in milliseconds of processor time:")
    print("  coordinates   checked   gradient alone   tf.test.compute_gradient")
    for size in SIZES:
        cost = costs(size, 200)
        line = f"  {size:11} {cost.checked:9.2f} {cost.plain:9.2f}"
        line += f" ({cost.checked / cost.plain:.1f} times less)"
        if cost.theirs is not None:
            line += f" {cost.theirs:9.2f} ({cost.theirs / cost.checked:.1f} times more)"
        print(line)
    return 0
