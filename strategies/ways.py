"""The ways in which a program calls an op: plainly, or inside of what TensorFlow wraps around it.

A way is a template of Python. Operands that it hands over are parameters of a lambda, under the
names that they have outside; all others come from the enclosing scope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from strategies import dtypes
from strategies.graphs import Node, call_source
from strategies.tensors import TensorType

Handed = Callable[[Node, Sequence[TensorType]], tuple[int, ...]]
"""From a node and the types of all values to the operands that are handed over."""


@dataclass(frozen=True)
class Way:
    """How an op is called.

    Attributes:
        template: Python, where ``{call}`` is the op's call, ``{given}`` what is handed over,
            ``{zeros}`` zeros of the result's type, and ``{times}`` how often a loop runs.
        handed: which operands are handed over.
        takes: whether an op can be called so.
        factor: what its gradient multiplies by, instead of being the op's; None: the op's it is.
        loops: whether the op is applied to its own result.
        recomputes: whether its gradient runs the op once more.
        traces: whether a function is traced, even eagerly.
        inlined: whether eagerly it is nothing but the op's call in Python.
    """

    template: str
    handed: Handed = lambda _node, _types: ()
    takes: Callable[[Node, Sequence[TensorType]], bool] = lambda _node, _types: True
    factor: float | None = None
    loops: bool = False
    recomputes: bool = False
    traces: bool = False
    inlined: bool = False

    def source(
        self, node: Node, names: Sequence[str], types: Sequence[TensorType], times: int
    ) -> str:
        """The call as Python.

        Args:
            node: the op and its operands.
            names: of all values.
            types: of all values.
            times: how often a loop runs.
        """
        kind = node.outputs[0]
        return self.template.format(
            call=call_source(node, names),
            given=", ".join(names[i] for i in self.handed(node, types)),
            zeros=f"tf.zeros({list(kind.shape)}, tf.{kind.dtype})",
            times=times,
        )


def _floating(node: Node, types: Sequence[TensorType]) -> tuple[int, ...]:
    return tuple(i for i in dict.fromkeys(node.operands) if _is_floating(types[i]))


def _first(node: Node, _: Sequence[TensorType]) -> tuple[int, ...]:
    return node.operands[:1]


def _is_floating(kind: TensorType) -> bool:
    return dtypes.is_differentiable(kind.dtype)


def _of_one_result(node: Node, _: Sequence[TensorType]) -> bool:
    return not node.listed


def _differentiable(node: Node, types: Sequence[TensorType]) -> bool:
    return not node.blocks and bool(_floating(node, types))


def _keeps_type(node: Node, types: Sequence[TensorType]) -> bool:
    """Whether the result is of the type of the first operand, which is floating."""
    if node.listed or not node.operands:
        return False
    of, to = types[node.operands[0]], node.outputs[0]
    return (of.dtype, of.shape) == (to.dtype, to.shape) and _is_floating(of)


def _loops(node: Node, types: Sequence[TensorType]) -> bool:
    return not node.blocks and _keeps_type(node, types)


def _unary(node: Node, types: Sequence[TensorType]) -> bool:
    return _keeps_type(node, types) and len(set(node.operands)) == 1


WAYS: Final[dict[str, Way]] = {
    "": Way("{call}", inlined=True),
    "tf.function": Way(
        "tf.function(lambda {given}: {call}, autograph=False)({given})", _floating, traces=True
    ),
    "closure": Way("tf.function(lambda: {call}, autograph=False)()", traces=True),
    "tf.cond, true": Way(
        "tf.cond(tf.constant(True), lambda: {call}, lambda: {zeros})",
        takes=_of_one_result,
        inlined=True,
    ),
    "tf.cond, false": Way(
        "tf.cond(tf.constant(False), lambda: {zeros}, lambda: {call})",
        takes=_of_one_result,
        inlined=True,
    ),
    "tf.while_loop": Way(
        "tf.while_loop(lambda i, _: i < {times}, lambda i, {given}: (i + 1, {call}), "
        "(0, {given}))[1]",
        _first,
        takes=_loops,
        loops=True,
        inlined=True,
    ),
    "tf.recompute_grad": Way(
        "tf.recompute_grad(lambda {given}: {call})({given})",
        _floating,
        takes=_differentiable,
        recomputes=True,
    ),
    "tf.grad_pass_through": Way(
        "tf.grad_pass_through(lambda {given}: {call})({given})", _first, takes=_unary, factor=1.0
    ),
    "tf.custom_gradient": Way(
        "tf.custom_gradient(lambda {given}: ({call}, lambda dy: 3.0 * dy))({given})",
        _first,
        takes=_unary,
        factor=3.0,
    ),
}
"""By name, the plain one first."""
