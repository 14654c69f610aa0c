"""The commands: ``python -m conformance COMMAND``."""

from __future__ import annotations

import argparse
import sys

from conformance.errors import UsageError


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; the README has the table of codes."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("benchmark", help="how fast cases are verified, and where the time goes")
    parser.parse_args(arguments)
    from conformance import benchmark  # noqa: PLC0415 - only this command needs TensorFlow

    try:
        return benchmark.main()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code


if __name__ == "__main__":
    sys.exit(main())
