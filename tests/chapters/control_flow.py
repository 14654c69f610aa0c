"""What breaks the contracts of conformance/contracts/control_flow.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

KILLS: dict[str, Callable[[Any], None]] = {}
