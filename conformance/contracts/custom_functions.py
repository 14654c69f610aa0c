"""The forms of custom functions, and those that TensorFlow makes: recomputed or passed through."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import REALS, SIMPLE, scene
from conformance.seen_scenes import SeenScene


@scene(
    "custom-decorator-forms",
    "tf.custom_gradient decorates functions and methods, with parentheses and without.",
    """
    def plain(a):
        return f(a), lambda upstream: tf.identity(dx)

    class Owner:
        @tf.custom_gradient
        def method(self, a):
            return plain(a)

    custom = $form
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = custom(x)
    gradient = tape.gradient(target, x)
    """,
    cites=[UNDOCUMENTED],
    form=(
        "tf.custom_gradient(plain)",
        "tf.custom_gradient()(plain)",
        "tf.custom_gradient(lambda a: plain(a))",
        "Owner().method",
        "tf.function(tf.custom_gradient(plain), autograph=False)",
        "tf.function(Owner().method, autograph=False)",
    ),
)
def custom_decorator_forms(seen: SeenScene) -> None:
    """Each has the gradient that its function answers."""
    seen.same("gradient", "dx")


@scene(
    "custom-structures",
    "Arguments and results of a custom function are nests, its gradients flat; None is one too.",
    """
    def answer(one, two):
        return $answers

    @tf.custom_gradient
    def custom(nest):
        a, b = nest["a"], nest["b"][0]
        return {"c": a * b, "d": (a + b,)}, answer

    with tf.GradientTape() as tape:
        tape.watch([x, y])
        target = custom({"a": x, "b": [y]})
    leaves = [target["c"], target["d"][0]]
    gradients = tape.gradient(leaves, [x, y], output_gradients=[z, dx])
    wanted = answer(z, dx)
    """,
    cites=[
        docstring("tf.custom_gradient", "`y` is a (nested structure of) `Tensor` outputs"),
        docstring("tf.custom_gradient", "returns a list of `Tensor`s the same size as"),
        docstring("tf.custom_gradient", "holding the initial value gradients for each"),
    ],
    answers=("[one, two]", "[two, one]", "(one, None)", "[None, two]"),
)
def custom_structures(seen: SeenScene) -> None:
    """Two in, two out, and None for either."""
    seen.same("gradients", "list(wanted)")


@scene(
    "custom-keywords",
    "Eagerly a custom function takes keyword arguments, which have no gradients.",
    """
    @tf.custom_gradient
    def custom(a, extra=None):
        return f(a) * tf.reduce_sum(h(extra)), lambda upstream: dx

    with tf.GradientTape() as tape:
        tape.watch([x, y])
        target = custom(x, extra=y)
    gradients = tape.gradient(target, [x, y])
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    ops=SIMPLE,
)
def custom_keywords(seen: SeenScene) -> None:
    """One by place, one by name."""
    seen.same("gradients[0]", "dx")


@scene(
    "custom-keywords-in-function",
    "In a tf.function a custom function that is given keyword arguments raises ValueError.",
    """
    @tf.custom_gradient
    def custom(a, extra=None):
        return f(a) * tf.reduce_sum(h(extra)), lambda upstream: dx

    with tf.GradientTape() as tape:
        tape.watch(x)
        target = custom(x, extra=y)
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    raises="ValueError",
    saying="keywords",
    ops=SIMPLE,
)
def custom_keywords_in_function(_: SeenScene) -> None:
    """Whether or not a tape watches it."""


@scene(
    "clip-gradients-guide",
    "An identity whose gradient clips what comes from above clips the gradient.",
    """
    @tf.custom_gradient
    def clipped(a):
        return tf.identity(a), lambda upstream: tf.clip_by_norm(upstream, $limit)

    with tf.GradientTape() as tape:
        target = clipped(v * x)
    gradient = tape.gradient(target, v, output_gradients=z)
    wanted = tf.clip_by_norm(z, $limit) * x
    """,
    cites=[guide("advanced_autodiff", "Custom gradients")],
    among=REALS,
    limit=("0.5", "2.0", "1000.0"),
)
def clip_gradients_guide(seen: SeenScene) -> None:
    """Norms above the limit and below it."""
    seen.near("gradient", "wanted", "tf.math.abs(wanted)", roundings=24)


_LOADED = """
import pathlib
import tempfile

@tf.custom_gradient
def custom(a):
    return $value, lambda upstream: tf.math.sin(a) * upstream

point, model = tf.constant([0.5, 2.0]), tf.Module()
signature = [tf.TensorSpec(point.shape, point.dtype)]
model.call = tf.function(custom, autograph=False, input_signature=signature)
options = tf.saved_model.SaveOptions(experimental_custom_gradients=asked)
with tempfile.TemporaryDirectory() as folder:
    tf.saved_model.save(model, folder, options=options)
    # a process that loads it knows nothing of what the one that saved it had registered
    file = pathlib.Path(folder, "saved_model.pb")
    file.write_bytes(file.read_bytes().replace(b"CustomGradient-", b"CustomGradient/"))
    loaded = tf.saved_model.load(folder)
with tf.GradientTape() as tape:
    tape.watch(point)
    target = loaded.call(point)
gradient = tape.gradient(target, point)
"""
_VALUES = ("tf.math.square(a)", "tf.round(a)")


@scene(
    "savedmodel-custom-gradient",
    "A custom gradient is saved with a model, if asked for, and is its gradient when it is loaded.",
    f"asked = True\n{_LOADED}\nwanted = tf.math.sin(point)",
    cites=[
        docstring("tf.saved_model.SaveOptions.__init__", "save traced gradient functions"),
        guide("advanced_autodiff", "Custom gradients in SavedModel"),
    ],
    modes=("eager",),
    value=_VALUES,
)
def savedmodel_custom_gradient(seen: SeenScene) -> None:
    """A sine, whatever the function itself is."""
    seen.near("gradient", "wanted", "tf.math.abs(wanted)", roundings=4)


@scene(
    "savedmodel-custom-gradient-left",
    "Of a model that was saved without its custom gradients, these raise LookupError when it is "
    "loaded elsewhere.",
    f"asked = False\n{_LOADED}",
    cites=[guide("advanced_autodiff", "Custom gradients in SavedModel")],
    modes=("eager",),
    raises="LookupError",
    saying="IdentityN",
    value=_VALUES,
)
def savedmodel_custom_gradient_left(_: SeenScene) -> None:
    """Though the function itself has a gradient."""


@scene(
    "recompute-grad",
    "A function under tf.recompute_grad runs once forward and once more for each gradient, and has "
    "the gradients that it has without, when it runs but once.",
    """
    runs = []

    def body(a):
        runs.append(a)
        return f(a) * tf.reduce_sum(h(v))

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        target = tf.recompute_grad(body)(x)
    counts = [len(runs)]
    gradients = tape.gradient(target, [x, v])
    counts += [len(runs)]
    again = tape.gradient(target, [x, v])
    counts += [len(runs)]
    runs.clear()
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = body(x)
    plain = tape.gradient(target, [x, v])
    counts += [len(runs)]
    """,
    cites=[
        docstring("tf.recompute_grad", "as a recompute-checkpoint"),
        docstring("tf.recompute_grad", "and no recomputation is performed"),
        docstring("tf.recompute_grad", "recomputes `f` on the backwards pass"),
        docstring("tf.recompute_grad", "recomputes the function under a localized"),
    ],
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
)
def recompute_grad(seen: SeenScene) -> None:
    """Its argument, and a Variable that it reads."""
    seen.holds("counts == [1, 2, 3, 1]")
    seen.derivative("gradients[0]", "f(x) * tf.reduce_sum(h(v))", by="x")
    seen.derivative("gradients[1]", "f(x) * tf.reduce_sum(h(v))", by="v")
    seen.same("again", "gradients")
    seen.same("plain", "gradients")


@scene(
    "recompute-grad-keras",
    "tf.recompute_grad takes a Keras model or layer, runs it again for the gradient, and keeps it "
    "in reach.",
    """
    runs = []

    class Counted(tf.keras.layers.Dense):
        def call(self, a):
            runs.append(a)
            return super().call(a)

    layer = Counted(2, dtype=x.dtype.name)
    model = $model
    model(x)  # which builds it
    runs.clear()
    recomputed = tf.recompute_grad(model)
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = recomputed(x)
    counts = [len(runs)]
    kernel, bias = recomputed.__wrapped__.trainable_variables
    gradients = tape.gradient(target, [x, kernel, bias])
    counts += [len(runs)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = model(x)
    wanted = tape.gradient(target, [x, kernel, bias])
    """,
    cites=[
        docstring("tf.recompute_grad", "to access the original"),
        docstring("tf.recompute_grad", "for accessing these variables and methods"),
    ],
    modes=("eager",),
    among=("float32",),
    ranks=(2, 2),
    model=("layer", "tf.keras.Sequential([layer])"),
)
def recompute_grad_keras(seen: SeenScene) -> None:
    """A layer that counts and has two Variables, alone and in a model."""
    seen.holds("recomputed.__wrapped__ is model")
    seen.holds("counts == [1, 2]")
    seen.same("gradients", "wanted")


@scene(
    "recompute-grad-keras-attributes",
    "What tf.recompute_grad makes of a Keras model or layer has not its methods and attributes.",
    """
    layer = tf.keras.layers.Dense(2, dtype=x.dtype.name)
    model = $model
    model(x)  # which builds it
    recomputed, names = tf.recompute_grad(model), $names
    had = [name for name in names if hasattr(model, name)]
    found = [name for name in names if hasattr(recomputed, name)]
    """,
    cites=[docstring("tf.recompute_grad", "are not available on the returned function")],
    modes=("eager",),
    among=("float32",),
    ranks=(2, 2),
    model=("layer", "tf.keras.Sequential([layer])"),
    names=("['variables', 'weights']", "['call', 'count_params']", "['built']"),
)
def recompute_grad_keras_attributes(seen: SeenScene) -> None:
    """Properties, methods, and what an instance was given."""
    seen.holds("had == names")
    seen.holds("found == []")


@scene(
    "recompute-grad-forward-mode",
    "Forward mode through tf.recompute_grad raises NotImplementedError.",
    """
    with tf.autodiff.ForwardAccumulator(x, dx) as accumulator:
        target = tf.recompute_grad(f)(x)
    accumulator.jvp(target)
    """,
    cites=[UNDOCUMENTED],
    raises="NotImplementedError",
    saying="recompute_grad",
    among=REALS,
    ops=SIMPLE,
)
def recompute_grad_forward_mode(_: SeenScene) -> None:
    """It says so."""


@scene(
    "recompute-grad-second-order",
    "A function under tf.recompute_grad can be differentiated twice, eagerly.",
    """
    def body(a):
        return tf.math.square(f(a))

    def slope(function, a):
        with tf.GradientTape() as inner:
            inner.watch(a)
            target = function(a)
        return inner.gradient(target, a)

    with tf.GradientTape() as outer:
        outer.watch(x)
        gradient = slope(tf.recompute_grad(body), x)
    second = outer.gradient(gradient, x)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
    among=REALS,
    ops=SIMPLE,
)
def recompute_grad_second_order(seen: SeenScene) -> None:
    """The square of a function, whose second derivative is not zero."""
    seen.derivative("gradient", "body(x)", by="x")
    seen.derivative("second", "slope(body, x)", by="x")


@scene(
    "recompute-grad-second-order-in-function",
    "The second derivative of one raises NotImplementedError in a tf.function.",
    """
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            target = tf.recompute_grad(lambda a: tf.math.square(f(a)))(x)
        gradient = inner.gradient(target, x)
    outer.gradient(gradient, x)
    """,
    cites=[UNDOCUMENTED],
    modes=("function",),
    raises="NotImplementedError",
    saying="recompute_grad",
    among=REALS,
    ops=SIMPLE,
)
def recompute_grad_second_order_in_function(_: SeenScene) -> None:
    """It speaks of forward mode, though both tapes are reverse."""


@scene(
    "grad-pass-through",
    "tf.grad_pass_through gives what its function gives, and the gradient of an identity.",
    """
    forward = $forward
    with tf.GradientTape() as tape:
        tape.watch(x)
        inside = tf.math.square(x) * y
        passed = tf.grad_pass_through(forward)(inside)
    gradient = tape.gradient(passed, x)
    """,
    cites=[
        docstring("tf.grad_pass_through", "with the forward behavior provided in f"),
        docstring("tf.grad_pass_through", "in the backward graph with an identity"),
        docstring("tf.grad_pass_through", "the same as those of an identity function"),
        docstring("tf.grad_pass_through", "grads will evaluate to 6.0"),
    ],
    forward=(
        "tf.identity",
        "tf.zeros_like",
        "u.assign",
        "lambda a: a + tf.reduce_sum(h(a))",
        "lambda a: tf.stop_gradient(a) / 3",
    ),
    ops=SIMPLE,
)
def grad_pass_through(seen: SeenScene) -> None:
    """Functions with other gradients, with none, and the assignment of the documentation."""
    seen.derivative("gradient", "tf.math.square(x) * y", by="x")
    if seen.mode == "eager":  # where the same kernels run again
        seen.same("passed", "forward(inside)")
