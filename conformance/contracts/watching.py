"""What a tape watches: what it is told to, and the Variables that it watches unasked."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, Tally, Violation, docstring
from conformance.drawn_graphs import FROZEN, VARIABLE
from conformance.graph_cases import GRAPHS, Seen
from conformance.graph_programs import Ask
from conformance.reproduction import fact
from conformance.scene_cases import scene
from conformance.seen_scenes import SeenScene


@GRAPHS.contract(
    "watch-variable-auto",
    "A trainable Variable that is read under a recording tape is watched unasked.",
    cites=[docstring("tf.GradientTape", "are automatically watched")],
)
def watch_variable_auto(seen: Seen) -> Tally:
    """Every trainable Variable that the graph reads is among ``watched_variables()``."""
    read = [i for i in seen.case.inputs(VARIABLE) if i in seen.read]
    return _watched(seen, read, expected=True)


@GRAPHS.contract(
    "watch-nontrainable-not-auto",
    "A non-trainable Variable that is read under a recording tape is not watched unless asked.",
    cites=[docstring("tf.GradientTape", "are automatically watched")],
)
def watch_nontrainable_not_auto(seen: Seen) -> Tally:
    """No non-trainable Variable is among ``watched_variables()``, and its gradient is None."""
    return _watched(seen, list(seen.case.inputs(FROZEN)), expected=False)


def _watched(seen: Seen, variables: list[int], *, expected: bool) -> Tally:
    tally = Tally()
    for i in variables:
        if seen.error is not None:
            tally.undecided("the gradient raised")
        elif (i in seen.watched_variables) != expected:
            among = f"any(v is x{i} for v in tape.watched_variables())"
            condition = among if expected else f"not {among}"
            words = {True: "watched", False: "not watched"}
            raise Violation(
                kind="watched",
                expected=f"the Variable x{i} to be {words[expected]}",
                got=f"it is {words[not expected]}",
                where=seen.program(0, Ask("fact", i), fact("watched", condition)),
                why="tape.watched_variables() was asked after the ops had run",
            )
        else:
            tally.conclusive += 1
    return tally


@scene(
    "watch-tensor-explicit",
    "A Tensor has a gradient if it is watched, and None if it is not.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x) * tf.reduce_sum(h(y))
    watched, unwatched = tape.gradient(target, [x, y])
    """,
    cites=[docstring("tf.GradientTape", "Tensors can be manually watched")],
)
def watch_tensor_explicit(seen: SeenScene) -> None:
    """Of two Tensors one is watched; finite differences find its gradient."""
    seen.derivative("watched", "f(x) * tf.reduce_sum(h(y))", by="x")
    seen.none("unwatched")


@scene(
    "record-needs-watched-input",
    "An op is recorded only inside of the context, and only if one of its inputs is watched.",
    """
    before = f(x)
    with tf.GradientTape(persistent=True) as tape:
        unwatched = f(y)
        tape.watch(x)
        inside = f(x)
    after = f(x)
    gradients = [tape.gradient(target, x) for target in (before, inside, after)]
    none = tape.gradient(unwatched, y)
    """,
    cites=[
        docstring("tf.GradientTape", "Record operations for automatic"),
        docstring("tf.GradientTape", "at least one of their inputs is being"),
    ],
)
def record_needs_watched_input(seen: SeenScene) -> None:
    """The same op before, in and after the context."""
    seen.none("gradients[0]", "gradients[2]", "none")
    seen.derivative("gradients[1]", "f(x)", by="x")


@scene(
    "watch-late",
    "An op that ran before its input was watched is not recorded; one that runs later is.",
    """
    with tf.GradientTape(persistent=True) as tape:
        early = f(x)
        tape.watch(x)
        late = h(x)
    gradients = [tape.gradient(early, x), tape.gradient(late, x), tape.gradient([early, late], x)]
    """,
    cites=[docstring("tf.GradientTape", "at least one of their inputs is being")],
)
def watch_late(seen: SeenScene) -> None:
    """One op before and one after the watch, asked alone and together."""
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "h(x)", by="x")
    seen.same("gradients[2]", "gradients[1]")


@scene(
    "watch-nontrainable-explicit",
    "A non-trainable Variable that is watched has a gradient, and is listed as watched.",
    """
    with tf.GradientTape() as tape:
        tape.watch(u)
        target = f(u)
    watched = tape.watched_variables()
    gradient = tape.gradient(target, u)
    """,
    cites=[docstring("tf.GradientTape.watch", "is being traced by this tape")],
)
def watch_nontrainable_explicit(seen: SeenScene) -> None:
    """As if it were trainable."""
    seen.holds("[one is u for one in watched] == [True]")
    seen.derivative("gradient", "f(u)", by="u")


@scene(
    "watch-list",
    "watch takes a list, and watches each tensor and Variable in it.",
    """
    with tf.GradientTape() as tape:
        tape.watch($what)
        target = [f(x), f(y), f(u)]
    gradients = tape.gradient(target, [x, y, u])
    """,
    cites=[docstring("tf.GradientTape.watch", "list of Tensors")],
    what=("[x, y, u]", "[x, y, x, u]", "[u, y, x]"),
)
def watch_list(seen: SeenScene) -> None:
    """Each has the gradient that it has alone."""
    for number, name in enumerate("xyu"):
        seen.derivative(f"gradients[{number}]", f"f({name})", by=name)


@scene(
    "watch-nested-structure",
    "watch takes nests of any kind too, and empty ones.",
    """
    with tf.GradientTape() as tape:
        tape.watch($what)
        tape.watch($empty)
        target = [f(x), f(y), f(u)]
    gradients = tape.gradient(target, [x, y, u])
    """,
    cites=[UNDOCUMENTED],
    what=("(x, y, u)", "{'a': x, 'b': [y, (u,)]}", "[[x], {'c': {'d': y}}, u]"),
    empty=("[]", "{}", "()", "[[], {}]"),
)
def watch_nested_structure(seen: SeenScene) -> None:
    """Each leaf is watched."""
    for number, name in enumerate("xyu"):
        seen.derivative(f"gradients[{number}]", f"f({name})", by=name)


@scene(
    "watch-rejects-nontensor",
    "watch raises ValueError for what is no tensor.",
    """
    with tf.GradientTape() as tape:
        tape.watch($what)
    """,
    cites=[
        docstring("tf.GradientTape.watch", "if it encounters something that is not a tensor"),
    ],
    raises="ValueError",
    what=("1.0", "1", "'x'", "None", "object()", "[x, 2.0]", "x.numpy()"),
    modes=("eager",),
)
def watch_rejects_nontensor(_: SeenScene) -> None:
    """Numbers, strings, None, arrays, also beside a tensor."""


@scene(
    "watch-int-warns",
    "Watching integers raises nothing; their gradient is None.",
    """
    with tf.GradientTape() as tape:
        tape.watch([k, x])
        target = f(x) * tf.cast(tf.reduce_sum(k), x.dtype)
    gradients = tape.gradient(target, [k, x])
    """,
    cites=[UNDOCUMENTED],
)
def watch_int_warns(seen: SeenScene) -> None:
    """Beside a tensor of floats, which has a gradient."""
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "f(x) * tf.cast(tf.reduce_sum(k), x.dtype)", by="x")


@scene(
    "watch-before-enter",
    "watch on a tape that was never entered raises AttributeError.",
    """
    tape = tf.GradientTape()
    tape.watch(x)
    """,
    cites=[UNDOCUMENTED],
    raises="AttributeError",
)
def watch_before_enter(_: SeenScene) -> None:
    """The tape has no record yet."""


@scene(
    "watch-idempotent",
    "Watching a tensor more than once changes nothing.",
    """
    with tf.GradientTape() as once:
        once.watch(x)
        with tf.GradientTape() as often:
            $watches
            target = f(x)
    gradients = [once.gradient(target, x), often.gradient(target, x)]
    """,
    cites=[UNDOCUMENTED],
    watches=("often.watch(x); often.watch(x)", "often.watch([x, x, x])"),
)
def watch_idempotent(seen: SeenScene) -> None:
    """Bit for bit, as the same ops compute it."""
    seen.same("gradients[1]", "gradients[0]")


@scene(
    "watch-identity-not-value",
    "A tensor is watched, not its value: an equal one is not.",
    """
    twin = tf.constant(x.numpy())
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x) * tf.reduce_sum(f(twin))
    gradients = tape.gradient(target, [x, twin])
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
)
def watch_identity_not_value(seen: SeenScene) -> None:
    """Of two equal tensors one is watched."""
    seen.derivative("gradients[0]", "f(x) * tf.reduce_sum(f(twin))", by="x")
    seen.none("gradients[1]")


@scene(
    "watched-variables-order",
    "watched_variables() lists Variables in the order in which they were made.",
    """
    with tf.GradientTape() as tape:
        $reads
    watched = tape.watched_variables()
    """,
    cites=[docstring("tf.GradientTape.watched_variables", "in order of construction")],
    reads=("f(v); f(w); tape.watch(u)", "f(w); tape.watch(u); f(v)", "tape.watch(u); f(w); f(v)"),
)
def watched_variables_order(seen: SeenScene) -> None:
    """Whatever the order in which they were read."""
    seen.holds("isinstance(watched, tuple)")
    seen.holds("[one is two for one, two in zip(watched, (v, w, u))] == [True, True, True]")


@scene(
    "watched-variables-reset",
    "reset() forgets the watched Variables.",
    """
    with tf.GradientTape() as tape:
        f(v)
        tape.reset()
        fresh = tape.watched_variables()
        f(w)
    watched = tape.watched_variables()
    """,
    cites=[docstring("tf.GradientTape.reset", "Clears all information stored in this tape")],
)
def watched_variables_reset(seen: SeenScene) -> None:
    """One Variable read before, another after."""
    seen.holds("fresh == ()")
    seen.holds("[one is w for one in watched] == [True]")


@scene(
    "no-auto-watch",
    "With watch_accessed_variables=False only the Variables that are watched have gradients, with "
    "True all that are read.",
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        with tf.GradientTape(watch_accessed_variables=True) as other:
            tape.watch(v)
            target = f(v) * tf.reduce_sum(h(w))
    watched, read = tape.watched_variables(), other.watched_variables()
    gradients, others = tape.gradient(target, [v, w]), other.gradient(target, [v, w])
    """,
    cites=[
        docstring("tf.GradientTape", "fine grained control over which"),
        docstring("tf.GradientTape.__init__", "controlling whether the tape will automatically"),
        docstring("tf.GradientTape.__init__", "users must explicitly `watch`"),
    ],
)
def no_auto_watch(seen: SeenScene) -> None:
    """Two trainable Variables are read, one is watched."""
    seen.holds("[one is v for one in watched] == [True]")
    seen.holds("[one is two for one, two in zip(read, (v, w))] == [True, True]")
    seen.derivative("gradients[0]", "f(v) * tf.reduce_sum(h(w))", by="v")
    seen.none("gradients[1]")
    seen.derivative("others[0]", "f(v) * tf.reduce_sum(h(w))", by="v")
    seen.derivative("others[1]", "f(v) * tf.reduce_sum(h(w))", by="w")


@scene(
    "watch-after-exit",
    "watch on a tape that was left is ignored, unless another tape records.",
    """
    with tf.GradientTape(persistent=True) as tape:
        f(y)
    tape.watch(x)
    with tf.GradientTape():
        tape.watch(y)
    with tape:
        target = [f(x), h(y)]
    gradients = tape.gradient(target, [x, y])
    """,
    cites=[UNDOCUMENTED],
)
def watch_after_exit(seen: SeenScene) -> None:
    """The tape is entered again before anything is recorded."""
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "h(y)", by="y")


@scene(
    "watch-while-stopped",
    "watch in stop_recording is ignored, unless another tape records.",
    """
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            tape.watch(x)
            with tf.GradientTape():
                tape.watch(y)
        target = [f(x), h(y)]
    gradients = tape.gradient(target, [x, y])
    """,
    cites=[UNDOCUMENTED],
)
def watch_while_stopped(seen: SeenScene) -> None:
    """The tape records again before the op runs."""
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "h(y)", by="y")


@scene(
    "watched-variables-lifecycle",
    "watched_variables() is empty at first, holds the Variables that were read and no Tensors, and "
    "can be asked after the gradient too.",
    """
    with tf.GradientTape() as tape:
        fresh = tape.watched_variables()
        tape.watch(x)
        target = [f(x), f(v)]
    before = tape.watched_variables()
    tape.gradient(target, [x, v, w])
    after = tape.watched_variables()
    """,
    cites=[
        docstring("tf.GradientTape.watched_variables", "Returns variables watched by this tape")
    ],
)
def watched_variables_lifecycle(seen: SeenScene) -> None:
    """Of two Variables one is read."""
    seen.holds("fresh == ()")
    seen.holds("[one is v for one in before] == [True]")
    seen.holds("[one is v for one in after] == [True]")
