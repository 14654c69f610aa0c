"""Variables and Tensors: which of the two a source is, and what reading and copying change."""

from __future__ import annotations

from typing import Final

from conformance.contract import UNDOCUMENTED, docstring, guide
from conformance.scene_cases import scene
from conformance.seen_scenes import SeenScene

CONTROLLING: Final = guide("autodiff", "Controlling what the tape watches")


@scene(
    "var-trainable-default",
    "A Variable is trainable, and so watched when it is read, unless it is told otherwise or is "
    "synchronized ON_READ.",
    """
    made, trainable = $made
    with tf.GradientTape() as tape:
        f(made)
    watched = tape.watched_variables()
    """,
    cites=[
        docstring("tf.Variable", "supports a `trainable=<bool>` parameter"),
        docstring("tf.Variable.__init__", "in which case it defaults to `False`"),
        docstring("tf.Variable.__init__", "GradientTapes automatically watch uses of this"),
    ],
    modes=("eager", "outer"),
    made=(
        "tf.Variable(x), True",
        "tf.Variable(x, synchronization=tf.VariableSynchronization.ON_READ), False",
        "tf.Variable(x, True, synchronization=tf.VariableSynchronization.ON_READ), True",
        "tf.Variable(x, synchronization=tf.VariableSynchronization.ON_WRITE), True",
        "tf.Variable(x, synchronization=tf.VariableSynchronization.AUTO), True",
        "tf.Variable(x, trainable=False), False",
        "tf.Variable(x, trainable=True), True",
        "tf.Variable(x, trainable=None), True",
    ),
)
def var_trainable_default(seen: SeenScene) -> None:
    """Each way to say it, or not."""
    seen.holds("made.trainable is trainable")
    seen.holds("[one is made for one in watched] == [True] * trainable")


@scene(
    "var-trainable-doc-example",
    "Of Variables that are made in the context the trainable ones have gradients.",
    """
    with tf.GradientTape() as tape:
        made, frozen = tf.Variable(x), tf.Variable(y, trainable=False)
        target = [f(made), h(frozen)]
    gradients = tape.gradient(target, [made, frozen])
    """,
    cites=[docstring("tf.Variable", "watches trainable variables by default")],
    modes=("eager", "outer"),
)
def var_trainable_doc_example(seen: SeenScene) -> None:
    """One of each."""
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.none("gradients[1]")


@scene(
    "var-trainable-readonly",
    "Whether a Variable is trainable cannot be changed: AttributeError.",
    "$variable.trainable = $value",
    cites=[UNDOCUMENTED],
    raises="AttributeError",
    variable=("v", "u"),
    value=("False", "True"),
)
def var_trainable_readonly(_: SeenScene) -> None:
    """Both kinds, both ways."""


@scene(
    "access-means-read",
    "A Variable is watched once its value is read, by whatever op, assignments that return it "
    "included; what does not read it leaves it unwatched.",
    """
    with tf.GradientTape() as tape:
        $read
        $other
    watched = tape.watched_variables()
    """,
    cites=[docstring("tf.GradientTape", "accessed inside the context")],
    ranks=(1, 3),
    read=(
        "f(v)",
        "v.value()",
        "v.read_value()",
        "tf.convert_to_tensor(v)",
        "v[0]",
        "tf.gather(v, [0])",
        "v.sparse_read([0])",
        "v.gather_nd([0])",
        "tf.shape(v)",
        "v.assign(x)",
        "v.assign_add(x)",
        "v.scatter_nd_update([[0]], x[:1])",
    ),
    other=("w.shape", "w.dtype", "w.name", "w.handle", "w.assign(x, read_value=False)"),
)
def access_means_read(seen: SeenScene) -> None:
    """One Variable is read in some way, another is used but not read."""
    seen.holds("[one is v for one in watched] == [True]")


@scene(
    "access-by-python",
    "Python that looks at the value of a Variable reads it too.",
    """
    with tf.GradientTape() as tape:
        $read
    watched = tape.watched_variables()
    """,
    cites=[UNDOCUMENTED],
    modes=("eager",),
    ranks=(1, 3),
    read=("v.numpy()", "repr(v)", "str(v)", "list(v)", "v == x"),
)
def access_by_python(seen: SeenScene) -> None:
    """No op of the program's own has run."""
    seen.holds("[one is v for one in watched] == [True]")


@scene(
    "guide-four-sources",
    "Of a Variable, one that is not trainable, what arithmetic makes of one (a Tensor) and a "
    "constant only the first is watched and has a gradient.",
    """
    made = $made
    kinds = [isinstance(made, kind) for kind in (tf.Tensor, tf.Variable)]
    with tf.GradientTape() as tape:
        target = [f(v), f(u), h(made), h(x)]
    watched = tape.watched_variables()
    gradients = tape.gradient(target, [v, u, made, x])
    """,
    cites=[CONTROLLING],
    made=("w + x", "x * w", "-w", "w - 1.0", "w[...]", "tf.math.square(w)", "f(w)"),
    ops=("tf.math.square", "tf.math.sin", "tf.math.tanh"),
)
def guide_four_sources(seen: SeenScene) -> None:
    """All four are used by the target."""
    seen.holds("kinds == [True, False]")
    seen.holds("[one is v for one in watched] == [True]")
    seen.derivative("gradients[0]", "f(v)", by="v")
    seen.none("gradients[1:]")


@scene(
    "var-replaced-by-tensor",
    "Where a loop puts a Tensor in the place of its Variable the gradient is None from then on, "
    "though nothing raises.",
    """
    model, gradients = v, []
    for _ in range(3):
        with tf.GradientTape() as tape:
            target = f(model)
        gradients.append(tape.gradient(target, model))
        model = $model
    """,
    cites=[guide("autodiff", "1. Replaced a variable with a tensor")],
    model=("model + 0.0", "1.0 * model", "tf.identity(model)", "model - tf.zeros_like(model)"),
)
def var_replaced_by_tensor(seen: SeenScene) -> None:
    """The value stays the same."""
    seen.derivative("gradients[0]", "f(v)", by="v")
    seen.none("gradients[1:]")


@scene(
    "variable-read",
    "A read of a Variable is a Tensor, to which nothing can be assigned, with what the Variable "
    "holds at that moment.",
    """
    found = []
    for value in (x, y):
        v.assign(value)
        read = v.$read
        found.append(tf.identity(read))
    tensor = isinstance(read, tf.Tensor)
    assigning = [name for name in ("assign", "assign_add", "assign_sub") if hasattr(read, name)]
    """,
    cites=[
        docstring("tf.Variable.read_value", "read in the current context"),
        docstring("tf.Variable.read_value", "A `Tensor` containing the value"),
        docstring("tf.Variable.value", "Returns the last snapshot of this"),
        docstring("tf.Variable.value", "Returns a `Tensor` which holds"),
        docstring("tf.Variable.value", "A `Tensor` containing the value"),
        docstring("tf.Variable.value", "You can not assign a new"),
    ],
    read=("read_value()", "value()"),
)
def variable_read(seen: SeenScene) -> None:
    """After each of two assignments."""
    seen.holds("tensor")
    seen.holds("assigning == []")
    seen.same("found", "[x, y]")


@scene(
    "variable-value-live",
    "What value() returned shows later updates of the Variable.",
    """
    before, held = v.numpy().tolist(), v.value()
    v.$update
    after, found = v.numpy().tolist(), held.numpy().tolist()
    shown = "the update" if found == after else "the old value" if found == before else "another"
    """,
    cites=[docstring("tf.Variable.value", "Updates to the variable are seen by the consumer")],
    modes=("eager",),
    ranks=(1, 3),
    update=("assign(x)", "assign_add(x)", "assign_sub(x)", "scatter_nd_update([[0]], x[:1])"),
)
def variable_value_live(seen: SeenScene) -> None:
    """Reader and Variable are on the same device."""
    seen.holds("shown == 'the update'")


@scene(
    "var-int-none",
    "A Variable of integers is trainable and watched as others are; its gradient is None.",
    """
    count = tf.Variable($integers)
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = [f(x), tf.cast(count, x.dtype)]
    watched = tape.watched_variables()
    gradients = tape.gradient(target, [count, x])
    """,
    cites=[
        docstring("tf.GradientTape", "only tensors with real or complex dtypes are differentiable"),
        guide("autodiff", "3. Took gradients through an integer or string"),
    ],
    modes=("eager", "outer"),
    integers=("k", "tf.cast(k, 'int64')", "tf.cast(k, 'uint8')", "tf.cast(k, 'int16')"),
)
def var_int_none(seen: SeenScene) -> None:
    """Beside a Tensor that has a gradient."""
    seen.holds("count.trainable")
    seen.holds("[one is count for one in watched] == [True]")
    seen.none("gradients[0]")
    seen.derivative("gradients[1]", "f(x)", by="x")


@scene(
    "module-trainable-variables",
    "Module.trainable_variables lists the trainable Variables of a module by the names of its "
    "attributes, then those of its submodules, the nearest first.",
    """
    module, left, right, below = tf.Module(), tf.Module(), tf.Module(), tf.Module()
    owned = {"a": left, "b": v, "c": u, "d": w, "e": right}
    for name in $order:
        setattr(module, name, owned[name])
    left.below, left.one, right.two, below.three = below, *map(tf.Variable, (x, y, z))
    names = {"v": v, "w": w, "u": u, "one": left.one, "two": right.two, "three": below.three}
    found = [name for it in module.trainable_variables for name in names if names[name] is it]
    """,
    cites=[
        docstring("tf.Module.trainable_variables", "trainable variables owned by this module"),
        docstring("tf.Module.trainable_variables", "sorted by attribute name"),
        docstring("tf.Module.trainable_variables", "breadth first"),
    ],
    modes=("eager",),
    order=("'abcde'", "'edcba'", "'cdaeb'"),
)
def module_trainable_variables(seen: SeenScene) -> None:
    """Whatever the order in which the attributes were set."""
    seen.holds("found == ['v', 'w', 'one', 'two', 'three']")


@scene(
    "variable-as-target",
    "A Variable as target raises ValueError.",
    """
    with tf.GradientTape() as tape:
        $read
    tape.gradient($target, $source)
    """,
    cites=[docstring("tf.GradientTape.gradient", "If the target is a variable")],
    raises="ValueError",
    read=("f(v)", "f(w)"),
    target=("v", "[v]", "[v, w]"),
    source=("v", "w", "[v, w]"),
)
def variable_as_target(_: SeenScene) -> None:
    """Read in the context or not, alone or in a list, its own source or not."""


@scene(
    "variable-value-vs-variable",
    "A value that is read in the context is an intermediate result of its Variable; one that was "
    "read before is a constant.",
    """
    before = $read
    with tf.GradientTape(persistent=True) as tape:
        inside = $read
        target = f(inside)
        other = h(before)
    gradients = tape.gradient(target, [v, inside, before])
    others = tape.gradient(other, [v, inside, before])
    """,
    cites=[UNDOCUMENTED],
    read=("v.value()", "v.read_value()", "tf.convert_to_tensor(v)", "tf.identity(v)"),
)
def variable_value_vs_variable(seen: SeenScene) -> None:
    """The same read, before and in the context."""
    seen.derivative("gradients[0]", "f(v)", by="v")
    seen.same("gradients[1]", "gradients[0]")
    seen.none("gradients[2]", "others")


@scene(
    "alias-identity",
    "A copy of a Tensor is another Tensor: one made before the context is not connected to it, "
    "one made in the context is an intermediate result.",
    """
    before = $copy
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        inside = $copy
        target = f(inside)
        other = h(before)
    gradients = tape.gradient(target, [x, inside, before])
    others = tape.gradient(other, [x, inside, before])
    tensors = len({id(x), id(inside), id(before)})
    """,
    cites=[docstring("tf.identity", "Return a Tensor with the same shape and contents")],
    copy=("tf.identity(x)", "x + 0.0", "tf.reshape(x, x.shape)", "tf.ensure_shape(x, x.shape)"),
)
def alias_identity(seen: SeenScene) -> None:
    """Ops that leave the value as it is."""
    seen.holds("tensors == 3")
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.same("gradients[1]", "gradients[0]")
    seen.none("gradients[2]", "others")


@scene(
    "alias-same-tensor",
    "A conversion that has nothing to convert returns the very Tensor, which stays watched.",
    """
    alias = $alias
    one_tensor = alias is x
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = f(alias)
    gradients = tape.gradient(target, [x, alias])
    """,
    cites=[UNDOCUMENTED],
    alias=("tf.convert_to_tensor(x)", "tf.cast(x, x.dtype)", "tf.convert_to_tensor(x, x.dtype)"),
)
def alias_same_tensor(seen: SeenScene) -> None:
    """Made before the context."""
    seen.holds("one_tensor")
    seen.derivative("gradients[0]", "f(x)", by="x")
    seen.same("gradients[1]", "gradients[0]")


@scene(
    "deepcopy-variable",
    "A deep copy of a Variable is a Variable of its own: neither gradients nor updates are shared.",
    """
    import copy

    twin = copy.deepcopy(v)
    with tf.GradientTape(persistent=True) as tape:
        target, other = f(v), h(twin)
    gradients = [tape.gradient(target, [v, twin]), tape.gradient(other, [v, twin])]
    v.assign(x)
    """,
    cites=[UNDOCUMENTED],
    modes=("eager", "outer"),
)
def deepcopy_variable(seen: SeenScene) -> None:
    """Each is the source of its own target alone; the copy keeps the old value."""
    seen.none("gradients[0][1]", "gradients[1][0]")
    seen.derivative("gradients[0][0]", "f(twin)", by="twin")
    seen.derivative("gradients[1][1]", "h(twin)", by="twin")
    seen.same("v", "x")
