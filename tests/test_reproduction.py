"""What is printed of a failure fails by itself where the fault is, and nowhere else.

Faults are planted: the lies of which other tests show that they are found. Programs are run in
forks that have run nothing, some in interpreters of their own.
"""

from __future__ import annotations

import contextlib
import linecache
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, settings

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Cases, Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, load
from conformance.graph_programs import GraphProgram
from conformance.interpreter import HOLDS, run_alone
from conformance.modes import MODES
from conformance.profiles import PROFILES, hypothesis_settings
from conformance.record import Failure
from conformance.reproduction import Page, element, pruned
from conformance.running import ItemRun, Plan
from conformance.second_order_cases import gradient_of
from strategies.program_drawing import KINDS
from tests.cases import case_of, chain
from tests.forks import in_fork
from tests.lies import LIES
from tests.tape_lies import TAPE_LIES
from tests.test_article import LIES as ARTICLE_LIES
from tests.test_chapters import KILLS
from tests.test_lies import KILLERS as GRAPH_KILLERS
from tests.test_tape_lies import KILLERS as TAPE_KILLERS
from tests.test_threads import watching_goes_to_the_tape_entered_last

GATE = PROFILES["gate"]
NAME = "<program>"


def tell(lie: str) -> None:
    """Tell a lie of any family."""
    article = {lie.__name__: lie for lie, _, _ in ARTICLE_LIES}
    told: dict[str, Any] = {**KILLS, **TAPE_LIES, **LIES, **article}
    told[watching_goes_to_the_tape_entered_last.__name__] = watching_goes_to_the_tape_entered_last
    told[lie](tensorflow())


def failures_of(lie: str, family: str, subject: str, mode: str) -> dict[str, Failure]:
    """The failures of an item under a lie, by contract, unshrunk; runs in a fork."""
    tell(lie)
    usual = hypothesis_settings

    def without_shrinking(*args: Any) -> settings:
        return settings(usual(*args), phases=[Phase.generate])

    vars(running)["hypothesis_settings"] = without_shrinking
    minor = version(tensorflow())
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(minor))
    cases: Cases[Any, Any] = vars(contracts)[family]
    run = ItemRun(cases, subject, mode, Plan(GATE, 0, None, minor, known))
    with contextlib.suppress(Violation):  # the outcomes hold it
        run.test()()
    return {o.contract: o.failure for o in run.finish() if o.failure is not None}


def ending(program: str, lie: str | None) -> str:
    """What a program raises, in words; empty if it comes to its end. Runs in a fork."""
    if lie is not None:
        tell(lie)
    # AutoGraph reads the source of what it converts
    linecache.cache[NAME] = (len(program), None, program.splitlines(keepends=True), NAME)
    names = {"__name__": "__main__"}
    # globals() of a program are those of its own
    try:
        exec(compile(program, NAME, "exec", dont_inherit=True), names)  # noqa: S102 - printed by us
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return f"{type(error).__name__}: {error}"
    return ""


def sample(names: list[str], one_in: int) -> list[Any]:
    """Parameters of which some are tried with the other tests, and all in `kill`."""
    return [
        pytest.param(name, marks=[] if number % one_in == 0 else pytest.mark.kill)
        for number, name in enumerate(names)
    ]


def check(lie: str, failures: dict[str, Failure], item: tuple[str, str, str] | None = None) -> None:
    """Each program fails as recorded under the lie, and comes to its end without it.

    Or in a gap, if the lie was a gradient where none is registered; or as TensorFlow is known to
    break the promise anyhow.

    Args:
        lie: what was told.
        failures: by contract.
        item: a family, a subject and a mode, if TensorFlow may break its promises anyhow.
    """
    assert failures, f"{lie} breaks nothing in this item"
    for contract, failure in failures.items():
        lying, honest = (in_fork(ending, failure.program, told) for told in (lie, None))

        assert lying.startswith(f"AssertionError: {failure.kind}: "), failure.program
        if honest and "LookupError" not in honest:
            known = in_fork(kinds_of_deviations, contract, *item) if item else frozenset()
            told = tuple(f"AssertionError: {kind}: " for kind in known)
            assert "exception" in known or honest.startswith(told), f"{honest}\n{failure.program}"


def kinds_of_deviations(contract: str, family: str, subject: str, mode: str) -> frozenset[str]:
    """How a contract is known to be violated that an item violates in the honest TensorFlow."""
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(minor()))
    run = ItemRun(vars(contracts)[family], subject, mode, Plan(GATE, 0, None, minor(), known))
    run.test()()
    met = next(o.deviations for o in run.finish() if o.contract == contract)
    return frozenset(d.kind for d in known if d.id in met)


@pytest.mark.parametrize("lie", sample(sorted(GRAPH_KILLERS), 4))
def test_the_program_of_a_graph_fails_under_its_lie_alone(lie: str) -> None:
    """In the mode of the item; whatever the contract."""
    killer = GRAPH_KILLERS[lie]
    for subject in killer.subjects:
        found = in_fork(failures_of, lie, "graph", subject, killer.mode)
        if killer.contract in found:
            check(lie, found)
            return
    pytest.fail("the lie was not found")


@pytest.mark.kill
@pytest.mark.parametrize("lie", sorted(TAPE_KILLERS))
def test_the_program_of_a_tape_fails_under_its_lie_alone(lie: str) -> None:
    """Structures, watched Variables, what is held and what is raised; whatever finds it first."""
    for subject in dict.fromkeys((TAPE_KILLERS[lie].subject, *KINDS)):
        item = "program", subject, "eager"
        if found := in_fork(failures_of, lie, *item):
            check(lie, found, item)
            return
    pytest.fail("the lie was not found")


@pytest.mark.parametrize("contract", sample(sorted(KILLS), 16))
def test_the_program_of_a_scene_fails_under_its_lie_alone(contract: str) -> None:
    """In the first of its modes."""
    if not CATALOGUE[contract].covers(in_fork(minor)):
        pytest.skip("the contract does not speak of this TensorFlow")
    item = "scene", contract, CATALOGUE[contract].modes[0]
    check(contract, in_fork(failures_of, contract, *item), item)


@pytest.mark.parametrize("number", sample([str(i) for i in range(len(ARTICLE_LIES))], 4))
def test_the_program_of_the_article_fails_under_its_lie_alone(number: str) -> None:
    """Values, facts, what is printed, and literals."""
    lie, family, ids = ARTICLE_LIES[int(number)]
    check(lie.__name__, in_fork(article_failures, lie.__name__, family, ids))


def test_the_program_of_two_threads_fails_under_its_lie_alone() -> None:
    """It runs one of the programs alone, then beside the other."""
    lie = watching_goes_to_the_tape_entered_last.__name__
    check(lie, in_fork(failures_of, lie, "thread", "", "eager"))


SCENE = """
def slope(at):
    return tf.sin(at)
zero = 0.5
other = tf.sin(x)
twice = 2 * x
with tf.GradientTape() as tape:
    tape.watch(x)
    target = f(x)
made = tape.gradient(target, x)
given = tf.gradients(target, x)
"""


@pytest.mark.parametrize(("calls", "gone"), [(True, (0, 1, 2, 3, 4)), (False, (0, 1, 2))])
def test_what_nothing_makes_use_of_is_not_printed(calls: bool, gone: tuple[int, ...]) -> None:  # noqa: FBT001 - a parameter
    """Functions and numbers, and where no error is in question what makes a tensor.

    What asks for gradients stays as it is: it may run what a program has registered.
    """
    lines = SCENE.strip().splitlines()
    kept = [line for number, line in enumerate(lines) if number not in gone]

    assert pruned(lines, ["target"], calls=calls) == kept


@pytest.mark.parametrize("axes", [0, 1, 8, 9, 12])
def test_an_element_is_read_of_a_tensor_of_any_rank(axes: int) -> None:
    """Beyond eight axes TensorFlow itself takes none out."""
    tensor = tensorflow().reshape(tensorflow().range(2.0**axes), [2] * axes)

    text = element("tensor", [1] * axes, tensor.numpy())

    assert eval(text) == 2**axes - 1  # noqa: S307 - it is what a program prints


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_forward_mode_is_asked_of_what_is_printed(mode: str) -> None:
    """A source that leads to no target is neither made nor moved."""
    case = gradient_of(case_of(chain(("tf.math.sin", (0,)), inputs=2), (0.5,), (0.25,)), 0)
    program = GraphProgram(case, MODES[mode], 0).forward()

    assert "x1" not in program
    assert not in_fork(ending, program, None)


def article_failures(lie: str, family: str, ids: list[str]) -> dict[str, Failure]:
    """The failures of contracts of the article under a lie, one at a time; runs in a fork."""
    tell(lie)
    vars(running)["SHRINK_SECONDS"] = 0
    plan = Plan(PROFILES["quick"], 0, None, minor())
    found: dict[str, Failure] = {}
    for contract in ids:
        cases: Cases[Any, Any] = vars(contracts)[family]
        run = ItemRun(replace(cases, contracts=[CATALOGUE[contract]]), "", "eager", plan)
        with contextlib.suppress(Violation):
            run.test()()
        found |= {o.contract: o.failure for o in run.finish() if o.failure is not None}
    return found


def minor() -> tuple[int, int]:
    """The minor version of TensorFlow."""
    return version(tensorflow())


def test_an_exception_that_a_traced_program_catches_is_not_returned() -> None:
    """A function may only return tensors; what is judged is global."""
    body = ["try:", "    g0 = tf.ones([])", "except Exception as error:", "    g0 = error"]
    shows = ["assert not isinstance(g0, Exception)"]

    page = Page(["import tensorflow as tf"], body, bound=["g0"])

    assert (
        page.text(MODES["function"], shows, others=["g0"])
        == """\
import tensorflow as tf

def program():
    global g0
    try:
        g0 = tf.ones([])
    except Exception as error:
        g0 = error

tf.function(program, autograph=False)()
assert not isinstance(g0, Exception)
"""
    )


def test_a_program_needs_nothing_of_ours() -> None:
    """In a fresh interpreter, in a folder that holds nothing else, it comes to its end."""
    lie = "the_gradient_of_cos_is_scaled"
    found = in_fork(failures_of, lie, "graph", "tf.math.cos", "function")
    failure = found["gradient-finite-difference"]

    assert "conformance" not in failure.program
    assert run_alone(sys.executable, failure.program).verdict("value", "") == HOLDS
