"""What a contract is, how a module states one, and the catalogue of all of them.

A contract is a promise in one sentence, with citations and a check that can fail. Checks look at
what was seen when a *case* met TensorFlow in a mode. Cases come in families (:class:`Cases`): a
family draws a case once, runs it once, and every contract of the family looks at what was seen::

    @GRAPHS.contract(
        "unwatched-none",
        "An unwatched Tensor as a source gives None.",
        cites=[docstring("tf.GradientTape.gradient", "a few words of the sentence")],
    )
    def unwatched_none(seen: Seen) -> Tally: ...

A check returns a :class:`Tally`, or raises :class:`Violation`. Whatever cannot be judged is counted
in the tally, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar

from hypothesis import strategies as st

from conformance.errors import UsageError, nearest
from conformance.modes import MODES

C = TypeVar("C", bound=Hashable)
S = TypeVar("S")


@dataclass(frozen=True)
class Citation:
    """Where a promise is written.

    Attributes:
        kind: ``docstring`` (of ``where``, a public symbol, holding the fragment ``words``),
            ``guide`` (the page ``where``, under the heading ``words``), ``article`` (its claim), or
            ``undocumented``.
        where, words: see above.
    """

    kind: str
    where: str = ""
    words: str = ""


def docstring(symbol: str, fragment: str) -> Citation:
    """The sentence of an installed docstring that holds a fragment of a few words."""
    return Citation("docstring", symbol, fragment)


def guide(page: str, heading: str) -> Citation:
    """A section of a guide on tensorflow.org/guide."""
    return Citation("guide", page, heading)


def article(claim: str) -> Citation:
    """A claim of the article that this project grew out of, in our own words."""
    return Citation("article", "Should tf.GradientTape only operate on tf.Variable?", claim)


UNDOCUMENTED = Citation("undocumented")


class Violation(AssertionError):  # noqa: N818 - it is a finding, as AssertionError is
    """A promise that was not kept.

    Args:
        expected: what should have been, and by which oracle.
        got: what TensorFlow answered.
        where: a program that shows it, and asserts that it does not.
        why: how the expectation was derived (the tolerance, the confirmations).
        kind: the sort of mismatch, one word: value, none, shape, dtype, exception, ...

    Attributes:
        contract: whose promise it is.
        about: the case that known deviations are compared with, if not the one that was run.
    """

    contract: Contract
    about: Any = None

    def __init__(self, *, kind: str, expected: str, got: str, where: str, why: str) -> None:
        super().__init__()
        self.kind, self.expected, self.got, self.where, self.why = kind, expected, got, where, why

    def __str__(self) -> str:
        return f"{self.kind}: expected {self.expected}, got {self.got}"


@dataclass
class Tally:
    """How many checks of an example could have failed, and how many could not, by reason.

    Attributes:
        conclusive: checks that a fault would have failed.
        inconclusive: checks whose oracle could not decide, by reason.
        trivial: checks that cannot fail (zero-size, zero derivative), counted apart.
        gaps: gradients that TensorFlow says it does not offer, by error.
    """

    conclusive: int = 0
    trivial: int = 0
    inconclusive: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, int] = field(default_factory=dict)

    @property
    def certain(self) -> bool:
        """Whether a fault would have failed all that was checked, but for what cannot fail."""
        return bool(self.conclusive) and not (self.inconclusive or self.gaps)

    def undecided(self, reason: str) -> None:
        """Count a check whose oracle could not decide."""
        self.inconclusive[reason] = self.inconclusive.get(reason, 0) + 1

    def gap(self, error: str) -> None:
        """Count a gradient that TensorFlow does not offer."""
        self.gaps[error] = self.gaps.get(error, 0) + 1

    def __iadd__(self, other: Tally) -> Tally:  # noqa: PYI034 - a plain dataclass, not subclassed
        """Add the counts of another tally."""
        self.conclusive += other.conclusive
        self.trivial += other.trivial
        for mine, theirs in ((self.inconclusive, other.inconclusive), (self.gaps, other.gaps)):
            for reason, count in theirs.items():
                mine[reason] = mine.get(reason, 0) + count
        return self


class Unsupported(Exception):  # noqa: N818 - a verdict, not an error
    """The forward pass alone raises in this mode on this TensorFlow; holds the error's class."""


@dataclass(frozen=True)
class Contract:
    """One promise; see the head of this module.

    Attributes:
        id: its permanent name, words joined by hyphens.
        sentence: the promise, in our own words.
        cites: where it is documented; never empty.
        modes: the modes in which it is asserted.
        since, until: the TensorFlow minor versions between which it is asserted, inclusive.
        floor: the least share of conclusive checks with which it may be said to hold.
        check: looks at what was seen; returns a tally or raises :class:`Violation`.
        oracle: whether it compares all that a case's tape gave with an oracle's numbers, so that it
            verifies the gradient functions that ran.
    """

    id: str
    sentence: str
    cites: tuple[Citation, ...]
    modes: tuple[str, ...]
    since: tuple[int, int]
    until: tuple[int, int] | None
    floor: float
    check: Callable[[Any], Tally]
    oracle: bool = False

    def applies(self, mode: str, version: tuple[int, int]) -> bool:
        """Whether it is asserted in a mode on a TensorFlow minor version such as (2, 21)."""
        return mode in self.modes and self.covers(version)

    def covers(self, version: tuple[int, int]) -> bool:
        """Whether it is asserted on a TensorFlow minor version."""
        return self.since <= version and (self.until is None or version <= self.until)


CATALOGUE: dict[str, Contract] = {}
"""Every contract by id, in the order in which the modules state them."""


def stated() -> list[dict[str, Any]]:
    """Every contract with its sentence and its citations, ready for JSON."""
    return [
        {"id": c.id, "sentence": c.sentence, "citations": [asdict(cite) for cite in c.cites]}
        for c in CATALOGUE.values()
    ]


ALL_MODES = tuple(MODES)


@dataclass(frozen=True)
class Cases(Generic[C, S]):
    """A family of cases: drawn once, run once, and looked at by all of its contracts.

    Attributes:
        name: what the pytest items are called, and the name under which a test module must hold
            the family for pytest to collect it there.
        draw: from a subject and a mode's name to a strategy of cases.
        run: a case in a mode: what was seen. Raises :class:`Unsupported`.
        source: the case in a mode as a program that can be pasted; if a run takes several steps,
            also of the number of one, as :func:`conformance.blackbox.reached` is told it.
        subjects: what outcomes are about; one empty string if there is only one.
        modes: the modes in which the family runs.
        times: how many times as many cases an item has as the profile says; it has at least one.
        dear: the subjects of which a case takes tenths of a second: they have a quarter of the
            cases.
        most: how many cases an item has at most, if not as many as the profile says.
        one_each: whether each contract has cases of its own: subjects are then contracts' ids.
        simpler: cases that say less than one in which a promise was broken, the simplest first;
            the first that breaks it too is told in its place.
        beside: cases that an item in a mode has beside those that were drawn, made of them.
        notes: what of that which was seen is kept in the record beside the outcomes, ready for
            JSON.
        alone: whether what a case in a mode differentiates is its subject and nothing else: then
            the gradient functions that run are those of the subject.
        contracts: filled by :meth:`contract`.
    """

    name: str
    draw: Callable[[str, str], st.SearchStrategy[C]]
    run: Callable[[C, str], S]
    source: Callable[..., str]
    subjects: Collection[str] = ("",)
    modes: tuple[str, ...] = ALL_MODES
    times: float = 1
    dear: Collection[str] = ()
    most: int | None = None
    one_each: bool = False
    simpler: Callable[[C], Iterable[C]] | None = None
    beside: Callable[[Sequence[C], str], Iterable[C]] | None = None
    notes: Callable[[S], Sequence[Mapping[str, Any]]] | None = None
    alone: Callable[[C, str], bool] | None = None
    contracts: list[Contract] = field(default_factory=list)

    def about(self, subject: str) -> list[Contract]:
        """The contracts that look at the cases of a subject."""
        return [c for c in self.contracts if not self.one_each or c.id == subject]

    def usual(self, examples: Mapping[str, int], subject: str, mode: str) -> int:
        """The number of cases of an item.

        Args:
            examples: what the profile gives an item, by mode.
            subject: of the item.
            mode: of the item.
        """
        usual = examples[mode] * self.times
        if subject in self.dear:
            usual /= 4
        usual = max(int(usual), 1)
        return usual if self.most is None else min(usual, self.most)

    def contract(  # noqa: PLR0913 - each is said by name, and most contracts say two
        self,
        id: str,  # noqa: A002 - the field's own word
        sentence: str,
        *,
        cites: Sequence[Citation],
        modes: Sequence[str] | None = None,
        since: tuple[int, int] = (2, 8),
        until: tuple[int, int] | None = None,
        floor: float = 0.5,
        oracle: bool = False,
    ) -> Callable[[Callable[[S], Tally]], Contract]:
        """Register the decorated check as a contract of this family.

        Raises:
            UsageError: if the id is taken or malformed, a citation is missing, or a mode unknown.
        """

        def decorate(check: Callable[[S], Tally]) -> Contract:
            made = Contract(
                id,
                sentence,
                tuple(cites),
                tuple(self.modes if modes is None else modes),
                since,
                until,
                floor,
                check,
                oracle,
            )
            _validate(made)
            CATALOGUE[made.id] = made
            self.contracts.append(made)
            return made

        return decorate


def _validate(made: Contract) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", made.id):
        raise UsageError(
            f"contract id {made.id!r} is malformed",
            expected="lower-case words joined by hyphens",
            hint="ids are permanent: name the promise, not the test",
        )
    if made.id in CATALOGUE:
        raise UsageError(
            f"contract id {made.id!r} is used twice",
            expected="one contract for each id",
            hint=f"it already says: {CATALOGUE[made.id].sentence}",
        )
    if not made.cites:
        raise UsageError(
            f"contract {made.id!r} has no citation",
            expected="at least one docstring(...), guide(...), article(...) or UNDOCUMENTED",
            hint="say where TensorFlow promises it, or that nobody does: cites=[UNDOCUMENTED]",
        )
    for mode in made.modes:
        if mode not in MODES:
            raise UsageError(
                f"contract {made.id!r} names the unknown mode {mode!r}",
                expected=f"one of {', '.join(MODES)}",
                hint=nearest(mode, MODES),
            )
