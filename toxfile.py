"""What tox.ini cannot say: two messages that tell the user what to do next, and where tox is."""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import TYPE_CHECKING

from tox.plugin import impl
from tox.tox_env.errors import Fail, Skip
from tox.tox_env.python.api import NoInterpreter, Python

if TYPE_CHECKING:
    from tox.tox_env.api import ToxEnv
    from tox.tox_env.installer import InstallArguments


_LOGGER = logging.getLogger(__name__)

# The environment `gate` runs others by the same tox; it has none of its own.
os.environ["TAPEMEASURE_TOX"] = sys.executable


@impl
def tox_on_install(
    tox_env: ToxEnv, arguments: InstallArguments, section: str, of_type: str
) -> None:
    """Stop the environment `tf` before it changes anything when no TensorFlow is named."""
    del arguments, section, of_type
    if tox_env.conf.name.split("-")[0] != "tf":
        return
    named = os.environ.get("TAPEMEASURE_TF", "").strip()
    wheel = tox_env.core["tox_root"] / named
    if named and (not named.endswith(".whl") or wheel.is_file() or "://" in named):
        return
    came = f"names a wheel that is not there: {wheel}" if named else "is not set"
    raise Fail(
        f"TAPEMEASURE_TF {came}. Expected: the TensorFlow to measure, as a requirement "
        "(TAPEMEASURE_TF='tensorflow-cpu==2.16.2') or as the path of a wheel. For a release, use "
        "its own environment, such as tf2.21; `tox list` shows them."
    )


@impl
def tox_env_teardown(tox_env: ToxEnv) -> None:
    """Say how to provide the Python for want of which an environment was skipped."""
    if not isinstance(tox_env, Python):
        return
    try:
        tox_env.base_python  # noqa: B018  # Known by now; asking again raises what skipped it.
    except (NoInterpreter, Skip):
        versions = [
            re.sub(r"^py(\d)(\d+)$", r"\1.\2", python) for python in tox_env.conf["base_python"]
        ]
        _LOGGER.warning(
            "needs Python %(any)s. To provide it: `uv python install %(first)s`; or `pyenv install "
            "%(first)s`, and name it in `pyenv global` too; or your system's package, which puts "
            "python%(first)s on PATH. Then run tox again.",
            {"any": " or ".join(versions), "first": versions[0]},
        )
