"""The article's examples and their variations as programs that end in an assertion."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from conformance.linear_regression import AFTER, BEFORE, SCENES, TENSORS, Regression
from conformance.modes import Mode
from conformance.reproduction import Claim, Page, fact, indented, raising, refused
from strategies.graphs import tensor_source

_NAMES: Final = {"w": "weights", "b": "bias"}
_GRADIENTS: Final = {"w": "dw", "b": "db"}
_PLACES: Final = {"early": 0, "inside": 1, "late": 2}
_SOURCES: Final = {name: place for place, name in enumerate((*TENSORS, "y_hat"))}
_WEIGHTS: Final = {"w": 0, "b": 1}

_FACTS: Final = {
    "numpy of gradient": "dw.numpy",
    "rate times gradient": "learning_rate * dw",
    "assign_sub of Tensor": "w.assign_sub",
    "step of Tensor": "w.assign_sub(learning_rate * dw)",
    "put into Tensor": "x[0] = 0.0",
    "put into result": "y_hat[0] = 0.0",
    "w is watched": "any(v is w for v in tape.watched_variables())",
    "tape updates": "any(n.startswith(('assign', 'apply', 'update', 'minimize', 'step')) "
    "for n in dir(tape))",
    "assign_sub of Variable": "callable(getattr(w, 'assign_sub', None))",
    "frozen is trainable": "bool(w.trainable)",
    "constant of Tensor is it": "tf.constant(weights) is weights",
}
"""What Python sees: statements that raise, and answers of yes or no."""


class RegressionProgram:
    """One of the article's examples, or a variation, at a point and in a mode.

    Args:
        case: the problem.
        mode: how it met the tape.
        scene: which program, one of :data:`SCENES`.
        point: the number of the point.
    """

    def __init__(self, case: Regression, mode: Mode, scene: str, point: int = 0) -> None:
        self.case, self.mode, self.scene, self.point = case, mode, scene, point

    def showing(self, name: str, claim: Claim) -> str:
        """The program that makes a claim of what was seen under a name; ``got`` stands for that."""
        steps, alone = name.startswith("stepped"), name == "frozen.alone"
        value = re.sub(r"\bgot\b", self._expression(name), claim.value)
        return self._page(steps=steps, first=alone).text(
            self.mode, replace(claim, value=value).lines()
        )

    def fact(self, name: str, expected: str | bool) -> str:  # noqa: FBT001 - what was seen
        """The program about what Python sees."""
        page = self._page()
        told = _FACTS.get(name)
        if told is None:  # example 2 as a whole
            return page.text(
                self.mode, guard=lambda _: refused(self._lines(), str(expected), kind="fact")
            )
        if isinstance(expected, str):
            ends = refused([told], expected, kind="fact")
        else:
            ends = fact("fact", told if expected else f"not {told}").lines()
        return replace(page, body=[*page.body, *ends]).text(self.mode)

    def printing(self) -> str:
        """The program that should print nothing, and end in an AttributeError."""
        lines = ["try:", *indented(self._lines()), "except AttributeError:", "    pass"]
        shows = ["import contextlib", "import io"]
        shows += ["with contextlib.redirect_stdout(io.StringIO()) as printed:", *indented(lines)]
        shows += Claim("printed", "printed.getvalue()", "not got").lines()
        return replace(self._page(), body=[]).text(self.mode, shows)

    def unraised(self) -> str:
        """The program, which should not raise."""
        return self._page().text(self.mode, guard=raising)

    def plain(self) -> str:
        """The program as it is."""
        return self._page(steps=True).text(self.mode)

    # -- the page --------------------------------------------------------------------------------

    def _lines(self) -> list[str]:
        before, after = (", ".join(self.case.when(time)) for time in (BEFORE, AFTER))
        text = SCENES[self.scene].replace("BEFORE", before).replace("AFTER", after)
        return text.splitlines()

    def _page(self, *, steps: bool = False, first: bool = False) -> Page:
        """The program without what it prints: the gradients that it would are ``found``.

        Args:
            steps: whether the Variables are stepped.
            first: whether it ends with the first gradient.
        """
        case = self.case
        head = ["import tensorflow as tf", ""]
        for (name, kind), numbers in zip(case.types.items(), case.points[self.point], strict=True):
            head.append(f"{_NAMES.get(name, name)} = {tensor_source(kind, numbers)}")
        head.append(f"learning_rate = {case.rate}")
        body: list[str] = []
        for line in self._lines():
            shown = re.fullmatch(r"print\((\[?tape\.gradient.*?)(, w\.trainable)?\)", line)
            if first and body and body[-1].startswith("found"):
                break
            if line.startswith("w, b =") and "Variable" in line:
                head.append(line)
            elif shown:
                body.append(f"found = {shown[1]}")
            elif not line.startswith("print") and (steps or "assign_sub" not in line):
                body.append(self._traced(line))
        given = [_NAMES.get(name, name) for name in TENSORS]
        bound = ("found", "dw", "db")
        kinds = case.types.values()
        shapes = [None if case.unknown_rank else [None] * kind.rank for kind in kinds]
        specs = [f"tf.TensorSpec({shape}, tf.{case.dtype})" for shape in shapes]
        return Page(head, body, given, bound, specs)

    def _traced(self, line: str) -> str:
        """A line whose ops are a ``tf.function``, if the mode has them so."""
        if not self.mode.traces_ops:
            return line
        return re.sub(
            r"= (tf\.(?:matmul|reduce_mean|square)\(.*)$",
            r"= tf.function(lambda: \1, autograph=False)()",
            line,
        )

    def _expression(self, name: str) -> str:
        """What something that was seen is called in the program."""
        group, _, key = name.rpartition(".")
        if group in ("stepped", "after"):
            tensor = key.removeprefix("tensor ")
            if tensor != key:
                return tensor if self.scene != "example 1" else _NAMES.get(tensor, tensor)
            return {"other b": "b", "frozen": "w"}.get(key, key)
        found = {
            "example 1": _GRADIENTS.get(key),
            "example 2": _GRADIENTS.get(key),
            "all late": f"found[{_SOURCES.get(key)}]",
            "watching": f"found[{_SOURCES.get(key)}]",
            "context": f"found[{_PLACES.get(group)}][{_WEIGHTS.get(key)}]",
            "sum": f"found[{_WEIGHTS.get(key)}]",
        }
        return found.get(self.scene) or "found"
