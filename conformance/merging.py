"""The records of all parts of a run become the record of the whole."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from conformance.coverage import Coverage
from conformance.errors import ExitCode, UsageError
from conformance.reading import Reading, read
from conformance.record import VERDICTS, write
from conformance.shards import Shard, parse

_SAME: Final = (
    "tapemeasure",
    "suite",
    "profile",
    "seed",
    "examples",
    "modes",
    "selection",
    "versions",
    "environment",
    "used",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("shards", nargs="+", metavar="RECORD", help="the record of a shard")
    parser.add_argument("--output", required=True, metavar="FILE", help="the record of the whole")


def main(options: argparse.Namespace) -> int:
    """Join the records of shards.

    Raises:
        UsageError: if one cannot be read, if they are not all shards of one run, or if the result
            cannot be written.
    """
    whole = merge([read(Path(path)) for path in options.shards])
    try:
        write(Path(options.output), whole)
    except OSError as error:
        raise UsageError(
            f"the record cannot be written to {options.output}: {error.strerror}",
            expected="a file in a folder that exists or can be made",
            hint="give another path",
        ) from error
    return ExitCode.HOLDS


def merge(parts: Sequence[Reading]) -> dict[str, Any]:
    """The record of the whole run.

    Args:
        parts: the records of its shards, in any order, each once.

    Raises:
        UsageError: if they are not all shards of one run.
    """
    _check(parts)
    outcomes = [outcome for part in parts for outcome in part.data["outcomes"]]
    counts = Counter(outcome["verdict"] for outcome in outcomes)
    known = {one["id"]: one for part in parts for one in part.data["deviations"]}
    documentation = [one for part in parts for one in part.data["documentation"]]
    docstrings = [one for part in parts for one in part.data.get("docstrings", ())]
    programs = [one for part in parts for one in part.data["programs"]]
    observed = [one for part in parts for one in part.data["observations"]]
    return {
        "schema": parts[0].data["schema"],
        "header": _header(parts),
        "contracts": _contracts(parts),
        "documentation": sorted(documentation, key=lambda one: one["symbol"]),
        "docstrings": sorted(docstrings, key=lambda one: one["symbol"]),
        "gradients": _gradients(parts),
        "outcomes": sorted(outcomes, key=lambda o: (o["contract"], o["subject"], o["mode"])),
        "programs": sorted(programs, key=lambda one: one["item"]),
        "deviations": [one for _, one in sorted(known.items())],
        "observations": sorted(observed, key=lambda one: (one["subject"], one["program"])),
        "footer": {
            "complete": all(part.data["footer"]["complete"] for part in parts),
            "counts": {verdict: counts[verdict] for verdict in VERDICTS},
            "seconds": round(sum(part.data["footer"]["seconds"] for part in parts), 3),
        },
    }


def _check(parts: Sequence[Reading]) -> None:
    shards = [_shard(part) for part in parts]
    first = parts[0]
    for part in parts[1:]:
        for name in _SAME:
            if part.header[name] != first.header[name]:
                _refuse(f"{first.path} and {part.path} differ in {name}")
    missing = {Shard(k, shards[0].of) for k in range(1, shards[0].of + 1)} - set(shards)
    if len({shard.of for shard in shards}) > 1:
        _refuse(f"these are shards of different runs: {', '.join(map(str, shards))}")
    if missing:
        named = ", ".join(sorted(map(str, missing), key=lambda text: int(text.split("/")[0])))
        _refuse(f"not all shards are there: {named} is missing")
    cells = Counter(cell for part in parts for cell in part.outcomes)
    if len(shards) > len(set(shards)) or (cells and max(cells.values()) > 1):
        _refuse("a shard, or a cell, is there twice")


def _shard(part: Reading) -> Shard:
    if part.header["shard"] is None:
        _refuse(f"{part.path} is the record of a whole run, not of a shard")
    return parse(part.header["shard"])


def _refuse(fault: str) -> NoReturn:
    raise UsageError(
        f"the records cannot be joined: {fault}",
        expected="the records of all runs with --tape-shard 1/N to N/N, alike in everything else",
        hint="make the missing or differing ones anew",
        code=ExitCode.INCOMPARABLE,
    )


def _header(parts: Sequence[Reading]) -> dict[str, Any]:
    """The first one's; of the machines what all have."""
    first = parts[0].header
    extensions = [set(part.header["machine"]["extensions"]) for part in parts]
    machine = {**first["machine"], "extensions": sorted(set.intersection(*extensions))}
    started = min(part.header["started"] for part in parts)
    return {**first, "shard": None, "started": started, "machine": machine}


def _contracts(parts: Sequence[Reading]) -> list[dict[str, Any]]:
    """Every contract, with the sentences that any of the shards has read."""
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        for contract in part.data["contracts"]:
            known = found.setdefault(contract["id"], contract)
            pairs = zip(known["citations"], contract["citations"], strict=False)
            citations = [old if old["sentence"] else new for old, new in pairs]
            found[contract["id"]] = {**contract, "citations": citations}
    return [contract for _, contract in sorted(found.items())]


def _gradients(parts: Sequence[Reading]) -> list[dict[str, Any]]:
    """What one shard alone has reached is reached."""
    coverage, registered, modules = Coverage(), dict[str, str](), dict[str, str]()
    for part in parts:
        for one in part.data["gradients"]:
            registered[one["name"]] = registered.get(one["name"]) or one["out_of_reach"]
            if "module" in one:
                modules[one["name"]] = one["module"]
            if one["state"] != "unreached":
                coverage.add([one["name"]], one["by"], one.get("ops", ()))
    return coverage.states(registered, modules)
