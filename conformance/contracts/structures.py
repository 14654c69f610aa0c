"""How nests of sources and targets come back."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import scene
from conformance.seen_scenes import SeenScene


@scene(
    "sources-structure",
    "A mapping of sources comes back as a mapping of its type, with its keys in their order and "
    "under each key the gradient of the source there.",
    """
    import collections

    Pair = collections.namedtuple("Pair", "b a")
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        target = [f(x), h(y)]
    sources = $sources
    gradients = tape.gradient(target, sources)
    told = gradients._asdict() if isinstance(gradients, Pair) else gradients
    """,
    cites=[docstring("tf.GradientTape.gradient", "the same as the structure of")],
    sources=(
        "{'b': x, 'a': y}",
        "collections.OrderedDict([('b', x), ('a', y)])",
        "collections.defaultdict(list, b=x, a=y)",
        "Pair(x, y)",
    ),
)
def sources_structure(seen: SeenScene) -> None:
    """The keys are not in the order in which a nest of them is flattened."""
    seen.holds("type(gradients) is type(sources)")
    seen.holds("list(told) == ['b', 'a']")
    seen.derivative("told['b']", "f(x)", by="x")
    seen.derivative("told['a']", "h(y)", by="y")


@scene(
    "sources-invalid",
    "What is no tensor is no source: asking for its gradient raises TypeError or AttributeError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    raised = None
    try:
        tape.gradient(target, $sources)
    except (AttributeError, TypeError) as error:
        raised = error
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    sources=("1.0", "x.numpy()", "None", "'x'", "[x, None]", "(x, 2)", "object()"),
)
def sources_invalid(seen: SeenScene) -> None:
    """Numbers, arrays, None and strings, also beside a tensor."""
    seen.holds("isinstance(raised, Exception)")


@scene(
    "sources-values-view",
    "The values of a dict are as good as a list of them.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        target = [f(x), h(y)]
    gradients = list(tape.gradient(target, {"b": x, "a": y}.values()))
    """,
    cites=[UNDOCUMENTED],
)
def sources_values_view(seen: SeenScene) -> None:
    """In the order of the dict, which is not that of its keys."""
    seen.holds("len(gradients) == 2")
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.derivative("gradients[1]", "h(y)", by="y")


@scene(
    "sources-views",
    "Generators, iterators, sets and views of keys are no nests of sources: they raise TypeError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    tape.gradient(target, $sources)
    """,
    cites=[UNDOCUMENTED],
    raises="TypeError",
    sources=(
        "(one for one in [x])",
        "iter([x])",
        "map(tf.identity, [x])",
        "{x.ref()}",
        "{'x': x}.keys()",
        "{'x': x}.items()",
    ),
)
def sources_views(_: SeenScene) -> None:
    """Each of them holds the source alone."""


@scene(
    "target-none",
    "None as the target raises TypeError and leaves the tape as it was.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    raised = None
    try:
        tape.gradient(None, $sources)
    except TypeError as error:
        raised = error
    gradient = tape.gradient(target, x)
    """,
    cites=[docstring("tf.GradientTape.gradient", "If the target is a None object")],
    sources=("x", "[x]", "{}"),
)
def target_none(seen: SeenScene) -> None:
    """Even a tape that answers once answers after that."""
    seen.holds("isinstance(raised, TypeError)")
    seen.derivative("gradient", "f(x)", by="x")


@scene(
    "target-invalid",
    "What is no tensor is no target: asking for its gradient raises TypeError or AttributeError.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(x)
    raised = None
    try:
        tape.gradient($target, x)
    except (AttributeError, TypeError) as error:
        raised = error
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    target=("1.0", "x.numpy()", "'x'", "[None]", "[target, None]", "(target, 2)", "object()"),
)
def target_invalid(seen: SeenScene) -> None:
    """Numbers, arrays, None in a list and strings, also beside a tensor."""
    seen.holds("isinstance(raised, Exception)")


@scene(
    "target-empty",
    "A target without tensors gives None for every source.",
    """
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        f(x)
    gradients = tape.gradient($target, [x, y])
    """,
    cites=[UNDOCUMENTED],
    target=("[]", "()", "{}", "[[], {}]"),
)
def target_empty(seen: SeenScene) -> None:
    """Nothing is raised."""
    seen.holds("len(gradients) == 2")
    seen.none("gradients")


@scene(
    "target-nested",
    "The gradient of a nest of targets is that of the sum of all elements; a target that is there "
    "twice counts twice.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        one, two = f(x), h(x)
        target = $target
    gradient = tape.gradient(target, x)
    """,
    cites=[docstring("tf.GradientTape.gradient", "target: a list or nested structure")],
    target=("[one, two]", "(two, [one])", "{'b': [one, two], 'a': ()}", "[two, (two, one)]"),
)
def target_nested(seen: SeenScene) -> None:
    """By finite differences of the sum."""
    nest = seen.case.chosen["target"].replace("one", "f(x)").replace("two", "h(x)")
    leaves = f"[tf.reduce_sum(tf.math.real(leaf)) for leaf in tf.nest.flatten({nest})]"
    seen.derivative("gradient", f"tf.add_n({leaves})", by="x")


@scene(
    "gradient-intermediate",
    "A result on the way is as good a source as a watched one, and takes nothing from those that "
    "it was computed from.",
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        middle = f(x)
        target = g(middle)
    gradients = tape.gradient(target, $sources)
    """,
    cites=[guide("autodiff", "Intermediate results")],
    sources=("{'x': x, 'middle': middle}", "{'middle': middle, 'x': x}"),
)
def gradient_intermediate(seen: SeenScene) -> None:
    """Both are asked for at once."""
    seen.derivative("gradients['middle']", "g(middle)", by="middle")
    seen.derivative("gradients['x']", "g(f(x))", by="x")
