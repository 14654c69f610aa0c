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
        ran: for each of them the contracts that compared what it had a part in with an oracle that
            does not call it itself.
        ops: for each of them the subjects that ran it without another op beside them.
    """

    ran: dict[str, set[str]] = field(default_factory=dict)
    ops: dict[str, set[str]] = field(default_factory=dict)

    def add(
        self, names: Iterable[str], contracts: Iterable[str] = (), ops: Iterable[str] = ()
    ) -> None:
        """These functions ran, these contracts were certain, and these ops were by themselves."""
        for name in names:
            self.ran.setdefault(name, set()).update(contracts)
            self.ops.setdefault(name, set()).update(ops)

    def notes(self) -> list[dict[str, Any]]:
        """What a record takes in, ready for JSON."""
        return [
            {
                "note": "gradient",
                "name": name,
                "contracts": sorted(contracts),
                "ops": sorted(self.ops[name]),
            }
            for name, contracts in sorted(self.ran.items())
        ]

    def states(
        self, registered: Mapping[str, str], modules: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """For each name its state, one of :data:`STATES`, what verified it, and which ops run it.

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
            ops = sorted(self.ops.get(name, ()))
            stated = {"name": name, "state": state, "by": by, "ops": ops, "out_of_reach": reason}
            module = (modules or {}).get(name)
            states.append({**stated, "module": module} if module else stated)
        return states
