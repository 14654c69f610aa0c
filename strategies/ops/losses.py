"""Losses, normalisations and recurrent layers of ``tf.nn`` that kernels compute as one."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from hypothesis import strategies as st

from strategies.dtypes import COMPLEX, FLOATS
from strategies.graphs import Constant
from strategies.ops.choices import FLAG, keywords, one_of
from strategies.ops.math import KINK_AT_ZERO, MODEST, UNIT
from strategies.ops.site import Site
from strategies.ops.spec import Call, Op, around_zero, call, op
from strategies.ops.windows import images, is_filled
from strategies.shapes import Shape
from strategies.tensors import TensorType, Value
from strategies.values import GAP, REAL, Domain

SINGLE = ("float32", "float16")
"""What kernels take that have no double precision; bfloat16 is no kernel's in all versions."""


def _loss(logits: Value, axis: int) -> TensorType:
    most = 2 * logits.bound + math.log(logits.shape[axis]) + 1
    shape = logits.shape[:axis] + logits.shape[axis + 1 :]
    return logits.type.like(shape, (0.0, most))


def _has_classes(shape: Shape) -> bool:
    return math.prod(shape) > 0 and shape[-1] > 1


@op(
    "tf.nn.softmax_cross_entropy_with_logits",
    call="tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax({0}, axis={2}), {1}, axis={2})",
    dtypes=FLOATS,
)
def softmax_cross_entropy(site: Site) -> Call:
    """Of labels that are a distribution, as documented; differentiable in both."""
    logits = site.operand(min_rank=1, domain=MODEST, fits=_has_classes)
    labels = site.operand(shape=logits.shape, domain=MODEST)
    axis = site.draw(one_of(-1, *range(logits.rank)), "axis")  # no other may be negative
    return call(labels, logits, axis, result=_loss(logits, axis % logits.rank))


@op("tf.nn.sparse_softmax_cross_entropy_with_logits", dtypes=FLOATS)
def sparse_softmax_cross_entropy(site: Site) -> Call:
    """Of labels that are numbers of classes."""
    logits = site.operand(min_rank=1, domain=MODEST, fits=_has_classes)
    labels = site.indices((logits.shape[:-1],), 0, logits.shape[-1] - 1)
    return call(labels=labels, logits=logits, result=_loss(logits, logits.rank - 1))


Batch = tuple[Shape, tuple[tuple[int, int], ...], tuple[int, ...], tuple[int, ...]]
"""The shape of the logits, the places of the labels, the labels, and the lengths."""

_LABELS: tuple[Batch, ...] = (
    ((2, 1, 3), ((0, 0),), (0,), (2,)),
    ((3, 1, 3), ((0, 0), (0, 1)), (0, 1), (3,)),
    ((4, 1, 3), ((0, 0), (0, 1)), (1, 1), (4,)),
    ((3, 2, 3), ((0, 0), (1, 0), (1, 1)), (1, 0, 1), (3, 2)),
    ((2, 2, 4), ((0, 0), (1, 0)), (2, 0), (2, 1)),
)


@op(
    "tf.raw_ops.CTCLoss",
    call="tf.raw_ops.CTCLoss(inputs={0}, labels_indices={1}, labels_values={2}, "
    "sequence_length={3}, preprocess_collapse_repeated={4}, ctc_merge_repeated={5}).loss",
    dtypes=("float32",),  # the kernel for float64 computes in float32
)
def ctc_loss(site: Site) -> Call:
    """Connectionist temporal classification, of one sequence or two; the last class is blank."""
    shape, *labels = site.draw(one_of(*_LABELS), "labels")
    x = site.operand(shape=shape, domain=UNIT)
    merge = site.draw(FLAG, "ctc_merge_repeated")
    collapse = site.draw(FLAG, "preprocess_collapse_repeated")
    most = shape[0] * (2 * x.bound + 2)
    return call(x, *labels, collapse, merge, result=x.type.like((shape[1],), (0, most)))


@op("tf.nn.local_response_normalization", dtypes=SINGLE)
def local_response_normalization(site: Site) -> Call:
    """Divided by a power of the sum of squares of the channels nearby."""
    fresh = images(2, (2, 1, 4))[:-1]
    x = site.operand(min_rank=4, max_rank=4, domain=MODEST, fits=is_filled, fresh=fresh)
    named: dict[str, Any] = {}
    for name, values in (("depth_radius", (1,)), ("bias", (2.0,)), ("alpha", (0.5,))):
        named |= site.draw(keywords(name, values), name)
    named |= site.draw(keywords("beta", (1.0, 0.75)), "beta")
    return call(x, **named, result=x.type)


def backpropagating(
    name: str, beside: str, domain: Domain = REAL, slope: float = 1.0, **fields: Any
) -> Op:
    """Register the gradient of an activation, an op by itself.

    Args:
        name: its public name.
        beside: the argument that says where the gradient is taken: the features or what came out.
        domain: where its elements must stand.
        slope: the steepest that the activation is.
        **fields: other fields of :class:`Op`.
    """

    def build(site: Site) -> Call:
        where = site.operand(domain=domain)
        g = site.operand(shape=where.shape)
        bounds = slope * min(g.bounds[0], 0.0), slope * max(g.bounds[1], 0.0)
        return call(gradients=g, **{beside: where}, result=g.type.like(bounds=bounds))

    return op(name, dtypes=FLOATS, **fields)(build)


backpropagating("tf.raw_ops.SoftplusGrad", "features")
backpropagating("tf.raw_ops.EluGrad", "outputs", Domain(GAP - 1.0, 4.0, kinks=(0.0,)))
backpropagating("tf.raw_ops.SeluGrad", "outputs", Domain(GAP - 1.75, 4.0, kinks=(0.0,)), 1.765)
# by itself, as it has no gradient before 2.23
backpropagating("tf.raw_ops.SoftsignGrad", "features", KINK_AT_ZERO, alone=True)
backpropagating("tf.raw_ops.ReluGrad", "features", KINK_AT_ZERO, composite=True)
backpropagating("tf.raw_ops.Relu6Grad", "features", Domain(kinks=(0.0, 6.0)), composite=True)


@op("tf.raw_ops.LeakyReluGrad", dtypes=FLOATS, composite=True)
def leaky_relu_grad(site: Site) -> Call:
    """The gradient where features are positive, and a part of it elsewhere."""
    where = site.operand(domain=KINK_AT_ZERO)
    g = site.operand(shape=where.shape)
    alpha = site.draw(keywords("alpha", (0.25, 2.0)), "alpha")
    made = g.type.like(bounds=around_zero(2 * g.bound))
    return call(gradients=g, features=where, **alpha, result=made)


@op("tf.raw_ops.BiasAddV1", dtypes=FLOATS + COMPLEX)
def old_bias_add(site: Site) -> Call:
    """A vector added along the last axis."""
    x = site.operand(min_rank=2)
    bias = site.operand(shape=x.shape[-1:])
    bounds = x.bounds[0] + bias.bounds[0], x.bounds[1] + bias.bounds[1]
    return call(value=x, bias=bias, result=x.type.like(bounds=bounds))


@op("tf.raw_ops.BiasAddGrad", dtypes=FLOATS + COMPLEX)
def bias_add_grad(site: Site) -> Call:
    """Sums over all axes but one."""
    g = site.operand(min_rank=2)
    layouts = ("NHWC", "NCHW") if g.rank > 2 else ("NHWC",)  # noqa: PLR2004 - batch, C, space
    layout = site.draw(keywords("data_format", layouts), "data_format")
    side = g.shape[1 if layout.get("data_format") == "NCHW" else -1]
    bounds = around_zero(g.bound * g.size)
    return call(out_backprop=g, **layout, result=g.type.like((side,), bounds))


Statistics = tuple[tuple[float, ...], tuple[float, ...]]


@cache
def _statistics(channels: int) -> st.SearchStrategy[Statistics]:
    """The mean and the variance of each channel; none of a batch that is trained on."""
    known = (0.5, -0.25, 1.0, 0.0)[:channels], (0.5, 2.0, 1.0, 4.0)[:channels]
    return st.sampled_from([((), ()), known])


def _batch(site: Site, rank: int) -> Value:
    """Images with at least two elements in each channel."""
    fresh = tuple(s for s in images(rank) if math.prod(s[:-1]) > 1)
    axes = rank + 2
    return site.operand(min_rank=axes, max_rank=axes, domain=MODEST, fits=_varies, fresh=fresh)


def _varies(shape: Shape) -> bool:
    return is_filled(shape) and math.prod(shape[:-1]) > 1 and shape[-1] <= 4  # noqa: PLR2004


_NORMAL = (
    "{name}(x={x}, scale={s}, offset={b}, mean={{3}}, variance={{4}}, epsilon={{5}}, "
    "is_training={{6}}, data_format={{7}})"
)
_EPSILONS = (1e-3, 0.5)


def _normalized(
    site: Site, rank: int
) -> tuple[Value, Value, tuple[float, ...], tuple[float, ...], float, bool, str]:
    """What all of them take: images, the scale of each channel, and how they are normalised."""
    x = _batch(site, rank)
    scale = site.operand(shape=x.shape[-1:], domain=MODEST, dtype="float32")
    mean, variance = site.draw(_statistics(x.shape[-1]), "mean and variance")
    epsilon = site.draw(one_of(*_EPSILONS), "epsilon")
    layout = "NHWC" if rank == 2 else "NDHWC"  # noqa: PLR2004 - images
    return x, scale, mean, variance, epsilon, not mean, layout


def batch_norm(name: str, *, volumes: bool = False, **fields: Any) -> Op:
    """Register a batch normalisation; what its kernel gives beside the result is not offered."""

    def build(site: Site) -> Call:
        rank = 3 if volumes and site.draw(FLAG, "volumes") else 2
        x, scale, *rest = _normalized(site, rank)
        offset = site.operand(shape=scale.shape, domain=MODEST, dtype="float32")
        widest = max(math.sqrt(x.size), 2 * x.bound + 2)
        bounds = around_zero(scale.bound * widest + offset.bound)
        return call(x, scale, offset, *rest, result=x.type.like(bounds=bounds))

    text = _NORMAL.format(name=name, x="{0}", s="{1}", b="{2}") + ".y"
    return op(name, **{"call": text, "dtypes": SINGLE, **fields})(build)


batch_norm("tf.raw_ops.FusedBatchNorm", dtypes=("float32",))
batch_norm("tf.raw_ops.FusedBatchNormV2")
batch_norm("tf.raw_ops.FusedBatchNormV3", volumes=True)


# alone, as what comes back through the mean and the variance is known to be dropped
@op(
    "tf.compat.v1.nn.fused_batch_norm",
    dtypes=("float32",),
    alone=True,
    rough="its gradient is at fault nearly everywhere: what is left to decide is a check or two",
)
def fused_batch_norm(site: Site) -> Call:
    """The normalised batch, its mean and its variance."""
    x = _batch(site, 2)
    scale = site.operand(shape=x.shape[-1:], domain=MODEST)
    offset = site.operand(shape=x.shape[-1:], domain=MODEST)
    named = site.draw(keywords("epsilon", _EPSILONS), "epsilon")
    bounds = around_zero(scale.bound * math.sqrt(x.size) + offset.bound)
    mean = x.type.like(scale.shape)
    results = [x.type.like(bounds=bounds), mean, mean.like(bounds=(0.0, 2 * x.bound**2))]
    return call(x, scale, offset, **named, result=results)


def batch_norm_grad(version: str, **fields: Any) -> Op:
    """Register the gradient of a batch normalisation, an op by itself."""
    of = f"tf.raw_ops.FusedBatchNorm{version}"
    name = f"tf.raw_ops.FusedBatchNormGrad{version}"
    inner = _NORMAL.format(name=of, x="{1}", s="{2}", b="{2}")
    # of a batch that is trained on, its mean and variance; else those that are given
    known = [f"reserve_space_1={{3}} or {inner}.reserve_space_1"]
    known += [f"reserve_space_2={{4}} or {inner}.reserve_space_2"]
    known += [f"reserve_space_3={inner}.reserve_space_3"] * (version == "V3")
    reserves = ", ".join(known)
    text = (
        f"{name}(y_backprop={{0}}, x={{1}}, scale={{2}}, {reserves}, epsilon={{5}}, "
        "is_training={6}, data_format={7})[:3]"
    )

    def build(site: Site) -> Call:
        x, scale, *rest = _normalized(site, 2)
        g = site.operand(shape=x.shape, domain=MODEST)
        most = g.bound * x.size * max(math.sqrt(x.size), 2 * x.bound + 2)
        sums = scale.type.like(bounds=around_zero(most))
        steep = x.type.like(bounds=around_zero(scale.bound * most * 64))
        return call(g, x, scale, *rest, result=[steep, sums, sums])

    return op(name, **{"call": text, "dtypes": SINGLE, **fields})(build)


batch_norm_grad("", dtypes=("float32",))
batch_norm_grad("V2")
batch_norm_grad("V3")


@cache
def _sequences() -> st.SearchStrategy[tuple[int, int, int, int, int]]:
    """Time steps, those used, and the sizes of batch, inputs and cells."""
    table = [
        (t, t - u, b, i, c)
        for t in (1, 2)
        for u in (0, 1)
        for b in (1, 2)
        for i in (1, 2)
        for c in (1, 2)
    ]
    return st.sampled_from([sizes for sizes in table if sizes[1]])


def lstm(name: str, **fields: Any) -> Op:
    """Register the recurrent layer: the states of its cells and its outputs, step by step.

    What else its kernel gives is for its gradient alone. The states of cells stay below 3, where
    they are clipped unless an attribute says otherwise: the gradient does not know of it.
    """
    names = ("seq_len_max", "x", "cs_prev", "h_prev", "w", "wci", "wcf", "wco", "b", "use_peephole")
    parts = ", ".join(f"{part}={{{i}}}" for i, part in enumerate(names))
    text = f"(lambda r: [r.cs, r.h])({name}({parts}))"

    def build(site: Site) -> Call:
        steps, used, batch, inputs, cells = site.draw(_sequences(), "sizes")
        states = (batch, cells)
        x = site.operand(shape=(steps, batch, inputs), domain=UNIT)
        before, h = (site.operand(shape=states, domain=UNIT) for _ in range(2))
        w = site.operand(shape=(inputs + cells, 4 * cells), domain=UNIT)
        peepholes = [site.operand(shape=(cells,), domain=UNIT) for _ in range(3)]
        b = site.operand(shape=(4 * cells,), domain=UNIT)
        peephole = site.draw(FLAG, "use_peephole")
        result = x.type.like((steps, *states), (-1, 1))
        most = around_zero(before.bound + steps)
        given = Constant(used, "int64")
        return call(
            given,
            x,
            before,
            h,
            w,
            *peepholes,
            b,
            peephole,
            result=[result.like(bounds=most), result],
        )

    return op(name, call=text, dtypes=SINGLE, **fields)(build)


lstm("tf.raw_ops.BlockLSTM")
lstm("tf.raw_ops.BlockLSTMV2", alone=True)
