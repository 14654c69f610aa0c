"""A run in several parts: which items belong to which, and how long they are thought to take."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from conformance.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """One of several parts.

    Attributes:
        number: which one, from 1.
        of: how many there are.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def takes(self, weights: Mapping[str, float]) -> set[str]:
        """The items of this part: every part gets about the same weight, every item one part.

        The heaviest goes first, each to the part that has the least so far.

        Args:
            weights: of all items of the run, by name.
        """
        loads, parts = [0.0] * self.of, dict[str, int]()
        for name in sorted(weights, key=lambda name: (-weights[name], name)):
            parts[name] = loads.index(min(loads))
            loads[parts[name]] += weights[name]
        return {name for name, part in parts.items() if part == self.number - 1}


def parse(text: str) -> Shard:
    """A part as the command line names it.

    Raises:
        UsageError: if there is no such part.
    """
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(
            f"there is no part {text!r}",
            expected="I/N: the part I of N, from 1/N to N/N",
            hint="the first of three is --tape-shard 1/3",
        )
    return Shard(int(found[1]), int(found[2]))


def weights(
    usual: Mapping[str, float], seconds: Mapping[str, float] | None = None
) -> dict[str, float]:
    """How long items are thought to take.

    Args:
        usual: the number of cases of each item, by name.
        seconds: what items took in an earlier run, if there was one. An item that it lacks is
            taken for as long as the middle one.
    """
    if not seconds:
        return dict(usual)
    middle = statistics.median(seconds.values())
    return {name: seconds.get(name, middle) for name in usual}
