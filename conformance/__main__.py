"""The commands: ``python -m conformance COMMAND``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from conformance import matrix, merging
from conformance.errors import ExitCode, UsageError
from conformance.gate import command as gate
from conformance.site import command as site


class Parser(argparse.ArgumentParser):
    """A parser whose errors are those of this project, with its exit code."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises:
            UsageError: always.
        """
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise UsageError(message, expected=usage, hint=f"{self.prog} --help")


def _replay(options: argparse.Namespace) -> int:
    from conformance import replay  # noqa: PLC0415 - it imports every contract

    return replay.main(options.file, options.tf)


_READERS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "gate": gate.main,
    "merge": merging.main,
    "matrix": matrix.main,
    "replay": _replay,
    "site": site.main,
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; the README has the table of codes."""
    parser = Parser(prog="python -m conformance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("benchmark", help="how fast cases are verified, and where the time goes")
    gate.add_arguments(
        commands.add_parser("gate", help="did an upgrade break a promise that used to hold?")
    )
    merging.add_arguments(
        commands.add_parser("merge", help="join the records of --tape-shard 1/N to N/N")
    )
    matrix.add_arguments(
        commands.add_parser("matrix", help="the versions that can be measured, and their records")
    )
    site.add_arguments(
        commands.add_parser("site", help="what is true in which version, as pages from records")
    )
    replaying = commands.add_parser("replay", help="run the failures of a record once more")
    replaying.add_argument("file", metavar="FILE", help="a record, or a stored program")
    replaying.add_argument(
        "--tf",
        action="append",
        default=[],
        metavar="VERSION",
        help="in the tox environment of this TensorFlow, such as 2.16 or nightly; repeatable "
        "(default: the environment at hand)",
    )
    try:
        options = parser.parse_args(arguments)
        if options.command in _READERS:
            return _READERS[options.command](options)
        from conformance import benchmark  # noqa: PLC0415 - only this command needs TensorFlow

        return benchmark.main()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
