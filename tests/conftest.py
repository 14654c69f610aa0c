"""Miniature checkouts: the plugin as users run it, on contracts and a TensorFlow of our own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from conformance.profiles import forget_local_constants

pytest_plugins = ["pytester", "tests.gates"]

# what is reached must not depend on which other modules were loaded before
forget_local_constants()

ROOT = Path(__file__).parents[1]

TENSORFLOW = '''\
"""As much of TensorFlow as the plugin asks for."""

import sys
from types import SimpleNamespace

registry = SimpleNamespace(_registry={{}})
sys.modules["tensorflow.python.framework.ops"] = SimpleNamespace(gradient_registry=registry)
__version__ = "{version}"
version = SimpleNamespace(GIT_VERSION="v{version}-0-gfake")
debugging = SimpleNamespace(disable_traceback_filtering=lambda: None)
config = SimpleNamespace(list_physical_devices=lambda: [SimpleNamespace(device_type="CPU")])


def get_logger():
    return SimpleNamespace(setLevel=lambda level: None)
'''

SET_ELSEWHERE = ("BUILD_NUMBER", "CI", "CUDA_", "KMP_", "MKL_", "OMP_", "OPENBLAS_", "TF_", "XLA_")
"""Beginnings of environment variables of which a run speaks, or that change what pytest prints."""

HIDE = """\
import importlib.machinery
import sys

class WithoutTensorFlow(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "tensorflow" else super().find_spec(name, path, target)

ours = [WithoutTensorFlow if f is importlib.machinery.PathFinder else f for f in sys.meta_path]
sys.meta_path[:] = ours
"""

HEAD = '''\
"""Contracts about numbers: each family comes to one verdict, and needs no TensorFlow."""

from dataclasses import dataclass
from hashlib import sha256

from hypothesis import strategies as st

from conformance.contract import UNDOCUMENTED, Cases, Tally, Unsupported, Violation


@dataclass(frozen=True)
class Case:
    number: int

    @property
    def digest(self):
        return sha256(str(self.number).encode()).digest()

    def source(self, mode="eager"):
        return f"print({self.number})\\n"


def numbers(subject, mode):
    return st.builds(Case, st.integers(0, 10**9))


def cases(name, run=lambda case, mode: case, **more):
    return Cases(name, numbers, run, Case.source, **{"modes": ("eager",), **more})


def violation(case, kind="value"):
    return Violation(
        kind=kind,
        expected="a number below 1000",
        got=str(case.number),
        where=f'assert {case.number} < 1000, "{kind}: {case.number}"\\n',
        why="the number was looked at",
    )
'''

HOLDS = """
plain = cases("plain")


@plain.contract("number-holds", "Every number is a number.", cites=[UNDOCUMENTED])
def number_holds(case):
    return Tally(conclusive=1)
"""

VIOLATED = """
large = cases("large")


@large.contract("number-small", "Every number is below 1000.", cites=[UNDOCUMENTED])
def number_small(case):
    if case.number >= 1000:
        raise violation(case)
    return Tally(conclusive=1)
"""


class Checkout:
    """A checkout of this repository that holds contracts of its own.

    Attributes:
        path: its folder, which is also the working directory.
        record: where the runs of a test may write their record.
        target: what pytest is told to run.
    """

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester, self._monkeypatch = pytester, monkeypatch
        self.path = pytester.path / "checkout"
        self.record = self.path / "results" / "mine.json"
        self.target: str | Path = "conformance"
        ours = shutil.ignore_patterns("contracts")
        shutil.copytree(ROOT / "conformance", self.path / "conformance", ignore=ours)
        for name in ("conftest.py", "pyproject.toml"):
            shutil.copy2(ROOT / name, self.path)
        (self.path / "conformance" / "contracts").mkdir()
        (self.path / "conformance" / "deviations.toml").write_text("")
        self.tensorflow("2.21.0")
        monkeypatch.setenv("COLUMNS", "100")
        for name in os.environ:
            if name.startswith(SET_ELSEWHERE):
                monkeypatch.delenv(name)
        monkeypatch.chdir(self.path)

    def tensorflow(self, version: str | None, *, metadata: str | None = None) -> None:
        """Install a TensorFlow of this version beside the checkout, in place of any other.

        Args:
            version: what it says of itself; None: there is none.
            metadata: what its distribution says, if not the same.
        """
        stub = self._pytester.path / f"stub-{version}-{metadata}"
        told = metadata or version
        stub.mkdir()
        if version is None:
            (stub / "sitecustomize.py").write_text(HIDE)
        else:
            (stub / "tensorflow.py").write_text(TENSORFLOW.format(version=version))
            about = stub / f"tensorflow-{told}.dist-info"
            about.mkdir()
            text = f"Metadata-Version: 2.1\nName: tensorflow\nVersion: {told}\n"
            (about / "METADATA").write_text(text)
        # ROOT for the strategies: what the checkout has of its own is found before it
        self._monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(stub), str(ROOT)]))

    def contracts(self, *parts: str) -> None:
        """Write a module of contracts."""
        text = HEAD + "".join(parts)
        (self.path / "conformance" / "contracts" / "test_numbers.py").write_text(text)

    def run(self, *args: str | Path) -> pytest.RunResult:
        """Run pytest in a process of its own, on the contracts of the checkout.

        Without workers, unless ``args`` asks for some.
        """
        return self._pytester.runpytest_subprocess(self.target, "-n", "0", *args)

    def recorded(self, *args: str | Path) -> tuple[pytest.RunResult, dict[str, Any]]:
        """Run the contracts, and read the record."""
        result = self.run("--tape-record", self.record, *args)
        return result, self.read()

    def read(self) -> dict[str, Any]:
        """The record, which is whole or not there."""
        found: dict[str, Any] = json.loads(self.record.read_text("ascii"))
        return found

    def files(self) -> set[str]:
        """Every file and folder of the checkout but for what Python and the tools remember."""
        names = (str(p.relative_to(self.path)) for p in self.path.rglob("*"))
        tools = ("__pycache__", ".hypothesis", ".pytest_cache")
        return {name for name in names if not any(tool in name for tool in tools)}


@pytest.fixture
def checkout(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A miniature checkout on TensorFlow 2.21.0, which holds no contracts yet."""
    return Checkout(pytester, monkeypatch)
