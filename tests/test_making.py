"""Records that the gate needs: made if they are missing or stale, and only then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import ExitCode, UsageError
from conformance.gate.making import (
    PROFILES,
    Asked,
    environment,
    environments,
    hypothesis,
    made,
    stale,
    tox,
    tox_pytest,
)
from conformance.modes import MODES
from conformance.profiles import PROFILES as CATALOGUE
from conformance.suite import fingerprint, fingerprints
from tests.records import data, outcome, write

TODAY = "2026-11-27"
WHOLE = Asked()


def current(version: str = "2.20.0", **header: Any) -> dict[str, Any]:
    """The record that a run of the gate would leave now."""
    made_now = {"suite": fingerprint(), "modes": list(MODES), "started": f"{TODAY}T08:00:00Z"}
    return data(outcome(), version=version, **{**made_now, **header})


class Tox:
    """A tox that writes a record, and remembers what it was told."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.ran: list[tuple[str, list[str]]] = []
        self.said: list[str] = []

    def run(self, env: str, arguments: Sequence[str]) -> int:
        """Leave the record that the arguments ask for."""
        self.ran.append((env, list(arguments)))
        write(Path(arguments[-1]), current(f"{env.removeprefix('tf')}.0"))
        return self.code

    def make(self, name: str, results: Path, asked: Asked = WHOLE) -> Path:
        """The record of a version."""
        return made(name, results, asked, self.run, self.said.append)


def test_a_missing_record_is_made_in_the_environment_of_its_version(tmp_path: Path) -> None:
    """In the gate's profile; what it finds is no failure of the run."""
    fake = Tox()
    path = fake.make("2.20", tmp_path)

    assert path == tmp_path / "gate" / "tf2.20.json"
    assert fake.ran == [
        (
            "tf2.20",
            ["--tape-profile", "gate", "--tape-record-only", "--tape-record", str(path.resolve())],
        )
    ]
    assert fake.said == [
        "tf2.20: there is no record: running the suite in the profile gate, which takes a while"
    ]


def test_a_record_that_is_up_to_date_is_not_made_again(tmp_path: Path) -> None:
    """Nor is one that was named by its path, whatever it is."""
    fake = Tox()
    path = fake.make("2.20", tmp_path)

    assert fake.make("tf2.20", tmp_path) == path
    assert fake.make("some/where.json", tmp_path) == Path("some/where.json")
    assert len(fake.ran) == 1
    assert fake.said[-1] == f"tf2.20: the record {path} is up to date"


STALE: dict[str, tuple[str, Any, str]] = {
    "suite": ("tf2.20", current(suite="f" * 16), "the suite has changed since"),
    "profile": ("tf2.20", current(profile="quick"), "it is of a run that was asked something else"),
    "part": ("tf2.20", current(selection=["-k x"]), "it is of a run that was asked something else"),
    "modes": ("tf2.20", current(modes=["eager"]), "it is of a run that was asked something else"),
    "shard": ("tf2.20", current(shard="1/2"), "it is of a run that was asked something else"),
    "version": ("tf2.20", current("2.2.0"), "it is of another TensorFlow"),
    "nightly": (
        "tfnightly",
        current("2.22.0.dev1", started="2026-11-26T08:00:00Z"),
        "it is of another day's nightly",
    ),
    "wheel": ("tf", current(), "what TAPEMEASURE_TF names may have changed"),
    "unreadable": ("tf2.20", "{}", "the record cannot be read: the record "),
    "incomplete": (
        "tf2.20",
        {
            **current(),
            "footer": {**current()["footer"], "complete": False, "progress": "3 of 9 items"},
        },
        "its run did not come to its end: 3 of 9 items",
    ),
    "current": ("tf2.20", current("2.20.1"), ""),
    "today": ("tfnightly", current("2.22.0.dev1"), ""),
}


@pytest.mark.parametrize("what", STALE)
def test_a_record_is_stale_if_a_run_would_say_something_else(tmp_path: Path, what: str) -> None:
    """Another suite, another run, another TensorFlow, yesterday's nightly, any wheel."""
    env, content, why = STALE[what]
    found = stale(write(tmp_path / "a.json", content), env, TODAY, WHOLE)

    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_a_part_in_another_profile_with_own_deviations_has_a_record_of_its_own(
    tmp_path: Path,
) -> None:
    """It is up to date as long as the same is asked, and the deviations say the same."""
    own = tmp_path / "ours.toml"
    own.write_text("one")
    asked = Asked("quick", "1/3", (str(own),))
    header: dict[str, Any] = {
        "profile": "quick",
        "shard": "1/3",
        "deviations": fingerprints([str(own)]),
    }
    path = write(asked.record(tmp_path, "tf2.20"), current(**header))

    assert path == tmp_path / "quick" / "tf2.20-1of3.json"
    assert asked.arguments(path)[:7] == [
        *("--tape-profile", "quick", "--tape-record-only"),
        *("--tape-shard", "1/3", "--tape-deviations", str(own)),
    ]
    assert stale(path, "tf2.20", TODAY, asked) == ""
    own.write_text("two")
    assert stale(path, "tf2.20", TODAY, asked) == "it is of a run that was asked something else"


def test_a_run_that_fails_leaves_no_verdict(tmp_path: Path) -> None:
    """Its own exit code says that a record could not be made."""
    with pytest.raises(UsageError) as caught:
        Tox(code=3).make("2.20", tmp_path)

    assert caught.value.code == ExitCode.UNMADE
    assert caught.value.what == (
        "the record of tf2.20 could not be made: its run ended with code 3"
    )


def test_a_version_without_an_environment_is_refused_with_the_nearest() -> None:
    """As tox.ini has them; any other goes by a requirement."""
    known = environments()
    with pytest.raises(UsageError) as caught:
        environment("2.99", known)

    assert known == [*(f"tf2.{minor}" for minor in range(8, 22)), "tfnightly", "tf"]
    assert [environment(name, known) for name in ("2.8", "nightly", "tf")] == [
        "tf2.8",
        "tfnightly",
        "tf",
    ]
    assert caught.value.what == "there is no TensorFlow '2.99'"
    assert caught.value.hint.startswith("did you mean '2.9'?")


def test_tox_is_the_one_that_runs_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not told what the outer one tells the gate's own environment."""
    seen: list[Any] = []
    codes = [7, 0, 5]

    def run(command: list[str], **options: Any) -> Any:
        seen.append((command, options["env"]))
        return type("Done", (), {"returncode": codes[len(seen) - 1]})

    monkeypatch.setenv("TAPEMEASURE_TOX", "/the/python")
    monkeypatch.setenv("TOX_ENV_NAME", "gate")
    monkeypatch.setattr("subprocess.run", run)

    assert tox("tf2.20", ["-k", "sin"]) == 7
    assert tox_pytest("tf", ["x.py::a"], "tf-nightly==1") == 5

    must = ("--skip-missing-interpreters", "false")
    started = ["/the/python", "-m", "tox"]
    assert [command for command, _ in seen] == [
        [*started, "run", *must, "-e", "tf2.20", "--", "-k", "sin"],
        [*started, "run", *must, "--notest", "-e", "tf"],
        [*started, "exec", "-e", "tf", "--", "pytest", "x.py::a"],
    ]
    assert not any("TOX_ENV_NAME" in told for _, told in seen)
    assert seen[2][1]["TAPEMEASURE_TF"] == "tf-nightly==1"


def test_a_gate_may_have_every_profile_that_draws_the_same_programs() -> None:
    """The others draw anew in each run."""
    assert [name for name, profile in CATALOGUE.items() if profile.fixed_seed] == [*PROFILES]


def test_the_pinned_hypothesis_is_read() -> None:
    """The one that every environment installs."""
    assert hypothesis().count(".") == 2


def test_the_fingerprint_takes_no_time() -> None:
    """It is in the header of every run."""
    started = time.process_time()
    fingerprint.cache_clear()
    fingerprint()

    assert time.process_time() - started < 0.5
