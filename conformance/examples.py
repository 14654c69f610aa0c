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
from conformance.reproduction import Claim, raising, refused, tidy

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
        program: its code, after that of the examples before it that run, without prompts and
            output.
        compared: how many outputs and values it states.
        fault: the first that is wrong, if any.
        shown: a program that ends in an assertion about the fault.
    """

    program: str
    compared: int
    fault: Fault | None
    shown: str = ""


@dataclass(frozen=True)
class Step:
    """A statement with what is said of it.

    Attributes:
        code: compiled.
        claims: expressions and their values.
        want: what it prints, as far as it is shown.
        raises: the class of the exception that is shown; empty if none is.
        source: its text.
    """

    code: CodeType
    claims: tuple[tuple[str, str], ...]
    want: str = ""
    raises: str = ""
    source: str = ""


@cache
def run_examples(symbol: str, text: str) -> tuple[Ran, ...]:
    """Run the examples of a symbol's docstring, once in this process."""
    namespace: dict[str, Any] = {"__name__": symbol, "tf": tensorflow(), "np": np}
    program = "import numpy as np\nimport tensorflow as tf\n"
    ran = []
    with _tf_print_to_file() as file:
        for number, example in enumerate(take_apart(text).examples, 1):
            try:
                code, steps = _steps(example, f"<{symbol}#{number}>")
            except (SyntaxError, ValueError) as error:  # doctest raises the latter
                fault = Fault("exception", "a program", f"{type(error).__name__}: {error.args[0]}")
                ran.append(Ran(f"{program}\n{example.text}\n", 0, fault, program))
                continue
            compared = sum(bool(step.want or step.raises) + len(step.claims) for step in steps)
            at, found = _run(steps, namespace, file)
            shown = _shown(program, steps[: at + 1], found) if found else ""
            ran.append(Ran(f"{program}\n{code}", compared, found, shown))
            if ran[-1].fault is None:
                program = ran[-1].program
    return tuple(ran)


def _shown(program: str, steps: Sequence[Step], fault: Fault) -> str:
    """A program that shows the fault of the last step.

    The contract compares numbers as numbers; the program compares what is printed, but for white
    space.
    """
    lines = [program, *(step.source.rstrip() for step in steps[:-1])]
    step = steps[-1]
    source = step.source.rstrip().splitlines()
    if fault.kind == "exception":
        ends = refused(source, step.raises) if step.raises else raising(source)
        return tidy([*lines, *ends])
    if fault.expected != step.want.rstrip():
        name, _, value = fault.expected.partition(" = ")
        claim = Claim("output", f"np.asarray({name})", f"np.allclose(got, {value}, atol=0.05)")
        return tidy([*lines, *source, *claim.lines()])
    last = ast.parse(step.source).body[-1]
    call = last.value if isinstance(last, ast.Expr) else None
    if isinstance(call, ast.Call) and ast.unparse(call.func) == "print":
        told = " + ' ' + ".join(f"str({ast.unparse(one)})" for one in call.args) or "''"
    else:
        told = f"repr({ast.unparse(call)})" if call else "'no output'"
    claim = Claim("output", told, f"got.split() == {fault.expected.split()}")
    return tidy([*lines, *claim.lines()])


def _run(steps: Sequence[Step], namespace: dict[str, Any], file: Path) -> tuple[int, Fault | None]:
    """Run an example to its end, or to its first fault, and say where that is."""
    for number, step in enumerate(steps):
        fault = _fault(step, namespace, file)
        if fault is not None:
            return number, fault
    return len(steps), None


def _fault(step: Step, namespace: dict[str, Any], file: Path) -> Fault | None:
    """Run a statement; what is wrong with it, if anything is."""
    try:
        got = _printed_by(step.code, namespace, file)
        values = [(c, v, _value(c, namespace)) for c, v in step.claims]
    except Exception as error:  # noqa: BLE001 - whatever it is, the example cannot run
        raised = raised_by_tensorflow(error)
        if type(raised).__name__ == step.raises:
            return None
        line = (str(raised).splitlines() or [""])[0]
        expected = step.raises or "no exception"
        return Fault("exception", expected, f"{type(raised).__name__}: {line}")
    if step.raises:
        return Fault("exception", step.raises, "no exception")
    if step.want and not agrees(step.want, got):
        return Fault("output", step.want.rstrip(), got.rstrip() or "no output")
    for claim, value, found in values:
        if not agrees(value, found):
            return Fault("output", f"{claim} = {value}", found)
    return None


def _value(expression: str, namespace: dict[str, Any]) -> str:
    """A tensor, or a list of tensors, as Python numbers."""
    found = eval(expression, namespace)  # noqa: S307 - it is a name, or a list of names
    return repr(np.asarray(tensorflow().convert_to_tensor(found)).tolist())


def _steps(example: Example, name: str) -> tuple[str, list[Step]]:
    """An example as a program, and its statements.

    Raises:
        SyntaxError: if it is not Python.
        ValueError: if its prompts are not as :mod:`doctest` has them.
    """
    steps = []
    if example.prompted:
        parts = doctest.DocTestParser().get_examples(example.text)
        for number, part in enumerate(parts, 1):
            filename = _remember(f"{name[:-1]}.{number}>", part.source)
            # without dont_inherit it is compiled as this module is: with postponed annotations
            code = compile(part.source, filename, "single", dont_inherit=True)
            own = tuple(claim for _, claim in _claims(part.source))
            raises = (part.exc_msg or "").partition(":")[0].strip().rpartition(".")[2]
            want = "" if raises else part.want
            steps.append(Step(code, own, want, raises, part.source))
        return "".join(part.source for part in parts), steps
    filename = _remember(name, example.text)
    statements = ast.parse(example.text, filename).body
    claims = _claims(example.text)
    for number, node in enumerate(statements, 1):
        last = number == len(statements)
        end = node.end_lineno or node.lineno
        own = tuple(claim for line, claim in claims if line <= end or last)
        claims = [(line, claim) for line, claim in claims if line > end]
        code = compile(ast.Module([node], []), filename, "exec", dont_inherit=True)
        source = ast.get_source_segment(example.text, node) or ""
        steps.append(Step(code, own, source=source))
    return f"{example.text}\n", steps


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
