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


class Registry(dict[str, Any]):
    """A registry that notes what is looked up in it.

    Attributes:
        differentiable: the types of ops that TensorFlow has a gradient function for, sorted; not
            those that are declared to have none, nor what a program registers.
        modules: for each of them, the module that its function is of.
    """

    def __init__(self, entries: Mapping[str, Any]) -> None:
        super().__init__(entries)
        self.differentiable = tuple(sorted(name for name in entries if entries[name]["type"]))
        self.modules = {
            name: str(getattr(entries[name]["type"], "__module__", "") or "unknown")
            for name in self.differentiable
        }
        self._found: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self._found.add(name)
        return super().__getitem__(name)

    def take(self) -> set[str]:
        """Of the differentiable types those whose functions ran since this was asked before."""
        found = self._found.intersection(self.differentiable)
        self._found.clear()
        return found


@cache
def registry() -> Registry:
    """The registry of this process's TensorFlow, which notes from now on."""
    tensorflow()
    theirs = importlib.import_module("tensorflow.python.framework.ops").gradient_registry
    noting = Registry(theirs._registry)  # noqa: SLF001 - there is no public way
    theirs._registry = noting  # noqa: SLF001
    return noting
