"""The article's claims are answered, and what answers them notices a tape that lies.

Lies are told to a real TensorFlow in processes forked after its import and before its first op.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance import literal_cases, regression_cases, running
from conformance.boundary import tensorflow, version
from conformance.contract import Cases, Violation
from conformance.contracts import article, article_tape
from conformance.linear_regression import (
    AFTER,
    BEFORE,
    NEVER,
    SCENES,
    Regression,
)
from conformance.modes import MODES
from conformance.profiles import PROFILES

CHAPTERS = (article, article_tape)
"""Importing them fills the families."""

CLAIMS = {
    "the tape is not limited to Variables, it works with Tensors too": ["article-tensor-as-source"],
    "the tape also tracks operations on Tensors": ["article-records-if-watched"],
    "it records the forward pass inside its context": ["article-records-in-context"],
    "gradient() goes backwards and gives d target / d sources": [
        "article-gradient-of-intermediate",
        "article-gradient-of-sum",
    ],
    "for Variables, computing the gradient subsequently modifies the value": [
        "article-gradient-does-not-update"
    ],
    "Tensors are immutable": ["article-tensor-immutable"],
    "the tape has no mechanism to update a Tensor": ["article-tape-updates-nothing"],
    "example 1 runs, and updates w and b": ["article-ex1", "article-ex1-step"],
    "assign_sub belongs to Variables": ["article-assign-sub-of-variable"],
    "example 2: the tape calculates dw for a constant w": [
        "article-ex2-constant-gives-none",
        "article-constant-of-tensor",
    ],
    "example 2: dw.numpy() shows the gradient": ["article-ex2-numpy-of-none"],
    "example 2: w.assign_sub would fail, as Tensors lack it": ["article-ex2-step-of-a-tensor"],
    "example 2: b is still updated": ["article-ex2-bias-steps"],
    "example 2: the output shows gradients that cannot be used": ["article-ex2-prints-nothing"],
    "being tracked does not imply being trainable": ["article-tracked-is-not-trainable"],
    "example 3: watching x gives the sensitivity to the input": ["article-ex3"],
    "example 3: watch has to come before the forward pass": [
        "article-watch-before-forward",
        "article-ex3-late-watch",
    ],
    "gradients with respect to Tensors can absolutely be computed": [
        "article-tensor-gradient-iff-watched"
    ],
    "example 3: its dtype=tf.float32 is worth a note": [
        "article-float-literals-need-no-dtype",
        "article-integer-literals-give-none",
    ],
}
"""The article's claims in our own words, in its order, and the contracts that answer them."""

FAMILIES: dict[str, Cases[Any, Any]] = {
    "regression": regression_cases.REGRESSIONS,
    "literal": literal_cases.LITERALS,
}
BY_ID = {c.id: c for family in FAMILIES.values() for c in family.contracts}

ARTICLE = Regression(
    "float32",
    2,
    2,
    0.01,
    (((1.0, 2.0, 3.0, 4.0), (0.5, -1.0), (0.0,), (5.0, 11.0)),),
    (BEFORE, NEVER, NEVER, AFTER),
    unknown_rank=False,
)
"""The article's numbers, with weights in place of its random ones."""


# -- lies ----------------------------------------------------------------------------------------


def a_watched_constant(tf: Any) -> None:
    """The factors of a product are watched unasked."""
    enter, leave, matmul = tf.GradientTape.__enter__, tf.GradientTape.__exit__, tf.matmul
    open_tapes: list[Any] = []

    def entering(tape: Any) -> Any:
        open_tapes.append(tape)
        return enter(tape)

    def leaving(tape: Any, *error: Any) -> Any:
        open_tapes.remove(tape)
        return leave(tape, *error)

    def watching(a: Any, b: Any) -> Any:
        for tape in open_tapes:
            tape.watch([a, b])
        return matmul(a, b)

    tf.GradientTape.__enter__, tf.GradientTape.__exit__ = entering, leaving
    tf.matmul = watching


def zeros_for_none(tf: Any) -> None:
    """What is not connected gets zeros instead of None."""
    honest = tf.GradientTape.gradient

    def gradient(tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        return honest(tape, target, sources, **{"unconnected_gradients": "zero", **options})

    tf.GradientTape.gradient = gradient


def one_percent_too_much(tf: Any) -> None:
    """Every gradient is 1 % too large."""
    _change(tf, lambda gradient, source: 1.01 * gradient)  # noqa: ARG005 - one signature for all


def the_mean_of_the_target(tf: Any) -> None:
    """A target of many elements is averaged, not summed."""
    honest = tf.GradientTape.gradient

    def gradient(tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        found = honest(tape, target, sources, **options)
        size = max(int(np.prod(target.shape.as_list())), 1)
        return tf.nest.map_structure(lambda g: None if g is None else g / size, found)

    tf.GradientTape.gradient = gradient


def an_update_by_gradient(tf: Any) -> None:
    """Differentiating with respect to a Variable steps it at once."""

    def step(gradient: Any, source: Any) -> Any:
        if isinstance(source, tf.Variable):
            source.assign_sub(gradient)
        return gradient

    _change(tf, step)


def a_deaf_watch(tf: Any) -> None:
    """watch() watches nothing."""
    tf.GradientTape.watch = lambda tape, tensor: None  # noqa: ARG005 - GradientTape's signature


def a_mutable_tensor(tf: Any) -> None:
    """Tensors, symbolic ones too, have an assign_sub that does nothing and items to assign to."""
    kinds: list[Any] = list(type(tf.constant(0.0)).__mro__[:-1])
    for kind in kinds:
        with contextlib.suppress(TypeError):  # the classes written in C
            kind.assign_sub = lambda tensor, delta: tensor  # noqa: ARG005 - its signature
            kind.__setitem__ = lambda tensor, index, number: None  # noqa: ARG005 - its signature


def a_literal_is_double(tf: Any) -> None:
    """Literals without a dtype become double precision."""
    honest = tf.constant

    def constant(value: Any, dtype: Any = None, **options: Any) -> Any:
        if dtype is None and isinstance(value, list):
            return tf.cast(honest(value, **options), tf.float64)
        return honest(value, dtype, **options)

    tf.constant = constant


def _change(tf: Any, change: Callable[[Any, Any], Any]) -> None:
    honest = tf.GradientTape.gradient

    def gradient(tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        found = honest(tape, target, sources, **options)
        several = list(sources) if isinstance(sources, (list, tuple)) else [sources]
        gradients = found if isinstance(sources, (list, tuple)) else [found]
        told = [
            None if g is None else change(g, s) for g, s in zip(gradients, several, strict=True)
        ]
        return told if isinstance(sources, (list, tuple)) else told[0]

    tf.GradientTape.gradient = gradient


# -- forks ---------------------------------------------------------------------------------------


def violated(family: str, mode: str, lie: str, contracts: Sequence[str]) -> set[str]:
    """Those of some contracts that the quick profile finds violated in a mode, under a lie."""
    tf = tensorflow()
    globals()[lie](tf)
    running.SHRINK_SECONDS = 0
    plan = running.Plan(PROFILES["quick"], 0, None, version(tf))
    found = set()
    for contract in contracts:  # one at a time, as an item ends with its first violation
        alone = replace(FAMILIES[family], contracts=[BY_ID[contract]])
        item = running.ItemRun(alone, "", mode, plan)
        with contextlib.suppress(Violation):
            item.test()()
        found |= {outcome.contract for outcome in item.finish() if outcome.verdict == "violated"}
    return found


def inconclusive(family: str, mode: str) -> set[str]:
    """The contracts of a family that the quick profile cannot say to hold in a mode."""
    tf = tensorflow()
    plan = running.Plan(PROFILES["quick"], 0, None, version(tf))
    item = running.ItemRun(FAMILIES[family], "", mode, plan)
    item.test()()
    return {outcome.contract for outcome in item.finish() if outcome.verdict != "holds"}


def printed(program: str) -> tuple[str, str]:
    """What a program prints, and the name of the error in which it ends."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        try:
            exec(program, {})  # noqa: S102 - our own text
        except AttributeError as error:
            return output.getvalue(), f"AttributeError: {error}"
    return output.getvalue(), ""


@pytest.fixture(scope="module")
def fork() -> Callable[..., Any]:
    """Calls a function of this module in a process forked right after TensorFlow's import."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow", "pytest", "conformance.running"])

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            answer: Future[Any] = pool.submit(function, *arguments)
            return answer.result(timeout=120)

    return call


# -- the claims ----------------------------------------------------------------------------------


def test_each_of_the_nineteen_claims_is_answered() -> None:
    """Every claim names contracts that exist, and no contract of the article answers nothing."""
    answers = {contract for contracts in CLAIMS.values() for contract in contracts}

    assert len(CLAIMS) == 19
    assert answers == set(BY_ID)


@pytest.mark.parametrize("contract", BY_ID)
def test_an_answer_cites_the_article_first(contract: str) -> None:
    """Each contract says which claim it answers."""
    assert BY_ID[contract].cites[0].kind == "article"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("family", ["regression", "literal"])
def test_quick_is_conclusive_about_every_claim(
    fork: Callable[..., Any], family: str, mode: str
) -> None:
    """In the quick profile every contract holds, with evidence, in each of its modes."""
    assert fork(inconclusive, family, mode) == set()


# -- the examples --------------------------------------------------------------------------------


def test_example_1_prints_gradients_and_updated_variables(fork: Callable[..., Any]) -> None:
    """The article's first example runs to its end."""
    output, error = fork(printed, ARTICLE.source("example 1"))

    assert error == ""
    assert output.count("tf.Tensor(") == 2
    assert output.count("<tf.Variable") == 2


def test_example_2_prints_nothing_and_ends_in_an_attribute_error(fork: Callable[..., Any]) -> None:
    """The article's second example reads a gradient that is None."""
    assert fork(printed, ARTICLE.source("example 2")) == (
        "",
        "AttributeError: 'NoneType' object has no attribute 'numpy'",
    )


def test_example_3_gives_one_gradient_whether_watched_early_or_late(
    fork: Callable[..., Any],
) -> None:
    """The article's third example prints the same with its watch after the forward pass."""
    early = fork(printed, ARTICLE.source("example 3"))
    late = fork(printed, ARTICLE.source("example 3, late"))

    assert early[0].startswith("tf.Tensor(")
    assert early == late


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene != "example 2"])
def test_a_printed_program_runs(fork: Callable[..., Any], scene: str) -> None:
    """What a failure prints can be pasted."""
    output, error = fork(printed, ARTICLE.source(scene))

    assert error == ""
    assert output


# -- the lies are found --------------------------------------------------------------------------

LIES = [
    (
        zeros_for_none,
        "regression",
        [
            "article-ex2-constant-gives-none",
            "article-ex2-numpy-of-none",
            "article-ex2-prints-nothing",
            "article-records-in-context",
            "article-watch-before-forward",
            "article-tracked-is-not-trainable",
        ],
    ),
    (zeros_for_none, "literal", ["article-integer-literals-give-none"]),
    (
        a_watched_constant,
        "regression",
        [
            "article-ex2-constant-gives-none",
            "article-tensor-gradient-iff-watched",
            "article-records-if-watched",
        ],
    ),
    (
        one_percent_too_much,
        "regression",
        [
            "article-ex1",
            "article-ex3",
            "article-tensor-as-source",
            "article-gradient-of-intermediate",
        ],
    ),
    (the_mean_of_the_target, "regression", ["article-gradient-of-sum"]),
    (
        an_update_by_gradient,
        "regression",
        ["article-gradient-does-not-update", "article-tape-updates-nothing"],
    ),
    (
        a_deaf_watch,
        "regression",
        ["article-ex3", "article-ex3-late-watch", "article-constant-of-tensor"],
    ),
    (
        a_mutable_tensor,
        "regression",
        [
            "article-tensor-immutable",
            "article-assign-sub-of-variable",
            "article-ex2-step-of-a-tensor",
        ],
    ),
    (a_literal_is_double, "literal", ["article-float-literals-need-no-dtype"]),
]
"""A lie, the family that meets it, and the contracts that it breaks."""


@pytest.mark.parametrize(
    ("lie", "family", "contracts"),
    LIES,
    ids=[f"{lie.__name__}-{family}" for lie, family, _ in LIES],
)
def test_a_lie_violates_every_contract_that_it_breaks(
    fork: Callable[..., Any], lie: Callable[..., None], family: str, contracts: list[str]
) -> None:
    """Eagerly, in the quick profile, a tape that lies is caught by each contract it breaks."""
    assert fork(violated, family, "eager", lie.__name__, contracts) == set(contracts)


@pytest.mark.parametrize("mode", ["function", "outer", "dynamic"])
def test_a_lie_is_found_in_traced_modes(fork: Callable[..., Any], mode: str) -> None:
    """Two traced cases are enough to notice zeros in place of None."""
    contracts = ["article-ex2-constant-gives-none"]

    assert fork(violated, "regression", mode, "zeros_for_none", contracts) == set(contracts)
