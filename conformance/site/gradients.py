"""Gradients: what became of each op, and of each gradient function that TensorFlow registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from conformance.coverage import STATES
from conformance.site.atlas import Atlas
from conformance.site.verdicts import overall

UNKNOWN: Final = "elsewhere"
"""The module of functions whose record does not tell it."""


@dataclass(frozen=True)
class Op:
    """An op in all versions.

    Attributes:
        name: its public name.
        verdicts: by version, of all contracts about it, in all modes together.
        failing: the contracts that deviate, are violated or crash, each with the versions.
    """

    name: str
    verdicts: Mapping[str, str]
    failing: Mapping[str, Sequence[str]]

    @property
    def short(self) -> str:
        """Its name within its namespace."""
        return self.name.removeprefix(f"{namespace(self.name)}.")

    def heat(self, version: str) -> int:
        """How many contracts fail about it in a version, in whatever way."""
        return sum(version in versions for versions in self.failing.values())


@dataclass(frozen=True)
class Function:
    """A registered gradient function in all versions.

    Attributes:
        name: the type of op.
        states: by version one of coverage's states, and absent where it is not registered.
        by: the contracts that verified it, of the newest version that has it.
        why: why nothing can reach it there; empty if something can.
    """

    name: str
    states: Mapping[str, str]
    by: Sequence[str]
    why: str


def namespace(op: str) -> str:
    """The namespace of a public name: tf.math of tf.math.sin, tf.raw_ops of tf.raw_ops.X."""
    return op.rpartition(".")[0]


def grid(atlas: Atlas) -> dict[str, list[Op]]:
    """What became of each op, by namespace."""
    found: dict[str, dict[str, list[str]]] = {}
    failing: dict[str, dict[str, list[str]]] = {}
    for entry in atlas.entries.values():
        if entry.chapter.name == "documentation":
            continue  # its subjects are docstrings
        for subject, verdicts in entry.by_subject.items():
            op = subject.partition("(")[0]
            if not op.startswith("tf."):
                continue
            by_version = found.setdefault(op, {})
            for version, verdict in verdicts.items():
                by_version.setdefault(version, []).append(verdict)
                if verdict in ("violated", "crashed", "deviates"):
                    failing.setdefault(op, {}).setdefault(entry.id, []).append(version)
    grouped: dict[str, list[Op]] = {}
    for name in sorted(found, key=lambda name: (namespace(name), name)):
        verdicts = {version: overall(of) for version, of in found[name].items()}
        op_ = Op(name, verdicts, failing.get(name, {}))
        grouped.setdefault(namespace(name), []).append(op_)
    return grouped


def functions(atlas: Atlas) -> dict[str, list[Function]]:
    """The registered gradient functions, by the module of TensorFlow that registers them."""
    newest: dict[str, Mapping[str, Any]] = {}
    states: dict[str, dict[str, str]] = {}
    modules: dict[str, str] = {}
    for version in atlas.versions:
        for one in version.reading.data["gradients"]:
            newest[one["name"]] = one
            states.setdefault(one["name"], {})[version.name] = one["state"]
            if one.get("module"):
                modules[one["name"]] = one["module"].removeprefix("tensorflow.python.")
    grouped: dict[str, list[Function]] = {}
    for name in sorted(newest, key=lambda name: (modules.get(name, "~"), name)):
        one = newest[name]
        function = Function(name, states[name], one["by"], one["out_of_reach"])
        grouped.setdefault(modules.get(name, UNKNOWN), []).append(function)
    return grouped


def counts(functions_: Sequence[Function], version: str) -> dict[str, int]:
    """How many functions are in each state in a version."""
    states = [one.states.get(version) for one in functions_]
    return {state: states.count(state) for state in STATES}
