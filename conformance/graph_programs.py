"""Graph cases as programs that show one thing each: in the mode in which it was seen, and no more.

What is printed is not what the suite runs, which asks for everything at once. It asks one question,
of the inputs and ops that take part in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from conformance.drawn_graphs import (
    COMBINED,
    CONSTANT,
    FROZEN,
    PART,
    RATE,
    VARIABLE,
    WATCHED,
    Array,
    GraphCase,
)
from conformance.modes import Mode
from conformance.reproduction import Claim, indented, raising, tidy
from strategies import dtypes
from strategies.graphs import Graph, call_source, tensor_source
from strategies.tensors import TensorType

What = Literal["gradient", "slices", "linear", "zero", "stepped", "product", "fact", "everything"]

LINEAR: Final = ("usual", PART, COMBINED)
"""What the answers for three cotangents are called: the case's own, and two others of it."""
ASKED: Final = "gradients"
"""What the answers about all sources are called."""


@dataclass(frozen=True)
class Ask:
    """What a program asks once the ops have run.

    Attributes:
        what: the ``gradient`` of a source; the ``slices`` that it is; gradients for three
            cotangents, called :data:`LINEAR`; the same with UnconnectedGradients.ZERO (``zero``);
            what a Variable holds after the step (``stepped``); the weighted Jacobian-vector
            ``product`` of forward mode; a ``fact`` that Python sees; or ``everything`` that the
            suite asks. But for the three it is also the name of the answer.
        source: the input that it is about.
        dense: whether the gradient came as IndexedSlices.
        cotangent: the name of another cotangent of the case, if it is asked with that.
    """

    what: What
    source: int | None = None
    dense: bool = False
    cotangent: str = ""


class GraphProgram:
    """A case at one of its points as a program of a mode.

    Args:
        case: the case.
        mode: how it met the tape.
        point: the number of the point.
    """

    def __init__(self, case: GraphCase, mode: Mode, point: int) -> None:
        self.case, self.mode, self.point = case, mode, point
        self.inner: GraphCase = case.nested[0] if case.nested else case
        self.by = case.nested[1] if case.nested else None
        self.tape = "tape" if self.by is None else "outer"

    def showing(self, ask: Ask, claim: Claim) -> str:
        """The program that asks, and ends in an assertion about the answer."""
        lines = claim.lines()
        if ask.what == "fact":
            return self._page(ask, inside=lines)
        return self._page(ask, after=lines)

    def raising(self, ask: Ask) -> str:
        """The program that asks and should not raise."""
        return self._page(ask, guarded=True)

    def plain(self, cotangent: str = "") -> str:
        """The program that asks for everything, perhaps with another cotangent; asserts nothing."""
        return self._page(Ask("everything", cotangent=cotangent))

    def forward(self) -> str:
        """The program that asks forward mode; asserts nothing."""
        return self._page(Ask("product"))

    # -- the page --------------------------------------------------------------------------------

    def _page(
        self,
        ask: Ask,
        inside: Sequence[str] = (),
        after: Sequence[str] = (),
        *,
        guarded: bool = False,
    ) -> str:
        """The lines of a program.

        Args:
            ask: what is asked.
            inside: what follows where the tape is.
            after: what follows outside of any function.
            guarded: whether what is asked should not raise, but does.
        """
        lines = ["import tensorflow as tf", "", *self._inputs(ask)]
        free = [f"x{i}" for i in self._shown(ask) if self.case.roles[i] in (WATCHED, CONSTANT)]
        ops, targets = self._ops(ask)
        if self.mode.traces_ops:
            lines += ["", *self._decorator(), f"def ops({', '.join(free)}):"]
            lines += [*indented([*ops, f"return {_listed(targets)}"]), ""]
            one = len(targets) == 1
            ops = [f"target{'s' * (not one)} = ops({', '.join(free)})"]
            renamed = ["target"] if one else [f"targets[{k}]" for k in range(len(targets))]
            inside = [_renamed(line, targets, renamed) for line in inside]
            targets = renamed
        taped, asked = self._taped(ask, ops), self._asked(ask, targets)
        if not self.mode.traces_program:
            run = [*taped, *asked]  # a tape that is there may be what an op raises for
            return tidy([*lines, *(raising(run) if guarded else run), *inside, *after])
        given = [*free, *self._named_weights()]
        lines += ["", *self._decorator(self._kinds(free)), f"def program({', '.join(given)}):"]
        answer = self._answer(ask)
        returned = [] if ask.what == "fact" else [f"return {answer}"]
        body = [*taped, *asked, *inside, *returned]
        bound = "" if ask.what == "fact" else f"{answer} = "
        call = f"program({', '.join(given)})"
        lines += [*indented(body), ""]
        if ask.what == "linear":
            return tidy([*lines, *self._called(free), *after])
        if len(re.findall(rf"\b{answer}\b", "\n".join(after))) == 1:
            after = [re.sub(rf"\b{answer}\b", call, line) for line in after]
            return tidy([*lines, *after])  # what is looked at once needs no name
        called = [f"{bound}{call}"]
        return tidy([*lines, *(raising(called) if guarded else called), *after])

    @staticmethod
    def _answer(ask: Ask) -> str:
        """What a traced program returns."""
        return {"everything": ASKED, "linear": "gradient"}.get(ask.what, ask.what)

    def _called(self, free: Sequence[str]) -> list[str]:
        """Calls of a traced program, one for each of three cotangents."""
        return [
            f"{name} = program({', '.join([*free, *self._printed(cotangent)])})"
            for name, cotangent in self._three().items()
        ]

    def _three(self) -> dict[str, list[Array]]:
        """The cotangents of :data:`LINEAR`, by the names of the answers."""
        others = self.case.cotangents
        return dict(zip(LINEAR, [self.case.weights, others[PART], others[COMBINED]], strict=True))

    def _decorator(self, kinds: Sequence[TensorType] | None = None) -> list[str]:
        options = ["autograph=False"]
        if kinds is not None and self.mode.compiled:
            options.append("jit_compile=True")
        if kinds is not None and self.mode.open_signature:
            shapes = [None if self.case.unknown_rank else [None] * k.rank for k in kinds]
            specs = [
                f"tf.TensorSpec({s}, tf.{k.dtype})" for s, k in zip(shapes, kinds, strict=True)
            ]
            options.append(f"input_signature=[{', '.join(specs)}]")
        return [f"@tf.function({', '.join(options)})"]

    def _kinds(self, free: Sequence[str]) -> list[TensorType]:
        kinds = [self.case.graph.inputs[int(name[1:])].type for name in free]
        return [*kinds, *self.case.target_types] if self._named_weights() else kinds

    # -- what is made ----------------------------------------------------------------------------

    def _needed(self, ask: Ask) -> frozenset[int]:
        """The values of the inner graph that lead to a target; to a fact all may."""
        graph = self.inner.graph
        if ask.what == "fact":
            return frozenset(range(len(graph.types)))
        needed = {graph.outputs[k] for k in self.inner.targets}
        for node, first in zip(reversed(graph.nodes), reversed(graph.first_results), strict=True):
            if needed.intersection(range(first, first + len(node.outputs))):
                needed.update(node.operands)
        return frozenset(needed)

    def _shown(self, ask: Ask) -> list[int]:
        """The inputs that the program makes."""
        count = len(self.case.roles)
        needed = self._needed(ask) | ({ask.source} if ask.source is not None else set())
        return [i for i in range(count) if i in needed or i == self.by]

    def _inputs(self, ask: Ask) -> list[str]:
        case, lines = self.case, []
        for i in self._shown(ask):
            text = tensor_source(case.graph.inputs[i].type, case.points[self.point][i])
            if case.roles[i] in (VARIABLE, FROZEN):
                frozen = ", trainable=False" * (case.roles[i] == FROZEN)
                text = f"tf.Variable({text}{frozen})"
            lines.append(f"x{i} = {text}")
        if self.mode.traces_program and ask.what != "linear":
            # an argument, as the compiler would fold a constant
            named = zip(self._named_weights(), self._printed(self._cotangent(ask)), strict=False)
            lines += [f"{name} = {text}" for name, text in named]
        return lines

    def _cotangent(self, ask: Ask) -> list[Array]:
        return self.case.cotangents[ask.cotangent] if ask.cotangent else self.case.weights

    def _printed(self, cotangent: Sequence[Array]) -> list[str]:
        """A cotangent as expressions."""
        kinds = zip(self.case.target_types, cotangent, strict=True)
        return [tensor_source(kind, tuple(w.ravel().tolist())) for kind, w in kinds]

    def _named_weights(self) -> list[str]:
        """What a traced program calls the cotangents that it takes.

        Ones too: whether they are given, and not known while it is traced, can make the failure.
        """
        if not self.mode.traces_program:
            return []
        return [f"w{k}" for k in range(len(self.case.target_types))]

    def _weighted(self, ask: Ask) -> list[str]:
        """The cotangents as expressions; none, if they are ones."""
        if self.mode.traces_program:
            return self._named_weights()
        if self.case.plain and not ask.cotangent:
            return []
        return self._printed(self._cotangent(ask))

    # -- what runs under the tape ----------------------------------------------------------------

    def _ops(self, ask: Ask) -> tuple[list[str], list[str]]:
        """The statements of the ops, and what the targets are called."""
        case, inner = self.case, self.inner
        graph = inner.graph
        lines = statements(graph, self._needed(ask))
        targets = [graph.name(graph.outputs[k]) for k in inner.targets]
        if self.by is None:
            return lines, targets
        kinds = zip(inner.target_types, inner.weights, strict=True)
        weights = [tensor_source(kind, tuple(w.ravel().tolist())) for kind, w in kinds]
        at = f"x{self.by}"
        watch = [f"inner.watch({at})"] * (case.roles[self.by] != VARIABLE)
        cotangent = _given([] if inner.plain and not self.mode.traces_program else weights)
        asked = f"inner.gradient({_listed(targets)}, {at}{cotangent}"
        return [
            "with tf.GradientTape() as inner:",
            *indented([*watch, *lines]),
            f"first = {asked}, unconnected_gradients='zero')",
        ], ["first"]

    def _taped(self, ask: Ask, ops: list[str]) -> list[str]:
        case = self.case
        if ask.what == "product":
            shown = self._shown(ask)
            moved = {i: t for i, t in case.direction(0).items() if i in shown}
            tangents = [
                tensor_source(case.graph.inputs[i].type, tuple(t.ravel().tolist()))
                for i, t in moved.items()
            ]
            primals = _listed([f"x{i}" for i in moved], force=True)
            made = f"tf.autodiff.ForwardAccumulator({primals}, {_listed(tangents, force=True)})"
            return [f"with {made} as accumulator:", *indented(ops)]
        watched = [f"x{i}" for i in self._shown(ask) if case.roles[i] == WATCHED]
        watch = [f"{self.tape}.watch({_listed(watched)})"] * bool(watched)
        twice = ask.what == "linear" and not self.mode.traces_program
        # one that is asked once, too: what a function hands to a persistent tape is another program
        options = "persistent=True" * (case.persistent or twice)
        body = [*watch, *ops] or ["pass"]
        return [f"with tf.GradientTape({options}) as {self.tape}:", *indented(body)]

    def _asked(self, ask: Ask, targets: list[str]) -> list[str]:
        told, given = _listed(targets), self._weighted(ask)
        match ask.what:
            case "gradient" | "slices":
                return [self._gradient(ask.what, ask, told, given)]
            case "linear":
                three = {name: self._printed(one) for name, one in self._three().items()}
                asked = {"gradient": given} if self.mode.traces_program else three
                return [self._gradient(name, ask, told, one) for name, one in asked.items()]
            case "zero":
                zero = "unconnected_gradients='zero'"
                return [f"zero = {self.tape}.gradient({told}, x{ask.source}, {zero})"]
            case "stepped":
                stepped = f"x{ask.source}.assign_sub({RATE} * gradient)"
                first = self._gradient("gradient", ask, told, given)
                return [first, stepped, f"stepped = x{ask.source}.read_value()"]
            case "product":
                return self._product(ask, targets)
        return [] if ask.what == "fact" else self._everything(ask, told)

    def _everything(self, ask: Ask, told: str) -> list[str]:
        case = self.case
        shown = [i for i in self._shown(ask) if self._may_have_gradient(i)]
        sources = [f"x{i}" for i in shown]
        given = _given(self._weighted(ask))
        lines = [f"{ASKED} = {self.tape}.gradient({told}, {_listed(sources)}{given})"]
        if unwatched := [f"x{i}" for i in case.unwatched if i in self._shown(ask)]:
            asked = ", ".join(unwatched)
            zero = "unconnected_gradients='zero'"
            lines.append(f"zeros = {self.tape}.gradient({told}, [{asked}], {zero})")
        for i in case.inputs(VARIABLE):
            if i in case.differentiated and i in shown:
                one = ASKED if len(shown) == 1 else f"{ASKED}[{shown.index(i)}]"
                lines.append(f"x{i}.assign_sub({RATE} * {one})")
        return lines

    def _gradient(self, name: str, ask: Ask, told: str, cotangent: Sequence[str]) -> str:
        """The statement that asks for the gradient of a source."""
        zero = "" if self.by is None else ", unconnected_gradients='zero'"
        asked = f"{self.tape}.gradient({told}, x{ask.source}{zero}{_given(cotangent)})"
        dense = ask.dense and ask.what != "slices"
        return f"{name} = {f'tf.convert_to_tensor({asked})' if dense else asked}"

    def _may_have_gradient(self, i: int) -> bool:
        return dtypes.is_differentiable(self.case.graph.inputs[i].type.dtype)

    def _product(self, ask: Ask, targets: list[str]) -> list[str]:
        """The sum of the Jacobian-vector products, weighted with the cotangents."""
        if len(targets) == 1:
            product = f"accumulator.jvp({targets[0]}, unconnected_gradients='zero')"
            weight = self._weighted(ask)
            if weight:
                product = f"tf.math.conj({weight[0]}) * {product}"
            return [f"product = tf.reduce_sum({product})"]
        weights = self._weighted(ask) or [""] * len(targets)
        terms = []
        for cotangent, target in zip(weights, targets, strict=True):
            product = f"accumulator.jvp({target}, unconnected_gradients='zero')"
            weighted = f"tf.math.conj({cotangent}) * {product}" if cotangent else product
            terms.append(f"tf.cast(tf.math.real(tf.reduce_sum({weighted})), tf.float64)")
        return [f"product = {' + '.join(terms)}"]


def statements(graph: Graph, needed: frozenset[int]) -> list[str]:
    """The nodes that lead to some values, one a line; none of them is a derivative."""
    names = [graph.name(i) for i in range(len(graph.types))]
    return [
        f"y{i} = {call_source(node, names)}"
        for i, (node, first) in enumerate(zip(graph.nodes, graph.first_results, strict=True))
        if needed.intersection(range(first, first + len(node.outputs)))
    ]


def _given(cotangent: Sequence[str]) -> str:
    """A cotangent as an argument; nothing, if it is ones."""
    return f", output_gradients={_listed(cotangent, force=True)}" if cotangent else ""


def _listed(names: Sequence[str], *, force: bool = False) -> str:
    """One name as it is, others as a list."""
    return names[0] if len(names) == 1 and not force else f"[{', '.join(names)}]"


def _renamed(line: str, names: Sequence[str], others: Sequence[str]) -> str:
    for name, other in zip(names, others, strict=True):
        line = re.sub(rf"(?<!\w){re.escape(name)}(?![\w\[])", other, line)
    return line
