"""Why gradient functions are out of reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.boundary import tensorflow
from conformance.reach import BY_HAND, why_out_of_reach
from conformance.registry import registry


def _types(graph: Any) -> Iterator[str]:
    """The types of the ops of a graph, and of those of the functions that it calls."""
    definition = graph.as_graph_def()
    yield from (node.op for node in definition.node)
    for function in definition.library.function:
        yield from (node.op for node in function.node_def)


@pytest.mark.parametrize(
    ("op", "told"),
    [
        ("Sin", ""),
        ("AccumulateNV2", ""),
        ("CudnnRNN", "no kernel"),
        ("RefMerge", "references"),
        ("TopK", "deprecated"),
        ("XlaSharding", "no public name"),
        ("NotAnOp", "no such op"),
        ("Switch", "control flow of TensorFlow 1"),
    ],
)
def test_a_reason_is_asked_of_tensorflow(op: str, told: str) -> None:
    """One for each kind, and none for what programs reach."""
    why = why_out_of_reach(op)

    assert (told in why) if told else (why == "")


def test_what_is_said_by_hand_is_registered_and_not_said_otherwise() -> None:
    """An entry that TensorFlow itself accounts for is not needed."""
    named = [op for ops in BY_HAND.values() for op in ops]

    assert len(named) == len(set(named))
    assert set(named) <= set(registry().differentiable)
    assert all(hasattr(tensorflow().raw_ops, op) for op in named)


def test_loops_and_tensor_arrays_have_no_ops_of_tensorflow_1() -> None:
    """In a function that branches, loops, and keeps tensors in a TensorArray."""
    tf = tensorflow()

    def double_all(xs: Any) -> Any:
        array = tf.TensorArray(xs.dtype, size=2).unstack(xs)
        doubled = tf.TensorArray(xs.dtype, size=2)
        _, doubled = tf.while_loop(
            lambda i, _: i < 2,
            lambda i, known: (i + 1, known.write(i, 2.0 * array.read(i))),
            (0, doubled),
        )
        split = tf.TensorArray(xs.dtype, size=2).split(doubled.concat(), [1, 1])
        return tf.cond(xs[0, 0] > 0, doubled.stack, lambda: split.gather([0, 1]))

    def gradient_of(xs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(xs)
            y = double_all(xs)
        return tape.gradient(y, xs)

    xs = tf.constant([[1.0], [2.0]])
    gradient = tf.function(gradient_of)
    assert gradient(xs).numpy().tolist() == [[2.0], [2.0]]
    used = set(_types(gradient.get_concrete_function(xs).graph))
    assert used.isdisjoint(op for reason, ops in BY_HAND.items() if "1" in reason for op in ops)
    assert any("While" in op for op in used)


def test_the_results_of_argmax_and_argmin_are_integers() -> None:
    """No tape differentiates a target of integers."""
    tf = tensorflow()
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        targets = [tf.math.argmax(x), tf.math.argmin(x)]

    assert not any(target.dtype.is_floating for target in targets)
    assert [tape.gradient(target, x) for target in targets] == [None, None]


def _kept(ops: Any, x: Any) -> Any:
    """What is read of a TensorArray of TensorFlow 1 after it was written."""
    handle, flow = ops.TensorArrayV3(size=1, dtype=x.dtype)
    written = ops.TensorArrayWriteV3(handle=handle, index=0, value=x, flow_in=flow)
    return ops.TensorArrayReadV3(handle=handle, index=0, flow_in=written, dtype=x.dtype)


REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "DebugGradientIdentity": lambda ops, x: ops.DebugGradientIdentity(input=x),
    "Enter": lambda ops, x: ops.Enter(data=x, frame_name="frame"),
    "Exit": lambda ops, x: ops.Exit(data=x),
    "Switch": lambda ops, x: ops.Switch(data=x, pred=True)[1],
    "TensorArrayWriteV3": _kept,
}
"""Calls whose gradients are refused, by the type of op."""


def _gradient(call: Callable[[Any, Any], Any]) -> Any:
    tf = tensorflow()

    def program(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = call(tf.raw_ops, x)
        return tape.gradient(y, x)

    return tf.function(program, autograph=False)(tf.constant(2.0, tf.float64))


@pytest.mark.parametrize("op", REFUSED)
def test_what_is_said_to_be_refused_is(op: str) -> None:
    """In words of TensorFlow's own: the op runs, and is of no use to a tape."""
    tf = tensorflow()
    refusals = (AttributeError, NotImplementedError, ValueError, tf.errors.InvalidArgumentError)

    assert why_out_of_reach(op)
    with pytest.raises(refusals):
        _gradient(REFUSED[op])
