"""How much a run tries: the profiles and what they ask of Hypothesis.

Each departure from Hypothesis's defaults has its reason beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import HealthCheck, Phase, reporting, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.internal import constants_ast
from hypothesis.internal.conjecture import engine, providers


@dataclass(frozen=True)
class Profile:
    """A budget.

    Attributes:
        name: what ``--tape-profile`` calls it.
        sentence: what it is for.
        examples: the number of cases of an item, by mode.
        share: the share of the subjects that a run takes, by mode; which ones, the seed decides.
        fixed_seed: whether the seed is 0 unless given, so that runs can be compared.
    """

    name: str
    sentence: str
    examples: Mapping[str, int]
    share: Mapping[str, float]
    fixed_seed: bool


_ALL: Final = {"eager": 1.0, "function": 1.0, "outer": 1.0, "xla": 1.0, "dynamic": 1.0}

PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(
            "quick",
            "the default: a sample of the ops in each mode",
            {"eager": 12, "function": 2, "outer": 2, "xla": 2, "dynamic": 2},
            {"eager": 0.2, "function": 0.12, "outer": 0.12, "xla": 0.06, "dynamic": 0.12},
            fixed_seed=True,
        ),
        Profile(
            "gate",
            "fixed programs for records that are compared",
            {"eager": 30, "function": 4, "outer": 4, "xla": 3, "dynamic": 4},
            _ALL,
            fixed_seed=True,
        ),
        Profile(
            "explore",
            "random programs; failures are kept in Hypothesis's database",
            {"eager": 20, "function": 3, "outer": 3, "xla": 2, "dynamic": 3},
            _ALL,
            fixed_seed=False,
        ),
    )
}
DEFAULT: Final = "quick"


def seed_for(base: int, *names: str) -> int:
    """A seed of our own: stable across processes, machines, versions and working directories.

    Hypothesis's derandomised seed includes the test's node id and source, so it is not used.
    """
    text = "\0".join([str(base), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def takes(profile: Profile, base: int, subject: str, mode: str) -> bool:
    """Whether a run of this profile and seed takes a subject in a mode."""
    draw = seed_for(base, "share", subject, mode) / 2**64
    return not subject or draw < profile.share[mode]


def hypothesis_settings(profile: Profile, examples: int) -> settings:
    """Settings for one item.

    Args:
        profile: which budget.
        examples: the number of cases.
    """
    return settings(
        max_examples=examples,
        # a wall clock never decides: a busy machine is not a fault of TensorFlow
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        # our own seed decides; derandomize would add the node id (and CI's profile sets it)
        derandomize=False,
        # both sides of a gate must see the same programs, whatever was found before
        database=None if profile.fixed_seed else DirectoryBasedExampleDatabase(".hypothesis/tape"),
        # one failure is shrunk; the explain phase would run TensorFlow many times more
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        # the item shrinks the first kind of failure only: see running.py
        report_multiple_bugs=False,
        # the replay command is printed instead: a blob belongs to one version of the strategies
        print_blob=False,
    )


@contextmanager
def shrinking_at_most(seconds: int) -> Iterator[None]:
    """While it lasts Hypothesis makes a failure smaller for at most so many seconds.

    Its own limit is five minutes, of which it then complains; no setting changes it. Its version is
    pinned, and a test holds it to this limit.
    """
    before = engine.MAX_SHRINKING_SECONDS
    complaint = "WARNING: Hypothesis has spent"
    usual = reporting.current_reporter()

    def report(text: Any) -> None:
        if not str(text).startswith(complaint):
            usual(text)

    engine.MAX_SHRINKING_SECONDS = seconds
    try:
        with reporting.with_reporter(report):
            yield
    finally:
        engine.MAX_SHRINKING_SECONDS = before


def draw_each_case_afresh() -> None:
    """Keep Hypothesis from making cases out of the one before, by copying one part over another.

    From the eleventh case on it does so up to six times for each that it draws, which makes two in
    three of an item's cases the same ops on the same shapes once more. Values that are there twice
    are what our strategies give by themselves. There is no public switch: the same touch as below.
    """
    engine.ConjectureRunner.generate_mutations_from = lambda *_: None  # type: ignore[method-assign]


def forget_local_constants() -> None:
    """Keep Hypothesis from drawing constants of whatever local modules happen to be loaded.

    It mixes them into what it draws, so a run would depend on the user's other modules. There is
    no public switch, so this is the one place where we touch a private name of Hypothesis; its
    version is pinned, and a test loads a foreign module.
    """
    nothing = constants_ast.Constants()
    providers._get_local_constants = lambda: nothing  # noqa: SLF001 - see above
    providers.CONSTANTS_CACHE.cache.clear()
