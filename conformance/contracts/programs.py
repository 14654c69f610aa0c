"""What whole tape programs answer: as the model of the tape says, whatever the program."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from conformance.boundary import Gradient, error_text, gap_of, is_gap, same
from conformance.contract import Tally, Violation, docstring, guide
from conformance.contracts.values import (
    gradient_finite_difference,
    raised,
)
from conformance.oracles.tape_model import Answer
from conformance.program_cases import PROGRAMS
from conformance.reproduction import Claim, nothing, something, typed
from conformance.seen_programs import SeenProgram
from strategies import programs
from strategies.shapes import Shape
from strategies.structures import Structure, leaves, paths, show


@dataclass(frozen=True)
class _Source:
    """One source of one answer.

    Attributes:
        answer: the number of the answer.
        name: the source, and where it stands.
        tensor: which tensor it is, by the model.
        dtype, shape: that its gradient must have.
        connected: whether it has a gradient, by the model; None if nobody can say.
        zero: whether UnconnectedGradients.ZERO was asked for.
        batch: whether a batch_jacobian was.
        gradient: what TensorFlow answered.
        leaf: what that is called in the program.
    """

    answer: int
    name: str
    tensor: int
    dtype: str
    shape: Shape
    connected: bool | None
    zero: bool
    batch: bool
    gradient: Gradient | None
    leaf: str

    @property
    def tensor_leaf(self) -> str:
        """The same, made dense."""
        return f"tf.convert_to_tensor({self.leaf})"


def _sources(seen: SeenProgram) -> Iterator[_Source]:
    """Every source of every answer; what raised, or has another structure, is others' concern."""
    program = seen.case.program
    for number, asked in seen.case.questions.items():
        answer, found = seen.model.answers[number], seen.answers.get(number)
        if not isinstance(answer, Answer) or isinstance(found, Exception):
            continue
        slots, flat = list(leaves(asked.sources)), list(leaves(found))
        if number not in seen.answers or len(slots) != len(flat):
            continue
        batch = asked.method == "batch_jacobian"
        before = () if asked.method == "gradient" else program.types[_first(asked.targets)].shape
        for slot, tensor, connected, gradient, path in zip(
            slots, answer.sources, answer.connected, flat, paths(asked.sources), strict=True
        ):
            kind = program.types[slot]
            yield _Source(
                answer=number,
                name=f"{program.names[slot]} in g{number}",
                tensor=tensor,
                dtype=kind.dtype,
                shape=before + kind.shape[batch:],
                connected=connected,
                zero=asked.zero,
                batch=batch,
                gradient=gradient,
                leaf=f"g{number}{path}",
            )


def _first(structure: Structure[int]) -> int:
    return next(leaves(structure))


def _violation(
    seen: SeenProgram, claim: Claim, expected: str, got: str, answer: int | None = None
) -> Violation:
    """A program that does otherwise than the model; known deviations look at the answer's part."""
    violation = Violation(
        kind=claim.kind,
        expected=expected,
        got=got,
        where=seen.case.showing(seen.mode, claim.lines()),
        why="the model of the tape says so: conformance/oracles/tape_model.py",
    )
    question = None if answer is None else seen.question(answer)
    violation.about = question and question.case
    return violation


@PROGRAMS.contract(
    "program-exceptions",
    "A tape program raises where the documentation says so, and nowhere else.",
    cites=[
        docstring("tf.GradientTape.gradient", "If called on a used, non-persistent tape"),
        docstring("tf.GradientTape.jacobian", "If vectorization of jacobian"),
    ],
)
def program_exceptions(seen: SeenProgram) -> Tally:
    """The type of the exception is compared, not its text."""
    tally = Tally(conclusive=1)
    for _ in seen.apart:
        tally.undecided("the tape was asked before, and raised")
    for number, answer in seen.model.answers.items():
        if number not in seen.answers:
            continue
        found = seen.answers[number]
        if isinstance(answer, str):
            if type(found).__name__ != answer:
                claim = Claim("exception", f"type(g{number}).__name__", f"got == {answer!r}")
                raise _violation(seen, claim, f"{answer} for g{number}", repr(found))
            tally.conclusive += 1
        elif isinstance(found, Exception):
            tally += _raised(seen, number, found)
    if seen.error is not None and (told := refusal(seen.error)):
        tally.gap(told)
    elif seen.error is not None:
        got = error_text(seen.error)
        violation = _violation(seen, Claim("exception", "", "True"), "a program that runs", got)
        violation.where = seen.case.unended(seen.mode)
        raise violation
    return tally


def refusal(error: Exception) -> str:
    """What TensorFlow says that it does not offer, vectorization included; empty if it does not."""
    told = str(error).partition(". ")[0]
    if isinstance(error, ValueError) and "an exception while vectorizing the" in told:
        return told
    return gap_of(error) if is_gap(error) else ""


def _raised(seen: SeenProgram, number: int, error: Exception) -> Tally:
    """A gradient that raises: a gap if TensorFlow says so; known deviations look at its part."""
    if told := refusal(error):
        tally = Tally()
        tally.gap(told)
        return tally
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
    """Lists, tuples, dicts and namedtuples, with sources that occur twice, and empty."""
    tally = Tally()
    for number, asked in seen.case.questions.items():
        found = seen.answers.get(number)
        if number not in seen.answers or isinstance(found, Exception):
            continue
        expected, got = show(asked.sources, lambda _: "."), show(found, lambda _: ".")
        if expected != got:
            wanted = show(asked.sources, lambda _: "0")
            claim = Claim(
                "structure", f"tf.nest.map_structure(lambda _: 0, g{number})", f"got == {wanted}"
            )
            raise _violation(seen, claim, f"{expected} for g{number}", got)
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
        if source.zero or source.connected is None or (source.batch and not source.connected):
            continue
        if source.connected and gradient is None:
            expected = f"a gradient for {source.name}"
            raise _violation(seen, something(source.leaf), expected, "None", source.answer)
        if gradient is not None and not source.connected:
            claim = nothing(source.leaf, "connected")
            raise _violation(seen, claim, f"None for {source.name}", _text(gradient))
        tally.conclusive += 1
    return tally


@PROGRAMS.contract(
    "batch-jacobian-unconnected",
    "Where nothing connects source and target, a batch_jacobian is None; zeros, if asked for, have "
    "the dtype of the source.",
    cites=[
        docstring("tf.GradientTape.batch_jacobian", "if the target and sources are"),
        docstring("tf.GradientTape.batch_jacobian", "and it defaults to 'none'"),
    ],
)
def batch_jacobian_unconnected(seen: SeenProgram) -> Tally:
    """As of the other methods."""
    tally = Tally()
    for source in _sources(seen):
        gradient = source.gradient
        if not source.batch or source.connected is not False:
            continue
        if gradient is not None and not source.zero:
            claim = nothing(source.leaf, "connected")
            raise _violation(seen, claim, f"None for {source.name}", _text(gradient))
        if gradient is not None and gradient.dtype != source.dtype:
            told = f"{source.dtype} for {source.name}"
            claim = typed(source.tensor_leaf, source.dtype, source.shape, "dtype")
            raise _violation(seen, claim, told, f"{(gradient.dtype, gradient.array.shape)}")
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
        if not source.zero or source.connected is not False:
            continue
        if gradient is None or gradient.array.any():
            claim = something(source.leaf, "zeros")
            if gradient is not None:
                claim = Claim("zeros", source.tensor_leaf, "not got.numpy().any()")
            raise _violation(seen, claim, f"zeros for {source.name}", _text(gradient))
        tally.conclusive += 1
    return tally


@PROGRAMS.contract(
    "program-shape-and-dtype",
    "What is not None has the dtype and the shape of its source; of a Jacobian, after the shape of "
    "the target.",
    cites=[
        docstring("tf.GradientTape.gradient", "Returned structure is the same as"),
        docstring("tf.GradientTape.jacobian", "one for each element in"),
        docstring("tf.GradientTape.batch_jacobian", "A tensor `t` with shape"),
    ],
)
def program_shape_and_dtype(seen: SeenProgram) -> Tally:
    """IndexedSlices are made dense; zeros of UnconnectedGradients.ZERO count."""
    tally = Tally()
    for source in _sources(seen):
        gradient = source.gradient
        if gradient is None or (source.batch and source.connected is False):
            continue
        expected, got = (source.dtype, source.shape), (gradient.dtype, gradient.array.shape)
        if expected != got:
            what = "dtype" if expected[0] != got[0] else "shape"
            told = f"{expected} for {source.name}"
            claim = typed(source.tensor_leaf, source.dtype, source.shape, what)
            raise _violation(seen, claim, told, f"{got}", source.answer)
        tally.conclusive += 1
    return tally


@PROGRAMS.contract(
    "program-values",
    "The gradient is the derivative of what was recorded; all else counts as a constant.",
    cites=[
        docstring("tf.GradientTape.gradient", "Computes the gradient using operations recorded"),
        docstring("tf.GradientTape.jacobian", "Computes the jacobian using operations recorded"),
    ],
)
def program_values(seen: SeenProgram) -> Tally:
    """By finite differences of the recorded part, in double precision."""
    tally = Tally()
    for number in seen.case.questions:
        question = seen.question(number)
        if question is None or isinstance(seen.answers[number], Exception):
            continue
        answer = seen.model.answers[number]
        assert isinstance(answer, Answer)
        if answer.part.opaque or answer.part.unclear:
            tally.undecided("a gradient may have used what this tape did not record")
        if seen.misshapen:
            tally.undecided("a gradient that the program goes on with has another shape")
        if answer.part.opaque or seen.misshapen:
            continue
        try:
            tally += gradient_finite_difference.check(question)
        except Violation as violation:
            violation.about = question.case
            violation.got += f" in g{number}, {_how(seen.case.questions[number])}"
            raise
    return tally


def _how(asked: programs.Gradient) -> str:
    """How a question was asked, in words."""
    vectorized = asked.method != "gradient" and asked.pfor
    return f"a {'vectorized ' * vectorized}{asked.method}"


@PROGRAMS.contract(
    "program-repeats",
    "A source that is listed twice has the same gradient twice, and a persistent tape that is "
    "asked twice answers the same, whatever it was asked between.",
    cites=[
        docstring("tf.GradientTape", "This allows multiple calls"),
        docstring("tf.GradientTape.gradient", "one for each element in"),
    ],
)
def program_repeats(seen: SeenProgram) -> Tally:
    """Bit for bit, but for questions inside a tf.function: Grappler may rewrite each otherwise.

    So it may where a function's gradient is recorded by a tape, which asks it for more results.
    """
    tally = Tally()
    told: dict[Hashable, _Source] = {}
    for source in _sources(seen):
        asked, answer = seen.case.questions[source.answer], seen.model.answers[source.answer]
        assert isinstance(answer, Answer)
        part = answer.part
        recorded = part.graph.definition, part.leaves, part.origins, answer.connected
        question: Hashable = replace(asked, answer=0), recorded, answer.recorded
        if seen.mode == "function":
            question = source.answer
        first = told.setdefault((question, source.tensor), source)
        if first.gradient is source.gradient:
            continue
        if not same(first.gradient, source.gradient):
            got = f"{_text(first.gradient)} for {first.name}, "
            got += f"{_text(source.gradient)} for {source.name}"
            claim = _difference(first, source)
            raise _violation(seen, claim, "the same", got, source.answer)
        tally.conclusive += 1
    return tally


def _difference(first: _Source, again: _Source) -> Claim:
    """What two answers differ in."""
    if first.gradient is None or again.gradient is None:
        claimed = nothing if first.gradient is None else something
        return claimed(again.leaf, "repeat")
    numbers = f"[one.numpy().tolist() for one in ({first.tensor_leaf}, {again.tensor_leaf})]"
    return Claim("repeat", numbers, "str(got[0]) == str(got[1])")  # NaN is not itself, but looks so


def _text(gradient: Gradient | None) -> str:
    return "None" if gradient is None else repr(gradient.array.tolist())


@PROGRAMS.contract(
    "program-watched-variables",
    "A tape names the Variables that it watches, in the order in which they were made.",
    cites=[docstring("tf.GradientTape.watched_variables", "in order of construction")],
)
def program_watched_variables(seen: SeenProgram) -> Tally:
    """After the tape has answered too."""
    tally = Tally()
    names = (*seen.case.program.names, "a stranger")
    for number, (expected, perhaps) in seen.model.watched.items():
        if number not in seen.watched:
            continue
        got = tuple(slot for slot in seen.watched[number] if slot not in perhaps)
        if expected != got:
            told = [[names[slot] for slot in slots] for slots in (expected, got)]
            claim = _named(seen, number, told[0], perhaps)
            raise _violation(seen, claim, f"{told[0]} for g{number}", f"{told[1]}")
        tally.conclusive += 1
    return tally


def _named(
    seen: SeenProgram, number: int, expected: Sequence[str], perhaps: Collection[int]
) -> Claim:
    """The names of the Variables that a tape names, without those of which nobody can say."""
    names = seen.case.program.names
    table = ", ".join(f"{names[slot]}={names[slot]}" for slot in seen.model.assigned)
    known = f"next((n for n, v in dict({table}).items() if v is one), 'a stranger')"
    doubtful = [names[slot] for slot in perhaps]
    value = f"[name for one in g{number} if (name := {known}) not in {doubtful}]"
    return Claim("watched", value, f"got == {list(expected)}")


@PROGRAMS.contract(
    "program-releases",
    "A tape that is not persistent holds no Tensor once it has answered, and none holds one once "
    "it is deleted.",
    cites=[
        docstring("tf.GradientTape", "are released as soon as"),
        docstring("tf.GradientTape", "resources are released when the tape object"),
    ],
    modes=["eager"],
)
def program_releases(seen: SeenProgram) -> Tally:
    """By weak references to all Tensors of the program, when all else of it is gone.

    Where functions are traced, what is held is known as a ``trace``: a tape may be innocent of it.
    """
    tally = Tally()
    if seen.failed:
        # TensorFlow logs the op that cannot be vectorized, and pytest keeps what is logged
        tally.undecided("a tape has failed, and what tells of it may hold Tensors")
    for which, held in seen.held.items():
        if held:
            expected = f"no Tensor that {which} tapes hold"
            kind = "trace" if seen.case.traces else "held"
            violation = _violation(seen, Claim(kind, "held", "not got"), expected, ", ".join(held))
            violation.where = seen.case.showing(seen.mode, _releasing(seen, which, kind))
            raise violation
        tally.conclusive += 1
    return tally


def _releasing(seen: SeenProgram, which: str, kind: str) -> list[str]:
    """The end of a program in which nothing is left but some tapes, and what they hold."""
    case, kept = seen.case, seen.model.empty if which == "answered" else ()
    names = case.program.names
    tapes = [s.tape for s in case.program.statements() if isinstance(s, programs.Tape)]
    gone = [*names, *(f"g{number}" for number in seen.model.answers.keys() | seen.model.watched)]
    gone += [f"t{tape}" for tape in dict.fromkeys(tapes) if tape not in kept]
    return [
        "import gc",
        "import weakref",
        f"living = {{n: weakref.ref(globals()[n]) for n in {seen.tensors} if n in globals()}}",
        f"for name in {gone}:",
        "    globals().pop(name, None)",
        "gc.collect()",
        "held = [name for name, tensor in living.items() if tensor() is not None]",
        f'assert not held, f"{kind}: {{held}}"',
    ]
