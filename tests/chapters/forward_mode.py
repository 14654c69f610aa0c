"""What breaks the scenes of conformance/contracts/forward_mode.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

KILLS: dict[str, Callable[[Any], None]] = {}
