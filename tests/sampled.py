"""Items of ops as planted faults are tried in them: the subjects, and one run of an item.

A sample of the subjects is tried with the other tests, all of them in ``tox run -e kill``.
"""

from __future__ import annotations

import contextlib
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import Phase, settings

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE as EVERY_CONTRACT
from conformance.contract import Cases, Violation
from conformance.deviations import FILE, Deviation, load
from conformance.profiles import PROFILES, Profile, hypothesis_settings
from conformance.registry import Registry
from conformance.running import ItemRun, Plan
from strategies.ops import CATALOGUE

_SHARE: Final = 19
"""One entry in so many is tried with the other tests."""

SUBJECTS: Final = [
    pytest.param(subject, marks=[] if number % _SHARE == 0 else pytest.mark.kill)
    for number, subject in enumerate(CATALOGUE)
]


@cache
def known() -> tuple[Deviation, ...]:
    """The known deviations of the installed TensorFlow, beside which a fault must show."""
    minor = version(tensorflow())
    return tuple(d for d in load(FILE, EVERY_CONTRACT) if d.covers(minor))


def ran(cases: Cases[Any, Any], subject: str, registry: Registry | None = None) -> ItemRun:
    """The eager item of a subject, after its run in the gate profile; it holds what failed.

    Failures are not made smaller: the verdict is what counts here.
    """
    plan = Plan(PROFILES["gate"], 0, None, version(tensorflow()), known(), registry)
    item = ItemRun(cases, subject, "eager", plan)
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Violation):
        patch.setattr(running, "hypothesis_settings", _unshrunk)
        item.test()()
    return item


def _unshrunk(profile: Profile, examples: int) -> settings:
    return settings(hypothesis_settings(profile, examples), phases=[Phase.generate])
