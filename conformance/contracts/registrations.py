"""Gradients that are registered for types of ops, or declared to be none."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import scene
from conformance.seen_scenes import SeenScene


@scene(
    "register-gradient-signature",
    "A registered gradient is given the op and one gradient for each of its outputs, and answers "
    "one for each of its inputs.",
    """
    import uuid

    ops, given = [], []
    name = uuid.uuid4().hex  # which can be registered once

    @tf.RegisterGradient(name)
    def registered(op, *upstream):
        ops.append(op)
        given.append(upstream)
        return [(n + 2) * one for n, one in enumerate(op.inputs)]

    types = dict.fromkeys(("Neg", "Sub", "AddN", "IdentityN", "Unpack"), name)
    with tf.compat.v1.get_default_graph().gradient_override_map(types):
        outputs = tf.nest.flatten($op)
    inputs = list(outputs[0].op.inputs)
    upstream = [(n + 3) * one for n, one in enumerate(outputs)]
    gradients = tf.gradients(outputs, inputs, grad_ys=upstream)
    wanted = [(n + 2) * one for n, one in enumerate(inputs)]
    same = ops == [outputs[0].op]
    """,
    cites=[
        docstring("tf.RegisterGradient", "the gradient function is a function that takes"),
        docstring("tf.RegisterGradient.__call__", "as gradient function for"),
    ],
    modes=("function",),
    op=(
        "tf.raw_ops.Neg(x=x)",
        "tf.raw_ops.Sub(x=x, y=y)",
        "tf.raw_ops.Unpack(value=tf.stack([x, y]), num=2)",
        "tf.raw_ops.AddN(inputs=[x, y, z])",
        "tf.raw_ops.IdentityN(input=[x, y, z])",
    ),
)
def register_gradient_signature(seen: SeenScene) -> None:
    """For ops of one to three inputs and outputs, in a graph that takes it for theirs."""
    seen.holds("same")
    seen.same("list(given[0])", "upstream")
    seen.same("gradients", "wanted")


@scene(
    "register-gradient",
    "The names of ops are strings: others raise TypeError.",
    """
    $register($name)
    """,
    cites=[
        docstring("tf.RegisterGradient.__init__", "If `op_type` is not string"),
        docstring("tf.no_gradient", "If `op_type` is not a string"),
    ],
    modes=("eager",),
    raises="TypeError",
    saying="string",
    register=("tf.RegisterGradient", "tf.no_gradient"),
    name=("1", "None", "b'Sub'", "['Sub']", "tf.raw_ops.Sub"),
)
def register_gradient(_: SeenScene) -> None:
    """Numbers, None, bytes, lists, functions."""


@scene(
    "register-gradient-twice",
    "An op whose gradient is registered, or declared to be none, cannot be registered again.",
    """
    $register
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    raises="KeyError",
    saying="Registering two gradient",
    register=(
        "tf.RegisterGradient('Sub')(lambda op, upstream: [upstream, upstream])",
        "tf.RegisterGradient('Size')(lambda op, upstream: [upstream])",
        "tf.no_gradient('Sub')",
        "tf.no_gradient('Size')",
    ),
)
def register_gradient_twice(_: SeenScene) -> None:
    """KeyError, whether it is the same again or not."""


@scene(
    "no-gradient-propagates",
    "Through an op that is declared to have no gradient the gradient is zero.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = $op
    gradient = tape.gradient(target, x)
    """,
    cites=[docstring("tf.no_gradient", "will then propagate zeros")],
    op=(
        "tf.raw_ops.OnesLike(x=x)",
        "tf.raw_ops.ZerosLike(x=f(x))",
        "g(tf.raw_ops.OnesLike(x=f(x)))",
    ),
)
def no_gradient_propagates(seen: SeenScene) -> None:
    """Ops that say nothing of their input's values."""
    seen.zeros("gradient", "x")
