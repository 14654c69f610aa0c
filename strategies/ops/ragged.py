"""Ragged tensors: a template makes one of rows of an operand, and the result dense again."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from strategies.graphs import Argument, Constant
from strategies.ops.array import hull
from strategies.ops.choices import FLAG, one_of
from strategies.ops.lists import or_zero
from strategies.ops.site import Site
from strategies.ops.spec import Call, around_zero, call, op
from strategies.tensors import Value

Lengths = tuple[int, ...]
RAGGED = "tf.RaggedTensor.from_row_lengths({0}, {1})"


def _has_row_shape(shape: tuple[int, ...]) -> bool:
    return 0 not in shape[1:]


@cache
def _row_lengths(count: int) -> st.SearchStrategy[Lengths]:
    """How long each row is, some of them empty, of so many values altogether."""
    half = count // 2
    several = [(count,), (half, count - half), (0, count), (count, 0, 0), (1,) * count]
    return st.sampled_from(list(dict.fromkeys(several)))


def _ragged(site: Site, max_rank: int = 4) -> tuple[Value, Lengths, Constant]:
    """The values of a ragged tensor, the lengths of its rows, and these as an argument."""
    x = site.operand(min_rank=1, max_rank=max_rank, fits=_has_row_shape)
    lengths = site.draw(_row_lengths(x.shape[0]), "row lengths")
    return x, lengths, Constant(lengths, site.draw(one_of("int64", "int32"), "lengths given as"))


@cache
def _limits(longest: int) -> st.SearchStrategy[int | None]:
    """How many columns there are to be: as many as needed, more, or fewer."""
    return st.sampled_from([None, longest + 1, max(longest - 1, 0)])


@op("tf.RaggedTensor.to_tensor", call=f"{RAGGED}.to_tensor({{named}})")
def to_tensor(site: Site) -> Call:
    """Rows filled up with zeros or another tensor's element, or cut off."""
    x, lengths, given = _ragged(site)
    longest = max(lengths, default=0)
    limit = site.draw(_limits(longest), "columns")
    named: dict[str, Argument] = {} if limit is None else {"shape": (None, limit, *x.shape[1:])}
    bounds = or_zero(x)
    if site.draw(FLAG, "default_value"):
        default = site.operand(shape=())
        bounds = hull(x, default)
        named["default_value"] = default  # type: ignore[assignment]
    shape = (len(lengths), longest if limit is None else limit, *x.shape[1:])
    return call(x, given, **named, result=x.type.like(shape, bounds))


@op("tf.RaggedTensor.to_sparse", call=f"tf.sparse.to_dense({RAGGED}.to_sparse())")
def to_sparse(site: Site) -> Call:
    """Made sparse, and then dense."""
    x, lengths, given = _ragged(site, max_rank=1)
    shape = (len(lengths), max(lengths, default=0))
    return call(x, given, result=x.type.like(shape, or_zero(x)))


@op(
    "tf.map_fn(ragged)",
    call=f"tf.map_fn(tf.reduce_sum, {RAGGED}, fn_output_signature={{0}}.dtype)",
    composite=True,
)
def map_rows(site: Site) -> Call:
    """The sum of each row, one row after the other."""
    x, lengths, given = _ragged(site, max_rank=1)
    if not lengths:  # a loop that never runs connects nothing
        lengths, given = (0,), Constant((0,), given.dtype)
    bounds = around_zero(x.bound * max(x.size, 1))
    return call(x, given, result=x.type.like((len(lengths),), bounds))


@cache
def _rows(count: int) -> st.SearchStrategy[Lengths]:
    return st.sampled_from([(0,), (count - 1, 0, 0), tuple(range(count))[::-1], ()])


@op(
    "tf.raw_ops.RaggedGather",
    call="tf.raw_ops.RaggedGather(params_nested_splits=[{1}], params_dense_values={0}, "
    "indices={2}, OUTPUT_RAGGED_RANK=1)[1]",
)
def gather(site: Site) -> Call:
    """The values of some rows, also those of one twice."""
    x, lengths, given = _ragged(site)
    rows = site.draw(_rows(len(lengths)), "indices") if lengths else ()
    count = sum(lengths[row] for row in rows)
    splits = Constant(_splits(lengths), given.dtype)
    indices = Constant(rows, site.draw(one_of("int32", "int64"), "indices given as"))
    return call(x, splits, indices, result=x.type.like((count, *x.shape[1:])))


def _splits(lengths: Lengths) -> Lengths:
    """Where each row begins, and where the last one ends."""
    return tuple(sum(lengths[:k]) for k in range(len(lengths) + 1))


VARIANT = (
    "tf.raw_ops.RaggedTensorToVariant(rt_nested_splits=[{1}], rt_dense_values={0}, "
    "batched_input={2})"
)


@op(
    "tf.raw_ops.RaggedTensorFromVariant",
    call=f"tf.raw_ops.RaggedTensorFromVariant(encoded_ragged={VARIANT}, "
    "input_ragged_rank={3}, "
    "output_ragged_rank=1, Tvalues={0}.dtype, Tsplits={1}.dtype)[1]",
)
def from_variant(site: Site) -> Call:
    """The values of a ragged tensor that was put into a variant, or its rows into one each."""
    x, lengths, given = _ragged(site)
    single = site.draw(FLAG, "a variant a row")
    splits = Constant(_splits(lengths), given.dtype)
    # of no rows there is no variant that could tell the other sides
    shape = x.shape if single or lengths else (0,)
    return call(x, splits, not single, int(single), result=x.type.like(shape))


@op(
    "tf.raw_ops.RaggedFillEmptyRows",
    call="tf.raw_ops.RaggedFillEmptyRows(value_rowids={1}, values={0}, nrows={2}, "
    "default_value={3})[1]",
    since=(2, 13),
)
def fill_empty_rows(site: Site) -> Call:
    """The values, with a default for each row that has none."""
    x, lengths, _ = _ragged(site, max_rank=1)
    rows = tuple(row for row, length in enumerate(lengths) for _ in range(length))
    default = site.operand(shape=())
    count = Constant(len(lengths), "int64")
    size = sum(max(length, 1) for length in lengths)
    result = x.type.like((size,), hull(x, default))
    return call(x, Constant(rows, "int64"), count, default, result=result)
