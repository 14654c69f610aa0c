"""What tapes in one thread have to do with those in another: nothing."""

from __future__ import annotations

from conformance.boundary import Gradient, same
from conformance.contract import UNDOCUMENTED, Tally, Violation, docstring
from conformance.scene_cases import SIMPLE, scene
from conformance.seen_programs import SeenProgram
from conformance.seen_scenes import SeenScene
from conformance.thread_cases import THREADS, SeenThreads
from strategies.structures import Structure, leaves


@THREADS.contract(
    "thread-independent",
    "Programs in two threads at once do not see each other's tapes: each answers as it does alone.",
    cites=[UNDOCUMENTED],
)
def thread_independent(seen: SeenThreads) -> Tally:
    """Answers bit for bit, exceptions by their type, and which Variables are watched."""
    tally = Tally()
    for which, (alone, beside) in enumerate(zip(seen.alone, seen.beside, strict=True)):
        for number in sorted(alone.model.answers.keys() | alone.model.watched):
            expected, got = (_told(one, number) for one in (alone, beside))
            if not _agree(alone, beside, number):
                raise Violation(
                    kind="thread",
                    expected=f"{expected} for g{number}",
                    got=got,
                    where=seen.case.showing(which, _expression(alone, beside, number)),
                    why="the same program was run alone, in the same process, just before",
                )
            tally.conclusive += 1
    return tally


def _expression(alone: SeenProgram, beside: SeenProgram, number: int) -> str:
    """What is compared, in the program."""
    if number in alone.model.watched:
        names = alone.case.program.names
        table = ", ".join(f"{names[slot]}={names[slot]}" for slot in alone.model.assigned)
        return f"[name for w in g{number} for name, v in dict({table}).items() if v is w]"
    if any(isinstance(seen.answers.get(number), Exception) for seen in (alone, beside)):
        return f"type(g{number}).__name__"
    dense = "g if g is None else tf.convert_to_tensor(g).numpy().tolist()"
    return f"str([{dense} for g in tf.nest.flatten(g{number})])"  # NaN is not itself, but looks so


def _told(seen: SeenProgram, number: int) -> str:
    return repr(seen.watched.get(number, seen.answers.get(number)))


def _agree(alone: SeenProgram, beside: SeenProgram, number: int) -> bool:
    if alone.watched.get(number) != beside.watched.get(number):
        return False
    one, other = alone.answers.get(number), beside.answers.get(number)
    if isinstance(one, Exception) or isinstance(other, Exception) or one is None or other is None:
        return type(one) is type(other)
    flat: list[list[Gradient | None]] = [_leaves(one), _leaves(other)]
    return len(flat[0]) == len(flat[1]) and all(map(same, *flat))


def _leaves(structure: Structure[Gradient | None]) -> list[Gradient | None]:
    return list(leaves(structure))


@scene(
    "thread-local",
    "A tape records what its own thread does, not what another thread does meanwhile.",
    """
    import threading

    found = []
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        here = f(x)
        thread = threading.Thread(target=lambda: found.append(f(x)))
        thread.start()
        thread.join()
    gradient, none = tape.gradient(here, x), tape.gradient(found[0], x)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,  # none of them returns its argument itself
    modes=("eager", "outer"),
)
def thread_local(seen: SeenScene) -> None:
    """The same op in both threads."""
    seen.derivative("gradient", "f(x)", by="x")
    seen.none("none")


@scene(
    "thread-gradient-elsewhere",
    "A tape can be asked in another thread than the one in which it recorded.",
    """
    import threading

    found = []
    with tf.GradientTape(persistent=$persistent) as tape:
        tape.watch(x)
        target = f(x) * tf.reduce_sum(h(v))
    thread = threading.Thread(target=lambda: found.extend(tape.gradient(target, [x, v])))
    thread.start()
    thread.join()
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    ops=SIMPLE,
    persistent=("False", "True"),
)
def thread_gradient_elsewhere(seen: SeenScene) -> None:
    """For a tensor and a Variable."""
    for number, name in enumerate("xv"):
        seen.derivative(f"found[{number}]", "f(x) * tf.reduce_sum(h(v))", by=name)


@scene(
    "gradient-multiple-threads-persistent",
    "Threads that ask one persistent tape at once have the same answers.",
    """
    from concurrent.futures import ThreadPoolExecutor

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = f(x) * tf.reduce_sum(h(v))
    alone = tape.gradient(target, [x, v])
    with ThreadPoolExecutor($threads) as pool:
        answers = list(pool.map(lambda _: tape.gradient(target, [x, v]), range(6)))
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    ops=SIMPLE,
    threads=("2", "3", "6"),
)
def gradient_multiple_threads_persistent(seen: SeenScene) -> None:
    """Bit for bit what it answers alone."""
    for number in range(6):
        seen.same(f"answers[{number}]", "alone")


@scene(
    "tape-in-py-generator",
    "A tape that a generator holds open while it yields records what its consumer does.",
    """
    def taped(tape):
        with tape:
            yield
        yield

    tape = tf.GradientTape(persistent=True)
    steps = taped(tape)
    next(steps)
    tape.watch(x)
    during = f(x)
    next(steps)
    after = f(x)
    gradient, none = tape.gradient(during, x), tape.gradient(after, x)
    """,
    cites=[UNDOCUMENTED],
    ops=SIMPLE,  # none of them returns its argument itself
)
def tape_in_py_generator(seen: SeenScene) -> None:
    """Tapes are kept by thread, not by frame; after the block nothing is recorded."""
    seen.derivative("gradient", "f(x)", by="x")
    seen.none("none")


@scene(
    "py-function-thread",
    "tf.py_function is differentiable in what it is given, not in what its Python closes over.",
    """
    def function(t):
        return f(t) * tf.reduce_sum(h(v))

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = tf.py_function(function, [x], x.dtype)
    gradient, none = tape.gradient(target, [x, v])
    """,
    cites=[docstring("tf.py_function", "differentiable")],
    ops=SIMPLE,
)
def py_function_thread(seen: SeenScene) -> None:
    """A tensor that is given and a Variable that is closed over."""
    seen.derivative("gradient", "function(x)", by="x")
    seen.none("none")
