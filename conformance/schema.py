"""Whether data is as a JSON Schema has it: as much of the language as our schemas use.

A library would do, but takes seconds for a record, and would be the one thing that reading records
needs beside Python. Each part of a schema is made into a function once. That they agree with such a
library is tested.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple


class Fault(NamedTuple):
    """What is wrong with data.

    Attributes:
        data: the part that is wrong.
        wrong: what should have been, or what is wrong.
        way: where that part is, as in ``outcomes[3].mode``.
    """

    data: Any
    wrong: str
    way: str = ""

    def __str__(self) -> str:
        return f"{self.way.lstrip('.') or 'all of it'}: {self.wrong}, got {_shown(self.data)}"

    def at(self, step: str) -> Fault:
        """The same, seen from a step further out."""
        return self._replace(way=step + self.way)


Check = Callable[[Any], "Fault | None"]
"""What is wrong with data first; None: nothing."""

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
}
_SILENT: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "then"})
_SHOWN = 60


def checker(schema: Mapping[str, Any]) -> Check:
    """A function that says what is wrong with data first; None if nothing is.

    Args:
        schema: a JSON Schema with its own ``$defs``, of which none holds itself.

    Raises:
        NotImplementedError: if it uses a keyword that is not known here.
    """
    return _Maker(schema.get("$defs", {})).part(schema)


class _Maker:
    """Makes functions of the parts of a schema, of each definition once."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self.definitions = definitions
        self._made: dict[str, Check] = {}

    def part(self, given: Mapping[str, Any]) -> Check:
        """The function of a part."""
        return _all([self._rule(key, given) for key in given if key not in _SILENT])

    def named(self, reference: str) -> Check:
        """The function of a definition."""
        name = reference.removeprefix("#/$defs/")
        if name not in self._made:
            self._made[name] = self.part(self.definitions[name])
        return self._made[name]

    def properties(self, given: Mapping[str, Any]) -> Check:
        """What is said of an object's properties, by name or of all others."""
        known = {name: self.part(one) for name, one in given.get("properties", {}).items()}
        others = given.get("additionalProperties", True)
        return _properties(known, others if isinstance(others, bool) else self.part(others))

    def _rule(self, key: str, given: Mapping[str, Any]) -> Check:
        if key in _SIMPLE:
            return _SIMPLE[key](given[key])
        if key in _NESTED:
            return _NESTED[key](self, given)
        raise NotImplementedError(key)


def _all(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(data: Any) -> Fault | None:
        for one in checks:
            if fault := one(data):
                return fault
        return None

    return check


def _any(checks: list[Check]) -> Check:
    def check(data: Any) -> Fault | None:
        fault: Fault | None = None
        for one in checks:
            fault = one(data)
            if fault is None:
                return None
        return fault

    return check


def _implies(maker: _Maker, given: Mapping[str, Any]) -> Check:
    condition, consequence = _condition(maker, given["if"]), maker.part(given["then"])
    return lambda data: consequence(data) if condition(data) else None


def _condition(maker: _Maker, given: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Whether data is as a part has it; at once where that asks a property for a word."""
    [(name, asked), *others] = given.get("properties", {"": {}}).items()
    words = asked.get("enum", [asked["const"]] if "const" in asked else ())
    plain = given.keys() == {"properties"} and len(asked) == 1 and not others
    if plain and words and all(isinstance(word, str) for word in words):
        return lambda data: not isinstance(data, dict) or data.get(name, words[0]) in words
    check = maker.part(given)
    return lambda data: check(data) is None


def _type(names: Any) -> Check:
    names = [names] if isinstance(names, str) else names
    allowed = tuple(kind for name in names if name != "integer" for kind in _TYPES[name])
    whole, truth = "integer" in names, bool in allowed
    expected = f"expected {' or '.join(names)}"
    usual = {*allowed, *([int] if whole else [])} - {float}

    def check(data: Any) -> Fault | None:
        if type(data) in usual:  # nearly always, and fast
            return None
        if isinstance(data, bool):
            fits = truth
        elif isinstance(data, float) and not math.isfinite(data):
            fits = False
        else:
            fits = isinstance(data, allowed) or (
                whole and (isinstance(data, int) or (isinstance(data, float) and data.is_integer()))
            )
        return None if fits else Fault(data, expected)

    return check


def _enum(values: Any) -> Check:
    words = frozenset(values)
    expected = f"expected one of {', '.join(values)}"

    def check(data: Any) -> Fault | None:
        if isinstance(data, str) and data in words:
            return None
        return Fault(data, expected)

    return check


def _const(value: Any) -> Check:
    expected = f"expected {value!r}"

    def check(data: Any) -> Fault | None:
        same = not isinstance(data, bool) and data == value
        return None if same else Fault(data, expected)

    return check


def _pattern(pattern: str) -> Check:
    # in Python a dollar also stands before a line's end that is the last character
    compiled = re.compile(re.sub(r"\$$", r"\\Z", pattern))
    expected = f"expected {pattern}"

    def check(data: Any) -> Fault | None:
        if not isinstance(data, str) or compiled.search(data):
            return None
        return Fault(data, expected)

    return check


def _least(kind: tuple[type, ...], measure: Callable[[Any], Any], what: str) -> Any:
    def maker(least: Any) -> Check:
        expected = f"expected {least} {what}or more"

        def check(data: Any) -> Fault | None:
            fits = not isinstance(data, kind) or measure(data) >= least
            return None if fits else Fault(data, expected)

        return check

    return maker


def _most(most: Any) -> Check:
    expected = f"expected {most} or less"

    def check(data: Any) -> Fault | None:
        fits = not isinstance(data, int | float) or data <= most
        return None if fits else Fault(data, expected)

    return check


def _required(names: list[str]) -> Check:
    needed = frozenset(names)

    def check(data: Any) -> Fault | None:
        if not isinstance(data, dict) or needed <= data.keys():
            return None
        return Fault(data, f"expected also {', '.join(sorted(needed - data.keys()))}")

    return check


def _unique(asked: Any) -> Check:
    def check(data: Any) -> Fault | None:
        if not asked or not isinstance(data, list):
            return None
        seen = [repr(one) for one in data]
        return None if len(set(seen)) == len(seen) else Fault(data, "expected each but once")

    return check


def _items(item: Check) -> Check:
    def check(data: Any) -> Fault | None:
        if isinstance(data, list):
            for number, one in enumerate(data):
                if fault := item(one):
                    return fault.at(f"[{number}]")
        return None

    return check


def _names(name: Check) -> Check:
    def check(data: Any) -> Fault | None:
        if isinstance(data, dict):
            for one in data:
                if fault := name(one):
                    return fault.at(f"[{_shown(one)}]")
        return None

    return check


def _properties(known: Mapping[str, Check], others: Any) -> Check:
    def check(data: Any) -> Fault | None:
        if not isinstance(data, dict):
            return None
        for name in data if others is not True else known.keys() & data.keys():
            rule: Any = known.get(name, others)
            value = data[name]
            if rule is False:
                return Fault(name, f"expected no more than {', '.join(known)}")
            fault: Fault | None = None if rule is True else rule(value)
            if fault:
                return fault.at(f".{name}" if name in known else f"[{_shown(name)}]")
        return None

    return check


_SIMPLE: Final[Mapping[str, Callable[[Any], Check]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "required": _required,
    "uniqueItems": _unique,
    "maximum": _most,
    "minimum": _least((int, float), lambda data: data, ""),
    "minLength": _least((str,), len, "characters "),
    "minItems": _least((list,), len, "items "),
    "minProperties": _least((dict,), len, "entries "),
}


_NESTED: Final[Mapping[str, Callable[[_Maker, Mapping[str, Any]], Check]]] = {
    "$ref": lambda maker, given: maker.named(given["$ref"]),
    "allOf": lambda maker, given: _all([maker.part(one) for one in given["allOf"]]),
    "anyOf": lambda maker, given: _any([maker.part(one) for one in given["anyOf"]]),
    "if": _implies,
    "items": lambda maker, given: _items(maker.part(given["items"])),
    "propertyNames": lambda maker, given: _names(maker.part(given["propertyNames"])),
    "properties": _Maker.properties,
    "additionalProperties": lambda maker, given: (
        _all([]) if "properties" in given else maker.properties(given)
    ),
}


def _shown(data: Any) -> str:
    """A value in a few characters, without any that a terminal would obey."""
    if isinstance(data, dict | list):
        return f"an {'object' if isinstance(data, dict) else 'array'} of {len(data)}"
    text = ascii(data)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
