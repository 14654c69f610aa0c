"""What a tape makes of Keras layers, whose variables are no tf.Variables since Keras 3."""

from __future__ import annotations

from conformance.contract import UNDOCUMENTED, docstring
from conformance.scene_cases import REALS, scene
from conformance.seen_scenes import SeenScene

_LAYER = """
    activation = $activation
    layer = tf.keras.layers.Dense(
        $units, activation, kernel_initializer="ones", dtype=x.dtype.name
    )
    """
_ACTIVATIONS = ("tf.identity", "tf.math.tanh", "tf.math.sin")
_UNITS = ("1", "2", "3")
_DENSE = "activation(tf.tensordot(x, kernel, 1) + bias)"


@scene(
    "no-auto-watch-unbuilt-layer",
    "A layer that is not built yet has no variables to watch: with watch_accessed_variables=False "
    "none of them has a gradient.",
    _LAYER
    + """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(layer.$which)
        target = layer(x)
    watched = tape.watched_variables()
    gradients = tape.gradient(target, layer.trainable_variables)
    """,
    cites=[docstring("tf.GradientTape", "ensure that your variables exist")],
    modes=("eager",),
    among=REALS,
    ranks=(2, 3),
    which=("variables", "trainable_variables", "weights"),
    activation=_ACTIVATIONS,
    units=_UNITS,
)
def no_auto_watch_unbuilt_layer(seen: SeenScene) -> None:
    """It is built when it is called, in the context."""
    seen.holds("watched == () and len(gradients) == 2")
    seen.none("gradients")


@scene(
    "keras-layer-gradients",
    "The trainable variables of a layer, as sources, have a list of gradients, one for each.",
    _LAYER
    + """
    with tf.GradientTape() as tape:
        target = layer(x)
    gradients = tape.gradient(target, layer.trainable_variables)
    kernel, bias = (tf.identity(one) for one in layer.trainable_variables)
    """,
    cites=[docstring("tf.GradientTape", "are automatically watched")],
    modes=("eager",),
    among=REALS,
    ranks=(2, 3),
    activation=_ACTIVATIONS,
    units=_UNITS,
)
def keras_layer_gradients(seen: SeenScene) -> None:
    """Of a layer that is built in the context."""
    seen.holds("isinstance(gradients, list) and len(gradients) == 2")
    seen.derivative("gradients[0]", _DENSE, by="kernel")
    seen.derivative("gradients[1]", _DENSE, by="bias")


@scene(
    "keras-variable-watch",
    "The variables of a layer that is built can be watched with watch_accessed_variables=False.",
    _LAYER
    + """
    layer.build(tuple(x.shape))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(layer.$which)
        target = layer(x)
    gradients = tape.gradient(target, layer.trainable_variables)
    kernel, bias = (tf.identity(one) for one in layer.trainable_variables)
    """,
    cites=[
        docstring("tf.GradientTape", "ensure that your variables exist"),
        docstring("tf.GradientTape.watch", "list of Tensors"),
    ],
    modes=("eager",),
    among=REALS,
    ranks=(2, 3),
    which=("variables", "trainable_variables", "weights"),
    activation=_ACTIVATIONS,
    units=_UNITS,
)
def keras_variable_watch(seen: SeenScene) -> None:
    """Each has the gradient that finite differences find."""
    seen.derivative("gradients[0]", _DENSE, by="kernel")
    seen.derivative("gradients[1]", _DENSE, by="bias")


@scene(
    "layer-trainable-false",
    "Freezing a layer empties its trainable_variables, but the tape still watches what it reads.",
    _LAYER
    + """
    layer.build(tuple(x.shape))
    layer.trainable = False
    with tf.GradientTape() as tape:
        target = layer(x)
    trainable = [one.trainable for one in tape.watched_variables()]
    gradients = tape.gradient(target, layer.weights)
    kernel, bias = (tf.identity(one) for one in layer.weights)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    among=REALS,
    ranks=(2, 3),
    activation=_ACTIVATIONS,
    units=_UNITS,
)
def layer_trainable_false(seen: SeenScene) -> None:
    """The tf.Variables inside stay trainable."""
    seen.holds("layer.trainable_variables == []")
    seen.holds("trainable == [True, True]")
    seen.derivative("gradients[0]", _DENSE, by="kernel")
    seen.derivative("gradients[1]", _DENSE, by="bias")


@scene(
    "batchnorm-nontrainable",
    "Scale and offset of a BatchNormalization have gradients, its moving statistics have None.",
    """
    layer = tf.keras.layers.BatchNormalization(dtype=x.dtype.name)
    layer.build(tuple(x.shape))
    sources = [layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance]
    training, (mean, variance) = $statistics
    with tf.GradientTape() as tape:
        target = y * layer(x, training=training)
    gradients = tape.gradient(target, sources)
    gamma, beta = tf.identity(layer.gamma), tf.identity(layer.beta)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    among=REALS,
    ranks=(2, 3),
    statistics=(
        "False, (tf.zeros_like(x), tf.ones_like(x))",
        "True, tf.nn.moments(x, list(range(x.shape.rank - 1)))",
    ),
)
def batchnorm_nontrainable(seen: SeenScene) -> None:
    """In training, where they are updated, and else, where they are used."""
    normal = "(x - mean) / tf.sqrt(variance + layer.epsilon)"
    seen.derivative("gradients[0]", f"y * ({normal} * gamma + beta)", by="gamma")
    seen.derivative("gradients[1]", f"y * ({normal} * gamma + beta)", by="beta")
    seen.none("gradients[2:]")
