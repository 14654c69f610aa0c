"""What a program asks of a tape: gradients, Jacobians, watched Variables, and what must raise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from strategies import dtypes
from strategies.drawing import draw_numbers
from strategies.graphs import Node, Ref
from strategies.ops.site import Draw
from strategies.program_builder import OpenTape, ProgramBuilder
from strategies.programs import MISUSES, Call, Gradient, Misuse, Take, Watched
from strategies.structures import leaves, structures
from strategies.tensors import Input, TensorType
from strategies.values import REAL

_ASKED: Final = st.sampled_from(
    [(zero, weighted) for zero in (False, False, True) for weighted in (False, False, True)]
)
_OPTIONS: Final = st.sampled_from(
    [(zero, pfor) for pfor in (*[False] * 7, True) for zero in (False, False, True)]
)
_LARGE: Final = 2.0**10
"""How large a gradient may be, for all that is known: too large for any op but the sine."""
_ONE_IN_FOUR: Final = st.sampled_from([False, False, False, True])


def gradient(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A tape is asked for a gradient: what it was asked before, or another.

    One that has answered already is asked seldom.
    """
    again = [g for g in program.asked if program.tapes[g.tape].persistent]
    if again and draw(_ONE_IN_FOUR, "asked again"):
        question = draw(st.sampled_from(again[::-1]), "question")
        program.block.append(replace(question, answer=program.answer()))
    else:
        ask(program, draw, _tape(program, draw))


def ask(program: ProgramBuilder, draw: Draw, tape: OpenTape) -> None:
    """The gradient of newer values with respect to older ones and Variables."""
    targets = _targets(program, tape)
    if not targets:
        scalar = Input(TensorType(program.dtype, ()), REAL)
        targets = (program.make(scalar, "constant").index,)
    of = draw(structures(targets), "targets")
    to = draw(structures(_sources(program, tape, *leaves(of)), empty=True), "sources")
    zero, weighted = draw(_ASKED, "zero, weighted")
    made = [Input(program.types[t], REAL) for t in leaves(of)] if weighted else []
    weights = tuple(draw_numbers(draw, one, set()) for one in made)
    _say(program, Gradient(program.answer(), tape.number, of, to, zero, weights))


def jacobian(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A tape is asked for a Jacobian; vectorized seldom, as that takes a hundred times as long."""
    tape = _tape(program, draw, persistent=3)
    of = draw(st.sampled_from(_targets(program, tape)), "target")
    zero, pfor = draw(_OPTIONS, "zero, pfor")
    sources = _sources(program, tape, of)
    if not pfor:
        sources = _alike(program, sources, of)
    to = draw(structures(sources), "sources")
    method = "jacobian"
    _say(program, Gradient(program.answer(), tape.number, of, to, zero, (), method, pfor))


def batch_jacobian(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A tape is asked for the Jacobians of a batch; where batches differ, that must raise.

    Those are of what was made here: of other shapes a tf.function may learn when it runs only.
    """
    tape = _tape(program, draw, persistent=3)
    of = draw(
        st.sampled_from(tuple(i for i in _targets(program, tape) if _is_batch(program, i))),
        "target",
    )
    zero, pfor = draw(_OPTIONS, "zero, pfor")
    others = tuple(i for i in _sources(program, tape, of) if _is_batch(program, i))
    if not pfor:
        others = _alike(program, others, of)
    fit = tuple(i for i in others if program.types[i].shape[0] == program.types[of].shape[0])
    others = tuple(i for i in others if {of, i} <= program.made)
    to = draw(st.sampled_from((*fit * 4, *others) or (of,)), "source")
    method = "batch_jacobian"
    _say(program, Gradient(program.answer(), tape.number, of, to, zero, (), method, pfor))


def take_gradient(
    program: ProgramBuilder, draw: Draw, tape: OpenTape, target: int | None, to: int
) -> int:
    """A gradient that ops then take, and other tapes record; if it is real, its sine is bounded.

    Returns its slot, or that of the sine.

    Args:
        program: where.
        draw: supplied by Hypothesis.
        tape: that is asked.
        target: of what; drawn, if it is left open.
        to: the source.
    """
    of = draw(structures(_targets(program, tape)), "targets") if target is None else target
    question = Gradient(program.answer(), tape.number, of, to, zero=True, weights=())
    _say(program, question)
    kind = program.types[to].like(bounds=(-_LARGE, _LARGE))
    gradient = program.bind("y", kind, list(leaves(of)))
    program.block.append(Take(gradient.index, question.answer))
    if not dtypes.is_complex(kind.dtype):
        bounded, sine = kind.like(bounds=(-1.0, 1.0)), "tf.math.sin"
        node = Node(sine, sine, (Ref(gradient.index),), (), (bounded,))
        gradient = program.bind("y", bounded, [gradient.index])
        program.block.append(Call((gradient.index,), node))
    return gradient.index


def ask_for(program: ProgramBuilder, tape: OpenTape, target: int, source: int) -> None:
    """The gradient of one slot with respect to another."""
    _say(program, Gradient(program.answer(), tape.number, target, source, zero=False, weights=()))


def can_be_taken(program: ProgramBuilder, _: int) -> bool:
    """Whether there is a gradient to take: a tape that can answer, and something floating."""
    return bool(program.live and _targets(program))


def has_target(program: ProgramBuilder, _: int) -> bool:
    """Whether there is a tape, and something to differentiate."""
    return bool(program.tapes and _targets(program))


def has_batch(program: ProgramBuilder, _: int) -> bool:
    """Whether there is a tape, and a target and a source of rank 2 or more."""
    targets, sources = _targets(program), range(len(program.values))
    return bool(program.tapes) and all(
        any(_is_batch(program, i) for i in some) for some in (targets, sources)
    )


def _is_batch(program: ProgramBuilder, slot: int) -> bool:
    kind = program.types[slot]
    return kind.rank > 1 and dtypes.is_differentiable(kind.dtype)


def _alike(program: ProgramBuilder, sources: tuple[int, ...], target: int) -> tuple[int, ...]:
    """The sources of a target's dtype, and the target itself.

    Into the loop that takes the place of vectorization TensorFlow writes others as if they were of
    that dtype, and says that what happens then is undefined.
    """
    dtype = program.types[target].dtype
    return (*(i for i in sources if program.types[i].dtype == dtype), target)


def _tape(program: ProgramBuilder, draw: Draw, persistent: int = 0) -> OpenTape:
    """A tape, seldom one that has answered; one that is persistent so many times as often again."""
    often = [t for t in program.live if t.persistent] * persistent
    found: OpenTape = draw(st.sampled_from([*program.live * 8, *often * 8, *program.tapes]), "tape")
    return found


def _targets(program: ProgramBuilder, tape: OpenTape | None = None) -> tuple[int, ...]:
    """What can be a target, the newest first; most often results, and what the tape holds."""
    floating = [v.index for v in program.tensors[::-1] if dtypes.is_differentiable(v.dtype)]
    results = [i for i in floating if i not in program.made]
    held = [i for i in results if tape is not None and i in tape.holds]
    return (*floating, *results, *held * 4, *held[:2] * 8)


def _sources(program: ProgramBuilder, tape: OpenTape, *targets: int) -> tuple[int, ...]:
    """Everything is a source; most often what the tape holds and is behind the targets."""
    held = sorted(tape.holds)
    behind = frozenset(targets).union(*(program.behind[i] for i in targets))
    both = [i for i in held if i in behind]
    return (*(v.index for v in program.values), *held, *both * 6)


def _say(program: ProgramBuilder, question: Gradient) -> None:
    """Append a question; a tape that is not persistent has then answered, or may have."""
    program.block.append(question)
    program.asked.append(question)
    tape = program.tapes[question.tape]
    if not tape.persistent:
        tape.spent, tape.recording = True, False


def misuse(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A call that must raise."""
    found = tuple(_misuses(program))
    what, tape = draw(st.sampled_from(found), "misuse")
    program.block.append(Misuse(program.answer(), tape.number, what))
    if what == "no target" and not tape.persistent:
        tape.recording = False  # being asked ends the recording, even for nothing


def has_misuse(program: ProgramBuilder, _: int) -> bool:
    """Whether some tape is there to be misused."""
    return any(True for _ in _misuses(program))


def _misuses(program: ProgramBuilder) -> Iterator[tuple[str, OpenTape]]:
    for tape in program.tapes:
        for what in MISUSES:
            if _can_be_misused(tape, what):
                yield what, tape


def _can_be_misused(tape: OpenTape, what: str) -> bool:
    match what:
        case "entered twice":
            return tape.recording
        case "stopped twice" | "reset outside":
            return not tape.inside
        case _:
            return not tape.spent


def watched(program: ProgramBuilder, draw: Draw, _: int) -> None:
    """A tape is asked which Variables it watches."""
    tape = draw(st.sampled_from(program.tapes), "tape")
    program.block.append(Watched(program.answer(), tape.number))


def has_tape(program: ProgramBuilder, _: int) -> bool:
    """Whether there is a tape."""
    return bool(program.tapes)
