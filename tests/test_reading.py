"""Records as they are read: found by name, and refused where they are none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import ExitCode, UsageError
from conformance.reading import LARGEST, find, read, took
from tests.records import data, outcome, write

EXPECTED = "a record as conformance/record.schema.json has it"
GOOD = data(outcome())


def refused(path: Path, **options: Any) -> UsageError:
    """The error with which a file is refused."""
    with pytest.raises(UsageError) as caught:
        read(path, **options)
    return caught.value


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Header, outcomes by cell, and the item that each came from."""
    found = read(write(tmp_path / "a.json", GOOD))

    assert found.tensorflow == "2.20.0"
    assert found.outcomes == {("a-promise", "tf.math.sin", "eager"): outcome()}
    assert found.item(outcome()) == "x.py::graph[tf.math.sin-eager]"
    assert found.prefixes == {"0123456789abcdef": "111122223333"}
    assert took(found.path) == {"x.py::graph[tf.math.sin-eager]": 1.5}


BAD: dict[str, tuple[Any, str]] = {
    "empty": ("", "is empty"),
    "truncated": (
        json.dumps(GOOD)[:5],
        "is not JSON: Unterminated string starting at: line 1 column 2 (char 1)",
    ),
    "text": ("2.20", "is JSON, but no record"),
    "list": ([], "is JSON, but no record"),
    "other": ({"schema": 1}, "is JSON, but no record"),
    "deep": ("[" * 200_000, "is nested too deeply"),
    "deep objects": ('{"a":' * 200_000, "is nested too deeply"),
    "nan": (
        json.dumps({**GOOD, "footer": {**GOOD["footer"], "seconds": float("nan")}}),
        "is not JSON: NaN is no number",
    ),
    "wrong type": (
        {**GOOD, "outcomes": {"a": 1}},
        "is not as the schema has it: outcomes: expected array, got an object of 1",
    ),
    "escapes": (
        {**GOOD, "footer": {**GOOD["footer"], "complete": "\x1b]0;owned\x07"}},
        r"is not as the schema has it: footer.complete: expected boolean, got '\x1b]0;owned\x07'",
    ),
    "no footer": (
        {key: value for key, value in GOOD.items() if key != "footer"},
        "is not as the schema has it: all of it: expected also footer, got an object of 10",
    ),
    "twice": (
        {**GOOD, "outcomes": GOOD["outcomes"] * 2},
        "has the cell 'a-promise tf.math.sin eager' twice",
    ),
    "unknown contract": (
        {**GOOD, "outcomes": [{**GOOD["outcomes"][0], "contract": "b"}]},
        "has the cell 'b tf.math.sin eager' but not its contract",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_no_record_is_one_clear_error(tmp_path: Path, fault: str) -> None:
    """Code, what is wrong and where, what was expected, and a hint."""
    content, text = BAD[fault]
    error = refused(write(tmp_path / "a.json", content))

    assert error.code == ExitCode.UNREADABLE
    assert (error.what, error.expected) == (f"the record {tmp_path / 'a.json'} {text}", EXPECTED)
    assert error.hint


def test_a_record_of_another_schema_is_read_only_if_that_is_allowed(tmp_path: Path) -> None:
    """And then only if it can be read as one of ours."""
    path = write(tmp_path / "a.json", {**GOOD, "schema": 99})
    error = refused(path)

    assert error.code == ExitCode.INCOMPARABLE
    assert error.what == f"the record {path} has another schema: 99"
    assert read(path, any_schema=True).tensorflow == "2.20.0"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A wheel, or a picture."""
    path = tmp_path / "a.json"
    path.write_bytes(b"{\xff\xfe\xfa")

    assert refused(path).what == f"the record {path} is not text"


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    """A hundred megabytes are no record."""
    path = tmp_path / "a.json"
    path.touch()
    os.truncate(path, 100 * 2**20)

    assert LARGEST < 100 * 2**20
    assert refused(path).what == f"the record {path} has 100 MiB"


def test_what_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    """A path that is wrong, a folder."""
    missing = refused(tmp_path / "none.json")

    assert missing.code == ExitCode.USAGE
    assert missing.what == (f"{tmp_path / 'none.json'} is not there")
    assert refused(tmp_path).what == f"the record {tmp_path} is no file"


def test_a_version_is_looked_up_among_the_results(tmp_path: Path) -> None:
    """The gate's own records go before those of other runs; what looks like a file is one."""
    quick = write(tmp_path / "tf2.20.json", GOOD)

    assert find("2.20", tmp_path) == quick
    assert find("tf2.20", tmp_path) == quick
    ours = write(tmp_path / "gate" / "tf2.20.json", GOOD)
    assert find("2.20", tmp_path) == ours
    assert find("some/where", tmp_path) == Path("some/where")
    assert find("2.20.json", tmp_path) == Path("2.20.json")


def test_a_version_that_nobody_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """And with the command that makes one."""
    write(tmp_path / "tf2.20.json", GOOD)
    with pytest.raises(UsageError) as caught:
        find("2.02", tmp_path)
    with pytest.raises(UsageError) as alone:
        find("\x1b[2J", tmp_path / "none")

    assert (caught.value.code, caught.value.what) == (
        ExitCode.USAGE,
        "there is no record of '2.02'",
    )
    assert caught.value.expected == f"a file, or a version with a record in {tmp_path}"
    assert caught.value.hint == (
        "did you mean '2.20'?; `tox run -e gate -- 2.02 ...` makes the record of a version that "
        "tox.ini has"
    )
    assert alone.value.what == r"there is no record of '\x1b[2J'"
