"""The schema of records: what is written is as it says, and what is not is refused."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its annotations are another distribution
import pytest

from conformance.ledger import STATES
from conformance.modes import MODES
from conformance.profiles import PROFILES
from conformance.record import (
    FATES,
    SCHEMA_VERSION,
    VERDICTS,
    Record,
)
from tests.test_record import FAILURE, HEADER, SCHEMA, complaints, outcome, record


def test_the_schema_is_a_schema_and_has_the_version_that_is_written() -> None:
    """JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["properties"]["schema"]["const"] == SCHEMA_VERSION
    assert SCHEMA["$id"] == f"urn:tapemeasure:record:{SCHEMA_VERSION}"


def test_the_schema_knows_the_verdicts_states_modes_and_profiles_that_exist() -> None:
    """A new one is a change of the schema."""
    definitions = SCHEMA["$defs"]

    assert tuple(definitions["outcome"]["properties"]["verdict"]["enum"]) == VERDICTS
    assert tuple(definitions["sentence"]["properties"]["state"]["enum"]) == STATES
    assert definitions["mode"]["enum"] == list(MODES)
    assert definitions["outcome"]["properties"]["fates"]["pattern"] == f"^[{''.join(FATES)}]*$"
    assert definitions["header"]["properties"]["profile"]["enum"] == list(PROFILES)


def test_every_field_of_the_schema_is_described() -> None:
    """Who reads a record need not read this project's code."""
    found, silent = [SCHEMA], []
    while found:
        part = found.pop()
        for name, field in part.get("properties", {}).items():
            described = field if "$ref" not in field else resolved(field["$ref"])
            if "description" not in described:
                silent.append(name)
        found += [resolved(name) for name in part.get("$defs", {})]
        found += [f for f in part.get("properties", {}).values() if "properties" in f]

    assert not silent


def resolved(reference: str) -> dict[str, Any]:
    """A definition of the schema, by name or reference."""
    found: dict[str, Any] = SCHEMA["$defs"][reference.rsplit("/", 1)[-1]]
    return found


WRITTEN = record(
    outcome(),
    outcome(verdict="violated", failure=FAILURE),
    outcome(verdict="gap", gaps={"LookupError": 1}, conclusive=0),
    outcome(verdict="deviates", deviations={"cumprod-zero": 1}),
    outcome(verdict="unsupported", rejected={"NotFoundError": 3}, conclusive=0),
    outcome(verdict="inconclusive", inconclusive={"near a kink": 3}, conclusive=0, examples=0),
).to_json()


def test_what_is_written_is_as_the_schema_has_it() -> None:
    """Each verdict, and a run that has not begun."""
    unbegun = Record({**HEADER, "used": None}).to_json()

    assert complaints(WRITTEN) == []
    assert complaints(unbegun) == []


def altered(path: str, change: Callable[[Any, str], None]) -> Any:
    """A record with one change, at the end of a path of keys."""
    data = copy.deepcopy(WRITTEN)
    *way, last = re.split(r"\.", path)
    part: Any = data
    for key in way:
        part = part[int(key)] if isinstance(part, list) else part[key]
    change(part, last)
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", 2),
        ("surplus", 0),
        ("header.profile", "thorough"),
        ("header.modes", ["graph"]),
        ("header.started", "yesterday"),
        ("header.versions.torch", "2.0"),
        ("header.versions.python", None),
        ("header.machine.cores", 0),
        ("header.environment.not a name", "0"),
        ("contracts.0.id", "A Promise"),
        ("contracts.0.citations", []),
        ("contracts.0.citations.0.kind", "hearsay"),
        ("contracts.0.citations.0.hash", "0123"),
        ("documentation.0.state", "known"),
        ("documentation.0.hash", None),
        ("documentation.0.by", "a-promise"),
        ("docstrings.0.text", ""),
        ("gradients.0.module", ""),
        ("gradients.0.name", ""),
        ("gradients.0.state", "known"),
        ("gradients.0.by", "a-promise"),
        ("outcomes.0.contract", "A Promise"),
        ("outcomes.0.mode", "graph"),
        ("outcomes.0.verdict", "passed"),
        ("outcomes.0.verdict", "violated"),
        ("outcomes.0.verdict", "deviates"),
        ("outcomes.0.digest", "0123"),
        ("outcomes.0.digest", "0123456789ABCDEF"),
        ("outcomes.0.conclusive", 0),
        ("outcomes.0.examples", 1.5),
        ("outcomes.0.seconds", -1),
        ("outcomes.0.fates", "hx"),
        ("outcomes.0.gaps", {"LookupError": 0}),
        ("outcomes.0.failure", asdict(FAILURE)),
        ("outcomes.1.failure", {}),
        ("programs.0.digest", ""),
        ("programs.0.prefixes", "012"),
        ("deviations.0.id", ""),
        ("header.suite", "0.1.0"),
        ("header.shard", "0/3"),
        ("header.selection", "-k sin"),
        ("footer.complete", "yes"),
        ("footer.counts.passed", 1),
    ],
)
def test_the_schema_refuses_what_is_not_a_record(path: str, value: Any) -> None:
    """Unknown fields, words that do not exist, and verdicts that do not fit their counts."""
    assert complaints(altered(path, lambda part, key: _put(part, key, value)))


@pytest.mark.parametrize("path", ["footer", "header.seed", "outcomes.0.digest", "footer.complete"])
def test_the_schema_refuses_a_record_that_lacks_a_field(path: str) -> None:
    """A record that was cut off has no footer."""
    assert complaints(altered(path, lambda part, key: part.pop(key)))


def _put(part: Any, key: str, value: Any) -> None:
    part[key] = value
