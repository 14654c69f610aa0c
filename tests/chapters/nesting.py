"""What breaks the contracts of conformance/contracts/nesting.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

KILLS: dict[str, Callable[[Any], None]] = {}
