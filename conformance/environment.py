"""What a run really used: versions, flags and the machine, for headers and records."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

_VARIABLES: Final = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "KMP_",
    "MKL_",
    "OMP_",
    "OPENBLAS_",
    "PYTHONHASHSEED",
    "TF_",
    "XLA_FLAGS",
)
_TERRAFORM: Final = (
    "TF_CLI_",
    "TF_DATA_DIR",
    "TF_IGNORE",
    "TF_IN_AUTOMATION",
    "TF_INPUT",
    "TF_LOG",
    "TF_PLUGIN_",
    "TF_REGISTRY_",
    "TF_REATTACH_",
    "TF_TOKEN_",
    "TF_VAR_",
    "TF_WORKSPACE",
)
"""Terraform shares the prefix, and some of its variables are secrets."""

_DISTRIBUTIONS: Final = (
    "tensorflow",
    "tensorflow-cpu",
    "tf-nightly",
    "tf-nightly-cpu",
    "tensorflow-macos",
)


def installed_tensorflow() -> str | None:
    """The version of the installed TensorFlow, without importing it; None if there is none.

    ``unknown`` if it can be imported but no known distribution provides it.
    """
    if importlib.util.find_spec("tensorflow") is None:
        return None
    for name in _DISTRIBUTIONS:
        found = _version(name)
        if found is not None:
            return found
    return "unknown"


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def variables() -> dict[str, str]:
    """The environment variables that TensorFlow may read, as they are set."""
    ours = ((k, v) for k, v in sorted(os.environ.items()) if k.startswith(_VARIABLES))
    return {k: v for k, v in ours if not k.startswith(_TERRAFORM)}


def versions() -> dict[str, str | None]:
    """Versions of everything that takes part, without importing any of it."""
    others = ("keras", "numpy", "hypothesis", "pytest", "protobuf", "ml-dtypes")
    return {
        "python": platform.python_version(),
        "tensorflow": installed_tensorflow(),
        **{name: _version(name) for name in others},
    }


def versions_line() -> str:
    """What is installed of :func:`versions`, in a line."""
    return ", ".join(f"{name} {told}" for name, told in versions().items() if told)


def machine() -> dict[str, Any]:
    """The machine: system, processor and its vector extensions."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "extensions": _extensions(),
        "byteorder": sys.byteorder,
    }


def surroundings() -> dict[str, Any]:
    """Where and when a run takes place: versions, machine, variables, and the time in UTC."""
    return {
        "versions": versions(),
        "machine": machine(),
        "environment": variables(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def used(tf: Any) -> dict[str, Any]:
    """What TensorFlow says of itself once imported."""
    return {
        "tensorflow": tf.__version__,
        "git": tf.version.GIT_VERSION,
        "devices": [d.device_type for d in tf.config.list_physical_devices()],
    }


def header_lines(header: Mapping[str, Any]) -> list[str]:
    """The header of a record as the terminal shows it."""
    named = [f"{name} {number}" for name, number in header["versions"].items() if number]
    examples, flags = header["examples"], header["environment"]
    lines = [
        f"tapemeasure {header['tapemeasure']}: {', '.join(named)}",
        f"profile {header['profile']}, seed {header['seed']}, modes {', '.join(header['modes'])}"
        + (f", {examples} cases an item" if examples else ""),
    ]
    if flags:
        lines.append("environment " + " ".join(f"{k}={v}" for k, v in flags.items()))
    return lines


def _extensions() -> list[str]:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            lines = [line for line in file if line.startswith(("flags", "Features"))]
    except OSError:  # not Linux: the record then says that nothing is known
        return []
    flags = set(lines[0].split(":", 1)[1].split()) if lines else set()
    return sorted(f for f in flags if f.startswith(("avx", "fma", "amx", "sse4", "sve", "asimd")))
