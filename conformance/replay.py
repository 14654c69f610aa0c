"""``python -m conformance replay FILE``: what has become of the failures in a file.

FILE is a record, or one of the programs that are stored beside it. Each program is run in a fresh
interpreter: that of the environment at hand, or those of the tox environments that are named.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from conformance import contracts
from conformance.contract import CATALOGUE
from conformance.errors import ExitCode, UsageError, nearest
from conformance.gate.making import environment, environments
from conformance.interpreter import CRASHED, DIFFERENT, HOLDS, RECORDED, Ending, run_alone
from conformance.reading import Reading, content, read
from conformance.stored import Stored, is_stored, parse, stored
from conformance.suite import ROOT
from conformance.summary import number

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
    known = environments()
    asked = [environment(name, known) for name in dict.fromkeys(named)]
    found = failures(Path(file))
    if not found:
        print(f"nothing failed in {file}")
        return ExitCode.NOTHING_RAN
    ends: Counter[str] = Counter()
    for name in asked or [""]:
        ends += _replayed(found, interpreter(name) if name else Path(sys.executable), name)
    if ends[RECORDED] or ends[CRASHED]:
        return ExitCode.VIOLATED
    return ExitCode.DIFFERS if ends[DIFFERENT] else ExitCode.HOLDS


def _replayed(found: Sequence[Stored], python: Path, name: str) -> Counter[str]:
    """Run the programs in one environment, and print a line for each."""
    counts: Counter[str] = Counter()
    for failure in found:
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
    print(f"{number(len(found), 'program')}: {told}")
    return counts


def _line(failure: Stored, verdict: str, ending: Ending) -> str:
    cell = " ".join(part for part in (failure.subject, failure.mode) if part)
    line = f"  {verdict:20}  {failure.contract} [{cell}]"
    line += f": {ending.told}" if ending.told else ""
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


# -- the file --------------------------------------------------------------------------------------


def failures(path: Path) -> list[Stored]:
    """The failures in a record or a stored program, which is left as it is.

    Raises:
        UsageError: if it is neither, or cannot be read, or is of a newer schema, or names a
            contract that there is none of.
    """
    text = content(path).decode("utf-8", "replace")
    if is_stored(text):
        found = [parse(text, str(path))]
    elif path.suffix == ".py":
        raise UsageError(
            f"{path} is no stored program",
            expected="one that begins with '# tapemeasure failure'",
            hint="`python FILE` runs any other",
            code=ExitCode.UNREADABLE,
        )
    else:
        found = _of_record(read(path))
    known = _contracts()
    for failure in found:
        if failure.contract not in known:
            raise UsageError(
                f"{path} names the unknown contract {failure.contract!r}",
                expected="the id of a contract",
                hint=nearest(failure.contract, known),
            )
    return found


def _of_record(record: Reading) -> list[Stored]:
    sentences = {contract["id"]: contract["sentence"] for contract in record.data["contracts"]}
    versions = ", ".join(f"{k} {v}" for k, v in record.header["versions"].items() if v)
    outcomes = record.outcomes.values()
    return [failure for o in outcomes if (failure := stored(o, sentences, versions))]


def _contracts() -> list[str]:
    """The ids of all contracts."""
    for module in pkgutil.iter_modules(contracts.__path__):
        importlib.import_module(f"{contracts.__name__}.{module.name}")
    return list(CATALOGUE)


# -- environments ----------------------------------------------------------------------------------


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
