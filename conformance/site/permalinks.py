"""Addresses that were given out stay: a contract that is gone leaves a page that says so."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("permalinks.txt")


def published() -> list[str]:
    """The ids of all contracts that any site has had."""
    return FILE.read_text("utf-8").split()
