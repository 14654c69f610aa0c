"""``python -m conformance replay``: what it says of each ending, its exit codes, and bad input."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import interpreter, replay
from conformance.__main__ import main
from conformance.errors import ExitCode
from conformance.stored import Stored
from tests.conftest import HIDE, ROOT, TENSORFLOW
from tests.records import data, failure, outcome, write
from tests.test_stored import FAILURE

VALUE = replace(FAILURE, kind="value", got="0.0", program='raise AssertionError("value: 0.0")\n')
ENDINGS = {
    'raise AssertionError("value: 0.5")': ("violated as recorded", "value: 0.5"),
    'raise AssertionError("none: None")': ("fails differently", "none: None"),
    'raise ValueError("no such op")': ("fails differently", "ValueError: no such op"),
    "pass": ("holds", ""),
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)": ("crashed", "SIGSEGV"),
    "import os; os._exit(3)": ("crashed", "exit status 3"),
    "while True: pass": ("crashed", "no end within 2 seconds"),
}


class Machine:
    """An environment at hand and tox environments, each with a TensorFlow that only has a version.

    Attributes:
        file: where what is replayed is written.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.file = root, root / "failure.py"
        (root / "tox.ini").write_text((ROOT / "tox.ini").read_text())
        monkeypatch.setattr(replay, "ROOT", root)
        monkeypatch.delenv("TOX_WORK_DIR", raising=False)
        self._monkeypatch = monkeypatch
        self._real = sys.executable
        self.here("2.21.0")

    def here(self, version: str | None) -> None:
        """Let the environment at hand have a TensorFlow, or none."""
        self._monkeypatch.setattr(sys, "executable", str(self._python("here", version)))

    def environment(self, name: str, version: str) -> None:
        """Make a tox environment."""
        self._python(f".tox/{name}/bin", version)

    def _python(self, folder: str, version: str | None) -> Path:
        stub, python = self.root / f"stub-{version}", self.root / folder / "python"
        stub.mkdir(exist_ok=True)
        if version is None:
            (stub / "sitecustomize.py").write_text(HIDE)
        else:
            (stub / "tensorflow.py").write_text(TENSORFLOW.format(version=version))
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{stub}" exec "{self._real}" "$@"\n')
        python.chmod(0o755)
        return python

    def stored(self, failure: Stored) -> str:
        """Write a stored program, and name it."""
        self.file.write_text(failure.text())
        return str(self.file)

    def record(self, *programs: str) -> str:
        """Write a record of failures, and name it."""
        file = self.root / "mine.json"
        outcomes = [
            outcome(
                "violated",
                contract="gradient-exists",
                subject=f"op{number}",
                failure=failure(program=program, got="0.0"),
            )
            for number, program in enumerate(programs)
        ]
        return str(write(file, data(*outcomes)))


@pytest.fixture(name="machine")
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with TensorFlow 2.21.0 at hand."""
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize("program", ENDINGS)
def test_every_ending_has_its_word(
    machine: Machine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    program: str,
) -> None:
    """Of a process that dies, and of one that does not end, too."""
    verdict, told = ENDINGS[program]
    seconds = 2.0 if "while" in program else 60.0
    monkeypatch.setattr(interpreter.run_alone, "__defaults__", (seconds,))
    main(["replay", machine.stored(replace(VALUE, program=program))])

    line = f"  {verdict:20}  gradient-exists [tf.math.cos eager]"
    assert capsys.readouterr().out == (
        f"here: TensorFlow 2.21.0\n{line}{': ' * bool(told)}{told}\n1 program: 1 {verdict}\n"
    )


@pytest.mark.parametrize(
    ("got", "verdict"),
    [("ValueError: x", "violated as recorded"), ("TypeError: x", "fails differently")],
)
def test_an_exception_is_the_same_if_its_class_is(
    machine: Machine, capsys: pytest.CaptureFixture[str], got: str, verdict: str
) -> None:
    """Its words may change from version to version."""
    program = 'raise AssertionError("exception: ValueError")\n'
    failure = replace(FAILURE, got=got, program=program)
    main(["replay", machine.stored(failure)])

    assert f"  {verdict:20}  " in capsys.readouterr().out


def test_the_same_program_is_run_in_every_environment_that_is_named(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Violated in one, it exits 1: ExitCode.VIOLATED."""
    machine.environment("tf2.16", "2.16.2")
    machine.environment("tf2.21", "2.21.0")
    program = 'import tensorflow as tf\nassert tf.__version__ > "2.20", "value: 0.0"\n'
    file = machine.record(program, "pass")
    code = main(["replay", file, "--tf", "2.16", "--tf", "2.21"])

    assert capsys.readouterr().out == (
        "tf2.16: TensorFlow 2.16.2\n"
        "  violated as recorded  gradient-exists [op0 eager]: value: 0.0\n"
        "  holds                 gradient-exists [op1 eager]\n"
        "2 programs: 1 violated as recorded, 1 holds\n"
        "tf2.21: TensorFlow 2.21.0\n"
        "  holds                 gradient-exists [op0 eager]\n"
        "  holds                 gradient-exists [op1 eager]\n"
        "2 programs: 2 holds\n"
    )
    assert (code, ExitCode.VIOLATED) == (1, 1)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("pass", ExitCode.HOLDS),
        ('raise AssertionError("value: 1")', ExitCode.VIOLATED),
        ("import os; os._exit(3)", ExitCode.VIOLATED),
        ("raise ValueError", ExitCode.DIFFERS),
    ],
)
def test_the_exit_code_tells_what_has_become_of_it(
    machine: Machine, program: str, code: ExitCode
) -> None:
    """0, 1 and 8; a process that dies is never right."""
    assert main(["replay", machine.record(program)]) == code


def test_a_record_without_failures_exits_5(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """ExitCode.NOTHING_RAN."""
    file = machine.record()

    assert main(["replay", file]) == ExitCode.NOTHING_RAN
    assert capsys.readouterr().out == f"nothing failed in {file}\n"


def test_without_tensorflow_it_exits_7(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """ExitCode.NO_TENSORFLOW, with the way out."""
    machine.here(None)

    assert main(["replay", machine.stored(VALUE)]) == ExitCode.NO_TENSORFLOW
    assert capsys.readouterr().err == (
        f"error: TensorFlow cannot be imported by {sys.executable}: "
        "No module named 'tensorflow'\n"
        "  expected: an environment with TensorFlow\n"
        "  hint: name another environment: --tf 2.21\n"
    )


def test_an_environment_that_is_not_made_yet_is_made_by_tox(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and it says so; if tox cannot, that is one error."""
    asked: list[list[str]] = []
    monkeypatch.setattr(replay, "_tox", lambda: ["tox"])
    monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(command))
    code = main(["replay", machine.stored(VALUE), "--tf", "2.16"])

    told = capsys.readouterr()
    assert asked == [["tox", "run", "-e", "tf2.16", "--notest"]]
    assert told.out == "making the environment tf2.16, once: tox run -e tf2.16 --notest\n"
    assert told.err == (
        "error: the environment tf2.16 could not be made\n"
        f"  expected: {machine.root / '.tox' / 'tf2.16' / 'bin' / 'python'}\n"
        "  hint: see what tox says: tox run -e tf2.16 --notest\n"
    )
    assert code == ExitCode.USAGE


BAD = {
    "not stored": (
        "failure.py",
        "print(1)\n",
        (
            "error: {} is no stored program\n"
            "  expected: one that begins with '# tapemeasure failure'\n"
            "  hint: `python FILE` runs any other\n"
        ),
    ),
    "cut program": (
        "failure.py",
        VALUE.text().removesuffix("# end\n"),
        (
            "error: {} is truncated: its last line is not '# end'\n"
            "  expected: a program as it was stored\n"
            "  hint: run the suite with --tape-record again, or add the line if you cut the "
            "program\n"
        ),
    ),
    "cut record": (
        "mine.json",
        '{"schema": 1, "head',
        (
            "error: the record {} is not JSON: Unterminated string starting at: line 1 column 15 "
            "(char 14)\n"
            "  expected: a record as conformance/record.schema.json has it\n"
            "  hint: it may have been cut off on its way: copy it again, or make it anew\n"
        ),
    ),
    "no record": (
        "mine.json",
        "{}",
        (
            "error: the record {} is JSON, but no record\n"
            "  expected: a record as conformance/record.schema.json has it\n"
            "  hint: a record is what --tape-record FILE writes\n"
        ),
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_is_neither_is_one_error_that_exits_8(
    machine: Machine, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """ExitCode.UNREADABLE; the file is left as it is."""
    name, text, told = BAD[what]
    file = machine.root / name
    file.write_text(text)
    code = main(["replay", str(file)])

    assert capsys.readouterr().err == told.format(file)
    assert code == ExitCode.UNREADABLE
    assert file.read_text() == text


def test_a_newer_record_exits_9(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """ExitCode.INCOMPARABLE: its schema says so."""
    file = Path(machine.record("pass"))
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 2'))

    assert main(["replay", str(file)]) == ExitCode.INCOMPARABLE
    assert capsys.readouterr().err == (
        f"error: the record {file} has another schema: 2\n"
        "  expected: schema 1\n"
        "  hint: make it anew with this suite; the gate reads it with --allow schema\n"
    )


def test_an_unknown_contract_is_one_error_that_names_the_nearest(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is run."""
    file = machine.stored(replace(VALUE, contract="gradient-exist"))

    assert main(["replay", file]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        f"error: {file} names the unknown contract 'gradient-exist'\n"
        "  expected: the id of a contract\n"
        "  hint: did you mean 'gradient-exists'?\n"
    )


def test_an_unknown_environment_is_one_error_that_names_the_nearest(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is made."""
    assert main(["replay", machine.stored(VALUE), "--tf", "2.160"]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        "error: there is no TensorFlow '2.160'\n"
        f"  expected: one of {', '.join(f'2.{minor}' for minor in range(8, 22))}, nightly, tf; "
        "or a record\n"
        "  hint: did you mean '2.16'?; for any other: TAPEMEASURE_TF=tensorflow-cpu==2.16.1 and "
        "the name tf\n"
    )


def test_a_wrong_command_exits_4(capsys: pytest.CaptureFixture[str]) -> None:
    """Left to itself argparse exits with 2, which is an interrupted run."""
    assert main(["replay"]) == ExitCode.USAGE
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: the following arguments are required: FILE"
    assert lines[1].startswith("  expected: python -m conformance replay ")
