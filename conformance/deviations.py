"""Known deviations: places where TensorFlow is known to do otherwise than a contract says.

A failure that matches one is counted and generation goes on, so that a second fault in the same
place is still found; it hides nothing else. ``deviations.toml`` beside this module says how an
entry looks.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.boundary import raised_by_tensorflow, tensorflow
from conformance.contract import Violation
from conformance.errors import UsageError, nearest
from conformance.modes import MODES
from strategies import dtypes
from strategies.graphs import Argument, Constant, Graph, Node
from strategies.ops import CATALOGUE as OPS

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest itself needs tomli there
    import tomli as tomllib

FILE = Path(__file__).with_name("deviations.toml")
_OPTIONAL = {"assigned", "beside", "dtypes", "flickers", "operands", "processor"}
_OWN = {"expires"}
"""What an entry of the user's own must have beside."""
_LISTS = {"contracts", "ops", "assigned", "beside", "modes", "dtypes", "operands"}
_FIELDS = {"id", "versions", "kind", "got", "witness", "reason", "link", *_LISTS, *_OPTIONAL}
_OPERANDS = ("zero", "empty", "broadcast", "same", "repeated")
_MANY = {
    "contracts": "the id of a contract",
    **dict.fromkeys(("ops", "assigned", "beside"), "the name of a catalogue entry"),
}
_HINT = "the head of conformance/deviations.toml shows how an entry looks"


@dataclass(frozen=True)
class Deviation:
    """A claim about TensorFlow, with the signature of the failure that it explains.

    Attributes:
        id: its name in records.
        contracts: the contracts that fail.
        ops: catalogue entries of which the failing program holds at least one; empty: any.
        beside: catalogue entries of which it holds one beside that op; empty: it need not.
        assigned: catalogue entries; of a result of one comes what the program assigns to a
            Variable; empty: it need not assign.
        dtypes: what that op takes or returns, one of them at least; empty: anything.
        operands: what is said of its operands: ``zero`` (an element of one is exactly zero, at one
            of the points), ``empty`` (one has no elements, a result has none, or a
            tensor that is an argument), ``broadcast``
            (their shapes differ), ``same`` (two of them are one value) or ``repeated`` (an
            argument holds one integer twice).
        modes: the modes in which it shows; empty: all.
        since, until: the minor versions that have it, inclusive; None: open.
        kind: the kind of the violation.
        got: a pattern that is found in what TensorFlow answered.
        witness: the shortest program that shows it.
        reason, link: why it is so, and where it is reported.
        flickers: whether it comes and goes from run to run, as what stands in memory does; then
            each check that it may fail counts as failed by it.
        processor: what Linux names among the flags of the processors that show it; empty: any do.
        expires: the last day on which an entry of the user's own counts; None: it is ours.
    """

    id: str
    contracts: tuple[str, ...]
    ops: tuple[str, ...]
    modes: tuple[str, ...]
    since: tuple[int, int]
    until: tuple[int, int] | None
    kind: str
    got: str
    witness: str
    reason: str
    link: str
    assigned: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    flickers: bool = False
    processor: str = ""
    expires: dt.date | None = None

    def note(self) -> dict[str, Any]:
        """What a record says of it, to those who do not have the file."""
        told = {"id": self.id, "reason": self.reason, "link": self.link, "witness": self.witness}
        ops = {"ops": list(self.ops)} if self.ops else {}
        own = {} if self.expires is None else {"expires": self.expires.isoformat()}
        flickering = {"flickers": True} if self.flickers else {}
        return {"note": "deviation", **told, **ops, **flickering, **own}

    def covers(self, version: tuple[int, int]) -> bool:
        """Whether it is claimed for a minor version."""
        return self.since <= version and (self.until is None or version <= self.until)

    def matches(self, violation: Violation, subject: str, mode: str, case: Any) -> bool:
        """Whether a failure is this one."""
        return (
            violation.kind == self.kind
            and re.search(self.got, violation.got) is not None
            and self.may_show(violation.contract.id, subject, mode, case)
        )

    def kills(self, contracts: Iterable[str], got: str, subject: str, mode: str, case: Any) -> bool:
        """Whether a process that ran a case died of this; one contract that asked is enough."""
        return (
            self.kind == "crash"
            and re.search(self.got, got) is not None
            and any(self.may_show(contract, subject, mode, case) for contract in contracts)
        )

    def may_show(self, contract: str, subject: str, mode: str, case: Any) -> bool:
        """Whether a contract can fail in this way in a case."""
        return (
            contract in self.contracts
            and (not self.modes or mode in self.modes)
            and self._concerns(subject, case)
        )

    def _concerns(self, subject: str, case: Any) -> bool:
        """Whether the program holds one of the ops, with such dtypes, operands and neighbours."""
        if self.assigned and not set(self.assigned) & getattr(case, "assigned", frozenset()):
            return False
        graph: Graph | None = getattr(case, "graph", None)
        if graph is None:
            plain = not (self.beside or self.dtypes or self.operands)
            return plain and (not self.ops or subject in self.ops)
        if self.beside and not any(n.op in self.beside for n in graph.nodes):
            return False
        nodes = [n for n in graph.nodes if not self.ops or n.op in self.ops]
        if self.dtypes:
            nodes = [n for n in nodes if set(self.dtypes) & _dtypes(graph, n)]
        if "empty" in self.operands:
            nodes = [n for n in nodes if _is_empty(graph, n)]
        if "broadcast" in self.operands:
            nodes = [n for n in nodes if len({graph.types[i].shape for i in n.operands}) > 1]
        if "same" in self.operands:
            tensors = _tensors(graph)
            nodes = [n for n in nodes if len({tensors[i] for i in n.operands}) < len(n.operands)]
        if "repeated" in self.operands:
            nodes = [n for n in nodes if any(map(_repeats, (*n.args, *(v for _, v in n.kwargs))))]
        if nodes and "zero" in self.operands:
            zeros = _zeros(case)
            nodes = [n for n in nodes if zeros.intersection(n.operands)]
        return bool(nodes) or not (self.ops or self.dtypes or self.operands)


def _dtypes(graph: Graph, node: Node) -> set[str]:
    return {t.dtype for t in (*(graph.types[i] for i in node.operands), *node.outputs)}


def _tensors(graph: Graph) -> list[int]:
    """For each value the first one that is the same tensor: some ops return their operand."""
    found = list(range(len(graph.inputs)))
    for node in graph.nodes:
        first = len(found)
        found += (
            [found[node.operands[0]]] if node.aliases else range(first, first + len(node.outputs))
        )
    return found


def _is_empty(graph: Graph, node: Node) -> bool:
    constants = (a for a in node.args if isinstance(a, Constant))
    return any(c.value == () for c in constants) or any(
        not t.size for t in (*(graph.types[i] for i in node.operands), *node.outputs)
    )


def _repeats(argument: Argument) -> bool:
    """Whether an argument holds one integer twice."""
    numbers = list(_integers(argument))
    return len(set(numbers)) < len(numbers)


def _integers(argument: Argument) -> Iterator[int]:
    if isinstance(argument, Constant):
        argument = argument.value
    if isinstance(argument, tuple):
        for part in argument:
            yield from _integers(part)
    elif isinstance(argument, int):
        yield argument


def _zeros(case: Any) -> set[int]:
    """The values of a graph that hold an exact zero at one of the points, run eagerly in double."""
    tf, graph, found = tensorflow(), case.graph.widened, set[int]()
    for point in range(len(case.points)):
        arrays = case.arrays(point)
        values = list(arrays)

        def note(_: int, result: Any, values: list[Any] = values) -> Any:
            several = result if isinstance(result, list | tuple) else [result]
            values.extend(tensor.numpy() for tensor in several)
            return result

        try:
            graph.function(tf, note)(*graph.tensors(tf, arrays))
        except Exception as error:  # noqa: BLE001 - what only another mode runs: no zero is known
            raised_by_tensorflow(error)
            continue
        found |= {i for i, value in enumerate(values) if np.any(value == 0)}
    return found


def load(
    path: Path, contracts: Iterable[str], subjects: Iterable[str] = (), *, own: bool = False
) -> tuple[Deviation, ...]:
    """The deviations of a file.

    Args:
        path: a TOML file of ``[[deviation]]`` tables.
        contracts: the ids that exist.
        subjects: those that exist beside the ops of the catalogue.
        own: whether the file is the user's own, whose entries expire.

    Raises:
        UsageError: if the file cannot be read, or is not TOML; if an entry lacks a field, has one
            too many or of the wrong type, has the id of another, or names a contract, an op, a
            dtype, a mode, versions or a pattern that do not exist.
    """
    words = {
        "contracts": list(contracts),
        "ops": [*OPS, *subjects],
        "assigned": list(OPS),
        "beside": list(OPS),
        "dtypes": list(dtypes.DIFFERENTIABLE),
        "modes": list(MODES),
        "operands": list(_OPERANDS),
    }
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            expected="a TOML file of [[deviation]] tables",
            hint="see whether the path is right",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not TOML: {error}",
            expected="a TOML file of [[deviation]] tables",
            hint=_HINT,
        ) from error
    entries = told.get("deviation", [])
    if own and (told.keys() != {"deviation"} or not _are_tables(entries)):
        raise UsageError(
            f"{path} has no [[deviation]] tables, or something beside them",
            expected="a TOML file of [[deviation]] tables",
            hint=_HINT,
        )
    return unique([_entry(entry, words, _OWN if own else set()) for entry in entries])


def _are_tables(entries: Any) -> bool:
    return isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)


def unique(deviations: Sequence[Deviation]) -> tuple[Deviation, ...]:
    """The same deviations.

    Raises:
        UsageError: if one has the id of another.
    """
    found: set[str] = set()
    for made in deviations:
        if made.id in found:
            raise UsageError(
                f"deviation {made.id!r} is there twice",
                expected="one entry for each id",
                hint="ids are permanent: give the later one another",
            )
        found.add(made.id)
    return tuple(deviations)


def _entry(entry: dict[str, Any], words: dict[str, list[str]], more: set[str]) -> Deviation:
    name = entry.get("id", "without id")
    _check_fields(name, entry, more)
    _check_words(name, entry, words)
    _check_patterns(name, entry)
    since, dash, until = entry["versions"].partition("-")
    return Deviation(
        entry["id"],
        tuple(entry["contracts"]),
        tuple(entry["ops"]),
        tuple(entry["modes"]),
        _minor(since),
        _minor(until or since) if until or not dash else None,
        entry["kind"],
        entry["got"],
        entry["witness"],
        entry["reason"],
        entry["link"],
        tuple(entry.get("assigned", ())),
        tuple(entry.get("beside", ())),
        tuple(entry.get("dtypes", ())),
        tuple(entry.get("operands", ())),
        entry.get("flickers", False),
        entry.get("processor", ""),
        entry.get("expires"),
    )


def _check_fields(name: str, entry: dict[str, Any], more: set[str]) -> None:
    fields = _FIELDS | more
    if wrong := sorted((entry.keys() ^ fields) - (_OPTIONAL - entry.keys())):
        raise UsageError(
            f"deviation {name!r} has these fields too many or too few: {', '.join(wrong)}",
            expected=f"{', '.join(sorted(fields - _OPTIONAL))}; "
            f"perhaps {', '.join(sorted(_OPTIONAL))}",
            hint=_HINT,
        )
    for field, value in entry.items():
        if field in more:
            if type(value) is not dt.date:
                raise UsageError(
                    f"deviation {name!r} has the {field} {value!r}",
                    expected="a date of TOML, without quotes: 2027-01-31",
                    hint="the day after which the entry is to be looked at anew",
                )
            continue
        if field == "flickers":
            if value is not True:
                raise UsageError(
                    f"deviation {name!r} has the flickers {value!r}",
                    expected="true",
                    hint="leave it out if the same program always fails",
                )
            continue
        listed = field in _LISTS
        strings = value if listed and isinstance(value, list) else [value]
        if listed != isinstance(value, list) or not all(isinstance(s, str) for s in strings):
            raise UsageError(
                f"deviation {name!r} has the {field} {value!r}",
                expected="a list of strings" if listed else "a string",
                hint=_HINT,
            )


def _check_words(name: str, entry: dict[str, Any], words: dict[str, list[str]]) -> None:
    for what, allowed in words.items():
        for word in entry.get(what, ()):
            if word not in allowed:
                raise UsageError(
                    f"deviation {name!r} has {word!r} among its {what}",
                    expected=_MANY.get(what, f"one of {', '.join(allowed)}"),
                    hint=nearest(word, allowed),
                )
    if entry["kind"] == "crash" and "zero" in entry.get("operands", ()):
        raise UsageError(
            f"deviation {name!r} is a crash and has 'zero' among its operands",
            expected="what can be told of a case that is not run",
            hint="leave it out",
        )


def _check_patterns(name: str, entry: dict[str, Any]) -> None:
    if not re.fullmatch(r"\d+\.\d+(-(\d+\.\d+)?)?", entry["versions"]):
        raise UsageError(
            f"deviation {name!r} has the versions {entry['versions']!r}",
            expected="the first and the last minor version that have it: 2.8-2.21",
            hint="leave out the last while it lasts: 2.8-",
        )
    try:
        re.compile(entry["got"])
    except re.error as error:
        raise UsageError(
            f"deviation {name!r} has the pattern {entry['got']!r}: {error}",
            expected="a regular expression that is found in what TensorFlow answered",
            hint="put a backslash before each of . * + ? ( ) [ ] that stands for itself",
        ) from error


def _minor(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)
