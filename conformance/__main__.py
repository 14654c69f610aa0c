"""The commands: ``python -m conformance COMMAND``."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from conformance.errors import UsageError


class Parser(argparse.ArgumentParser):
    """A parser whose errors are those of this project, with its exit code."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises:
            UsageError: always.
        """
        usage = self.format_usage().removeprefix("usage: ").strip()
        raise UsageError(message, expected=usage, hint=f"{self.prog} --help")


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; the README has the table of codes."""
    parser = Parser(prog="python -m conformance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("benchmark", help="how fast cases are verified, and where the time goes")
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
        asked = parser.parse_args(arguments)
        if asked.command == "replay":
            from conformance import replay  # noqa: PLC0415 - it imports every contract

            return replay.main(asked.file, asked.tf)
        from conformance import benchmark  # noqa: PLC0415 - only this command needs TensorFlow

        return benchmark.main()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code


if __name__ == "__main__":
    sys.exit(main())
