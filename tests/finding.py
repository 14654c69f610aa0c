"""Helpers for claims about strategies: what they reach, and what they shrink to."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

T = TypeVar("T")

_SEARCH = settings(
    max_examples=4000,
    database=None,  # nothing that an earlier run found takes part
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,  # the first example is enough to shrink from
    suppress_health_check=list(HealthCheck),
)


def minimal(strategy: st.SearchStrategy[T], that: Callable[[T], bool] = lambda _: True) -> T:
    """The simplest example of a strategy for which ``that`` is true.

    Raises:
        NoSuchExample: if none of 4000 examples satisfies it.
    """
    return find(strategy, that, settings=_SEARCH, random=Random(0))  # noqa: S311 - a seed, not a secret


def reaches(strategy: st.SearchStrategy[T], that: Callable[[T], bool]) -> bool:
    """Whether one of 4000 examples, the same in each run, satisfies ``that``."""
    phases = settings(_SEARCH, phases=[Phase.generate])
    try:
        find(strategy, that, settings=phases, random=Random(0))  # noqa: S311 - a seed, not a secret
    except NoSuchExample:
        return False
    return True
