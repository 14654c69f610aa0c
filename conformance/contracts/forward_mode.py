"""What forward mode gives, against finite differences and reverse mode."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from conformance.blackbox import reached
from conformance.boundary import make_tensor, raised_by_tensorflow, tensorflow
from conformance.contract import UNDOCUMENTED, Tally, Violation, docstring
from conformance.contracts.values import (
    Gradients,
    claim,
    comparable,
    count,
    projection,
    raised,
    slack,
)
from conformance.graph_cases import GRAPHS, Seen, forward_step
from conformance.graph_programs import Ask
from conformance.oracles.agreement import Answer, judge
from conformance.oracles.finite_difference import Estimate, step_for
from conformance.oracles.singular import singular
from conformance.reproduction import near
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene

FORWARD: Final = tuple(op for op in SIMPLE if op != "tf.math.reduce_sum")
"""Ops of which nothing is known in forward mode; reductions along an int64 axis raise there."""


@GRAPHS.contract(
    "gradient-forward-mode",
    "Forward mode finds the derivative that reverse mode and finite differences find.",
    cites=[docstring("tf.autodiff.ForwardAccumulator", "Jacobian-vector products")],
    modes=("eager", "function", "outer"),
)
def gradient_forward_mode(seen: Seen) -> Tally:
    """The jvp along the direction, weighted with the cotangent, against finite differences."""
    case = seen.case
    if not (case.forward and case.is_finest and case.differentiated) or not seen.points:
        return Tally()
    return compared_with_forward_mode(seen, comparable(seen, seen.points[0].gradients))


def compared_with_forward_mode(seen: Seen, gradients: Gradients) -> Tally:
    """The jvp at the first point against the finite differences that reverse mode was held to.

    Args:
        seen: what was seen.
        gradients: what reverse mode gave; nothing is compared without.

    Raises:
        Violation: if they disagree.
    """
    estimate = seen.estimates.get(0)
    if not gradients or estimate is None:
        return Tally()
    reached(forward_step(seen.case))
    try:
        product = _jvp(seen)
    except Exception as error:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        return raised(seen, raised_by_tensorflow(error), at=0, ask=Ask("product"))
    return _compare(seen, gradients, product, estimate)


def _compare(seen: Seen, gradients: Gradients, product: float, estimate: Estimate) -> Tally:
    case, direction = seen.case, seen.case.direction(0)
    rounding = slack(case, gradients, direction)
    judgement = judge(product, estimate, slack=rounding)
    if judgement.answer is Answer.DISAGREE:
        reach = 16 * step_for(case.coarsest)
        if reason := singular(tensorflow(), case.graph, case.arrays(0), reach):
            undecided = Tally()
            undecided.undecided(f"not smooth: {reason}")
            return undecided
        along = projection(seen, 0)
        step = step_for(case.coarsest) / 2
        estimate = along.derivative(direction, step=step, growth=along.growth())
        judgement = judge(product, estimate, slack=rounding)
    if judgement.answer is Answer.DISAGREE:
        raise Violation(
            kind="value",
            expected=f"{judgement.expected!r} for the weighted Jacobian-vector product",
            got=f"{judgement.claimed!r}",
            where=seen.program(
                0,
                Ask("product"),
                near("float(tf.math.real(product))", judgement.expected, judgement.tolerance),
            ),
            why=f"finite differences at two pairs of steps, tolerance {judgement.tolerance:.1e}; "
            f"reverse mode gives {claim(gradients, direction)!r}",
        )
    return count(judgement, gradients, direction)


def _jvp(seen: Seen) -> float:
    """The weighted sum of the Jacobian-vector products of all targets; None counts as zero."""
    tf, case = tensorflow(), seen.case
    function = seen.mode.ops(tf, case.graph.function(tf))
    sources, tangents = case.differentiated, case.direction(0)

    def program(*tensors: Any) -> list[Any]:
        inputs, moves = list(tensors[: len(case.roles)]), tensors[len(case.roles) :]
        primals = [inputs[i] for i in sources]
        with tf.autodiff.ForwardAccumulator(primals, list(moves)) as accumulator:
            outputs = function(*inputs)
        products = accumulator.jvp([outputs[k] for k in case.targets])
        return [None if p is None else tf.convert_to_tensor(p) for p in products]

    kinds = [made.type.dtype for made in case.graph.inputs]
    inputs = [make_tensor(tf, k, a) for k, a in zip(kinds, case.arrays(0), strict=True)]
    moves = [make_tensor(tf, kinds[i], tangents[i]) for i in sources]
    traced = tf.function(program, autograph=False) if seen.mode.traces_program else program
    products = traced(*inputs, *moves)
    return float(
        sum(
            np.vdot(weight, product.numpy()).real
            for product, weight in zip(products, case.weights, strict=True)
            if product is not None
        )
    )


@scene(
    "fwd-linear-regression",
    "Forward mode along each unit vector in turn finds the gradient of a loss, an element a time.",
    """
    columns = []
    for unit in tf.unstack(tf.eye(v.shape.num_elements(), dtype=v.dtype)):
        with tf.autodiff.ForwardAccumulator(v, tf.reshape(unit, v.shape)) as acc:
            loss = tf.reduce_sum(tf.square(x * v - y))
        columns.append(acc.jvp(loss))
    gradient = tf.reshape(tf.stack(columns), v.shape)
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator", "forwardprop computes one column at")],
    among=REALS,
    ranks=(0, 1),  # each new shape is traced anew, op by op
)
def fwd_linear_regression(seen: SeenScene) -> None:
    """The weights of a regression, as a Variable."""
    seen.derivative("gradient", "tf.reduce_sum(tf.square(x * v - y))", by="v")


@scene(
    "fwd-transpose-consistency",
    "The product of the Jacobian and a tangent, weighted, is that of its transpose and the "
    "weights, along the tangent: forward and reverse mode find one number.",
    """
    t = tf.zeros([], x.dtype)
    with tf.autodiff.ForwardAccumulator(x, dx) as acc:
        target = f(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        again = f(x)
    forward = tf.reduce_sum(dy * acc.jvp(target))
    backward = tf.reduce_sum(tape.gradient(again, x, output_gradients=dy) * dx)
    """,
    cites=[
        docstring("tf.autodiff.ForwardAccumulator", "which computes vector-Jacobian products"),
        docstring("tf.autodiff.ForwardAccumulator.jvp", "Fetches the Jacobian-vector product"),
    ],
    among=REALS,
    ops=FORWARD,
)
def fwd_transpose_consistency(seen: SeenScene) -> None:
    """Finite differences find both."""
    seen.derivative("forward", "f(x + t * dx)", by="t", weights="dy")
    seen.derivative("backward", "f(x + t * dx)", by="t", weights="dy")


@scene(
    "fwd-nested-primals",
    "Primals and tangents may be nests, of tensors and Variables, and jvp takes nests too.",
    """
    t = tf.zeros([], x.dtype)
    with tf.autodiff.ForwardAccumulator($nests) as acc:
        targets = {"one": f(x), "two": [h(2.0 * v), (f(x) * tf.reduce_sum(h(2.0 * v)),)]}
    products = acc.jvp(targets)
    kinds = [type(one) for one in (products, products["two"], products["two"][1])]
    """,
    cites=[
        docstring(
            "tf.autodiff.ForwardAccumulator.__init__", "nested structure of tensors to watch"
        ),
        docstring("tf.autodiff.ForwardAccumulator.jvp", "structure of Tensors to fetch the JVPs"),
        docstring("tf.autodiff.ForwardAccumulator.jvp", "with the same shapes and dtypes as"),
    ],
    dear=True,
    among=REALS,
    ops=FORWARD,
    nests=(
        "[x, v], [dx, tf.cos(dx)]",
        "{'a': x, 'b': [v]}, {'a': dx, 'b': [tf.cos(dx)]}",
        "(v, (x,)), (tf.cos(dx), (dx,))",
    ),
)
def fwd_nested_primals(seen: SeenScene) -> None:
    """One target depends on the one primal, one on the other, and one on both."""
    seen.holds("kinds == [dict, list, tuple]")
    seen.like("products", "targets")
    moved = "f(x + t * dx) * tf.reduce_sum(h(2.0 * (v + t * tf.cos(dx))))"
    along(seen, "products['one']", "f(x + t * dx)")
    along(seen, "products['two'][1][0]", moved)


@scene(
    "fwd-none-zero",
    "The jvp of what no primal leads to is None unless zeros are asked for: then it is zeros of "
    "its type.",
    """
    t = tf.zeros([], x.dtype)
    with tf.autodiff.ForwardAccumulator(x, dx) as acc:
        target, apart = f(x), h(2.0 * v)
    product, *nothing = acc.jvp([target, apart, v, y]$none)
    zeros = acc.jvp([apart, y], unconnected_gradients=$zero)
    """,
    cites=[
        docstring("tf.autodiff.ForwardAccumulator.jvp", "or None if no JVP"),
        docstring("tf.autodiff.ForwardAccumulator.jvp", "alters the value which will be returned"),
        docstring("tf.autodiff.ForwardAccumulator.jvp", "and it defaults to 'none'"),
    ],
    among=REALS,
    ops=FORWARD,
    none=("", ", 'none'", ", unconnected_gradients=tf.UnconnectedGradients.NONE"),
    zero=("tf.UnconnectedGradients.ZERO", "'zero'"),
)
def fwd_none_zero(seen: SeenScene) -> None:
    """A result, a Variable and a tensor, beside what has a product."""
    along(seen, "product", "f(x + t * dx)")
    seen.none("nothing")
    seen.zeros("zeros", "[apart, y]")


@scene(
    "fwd-unconnected-rejects",
    "jvp raises ValueError for an unconnected_gradients that is neither none nor zero.",
    """
    with tf.autodiff.ForwardAccumulator(x, dx) as acc:
        target = f(x)
    acc.jvp(target, unconnected_gradients=$what)
    """,
    cites=[docstring("tf.autodiff.ForwardAccumulator.jvp", "which can either hold 'none' or")],
    ops=FORWARD,
    raises="ValueError",
    saying="UnconnectedGradients",
    what=("'ones'", "'ZERO'", "None", "0"),
)
def fwd_unconnected_rejects(_: SeenScene) -> None:
    """Another word, another case, no word."""


@scene(
    "fwd-repeat-and-after-exit",
    "jvp looks up what was computed, as often as asked and after the context too, and of a primal "
    "its tangent; what runs after the context has none.",
    """
    t = tf.zeros([], x.dtype)
    with tf.autodiff.ForwardAccumulator(x, dx) as acc:
        target = f(x)
        product = acc.jvp(target)
        again = acc.jvp(target)
    after, tangent = acc.jvp(target), acc.jvp(x)
    found = product is again and product is after
    late = acc.jvp([f(x), h(x)])
    """,
    cites=[
        docstring("tf.autodiff.ForwardAccumulator", "JVP corresponding to the primal tensor `x`"),
        docstring("tf.autodiff.ForwardAccumulator", "calls can be repeated as long as"),
        docstring("tf.autodiff.ForwardAccumulator", "whether the context manager is active or not"),
        docstring("tf.autodiff.ForwardAccumulator", "are only computed while the context manager"),
        docstring("tf.autodiff.ForwardAccumulator.jvp", "this method performs no computation"),
    ],
    among=REALS,
    ops=FORWARD,
)
def fwd_repeat_and_after_exit(seen: SeenScene) -> None:
    """The very tensor each time; an op on a primal and one on a result are late."""
    seen.holds("found")
    seen.same("tangent", "dx")
    along(seen, "product", "f(x + t * dx)")
    seen.none("late")


@scene(
    "fwd-releases",
    "With the last reference to a tensor its jvp goes as well.",
    """
    import weakref

    t = tf.zeros([], x.dtype)
    with tf.autodiff.ForwardAccumulator(x, dx) as acc:
        middle = tf.sin(f(x))
        product = weakref.ref(acc.jvp(middle))
        held = product() is not None
        target = tf.cos(middle)
        del middle
        released = product() is None
    last = acc.jvp(target)
    """,
    cites=[
        docstring("tf.autodiff.ForwardAccumulator", "soon as a primal tensor is deleted"),
        docstring("tf.autodiff.ForwardAccumulator", "not hold on to intermediate activations"),
    ],
    modes=("eager", "outer"),
    among=REALS,
    ops=FORWARD,
)
def fwd_releases(seen: SeenScene) -> None:
    """A result on the way; what was computed from it keeps its own."""
    seen.holds("held")
    seen.holds("released")
    along(seen, "last", "tf.cos(tf.sin(f(x + t * dx)))")


@scene(
    "fwd-excluded-is-zeros",
    "To leave a tensor out of the primals is to give it a tangent of zeros.",
    """
    def products(primals, tangents):
        with tf.autodiff.ForwardAccumulator(primals, tangents) as acc:
            targets = [f(x) * tf.reduce_sum(h(2.0 * v)), h(2.0 * v), f(x)]
        return acc.jvp(targets, unconnected_gradients="zero")

    excluded = products([x], [dx])
    zeros = products([x, v], [dx, tf.zeros_like(v)])
    """,
    cites=[
        docstring("tf.autodiff.ForwardAccumulator.__init__", "equivalent to watching it"),
    ],
    among=REALS,
    ops=FORWARD,
)
def fwd_excluded_is_zeros(seen: SeenScene) -> None:
    """Zeros add nothing, so the products are the same bit for bit."""
    seen.same("zeros", "excluded")


@scene(
    "fwd-control-flow",
    "Forward mode goes through branches, loops and functions.",
    """
    t = tf.zeros([], x.dtype)

    def program(call, a):
        return $body

    with tf.autodiff.ForwardAccumulator(x, dx) as acc:
        target = program(f, x)
    product = acc.jvp(target)
    """,
    cites=[UNDOCUMENTED],
    dear=True,
    among=REALS,
    ops=FORWARD,
    body=(
        "tf.cond(tf.size(a) > 1, lambda: tf.sin(call(a)), lambda: tf.cos(call(a)))",
        "tf.while_loop(lambda n, _: n < 2, lambda n, b: (n + 1, b * tf.sin(b)), [0, call(a)])[1]",
        "tf.function(lambda b: tf.sin(call(b)), autograph=False)(a)",
    ),
)
def fwd_control_flow(seen: SeenScene) -> None:
    """One of the three, drawn."""
    along(seen, "product", "program(f, x + t * dx)")


def along(seen: SeenScene, product: str, of: str) -> None:
    """A product is the derivative of an expression by ``t``, at zero: its sum's, weighted."""
    seen.there(product)
    seen.derivative(f"tf.reduce_sum({product})", of, by="t")
