"""Gradients: what became of each op, and of each gradient function that TensorFlow registers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from conformance.coverage import STATES
from conformance.record import Outcome
from conformance.site.atlas import Atlas
from conformance.site.verdicts import overall
from conformance.site.versions import Version

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
        verdicts: by version, of all contracts about its ops, in all modes together.
        ops: in the newest version that has it, those that run it beside as few others as any.
        by: the contracts that verified it there.
        why: why nothing can reach it there; empty if something can.
    """

    name: str
    states: Mapping[str, str]
    verdicts: Mapping[str, str]
    ops: Sequence[str]
    by: Sequence[str]
    why: str


def namespace(op: str) -> str:
    """The namespace of a public name: tf.math of tf.math.sin, tf.raw_ops of tf.raw_ops.X."""
    return op.rpartition(".")[0]


def grid(atlas: Atlas) -> dict[str, list[Op]]:
    """What became of each op, by namespace."""
    found: dict[str, dict[str, list[str]]] = {}
    failing: dict[str, dict[str, list[str]]] = {}
    for contract, subject, version, verdict in _cells(atlas):
        op = subject.partition("(")[0]
        if not op.startswith("tf."):
            continue
        found.setdefault(op, {}).setdefault(version, []).append(verdict)
        if verdict in ("violated", "crashed", "deviates"):
            failing.setdefault(op, {}).setdefault(contract, []).append(version)
    grouped: dict[str, list[Op]] = {}
    for name in sorted(found, key=lambda name: (namespace(name), name)):
        verdicts = {version: overall(of) for version, of in found[name].items()}
        op_ = Op(name, verdicts, failing.get(name, {}))
        grouped.setdefault(namespace(name), []).append(op_)
    return grouped


def _cells(atlas: Atlas) -> Iterator[tuple[str, str, str, str]]:
    """Contract, subject, version, and the verdict in a mode as far as it is the subject's."""
    for entry in atlas.entries.values():
        if entry.chapter.name == "documentation":
            continue  # its subjects are docstrings
        for version, outcomes in entry.outcomes.items():
            for one in outcomes:
                verdict = one.verdict
                if verdict == "deviates" and not _is_to_blame(one, atlas):
                    verdict = "gap" if one.gaps else "holds" if one.conclusive else "inconclusive"
                yield entry.id, one.subject, version, verdict


def _is_to_blame(outcome: Outcome, atlas: Atlas) -> bool:
    """Whether what is known of a subject is its own, not of an op that stood beside it."""
    blamed = (atlas.deviations.get(id_, {}).get("ops") for id_ in outcome.deviations)
    return any(not ops or outcome.subject in ops for ops in blamed)


def functions(atlas: Atlas) -> dict[str, list[Function]]:
    """The registered gradient functions, by the module of TensorFlow that registers them."""
    newest: dict[str, Mapping[str, Any]] = {}
    states: dict[str, dict[str, str]] = {}
    verdicts: dict[str, dict[str, str]] = {}
    modules: dict[str, str] = {}
    ops: dict[str, list[str]] = {}
    told: dict[tuple[str, str], list[str]] = defaultdict(list)
    for _, subject, name, verdict in _cells(atlas):
        told[subject, name].append(verdict)
    for version in atlas.versions:
        ops |= (own := _own(version))
        for one in version.reading.data["gradients"]:
            newest[one["name"]] = one
            states.setdefault(one["name"], {})[version.name] = one["state"]
            theirs = chain.from_iterable(told[op, version.name] for op in own[one["name"]])
            verdicts.setdefault(one["name"], {})[version.name] = overall(theirs)
            if one.get("module"):
                modules[one["name"]] = one["module"].removeprefix("tensorflow.python.")
    grouped: dict[str, list[Function]] = {}
    for name in sorted(newest, key=lambda name: (modules.get(name, "~"), name)):
        one = newest[name]
        function = Function(
            name, states[name], verdicts[name], ops[name], one["by"], one["out_of_reach"]
        )
        grouped.setdefault(modules.get(name, UNKNOWN), []).append(function)
    return grouped


def _own(version: Version) -> dict[str, list[str]]:
    """For each gradient function the ops that run it, of those that run the fewest.

    What they come to is nearest to what it comes to: a logarithm runs its own alone, and a softmax
    several, which others have for themselves.
    """
    running = {one["name"]: one.get("ops", []) for one in version.reading.data["gradients"]}
    sizes = Counter(op for ops in running.values() for op in ops)
    return {
        name: [op for op in ops if sizes[op] == min(sizes[op] for op in ops)]
        for name, ops in running.items()
    }


def counts(functions_: Sequence[Function], version: str) -> dict[str, int]:
    """How many functions are in each state in a version."""
    states = [one.states.get(version) for one in functions_]
    return {state: states.count(state) for state in STATES}
