"""``python -m conformance site``: its arguments, the records it takes, and the files it leaves."""

from __future__ import annotations

import argparse
import gc
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from conformance.errors import ExitCode, UsageError
from conformance.reading import FOLDERS, find, read
from conformance.site.atlas import atlas
from conformance.site.versions import ordered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "records",
        nargs="*",
        metavar="RECORD",
        help="a record, or a version such as 2.20 (default: all records among the results)",
    )
    parser.add_argument(
        "--results",
        default="results",
        metavar="DIR",
        help="where the records of versions lie (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        default="results/site",
        metavar="DIR",
        help="where the pages go; other files there are left alone (default: %(default)s)",
    )
    parser.add_argument(
        "--url",
        default="",
        metavar="URL",
        help="where they will be published, for citations (default: these name no address)",
    )


def main(options: argparse.Namespace) -> int:
    """Make the site.

    Raises:
        UsageError: if an argument is wrong, if a record cannot be read, if two are of one version,
            if Jinja2 or Pygments is missing, or if a page cannot be written.
    """
    if options.url and not re.fullmatch(r"https?://[\w.:/~-]+", options.url, re.ASCII):
        raise UsageError(
            f"--url {options.url!r}",
            expected="an address such as https://example.org/tape",
            hint="leave out what follows a ? or a #",
        )
    results = Path(options.results)
    paths = [find(name, results) for name in options.records] or at_hand(results)
    # all that is read is needed to the end: to look for what is not takes a fourth of the time
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _make(paths, Path(options.out), options.url)
    finally:
        if collecting:
            gc.enable()


def _make(paths: Iterable[Path], out: Path, url: str) -> int:
    try:
        from conformance.site.pages import pages  # noqa: PLC0415 - only here are they needed
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the site needs {error.name}, which is not installed",
            expected="Jinja2 and Pygments",
            hint="`tox run -e site` installs them; or: pip install jinja2 pygments",
        ) from error
    made = atlas(ordered(map(read, paths)))
    number = write(out, pages(made, url and f"{url.rstrip('/')}/"))
    sys.stdout.write(f"{number} pages in {out}: {out / 'index.html'}\n")
    return ExitCode.HOLDS


def at_hand(results: Path) -> list[Path]:
    """The record of each environment among the results: the gate's, if it has one.

    Raises:
        UsageError: if there is none.
    """
    found: dict[str, Path] = {}
    for folder in FOLDERS:
        for path in sorted((results / folder).glob("tf*.json")):
            found.setdefault(path.name, path)
    if not found:
        raise UsageError(
            f"there is no record in {results}",
            expected="at least one record",
            hint="`tox run -e tf2.21` makes one",
        )
    return list(found.values())


def write(out: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write files, and tell how many of them are pages.

    Args:
        out: the folder.
        files: each with its path below the folder.

    Raises:
        UsageError: if one cannot be written.
    """
    number = 0
    for name, data in files:
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise UsageError(
                f"the page {path} cannot be written: {error.strerror}",
                expected="a folder that exists or can be made",
                hint="give another one: --out DIR",
            ) from error
        number += name.endswith(".html")
    return number
