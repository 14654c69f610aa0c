"""The article's regression meets the tape: one run of a case answers for all of its claims."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Final

from conformance.boundary import Gradient, make_tensor, raised_by_tensorflow, read, tensorflow
from conformance.contract import Cases, Unsupported
from conformance.linear_regression import AFTER, BEFORE, TENSORS, Regression, regressions
from conformance.modes import MODES, Mode
from conformance.regression_programs import RegressionProgram

UPDATERS: Final = ("assign", "apply", "update", "minimize", "step")
"""How the name of a method that updates something would begin."""

NOTHING: Final = "nothing is raised"

Results = dict[str, Any]


class Seen:
    """What was seen when a case met the tape in a mode.

    Attributes:
        case: what was run.
        mode: how.
        points: for each point, tensors by name: gradients (None where there was none) as
            ``example 1.w``, and values as ``after.w``.
        facts: what only Python sees, while tracing if traced: the error that an attempt raised, or
            an answer of yes or no.
        printed: what example 2, run as a program of its own, printed (eager only).
        error: what the programs raised though the forward pass alone does not; else None.
    """

    def __init__(self, case: Regression, mode: Mode) -> None:
        self.case = case
        self.mode = mode
        self.points: list[dict[str, Gradient | None]] = []
        self.facts: dict[str, str | bool] = {}
        self.printed = ""
        self.error: Exception | None = None
        self.memo: dict[Hashable, Any] = {}


def attempt(action: Callable[[], object]) -> str:
    """The name of the error that an action raises of the kinds that Python itself raises."""
    try:
        action()
    except (AttributeError, TypeError, ValueError, NotImplementedError) as raised:
        return type(raised).__name__
    return NOTHING


def _put_zero(tensor: Any) -> None:
    tensor[0] = 0.0


class _Run:
    """One case in one mode: its Variables, and the programs that are run at each point."""

    def __init__(self, case: Regression, mode: Mode, seen: Seen) -> None:
        self.tf = tf = tensorflow()
        self.case, self.mode, self.seen = case, mode, seen
        start = {n: self.tensor(n, case.arrays(0)[n]) for n in ("w", "b")}
        self.w, self.b = tf.Variable(start["w"]), tf.Variable(start["b"])
        self.other_b = tf.Variable(start["b"])
        self.frozen = tf.Variable(start["w"], trainable=False)
        self.loss = mode.ops(tf, lambda y_hat, y: tf.reduce_mean(tf.square(y - y_hat)))
        self.squares = mode.ops(tf, lambda y_hat, y: tf.square(y - y_hat))
        self.predict = mode.ops(tf, lambda x: tf.matmul(x, self.w) + self.b)
        self.predict_constant = mode.ops(tf, lambda x, w: tf.matmul(x, w) + self.other_b)
        self.predict_frozen = mode.ops(tf, lambda x: tf.matmul(x, self.frozen) + self.other_b)
        self.predict_tensors = mode.ops(tf, lambda x, w, b: tf.matmul(x, w) + b)

    def tensor(self, name: str, array: Any) -> Any:
        """Numbers as a tensor."""
        return make_tensor(self.tf, self.case.types[name].dtype, array)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A program of x, w, b and y as the mode runs it."""
        kinds = self.case.types.values()
        ranks = [None if self.case.unknown_rank else kind.rank for kind in kinds]
        return self.mode.program(self.tf, function, [kind.dtype for kind in kinds], ranks)

    def arguments(self, point: int) -> list[Any]:
        """The Tensors of a point; the Variables are assigned."""
        arrays = self.case.arrays(point)
        tensors = {name: self.tensor(name, arrays[name]) for name in TENSORS}
        for variable, name in (
            (self.w, "w"),
            (self.b, "b"),
            (self.other_b, "b"),
            (self.frozen, "w"),
        ):
            variable.assign(tensors[name])
        return [tensors[name] for name in TENSORS]

    def forward_pass(self) -> None:
        """The forward pass alone in this mode, at the first point."""

        def program(x: Any, w: Any, b: Any, y: Any) -> list[Any]:
            y_hats = [self.predict(x), self.predict_constant(x, w), self.predict_tensors(x, w, b)]
            return [self.squares(y_hats[0], y), *(self.loss(y_hat, y) for y_hat in y_hats)]

        self.compiled(program)(*self.arguments(0))

    def program(self, x: Any, w: Any, b: Any, y: Any) -> Results:
        """Every scene; then what the Variables and Tensors hold; then the steps."""
        variables = {"w": self.w, "b": self.b, "other b": self.other_b, "frozen": self.frozen}
        found: Results = {}
        found |= self.example_1(x, y)
        found |= self.example_2(x, w, y)
        found |= self.example_3(x, y)
        found |= self.watching(x, w, b, y)
        found |= self.all_late(x, w, b, y)
        found |= self.context(x)
        found |= self.not_trainable(x, y)
        if not self.mode.traced:
            found |= self.constant(x, w, b, y)
        found |= {f"after.{name}": v.read_value() for name, v in variables.items()}
        found |= {
            f"after.tensor {n}": self.tf.identity(t)
            for n, t in zip(TENSORS, (x, w, b, y), strict=True)
        }
        for name, gradient in (
            ("w", found["example 1.w"]),
            ("b", found["example 1.b"]),
            ("other b", found["example 2.b"]),
        ):
            if gradient is not None:
                variables[name].assign_sub(self.case.rate * gradient)
            found[f"stepped.{name}"] = variables[name].read_value()
        return found

    def example_1(self, x: Any, y: Any) -> Results:
        """Variables, and what else may be a target or a source on their tape."""
        tf, facts = self.tf, self.seen.facts
        with tf.GradientTape(persistent=True) as tape:
            tape.reset()
            y_hat = self.predict(x)
            squares = self.squares(y_hat, y)
            loss = self.loss(y_hat, y)
            with tape.stop_recording():
                tf.identity(x)
        found = dict(zip(("w", "b"), tape.gradient(loss, [self.w, self.b]), strict=True))
        found["y_hat"] = tape.gradient(loss, y_hat)
        sums = tape.gradient(squares, [self.w, self.b])
        watched = {id(variable) for variable in tape.watched_variables()}
        facts["w is watched"] = id(self.w) in watched
        facts["tape updates"] = any(name.startswith(UPDATERS) for name in dir(tape))
        facts["assign_sub of Variable"] = callable(getattr(self.w, "assign_sub", None))
        facts["put into result"] = attempt(partial(_put_zero, y_hat))
        return {f"example 1.{n}": g for n, g in found.items()} | {
            "squares.w": sums[0],
            "squares.b": sums[1],
        }

    def example_2(self, x: Any, w: Any, y: Any) -> Results:
        """The weights are a Tensor that nobody watches."""
        facts, rate = self.seen.facts, self.case.rate
        with self.tf.GradientTape() as tape:
            loss = self.loss(self.predict_constant(x, w), y)
        dw, db = tape.gradient(loss, [w, self.other_b])
        facts["numpy of gradient"] = attempt(lambda: dw.numpy)
        facts["rate times gradient"] = attempt(lambda: rate * dw)
        facts["assign_sub of Tensor"] = attempt(lambda: w.assign_sub)
        facts["step of Tensor"] = attempt(lambda: w.assign_sub(rate * dw))
        facts["put into Tensor"] = attempt(partial(_put_zero, x))
        return {"example 2.w": dw, "example 2.b": db}

    def example_3(self, x: Any, y: Any) -> Results:
        """The features are watched, before the forward pass or after it."""
        with self.tf.GradientTape() as tape:
            tape.watch(x)
            loss = self.loss(self.predict(x), y)
        with self.tf.GradientTape() as late:
            late_loss = self.loss(self.predict(x), y)
            late.watch(x)
        return {
            "example 3.x": tape.gradient(loss, x),
            "example 3, late.x": late.gradient(late_loss, x),
        }

    def all_late(self, *tensors: Any) -> Results:
        """Tensors only, and all of them are watched after the ops."""
        x, w, b, y = tensors
        with self.tf.GradientTape() as tape:
            loss = self.loss(self.predict_tensors(x, w, b), y)
            tape.watch(tensors)
        gradients = tape.gradient(loss, list(tensors))
        return {f"all late.{n}": g for n, g in zip(TENSORS, gradients, strict=True)}

    def watching(self, *tensors: Any) -> Results:
        """Tensors only, each watched before the ops, after them, or never."""
        named = dict(zip(TENSORS, tensors, strict=True))
        with self.tf.GradientTape() as tape:
            tape.watch([named[n] for n in self.case.when(BEFORE)])
            y_hat = self.predict_tensors(named["x"], named["w"], named["b"])
            loss = self.loss(y_hat, named["y"])
            tape.watch([named[n] for n in self.case.when(AFTER)])
        sources = {**named, "y_hat": y_hat}
        gradients = tape.gradient(loss, list(sources.values()))
        return {f"watching.{n}": g for n, g in zip(sources, gradients, strict=True)}

    def context(self, x: Any) -> Results:
        """The same prediction before, inside and after the context."""
        early = self.predict(x)
        with self.tf.GradientTape(persistent=True) as tape:
            inside = self.predict(x)
        late = self.predict(x)
        found = {}
        for name, y_hat in (("early", early), ("inside", inside), ("late", late)):
            found[f"{name}.w"], found[f"{name}.b"] = tape.gradient(y_hat, [self.w, self.b])
        return found

    def not_trainable(self, x: Any, y: Any) -> Results:
        """Weights with trainable=False, first left alone, then watched."""
        with self.tf.GradientTape() as alone:
            loss = self.loss(self.predict_frozen(x), y)
        found = {"frozen.alone": alone.gradient(loss, self.frozen)}
        with self.tf.GradientTape() as tape:
            tape.watch(self.frozen)
            loss = self.loss(self.predict_frozen(x), y)
        found["frozen.watched"] = tape.gradient(loss, self.frozen)
        self.seen.facts["frozen is trainable"] = bool(self.frozen.trainable)
        return found

    def constant(self, x: Any, w: Any, b: Any, y: Any) -> Results:
        """``tf.constant`` of a Tensor, as the article's second example makes its weights."""
        self.seen.facts["constant of Tensor is it"] = self.tf.constant(w) is w
        with self.tf.GradientTape() as tape:
            tape.watch(w)
            loss = self.loss(self.predict_tensors(x, self.tf.constant(w), b), y)
        return {"constant.w": tape.gradient(loss, w)}

    def run(self) -> None:
        """Run the program at every point, and eagerly example 2 as a program of its own."""
        program = self.compiled(self.program)
        for point in range(len(self.case.points)):
            found = program(*self.arguments(point))
            self.seen.points.append({name: read(tensor) for name, tensor in found.items()})
        if not self.mode.traced:
            self.example_2_printed()

    def example_2_printed(self) -> None:
        """Example 2 as a script: what it prints, and how it ends."""
        program = compile(self.case.source("example 2"), "<example 2>", "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.seen.facts["example 2"] = attempt(
                lambda: exec(program, {})  # noqa: S102 - the program is our own text
            )
        self.seen.printed = printed.getvalue()


def run(case: Regression, mode_name: str) -> Seen:
    """Run a case in a mode.

    Raises:
        Unsupported: if the forward pass alone raises in this mode.
    """
    seen = Seen(case, MODES[mode_name])
    error = None
    try:
        _Run(case, seen.mode, seen).run()
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        error = raised_by_tensorflow(raised)
    if error is not None:
        try:
            _Run(case, seen.mode, seen).forward_pass()
        except Exception as raised:  # as above: the cell is unsupported
            raise Unsupported(type(raised_by_tensorflow(raised)).__name__) from raised
        seen.error = error
    return seen


def printed(case: Regression, mode: str) -> str:
    """The first example with the numbers of a case, as a mode runs it."""
    return RegressionProgram(case, MODES[mode], "example 1").plain()


REGRESSIONS: Cases[Regression, Seen] = Cases("regression", regressions, run, printed)
