"""The contracts as their modules state them: chapters and properties, read and never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from conformance.suite import ROOT

CONTRACTS: Final = ROOT / "conformance" / "contracts"


@dataclass(frozen=True)
class Chapter:
    """A module of contracts.

    Attributes:
        name: of the module.
        title: what it is about, in a line.
    """

    name: str
    title: str


@dataclass(frozen=True)
class Property:
    """The check of a contract.

    Attributes:
        chapter: where it stands.
        line: of its decorator.
        text: its source, decorator and all.
    """

    chapter: Chapter
    line: int
    text: str

    @property
    def place(self) -> str:
        """The file and the line, from the top of the repository."""
        return f"conformance/contracts/{self.chapter.name}.py:{self.line}"


@cache
def properties() -> dict[str, Property]:
    """The property of each contract, by its id, in the order of the chapters."""
    found: dict[str, Property] = {}
    for module in _order():
        path = CONTRACTS / f"{module}.py"
        text = path.read_text("utf-8")
        tree = ast.parse(text)
        chapter = Chapter(module, (ast.get_docstring(tree) or module).splitlines()[0].rstrip("."))
        lines = text.splitlines()
        for id_, first, last in _stated(tree):
            found[id_] = Property(chapter, first, "\n".join(lines[first - 1 : last]))
    return found


def _order() -> list[str]:
    """The chapters, as the module that collects them has them."""
    tree = ast.parse((CONTRACTS / "test_contracts.py").read_text("utf-8"))
    listed = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CHAPTERS"
    ]
    return [ast.unparse(name) for name in ast.walk(listed[0]) if isinstance(name, ast.Name)]


def _stated(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Each contract's id with the first and the last line of its check."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                id_ = _id(decorator)
                if id_:
                    yield id_, decorator.lineno, node.end_lineno or node.lineno


def _id(decorator: ast.expr) -> str:
    """The id that a decorator such as ``@SCENES.contract("an-id", ...)`` states; empty if none."""
    if isinstance(decorator, ast.Call) and decorator.args:
        first = decorator.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            return first.value
    return ""
