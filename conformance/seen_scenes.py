"""What was seen of a scene, and how a check judges it.

Checks name things by Python expressions, which are evaluated with what the scene bound to names:
``"gradient"``, ``"answers[0]"``, ``"f(x) * x"``. So what a check says can be printed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from conformance.boundary import (
    Gradient,
    error_text,
    gap_of,
    is_gap,
    read,
    same,
    tensorflow,
)
from conformance.contract import Tally, Violation
from conformance.modes import MODES
from conformance.oracles.agreement import Answer, Judgement
from conformance.reproduction import (
    Claim,
    array,
    element,
    names_in,
    near,
    nothing,
    operand,
    pruned,
    raising,
    refused,
    something,
    typed,
    zeros,
)
from conformance.scene_differences import Differences, direction, fault_of_ops
from strategies import dtypes

if TYPE_CHECKING:
    from conformance.scene_cases import SceneCase

Array = npt.NDArray[Any]


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

    # -- what is there ---------------------------------------------------------------------------

    def value(self, expression: str) -> Any:
        """What an expression is in the scene."""
        try:
            return eval(expression, self.names)  # noqa: S307 - our own text
        except (AttributeError, LookupError, TypeError) as error:
            told = error_text(error)
            why = "so the answer has another structure, or a None in it"
            shows = raising([f"got = {expression}"], "structure")
            raise self.fail("structure", f"{expression} to be there", told, why, shows) from error

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
            shows = Claim(
                "structure", f"len(tf.nest.flatten({expression}))", f"got == {len(wanted)}"
            )
            raise self.fail("structure", expected, _show(found), "one for each", shows.lines())
        return zip(found, wanted, strict=True)

    def fail(
        self, kind: str, expected: str, got: str, why: str, shows: Sequence[str] | None = None
    ) -> Violation:
        """A violation, with the program that shows it.

        Args:
            kind: as of the violation.
            expected: the same.
            got: the same.
            why: the same.
            shows: the assertion at the end of the program; none: that the scene ends as it should.
        """
        where = self._unended() if shows is None else self._ending_in(shows)
        return Violation(kind=kind, expected=expected, got=got, where=where, why=why)

    def _ending_in(self, shows: Sequence[str]) -> str:
        names = [name for name in names_in(shows) if name in self.case.scene.bound]
        nests = [name for name in names if is_nest_of_tensors(self.names.get(name))]
        others = [name for name in names if name not in nests]
        page = self.case.page(self.mode, nests)
        page = replace(page, body=pruned(page.body, names_in(shows), calls=True))
        return page.text(MODES[self.mode], shows, others=others)

    def _unended(self) -> str:
        scene = self.case.scene
        refusing = partial(refused, error=scene.raises, saying=scene.saying)
        guard = refusing if scene.raises else raising
        page = self.case.page(self.mode)
        page = replace(page, body=pruned(page.body, (), calls=False))
        return page.text(MODES[self.mode], guard=guard)

    def _leaf(self, expression: str, number: int = 0) -> str:
        """A leaf of a nest as an expression of its own."""
        tf, found = tensorflow(), self.value(expression)
        one = f"tf.nest.flatten({expression})[{number}]" if tf.nest.is_nested(found) else expression
        leaf = tf.nest.flatten(found)[number]
        return (
            one if leaf is None or isinstance(leaf, tf.Tensor) else f"tf.convert_to_tensor({one})"
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
        told = error_text(error)
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
            what, shows = fact, Claim("fact", "", fact)
            if isinstance(found, ast.Compare):
                what = ast.unparse(found.left)
                found.left = ast.Name("got")
                shows = Claim("fact", what, ast.unparse(found))
            got = f"{what} = {self.value(what)!r}"
            raise self.fail("fact", fact, got, "as documented", shows.lines())
        self.tally.conclusive += 1

    def none(self, *expressions: str) -> None:
        """Every leaf is None.

        Raises:
            Violation: if one is not.
        """
        for expression in () if self._over() else expressions:
            for number, leaf in enumerate(self.leaves(expression)):
                if leaf is not None:
                    got = f"a {leaf.dtype} tensor of shape {list(leaf.array.shape)}"
                    shows = nothing(self._leaf(expression, number)).lines()
                    raise self.fail("none", f"None for {expression}", got, "as documented", shows)
                self.tally.conclusive += 1

    def there(self, *expressions: str) -> None:
        """No leaf is None.

        Raises:
            Violation: if one is.
        """
        for expression in () if self._over() else expressions:
            found = self.leaves(expression)
            if None in found:
                shows = something(self._leaf(expression, found.index(None))).lines()
                wanted = f"a gradient for {expression}"
                raise self.fail("none", wanted, "None", "as documented", shows)
            self.tally.conclusive += 1

    def same(self, one: str, other: str) -> None:
        """Two nests hold the same, bit for bit, in dtypes and shapes too.

        Raises:
            Violation: if they do not.
        """
        if self._over():
            return
        first, second = self.leaves(one), self.leaves(other)
        if len(first) != len(second) or not all(map(same, first, second)):
            wanted = f"{one} to be {other} = {_show(second)}"
            shows = self._difference(one, other, first, second).lines()
            raise self.fail("same", wanted, _show(first), "bit for bit", shows)
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
            name = one if first is None else other if second is None else terms
            shows = something(self._leaf(name)).lines()
            got = _show([first, second])
            raise self.fail("none", f"{one} and {other}", got, "as documented", shows)
        factor = 2 * roundings * dtypes.epsilon(first.dtype)
        bound = factor * np.abs(size.array)
        off = np.abs(first.array - second.array)
        if first.array.shape != second.array.shape or not np.all(off <= bound):
            why = f"within {roundings} roundings of each: at most {np.max(bound, initial=0.0):.1e}"
            close = (
                f"abs(got - {operand(self._leaf(other))}) <= {factor} * abs({self._leaf(terms)})"
            )
            shows = Claim("value", self._leaf(one), f"tf.reduce_all({close})").lines()
            if first.array.shape != second.array.shape:
                shows = Claim(
                    "value", f"{operand(self._leaf(one))}.shape", f"got == {operand(other)}.shape"
                ).lines()
            raise self.fail("value", f"{other} = {_show([second])}", _show([first]), why, shows)
        self.tally.conclusive += 1

    def zeros(self, expression: str, like: str) -> None:
        """A tensor of zeros, of another's dtype and shape.

        Raises:
            Violation: if it is none.
        """
        if self._over():
            return
        for number, (found, wanted) in enumerate(self._paired(expression, like)):
            shape = wanted.array.shape
            if (
                found is None
                or (found.dtype, found.array.shape) != (wanted.dtype, shape)
                or np.any(found.array)
            ):
                expected = f"{wanted.dtype} zeros of shape {list(shape)} for {expression}"
                shows = zeros(self._leaf(expression, number), wanted.dtype, shape).lines()
                raise self.fail("zeros", expected, _show([found]), "as documented", shows)
            self.tally.conclusive += 1

    def like(self, expression: str, other: str) -> None:
        """A tensor that has another's dtype and shape.

        Raises:
            Violation: if it has not.
        """
        if self._over():
            return
        for number, (found, wanted) in enumerate(self._paired(expression, other)):
            one, two = (
                "None" if g is None else f"{g.dtype} {list(g.array.shape)}" for g in (found, wanted)
            )
            if one != two:
                name, expected = self._leaf(expression, number), f"{two} for {expression}"
                what = "dtype" if found and found.dtype != wanted.dtype else "shape"
                claim = typed(name, wanted.dtype, wanted.array.shape, what)
                claim = replace(claim if found else something(name), kind="shape")
                raise self.fail("shape", expected, one, f"as {other} has", claim.lines())
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
            wanted, shows = (
                f"a gradient for {expression}",
                something(self._leaf(expression)).lines(),
            )
            raise self.fail("none", wanted, "None", f"it is that of {of}", shows)
        if not (self.case.is_double and gradient.array.size):
            self.tally.trivial += 1
            return
        arrays = (
            [leaf.array for leaf in self.leaves(weights) if leaf is not None] if weights else []
        )
        made = Differences(self.case, self.names, of, by, arrays)
        judgement = made.judged(gradient.array)
        excused = judgement.answer is Answer.DISAGREE and not self.case.scene.ops
        if excused and made.is_an_ops_fault(gradient.array, traced=MODES[self.mode].traced):
            self.tally.undecided("the gradient of an op is off, whatever the scene")
        elif judgement.answer is Answer.DISAGREE:
            if made.is_denied(gradient.array):
                raise self._off(made, gradient.array, (expression, of), judgement)
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

    def _off(
        self,
        made: Differences,
        gradient: Array,
        told: tuple[str, str],
        judgement: Judgement,
    ) -> Violation:
        """A gradient that is off: the first element that is so by itself, or a direction."""
        expression, of = told
        name, what = self._leaf(expression), f"{expression} along a direction"
        shows = near(
            f"float(tf.reduce_sum(tf.math.real(tf.math.conj({name}) * "
            f"{array(direction(gradient, 0))})))",
            judgement.expected,
            judgement.tolerance,
        )
        if (found := made.first_off(gradient)) is not None:
            at, part, judgement = found
            index = f"[{', '.join(map(str, at))}]" * bool(at)
            what = f"{'imaginary part of ' * part}{expression}{index}"
            shows = near(element(name, at, gradient, part), judgement.expected, judgement.tolerance)
        why = f"central differences, tolerance {judgement.tolerance:.1e}; four directions"
        expected = f"{judgement.expected!r} for {what}, as of {of}"
        return self.fail("value", expected, f"{judgement.claimed!r}", why, shows.lines())

    def _difference(
        self,
        one: str,
        other: str,
        first: Sequence[Gradient | None],
        second: Sequence[Gradient | None],
    ) -> Claim:
        """What the first two leaves that are not the same differ in."""
        if len(first) != len(second):
            return Claim("same", f"len(tf.nest.flatten({one}))", f"got == {len(second)}")
        number = [same(*pair) for pair in zip(first, second, strict=True)].index(False)
        name, wanted = self._leaf(one, number), self._leaf(other, number)
        found, expected = first[number], second[number]
        if found is None or expected is None:
            return (something if found is None else nothing)(name, "same")
        if found.dtype != expected.dtype:
            return Claim("same", f"{operand(name)}.dtype", f"got == tf.{expected.dtype}")
        nan = ", equal_nan=True" * (found.array.dtype.kind in "fc")
        equal = f"np.array_equal(got, {operand(wanted)}.numpy(){nan})"
        return Claim("same", f"{operand(name)}.numpy()", equal, ("numpy as np",))

    def _ops_are_at_fault(self) -> bool:
        """Whether the functions of the scene are at fault by themselves: then it is undecided."""
        what = fault_of_ops(self.case, self.names, MODES[self.mode])
        if what:
            self.tally.undecided(f"the gradient of an op {what}, whatever the scene")
        return bool(what)


def is_nest_of_tensors(value: Any) -> bool:
    """Whether a value is a nest of tensors and None, as a ``tf.function`` returns them."""
    tf = tensorflow()
    leaves = tf.nest.flatten(value)
    tensors = [leaf for leaf in leaves if isinstance(leaf, tf.Tensor | tf.IndexedSlices)]
    nones = [leaf for leaf in leaves if leaf is None]  # count() would ask a Variable for equality
    return bool(tensors) and len(tensors) + len(nones) == len(leaves)


def _show(leaves: list[Gradient | None]) -> str:
    shown = ["None" if leaf is None else f"{leaf.dtype} {leaf.array.tolist()}" for leaf in leaves]
    return ", ".join(shown) if len(shown) == 1 else f"[{', '.join(shown)}]"
