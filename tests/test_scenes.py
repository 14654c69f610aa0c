"""Scenes: what is drawn for them, how they run and print, and that every judgement can fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from conformance.contract import CATALOGUE, Unsupported, Violation
from conformance.contracts import test_contracts as contracts
from conformance.modes import MODES
from conformance.profiles import PROFILES
from conformance.running import ItemRun, Plan
from conformance.scene_cases import (
    FLOATING,
    STATED,
    Drawn,
    Scene,
    SceneCase,
    cases_of,
    run,
)
from conformance.seen_scenes import SeenScene
from strategies.functions import Function
from strategies.graphs import Graph, Node, Ref
from strategies.tensors import Input, TensorType
from strategies.values import REAL
from tests.forks import in_fork

PAIR = TensorType("float64", (2,))
NUMBERS = {"x": (1.0, 2.0), "y": (0.5, -1.5), "v": (3.0, 0.25), "dy": (2.0, -1.0)}
SQUARE = "tf.math.square"


def square(op: str = SQUARE) -> Function:
    """A function of one op."""
    return Function(Graph((Input(PAIR, REAL),), (Node(op, op, (Ref(0),), (), (PAIR,)),), (1,)), ())


def scene_of(text: str, raises: str = "", saying: str = "", **choices: tuple[str, ...]) -> Scene:
    """A scene."""
    return Scene("scene", text, choices, FLOATING, (0, 3), (), raises, saying)


def case_of(scene: Scene, function: Function | None = None) -> SceneCase:
    """The scene with x = [1, 2], y = [0.5, -1.5], v = [3, 0.25], dy = [2, -1] and f the square."""
    drawn = [Drawn(name, PAIR, NUMBERS[name]) for name in NUMBERS if name in scene.names]
    functions = {"f": function or square()} if "f" in scene.names else {}
    chosen = {name: texts[0] for name, texts in scene.choices.items()}
    return SceneCase(scene, tuple(drawn), functions, chosen)


def seen_of(text: str, mode: str = "eager", **more: Any) -> SeenScene:
    """What is seen of a scene."""
    return run(case_of(scene_of(text, **more)), mode)


GRADIENT = """
with tf.GradientTape() as tape:
    tape.watch(x)
    target = f(x)
gradient = tape.gradient(target, [x, y])
"""


def test_a_scene_names_what_it_does_not_make() -> None:
    """Not what it binds, nor a lambda's parameter; what is behind a cotangent too."""
    scene = scene_of(
        "y = g(f(x))\nz = (lambda k: k)($what)\nfor w in [u]: pass",
        what=("dx", "v"),
    )

    assert scene.names & {*"xyzvwukfgh", "dx", "dy", "dz"} == {"x", "f", "g", "u", "dx", "v"}
    assert {"dy", "f"} <= scene_of("tape.gradient(1, 2, dy)").names


def test_what_a_function_of_a_scene_calls_its_own_hides_nothing() -> None:
    """A parameter x is not the drawn x, which is still needed outside; nor is it bound there."""
    scene = scene_of("def double(x):\n    y = x\n    return 2 * y + z\n\ntarget = double(x)")

    assert scene.names & {"x", "y", "z"} == {"x", "z"}
    assert scene.bound == {"double", "target"}


def test_of_a_scene_that_needs_nothing_only_its_choices_are_drawn() -> None:
    """So there are no more cases than choices."""
    scene = scene_of("found = tf.zeros([$size])", size=("1", "2"))
    cases = set[str]()

    @settings(max_examples=50, database=None, deadline=None, derandomize=True)
    @given(cases_of(scene))
    def look(case: SceneCase) -> None:
        cases.add(case.source())

    look()
    assert len(cases) == 2
    assert not scene.draws_tensors


@pytest.mark.parametrize("mode", ["eager", "function", "outer"])
def test_a_scene_runs_and_prints_as_it_runs(mode: str) -> None:
    """What it binds is seen; the printed program gives the same by itself."""
    seen = seen_of(GRADIENT, mode)
    seen.derivative("gradient[0]", "f(x)", by="x")
    seen.none("gradient[1]")

    scope: dict[str, Any] = {}
    page = seen.case.page(mode, ["gradient"])
    exec(page.text(MODES[mode], ["gradient"]), scope)  # noqa: S102 - our own text
    assert scope["gradient"][0].numpy().tolist() == [2.0, 4.0]
    assert seen.tally.conclusive == 2


def test_what_a_failure_prints_in_a_function_returns_what_was_judged() -> None:
    """So that it can be pasted and shows the fault."""
    seen = seen_of("gradient = [x * 2, f(x)]\nother = x", "function")

    with pytest.raises(Violation) as raised:
        seen.none("gradient[0]")

    assert "    return [x * 2, f(x)]\n" in raised.value.where
    with pytest.raises(AssertionError, match=r"^none: "):
        exec(raised.value.where, {})  # noqa: S102 - our own text


def test_what_raises_when_a_function_runs_raises_in_what_is_printed_too() -> None:
    """Though nothing is told of any tensor, and TensorFlow drops what nobody asks for."""
    seen = seen_of("checked = tf.debugging.check_numerics(f(x) / 0.0, 'infinite')", "function")

    with pytest.raises(Violation) as raised:
        seen.ends_as_it_should()

    with pytest.raises(AssertionError, match=r"^exception: InvalidArgumentError$"):
        exec(raised.value.where, {})  # noqa: S102 - our own text


FALSE: dict[str, Callable[[SeenScene], None]] = {
    "holds": lambda seen: seen.holds("len(pair) == 3"),
    "none": lambda seen: seen.none("pair"),
    "there": lambda seen: seen.there("pair"),
    "same": lambda seen: seen.same("x", "tf.nest.map_structure(lambda t: t * (1 + 2**-52), x)"),
    "same dtype": lambda seen: seen.same("x", "tf.cast(x, tf.float32)"),
    "near": lambda seen: seen.near("x", "x * (1 + 1e-14)", "x", roundings=3),
    "zeros": lambda seen: seen.zeros("x - x[0]", "x"),
    "strings": lambda seen: seen.zeros("tf.constant(['', 'a'])", "tf.constant(['a', ''])"),
    "zeros of another dtype": lambda seen: seen.zeros("tf.zeros([2])", "x"),
    "like": lambda seen: seen.like("x[:1]", "x"),
    "derivative": lambda seen: seen.derivative("2.02 * x", "f(x)", by="x"),
    "one element of a derivative": lambda seen: seen.derivative("[2.0, 4.04] * x / x", "f(x)", "x"),
    "a derivative that is None": lambda seen: seen.derivative("pair[1]", "f(x)", by="x"),
    "weights": lambda seen: seen.derivative("2 * x", "f(x)", by="x", weights="dy"),
    "zeros for more than there is": lambda seen: seen.zeros("[x - x]", "[x, x]"),
    "like more than there is": lambda seen: seen.like("pair", "x"),
    "derivatives instead of one": lambda seen: seen.derivative("[x, x]", "f(x)", by="x"),
    "what is not there": lambda seen: seen.none("pair[2]"),
    "what None has not": lambda seen: seen.there("pair[1].values"),
}


@pytest.mark.parametrize("what", FALSE)
def test_a_judgement_fails_where_it_is_false(what: str) -> None:
    """An error of one percent, of one element, of one rounding too many."""
    seen = seen_of("pair = [f(x), None]\ndy, y")

    with pytest.raises(Violation) as raised:
        FALSE[what](seen)

    with pytest.raises(AssertionError, match=f"^{raised.value.kind}: "):
        exec(raised.value.where, {})  # noqa: S102 - our own text
    assert not seen.tally.conclusive


TRUE: dict[str, Callable[[SeenScene], None]] = {
    "holds": lambda seen: seen.holds("len(pair) == 2"),
    "none": lambda seen: seen.none("pair[1]", "[None]"),
    "there": lambda seen: seen.there("pair[0]"),
    "same": lambda seen: seen.same("pair", "[x * x, None]"),
    "near": lambda seen: seen.near("x", "x * (1 + 2**-52)", "x", roundings=1),
    "zeros": lambda seen: seen.zeros("x - x", "x"),
    "an empty string": lambda seen: seen.zeros("tf.constant('')", "tf.constant('a')"),
    "like": lambda seen: seen.like("x + 1", "x"),
    "derivative": lambda seen: seen.derivative("2 * x", "f(x)", by="x"),
    "of a Variable": lambda seen: seen.derivative("2 * v", "f(v)", by="v"),
    "weights": lambda seen: seen.derivative("2 * x * dy", "f(x)", by="x", weights="dy"),
    "of a nest": lambda seen: seen.derivative("2 * x + 1", "[f(x), {'a': x}]", by="x"),
}


@pytest.mark.parametrize("what", TRUE)
def test_a_judgement_passes_where_it_is_true(what: str) -> None:
    """And counts as conclusive."""
    seen = seen_of("pair = [f(x), None]\ndy, y, v")

    TRUE[what](seen)

    assert seen.tally.conclusive


def test_nothing_is_the_same_as_nothing_without_evidence() -> None:
    """Two Nones agree, but that proves little."""
    seen = seen_of("pair = [None]\nx")

    seen.same("pair", "[None]")

    assert (seen.tally.conclusive, seen.tally.trivial) == (0, 1)


def test_a_step_or_a_pole_is_no_accusation() -> None:
    """What finite differences cannot say is counted as undecided."""
    seen = seen_of("x")

    seen.derivative("x * 0 + 7.0", "tf.math.sign(x - [1.0, 2.0])", by="x")

    assert not seen.tally.conclusive
    assert seen.tally.inconclusive


RAISES = {
    "another type": ("raise ValueError('what')", "TypeError", ""),
    "other words": ("raise ValueError('what')", "ValueError", "which"),
    "nothing": ("x", "ValueError", ""),
    "something unexpected": ("raise ValueError('what')", "", ""),
}


@pytest.mark.parametrize("what", RAISES)
def test_a_scene_that_ends_otherwise_fails(what: str) -> None:
    """The type and the words of an exception are judged, and so is one that nobody expected."""
    text, raises, saying = RAISES[what]
    seen = seen_of(text, raises=raises, saying=saying)

    with pytest.raises(Violation, match="exception"):
        seen.ends_as_it_should()


def test_a_scene_that_raises_as_it_should_is_judged_by_that() -> None:
    """A subclass will do, as it does for who catches it; other judgements have nothing to say."""
    seen = seen_of("x.no_such", raises="AttributeError", saying="no_such")

    seen.ends_as_it_should()
    seen.none("never_bound")

    assert seen.tally.conclusive == 1


def test_a_function_that_does_not_run_is_unsupported() -> None:
    """The scene is not to blame."""
    case = case_of(scene_of(GRADIENT), square("tf.linalg.inv"))

    with pytest.raises(Unsupported):
        run(case, "eager")


TWICE = """
with tf.GradientTape() as tape:
    tape.watch(x)
    targets = [f(x), f(x)[0] * x]
gradient = tape.gradient(targets, [x])
"""


def undecided_under_lie(what: str, text: str = GRADIENT, raises: str = "") -> dict[str, int]:
    """What is undecided of a scene whose op has a broken gradient; runs in a fork."""
    from tensorflow.python.framework import ops  # noqa: PLC0415 - the registry has no public name

    registry = ops.gradient_registry._registry
    truth = registry["Square"]["type"]

    def broken(op: Any, grad: Any) -> Any:
        if what == "raises":
            raise ValueError("broken")
        found = truth(op, grad)
        return found[None, :1] if what == "has another shape" else found * 1.01

    registry["Square"]["type"] = broken
    seen = seen_of(text, raises=raises)
    seen.ends_as_it_should()
    seen.derivative("gradient[0]", "f(x)", by="x")
    return seen.tally.inconclusive


@pytest.mark.parametrize(
    ("what", "text", "raises"),
    [
        ("is false", GRADIENT, ""),
        ("raises", GRADIENT, ""),
        ("has another shape", TWICE, ""),
        ("raises", GRADIENT, "LookupError"),
    ],
)
def test_what_an_op_does_wrong_is_not_the_fault_of_the_scene(
    what: str, text: str, raises: str
) -> None:
    """Contracts about graphs judge ops, be it that the scene adds gradients up or is to raise."""
    assert in_fork(undecided_under_lie, what, text, raises)


def test_an_outcome_of_a_scene_has_no_subject() -> None:
    """The contract is enough."""
    item = ItemRun(
        contracts.scene, "watch-late", "eager", Plan(PROFILES["quick"], 0, 2, (2, 21), ())
    )
    item.test()()

    (outcome,) = item.finish()

    assert (outcome.contract, outcome.subject, outcome.verdict) == ("watch-late", "", "holds")


@pytest.mark.parametrize("contract", contracts.scene.subjects)
def test_a_scene_draws_all_that_it_names(contract: str) -> None:
    """No name is left without a value, in any choice; every choice is drawn."""
    chosen: dict[str, set[str]] = {}
    choices = STATED[contract].choices

    @settings(
        max_examples=60 + 40 * max(map(len, choices.values()), default=0),
        database=None,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(contracts.scene.draw(contract, CATALOGUE[contract].modes[0]))
    def look(case: SceneCase) -> None:
        compile(case.source(), "<scene>", "exec")
        for name, text in case.chosen.items():
            chosen.setdefault(name, set()).add(text)
        known = {one.name for one in case.drawn} | case.functions.keys()
        drawable = {"x", "y", "z", "v", "w", "u", "k", "dx", "dy", "dz", "f", "g", "h"}
        assert case.scene.names & drawable == known

    look()
    assert {name: set(texts) for name, texts in choices.items()} == chosen


SQUARE_IN_A_FUNCTION = (
    "tf.custom_gradient(lambda x: "
    "(x * x, lambda dy: dy * x * (2.0 if tf.executing_eagerly() else 3.0)))({0})"
)
"""A square whose gradient is three times the operand where a function is traced."""


@pytest.mark.parametrize("mode", ["function", "outer"])
def test_an_op_whose_gradient_is_off_in_a_function_alone_is_no_fault_of_the_scene(
    mode: str,
) -> None:
    """The plainest tape has the same gradient there; whoever else had it off would be accused."""
    seen = run(case_of(scene_of(GRADIENT), square(SQUARE_IN_A_FUNCTION)), mode)

    seen.derivative("gradient[0]", "f(x)", "x")

    assert seen.tally.inconclusive == {"the gradient of an op is off, whatever the scene": 1}
