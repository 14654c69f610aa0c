"""TensorFlow's registry of gradient functions, and what is looked up in it.

TensorFlow registers a gradient function for each type of op, and looks it up when a tape or a graph
is differentiated, not before: so what is looked up runs. The registry has no public name.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from conformance.boundary import tensorflow


class _Noting(dict[str, Any]):
    """A registry that notes what is looked up in it."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        super().__init__(entries)
        self.found: set[str] = set()
        self.differentiable = tuple(sorted(name for name in entries if entries[name]["type"]))

    def __getitem__(self, name: str) -> Any:
        self.found.add(name)
        return super().__getitem__(name)


@cache
def _registry() -> _Noting:
    tensorflow()
    registry = importlib.import_module("tensorflow.python.framework.ops").gradient_registry
    noting = _Noting(registry._registry)  # noqa: SLF001 - there is no public way
    registry._registry = noting  # noqa: SLF001
    return noting


def registered() -> tuple[str, ...]:
    """The types of ops that TensorFlow has a gradient function for, sorted.

    Not those that are declared to have none, nor what a program registers.
    """
    return _registry().differentiable


def forget() -> None:
    """Look up anew."""
    _registry().found.clear()


def looked_up() -> set[str]:
    """The types of ops whose gradient functions ran since :func:`forget`."""
    return _registry().found.intersection(registered())
