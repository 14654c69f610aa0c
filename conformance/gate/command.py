"""``python -m conformance gate``: its arguments, and where its reports go."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from conformance import shards
from conformance.errors import ExitCode, UsageError, nearest
from conformance.gate import bisect, making, markdown, terminal
from conformance.gate.comparable import ALLOWED, check
from conformance.gate.compare import Comparison, compare
from conformance.gate.kinds import FAIL_ON, KINDS
from conformance.gate.report import badge, report
from conformance.reading import find, read

RESULTS = "results"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("baseline", metavar="BASELINE", help="a record, or a version such as 2.20")
    parser.add_argument("candidate", metavar="CANDIDATE", help="the same, of what is judged")
    parser.add_argument(
        "--results",
        default=RESULTS,
        metavar="DIR",
        help="where the records of versions lie (default: %(default)s)",
    )
    parser.add_argument(
        "--make",
        action="store_true",
        help="make the records of versions that are missing or stale, by tox",
    )
    parser.add_argument(
        "--tape-profile",
        choices=making.PROFILES,
        help=f"how much to try in the records that --make makes (default: {making.Asked.profile})",
    )
    parser.add_argument(
        "--tape-shard",
        metavar="I/N",
        help="make and compare only the part I of N; a part has a verdict of its own",
    )
    parser.add_argument(
        "--tape-deviations",
        action="append",
        default=[],
        metavar="FILE",
        help="known deviations of your own, for the records that --make makes; repeatable",
    )
    parser.add_argument(
        "--bisect",
        action="store_true",
        help="find the first version between the two that shows what fails, by tox",
    )
    parser.add_argument(
        "--fail-on",
        action="append",
        metavar="KIND",
        help=f"what fails the gate, repeatable: nothing, {', '.join(KINDS)} "
        f"(default: {', '.join(FAIL_ON)})",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="WHAT",
        help=f"compare although this differs, repeatable: {', '.join(ALLOWED)}",
    )
    for name, what in (
        ("markdown", "Markdown, for a pull request or a step's summary"),
        ("json", "JSON, as conformance/gate.schema.json has it"),
        ("badge", "the JSON of an endpoint badge of shields.io"),
    ):
        parser.add_argument(f"--{name}", metavar="FILE", help=f"write {what} to FILE; - prints it")


def main(options: argparse.Namespace) -> int:
    """Compare two records and tell the outcome.

    Raises:
        UsageError: if an argument is wrong, or a record, or if the two cannot be compared.
    """
    fail_on = _known("--fail-on", options.fail_on or FAIL_ON, [*KINDS, "nothing"])
    allowed = _known("--allow", options.allow, ALLOWED)
    results, names = Path(options.results), (options.baseline, options.candidate)
    asked = _asked(options)
    if options.make:
        # no version is run in vain for want of the other
        for name in names:
            _ = name.endswith(".json") or making.environment(name, making.environments())
        paths = [making.made(name, results, asked, making.tox, _say) for name in names]
    else:
        paths = [find(name, results) for name in names]
    baseline, candidate = (read(path, any_schema="schema" in allowed) for path in paths)
    passed_over = check(baseline, candidate, allowed)
    kinds = [kind for kind in KINDS if kind in fail_on]
    comparison = compare(baseline, candidate, kinds, passed_over)
    if options.bisect and not comparison.passes:
        comparison = _bisected(comparison, results)
    tell(comparison, options)
    return ExitCode.HOLDS if comparison.passes else ExitCode.VIOLATED


def _asked(options: argparse.Namespace) -> making.Asked:
    """What the records that are made are asked.

    Raises:
        UsageError: if there is no such part, or no such file, or none are made.
    """
    given = {
        "--tape-profile": options.tape_profile,
        "--tape-shard": options.tape_shard,
        "--tape-deviations": options.tape_deviations,
    }
    for name, value in given.items():
        if value and not options.make:
            raise UsageError(
                f"{name} without --make",
                expected="records that are to be made: what is there has been asked already",
                hint="add --make, or let tox do it all: tox run -e gate -- BASELINE CANDIDATE",
            )
    if options.tape_shard is not None:
        shards.parse(options.tape_shard)
    for path in options.tape_deviations:
        if not Path(path).is_file():
            raise UsageError(
                f"there is no file {path}",
                expected="a TOML file with deviations of your own",
                hint="see whether the path is right; the README says what such a file looks like",
            )
    profile = options.tape_profile or making.Asked.profile
    return making.Asked(profile, options.tape_shard, tuple(options.tape_deviations))


def tell(comparison: Comparison, options: argparse.Namespace) -> None:
    """Print the comparison, and write the reports that were asked for."""
    reports: dict[str, Callable[[], str]] = {
        "markdown": lambda: markdown.render(comparison),
        "json": lambda: json.dumps(report(comparison), indent=1) + "\n",
        "badge": lambda: json.dumps(badge(comparison), indent=1) + "\n",
    }
    asked = {name: getattr(options, name) for name in reports if getattr(options, name)}
    if "-" not in asked.values():
        _print(terminal.render(comparison, shutil.get_terminal_size((100, 24)).columns))
    for name, path in asked.items():
        if path == "-":
            _print(reports[name]())
        else:
            _write(Path(path), reports[name]())


def _bisected(comparison: Comparison, results: Path) -> Comparison:
    side, folder = comparison.candidate, results / "gate" / "bisect"
    versions = bisect.between(comparison.baseline.tensorflow, side.tensorflow)
    return bisect.bisect(
        comparison,
        versions,
        lambda version, items: bisect.measured(version, items, side.options, folder, _say),
    )


def _say(text: str) -> None:
    sys.stderr.write(f"gate: {text}\n")
    sys.stderr.flush()


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the report cannot be written to {path}: {error.strerror}",
            expected="a file in a folder that exists or can be made",
            hint="give another path, or - to print it",
        ) from error


def _known(option: str, words: Iterable[str], known: Iterable[str]) -> list[str]:
    """Words that are known, as given; several may be joined by commas."""
    given = [word for part in words for word in part.split(",")]
    for word in given:
        if word not in known:
            raise UsageError(
                f"{option} {word!r}",
                expected=f"one of {', '.join(known)}",
                hint=nearest(word, known),
            )
    return given
