"""What the article's contracts have in common: comparing what was seen with the closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from conformance.boundary import Gradient, tensorflow
from conformance.contract import Citation, Contract, Tally, Violation
from conformance.linear_regression import Expected, closed_form
from conformance.oracles.agreement import RESOLUTION
from conformance.regression_cases import REGRESSIONS, Seen
from conformance.regression_programs import RegressionProgram
from conformance.reproduction import Claim, all_near, array, nothing, something, typed
from strategies import dtypes

Array = npt.NDArray[Any]
Check = Callable[[Seen], Tally]
EAGER: Final = ("eager",)


def claim(
    id: str,  # noqa: A002 - the field's own word
    sentence: str,
    *cites: Citation,
    modes: Sequence[str] | None = None,
) -> Callable[[Check], Contract]:
    """A contract of the regression; undecided where the programs raised, as article-ex1 tells."""

    def decorate(check: Check) -> Contract:
        @wraps(check)
        def guarded(seen: Seen) -> Tally:
            if seen.error is not None:
                tally = Tally()
                tally.undecided("the programs raised")
                return tally
            return check(seen)

        return REGRESSIONS.contract(id, sentence, cites=cites, modes=modes)(guarded)

    return decorate


def oracle(seen: Seen, number: int) -> dict[str, Expected]:
    """The closed form at a point; the contracts share it."""
    key = "closed form", number
    if key not in seen.memo:
        seen.memo[key] = closed_form(seen.case, number)
    found: dict[str, Expected] = seen.memo[key]
    return found


def words(found: Gradient | None) -> str:
    """What was seen, for a reader."""
    return "None" if found is None else f"{found.dtype} {found.array.tolist()}"


def showing(seen: Seen, scene: str, number: int, name: str, claimed: Claim) -> str:
    """The program that claims something of what was seen under a name, which is ``got``."""
    return RegressionProgram(seen.case, seen.mode, scene, number).showing(name, claimed)


def equals(seen: Seen, tally: Tally, name: str, key: str, scene: str) -> None:
    """What was seen under a name is the closed form under a key, at every point."""
    for number, point in enumerate(seen.points):
        found, expected = point[name], oracle(seen, number)[key]
        shape = expected.value.shape
        kind = None
        if found is None:
            kind = "none"
        elif found.dtype != seen.case.dtype:
            kind = "dtype"
        elif found.array.shape != shape:
            kind = "shape"
        elif seen.case.rows and not (np.abs(found.array - expected.value) <= expected.bound).all():
            kind = "value"
        if kind is not None:
            claimed = _claimed(kind, seen.case.dtype, expected)
            raise Violation(
                kind=kind,
                expected=f"{seen.case.dtype} {expected.value.tolist()} as {name}",
                got=words(found),
                where=showing(seen, scene, number, name, claimed),
                why="the closed form in double precision; its bound counts the roundings: "
                f"{expected.bound.tolist()}",
            )
        most = np.abs(expected.value).max(initial=0.0) if seen.case.rows else 0.0
        if not most:
            tally.trivial += 1
        elif expected.bound.max() < RESOLUTION * most:
            tally.conclusive += 1
        else:
            tally.undecided("rounding may be above 1 %")


def _claimed(kind: str, dtype: str, expected: Expected) -> Claim:
    if kind == "none":
        return something("got")
    if kind == "value":
        return all_near("got", expected.value, expected.bound)
    return typed("got", dtype, expected.value.shape, kind)


def is_none(seen: Seen, tally: Tally, name: str, scene: str, why: str) -> None:
    """What was seen under a name is None at every point."""
    for number, point in enumerate(seen.points):
        if point[name] is not None:
            raise Violation(
                kind="none",
                expected=f"None as {name}",
                got=words(point[name]),
                where=showing(seen, scene, number, name, nothing("got")),
                why=why,
            )
        tally.conclusive += 1


def unchanged(seen: Seen, tally: Tally, name: str, key: str, scene: str = "example 1") -> None:
    """What was seen under a name is bit for bit what x, w, b or y was before."""
    for number, point in enumerate(seen.points):
        before, found = seen.case.arrays(number)[key], point[name]
        if found is None or not np.array_equal(found.array, before):
            claimed = Claim("changed", "got.numpy().tolist()", f"got == {array(before)}")
            raise Violation(
                kind="changed",
                expected=f"{before.tolist()} as {name}, as before",
                got=words(found),
                where=showing(seen, scene, number, name, claimed),
                why="nothing has been assigned since; compared bit for bit",
            )
        tally.conclusive += before.size > 0
        tally.trivial += before.size == 0


def fact(seen: Seen, tally: Tally, name: str, expected: str | bool, scene: str) -> None:  # noqa: FBT001
    """What Python saw is as expected."""
    if seen.facts[name] != expected:
        raise Violation(
            kind="fact",
            expected=f"{name}: {expected}",
            got=str(seen.facts[name]),
            where=RegressionProgram(seen.case, seen.mode, scene).fact(name, expected),
            why="asked while the program ran (while it was traced, if traced)",
        )
    tally.conclusive += 1


def rounded(array: Array, dtype: str) -> Array:
    """Numbers rounded to a dtype, in double precision."""
    kind = tensorflow().as_dtype(dtype).as_numpy_dtype
    return array.astype(kind).astype("float64")


def steps(
    seen: Seen, variable: str, gradient: str, key: str
) -> Iterator[tuple[int, Array, Gradient | None, Array, float]]:
    """For each point: its number, what a step should leave, what it left, the bound, the movement.

    Outside a compiler the step is rounded as it is written: the product, then the difference.
    (Rounding in double precision first does no harm: it has more than twice the bits, Figueroa,
    "When is double rounding innocuous?", 1995; in double precision nothing is rounded twice.)
    A compiler may reorder ``rate * (2 / n * ...)``: then the closed form is the measure, with its
    bound for the gradient and three roundings.
    """
    case = seen.case
    for number, point in enumerate(seen.points):
        found = point[gradient]
        if found is None or not np.isfinite(found.array).all():
            continue
        before = case.arrays(number)[key]
        rate = float(rounded(np.array(case.rate), case.dtype))
        if seen.mode.traces_program:
            form, unit = oracle(seen, number)[key], dtypes.epsilon(case.dtype) / 2
            step = rate * (form.value if case.rows else found.array)
            wanted = before - step
            bound = rate * form.bound + 3 * unit * (np.abs(before) + 2 * np.abs(step))
            bound += 3 * dtypes.tiny(case.dtype)
        else:
            step = rounded(rate * found.array, case.dtype)
            wanted = rounded(before - step, case.dtype)
            bound = np.zeros_like(before)
        yield (
            number,
            wanted,
            point[f"stepped.{variable}"],
            bound,
            float(np.abs(step).max(initial=0.0)),
        )


def stepped(seen: Seen, tally: Tally, variable: str, gradient: str, key: str) -> None:
    """A Variable has moved by rate times gradient; ``gradient`` begins with its scene."""
    scene = gradient.split(".", maxsplit=1)[0]
    for number, wanted, found, bound, movement in steps(seen, variable, gradient, key):
        if found is None or not (np.abs(found.array - wanted) <= bound).all():
            raise Violation(
                kind="step",
                expected=f"{wanted.tolist()} after the step",
                got=words(found),
                where=showing(
                    seen,
                    scene,
                    number,
                    f"stepped.{variable}",
                    all_near("got", wanted, bound, "step"),
                ),
                why=f"the product and the difference are rounded; the bound is {bound.tolist()}",
            )
        if not movement:
            tally.trivial += 1
        elif bound.max() < movement / 4:
            tally.conclusive += 1
        else:
            tally.undecided("the step is lost in rounding")
