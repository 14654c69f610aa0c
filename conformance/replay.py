"""``python -m conformance replay FILE``: what has become of the failures in a file.

FILE is a record, or one of the programs that are stored beside it. Each program is run in a fresh
interpreter: that of the environment at hand, or those of the tox environments that are named.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from conformance import contracts
from conformance.contract import CATALOGUE
from conformance.errors import ExitCode, UsageError, nearest
from conformance.interpreter import CRASHED, DIFFERENT, HOLDS, RECORDED, Ending, run_alone
from conformance.record import SCHEMA_VERSION, outcome_from_json
from conformance.stored import Stored, is_stored, parse, stored
from conformance.summary import number

ROOT: Final = Path(__file__).parents[1]
VERDICTS: Final = (RECORDED, DIFFERENT, CRASHED, HOLDS)
_WIDTH: Final = 100


def main(file: str, named: Sequence[str] = ()) -> ExitCode:
    """Replay a file and print what came of it; see the head of this module.

    Args:
        file: its path.
        named: the versions whose tox environments are asked: ``2.16``, ``nightly``; none: the
            environment at hand.

    Raises:
        UsageError: if the file or an environment is not what it should be.
    """
    pythons = [(f"tf{name}", name) for name in dict.fromkeys(named)]
    for name, _ in pythons:
        _check_environment(name)
    failures = read(Path(file))
    if not failures:
        print(f"nothing failed in {file}")
        return ExitCode.NOTHING_RAN
    found: Counter[str] = Counter()
    for name in [name for name, _ in pythons] or [""]:
        found += _replayed(failures, interpreter(name) if name else Path(sys.executable), name)
    if found[RECORDED] or found[CRASHED]:
        return ExitCode.VIOLATED
    return ExitCode.DIFFERS if found[DIFFERENT] else ExitCode.HOLDS


def _replayed(failures: Sequence[Stored], python: Path, name: str) -> Counter[str]:
    """Run the programs in one environment, and print a line for each."""
    counts: Counter[str] = Counter()
    for failure in failures:
        ending = run_alone(python, failure.program)
        if ending.missing:
            raise UsageError(
                f"TensorFlow cannot be imported by {python}: {ending.missing}",
                expected="an environment with TensorFlow",
                hint=f"tox run -e {name} --notest --recreate"
                if name
                else "name another environment: --tf 2.21",
                code=ExitCode.NO_TENSORFLOW,
            )
        if not counts:
            print(f"{name or 'here'}: TensorFlow {ending.version or 'unknown'}")
        verdict = ending.verdict(failure.kind, failure.got)
        counts[verdict] += 1
        print(_line(failure, verdict, ending))
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    print(f"{number(len(failures), 'program')}: {told}")
    return counts


def _line(failure: Stored, verdict: str, ending: Ending) -> str:
    cell = " ".join(part for part in (failure.subject, failure.mode) if part)
    line = f"  {verdict:20}  {failure.contract} [{cell}]"
    line += f": {ending.told}" if ending.told else ""
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


# -- the file --------------------------------------------------------------------------------------


def read(path: Path) -> list[Stored]:
    """The failures in a record or a stored program, which is left as it is.

    Raises:
        UsageError: if it is neither, or cannot be read, or is of a newer schema, or names a
            contract that there is none of.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = [p.name for p in path.parent.glob("*") if p.suffix in (".json", ".py")]
        close = difflib.get_close_matches(path.name, there, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "run the suite with --tape-record FILE"
        raise _unreadable(path, "is not there", hint) from None
    except IsADirectoryError:
        raise _unreadable(path, "is a folder", "give one of the files in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, f"cannot be read: {error}", "give another file") from error
    found = [parse(text, str(path))] if is_stored(text) else _of_record(text, path)
    known = _contracts()
    for failure in found:
        if failure.contract not in known:
            raise UsageError(
                f"{path} names the unknown contract {failure.contract!r}",
                expected="the id of a contract",
                hint=nearest(failure.contract, known),
            )
    return found


def _unreadable(path: Path, what: str, hint: str) -> UsageError:
    return UsageError(f"{path} {what}", expected="a record, or a stored program", hint=hint)


def _of_record(text: str, path: Path) -> list[Stored]:
    again = "run the suite with --tape-record again"
    if not text.lstrip().startswith("{"):
        raise _unreadable(path, "is no record and no stored program", again)
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise _unreadable(path, f"is truncated or broken: {error}", again) from error
    schema = data.get("schema")
    if type(schema) is not int:
        raise _unreadable(path, "is no record: it has no schema", again)
    if schema > SCHEMA_VERSION:
        raise UsageError(
            f"{path} is a record of schema {schema}",
            expected=f"schema {SCHEMA_VERSION} or older",
            hint="a newer tapemeasure wrote it: replay it with that one",
        )
    try:
        sentences = {contract["id"]: contract["sentence"] for contract in data["contracts"]}
        versions = ", ".join(f"{k} {v}" for k, v in data["header"]["versions"].items() if v)
        outcomes = [outcome_from_json(outcome) for outcome in data["outcomes"]]
    except (KeyError, TypeError, AttributeError) as error:
        what = f"is no record: {type(error).__name__}: {error}"
        raise _unreadable(path, what, again) from error
    return [failure for o in outcomes if (failure := stored(o, sentences, versions))]


def _contracts() -> list[str]:
    """The ids of all contracts."""
    for module in pkgutil.iter_modules(contracts.__path__):
        importlib.import_module(f"{contracts.__name__}.{module.name}")
    return list(CATALOGUE)


# -- environments ----------------------------------------------------------------------------------


def environments() -> list[str]:
    """The tox environments that have a TensorFlow."""
    text = (ROOT / "tox.ini").read_text(encoding="utf-8")
    released = re.findall(r"^\s+(tf[\d.]+)\b.*: TENSORFLOW_RELEASE =", text, re.MULTILINE)
    return [*released, "tfnightly"]


def _check_environment(name: str) -> None:
    known = environments()
    if re.sub(r"-py\d+$", "", name) not in known:
        versions = [one.removeprefix("tf") for one in known]
        raise UsageError(
            f"--tf {name.removeprefix('tf')}: there is no environment {name}",
            expected="a version that tox.ini has an environment for",
            hint=nearest(name.removeprefix("tf"), versions),
        )


def interpreter(name: str) -> Path:
    """The interpreter of a tox environment, which is made if it is not there.

    Raises:
        UsageError: if it cannot be made.
    """
    folder = Path(os.environ.get("TOX_WORK_DIR", ROOT / ".tox")) / name
    places = (folder / "bin" / "python", folder / "Scripts" / "python.exe")
    if not any(place.exists() for place in places):
        command = [*_tox(), "run", "-e", name, "--notest"]
        print(f"making the environment {name}, once: tox {' '.join(command[-4:])}", flush=True)
        subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - tox, on a name of tox.ini
    for place in places:
        if place.exists():
            return place
    raise UsageError(
        f"the environment {name} could not be made",
        expected=f"{places[0]}",
        hint=f"see what tox says: tox run -e {name} --notest",
    )


def _tox() -> list[str]:
    if importlib.util.find_spec("tox") is not None:
        return [sys.executable, "-m", "tox"]
    found = shutil.which("tox")
    if found is None:
        raise UsageError(
            "tox is not installed, and the environment is not made yet",
            expected="tox, which makes it",
            hint="pip install tox",
        )
    return [found]
