"""Known deviations: how an entry is read, what it covers, and how a wrong one is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.contract import UNDOCUMENTED, Contract, Tally, Violation
from conformance.deviations import _FIELDS, FILE, Deviation, load
from conformance.drawn_programs import ProgramCase
from conformance.errors import UsageError
from strategies.graphs import Argument, Constant, Graph, Node, Ref
from strategies.programs import Assign, Call, Make, Program, Same, Statement
from strategies.tensors import Input, TensorType
from strategies.values import REAL

KNOWN = ["gradient-value", "gradient-shape"]

ENTRY = """\
[[deviation]]
id = "cumprod-zero"
contracts = ["gradient-value"]
ops = ["tf.math.cumprod"]
modes = ["eager"]
versions = "2.8-2.21"
kind = "value"
got = "nan"
witness = "print(1)"
reason = "it divides by zero"
link = "https://example.org/1"
"""

HINT = "the head of conformance/deviations.toml shows how an entry looks"

MADE = Deviation(
    id="cumprod-zero",
    contracts=("gradient-value",),
    ops=("tf.math.cumprod",),
    modes=("eager",),
    since=(2, 8),
    until=(2, 21),
    kind="value",
    got="nan",
    witness="print(1)",
    reason="it divides by zero",
    link="https://example.org/1",
)


def case(*ops: str, dtype: str = "float64") -> SimpleNamespace:
    """As much of a case as is looked at: a graph of these ops, one after the other."""
    kind = TensorType(dtype, ())
    nodes = [Node(op, op, (Ref(0),), (), (kind,)) for op in ops]
    return SimpleNamespace(graph=Graph((Input(kind, REAL),), tuple(nodes), (len(nodes),)))


def violation(contract: str = "gradient-value", kind: str = "value", got: str = "nan") -> Violation:
    """A violation of a contract."""
    found = Violation(kind=kind, expected="1.0", got=got, where="", why="")
    found.contract = Contract(
        contract, "", (UNDOCUMENTED,), ("eager",), (2, 8), None, 0.5, lambda _: Tally()
    )
    return found


def write(folder: Path, *entries: str) -> Path:
    """A file of entries."""
    path = folder / "deviations.toml"
    path.write_text("\n".join(entries), encoding="utf-8")
    return path


def test_an_entry_is_read_as_written(tmp_path: Path) -> None:
    """Lists become tuples, versions become numbers."""
    assert load(write(tmp_path, ENTRY), KNOWN) == (MADE,)


@pytest.mark.parametrize(
    ("versions", "covered"),
    [("2.8-2.10", [8, 9, 10]), ("2.10-", [10, 11]), ("2.9", [9])],
)
def test_a_version_range_includes_its_ends(
    tmp_path: Path, versions: str, covered: list[int]
) -> None:
    """One that has no end lasts, and a single version is a range of one."""
    (made,) = load(write(tmp_path, ENTRY.replace("2.8-2.21", versions)), KNOWN)

    assert [minor for minor in range(8, 12) if made.covers((2, minor))] == covered


def test_a_failure_matches_by_contract_kind_mode_op_and_answer() -> None:
    """All five must agree; the op may be anywhere in the graph."""
    inside = case("tf.math.sin", "tf.math.cumprod")

    assert MADE.matches(violation(), "tf.math.sin", "eager", inside)
    assert not MADE.matches(violation(), "tf.math.sin", "eager", case("tf.math.sin"))
    assert not MADE.matches(violation(), "tf.math.sin", "xla", inside)
    assert not MADE.matches(violation("gradient-shape"), "tf.math.sin", "eager", inside)
    assert not MADE.matches(violation(kind="none"), "tf.math.sin", "eager", inside)
    assert not MADE.matches(violation(got="0.5"), "tf.math.sin", "eager", inside)


def test_a_death_matches_by_what_was_said_and_one_contract_of_those_that_asked() -> None:
    """Of what is no death nothing does."""
    known = replace(MADE, kind="crash", got="Check failed")
    asked = ["another", *known.contracts]
    where = ("", "eager", case("tf.math.cumprod"))

    assert known.kills(asked, "Aborted: Check failed: x", *where)
    assert not known.kills(["another"], "Aborted: Check failed: x", *where)
    assert not known.kills(asked, "Aborted", *where)
    assert not known.kills(asked, "Aborted: Check failed: x", "", "eager", case("tf.math.sin"))
    assert not replace(MADE, got="").kills(asked, "Aborted", *where)


def test_a_dtype_is_asked_of_the_op_itself() -> None:
    """Not of its neighbours."""
    coarse = replace(MADE, dtypes=("bfloat16",))

    assert coarse.matches(violation(), "", "eager", case("tf.math.cumprod", dtype="bfloat16"))
    assert not coarse.matches(violation(), "", "eager", case("tf.math.cumprod"))


def test_an_integer_that_is_there_twice_is_asked_of_one_argument() -> None:
    """Given as Python ints or as a tensor, nested or not."""
    twice = replace(MADE, operands=("repeated",))

    def matches(argument: Argument) -> bool:
        program = case("tf.math.cumprod")
        node = replace(program.graph.nodes[0], kwargs=(("indices", argument), ("axis", 0)))
        program.graph = replace(program.graph, nodes=(node,))
        return twice.matches(violation(), "", "eager", program)

    assert matches(Constant((0, 0), "int32"))
    assert matches(((0, 1), (1, 2)))
    assert not matches((0, 1))
    assert not matches(Ref(0))


def test_what_a_program_assigns_is_followed_to_the_ops_of_which_it_comes() -> None:
    """Also by a read under another name; not to an op off that way, nor where none is assigned."""
    vector = TensorType("float64", (2,))

    def call(slot: int, op: str, operand: int) -> Statement:
        return Call((slot,), Node(op, f"{op}({{0}})", (Ref(operand),), (), (vector,)))

    body = (
        Make(0, "variable", vector, (1.0, 2.0)),
        call(1, "tf.math.cumprod", 0),
        Same(2, 1, "tf.identity({})"),
        call(3, "tf.math.exp", 2),
        call(4, "tf.math.sin", 3),
    )

    def matches(op: str, *last: Statement) -> bool:
        program = Program(body + last, ("v0", "y1", "y2", "y3", "y4"), (vector,) * 5)
        deviation = replace(MADE, ops=(), assigned=(op,))
        return deviation.matches(violation(), "", "eager", ProgramCase(program))

    assign = Assign(0, "assign", 3)
    assert matches("tf.math.exp", assign)
    assert matches("tf.math.cumprod", assign)
    assert not matches("tf.math.sin", assign)
    assert not matches("tf.math.exp")
    plain = replace(MADE, assigned=("tf.math.cumprod",))
    assert not plain.matches(violation(), "", "eager", case("tf.math.cumprod"))


def test_an_op_that_returns_its_operand_puts_one_tensor_in_two_places() -> None:
    """Twice one value is the same tensor too; what an op has made is another one."""
    same = replace(MADE, operands=("same",))

    def matches(*places: int, aliases: bool = True) -> bool:
        program = case("tf.math.cumprod")
        graph = program.graph
        (kind,) = graph.nodes[0].outputs
        copy = Node("tf.math.real", "tf.math.real", (Ref(0),), (), (kind,), aliases=aliases)
        node = replace(graph.nodes[0], args=tuple(map(Ref, places)))
        program.graph = replace(graph, nodes=(copy, node))
        return same.matches(violation(), "", "eager", program)

    assert matches(0, 1)
    assert matches(1, 1)
    assert not matches(0, 1, aliases=False)
    assert not matches(1)


def test_two_ops_in_one_program_are_asked_for_apart() -> None:
    """Neither of them alone is what is known."""
    both = replace(MADE, beside=("tf.math.sin", "tf.math.cos"))
    one, other = case("tf.math.cumprod"), case("tf.math.sin")
    nodes = (*one.graph.nodes, *other.graph.nodes)
    together = case("tf.math.cumprod")
    together.graph = replace(one.graph, nodes=nodes)

    assert both.matches(violation(), "", "eager", together)
    for program in (one, other, object()):
        assert not both.matches(violation(), "tf.math.cumprod", "eager", program)


def test_a_case_without_a_graph_is_known_by_its_subject() -> None:
    """A docstring's example, say."""
    assert MADE.matches(violation(), "tf.math.cumprod", "eager", object())
    assert not MADE.matches(violation(), "tf.math.sin", "eager", object())


def test_an_entry_that_names_no_op_and_no_mode_matches_any() -> None:
    """What shows everywhere need not be listed."""
    anywhere = replace(MADE, ops=(), modes=())

    assert anywhere.matches(violation(), "", "xla", object())
    assert anywhere.matches(violation(), "", "xla", case("tf.math.sin"))


LISTED = "contracts, got, id, kind, link, modes, ops, reason, versions, witness"

UNTERMINATED = "missing ), unterminated subpattern at position 3"

BROKEN = {
    'link = "https://example.org/1"\n': (
        "",
        "deviation 'cumprod-zero' has these fields too many or too few: link",
        f"{LISTED}; perhaps assigned, beside, dtypes, flickers, operands, processor",
        HINT,
    ),
    'reason = "it': (
        'because = ""\nreason = "it',
        "deviation 'cumprod-zero' has these fields too many or too few: because",
        f"{LISTED}; perhaps assigned, beside, dtypes, flickers, operands, processor",
        HINT,
    ),
    'link = "https://example.org/1"': (
        'flickers = 1\nlink = ""',
        "deviation 'cumprod-zero' has the flickers 1",
        "true",
        "leave it out if the same program always fails",
    ),
    '["gradient-value"]': (
        '["gradient-valeu"]',
        "deviation 'cumprod-zero' has 'gradient-valeu' among its contracts",
        "the id of a contract",
        "did you mean 'gradient-value'?",
    ),
    '["tf.math.cumprod"]': (
        '"tf.math.cumprod"',
        "deviation 'cumprod-zero' has the ops 'tf.math.cumprod'",
        "a list of strings",
        HINT,
    ),
    "tf.math.cumprod": (
        "tf.math.cumprob",
        "deviation 'cumprod-zero' has 'tf.math.cumprob' among its ops",
        "the name of a catalogue entry",
        "did you mean 'tf.math.cumprod'?",
    ),
    'got = "nan"': (
        'dtypes = ["float63"]\ngot = "nan"',
        "deviation 'cumprod-zero' has 'float63' among its dtypes",
        "one of float64, float32, float16, bfloat16, complex128, complex64",
        "did you mean 'float64'?",
    ),
    '"2.8-2.21"': (
        "2.8",
        "deviation 'cumprod-zero' has the versions 2.8",
        "a string",
        HINT,
    ),
    '["eager"]': (
        '["xal"]',
        "deviation 'cumprod-zero' has 'xal' among its modes",
        "one of eager, function, outer, xla, dynamic",
        "did you mean 'xla'?",
    ),
    "2.8-2.21": (
        "since 2.8",
        "deviation 'cumprod-zero' has the versions 'since 2.8'",
        "the first and the last minor version that have it: 2.8-2.21",
        "leave out the last while it lasts: 2.8-",
    ),
    'kind = "value"\n': (
        'kind = "value"\noperands = ["nought"]\n',
        "deviation 'cumprod-zero' has 'nought' among its operands",
        "one of zero, empty, broadcast, same, repeated",
        "known are zero, empty, broadcast, same, repeated",
    ),
    'kind = "value"': (
        'kind = "crash"\noperands = ["zero"]',
        "deviation 'cumprod-zero' is a crash and has 'zero' among its operands",
        "what can be told of a case that is not run",
        "leave it out",
    ),
    '"nan"': (
        '"nan("',
        f"deviation 'cumprod-zero' has the pattern 'nan(': {UNTERMINATED}",
        "a regular expression that is found in what TensorFlow answered",
        "put a backslash before each of . * + ? ( ) [ ] that stands for itself",
    ),
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_wrong_entry_is_refused(tmp_path: Path, part: str) -> None:
    """What is wrong, what was expected, what to do."""
    instead, what, expected, hint = BROKEN[part]
    assert ENTRY.count(part) == 1
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, ENTRY.replace(part, instead)), KNOWN)

    assert str(caught.value) == f"{what}\n  expected: {expected}\n  hint: {hint}"


def test_an_id_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Records name deviations by their id."""
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, ENTRY, ENTRY), KNOWN)

    assert str(caught.value) == (
        "deviation 'cumprod-zero' is there twice\n"
        "  expected: one entry for each id\n"
        "  hint: ids are permanent: give the later one another"
    )


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    """The parser's words say where."""
    path = write(tmp_path, "[[deviation]\n")
    with pytest.raises(UsageError) as caught:
        load(path, KNOWN)

    first, *rest = str(caught.value).splitlines()
    assert first.startswith(f"{path} is not TOML: Expected ']]'")
    assert rest == ["  expected: a TOML file of [[deviation]] tables", f"  hint: {HINT}"]


def test_the_head_of_the_file_shows_every_field() -> None:
    """Who adds an entry copies it from there."""
    shown = re.findall(r"^# (\w+) +=", FILE.read_text("utf-8"), re.MULTILINE)

    assert set(shown) == _FIELDS
