"""Scenes: short programs about one promise, in which everything that does not matter is drawn.

A scene is Python text about a tape. Whatever it names and does not make itself is drawn for it:

====================  ==============================================================================
``x``, ``y``, ``z``   constants of one dtype and shape
``v``, ``w``          trainable Variables of that type; ``u`` is one that is not trainable
``dx``                a tensor of that type, for a tangent or a step
``k``                 integers (int32) of that shape
``f``, ``h``          smooth functions of a tensor of that type, each of up to three ops
``g``                 one of what ``f`` returns
``dy``, ``dz``        tensors of the types of ``f(x)`` and ``g(f(x))``, for cotangents
``$name``             one of the texts that the scene gives for that name
====================  ==============================================================================

In mode ``function`` the scene is the body of a ``tf.function`` that takes the constants; in mode
``outer`` ``f``, ``g`` and ``h`` are each a ``tf.function``. What it binds to names is looked at by
the check of its contract (:class:`conformance.seen_scenes.SeenScene`)::

    @scene(
        "watch-late",
        "An op that ran before its input was watched is not recorded.",
        '''
        with tf.GradientTape() as tape:
            early = f(x)
            tape.watch(x)
        gradient = tape.gradient(early, x)
        ''',
        cites=[docstring("tf.GradientTape", "at least one of their inputs is being")],
    )
    def watch_late(seen: SeenScene) -> None:
        seen.none("gradient")
"""

from __future__ import annotations

import hashlib
import linecache
import string
import symtable
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st

from conformance.boundary import (
    make_tensor,
    numpy_dtype,
    raised_by_tensorflow,
    tensorflow,
)
from conformance.contract import Cases, Citation, Contract, Tally, Unsupported
from conformance.modes import MODES
from conformance.reproduction import Page, indented
from conformance.seen_scenes import SeenScene, is_nest_of_tensors
from strategies import dtypes
from strategies.drawing import draw_numbers
from strategies.functions import Function, draw_function
from strategies.graphs import tensor_source
from strategies.ops.site import Draw
from strategies.shapes import shapes
from strategies.tensors import Indices, Input, TensorType
from strategies.values import REAL, Number

FLOATING: Final = (*["float64"] * 5, "float32", "complex128", "float64")
"""The dtypes of what is drawn, as often as they should be: finite differences judge doubles."""
REALS: Final = (*["float64"] * 5, "float32", "float64")
"""The same, for scenes in which complex numbers make no sense."""

SIMPLE: Final = (
    "tf.math.square",
    "tf.math.sin",
    "tf.math.tanh",
    "tf.math.multiply",
    "tf.math.subtract",
    "tf.math.reduce_sum",
    "tf.reshape",
    "tf.transpose",
)
"""Ops for scenes in which more could go wrong than the tape: nothing is known of these to any order
in any mode, vectorized or not."""

_CONSTANTS: Final = ("x", "y", "z", "dx")
_VARIABLES: Final = {"v": "", "w": "", "u": ", trainable=False"}
_FUNCTIONS: Final = ("f", "h", "g")
_COTANGENTS: Final = {"dy": "f", "dz": "g"}


@dataclass(frozen=True)
class Scene:
    """What a contract's programs have in common; see the head of this module.

    Attributes:
        id: of its contract.
        text: Python.
        choices: for each ``$name`` the texts that may take its place, the simplest first.
        among: the dtypes that the constants may have, as often as they should.
        ranks: the least and the largest rank of the constants.
        ops: the catalogue entries that the functions are made of; none: any smooth one.
        raises: the exception in which it ends; empty: it runs to its end.
        saying: a pattern that is found in the exception's text.
    """

    id: str
    text: str
    choices: Mapping[str, tuple[str, ...]]
    among: tuple[str, ...]
    ranks: tuple[int, int]
    ops: tuple[str, ...]
    raises: str
    saying: str

    @cached_property
    def names(self) -> frozenset[str]:
        """What it names and does not make itself, whatever is chosen."""
        needed = {name for table in self._tables() for name in _free(table)} - self.bound
        needed |= {_COTANGENTS[name] for name in needed & _COTANGENTS.keys()}
        return frozenset(needed | ({"f"} if "g" in needed else set()))

    @cached_property
    def bound(self) -> frozenset[str]:
        """What it binds to names, outside of functions."""
        tops = (table for table in self._tables() if table.get_type() == "module")
        return frozenset(s.get_name() for top in tops for s in top.get_symbols() if _binds(s))

    def _tables(self) -> tuple[symtable.SymbolTable, ...]:
        """Python's own account of the names in its texts, one table for each scope."""
        left = [symtable.symtable(text, "<scene>", "exec") for text in self._every_choice()]
        for table in left:
            left += table.get_children()
        return tuple(left)

    @property
    def draws_tensors(self) -> bool:
        """Whether anything of it is drawn but its choices."""
        drawable = {"k", *_CONSTANTS, *_VARIABLES, *_FUNCTIONS, *_COTANGENTS}
        return not drawable.isdisjoint(self.names)

    def _every_choice(self) -> Iterator[str]:
        """Texts of the scene in which everything that may be chosen occurs."""
        for i in range(max(map(len, self.choices.values()), default=1)):
            yield self.with_choices({n: texts[i % len(texts)] for n, texts in self.choices.items()})

    def with_choices(self, chosen: Mapping[str, str]) -> str:
        """Its text, with one text for each ``$name``."""
        return string.Template(self.text).substitute(chosen)


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _free(table: symtable.SymbolTable) -> Iterator[str]:
    """What a scope takes from outside of the scene."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()


@dataclass(frozen=True)
class Drawn:
    """A tensor or a Variable that was drawn for a scene."""

    name: str
    type: TensorType
    numbers: tuple[Number, ...]

    def tensor(self, tf: Any) -> Any:
        """Its numbers as a tensor, also of a Variable."""
        array = np.array(self.numbers, numpy_dtype(self.type.dtype)).reshape(self.type.shape)
        return make_tensor(tf, self.type.dtype, array)

    @property
    def source(self) -> str:
        """Its line in the program."""
        made = tensor_source(self.type, self.numbers)
        if self.name in _VARIABLES:
            made = f"tf.Variable({made}{_VARIABLES[self.name]})"
        return f"{self.name} = {made}"


@dataclass(frozen=True)
class SceneCase:
    """A scene and all that was drawn for it.

    Attributes:
        scene: the scene.
        drawn: constants and Variables.
        functions: by name.
        chosen: what takes the place of each ``$name``.
    """

    scene: Scene
    drawn: tuple[Drawn, ...]
    functions: Mapping[str, Function]
    chosen: Mapping[str, str]

    @cached_property
    def digest(self) -> bytes:
        """A stable hash of everything that was drawn."""
        return hashlib.sha256(self.source().encode()).digest()

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """The names of the drawn tensors, which a ``tf.function`` takes."""
        return tuple(one.name for one in self.drawn if one.name not in _VARIABLES)

    @cached_property
    def is_double(self) -> bool:
        """Whether everything is in double precision, so that finite differences can judge it."""
        kinds = [one.type.dtype for one in self.drawn]
        kinds += [t.dtype for function in self.functions.values() for t in function.graph.types]
        floating = [kind for kind in kinds if dtypes.is_differentiable(kind)]
        return all(dtypes.epsilon(kind) == dtypes.epsilon("float64") for kind in floating)

    @cached_property
    def text(self) -> str:
        """The scene, with what was chosen for it."""
        return self.scene.with_choices(self.chosen)

    def setting(self, *, traced: bool = False, wrap: str = "{call}") -> list[str]:
        """The lines that make what was drawn.

        Args:
            traced: whether the functions are each a tf.function.
            wrap: what takes the place of each ``{call}`` in the functions.
        """
        lines = [one.source for one in self.drawn]
        for name, function in self.functions.items():
            lines += ["", *function.lines(name, wrap), ""]
            lines += [f"{name} = tf.function({name}, autograph=False)"] * traced
        return lines

    def source(self, mode: str = "eager") -> str:
        """The program as a mode runs it, as Python; a ``tf.function`` returns all names."""
        how = MODES[mode]
        lines = ["import tensorflow as tf", "", *self.setting(traced=how.traces_ops)]
        scene = self.text.strip().splitlines()
        if not how.traces_program:
            return "\n".join([*lines, "", *scene]) + "\n"
        lines += ["", f"def program({', '.join(self.constants)}):"]
        lines += [*indented([*scene, "return dict(locals())"]), ""]
        return "\n".join(lines) + "\n"

    def page(self, mode: str, bound: Sequence[str] = ()) -> Page:
        """The program as what is made and what runs, for a failure.

        Args:
            mode: the name of the mode.
            bound: the names that the scene binds to tensors.
        """
        lines = ["import tensorflow as tf", *self.setting(traced=MODES[mode].traces_ops)]
        return Page(lines, self.text.strip().splitlines(), self.constants, bound)

    def plain(self, mode: str) -> str:
        """The program as a mode runs it, asserting nothing."""
        return self.page(mode).text(MODES[mode])


@st.composite
def cases_of(draw: Draw, scene: Scene) -> SceneCase:
    """A scene with all that it needs.

    Reaches every choice, dtype and rank of the scene, and smooth functions of up to three ops.
    Shrinks to the first choices, scalars of the first dtype, and squares.
    """
    low, high = scene.ranks
    kind = TensorType("float64", ())
    if scene.draws_tensors:  # or Hypothesis would try what differs in nothing
        kind = TensorType(
            draw(st.sampled_from(scene.among), "dtype"),
            draw(shapes(min_rank=low, max_rank=high, max_size=8, fits=_has_elements), "shape"),
        )
    like, taken, functions = Input(kind, REAL), set[float](), dict[str, Function]()
    of = {"f": like, "h": like}
    for name in _FUNCTIONS:
        if name in scene.names:
            functions[name] = draw_function(draw, of[name], taken, scene.ops)
            if name == "f":
                of["g"] = Input(functions["f"].result, REAL)
    types = dict.fromkeys((*_CONSTANTS, *_VARIABLES), like)
    types["k"] = Input(TensorType("int32", kind.shape, (0, 3)), Indices(0, 3))
    for name, function in _COTANGENTS.items():
        if name in scene.names:
            result = functions[function].result
            types[name] = Input(TensorType(result.dtype, result.shape), REAL)
    drawn = tuple(
        Drawn(name, made.type, draw_numbers(draw, made, taken))
        for name, made in types.items()
        if name in scene.names
    )
    chosen = {name: draw(st.sampled_from(texts), name) for name, texts in scene.choices.items()}
    return SceneCase(scene, drawn, functions, chosen)


def _has_elements(shape: tuple[int, ...]) -> bool:
    return 0 not in shape


STATED: Final[dict[str, Scene]] = {}
"""Every scene by the id of its contract."""

DEAR: Final[set[str]] = set()
"""The ids of those whose programs take tenths of a second."""


def run(case: SceneCase, mode: str) -> SeenScene:
    """Run a scene.

    Raises:
        Unsupported: if its functions alone raise in this mode.
    """
    names: dict[str, Any] = {}
    seen = SeenScene(case, mode, names)
    try:
        _execute(case, mode, names)
    except Exception as raised:  # noqa: BLE001 - whatever TensorFlow raises is the observation
        seen.error = raised_by_tensorflow(raised)
    if seen.error is not None and not case.scene.raises:
        try:
            _execute(case, mode, {}, forward=True)
        except Exception as raised:
            raise Unsupported(type(raised_by_tensorflow(raised)).__name__) from raised
    return seen


def _execute(case: SceneCase, mode: str, names: dict[str, Any], *, forward: bool = False) -> None:
    """Run a scene, or its functions alone; what it binds is then in ``names``."""
    tf, how = tensorflow(), MODES[mode]
    if forward:
        calls = {"f": "f(x0)", "h": "h(x0)", "g": "g(f(x0))"}
        scene = replace(case.scene, text="\n".join(calls[name] for name in case.functions))
        like = next((one for one in case.drawn if one.name != "k"), None)
        if like is None:
            return
        drawn = (*case.drawn, replace(like, name="x0"))
        case = replace(case, scene=scene, drawn=drawn)
    exec(_code(case.source(mode)), names)  # noqa: S102 - our own text
    if how.traces_program:
        local: dict[str, Any] = {}  # what only Python sees: tapes, facts

        def traced(*tensors: Any) -> Any:
            local.update(names["program"](*tensors))
            return {name: value for name, value in local.items() if is_nest_of_tensors(value)}

        found = tf.function(traced, autograph=False)(*(names[name] for name in case.constants))
        names.update({**local, **found})


def _code(text: str) -> Any:  # a code object, which has no public generic type
    # AutoGraph reads the source of what it converts
    linecache.cache["<scene>"] = (len(text), None, text.splitlines(keepends=True), "<scene>")
    return compile(text, "<scene>", "exec", dont_inherit=True)


SCENES: Cases[SceneCase, SeenScene] = Cases(
    "scene",
    lambda subject, _: cases_of(STATED[subject]),
    run,
    SceneCase.plain,
    subjects=STATED.keys(),
    modes=("eager", "function", "outer"),
    dear=DEAR,
    one_each=True,
)


def scene(  # noqa: PLR0913 - each is said by name, and most contracts say one or two
    id: str,  # noqa: A002 - the field's own word
    sentence: str,
    text: str,
    *,
    cites: Sequence[Citation],
    modes: Sequence[str] = ("eager", "function", "outer"),
    since: tuple[int, int] = (2, 8),
    until: tuple[int, int] | None = None,
    among: tuple[str, ...] = FLOATING,
    ranks: tuple[int, int] = (0, 3),
    ops: tuple[str, ...] = (),
    raises: str = "",
    saying: str = "",
    dear: bool = False,
    **choices: tuple[str, ...],
) -> Callable[[Callable[[SeenScene], None]], Contract]:
    """State a contract with programs of its own; see the head of this module.

    What a contract has is as in :meth:`conformance.contract.Cases.contract`, what a scene has as in
    :class:`Scene`; ``choices`` are given by name. A scene is ``dear`` if a program of it takes
    tenths of a second, as those do that vectorize or trace anew: it has a quarter of the cases.
    """

    def decorate(check: Callable[[SeenScene], None]) -> Contract:
        STATED[id] = Scene(id, textwrap.dedent(text), choices, among, ranks, ops, raises, saying)
        if dear:
            DEAR.add(id)

        def judged(seen: SeenScene) -> Tally:
            seen.ends_as_it_should()
            check(seen)
            return seen.tally

        register = SCENES.contract(id, sentence, cites=cites, modes=modes, since=since, until=until)
        return register(judged)

    return decorate
