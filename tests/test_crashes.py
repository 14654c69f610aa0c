"""What really kills a TensorFlow process, or holds it up: the suite goes on, and says what."""

from __future__ import annotations

import pytest
import tensorflow as tf

from conformance.errors import ExitCode
from tests.conftest import HOLDS, ROOT, Checkout
from tests.runs import verdicts

DEATHS = """
import os

from conformance import blackbox
from conformance.boundary import raised_by_tensorflow, tensorflow

blackbox.SECONDS = 30.0


def gradient(case, mode):
    tf = tensorflow()
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        ys = deaths[mode](tf, x, case.number)
    try:
        return tape.gradient(ys, x, output_gradients=[tf.ones([])] * min(len(ys), 2))
    except ValueError:  # what it should do
        return None


def too_few_output_gradients(tf, x, number):
    return [x * 2.0] * (number % 7)


def abort_in_a_gradient_function(tf, x, number):
    @tf.custom_gradient
    def f(x):
        return x, lambda dy: os.abort() if number >= 1000 else dy

    return [f(x)]


def loop_without_end(tf, x, number):
    loop = tf.function(lambda x: tf.while_loop(lambda i: True, lambda i: i + 1.0, [x]))
    return [x if number < 1000 else loop(x)[0]]


def more_memory_than_there_is(tf, x, number):
    try:
        return [x + tf.ones([1 if number < 1000 else 2**45])[0]]
    except tf.errors.OpError as error:
        raise raised_by_tensorflow(error)


deaths = {
    "eager": too_few_output_gradients,
    "function": abort_in_a_gradient_function,
    "outer": loop_without_end,
    "xla": more_memory_than_there_is,
}
dying = cases("dying", gradient, modes=tuple(deaths))


@dying.contract("survives", "The process survives.", cites=[UNDOCUMENTED])
def survives(case):
    return Tally(conclusive=1)
"""


def test_whatever_tensorflow_dies_of_or_is_stuck_in_is_crashed(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of released versions, a gradient function, a kernel without end, and memory."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    checkout.contracts(DEATHS, HOLDS)
    result, record = checkout.recorded("-n", "2", "--tape-profile", "gate")

    # reads beyond the end of a list in every release up to 2.21; an error of its own since
    known = "crashed" if tuple(map(int, tf.__version__.split(".")[:2])) <= (2, 21) else "holds"
    assert verdicts(record) == {
        "number-holds-eager": "holds",
        "survives-eager": known,
        "survives-function": "crashed",
        "survives-outer": "crashed",
        "survives-xla": "crashed",
    }
    failures = {o["mode"]: o["failure"] for o in record["outcomes"] if o["failure"]}
    causes = {
        "eager": "Fatal Python error: Segmentation fault",
        "function": "Fatal Python error: Aborted",
        "outer": "Timeout (0:00:30)!",
    }
    assert "MemoryError" in failures.pop("xla")["got"]
    assert {mode: failure["got"] for mode, failure in failures.items()} == {
        mode: cause for mode, cause in causes.items() if mode in failures
    }
    assert record["footer"]["complete"]
    assert result.ret == ExitCode.VIOLATED
