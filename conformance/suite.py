"""What this suite is: a fingerprint of all that decides what is tried and how it is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_DECIDES: Final = (".py", ".toml", ".txt")
_READS: Final = frozenset(
    {"gate", "__main__.py", "matrix.py", "merging.py", "reading.py", "schema.py", "site"}
)
"""What only reads records changes none."""


@cache
def fingerprint() -> str:
    """The first 16 hexadecimal digits of a SHA-256 over the files of both packages, by name."""
    found = hashlib.sha256()
    for package in ("conformance", "strategies"):
        folder = ROOT / package
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(ROOT).as_posix()):
            if path.suffix in _DECIDES and path.relative_to(folder).parts[0] not in _READS:
                data = path.read_bytes().replace(b"\r\n", b"\n")
                found.update(f"{path.relative_to(ROOT).as_posix()}\0{len(data)}\0".encode())
                found.update(data)
    return found.hexdigest()[:16]


def fingerprints(files: Iterable[str]) -> list[str]:
    """The same of each file by itself: of the deviations of the user's own."""
    return [hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16] for file in files]
