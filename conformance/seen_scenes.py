"""What was seen of a scene, and how a check judges it.

Checks name things by Python expressions, which are evaluated with what the scene bound to names:
``"gradient"``, ``"answers[0]"``, ``"f(x) * x"``. So what a check says can be printed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from conformance.boundary import Gradient, gap_of, is_gap, raised_by_tensorflow, read, tensorflow
from conformance.contract import Tally, Violation
from conformance.modes import MODES
from conformance.oracles.agreement import Answer, Judgement, judge
from conformance.oracles.expressions import Expression
from conformance.oracles.finite_difference import step_for
from conformance.oracles.projection import NOISE, disturb
from strategies import dtypes

if TYPE_CHECKING:
    from conformance.scene_cases import SceneCase

Array = npt.NDArray[Any]

_CONFIRMED: Final = ((1, 0.5), (2, 0.25), (3, 2.0))
"""Other directions, and the factors of their steps, that must all disagree before we accuse."""


class SeenScene:
    """What a scene bound to names, and the judgements on it.

    Attributes:
        case, mode: what was run.
        names: what is bound.
        error: what ended it early.
        tally: how many of the judgements could have failed.
    """

    def __init__(self, case: SceneCase, mode: str, names: dict[str, Any]) -> None:
        self.case, self.mode, self.names = case, mode, names
        self.error: Exception | None = None
        self.tally = Tally()
        self._told: list[str] = []
        self._plain: dict[str, Any] | None = None

    # -- what is there ---------------------------------------------------------------------------

    def value(self, expression: str) -> Any:
        """What an expression is in the scene."""
        self._told.append(expression)
        try:
            return eval(expression, self.names)  # noqa: S307 - our own text
        except (AttributeError, LookupError, TypeError) as error:
            told = f"{type(error).__name__}: {error}"
            why = "so the answer has another structure, or a None in it"
            raise self.fail("structure", f"{expression} to be there", told, why) from error

    def leaves(self, expression: str) -> list[Gradient | None]:
        """The tensors of a nest, and its Nones."""
        found = tensorflow().nest.flatten(self.value(expression))
        return [
            None if leaf is None else read(tensorflow().convert_to_tensor(leaf)) for leaf in found
        ]

    def _tensors(self, expression: str) -> list[Gradient]:
        return [leaf for leaf in self.leaves(expression) if leaf is not None]

    def _paired(self, expression: str, other: str) -> Iterator[tuple[Gradient | None, Gradient]]:
        """The leaves of a nest, beside the tensors of another that has as many."""
        found, wanted = self.leaves(expression), self._tensors(other)
        if len(found) != len(wanted):
            expected = f"{len(wanted)} leaves in {expression}, as in {other}"
            raise self.fail("structure", expected, _show(found), "one for each")
        return zip(found, wanted, strict=True)

    def fail(self, kind: str, expected: str, got: str, why: str) -> Violation:
        """A violation, with the program."""
        named = (ast.walk(ast.parse(told, mode="eval")) for told in self._told)
        found = [node.id for nodes in named for node in nodes if isinstance(node, ast.Name)]
        names = [name for name in dict.fromkeys(found) if name in self.case.scene.bound]
        return Violation(
            kind=kind,
            expected=expected,
            got=got,
            where=self.case.source(self.mode, names or ["None"]),
            why=why,
        )

    # -- judgements ------------------------------------------------------------------------------

    def ends_as_it_should(self) -> None:
        """The scene runs to its end, or raises what it is to raise.

        Raises:
            Violation: if not; a gradient that TensorFlow says it does not offer is a gap.
        """
        scene, error = self.case.scene, self.error
        if error is None:
            if scene.raises:
                raise self.fail("exception", scene.raises, "no exception", "documented so")
            return
        told = f"{type(error).__name__}: {error}"
        if scene.raises:
            kinds = [kind.__name__ for kind in type(error).__mro__]
            if scene.raises not in kinds or not re.search(scene.saying, str(error)):
                if self._ops_are_at_fault():
                    return
                wanted = (
                    f"{scene.raises}, saying {scene.saying!r}" if scene.saying else scene.raises
                )
                raise self.fail("exception", wanted, told, "the type, and the words that tell it")
            self.tally.conclusive += 1
        elif is_gap(error):
            self.tally.gap(gap_of(error))
        elif not self._ops_are_at_fault():
            why = "its functions alone, and their gradients, run in this mode"
            raise self.fail("exception", "a scene that runs to its end", told, why)

    def holds(self, fact: str) -> None:
        """A Python expression is true.

        Raises:
            Violation: if it is not.
        """
        if self._over():
            return
        if not self.value(fact):
            found = ast.parse(fact, mode="eval").body
            what = ast.unparse(found.left) if isinstance(found, ast.Compare) else fact
            raise self.fail("fact", fact, f"{what} = {self.value(what)!r}", "as documented")
        self.tally.conclusive += 1

    def none(self, *expressions: str) -> None:
        """Every leaf is None.

        Raises:
            Violation: if one is not.
        """
        for expression in () if self._over() else expressions:
            for leaf in self.leaves(expression):
                if leaf is not None:
                    got = f"a {leaf.dtype} tensor of shape {list(leaf.array.shape)}"
                    raise self.fail("none", f"None for {expression}", got, "as documented")
                self.tally.conclusive += 1

    def there(self, *expressions: str) -> None:
        """No leaf is None.

        Raises:
            Violation: if one is.
        """
        for expression in () if self._over() else expressions:
            if None in self.leaves(expression):
                raise self.fail("none", f"a gradient for {expression}", "None", "as documented")
            self.tally.conclusive += 1

    def same(self, one: str, other: str) -> None:
        """Two nests hold the same, bit for bit, in dtypes and shapes too.

        Raises:
            Violation: if they do not.
        """
        if self._over():
            return
        first, second = self.leaves(one), self.leaves(other)
        if len(first) != len(second) or not all(map(_same, first, second)):
            raise self.fail(
                "same", f"{one} to be {other} = {_show(second)}", _show(first), "bit for bit"
            )
        if any(leaf is not None for leaf in first):
            self.tally.conclusive += 1
        else:
            self.tally.trivial += 1

    def near(self, one: str, other: str, terms: str, roundings: int) -> None:
        """Two tensors are the same but for rounding.

        Args:
            one: what is judged.
            other: what it should be.
            terms: for each element the sum of the absolute values of what is added up there.
            roundings: how many roundings each of the two passes through.

        Raises:
            Violation: if an element is off by more.
        """
        if self._over():
            return
        first, second, size = (self.leaves(e)[0] for e in (one, other, terms))
        if first is None or second is None or size is None:
            raise self.fail("none", f"{one} and {other}", _show([first, second]), "as documented")
        bound = 2 * roundings * dtypes.epsilon(first.dtype) * np.abs(size.array)
        off = np.abs(first.array - second.array)
        if first.array.shape != second.array.shape or not np.all(off <= bound):
            why = f"within {roundings} roundings of each: at most {np.max(bound, initial=0.0):.1e}"
            raise self.fail("value", f"{other} = {_show([second])}", _show([first]), why)
        self.tally.conclusive += 1

    def zeros(self, expression: str, like: str) -> None:
        """A tensor of zeros, of another's dtype and shape.

        Raises:
            Violation: if it is none.
        """
        if self._over():
            return
        for found, wanted in self._paired(expression, like):
            shape = wanted.array.shape
            if (
                found is None
                or (found.dtype, found.array.shape) != (wanted.dtype, shape)
                or np.any(found.array)
            ):
                expected = f"{wanted.dtype} zeros of shape {list(shape)} for {expression}"
                raise self.fail("zeros", expected, _show([found]), "as documented")
            self.tally.conclusive += 1

    def like(self, expression: str, other: str) -> None:
        """A tensor that has another's dtype and shape.

        Raises:
            Violation: if it has not.
        """
        if self._over():
            return
        for found, wanted in self._paired(expression, other):
            one, two = (
                "None" if g is None else f"{g.dtype} {list(g.array.shape)}" for g in (found, wanted)
            )
            if one != two:
                raise self.fail("shape", f"{two} for {expression}", one, f"as {other} has")
            self.tally.conclusive += 1

    def derivative(self, expression: str, of: str, by: str, weights: str = "") -> None:
        """A gradient that finite differences find, in double precision.

        Args:
            expression: the gradient.
            of: the expression that it is the gradient of, a tensor or a nest of them.
            by: the name of the source.
            weights: the output gradients, of the same structure; ones, if there are none.

        Raises:
            Violation: if it is None, or if every one of four directions disagrees. Ops are excused,
                but not those that a scene chooses: of these nothing is known.
        """
        if self._over():
            return
        ((gradient, _),) = self._paired(expression, by)
        if gradient is None:
            raise self.fail("none", f"a gradient for {expression}", "None", f"it is that of {of}")
        if not (self.case.is_double and gradient.array.size):
            self.tally.trivial += 1
            return
        arrays = (
            [leaf.array for leaf in self.leaves(weights) if leaf is not None] if weights else []
        )
        made = Expression(
            tensorflow(),
            of,
            self._eagerly(),
            by=by,
            weights=arrays,
            epsilon=_EPSILON,
            roundings=self._roundings(),
        )
        judgement = self._judged(made, gradient.array, 0, 1.0, 0.0)
        excused = judgement.answer is Answer.DISAGREE and not self.case.scene.ops
        if excused and self._is_plainly(of, by, arrays, gradient.array):
            self.tally.undecided("the gradient of an op is off, whatever the scene")
        elif judgement.answer is Answer.DISAGREE:
            growth = made.growth(self._disturbed, NOISE)
            tried = [self._judged(made, gradient.array, n, f, growth) for n, f in _CONFIRMED]
            if all(one.answer is Answer.DISAGREE for one in tried):
                why = f"central differences, tolerance {judgement.tolerance:.1e}; four directions"
                raise self.fail(
                    "value",
                    f"{judgement.expected!r} for {expression} along a direction, as of {of}",
                    f"{judgement.claimed!r}",
                    why,
                )
            self.tally.undecided("a disagreement was not confirmed")
        elif judgement.answer is Answer.INCONCLUSIVE:
            self.tally.undecided(judgement.reason)
        elif judgement.conclusive_about(judgement.claimed):
            self.tally.conclusive += 1
        elif not judgement.claimed:
            self.tally.trivial += 1
        else:
            self.tally.undecided("the differences are not sharp enough")

    # -- their means -----------------------------------------------------------------------------

    def _over(self) -> bool:
        """Whether an exception leaves nothing to be judged."""
        return self.error is not None

    def _judged(
        self, made: Expression, gradient: Array, number: int, factor: float, growth: float
    ) -> Judgement:
        random = np.random.default_rng(number)  # the case is the same in every run, so is this
        direction = random.uniform(0.5, 1.5, gradient.shape) * random.choice(
            [-1, 1], gradient.shape
        )
        if np.iscomplexobj(gradient):
            direction = direction + 1j * random.uniform(0.5, 1.5, gradient.shape)
        estimate = made.derivative(direction, step=factor * step_for(_EPSILON), growth=growth)
        terms = np.conj(gradient) * direction
        slack = 4 * self._roundings() * _EPSILON * float(np.abs(terms).sum())
        return judge(float(terms.sum().real), estimate, slack=slack)

    def _is_plainly(self, of: str, by: str, weights: list[Array], gradient: Array) -> bool:
        """Whether the plainest tape gives the same gradient: then an op is at fault, not the scene.

        What ops do is the concern of contracts about graphs.
        """
        tf, names = tensorflow(), dict(self._eagerly())
        names[by] = tf.convert_to_tensor(names[by])
        with tf.GradientTape() as tape:
            tape.watch(names[by])
            target = eval(of, names)  # noqa: S307 - our own text
        found = tape.gradient(target, names[by], output_gradients=weights or None)
        plain = None if found is None else read(tf.convert_to_tensor(found))
        slack = 8 * self._roundings() * _EPSILON * np.abs(gradient)
        return plain is not None and bool(np.all(np.abs(plain.array - gradient) <= slack))

    def _ops_are_at_fault(self) -> bool:
        """Whether a function alone has no gradient of its argument's shape in a plain tape.

        Then the scene is undecided, not at fault.
        """
        tf, how = tensorflow(), MODES[self.mode]
        functions, drawn = self.case.functions, self.case.drawn
        kind = next((f.graph.inputs[0].type for name, f in functions.items() if name != "g"), None)
        argument = next((one.tensor(tf) for one in drawn if one.type == kind), None)
        if argument is None:
            return False

        def gradient(function: Any, x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                target = function(x)
            return tape.gradient(target, x)

        try:
            for name in self.case.functions:
                x = self.names["f"](argument) if name == "g" else argument
                found = how.program(tf, partial(gradient, self.names[name]), [], [])(x)
                if found is not None and found.shape != x.shape:
                    what = "has another shape than its source"
                    break
            else:
                return False
        except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
            raised_by_tensorflow(raised)
            what = "raises"
        self.tally.undecided(f"the gradient of an op {what}, whatever the scene")
        return True

    def _roundings(self) -> int:
        return 8 + sum(function.graph.length for function in self.case.functions.values())

    def _eagerly(self) -> Mapping[str, Any]:
        """The names, with the functions as plain Python."""
        if self._plain is None:
            self._plain = {**self.names, **self._functions("{call}", {})}
        return self._plain

    def _disturbed(self, seed: int) -> Mapping[str, Any]:
        tf = tensorflow()
        hook = disturb(tf, np.random.default_rng(seed), NOISE)
        return self._functions("disturbed({call})", {"disturbed": hook})

    def _functions(self, wrap: str, scope: dict[str, Any]) -> dict[str, Any]:
        found = {"tf": tensorflow(), **scope}
        for name, function in self.case.functions.items():
            exec("\n".join(function.lines(name, wrap)), found)  # noqa: S102 - our own text
        return {name: found[name] for name in self.case.functions}


_EPSILON: Final = dtypes.epsilon("float64")


def _same(one: Gradient | None, other: Gradient | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.dtype == other.dtype and np.array_equal(
        one.array, other.array, equal_nan=one.array.dtype.kind in "fc"
    )


def _show(leaves: list[Gradient | None]) -> str:
    shown = ["None" if leaf is None else f"{leaf.dtype} {leaf.array.tolist()}" for leaf in leaves]
    return ", ".join(shown) if len(shown) == 1 else f"[{', '.join(shown)}]"
