"""Control flow: one branch of several, loops, Python called from a graph, and optionals.

Eagerly the first three are plain Python; the ops of the same name are what functions hold. A branch
or a body that has an effect, such as an assertion, makes them other ops than one that has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from strategies.ops.choices import one_of
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, around_zero, call, op
from strategies.tensors import Value
from strategies.values import Domain, Interval

EFFECT = '(tf.debugging.Assert(True, [""]), {})[1]'
"""Python that has an effect, which needs a function to hold it, and then is what it wraps."""
SMALL = Domain(-2.0, 2.0)
TIMES = 3
"""How often a loop runs at most."""


def _product(*values: Value) -> Interval:
    """Bounds of a product, of a sum and of a difference."""
    return around_zero(max(math.prod(v.bound for v in values), sum(v.bound for v in values)))


def both(name: str, parts: tuple[str, str, str], build: Callable[[Site], Call]) -> tuple[Op, Op]:
    """Register an op and the same with an effect in the middle one of its template's parts."""
    before, inner, after = parts
    plain = op(name, call=before + inner + after)(build)
    effect = before + EFFECT.format(inner) + after
    return plain, op(f"{name} with an effect", call=effect)(build)


def cond(site: Site) -> Call:
    """One of two branches, which share an operand; a bool that comes at run time decides."""
    x = site.operand()
    which = site.indices(((),), 0, 1)
    y = site.operand(shape=x.shape)
    return call(x, which, y, result=x.type.like(bounds=_product(x, y)))


both("tf.cond", ("tf.cond({1} == 0, lambda: ", "{0} * {2}", ", lambda: {0} - {2})"), cond)


def switch_case(site: Site) -> Call:
    """One of three branches by a number; where there is none of that number, the last."""
    x = site.operand()
    which = site.indices(((),), -1, 3)
    y = site.operand(shape=x.shape)
    return call(x, which, y, result=x.type.like(bounds=_product(x, y)))


both(
    "tf.switch_case",
    (
        "tf.switch_case(tf.cast({1}, tf.int32), [lambda: {0} + {2}, lambda: ",
        "{0} * {2}",
        ", lambda: {0} - {2}])",
    ),
    switch_case,
)


def while_loop(site: Site) -> Call:
    """As many products as a number says that comes at run time, and at most three."""
    x = site.operand()
    times = site.indices(((),), 1, TIMES)  # with none, the operand itself comes back
    factor = site.operand(shape=x.shape, domain=SMALL)
    parallel = site.draw(one_of(10, 1), "parallel_iterations")
    bounds = around_zero(x.bound * max(factor.bound, 1.0) ** TIMES)
    named = {"maximum_iterations": TIMES, "parallel_iterations": parallel}
    return call(x, times, factor, **named, result=x.type.like(bounds=bounds))


both(
    "tf.while_loop",
    (
        "tf.while_loop(lambda i, a: i < tf.cast({1}, tf.int32), lambda i, a: ",
        "[i + 1, a * {2}]",
        ", [0, {0}], {named})[1]",
    ),
    while_loop,
)


@op(
    "tf.py_function",
    call="tf.py_function(lambda a, b: a * b, [{0}, {1}], {0}.dtype)",
    alone=True,  # its gradient can be asked for once
)
def py_function(site: Site) -> Call:
    """Python, also from inside a graph, of which no shape is known there."""
    x = site.operand()
    y = site.operand(shape=x.shape)
    return call(x, y, result=x.type.like(bounds=_product(x, y)))


@op(
    "tf.experimental.Optional",
    call="tf.experimental.Optional.from_value(tf.convert_to_tensor({0})).get_value()",
)
def optional(site: Site) -> Call:
    """A tensor put into an optional and taken out of it; a Variable would go in there itself."""
    x = site.operand()
    return call(x, result=x.type)


VARIANT = "tf.raw_ops.CompositeTensorVariantFromComponents(components=[{0}, {1}], metadata='')"


@op(
    "tf.raw_ops.CompositeTensorVariantToComponents",
    call=f"tf.raw_ops.CompositeTensorVariantToComponents(encoded={VARIANT}, metadata='', "
    "Tcomponents=[{0}.dtype, {1}.dtype])",
)
def composite_tensor_variant(site: Site) -> Call:
    """Tensors put into a variant together and taken out of it."""
    x = site.operand()
    y = site.operand()
    return call(x, y, result=[x.type, y.type])
