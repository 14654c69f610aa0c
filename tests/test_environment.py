"""What a run says of its surroundings, asked without importing any of them."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from pathlib import Path

import pytest

from conformance import environment


@pytest.fixture
def without_tensorflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder on the path that may hold a TensorFlow; no other is seen."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    importlib.invalidate_caches()
    return tmp_path


def install(folder: Path, distribution: str, version: str) -> None:
    """The metadata of a distribution."""
    about = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    about.mkdir()
    text = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    (about / "METADATA").write_text(text, encoding="ascii")


def test_no_tensorflow_is_none(without_tensorflow: Path) -> None:
    """Metadata alone do not make one."""
    install(without_tensorflow, "tensorflow", "2.21.0")

    assert environment.installed_tensorflow() is None


@pytest.mark.parametrize(
    "distribution", ["tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu"]
)
def test_a_tensorflow_is_found_by_any_of_its_distributions(
    without_tensorflow: Path, distribution: str
) -> None:
    """It is not imported for that."""
    (without_tensorflow / "tensorflow.py").write_text("raise SystemExit")
    install(without_tensorflow, distribution, "2.19.1")

    assert environment.installed_tensorflow() == "2.19.1"


def test_a_tensorflow_without_metadata_is_unknown(without_tensorflow: Path) -> None:
    """A build that was put on the path by hand."""
    (without_tensorflow / "tensorflow.py").write_text("raise SystemExit")

    assert environment.installed_tensorflow() == "unknown"


def test_versions_are_those_that_are_installed() -> None:
    """Of all that takes part; None for what is not there."""
    found = environment.versions()

    assert list(found) == [
        "python",
        "tensorflow",
        "keras",
        "numpy",
        "hypothesis",
        "pytest",
        "protobuf",
        "ml-dtypes",
    ]
    assert found["python"] == platform.python_version()
    assert found["hypothesis"] == importlib.metadata.version("hypothesis")


def test_variables_are_tensorflows_and_not_terraforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terraform shares the prefix TF_, and what it holds there may be a secret."""
    for name in environment.variables():
        monkeypatch.delenv(name)
    ours = {
        "CUDA_VISIBLE_DEVICES": "-1",
        "OMP_NUM_THREADS": "2",
        "PYTHONHASHSEED": "0",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
        "XLA_FLAGS": "--xla_dump_to=/tmp",
    }
    theirs = ("TF_TOKEN_app_terraform_io", "TF_VAR_password", "TF_CLI_CONFIG_FILE", "TF_WORKSPACE")
    for name, value in {**ours, **dict.fromkeys(theirs, "secret"), "HOME": "/root"}.items():
        monkeypatch.setenv(name, value)

    assert environment.variables() == ours


def test_the_machine_says_what_may_change_a_result() -> None:
    """System, processor, its vector extensions, byte order."""
    found = environment.machine()

    assert set(found) == {"system", "machine", "cores", "extensions", "byteorder"}
    assert found["extensions"] == sorted(set(found["extensions"]))
    assert found["byteorder"] == sys.byteorder
