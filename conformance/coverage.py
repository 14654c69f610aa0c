"""Which of TensorFlow's registered gradient functions ran, and which of them an oracle verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

STATES = ("verified", "exercised", "unreached")


@dataclass
class Coverage:
    """Which gradient functions ran.

    Attributes:
        ran: for each of them the contracts that compared with an oracle what it had a part in.
    """

    ran: dict[str, set[str]] = field(default_factory=dict)

    def add(self, names: Iterable[str], contracts: Iterable[str] = ()) -> None:
        """These functions ran, and these contracts were certain."""
        for name in names:
            self.ran.setdefault(name, set()).update(contracts)

    def notes(self) -> list[dict[str, Any]]:
        """What a record takes in, ready for JSON."""
        return [
            {"note": "gradient", "name": name, "contracts": sorted(contracts)}
            for name, contracts in sorted(self.ran.items())
        ]

    def states(
        self, registered: Mapping[str, str], modules: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """For each name its state, one of :data:`STATES`, and the contracts that verified it.

        Args:
            registered: the names, each with the reason why it is out of reach, which those that
                are unreached keep; "" if it is not.
            modules: those that register them, as far as it is known.
        """
        states = []
        for name, why in registered.items():
            by = sorted(self.ran.get(name, ()))
            state = "verified" if by else "exercised" if name in self.ran else "unreached"
            reason = why if state == "unreached" else ""
            stated = {"name": name, "state": state, "by": by, "out_of_reach": reason}
            module = (modules or {}).get(name)
            states.append({**stated, "module": module} if module else stated)
        return states
