"""What runs in a fork is as fast there as anywhere."""

from __future__ import annotations

import resource
import sys

import pytest

from conformance.forked import Fork

CALLS = 1000


def nothing() -> None:
    """What is called."""


def pages(depth: int) -> int:
    """How many pages of memory the system had to find for many calls at a depth of the stack."""
    if depth:
        return pages(depth - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(CALLS):
        nothing()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.version_info < (3, 11), reason="each frame was an object by itself")
def test_no_call_waits_for_memory_at_any_depth_of_the_stack() -> None:
    """Python keeps frames in pieces; where one ended, each call had the next one mapped anew."""
    fork = Fork(lambda pipe: pipe.send([pages(depth) for depth in range(300)]))
    found = fork.receive(60.0)
    fork.end()

    assert max(found) < CALLS / 10
