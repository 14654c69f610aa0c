"""Nests of things: what ``tf.nest`` packs, as data.

A structure is a leaf, or a :class:`Nest` of structures. Leaves are whatever the user of this module
says, as long as they are not nests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from hypothesis import strategies as st

from strategies.ops.site import Draw

L = TypeVar("L")
L_co = TypeVar("L_co", covariant=True)

KEYS: Final = "abcdefghijkl"
NAMED: Final = "Pair"
"""The kind of a namedtuple of two, whose fields are the first two keys."""


@dataclass(frozen=True)
class Nest(Generic[L_co]):
    """A list, tuple, dict or namedtuple; keys and fields are ``a``, ``b``, ... in this order."""

    kind: str
    items: tuple[L_co | Nest[L_co], ...]


Structure: TypeAlias = L | Nest[L]


def leaves(structure: Structure[L]) -> Iterator[L]:
    """The leaves from left to right, as ``tf.nest.flatten`` gives them."""
    if isinstance(structure, Nest):
        for item in structure.items:
            yield from leaves(item)
    else:
        yield structure


def paths(structure: Structure[Any]) -> Iterator[str]:
    """What stands after the name of a structure for each of its leaves: ``[0]['a']``."""
    if not isinstance(structure, Nest):
        yield ""
        return
    for number, item in enumerate(structure.items):
        match structure.kind:
            case "list" | "tuple":
                step = f"[{number}]"
            case "dict":
                step = f"['{KEYS[number]}']"
            case _:
                step = f".{KEYS[number]}"
        yield from (step + path for path in paths(item))


def show(structure: Structure[L], leaf: Callable[[L], str]) -> str:
    """The structure as Python source."""
    if not isinstance(structure, Nest):
        return leaf(structure)
    items = [show(item, leaf) for item in structure.items]
    match structure.kind:
        case "list":
            return f"[{', '.join(items)}]"
        case "tuple":
            return f"({', '.join(items)}{',' * (len(items) == 1)})"
        case "dict":
            pairs = [f"'{key}': {item}" for key, item in zip(KEYS, items, strict=False)]
            return f"{{{', '.join(pairs)}}}"
        case name:
            return f"{name}({', '.join(items)})"


def skeleton(value: Any, leaf: Callable[[Any], L]) -> Structure[L]:
    """The structure of a real list, tuple, dict or namedtuple; anything else is a leaf."""
    if isinstance(value, dict):
        return Nest("dict", tuple(skeleton(value[key], leaf) for key in sorted(value)))
    if type(value) in (list, tuple) or hasattr(value, "_fields"):
        return Nest(type(value).__name__, tuple(skeleton(item, leaf) for item in value))
    return leaf(value)


@st.composite
def structures(draw: Draw, items: tuple[Any, ...], *, empty: bool = False) -> Structure[Any]:
    """One of ``items``, or a nest of several of them; the same one may occur twice.

    Shrinks to the first item alone, then to lists before tuples and dicts.

    Args:
        draw: supplied by Hypothesis.
        items: the leaves, simplest first.
        empty: whether a list or tuple of nothing will do, too.
    """
    form = draw(_FORMS if empty else _FULL, "structure")
    if form is None:
        return draw(st.sampled_from(items), "leaf")
    kind, count, inner = form
    found: list[Structure[Any]] = [draw(st.sampled_from(items), "leaf") for _ in range(count)]
    if inner:
        found[:1] = [Nest(inner, tuple(found[:1]))]
    return Nest(kind, tuple(found))


_SHAPES: Final = [
    *(None, None),
    *(("list", count, "") for count in (1, 2, 3, 2, 3)),
    *(("tuple", 2, ""), ("dict", 2, ""), (NAMED, 2, "")),
    *(("dict", 2, "list"), ("list", 2, "dict")),
]
_FULL: Final = st.sampled_from(_SHAPES)
_FORMS: Final = st.sampled_from([*_SHAPES, ("list", 0, ""), ("tuple", 0, ""), ("dict", 0, "")])
