"""The kill matrix: the quick profile catches every broken tape, and accuses no honest one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product

import pytest
from hypothesis import Phase, settings

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, load
from conformance.profiles import PROFILES, hypothesis_settings
from conformance.record import Outcome
from conformance.running import ItemRun, Plan
from tests.forks import ROOT, in_fork
from tests.lies import LIES, VARIABLE

QUICK = PROFILES["quick"]
SEED = 0

COS, MULTIPLY, MATVEC = "tf.math.cos", "tf.math.multiply", "tf.linalg.matvec"
SIN, EXP = "tf.math.sin", "tf.math.exp"
STOP, GATHER = "tf.stop_gradient", "tf.gather"
SLICES = tuple(f"tf.sparse.segment_{of} with slices" for of in ("sum", "mean", "sqrt_n"))


@dataclass(frozen=True)
class Killer:
    """What must catch a lie.

    Attributes:
        contract: the contract that must be violated.
        kind: how.
        subjects: the items that are run, as the quick profile runs what it takes of them, until
            one catches it.
        mode: of these items.
    """

    contract: str
    kind: str
    subjects: tuple[str, ...]
    mode: str = "eager"


_VALUE = ("gradient-finite-difference", "value")
_ANY = (MULTIPLY, COS, MATVEC)

KILLERS = {
    "constants_are_watched": Killer("unwatched-none", "none", _ANY),
    "variables_are_not_watched": Killer("watch-variable-auto", "watched", _ANY),
    "frozen_variables_are_watched": Killer("watch-nontrainable-not-auto", "watched", _ANY),
    "watch_is_forgotten": Killer("gradient-exists", "none", _ANY),
    "watched_variables_are_hidden": Killer("watch-variable-auto", "watched", _ANY),
    "none_becomes_zeros": Killer("unwatched-none", "none", _ANY),
    "zeros_become_none": Killer("unconnected-zero", "zeros", _ANY),
    "zeros_have_another_dtype": Killer("unconnected-zero", "zeros", _ANY),
    "stop_gradient_is_ignored": Killer("unconnected-none", "none", (STOP,)),
    "the_gradient_of_cos_is_scaled": Killer(*_VALUE, (COS,)),
    "the_gradient_of_matmul_is_scaled": Killer(*_VALUE, (MATVEC,)),
    "the_gradient_of_mul_has_the_wrong_sign": Killer(*_VALUE, (MULTIPLY,)),
    "the_gradient_for_zeros_is_not_a_number": Killer("zero-cotangent", "value", _ANY),
    "the_gradient_for_zeros_is_tiny": Killer("zero-cotangent", "value", _ANY),
    "the_gradient_grows_faster_than_its_cotangent": Killer("linear-cotangent", "value", _ANY),
    "integers_have_gradients": Killer("integer-none", "none", (GATHER,)),
    "one_element_is_wrong": Killer(*_VALUE, _ANY),
    "the_gradient_is_not_a_number": Killer(*_VALUE, _ANY),
    "conjugation_is_forgotten": Killer(*_VALUE, _ANY),
    "output_gradients_are_ignored": Killer(*_VALUE, _ANY),
    "the_jvp_is_doubled": Killer("gradient-forward-mode", "value", _ANY),
    "lower_precision_is_sloppy": Killer(
        "gradient-lower-precision", "value", ("tf.math.tanh", "tf.math.lgamma", "tf.math.asin")
    ),
    "traced_gradients_are_scaled": Killer(*_VALUE, (COS, MULTIPLY), "function"),
    "gradients_of_unknown_shapes_are_scaled": Killer(
        *_VALUE, ("tf.math.expm1", "tf.math.sqrt", COS), "dynamic"
    ),
    "gradients_are_transposed": Killer("gradient-shape-and-dtype", "shape", _ANY),
    "slices_are_of_another_shape": Killer("gradient-shape-and-dtype", "slices", SLICES),
    "gradient_dtype_is_float64": Killer("gradient-shape-and-dtype", "dtype", (SIN, EXP)),
    "the_gradient_of_cos_raises": Killer("gradient-exists", "exception", (COS,)),
    "tensors_can_be_assigned": Killer("tensor-lacks-assign", "attribute", _ANY),
    "variables_cannot_be_assigned": Killer("tensor-lacks-assign", "attribute", _ANY),
    "assign_sub_adds": Killer("variable-assign-sub-step", "value", _ANY),
}
"""For each lie what catches it."""

ITEMS = sorted({(s, k.mode) for k in KILLERS.values() for s in k.subjects})


def outcomes_of(  # noqa: PLR0913 - most are left out
    subject: str,
    mode: str,
    lie: str | None = None,
    *,
    cases: str = "graph",
    shrink: bool = False,
    examples: int | None = None,
    contract: str = "",
) -> dict[str, Outcome]:
    """The outcomes of one item as the quick profile runs it, by contract; runs in a fork.

    Args:
        subject: what the item is about.
        mode: how it meets the tape.
        lie: what is told first, if anything.
        cases: the family of the item, by its name.
        shrink: whether a failure is made smaller, which takes seconds and changes no verdict.
        examples: how many cases, if not as many as the profile says.
        contract: the only one that looks, so that none that sees more comes before it; or all.
    """
    tf = tensorflow()
    if lie is not None:
        LIES[lie](tf)
    if not shrink:
        without = partial(settings, hypothesis_settings(QUICK, examples or QUICK.examples[mode]))
        vars(running)["hypothesis_settings"] = lambda *_: without(phases=[Phase.generate])
    minor = version(tf)
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(minor))
    family = vars(contracts)[cases]
    looking = [c for c in family.contracts if contract in ("", c.id)]
    plan = Plan(QUICK, SEED, examples, minor, known)
    run = ItemRun(replace(family, contracts=looking), subject, mode, plan)
    with contextlib.suppress(Violation):  # the outcomes hold it
        run.test()()
    return {outcome.contract: outcome for outcome in run.finish()}


@cache
def honest(subject: str, mode: str) -> dict[str, Outcome]:
    """The outcomes of an item on the TensorFlow that is installed."""
    return in_fork(outcomes_of, subject, mode)


def violated(outcomes: dict[str, Outcome]) -> dict[str, str]:
    """The kind of each violation, by contract."""
    return {c: o.failure.kind for c, o in outcomes.items() if o.failure is not None}


@pytest.mark.parametrize("lie", KILLERS)
def test_a_lie_is_killed_by_the_quick_profile(lie: str) -> None:
    """The contract that the lie breaks is violated in the expected way, beside others or alone."""
    killer = KILLERS[lie]
    found: dict[str, dict[str, str]] = {}
    for subject, contract in product(killer.subjects, ("", killer.contract)):
        outcomes = in_fork(outcomes_of, subject, killer.mode, lie, contract=contract)
        found[subject] = violated(outcomes)
        if found[subject].get(killer.contract) == killer.kind:
            assert outcomes[killer.contract].verdict == "violated"
            return

    pytest.fail(f"{lie} survives: expected {killer.contract} ({killer.kind}), got {found}")


@pytest.mark.parametrize("item", ITEMS, ids="-".join)
def test_an_item_that_kills_accuses_no_honest_tape(item: tuple[str, str]) -> None:
    """Without a lie the same items violate nothing."""
    assert violated(honest(*item)) == {}


def test_every_lie_has_a_killer() -> None:
    """The matrix names each lie, and no other."""
    assert sorted(KILLERS) == sorted(LIES)


def test_every_contract_about_graphs_kills_a_lie() -> None:
    """What no lie can break promises nothing."""
    assert {killer.contract for killer in KILLERS.values()} == {
        contract.id for contract in contracts.graph.contracts
    }


MINIMAL = """\
import tensorflow as tf

x0 = tf.constant(1.0, tf.float64)
with tf.GradientTape() as tape:
    tape.watch(x0)
    y0 = tf.math.cos(x0)
"""


@pytest.mark.parametrize(
    "lie",
    [
        "watch_is_forgotten",
        "the_gradient_of_cos_is_scaled",
        "output_gradients_are_ignored",
        "tensors_can_be_assigned",
    ],
)
def test_what_is_left_of_the_program_that_caught_a_lie_is_minimal(lie: str) -> None:
    """Shrinking ends at the subject alone, on one watched scalar, in double precision."""
    killer = KILLERS[lie]

    failure = in_fork(outcomes_of, COS, "eager", lie, shrink=True)[killer.contract].failure

    assert failure is not None
    assert failure.program.startswith(MINIMAL)
    assert len(failure.program.removeprefix(MINIMAL).splitlines()) <= 3


@pytest.mark.parametrize("lie", ["the_gradient_of_cos_is_scaled"])
def test_a_lie_fails_a_run_in_a_fresh_interpreter(lie: str) -> None:
    """Exit code 1, and the report says what, in which program, why, and how to repeat it."""
    options = ["-p", "tests.lies", "-p", "no:cacheprovider", "--tape-mode", "eager", "-k", "cos-"]
    environment = {**os.environ, VARIABLE: lie, "TF_CPP_MIN_LOG_LEVEL": "3"}
    killer = KILLERS[lie]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "conformance", *options],
        cwd=ROOT,
        env={k: v for k, v in environment.items() if not k.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )

    report = done.stdout
    told = " ".join(report.split())  # long lines are wrapped
    assert done.returncode == 1, report + done.stderr
    contract = CATALOGUE[killer.contract]
    for line in (
        f"{contract.id}: {contract.sentence}",
        "  about tf.math.cos in mode eager",
        "    y0 = tf.math.cos(x0)",
        'replay    pytest "conformance/contracts/test_contracts.py::graph[tf.math.cos-eager]"',
    ):
        assert " ".join(line.split()) in told
    for start in ("expected  ", "got       ", "because   ", "versions  "):
        assert f"\n{start}" in report
