"""The examples of a docstring, run in the order in which they are written.

The examples of one docstring share a namespace, which begins with ``tf`` and ``np``, as it does
where TensorFlow tests its documentation (tensorflow/tools/docs/tf_doctest.py). What a statement at
the prompt prints is compared with what is shown below it. A comment that states a value, such as
``# y will evaluate to 9.0``, is compared with that value once the statement has run to which it
belongs. What an example does not state is not compared.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import linecache
import re
import sys
import tempfile
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from conformance.boundary import raised_by_tensorflow, tensorflow
from conformance.citations import Example, take_apart
from conformance.printed import agrees

_CLAIM = re.compile(
    r"#\s*(?:[^:=]*: )?(?P<name>[\w\[\], .]+?) (?:value is|is|will evaluate to|=) "
    r"(?P<value>[-\d.\[\]][-\d., e\[\]]*?)\.?"
)
"""A comment that says what a variable, or a list of variables, holds."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with an example.

    Attributes:
        kind: ``exception``, or ``output``.
        expected: what the example shows.
        got: what came instead.
    """

    kind: str
    expected: str
    got: str


@dataclass(frozen=True)
class Ran:
    """What became of an example.

    Attributes:
        program: all of the docstring's code up to its end, without prompts and output.
        compared: how many outputs and values it states.
        fault: the first that is wrong, if any.
    """

    program: str
    compared: int
    fault: Fault | None


@dataclass(frozen=True)
class Step:
    """A statement with what is said of it.

    Attributes:
        source: its text, as Python has it.
        code: compiled.
        want: what it prints, as far as it is shown.
        claims: expressions and their values.
    """

    source: str
    code: CodeType
    want: str
    claims: tuple[tuple[str, str], ...]


@cache
def run_examples(symbol: str, text: str) -> tuple[Ran, ...]:
    """Run the examples of a symbol's docstring, once in this process."""
    namespace: dict[str, Any] = {"__name__": symbol, "tf": tensorflow(), "np": np}
    program = "import numpy as np\nimport tensorflow as tf\n"
    ran = []
    with _tf_print_to_file() as file:
        for number, example in enumerate(take_apart(text).examples, 1):
            program += f"\n{_code(example)}"
            compared, fault = _run(example, f"<{symbol}#{number}>", namespace, file)
            ran.append(Ran(program, compared, fault))
    return tuple(ran)


def _code(example: Example) -> str:
    """An example as a program."""
    if not example.prompted:
        return f"{example.text}\n"
    parts = doctest.DocTestParser().get_examples(example.text)
    return "".join(part.source for part in parts)


def _run(
    example: Example, name: str, namespace: dict[str, Any], file: Path
) -> tuple[int, Fault | None]:
    """Run an example to its end, or to its first fault; and how much it states."""
    try:
        steps = list(_steps(example, name))
    except SyntaxError as error:
        return 0, Fault("exception", "a program", f"SyntaxError: {error.msg}")
    compared = sum(bool(step.want) + len(step.claims) for step in steps)
    for step in steps:
        try:
            got = _printed_by(step.code, namespace, file)
            values = [(c, v, _value(c, namespace)) for c, v in step.claims]
        except Exception as error:  # noqa: BLE001 - whatever it is, the example cannot run
            raised = raised_by_tensorflow(error)
            line = (str(raised).splitlines() or [""])[0]
            return compared, Fault("exception", "no exception", f"{type(raised).__name__}: {line}")
        if step.want and not agrees(step.want, got):
            return compared, Fault("output", step.want.rstrip(), got.rstrip() or "no output")
        for claim, value, found in values:
            if not agrees(value, found):
                return compared, Fault("output", f"{claim} = {value}", found)
    return compared, None


def _value(expression: str, namespace: dict[str, Any]) -> str:
    """A tensor, or a list of tensors, as Python numbers."""
    found = eval(expression, namespace)  # noqa: S307 - it is a name, or a list of names
    return repr(np.asarray(tensorflow().convert_to_tensor(found)).tolist())


def _steps(example: Example, name: str) -> Iterator[Step]:
    """The statements of an example.

    Raises:
        SyntaxError: if it is not Python.
    """
    if example.prompted:
        for number, part in enumerate(doctest.DocTestParser().get_examples(example.text), 1):
            filename = _remember(f"{name[:-1]}.{number}>", part.source)
            code = compile(part.source, filename, "single")
            yield Step(part.source, code, part.want, tuple(c for _, c in _claims(part.source)))
        return
    filename = _remember(name, example.text)
    claims = _claims(example.text)
    statements = ast.parse(example.text, filename).body
    for number, node in enumerate(statements):
        last = number == len(statements) - 1
        end = node.end_lineno or node.lineno
        own = tuple(claim for line, claim in claims if line <= end or last)
        claims = [(line, claim) for line, claim in claims if line > end]
        code = compile(ast.Module([node], []), filename, "exec")
        yield Step(ast.get_source_segment(example.text, node) or "", code, "", own)


def _remember(name: str, source: str) -> str:
    """Let a source be found under a file's name, as AutoGraph looks for it."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return name


def _claims(source: str) -> Sequence[tuple[int, tuple[str, str]]]:
    """The values that comments state: the line, the expression and the value."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        match = _CLAIM.fullmatch(token.string) if token.type == tokenize.COMMENT else None
        if match and _is_python(match["name"]) and _is_python(match["value"]):
            found.append((token.start[0], (match["name"], match["value"])))
    return found


def _is_python(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _printed_by(code: CodeType, namespace: dict[str, Any], file: Path) -> str:
    """Run a statement; what Python and then tf.print have printed."""
    text, usual = io.StringIO(), sys.displayhook

    def show(value: object) -> None:
        if value is not None:
            text.write(f"{value!r}\n")

    file.write_text("")
    sys.displayhook = show
    try:
        with contextlib.redirect_stdout(text):
            exec(code, namespace)  # noqa: S102 - the documentation asks us to
    finally:
        sys.displayhook = usual
    return text.getvalue() + file.read_text("utf-8")


@contextlib.contextmanager
def _tf_print_to_file() -> Iterator[Path]:
    """Let tf.print write to a file: its own way leads past Python to the process's streams."""
    tf = tensorflow()
    usual = tf.print
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "printed")

        def print_to_file(*inputs: Any, **options: Any) -> Any:
            return usual(*inputs, **{**options, "output_stream": file.as_uri()})

        tf.print = print_to_file
        try:
            yield file
        finally:
            tf.print = usual
