"""The first version that shows a change: found by halving, on the items that it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.gate import bisect, making
from conformance.gate.bisect import Version, between, nightlies
from conformance.gate.compare import Comparison, compare
from conformance.gate.kinds import FAIL_ON
from conformance.reading import Reading
from conformance.record import Outcome
from tests.records import data, outcome, write


def cells(verdicts: dict[str, str]) -> list[Outcome]:
    """An outcome for each subject."""
    return [outcome(verdict, subject=subject) for subject, verdict in verdicts.items()]


def comparison(*subjects: str) -> Comparison:
    """Subjects that held on 2.8 and do not on 2.21."""
    before = data(*cells(dict.fromkeys(subjects, "holds")), version="2.8.4")
    after = data(*cells(dict.fromkeys(subjects, "violated")), version="2.21.0")
    return compare(Reading(Path("a"), before), Reading(Path("b"), after), FAIL_ON)


class Releases:
    """Versions 0 to 9, each with a fault in every subject from some version on.

    Attributes:
        since: for each subject the number of the first version that shows it.
        missing: the numbers of those that cannot be measured.
    """

    def __init__(self, since: dict[str, int], missing: set[int]) -> None:
        self.since, self.missing = since, missing
        self.asked: list[int] = []

    def measure(self, version: Version, items: Sequence[str]) -> Reading | None:
        """What the version shows of the items, and of those alone."""
        number = int(version.number)
        self.asked.append(number)
        if number in self.missing:
            return None
        verdicts = {
            subject: "violated" if number >= since else "holds"
            for subject, since in self.since.items()
            if f"x.py::graph[{subject}-eager]" in items
        }
        return Reading(Path("x"), data(*cells(verdicts)))


VERSIONS = [Version(str(number), f"tf{number}") for number in range(10)]


@given(
    since=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 10), min_size=1),
    missing=st.sets(st.integers(0, 9)),
)
def test_the_first_version_that_shows_it_is_found(since: dict[str, int], missing: set[int]) -> None:
    """Each change has its own; what cannot be measured is passed over, and nothing asked twice."""
    releases = Releases(since, missing)
    found = bisect.bisect(comparison(*since), VERSIONS, releases.measure)
    numbers = [number for number in range(10) if number not in missing]

    for change in found.changes:
        shows = [number for number in numbers if number >= since[change.subject]]
        assert change.first == (str(shows[0]) if shows else "2.21.0")
    assert len(set(releases.asked)) == len(releases.asked)


def test_few_versions_are_measured() -> None:
    """Ten versions take four runs, whatever the number of changes that began together."""
    releases = Releases(dict.fromkeys("abcd", 6), set())
    bisect.bisect(comparison(*"abcd"), VERSIONS, releases.measure)

    assert len(releases.asked) <= 4


def test_the_releases_between_two_are_those_of_tox() -> None:
    """Neither of the two, and in a step back none."""
    found = between("2.18.1", "2.21.0")

    assert [(version.number, version.env) for version in found] == [
        ("2.19.1", "tf2.19"),
        ("2.20.0", "tf2.20"),
    ]
    assert between("2.20.0", "2.21.0") == []
    assert between("2.21.0", "2.8.4") == []


LISTED = """\
tf-nightly (2.22.0.dev20261103)
Available versions: 2.22.0.dev20261103, 2.22.0.dev20261102, 2.21.0.dev20260101, 2.20.0
  INSTALLED: 2.22.0.dev20261102
"""


def test_before_a_nightly_are_those_that_the_index_still_lists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Older than it, and newer than any release; without an index there are none."""
    printed = {"text": LISTED}

    def pip(*_: Any, **__: Any) -> Any:
        return type("Done", (), {"stdout": printed["text"]})

    monkeypatch.setattr("subprocess.run", pip)
    found = between("2.20.0", "2.22.0-dev20261103")

    assert [(version.number, version.requirement) for version in found] == [
        ("2.21.0", ""),
        ("2.22.0.dev20261102", "tf-nightly==2.22.0.dev20261102"),
    ]
    printed["text"] = "ERROR: No matching distribution"
    assert nightlies() == []


def test_a_version_is_measured_by_tox_on_the_items_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the options that draw the same programs; a run that breaks off is passed over."""
    seen: list[Any] = []
    codes = {"tf2.19": 0, "tf": 3}

    def tox(env: str, arguments: Sequence[str], requirement: str) -> int:
        seen.append((env, requirement, list(arguments)))
        write(Path(arguments[arguments.index("--tape-record") + 1]), data(outcome()))
        return codes[env]

    monkeypatch.setattr(making, "tox_pytest", tox)
    said: list[str] = []
    options = "--tape-profile gate --tape-seed 0"
    release, nightly = Version("2.19.1", "tf2.19"), Version("2.22.0.dev1", "tf", "tf-nightly==1")
    found = bisect.measured(release, ["x.py::a", "x.py::b"], options, tmp_path, said.append)
    broken = bisect.measured(nightly, ["x.py::a"], options, tmp_path, said.append)

    record = tmp_path.resolve() / "2.19.1.json"
    assert seen[0] == (
        "tf2.19",
        "",
        [
            *("x.py::a", "x.py::b", *options.split(), "--tape-record-only"),
            *("--tape-record", str(record), "-o", f"cache_dir={tmp_path.resolve() / 'pytest'}"),
        ],
    )
    assert found is not None
    assert found.tensorflow == "2.20.0"
    assert broken is None
    assert said == [
        "bisecting: TensorFlow 2.19.1: 2 items",
        "bisecting: TensorFlow 2.22.0.dev1: 1 item",
        "bisecting: TensorFlow 2.22.0.dev1 cannot be measured, and is passed over",
    ]
