"""A program in an interpreter of its own, and how it ended there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RECORDED: Final = "violated as recorded"
DIFFERENT: Final = "fails differently"
HOLDS: Final = "holds"
CRASHED: Final = "crashed"

SECONDS: Final = 300.0
"""How long a program may take: as long as one example of the suite."""

_RUNNER: Final = """\
import json, runpy, sys
program, answer = sys.argv[1:]
told = {}
def tell(**more):
    told.update(more)
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(told, file)
try:
    import tensorflow
except ImportError as error:
    tell(missing=str(error))
    sys.exit()
tell(version=tensorflow.__version__)
sys.argv[:] = [program]
try:
    runpy.run_path(program, run_name="__main__")
except BaseException as error:
    tell(raised=type(error).__name__, text=str(error))
    raise
tell(ended=True)
"""


@dataclass(frozen=True)
class Ending:
    """How a program ended.

    Attributes:
        version: of the TensorFlow that it met; empty if there was none.
        missing: why there was none.
        raised: the class of the exception in which it ended; empty: in none.
        text: what that said; of a process that died, why.
        died: whether the process died, or took too long.
    """

    version: str = ""
    missing: str = ""
    raised: str = ""
    text: str = ""
    died: bool = False

    def verdict(self, kind: str, got: str) -> str:
        """What it says of a failure.

        Args:
            kind: of the failure, with which the message of the assertion begins.
            got: what was got; of an exception it begins with the class.
        """
        if self.died:
            return CRASHED
        if not self.raised:
            return HOLDS
        if self.raised != "AssertionError" or not self.text.startswith(f"{kind}: "):
            return DIFFERENT
        then = re.match(r"\w+(Error|Exception)\b", got) if kind == "exception" else None
        now = self.text.removeprefix(f"{kind}: ")
        return RECORDED if then is None or now.startswith(then[0]) else DIFFERENT

    @property
    def told(self) -> str:
        """What it came to, in a line."""
        text = " ".join(self.text.split())
        return text if self.raised in ("", "AssertionError") else f"{self.raised}: {text}"


def run_alone(python: str | Path, program: str, seconds: float = SECONDS) -> Ending:
    """Run a program in a fresh interpreter, in a folder of its own.

    Args:
        python: the interpreter.
        program: Python.
        seconds: after which it is stopped.
    """
    with tempfile.TemporaryDirectory(prefix="tapemeasure-") as name:
        folder = Path(name)
        path, answer = folder / "program.py", folder / "answer.json"
        path.write_text(program, encoding="utf-8")
        command = [str(python), "-c", _RUNNER, str(path), str(answer)]
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **os.environ}
        code: int | None = None
        with suppress(subprocess.TimeoutExpired):
            code = subprocess.run(  # noqa: S603 - an interpreter, and a program of our own
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            ).returncode
        told = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {}
    version = told.get("version", "")
    if "missing" in told:
        return Ending(missing=told["missing"])
    if code is None:
        return Ending(version, died=True, text=f"no end within {seconds:.0f} seconds")
    if "raised" in told and code > 0:
        return Ending(version, raised=told["raised"], text=told["text"])
    if "ended" in told and not code:
        return Ending(version)
    return Ending(version, died=True, text=_cause(code))


def _cause(code: int) -> str:
    """Why a process ended, for a reader."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit status {code}"
