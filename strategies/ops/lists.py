"""Arrays and lists of tensors: ``tf.TensorArray``, and the list ops that hold it in functions.

A template makes a list of the rows of an operand, does one thing with it, and makes a tensor again.
"""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from strategies.graphs import Argument, Constant
from strategies.ops.array import hull
from strategies.ops.choices import FLAG, has_elements, keywords, one_of
from strategies.ops.site import Site
from strategies.ops.spec import Call, call, op
from strategies.shapes import Shape
from strategies.tensors import Value
from strategies.values import Interval

ARRAY = "tf.TensorArray({0}.dtype, {1}, {named}).unstack({0})"
CLEARED = keywords("clear_after_read", (True, False))


def or_zero(*values: Value) -> Interval:
    """Bounds of whatever is an element of one of several values, or 0."""
    low, high = hull(*values)
    return min(low, 0.0), max(high, 0.0)


@op("tf.TensorArray.stack", call=ARRAY + ".stack()")
def array_stack(site: Site) -> Call:
    """All rows, put into an array and taken out together."""
    x = site.operand(min_rank=1, fits=has_elements)
    return call(x, x.shape[0], **site.draw(CLEARED, "keywords"), result=x.type)


@op("tf.TensorArray.read", call=ARRAY + ".read({2})")
def array_read(site: Site) -> Call:
    """One row."""
    x = site.operand(min_rank=1, fits=has_elements)
    named = site.draw(CLEARED, "keywords")
    place = site.draw(one_of(*range(x.shape[0])), "index")
    return call(x, x.shape[0], place, **named, result=x.type.like(x.shape[1:]))


@cache
def _rows(side: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Some of the rows, in any order, one of them twice."""
    return st.sampled_from([(0,), (side - 1, 0, 0), tuple(range(side)), tuple(range(side))[::-1]])


@op("tf.TensorArray.gather", call=ARRAY + ".gather({2})")
def array_gather(site: Site) -> Call:
    """Some rows, also the same one twice."""
    x = site.operand(min_rank=1, fits=has_elements)
    rows = site.draw(_rows(x.shape[0]), "indices")
    # what was read once is cleared, unless it is said that it is not
    result = x.type.like((len(rows), *x.shape[1:]))
    return call(x, x.shape[0], rows, clear_after_read=False, result=result)


@op(
    "tf.TensorArray.write",
    call="tf.TensorArray({0}.dtype, {2}, {named}).write({3}, {0}).write({4}, {1}).stack()",
)
def array_write(site: Site) -> Call:
    """Two tensors written one by one; a size that grows, or is known."""
    x = site.operand(max_rank=3)
    y = site.operand(shape=x.shape)
    first = site.draw(one_of(0, 1), "index")
    dynamic = site.draw(FLAG, "dynamic_size")
    named: dict[str, Argument] = {"dynamic_size": True} if dynamic else {}
    size = 0 if dynamic and not first else 2
    result = x.type.like((2, *x.shape), hull(x, y))
    return call(x, y, size, first, 1 - first, **named, result=result)


@cache
def _orders(side: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Every place once."""
    rows = tuple(range(side))
    return st.sampled_from(list(dict.fromkeys([rows, rows[::-1], (*rows[1:], *rows[:1])])))


@op("tf.TensorArray.scatter", call="tf.TensorArray({0}.dtype, {1}).scatter({2}, {0}).stack()")
def array_scatter(site: Site) -> Call:
    """All rows, in another order."""
    x = site.operand(min_rank=1, fits=has_elements)
    return call(x, x.shape[0], site.draw(_orders(x.shape[0]), "indices"), result=x.type)


@cache
def _lengths(side: int) -> st.SearchStrategy[tuple[int, ...]]:
    """How long each part is; one of them may have none."""
    half = side // 2
    several = [(side,), (half, side - half), (side - half, half), (side, 0), (1, 0, side - 1)]
    return st.sampled_from(list(dict.fromkeys(several)))


@op(
    "tf.TensorArray.concat",
    call="tf.TensorArray({0}.dtype, {1}, infer_shape=False).split({0}, {2}).concat()",
)
def array_concat(site: Site) -> Call:
    """Parts of several lengths, and all of them again."""
    x = site.operand(min_rank=1, fits=has_elements)
    lengths = site.draw(_lengths(x.shape[0]), "lengths")
    return call(x, len(lengths), Constant(lengths, "int32"), result=x.type)


LIST = "tf.raw_ops.TensorListFromTensor(tensor={0}, element_shape={1})"
"""The rows of the first operand as a list."""


def stacked(handle: str, more: str = "") -> str:
    """A template: a list made a tensor again."""
    return (
        f"tf.raw_ops.TensorListStack(input_handle={handle}, element_shape={{1}}, "
        f"element_dtype={{0}}.dtype{more})"
    )


def element_shape(site: Site, shape: Shape) -> Argument:
    """The shape of the elements as it is told: all of it, or nothing."""
    unknown = site.draw(FLAG, "element shape unknown")
    return Constant(-1 if unknown else shape, "int32")


def _list(site: Site) -> tuple[Value, Argument]:
    """What a list is made of, and the shape of its elements as it is told."""
    x = site.operand(min_rank=1, fits=has_elements, max_rank=4)
    return x, element_shape(site, x.shape[1:])


@op("tf.raw_ops.TensorListStack", call=stacked(LIST, ", {named}"))
def list_stack(site: Site) -> Call:
    """All elements."""
    x, shape = _list(site)
    named = site.draw(keywords("num_elements", (-1, x.shape[0])), "num_elements")
    return call(x, shape, **named, result=x.type)


@op(
    "tf.raw_ops.TensorListGather",
    call=f"tf.raw_ops.TensorListGather(input_handle={LIST}, indices={{2}}, element_shape={{1}}, "
    "element_dtype={0}.dtype)",
)
def list_gather(site: Site) -> Call:
    """Some elements, also the same one twice."""
    x, shape = _list(site)
    rows = site.draw(_rows(x.shape[0]), "indices")
    return call(x, shape, rows, result=x.type.like((len(rows), *x.shape[1:])))


@op(
    "tf.raw_ops.TensorListGetItem",
    call=f"tf.raw_ops.TensorListGetItem(input_handle={LIST}, index={{2}}, element_shape={{1}}, "
    "element_dtype={0}.dtype)",
)
def list_get_item(site: Site) -> Call:
    """One element."""
    x, shape = _list(site)
    place = site.draw(one_of(*range(x.shape[0])), "index")
    return call(x, shape, place, result=x.type.like(x.shape[1:]))


@op(
    "tf.raw_ops.TensorListSetItem",
    call=stacked(f"tf.raw_ops.TensorListSetItem(input_handle={LIST}, index={{3}}, item={{2}})"),
)
def list_set_item(site: Site) -> Call:
    """One element replaced."""
    x, shape = _list(site)
    y = site.operand(shape=x.shape[1:])
    place = site.draw(one_of(*range(x.shape[0])), "index")
    return call(x, shape, y, place, result=x.type.like(bounds=hull(x, y)))


@op(
    "tf.raw_ops.TensorListPushBack",
    call=stacked(f"tf.raw_ops.TensorListPushBack(input_handle={LIST}, tensor={{2}})"),
    alone=True,  # compiled by XLA, the gradient of the list stays as long as it has become
)
def list_push_back(site: Site) -> Call:
    """One element more."""
    x, shape = _list(site)
    y = site.operand(shape=x.shape[1:])
    result = x.type.like((x.shape[0] + 1, *x.shape[1:]), hull(x, y))
    return call(x, shape, y, result=result)


@op(
    "tf.raw_ops.TensorListPopBack",
    call=f"(lambda popped: [popped[1], {stacked('popped[0]')}])(tf.raw_ops.TensorListPopBack("
    f"input_handle={LIST}, element_shape={{1}}, element_dtype={{0}}.dtype))",
    alone=True,  # compiled by XLA, what is left is stacked as long as it was
)
def list_pop_back(site: Site) -> Call:
    """The last element, and those that are left; the shape of these is told, as none may be."""
    x = site.operand(min_rank=1, fits=has_elements, max_rank=4)
    left = x.type.like((x.shape[0] - 1, *x.shape[1:]))
    shape = Constant(x.shape[1:], "int32")
    return call(x, shape, result=[x.type.like(x.shape[1:]), left])


@op(
    "tf.raw_ops.TensorListResize",
    call=stacked(f"tf.raw_ops.TensorListResize(input_handle={LIST}, size={{2}})"),
)
def list_resize(site: Site) -> Call:
    """Fewer elements, or more, which are zeros."""
    x = site.operand(min_rank=1, fits=has_elements, max_rank=4)
    size = site.draw(one_of(1, 2, 0, 5), "size")
    shape = Constant(x.shape[1:], "int32")  # told, as nothing but zeros may be left
    return call(x, shape, size, result=x.type.like((size, *x.shape[1:]), or_zero(x)))


@op(
    "tf.raw_ops.TensorListScatter",
    call=stacked("tf.raw_ops.TensorListScatter(tensor={0}, indices={2}, element_shape={1})"),
)
def list_scatter(site: Site) -> Call:
    """The rows of a tensor as elements, in another order."""
    x, shape = _list(site)
    return call(x, shape, site.draw(_orders(x.shape[0]), "indices"), result=x.type)


@op(
    "tf.raw_ops.TensorListScatterV2",
    call=stacked(
        "tf.raw_ops.TensorListScatterV2(tensor={0}, indices={2}, element_shape={1}, "
        "num_elements={3})"
    ),
)
def list_scatter_v2(site: Site) -> Call:
    """The same, with more elements than there are rows; those are zeros."""
    x, shape = _list(site)
    order = site.draw(_orders(x.shape[0]), "indices")
    more = site.draw(one_of(0, 1, -1), "more elements")
    size = x.shape[0] + more if more > 0 else -1 if more else x.shape[0]
    out = x.type.like((x.shape[0] + max(more, 0), *x.shape[1:]), or_zero(x))
    return call(x, shape, order, size, result=out)


@op(
    "tf.raw_ops.TensorListScatterIntoExistingList",
    call=stacked(
        f"tf.raw_ops.TensorListScatterIntoExistingList(input_handle={LIST}, tensor={{2}}, "
        "indices={3})"
    ),
)
def list_scatter_into(site: Site) -> Call:
    """Some elements replaced by the rows of another tensor."""
    x, shape = _list(site)
    count = site.draw(one_of(*range(1, x.shape[0] + 1)), "rows")
    y = site.operand(shape=(count, *x.shape[1:]))
    rows = site.draw(_orders(x.shape[0]), "indices")[:count]
    return call(x, shape, y, rows, result=x.type.like(bounds=hull(x, y)))


SPLIT = "tf.raw_ops.TensorListSplit(tensor={0}, element_shape={1}, lengths={2})"


def _parts(site: Site) -> tuple[Value, Argument, Argument, int]:
    """What is split, the shape of its parts as far as all share it, their lengths and number."""
    x = site.operand(min_rank=1, fits=has_elements)
    lengths = site.draw(_lengths(x.shape[0]), "lengths")
    shape = Constant((-1, *x.shape[1:]), "int32")
    return x, shape, Constant(lengths, "int64"), len(lengths)


@op(
    "tf.raw_ops.TensorListConcat",
    call=f"tf.raw_ops.TensorListConcat(input_handle={SPLIT}, element_dtype={{0}}.dtype)[0]",
)
def list_concat(site: Site) -> Call:
    """Parts of several lengths, and all of them again."""
    x, *rest, _ = _parts(site)
    return call(x, *rest, result=x.type)


@op(
    "tf.raw_ops.TensorListConcatV2",
    call=f"tf.raw_ops.TensorListConcatV2(input_handle={SPLIT}, element_shape={{1}}, "
    "leading_dims={3}, element_dtype={0}.dtype)[0]",
)
def list_concat_v2(site: Site) -> Call:
    """The same, told the shape of the parts."""
    x, *rest, _ = _parts(site)
    return call(x, *rest, Constant((), "int64"), result=x.type)
