"""When a tape records, and when it does not."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "stop-recording",
    "What runs under stop_recording is not recorded, all else is; the context is None.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        before = f(x)
        with tape.stop_recording() as context:
            stopped = f(y)
        target = before * stopped
    gradients = tape.gradient([target, stopped], [x, y])
    """,
    cites=[
        docstring("tf.GradientTape.stop_recording", "Operations executed while this context"),
        docstring("tf.GradientTape.stop_recording", "Yields"),
    ],
)
def stop_recording(seen: SeenScene) -> None:
    """What was computed there counts as a constant later on."""
    seen.holds("context is None")
    seen.derivative("gradients[0]", "f(x) * stopped", by="x")
    seen.none("gradients[1]")


@scene(
    "stop-recording-not-recording",
    "stop_recording raises RuntimeError if the tape does not record.",
    """
    tape = tf.GradientTape($persistent)
    $stop
    """,
    cites=[docstring("tf.GradientTape.stop_recording", "if the tape is not currently recording")],
    raises="RuntimeError",
    persistent=("", "persistent=True"),
    stop=(
        "with tape.stop_recording(): f(x)",
        "with tape: f(x)\nwith tape.stop_recording(): f(x)",
        "with tape: f(x)\ntape.gradient(x, x)\nwith tape.stop_recording(): f(x)",
        "with tape, tape.stop_recording(), tape.stop_recording(): f(x)",
    ),
)
def stop_recording_not_recording(_: SeenScene) -> None:
    """One that was never entered, that was left, that has answered, that was stopped before."""


@scene(
    "stop-recording-exception",
    "An exception that leaves stop_recording leaves the tape recording.",
    """
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        try:
            with tape.stop_recording():
                stopped = f(x)
                $exception
        except (LookupError, KeyboardInterrupt, tf.errors.InvalidArgumentError, ValueError):
            caught = h(x)
        after = f(x)
    gradients = [tape.gradient(target, x) for target in (stopped, caught, after)]
    """,
    cites=[UNDOCUMENTED],
    exception=("raise LookupError", "raise KeyboardInterrupt", "tf.zeros(2) + [1.0] * 3"),
)
def stop_recording_exception(seen: SeenScene) -> None:
    """Where it is caught, and after it."""
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "h(x)", by="x")
    seen.derivative("gradients[2]", "f(x)", by="x")


@scene(
    "stop-recording-only-this-tape",
    "stop_recording stops one tape; those outside and inside of it go on.",
    """
    with tf.GradientTape() as outer, tf.GradientTape() as tape, tf.GradientTape() as inner:
        for one in (outer, tape, inner):
            one.watch(x)
        with tape.stop_recording():
            target = f(x)
    gradients = [one.gradient(target, x) for one in (outer, tape, inner)]
    """,
    cites=[docstring("tf.GradientTape.stop_recording", "recording operations on this tape")],
)
def stop_recording_only_this_tape(seen: SeenScene) -> None:
    """Three tapes, of which the middle one is stopped."""
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.none("gradients[1]")
    seen.same("gradients[2]", "gradients[0]")


@scene(
    "gradient-in-stop-recording",
    "Under stop_recording a tape may be asked; one that is not persistent begins anew after it, a "
    "persistent one goes on.",
    """
    asked, later = [], []
    for persistent in (False, True):
        with tf.GradientTape(persistent=persistent) as tape:
            tape.watch(x)
            early = f(x)
            with tape.stop_recording():
                asked.append(tape.gradient(early, x))
            tape.watch(x)
            late = h(x)
        later.append(tape.gradient([early, late], x))
    """,
    cites=[UNDOCUMENTED],
)
def gradient_in_stop_recording(seen: SeenScene) -> None:
    """Asked twice: for what ran before, then for all that ran."""
    for number in range(2):
        seen.derivative(f"asked[{number}]", "f(x)", by="x")
    seen.derivative("later[0]", "h(x)", by="x")
    seen.derivative("later[1]", "[f(x), h(x)]", by="x")


@scene(
    "reset-clears",
    "reset makes a tape forget what it recorded, wherever in a loop or a branch it is called.",
    """
    done, last = [], $last
    with tf.GradientTape() as tape:
        for function in (f, h, f):
            tape.watch(x)
            done.append(function(x))
            if len(done) == last:
                tape.reset()
    gradient = tape.gradient(done, x)
    """,
    cites=[
        docstring("tf.GradientTape.reset", "Clears all information stored in this tape"),
        docstring("tf.GradientTape.reset", "Only differentiates other_loss_fn"),
        docstring("tf.GradientTape.reset", "the desired reset point is inside"),
    ],
    last=("0", "1", "2"),
)
def reset_clears(seen: SeenScene) -> None:
    """Only what ran after it is differentiated."""
    seen.derivative("gradient", "[function(x) for function in (f, h, f)[last:]]", by="x")


@scene(
    "reset-forgets-watch",
    "After reset a tape watches what it is told to from then on, as if it were entered anew.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        tape.reset()
        tape.watch(y)
        target = f(x) * f(y)
    gradients = tape.gradient(target, [x, y])
    """,
    cites=[docstring("tf.GradientTape.reset", "Equivalent to exiting and reentering")],
)
def reset_forgets_watch(seen: SeenScene) -> None:
    """Of two tensors one is watched again."""
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "f(x) * f(y)", by="y")


@scene(
    "reset-outside",
    "reset raises ValueError if the tape does not record.",
    """
    tape = tf.GradientTape($persistent)
    $reset
    """,
    cites=[UNDOCUMENTED],
    raises="ValueError",
    saying="not recording",
    persistent=("", "persistent=True"),
    reset=(
        "tape.reset()",
        "with tape: f(x)\ntape.reset()",
        "with tape: f(x)\ntape.gradient(x, x)\ntape.reset()",
        "with tape, tape.stop_recording(): tape.reset()",
    ),
)
def reset_outside(_: SeenScene) -> None:
    """One that was never entered, that was left, that has answered, that was stopped."""


@scene(
    "gradient-inside-nonpersistent",
    "To ask a tape inside of its own context raises RuntimeError.",
    """
    with tf.GradientTape($persistent) as tape:
        tape.watch(x)
        gradient = tape.gradient(f(x), x)
    """,
    cites=[docstring("tf.GradientTape.gradient", "If called inside the context of the tape")],
    raises="RuntimeError",
    persistent=("", "persistent=True"),
)
def gradient_inside_nonpersistent(_: SeenScene) -> None:
    """Persistent or not: the sentence makes no difference."""


@scene(
    "gradient-inside-ends-recording",
    "Asked inside of its context a tape that is not persistent answers, and records no more.",
    """
    told = ""
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            gradient = tape.gradient(f(x), x)
            target = h(x)
        try:
            tape.gradient(target, x)
        except RuntimeError as error:
            told = str(error)
    outside = outer.gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
)
def gradient_inside_ends_recording(seen: SeenScene) -> None:
    """It is used then; a tape around it is not."""
    seen.derivative("gradient", "f(x)", by="x")
    seen.holds("'non-persistent' in told")
    seen.derivative("outside", "h(x)", by="x")


@scene(
    "gradient-inside-persistent",
    "Asked inside of its context a persistent tape records what it answers: of that it gives the "
    "gradient too.",
    """
    def slope(function, at):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(at)
            target = tf.reduce_sum(function(at)) * tf.reduce_sum(at * at)
            inside = tape.gradient(target, at)
        return tape, inside

    tape, first = slope(f, x)
    second = tape.gradient(first, x)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,
)
def gradient_inside_persistent(seen: SeenScene) -> None:
    """The second derivative, by one tape."""
    seen.derivative("first", "tf.reduce_sum(f(x)) * tf.reduce_sum(x * x)", by="x")
    seen.derivative("second", "slope(f, x)[1]", by="x")


@scene(
    "init-scope-pauses",
    "Under tf.init_scope ops run eagerly and no tape records.",
    """
    with tf.GradientTape(persistent=True) as tape:
        with tf.init_scope():
            eager = tf.executing_eagerly()
            paused = f(v)
        target = f(v) * paused
    gradients = [tape.gradient(paused, v), tape.gradient(target, v)]
    """,
    cites=[
        docstring("tf.init_scope", "The gradient tape is paused while"),
        docstring("tf.init_scope", "out of control-flow scopes and function-building"),
    ],
)
def init_scope_pauses(seen: SeenScene) -> None:
    """What is computed from a Variable there is a constant outside, in a tf.function too."""
    seen.holds("eager")
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "f(v) * paused", by="v")


@scene(
    "enter-returns-self",
    "What a with statement names is the tape itself.",
    """
    tapes = [tf.GradientTape(), tf.GradientTape(persistent=True)]
    with tapes[0] as one, tapes[1] as two:
        same = [one is tapes[0], two is tapes[1]]
    """,
    cites=[docstring("tf.GradientTape.__enter__", "Enters a context inside which operations")],
)
def enter_returns_self(seen: SeenScene) -> None:
    """Two tapes in one statement."""
    seen.holds("same == [True, True]")


@scene(
    "manual-enter-exit",
    "Tapes may be entered and left by plain calls, in any order; what runs after a tape was left "
    "is not in its record.",
    """
    f(x)
    tapes = [tf.GradientTape(persistent=True) for _ in range(3)]
    for tape in tapes:
        tape.__enter__()
        tape.watch(x)
    targets = [f(x)]
    for number in $order:
        tapes[number].__exit__(None, None, None)
        targets.append(f(x))
    gradients = [[tapes[n].gradient(target, x) for target in targets] for n in $order]
    """,
    cites=[UNDOCUMENTED],
    order=("(2, 1, 0)", "(0, 1, 2)", "(1, 0, 2)", "(0, 2, 1)"),
)
def manual_enter_exit(seen: SeenScene) -> None:
    """Of four targets the tape that is left first has one, the last one has three.

    What an op of f raises it raises before: a tape that is not left would record what follows.
    """
    for number in range(3):
        seen.derivative(f"gradients[{number}][{number}]", "f(x)", by="x")
        seen.none(f"gradients[{number}][{number + 1}:]")


@scene(
    "constructor-args",
    "A tape is made with persistent=False and watch_accessed_variables=True, in this order, unless "
    "it is told otherwise.",
    """
    import inspect

    parameters = inspect.signature(tf.GradientTape).parameters.values()
    told = [(one.name, one.default) for one in parameters]
    """,
    cites=[
        docstring("tf.GradientTape.__init__", "False by default, which means"),
        docstring("tf.GradientTape.__init__", "Defaults to True meaning gradients"),
    ],
    modes=("eager",),
)
def constructor_args(seen: SeenScene) -> None:
    """By its signature."""
    seen.holds("told == [('persistent', False), ('watch_accessed_variables', True)]")


@scene(
    "autodiff-alias",
    "tf.autodiff.GradientTape is tf.GradientTape.",
    """
    one, two = tf.autodiff.GradientTape, tf.GradientTape
    """,
    cites=[
        docstring("tf.autodiff.GradientTape", "Record operations for automatic differentiation")
    ],
    modes=("eager",),
)
def autodiff_alias(seen: SeenScene) -> None:
    """The very same class."""
    seen.holds("one is two")
