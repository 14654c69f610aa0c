"""What whole tape programs answer: as the model of the tape says, whatever the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.boundary import Gradient
from conformance.contract import Tally, Violation, docstring, guide
from conformance.contracts.values import gradient_finite_difference, raised
from conformance.oracles.tape_model import Answer
from conformance.program_cases import PROGRAMS, SeenProgram
from strategies.structures import leaves, show
from strategies.tensors import TensorType


@dataclass(frozen=True)
class _Source:
    """One source of one answer.

    Attributes:
        answer: the number of the answer.
        name: the source, and where it stands.
        type: of the source.
        connected: whether it has a gradient, by the model.
        zero: whether UnconnectedGradients.ZERO was asked for.
        gradient: what TensorFlow answered.
    """

    answer: int
    name: str
    type: TensorType
    connected: bool
    zero: bool
    gradient: Gradient | None


def _sources(seen: SeenProgram) -> Iterator[_Source]:
    """Every source of every answer; what raised, or has another structure, is others' concern."""
    program = seen.case.program
    for number, asked in seen.case.questions.items():
        answer, found = seen.case.model.answers[number], seen.answers.get(number)
        if not isinstance(answer, Answer) or isinstance(found, Exception):
            continue
        slots, flat = list(leaves(asked.sources)), list(leaves(found))
        if number not in seen.answers or len(slots) != len(flat):
            continue
        for slot, connected, gradient in zip(slots, answer.connected, flat, strict=True):
            name, kind = f"{program.names[slot]} in g{number}", program.types[slot]
            yield _Source(number, name, kind, connected, asked.zero, gradient)


def _violation(
    seen: SeenProgram, kind: str, expected: str, got: str, answer: int | None = None
) -> Violation:
    """A program that does otherwise than the model; known deviations look at the answer's part."""
    violation = Violation(
        kind=kind,
        expected=expected,
        got=got,
        where=seen.case.source(seen.mode),
        why="the model of the tape says so: conformance/oracles/tape_model.py",
    )
    question = None if answer is None else seen.question(answer)
    violation.about = question and question.case
    return violation


@PROGRAMS.contract(
    "program-exceptions",
    "A tape program raises where the documentation says so, and nowhere else.",
    cites=[docstring("tf.GradientTape.gradient", "If called on a used, non-persistent tape")],
)
def program_exceptions(seen: SeenProgram) -> Tally:
    """The type of the exception is compared, not its text."""
    if seen.error is not None:
        got = f"{type(seen.error).__name__}: {seen.error}"
        raise _violation(seen, "exception", "a program that runs", got)
    tally = Tally(conclusive=1)
    for number, answer in seen.case.model.answers.items():
        found = seen.answers[number]
        if isinstance(answer, str):
            if type(found).__name__ != answer:
                raise _violation(seen, "exception", f"{answer} for g{number}", repr(found))
            tally.conclusive += 1
        elif isinstance(found, Exception):
            tally += _raised(seen, number, found)
    return tally


def _raised(seen: SeenProgram, number: int, error: Exception) -> Tally:
    """A gradient that raises: a gap if TensorFlow says so; known deviations look at its part."""
    question = seen.question(number)
    assert question is not None
    try:
        return raised(question, error, at=0)
    except Violation as violation:
        violation.about = question.case
        raise


@PROGRAMS.contract(
    "program-structure",
    "The gradient of a nest of sources is a nest of the same structure.",
    cites=[docstring("tf.GradientTape.gradient", "Returned structure is the same as")],
)
def program_structure(seen: SeenProgram) -> Tally:
    """Lists, tuples and dicts, in each other, with sources that occur twice, and empty."""
    tally = Tally()
    for number, asked in seen.case.questions.items():
        found = seen.answers.get(number)
        if number not in seen.answers or isinstance(found, Exception):
            continue
        expected, got = show(asked.sources, lambda _: "."), show(found, lambda _: ".")
        if expected != got:
            raise _violation(seen, "structure", f"{expected} for g{number}", got)
        tally.conclusive += 1
    return tally


@PROGRAMS.contract(
    "program-connected",
    "A source has a gradient if and only if the tape recorded a way from it to a target.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded"),
        guide("autodiff", "Getting a gradient of None"),
    ],
)
def program_connected(seen: SeenProgram) -> Tally:
    """Whatever was watched, read, assigned, stopped, reset, nested or left before."""
    tally = Tally()
    for source in _sources(seen):
        gradient = source.gradient
        if source.zero:
            continue
        if source.connected and gradient is None:
            expected = f"a gradient for {source.name}"
            raise _violation(seen, "none", expected, "None", source.answer)
        if gradient is not None and not source.connected:
            got = repr(gradient.array.tolist())
            raise _violation(seen, "connected", f"None for {source.name}", got)
        tally.conclusive += 1
    return tally


@PROGRAMS.contract(
    "program-zeros",
    "With UnconnectedGradients.ZERO a source that is not connected gives zeros.",
    cites=[docstring("tf.UnconnectedGradients", "ZERO")],
)
def program_zeros(seen: SeenProgram) -> Tally:
    """Exactly zero, of the source's shape."""
    tally = Tally()
    for source in _sources(seen):
        gradient = source.gradient
        if not source.zero or source.connected:
            continue
        if gradient is None or gradient.array.any():
            got = "None" if gradient is None else repr(gradient.array.tolist())
            raise _violation(seen, "zeros", f"zeros for {source.name}", got)
        tally.conclusive += 1
    return tally


@PROGRAMS.contract(
    "program-shape-and-dtype",
    "What is not None has the shape and the dtype of its source.",
    cites=[docstring("tf.GradientTape.gradient", "Returned structure is the same as")],
)
def program_shape_and_dtype(seen: SeenProgram) -> Tally:
    """IndexedSlices are made dense; zeros of UnconnectedGradients.ZERO count."""
    tally = Tally()
    for source in _sources(seen):
        gradient, kind = source.gradient, source.type
        if gradient is None:
            continue
        expected, got = (kind.dtype, kind.shape), (gradient.dtype, gradient.array.shape)
        if expected != got:
            what = "dtype" if expected[0] != got[0] else "shape"
            told = f"{expected} for {source.name}"
            raise _violation(seen, what, told, f"{got}", source.answer)
        tally.conclusive += 1
    return tally


@PROGRAMS.contract(
    "program-values",
    "The gradient is the derivative of what was recorded; all else counts as a constant.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded")
    ],
)
def program_values(seen: SeenProgram) -> Tally:
    """By finite differences of the recorded part, in double precision."""
    tally = Tally()
    for number in seen.case.questions:
        question = seen.question(number)
        if question is None:
            continue
        try:
            tally += gradient_finite_difference.check(question)
        except Violation as violation:
            violation.about = question.case
            raise
    return tally


@PROGRAMS.contract(
    "program-watched-variables",
    "A tape names the Variables that it watches, in the order in which they were made.",
    cites=[docstring("tf.GradientTape.watched_variables", "in order of construction")],
)
def program_watched_variables(seen: SeenProgram) -> Tally:
    """After the tape has answered too."""
    tally = Tally()
    names = (*seen.case.program.names, "a stranger")
    for number, (expected, perhaps) in seen.case.model.watched.items():
        if number not in seen.watched:
            continue
        got = tuple(slot for slot in seen.watched[number] if slot not in perhaps)
        if expected != got:
            told = [[names[slot] for slot in slots] for slots in (expected, got)]
            raise _violation(seen, "watched", f"{told[0]} for g{number}", f"{told[1]}")
        tally.conclusive += 1
    return tally
