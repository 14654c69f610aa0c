"""Broken tapes that only whole programs can tell from honest ones: lies about what a tape records.

As in tests/lies.py each makes the real TensorFlow of this process lie in one way, for good. What
they patch are the public methods of ``tf.GradientTape`` and, where a lie is about its state, the
three attributes in which it keeps it: there is no public way to record otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

Lie = Callable[[Any], None]

TAPE_LIES: Final[dict[str, Lie]] = {}
"""Every lie by its name; each takes the TensorFlow module."""


def lie(tell: Lie) -> Lie:
    """Register a lie under its function's name."""
    TAPE_LIES[tell.__name__] = tell
    return tell


def change_answers(tf: Any, change: Callable[..., Any]) -> None:
    """Replace ``gradient`` by ``change(truth, tape, target, sources, **options)``."""
    truth = tf.GradientTape.gradient

    def gradient(self: Any, target: Any, sources: Any, **options: Any) -> Any:
        return change(truth, self, target, sources, **options)

    tf.GradientTape.gradient = gradient


# -- what is recorded ----------------------------------------------------------------------------


@lie
def stop_recording_is_ignored(tf: Any) -> None:
    """``stop_recording`` stops nothing."""

    @contextmanager
    def stop(_: Any) -> Iterator[None]:
        yield

    tf.GradientTape.stop_recording = stop


@lie
def recording_is_not_resumed(tf: Any) -> None:
    """After ``stop_recording`` a tape records no more."""

    @contextmanager
    def stop(self: Any) -> Iterator[None]:
        if self._recording:
            self._pop_tape()
        yield

    tf.GradientTape.stop_recording = stop


@lie
def stop_recording_forgets(tf: Any) -> None:
    """``stop_recording`` makes a tape forget what it had recorded."""
    truth = tf.GradientTape.stop_recording

    @contextmanager
    def stop(self: Any) -> Iterator[None]:
        with truth(self):
            yield
        self.reset()

    tf.GradientTape.stop_recording = stop


@lie
def reset_is_ignored(tf: Any) -> None:
    """``reset`` forgets nothing."""
    tf.GradientTape.reset = lambda _: None


@lie
def reset_ends_the_recording(tf: Any) -> None:
    """After ``reset`` a tape records no more."""
    truth = tf.GradientTape.reset

    def reset(self: Any) -> None:
        truth(self)
        self._pop_tape()

    tf.GradientTape.reset = reset


@lie
def a_tape_entered_again_begins_anew(tf: Any) -> None:
    """Entering a tape again forgets what it had recorded."""
    truth = tf.GradientTape.__enter__

    def enter(self: Any) -> Any:
        self._tape = None
        return truth(self)

    tf.GradientTape.__enter__ = enter


@lie
def an_exception_forgets(tf: Any) -> None:
    """A tape that is left by an exception has recorded nothing."""
    truth = tf.GradientTape.__exit__

    def leave(self: Any, kind: Any, value: Any, traceback: Any) -> None:
        truth(self, kind, value, traceback)
        if kind is not None:
            with self:
                self.reset()

    tf.GradientTape.__exit__ = leave


@lie
def an_inner_tape_stops_the_outer(tf: Any) -> None:
    """While one tape is open those around it do not record."""
    enter, leave = tf.GradientTape.__enter__, tf.GradientTape.__exit__
    stack: list[list[Any]] = []
    active: list[Any] = []

    def start(self: Any) -> Any:
        others = [tape for tape in active if tape._recording]
        for tape in others:
            tape._pop_tape()
        stack.append(others)
        active.append(self)
        return enter(self)

    def end(self: Any, *raised: Any) -> None:
        leave(self, *raised)
        active.remove(self)
        for tape in stack.pop():
            if not tape._recording:
                tape._push_tape()

    tf.GradientTape.__enter__, tf.GradientTape.__exit__ = start, end


# -- what is watched -----------------------------------------------------------------------------


@lie
def only_the_first_of_a_nest_is_watched(tf: Any) -> None:
    """``watch`` looks at the first leaf."""
    truth = tf.GradientTape.watch
    tf.GradientTape.watch = lambda self, what: truth(self, tf.nest.flatten(what)[0])


@lie
def watching_late_is_ignored(tf: Any) -> None:
    """``watch`` outside of the tape's own block does nothing, even where another tape records."""
    truth = tf.GradientTape.watch

    def watch(self: Any, what: Any) -> None:
        if self._recording:
            truth(self, what)

    tf.GradientTape.watch = watch


@lie
def watch_accessed_variables_is_ignored(tf: Any) -> None:
    """Every tape watches the Variables that are accessed."""
    truth = tf.GradientTape.__init__

    def init(self: Any, persistent: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002
        truth(self, persistent=persistent)

    tf.GradientTape.__init__ = init


@lie
def frozen_variables_cannot_be_watched(tf: Any) -> None:
    """``watch`` passes over Variables that are not trainable."""
    truth = tf.GradientTape.watch

    def watch(self: Any, what: Any) -> None:
        for one in tf.nest.flatten(what):
            if getattr(one, "trainable", True):
                truth(self, one)

    tf.GradientTape.watch = watch


@lie
def watched_variables_come_backwards(tf: Any) -> None:
    """``watched_variables`` names the newest first."""
    truth = tf.GradientTape.watched_variables
    tf.GradientTape.watched_variables = lambda self: truth(self)[::-1]


@lie
def watched_variables_are_lost_with_the_answer(tf: Any) -> None:
    """A tape that has answered has no ``watched_variables``."""
    truth = tf.GradientTape.watched_variables
    tf.GradientTape.watched_variables = lambda self: truth(self) if self._tape else ()


# -- what a read is ------------------------------------------------------------------------------


@lie
def read_value_is_a_constant(tf: Any) -> None:
    """What ``read_value`` gives is connected to nothing."""
    kind = type(tf.Variable(0.0))
    truth = kind.read_value
    kind.read_value = lambda self: tf.constant(truth(self).numpy())


@lie
def value_is_connected_to_what_was_assigned(tf: Any) -> None:
    """``value`` gives the Tensor that was assigned last, not a read of the Variable."""
    kind = type(tf.Variable(0.0))
    value, assign = kind.value, kind.assign

    def remember(self: Any, what: Any, **options: Any) -> Any:
        self.assigned_last = what
        return assign(self, what, **options)

    def last(self: Any) -> Any:
        truth = value(self)
        return getattr(self, "assigned_last", truth)

    kind.assign, kind.value = remember, last


# -- what is answered ----------------------------------------------------------------------------


@lie
def persistent_is_ignored(tf: Any) -> None:
    """No tape answers twice."""
    truth = tf.GradientTape.__init__

    def init(self: Any, persistent: bool = False, **options: Any) -> None:  # noqa: ARG001, FBT001, FBT002
        truth(self, **options)

    tf.GradientTape.__init__ = init


@lie
def every_tape_is_persistent(tf: Any) -> None:
    """Every tape answers as often as it is asked."""
    truth = tf.GradientTape.__init__

    def init(self: Any, persistent: bool = True, **options: Any) -> None:  # noqa: ARG001, FBT001, FBT002
        truth(self, persistent=True, **options)

    tf.GradientTape.__init__ = init


@lie
def a_persistent_tape_forgets_with_the_answer(tf: Any) -> None:
    """A persistent tape answers None the second time."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        if tape._persistent and not tape._recording:
            with tape:
                tape.reset()
        return answer

    change_answers(tf, change)


@lie
def only_the_first_target_counts(tf: Any) -> None:
    """Of several targets the first is differentiated."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        weights = options.pop("output_gradients", None)
        first = None if weights is None else weights[0]
        return truth(tape, tf.nest.flatten(target)[0], sources, output_gradients=first, **options)

    change_answers(tf, change)


@lie
def a_repeated_source_is_answered_once(tf: Any) -> None:
    """Where a source occurs again it gets None."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        seen: set[int] = set()
        told = []
        answers = tf.nest.flatten(truth(tape, target, sources, **options))
        for source, answer in zip(tf.nest.flatten(sources), answers, strict=True):
            told.append(None if id(source) in seen else answer)
            seen.add(id(source))
        return tf.nest.pack_sequence_as(sources, told)

    change_answers(tf, change)


@lie
def a_repeated_source_counts_twice_at_first(tf: Any) -> None:
    """Of a source that occurs again the first gradient is doubled."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        flat = [id(source) for source in tf.nest.flatten(sources)]
        answers = tf.nest.flatten(truth(tape, target, sources, **options))
        told = [
            2 * tf.convert_to_tensor(a) if a is not None and flat[i] in flat[i + 1 :] else a
            for i, a in enumerate(answers)
        ]
        return tf.nest.pack_sequence_as(sources, told)

    change_answers(tf, change)


@lie
def a_persistent_tape_adds_up_what_it_answers(tf: Any) -> None:
    """Asked for the second time a persistent tape answers twice as much."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        tape.asked = getattr(tape, "asked", 0) + tape._persistent
        if tape.asked < 2:
            return answer
        double = [None if a is None else 2 * a for a in tf.nest.flatten(answer)]
        return tf.nest.pack_sequence_as(sources, double)

    change_answers(tf, change)


@lie
def tuples_become_lists(tf: Any) -> None:
    """The answer for a tuple of sources is a list."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return list(answer) if type(answer) is tuple else answer

    change_answers(tf, change)


@lie
def an_intermediate_source_hides_what_is_behind_it(tf: Any) -> None:
    """A source that was computed from another one takes that one's share."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        flat = tf.nest.flatten(sources)
        answers = tf.nest.flatten(truth(tape, target, sources, **options))
        if len(flat) > 1 and all(a is not None for a in answers):
            answers[1] = 0 * tf.convert_to_tensor(answers[1])
        return tf.nest.pack_sequence_as(sources, answers)

    change_answers(tf, change)


@lie
def a_target_is_no_source(tf: Any) -> None:
    """The gradient of a target with respect to itself is None."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        targets = {id(t) for t in tf.nest.flatten(target)}
        answers = tf.nest.flatten(truth(tape, target, sources, **options))
        flat = tf.nest.flatten(sources)
        told = [None if id(s) in targets else a for s, a in zip(flat, answers, strict=True)]
        return tf.nest.pack_sequence_as(sources, told)

    change_answers(tf, change)


@lie
def zeros_for_a_variable_are_none(tf: Any) -> None:
    """``UnconnectedGradients.ZERO`` is ignored for Variables."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        zero = options.pop("unconnected_gradients", "none")
        answers = tf.nest.flatten(truth(tape, target, sources, **options))
        flat = tf.nest.flatten(sources)
        told = [
            tf.zeros_like(s)
            if a is None and zero == "zero" and not isinstance(s, tf.Variable)
            else a
            for s, a in zip(flat, answers, strict=True)
        ]
        return tf.nest.pack_sequence_as(sources, told)

    change_answers(tf, change)
