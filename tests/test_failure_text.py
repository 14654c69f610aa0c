"""What the terminal says of a failure is what is written down in ``tests/snapshots``.

After a change that is meant, ``TAPEMEASURE_SNAPSHOTS=write pytest tests/test_failure_text.py``
writes them anew; read what has changed before it is committed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from conformance.blackbox import Note, Wreck
from conformance.citations import fold
from conformance.contract import CATALOGUE, Violation
from conformance.contracts import test_contracts as contracts
from conformance.documentation_cases import docstring_program
from conformance.drawn_graphs import CONSTANT, GraphCase
from conformance.failures import WIDTH, crashed, failure_text
from conformance.graph_cases import printed
from conformance.graph_programs import Ask, GraphProgram
from conformance.modes import MODES
from conformance.record import Failure, Outcome
from conformance.reproduction import Claim, near, nothing, raising, refused, something, typed
from conformance.scene_cases import STATED
from tests.cases import case_of, chain
from tests.test_scenes import case_of as scene_case_of
from tests.test_scenes import scene_of

assert contracts.CHAPTERS  # who imports them has the catalogue filled
FOLDER: Final = Path(__file__).with_name("snapshots")
VERSIONS: Final = "python 3.11.9, tensorflow 2.21.0, numpy 2.2.0"
SEARCH: Final = 'pytest "conformance/contracts/test_contracts.py::graph[tf.math.cos-eager]"'

COS: Final = replace(case_of(chain(("tf.math.cos", (0,))), (0.5,)), plain=True)
PAIR: Final = case_of(
    chain(("tf.math.multiply", (0, 1)), inputs=2, shape=(2,), dtype="float32"),
    (1.0, 2.0),
    (0.5, -1.5),
)


def failed(kind: str, expected: str, got: str, where: str, why: str) -> Failure:
    """A failure."""
    found = Violation(kind=kind, expected=expected, got=got, where=where, why=why)
    return Failure(found.kind, found.expected, found.got, found.where, found.why, SEARCH)


def graph(  # noqa: PLR0913 - all but a few by keyword
    kind: str, expected: str, got: str, ask: Ask, claim: Claim | None, *, case: GraphCase = COS,
    mode: str = "eager", why: str = "it is so",
) -> Failure:  # fmt: skip
    """A failure of a graph."""
    page = GraphProgram(case, MODES[mode], 0)
    where = page.raising(ask) if claim is None else page.showing(ask, claim)
    return failed(kind, expected, got, where, why)


def value() -> Failure:
    """A gradient is off."""
    claim = near("float(gradient)", -0.479425538604, 8.1e-12)
    why = (
        "central differences at steps 0.0001220703125 and 6.103515625e-05, tolerance 8.1e-12; "
        "confirmed along another direction and at another step"
    )
    ask = Ask("gradient", 0)
    made = graph("value", "-0.4794255386042 for x0", "-0.4842197939902", ask, claim, why=why)
    return replace(made, alone="violated as recorded, in an interpreter of its own: value: -0.48")


def none() -> Failure:
    """There is no gradient."""
    why = "x1 is watched, and differentiable ops connect it to a target"
    ask, claim = Ask("gradient", 1), something("gradient")
    return graph("none", "a gradient for x1", "None", ask, claim, case=PAIR, mode="outer", why=why)


def not_none() -> Failure:
    """There is one that should not be."""
    case = replace(PAIR, roles=("watched", CONSTANT))
    got, claim = "a float32 tensor of shape [2]", nothing("gradient")
    return graph("none", "None for x1", got, Ask("gradient", 1), claim, case=case)


def shape() -> Failure:
    """It has another shape."""
    claim = typed("gradient", "float32", (2,), "shape")
    return graph(
        "shape", "float32 [2] for x0", "float32 []", Ask("gradient", 0), claim, case=PAIR,
        mode="dynamic", why="the source's own shape and dtype",
    )  # fmt: skip


def dtype() -> Failure:
    """It has another dtype, and came as IndexedSlices."""
    claim = typed("gradient", "float32", (2,), "dtype")
    ask = Ask("gradient", 0, dense=True)
    return graph("dtype", "float32 [2] for x0", "float64 [2]", ask, claim, case=PAIR)


def structure() -> Failure:
    """The answer is not nested as it should be."""
    case = scene_case_of(scene_of("plain = dict(one=f(x))"))
    page = case.page("function", ["plain"])
    shows = raising(["got = plain['x']"], "structure")
    why = "so the answer has another structure, or a None in it"
    where = page.text(MODES["function"], shows)
    return failed("structure", "plain['x'] to be there", "KeyError: 'x'", where, why)


def exception_type() -> Failure:
    """Another exception is raised than is documented."""
    case = scene_case_of(STATED["unconnected-unknown"])
    wanted = "ValueError, saying 'Unknown value'"
    seen = "AttributeError: 'str' object has no attribute 'value'"
    guard = partial(refused, error="ValueError", saying="Unknown value")
    where = case.page("eager").text(MODES["eager"], guard=guard)
    return failed("exception", wanted, seen, where, "the type, and the words that tell it")


def exception() -> Failure:
    """The gradient raises, in several lines."""
    got = "InvalidArgumentError: Graph execution error:\n\nDetected at node gradients/ScatterNd:\n"
    got += "Must have updates.shape = indices.shape[:batch_dim] + buffer_shape[num_index_dims:]"
    why = "the graph was run alone in the same mode first"
    expected = "a gradient, as the forward pass alone runs in this mode"
    return graph("exception", expected, got, Ask("everything"), None, mode="function", why=why)


def mode_disagreement() -> Failure:
    """Compiled, the gradient is another one."""
    claim = near("float(gradient)", -0.479425538604, 8.1e-12)
    ask = Ask("gradient", 0)
    return graph("value", "-0.4794255386042 for x0", "0.0", ask, claim, mode="xla")


def wreck(stack: str) -> Failure:
    """What is said of a process that is gone."""
    note = Note(("gradient-exists",), "tf.math.cos", "xla", printed, COS, SEARCH)
    (outcome,) = crashed(note, Wreck(note, stack, "killed"))
    assert outcome.failure is not None
    return outcome.failure


def crash() -> Failure:
    """The process died."""
    return wreck("Fatal Python error: Segmentation fault\n\nCurrent thread (most recent first):\n")


def hang() -> Failure:
    """The process took too long."""
    return wreck("Timeout (0:05:00)!\nThread 0x01 (most recent call first):\n  File a, line 1\n")


def documentation_drift() -> Failure:
    """A cited sentence is gone."""
    words = fold("are automatically watched")
    claim = Claim("gone", f"doc.count({words!r})", "got == 1")
    where = docstring_program("tf.GradientTape", claim)
    expected = f"one sentence with {words!r}, which watch-variable-auto cites"
    got = "0 sentences with these words in tf.GradientTape"
    return failed(
        "gone", expected, got, where, "the installed docstring was taken apart into sentences"
    )


FAILURES: Final[dict[str, tuple[str, str, Callable[[], Failure]]]] = {
    "value": ("gradient-finite-difference", "eager", value),
    "none": ("gradient-exists", "outer", none),
    "not-none": ("unwatched-none", "eager", not_none),
    "shape": ("gradient-shape-and-dtype", "dynamic", shape),
    "dtype": ("gradient-shape-and-dtype", "eager", dtype),
    "structure": ("unconnected-mixed-list", "function", structure),
    "exception": ("gradient-exists", "function", exception),
    "exception-type": ("unconnected-unknown", "eager", exception_type),
    "mode-disagreement": ("gradient-finite-difference", "xla", mode_disagreement),
    "crash": ("gradient-exists", "xla", crash),
    "hang": ("gradient-exists", "xla", hang),
    "documentation-drift": ("documentation-cited", "eager", documentation_drift),
}
"""For each snapshot whose promise it is, the mode, and what made it."""


def text(name: str) -> str:
    """A failure as the terminal shows it."""
    contract, mode, make = FAILURES[name]
    subject = "tf.math.cos" if contract.startswith("gradient") else ""
    heading = f"{contract}: {CATALOGUE[contract].sentence}"
    replay = f"python -m conformance replay results/mine.failures/{contract}-{mode}.py"
    outcome = Outcome(contract, subject, mode)
    return failure_text(heading, outcome, make(), VERSIONS, replay) + "\n"


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_reads_as_it_is_written_down(name: str) -> None:
    """To the last blank."""
    file = FOLDER / f"{name}.txt"
    found = text(name)
    if os.environ.get("TAPEMEASURE_SNAPSHOTS") == "write":
        file.write_text(found, encoding="utf-8")

    assert file.read_text(encoding="utf-8") == found


def test_every_snapshot_is_compared() -> None:
    """None is left of what is no longer printed."""
    assert {file.stem for file in FOLDER.iterdir()} == set(FAILURES)


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_of_one_width_and_of_no_colour(name: str) -> None:
    """Programs and commands are as wide as they must be."""
    said = text(name).splitlines()
    first = said.index(next(line for line in said if line.startswith("import")))
    last = next(i for i, line in enumerate(said) if line.startswith("expected  "))
    prose = [*said[:first], *(s for s in said[last:] if not s.startswith(("replay", "or ")))]

    assert all(len(line) <= WIDTH for line in prose)
    assert all(character.isprintable() for line in said for character in line)


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_prints_a_program(name: str) -> None:
    """It is Python, and needs TensorFlow and the standard library."""
    program = asdict(FAILURES[name][2]())["program"]

    compile(program, name, "exec")
    imports = {line.split()[1] for line in program.splitlines() if line.startswith("import ")}
    assert imports <= {"tensorflow", "inspect", "re", "numpy"}
