"""Our reading of JSON Schema against a library's, on our own schemas."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its annotations are another distribution
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.record import SCHEMA_FILE, VERDICTS
from conformance.schema import checker
from tests.test_record_schema import WRITTEN

SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))
CHECK = checker(SCHEMA)
LIBRARY = jsonschema.Draft202012Validator(SCHEMA)

Way = tuple[Any, ...]


def ways(data: Any, before: Way = ()) -> list[Way]:
    """Every place in a piece of JSON, as the keys that lead there."""
    if not isinstance(data, dict | list):
        return []
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    inner = [way for key in keys for way in ways(data[key], (*before, key))]
    return [*((*before, key) for key in keys), *inner]


def at(data: Any, way: Way) -> Any:
    """What stands in a place."""
    for key in way:
        data = data[key]
    return data


WAYS = ways(WRITTEN)
NUMBERS = st.integers(-2, 2) | st.floats(-2, 2) | st.just(1e300)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=3)
JSON = st.recursive(
    SCALARS | st.sampled_from(["holds", "violated", "eager", "0123456789abcdef", "1/2", "a-b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)


@st.composite
def damaged(draw: Any) -> Any:
    """A record in which one to three places are something else, gone, or more than there was."""
    data = copy.deepcopy(WRITTEN)
    for _ in range(draw(st.integers(1, 3), "faults")):
        *way, last = draw(st.sampled_from(WAYS), "place")
        how = draw(st.sampled_from(["other", "gone", "more", "elsewhere"]), "fault")
        try:
            part = at(data, tuple(way))
            if how == "other":
                part[last] = draw(JSON, "value")
            elif how == "gone":
                del part[last]
            elif how == "more":
                part[last][draw(st.text(max_size=3), "name")] = draw(JSON, "value")
            else:
                part[last] = copy.deepcopy(at(data, draw(st.sampled_from(WAYS), "from")))
        except (IndexError, KeyError, TypeError, AttributeError):
            continue  # an earlier fault has taken the place away, or it holds nothing
    return data


@given(data=damaged())
def test_a_record_is_refused_where_a_library_refuses_it(data: Any) -> None:
    """And only there; neither knows what the other has found."""
    assert (CHECK(data) is None) == LIBRARY.is_valid(data)


@given(data=JSON)
def test_what_is_no_record_at_all_is_refused(data: Any) -> None:
    """Whatever its type."""
    assert CHECK(data) is not None


def altered(*way: Any, to: Any) -> Any:
    """A record with one change."""
    data = copy.deepcopy(WRITTEN)
    at(data, way[:-1])[way[-1]] = to
    return data


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ([], "all of it: expected object, got an array of 0"),
        (
            altered("footer", "complete", to="\x1b[2J"),
            r"footer.complete: expected boolean, got '\x1b[2J'",
        ),
        (
            altered("outcomes", 1, "mode", to="graph"),
            "outcomes[1].mode: expected one of eager, function, outer, xla, dynamic, got 'graph'",
        ),
        (
            altered("outcomes", 0, "seconds", to=-1),
            "outcomes[0].seconds: expected 0 or more, got -1",
        ),
        (
            altered("outcomes", 0, "seconds", to=1e300),
            "outcomes[0].seconds: expected 1000000000 or less, got 1e+300",
        ),
        (
            altered("outcomes", 0, "seconds", to=float("inf")),
            "outcomes[0].seconds: expected number, got inf",
        ),
        (
            altered("outcomes", 0, "gaps", to={"<b>": 0}),
            "outcomes[0].gaps['<b>']: expected 1 or more, got 0",
        ),
        (
            altered("outcomes", 0, "digest", to="0123456789abcdef\n"),
            r"outcomes[0].digest: expected ^([0-9a-f]{16})?$, got '0123456789abcdef\n'",
        ),
        (
            altered("header", "used", to={"git": "", "devices": ["CPU"]}),
            "header.used: expected also tensorflow, got an object of 2",
        ),
        (
            altered("footer", "counts", "x" * 100, to=1),
            f"footer.counts: expected no more than {', '.join(VERDICTS)}, got '{'x' * 59}...",
        ),
    ],
    ids=[
        "all",
        "escape",
        "enum",
        "minimum",
        "maximum",
        "infinite",
        "name",
        "line end",
        "used",
        "surplus",
    ],
)
def test_a_fault_says_where_what_was_expected_and_what_came(data: Any, fault: str) -> None:
    """In a line, without anything that a terminal would obey."""
    assert str(CHECK(data)) == fault


def test_a_keyword_that_is_not_known_is_an_error_and_not_passed_over() -> None:
    """A schema may not say what nobody looks at."""
    with pytest.raises(NotImplementedError, match="maxLength"):
        checker({"properties": {"a": {"maxLength": 1}}})
