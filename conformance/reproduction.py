"""What a program asserts at its end: the failure as a line of Python that needs TensorFlow alone.

A contract that is violated says what it looked at and what should have been there, as a
:class:`Claim`. Printed after the statements of the case it makes a stand-alone program: one that
fails where TensorFlow is at fault, with an ``AssertionError`` that begins with the kind of the
violation, and comes to its end where it is not.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from conformance.modes import Mode

GOT: Final = "got"
"""The name, in conditions and in programs, of what is judged."""


@dataclass(frozen=True)
class Claim:
    """A condition on what a program binds to names.

    Attributes:
        kind: of the violation.
        value: what is judged, an expression; empty if the condition says it all.
        condition: on the value, which is called ``got`` in it.
        modules: what it needs beside TensorFlow, as ``import`` has it.
    """

    kind: str
    value: str
    condition: str
    modules: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The assertion; the value is bound to a name before, if it has none."""
        lines = [f"import {module}" for module in self.modules]
        if not self.value:
            return [*lines, f'assert {self.condition}, "{self.kind}: it is not so"']
        name = self.value if self.value.isidentifier() else GOT
        lines += [f"{GOT} = {self.value}"] * (name == GOT)
        return [*lines, f'assert {self._on(name)}, f"{self.kind}: {{{name}}}"']

    def _on(self, name: str) -> str:
        return re.sub(rf"\b{GOT}\b", name, self.condition)

    def about(self, name: str, value: str) -> Claim:
        """The same claim where what it calls by a name is another expression."""
        return replace(self, value=re.sub(rf"\b{name}\b", lambda _: value, self.value))


def fact(kind: str, condition: str) -> Claim:
    """A condition of its own is true."""
    return Claim(kind, "", condition)


def nothing(value: str, kind: str = "none") -> Claim:
    """It is None."""
    return Claim(kind, value, f"{GOT} is None")


def something(value: str, kind: str = "none") -> Claim:
    """It is not None."""
    return Claim(kind, value, f"{GOT} is not None")


def upper(bound: float) -> str:
    """A bound as it is printed: to two digits, and a tenth wider, as a rounded one may be less."""
    return f"{1.1 * bound:.1e}" if bound else "0.0"


def near(value: str, expected: complex, tolerance: float, kind: str = "value") -> Claim:
    """A Python number is another one but for a tolerance; NaN is near nothing.

    The number is printed to the digits that the tolerance leaves, which then is that much wider.
    """
    if not math.isfinite(tolerance):  # what was got is not, and its rounding is part of this
        return Claim(kind, value, f"abs({GOT}) < float('inf')")
    if not expected.imag:
        expected = expected.real
    digits = 17
    if tolerance:
        digits = 1 - math.floor(math.log10(tolerance))
    parts = [round(part, digits) + 0.0 for part in (expected.real, expected.imag)]  # no -0.0
    shown = complex(*parts) if isinstance(expected, complex) else parts[0]
    bound = upper(tolerance)
    literal = number(shown)
    literal = f"({literal})" if literal.startswith("-") else literal
    return Claim(kind, value, f"abs({GOT} - {literal}) <= {bound}")


def typed(value: str, dtype: str, shape: Sequence[int], kind: str) -> Claim:
    """A tensor has a dtype, or a shape: that of which the violation is."""
    if kind == "dtype":
        return Claim(kind, f"{operand(value)}.dtype", f"{GOT} == tf.{dtype}")
    return Claim(kind, f"{operand(value)}.shape", f"{GOT} == {list(shape)}")


def zeros(value: str, dtype: str, shape: Sequence[int], kind: str = "zeros") -> Claim:
    """A tensor of zeros (False, empty strings), of a dtype and a shape."""
    same = f"{GOT} is not None and ({GOT}.dtype, {GOT}.shape) == (tf.{dtype}, {list(shape)})"
    return Claim(kind, value, f"{same} and not {GOT}.numpy().any()")


def all_near(value: str, expected: Any, bound: Any, kind: str = "value") -> Claim:
    """The elements of a tensor are numbers but for a bound, which may be one for each."""
    widest = np.asarray(bound)
    told = f"{float(widest):.1e}" if widest.ndim == 0 and widest else array(widest)
    condition = f"(abs({GOT}.numpy() - np.array({array(expected)})) <= {told}).all()"
    return Claim(kind, value, condition, ("numpy as np",))


def operand(expression: str) -> str:
    """An expression that can be followed by a dot or a bracket."""
    closed = ast.Name, ast.Call, ast.Attribute, ast.Subscript
    node = ast.parse(expression, mode="eval").body
    return expression if isinstance(node, closed) else f"({expression})"


def number(value: complex) -> str:
    """A Python number as a literal, also if it is not finite."""
    if isinstance(value, complex):
        return f"complex({number(value.real)}, {number(value.imag)})"
    return repr(value) if math.isfinite(value) else f"float('{value}')"


def array(values: Any) -> str:
    """An array as nested lists of literals."""
    found = np.asarray(values)
    if found.ndim:
        return f"[{', '.join(map(array, found))}]"
    value = found.item()
    return number(value) if isinstance(value, float | complex) else repr(value)


MOST_AXES: Final = 8
"""Of tensors of which TensorFlow takes a single element out."""


def element(name: str, index: Sequence[int], of: Any, part: int | None = None) -> str:
    """An element of a tensor as a Python number.

    Args:
        name: of the tensor.
        index: of the element.
        of: the numbers of the tensor.
        part: of a complex number, 0 for the real and 1 for the imaginary one; None: both.
    """
    numbers = operand(name) + ".numpy()" * (len(index) > MOST_AXES)
    one = f"{numbers}[{', '.join(map(str, index))}]" if index else name
    if not np.iscomplexobj(of):
        return f"float({one})"
    return f"complex({one})" + ("" if part is None else (".real", ".imag")[part])


def raising(lines: Sequence[str], kind: str = "exception") -> list[str]:
    """Statements that should not raise."""
    return [
        "try:",
        *indented(lines),
        "except Exception as error:",
        f'    raise AssertionError(f"{kind}: {{type(error).__name__}}") from error',
    ]


def refused(
    lines: Sequence[str], error: str, saying: str = "", kind: str = "exception"
) -> list[str]:
    """Statements that should raise an error, which says something."""
    named = error if hasattr(builtins, error) else f"tf.errors.{error}"
    head = ["import re", ""] if saying else []
    said = [f"    assert re.search({saying!r}, str(error)), f'{kind}: {{error}}'"]
    return [
        *head,
        "try:",
        *indented(lines),
        f"except {named}{' as error' * bool(saying)}:",
        *(said if saying else ["    pass"]),
        "except Exception as error:",
        f'    raise AssertionError(f"{kind}: {{type(error).__name__}}") from error',
        "else:",
        f'    raise AssertionError("{kind}: no exception")',
    ]


def indented(lines: Sequence[str]) -> list[str]:
    """Lines as the body of a block; empty ones stay empty."""
    return [f"    {line}" if line else "" for line in lines]


_RETURN_ALL: Final = "return [v for v in tf.nest.flatten([*locals().values()]) if tf.is_tensor(v)]"
"""The end of a function of which nothing is told: TensorFlow runs no op that nobody asks for."""


@dataclass(frozen=True)
class Page:
    """Statements in a mode: a traced program is a function, of which what is judged must come out.

    Attributes:
        before: what is made, outside of any function.
        body: the statements that a mode may trace.
        given: the names that a traced body takes.
        bound: the names that it binds to tensors, or to nests of tensors and None.
        specs: what an open signature says of what is given, as expressions.
    """

    before: Sequence[str]
    body: Sequence[str]
    given: Sequence[str] = ()
    bound: Collection[str] = ()
    specs: Sequence[str] = ()

    def text(
        self,
        mode: Mode,
        shows: Sequence[str] = (),
        *,
        others: Collection[str] = (),
        guard: Callable[[Sequence[str]], list[str]] = list,
    ) -> str:
        """The program.

        Args:
            mode: how it is run.
            shows: what stands at its end.
            others: names in ``shows`` that the body binds to what is no tensor, or may be none.
            guard: what becomes of the statements that run the body.
        """
        if not mode.traces_program:
            return tidy([*self.before, "", *guard(self.body), *shows])
        used = names_in(shows)
        tensors = [name for name in used if name in self.bound and name not in others]
        apart = [name for name in used if name in others]
        told, given = ", ".join(tensors), ", ".join(self.given)
        heads = [f"global {', '.join(apart)}"] * bool(apart)
        tails = [f"return {told}"] * bool(tensors) + [_RETURN_ALL] * (not shows)
        function = [f"def program({given}):", *indented([*heads, *self.body, *tails])]
        options = ["program", "autograph=False", *["jit_compile=True"] * mode.compiled]
        options += [f"input_signature=[{', '.join(self.specs)}]"] * mode.open_signature
        call = f"{told} = " * bool(tensors) + f"tf.function({', '.join(options)})({given})"
        return tidy([*self.before, "", *function, "", *guard([call]), *shows])


def names_in(lines: Sequence[str]) -> list[str]:
    """The names that statements mention, each once, in their order."""
    nodes = ast.walk(ast.parse("\n".join(lines)))
    return list(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))


def pruned(lines: Sequence[str], used: Collection[str], *, calls: bool) -> list[str]:
    """Statements without the functions, and what else is made, of which nothing makes use.

    Args:
        lines: the statements.
        used: the names that are used after them.
        calls: whether what calls TensorFlow alone, or computes, may go too; if not, that may be
            what raises.
    """
    lines = list(lines)
    tops = ast.parse("\n".join(lines)).body
    for top in tops:
        elsewhere = {name for other in tops if other is not top for name in _loaded(other)}
        made = _made(top, calls=calls)
        if made and made.isdisjoint({*used, *elsewhere}):
            first = min([top.lineno, *(d.lineno for d in getattr(top, "decorator_list", ()))])
            del lines[first - 1 : top.end_lineno]
            return pruned(lines, used, calls=calls)
    return lines


_MAKES: Final = r"tf\.(?!gradients\b)[a-z_]+"
"""What makes tensors and does nothing else; tf.gradients runs what a program has registered."""
_MAY_RAISE: Final = (ast.Call, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Attribute, ast.Subscript)
"""What Python does that raises if an operand is None, or not what it should be."""


def _loaded(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement makes use of, or assigns to what they name."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _made(statement: ast.stmt, *, calls: bool) -> set[str]:
    """The names that a statement binds, if it does nothing else; otherwise none."""
    if isinstance(statement, ast.FunctionDef) and not statement.decorator_list:
        return {statement.name}
    if not isinstance(statement, ast.Assign):
        return set()
    at_once = all(isinstance(target, ast.Name) for target in statement.targets)
    if not calls and (not at_once or any(isinstance(n, _MAY_RAISE) for n in ast.walk(statement))):
        return set()
    called = [node.func for node in ast.walk(statement.value) if isinstance(node, ast.Call)]
    plain = all(re.fullmatch(_MAKES, ast.unparse(one)) for one in called)
    names = [node for target in statement.targets for node in ast.walk(target)]
    if not plain or not all(isinstance(node, ast.Name | ast.Tuple | ast.Store) for node in names):
        return set()
    return {node.id for node in names if isinstance(node, ast.Name)}


def tidy(lines: Iterable[str]) -> str:
    """Lines as a program: imports first, and no more than one empty line between others.

    What a function names only to return it, it returns without a name.
    """
    named = r"^( +)(\w+) = (.+)\n\1return \2$"
    lines = re.sub(named, r"\1return \3", "\n".join(lines), flags=re.MULTILINE).splitlines()
    tops = [line for line in lines if line.startswith(("import ", "from "))]
    rest = [line for line in lines if not line.startswith(("import ", "from "))]
    kept = [
        line
        for line, before in zip(rest, ["", *rest], strict=False)
        if line.strip() or before.strip()
    ]
    return "\n".join([*sorted(dict.fromkeys(tops)), "", *kept]).rstrip() + "\n"
