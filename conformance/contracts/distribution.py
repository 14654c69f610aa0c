"""Tapes under tf.distribute, and in graphs of TensorFlow 1."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "mirrored-strategy",
    "Under a mirrored strategy the tape of each replica finds the gradient of what that replica "
    "computed, and a reduction adds them up.",
    """
    start, data = v.numpy(), tf.stack([x, y]).numpy()
    with tf.Graph().as_default():  # a session may have two devices where the process has one
        strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
        with strategy.scope():
            weight = tf.Variable(start)

        def replica():
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            with tf.GradientTape() as tape:
                target = f(weight * tf.constant(data)[number])
            return tape.gradient(target, weight)

        gradients = strategy.run(replica)
        total = strategy.reduce($sum, gradients, axis=None)
        found = [*strategy.experimental_local_results(gradients), total]
        two = tf.compat.v1.ConfigProto(device_count={"CPU": 2})
        with tf.compat.v1.Session(config=two) as session:
            session.run(tf.compat.v1.global_variables_initializer())
            arrays = session.run(found)
    *parts, total = map(tf.constant, arrays)
    """,
    cites=[
        docstring("tf.distribute.Strategy.run", "It invokes `fn` on each replica"),
        docstring("tf.distribute.Strategy.reduce", "Reduce `value` across replicas"),
    ],
    modes=("eager",),
    among=REALS,
    ops=SIMPLE,
    sum=("tf.distribute.ReduceOp.SUM", "'SUM'"),
)
def mirrored_strategy(seen: SeenScene) -> None:
    """Two replicas that share a Variable and have an input each."""
    seen.derivative("parts[0]", "f(v * x)", by="v")
    seen.derivative("parts[1]", "f(v * y)", by="v")
    seen.same("total", "parts[0] + parts[1]")


@scene(
    "graph-v1-tape",
    "A tape works in a graph of TensorFlow 1 as it does in a function.",
    """
    point, start = x.numpy(), v.numpy()
    with tf.Graph().as_default():
        source, weight = tf.constant(point), tf.Variable(start)
        with tf.GradientTape() as tape:
            tape.watch(source)
            target = f(source) * tf.reduce_sum(h(weight))
        symbolic = tape.gradient(target, [source, weight])
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            arrays = session.run(symbolic)
    gradients = [tf.constant(array) for array in arrays]
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    ops=SIMPLE,
)
def graph_v1_tape(seen: SeenScene) -> None:
    """A constant that is watched and a Variable, run in a session."""
    seen.derivative("gradients[0]", "f(x) * tf.reduce_sum(h(v))", by="x")
    seen.derivative("gradients[1]", "f(x) * tf.reduce_sum(h(v))", by="v")
