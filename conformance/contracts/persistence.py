"""How often a tape answers, and what it holds until then."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "nonpersistent-once",
    "A tape that is not persistent answers once, whether a gradient, a Jacobian or a batch "
    "Jacobian is asked for; to be asked again raises RuntimeError.",
    """
    with tf.GradientTape($persistent) as tape:
        tape.watch(x)
        target = x * y
    tape.$first(target, x)
    tape.$second(target, x)
    """,
    cites=[
        docstring("tf.GradientTape.gradient", "If called on a used, non-persistent tape"),
        docstring("tf.GradientTape.gradient", "Unless you set `persistent=True`"),
        docstring("tf.GradientTape.jacobian", "If called on a used, non-persistent tape"),
        docstring("tf.GradientTape.jacobian", "Unless you set `persistent=True`"),
        docstring("tf.GradientTape.batch_jacobian", "If called on a used, non-persistent tape"),
        docstring("tf.GradientTape.batch_jacobian", "Unless you set `persistent=True`"),
        docstring("tf.GradientTape.__init__", "controlling whether a persistent gradient tape"),
        docstring("tf.GradientTape.__init__", "at most one call can"),
    ],
    ranks=(2, 3),
    raises="RuntimeError",
    saying="non-persistent",
    persistent=("", "persistent=False", "False"),
    first=("gradient", "gradient", "gradient", "jacobian", "batch_jacobian"),
    second=("gradient", "jacobian", "batch_jacobian"),
)
def nonpersistent_once(_: SeenScene) -> None:
    """Each of the three methods first, and each of them after it."""


@scene(
    "persistent-many",
    "A persistent tape answers as often as it is asked, whatever it was asked before.",
    """
    with tf.GradientTape($persistent) as tape:
        tape.watch(x)
        middle = f(x)
        target = g(middle)
    first = tape.gradient(target, x)
    $between
    other = tape.gradient(middle, x)
    again = tape.gradient(target, x)
    """,
    cites=[
        docstring("tf.GradientTape", "To compute multiple gradients over"),
        docstring("tf.GradientTape.__init__", "controlling whether a persistent gradient tape"),
    ],
    ops=SIMPLE,
    persistent=("persistent=True", "True"),
    between=(
        "tape.gradient(target, middle)",
        "tape.gradient([middle, target], [x, middle])",
        "tape.jacobian(middle, x)",
        "tape.jacobian(target, x, experimental_use_pfor=False)",
    ),
)
def persistent_many(seen: SeenScene) -> None:
    """Of two targets on one way, the same one before and after; Jacobians between."""
    seen.derivative("first", "g(f(x))", by="x")
    seen.derivative("other", "f(x)", by="x")
    seen.derivative("again", "g(f(x))", by="x")


@scene(
    "never-entered",
    "A tape that was never entered, persistent or not, raises RuntimeError when it is asked.",
    """
    tape = tf.GradientTape($persistent)
    tape.$method(x * y, x)
    """,
    cites=[UNDOCUMENTED],
    ranks=(2, 3),
    raises="RuntimeError",
    saying="non-persistent",
    persistent=("", "persistent=True"),
    method=("gradient", "jacobian", "batch_jacobian"),
)
def never_entered(_: SeenScene) -> None:
    """Its words are those for a used tape that is not persistent, whatever it is."""


@scene(
    "resources-released",
    "What an op left for its gradient is held until a tape that is not persistent has answered, "
    "though its context was left before; and by a persistent tape until it is deleted.",
    """
    import weakref

    class Resource:
        pass

    @tf.custom_gradient
    def op(value):
        resource = Resource()
        resources.append(weakref.ref(resource))
        return tf.identity(value), lambda upstream, _=resource: upstream

    resources, seen = [], []
    tape = tf.GradientTape($persistent)
    with tape:
        tape.watch(x)
        target = f(op(x))
    seen.append(resources[0]() is not None)
    gradient = tape.gradient(target, x)
    del target
    seen.append(resources[0]() is not None)
    del tape
    seen.append(resources[0]() is not None)
    """,
    cites=[
        docstring("tf.GradientTape", "are released as soon as"),
        docstring("tf.GradientTape", "resources are released when the tape object"),
    ],
    modes=("eager",),
    persistent=("", "persistent=True"),
)
def resources_released(seen: SeenScene) -> None:
    """By a weak reference: when the context is left, after the answer, and without the tape."""
    persistent = bool(seen.case.chosen["persistent"])
    seen.holds(f"seen == [True, {persistent}, False]")


@scene(
    "persistent-memory",
    "A tape does not keep the input of relu, whose gradient needs its result alone; that it keeps.",
    """
    import weakref

    with tf.GradientTape($persistent) as tape:
        tape.watch(x)
        one = tf.math.negative(x)
        two = tf.nn.relu(one)
        target = f(two)
        kept = [weakref.ref(one), weakref.ref(two)]
        del one, two
    kept = [one() is not None for one in kept]
    """,
    cites=[guide("autodiff", "Notes on performance")],
    modes=("eager",),
    among=REALS,
    persistent=("", "persistent=True"),
)
def persistent_memory(seen: SeenScene) -> None:
    """By weak references. A persistent tape is no different, though the guide expects it."""
    seen.holds("kept == [False, True]")


@scene(
    "reentrant-active",
    "To enter a tape that records already raises ValueError.",
    """
    with tf.GradientTape($persistent) as tape:
        f(x)
        $enter
    """,
    cites=[UNDOCUMENTED],
    raises="ValueError",
    saying="still recording",
    persistent=("", "persistent=True"),
    enter=("tape.__enter__()", "with tape: f(x)"),
)
def reentrant_active(_: SeenScene) -> None:
    """By a with statement, and by a plain call."""


@scene(
    "reenter-after-exit",
    "A tape that is entered again goes on with its record; what ran between is not in it.",
    """
    tape = tf.GradientTape($persistent)
    with tape:
        tape.watch(x)
        middle = f(x)
    between = g(f(x))
    with tape:
        target = g(middle) * between
    gradient = tape.gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
    persistent=("", "persistent=True"),
)
def reenter_after_exit(seen: SeenScene) -> None:
    """The way from source to target leads through both blocks."""
    seen.derivative("gradient", "g(f(x)) * between", by="x")


@scene(
    "reenter-after-used",
    "A tape that has answered and is not persistent begins anew when it is entered again.",
    """
    tape = tf.GradientTape()
    with tape:
        tape.watch(x)
        early = f(x)
    first = tape.gradient(early, x)
    with tape:
        tape.watch(x)
        late = h(x)
    second = tape.gradient([early, late], x)
    """,
    cites=[UNDOCUMENTED],
)
def reenter_after_used(seen: SeenScene) -> None:
    """What it had recorded before counts no more."""
    seen.derivative("first", "f(x)", by="x")
    seen.derivative("second", "h(x)", by="x")


@scene(
    "exception-in-context",
    "An exception ends the context as its end does: what ran before is recorded, what runs after "
    "is not.",
    """
    tape = tf.GradientTape(persistent=True)
    try:
        with tape:
            tape.watch(x)
            inside = f(x)
            $exception
    except (LookupError, KeyboardInterrupt, ValueError, tf.errors.InvalidArgumentError):
        after = f(x)
    gradients = [tape.gradient(target, x) for target in (inside, after)]
    """,
    cites=[docstring("tf.GradientTape.__exit__", "no further operations are traced")],
    exception=("raise LookupError", "raise KeyboardInterrupt", "{}['x']", "tf.zeros(2) + [1.] * 3"),
)
def exception_in_context(seen: SeenScene) -> None:
    """Raised by Python, and by an op."""
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.none("gradients[1]")


@scene(
    "failed-call-consumption",
    "A call that fails for what it was given does not count: the tape answers after it.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    raised = None
    try:
        tape.gradient($arguments)
    except (AttributeError, TypeError, ValueError) as error:
        raised = error
    gradient = tape.gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
    arguments=(
        "target, 1.0",
        "target, None",
        "None, x",
        "target, x, unconnected_gradients='nothing'",
        "target, x, output_gradients=object()",
    ),
)
def failed_call_consumption(seen: SeenScene) -> None:
    """A wrong target, source, output gradient or word."""
    seen.holds("isinstance(raised, Exception)")
    seen.derivative("gradient", "f(x)", by="x")


@scene(
    "failed-gradient-consumption",
    "If a gradient function raises, a tape that is not persistent is broken: it raises "
    "InternalError when it is asked for anything else. A persistent one answers.",
    """
    @tf.custom_gradient
    def broken(value):
        def gradient(upstream):
            raise $error
        return tf.identity(value), gradient

    with tf.GradientTape(persistent=$persistent) as tape:
        tape.watch(x)
        one, other = broken(x), h(x)
    try:
        tape.gradient(one, x)
    except $error:
        pass
    try:
        answer = tape.gradient(other, x)
    except tf.errors.InternalError as error:
        answer = error
    """,
    cites=[UNDOCUMENTED],
    persistent=("True", "False"),
    error=("LookupError", "ValueError", "ZeroDivisionError"),
)
def failed_gradient_consumption(seen: SeenScene) -> None:
    """The LookupError of an op without gradient is the usual case."""
    if seen.case.chosen["persistent"] == "True":
        seen.derivative("answer", "h(x)", by="x")
    else:
        seen.holds("isinstance(answer, Exception)")


@scene(
    "tape-in-loop-fresh",
    "Tapes made one after the other, as in the steps of a training, know nothing of each other, "
    "and none of them outlives its step.",
    """
    import weakref

    gradients, tapes = [], []
    for value in (x, y, z):
        v.assign(value)
        with tf.GradientTape() as tape:
            target = f(v)
        gradients.append(tape.gradient(target, v))
        tapes.append(weakref.ref(tape))
    alive = [one() is not None for one in tapes]
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
)
def tape_in_loop_fresh(seen: SeenScene) -> None:
    """Each answers the derivative at what the Variable holds in its step."""
    seen.holds("alive == [False, False, True]")
    for number, name in enumerate("xyz"):
        seen.derivative(f"gradients[{number}]", f"f({name})", by=name)
