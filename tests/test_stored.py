"""Failures as files: what they say, and that none of an earlier run is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.errors import ExitCode, UsageError
from conformance.stored import Stored, file_name, folder_of, parse, store

FAILURE = Stored(
    contract="gradient-exists",
    sentence="There is one.",
    subject="tf.math.cos",
    mode="eager",
    kind="exception",
    expected="a gradient",
    got="ValueError: one\n\n  two",
    because="it is so",
    versions="python 3.11.9, tensorflow 2.21.0",
    search='pytest "x"',
    program="import tensorflow as tf\n\nprint(tf)\n",
)


def test_a_stored_program_says_what_it_is_about_and_runs() -> None:
    """Comments, the program, and a last line."""
    assert FAILURE.text() == (
        "# tapemeasure failure 1\n"
        "# contract: gradient-exists\n"
        "# sentence: There is one.\n"
        "# subject: tf.math.cos\n"
        "# mode: eager\n"
        "# kind: exception\n"
        "# expected: a gradient\n"
        "# got: ValueError: one\n"
        "#\n"
        "#       two\n"
        "# because: it is so\n"
        "# versions: python 3.11.9, tensorflow 2.21.0\n"
        '# search: pytest "x"\n'
        "\n"
        "import tensorflow as tf\n"
        "\n"
        "print(tf)\n"
        "# end\n"
    )


def test_what_is_stored_is_read_again() -> None:
    """Every field, with its lines."""
    assert parse(FAILURE.text(), "a.py") == FAILURE


@pytest.mark.parametrize("sign", ["\r", "\x0c", "\x1b[31m", "\x85", "\u2028", "\x00"])
def test_no_message_of_an_exception_breaks_out_of_its_comment(sign: str) -> None:
    """What ends a line elsewhere is escaped."""
    text = replace(FAILURE, got=f"ValueError: {sign}print(1)").text()

    assert compile(text, "a.py", "exec").co_names == compile(FAILURE.program, "", "exec").co_names
    assert parse(text, "a.py").got.endswith("print(1)")


def test_a_file_is_named_for_contract_subject_and_mode() -> None:
    """In signs that every file system takes."""
    assert file_name("a-b", "tf.GradientTape#3", "eager") == "a-b-tf.GradientTape_3-eager.py"
    assert file_name("a-b", "", "eager") == "a-b-eager.py"
    assert folder_of(Path("results/tf2.21.json")) == Path("results/tf2.21.failures")
    assert folder_of(Path("results/tf2.21")) == Path("results/tf2.21.failures")


def test_failures_of_an_earlier_run_go(tmp_path: Path) -> None:
    """But nothing that others have put beside them."""
    record, other = tmp_path / "mine.json", replace(FAILURE, mode="xla")
    store([FAILURE, other], record)
    folder = folder_of(record)
    (folder / "mine.py").write_text("print(1)")
    store([other], record)

    assert sorted(p.name for p in folder.iterdir()) == [other.name, "mine.py"]
    assert (folder / other.name).read_text() == other.text()


def test_where_nothing_fails_no_folder_is_left(tmp_path: Path) -> None:
    """Nor made."""
    store([], tmp_path / "mine.json")
    store([FAILURE], tmp_path / "mine.json")
    store([], tmp_path / "mine.json")

    assert list(tmp_path.iterdir()) == []


BROKEN: dict[str, tuple[Callable[[str], str], str]] = {
    "newer": (
        lambda text: text.replace("failure 1", "failure 2"),
        """\
a.py is a failure of format 2
  expected: format 1 or older
  hint: a newer tapemeasure wrote it: replay it with that one, or run it with python""",
    ),
    "truncated": (
        lambda text: text[:-20],
        """\
a.py is truncated: its last line is not '# end'
  expected: a program as it was stored
  hint: run the suite with --tape-record again, or add the line if you cut the program""",
    ),
    "without its mode": (
        lambda text: text.replace("# mode: ", "# mod: "),
        """\
a.py does not say its mode
  expected: a line '# mode: ...'
  hint: did you mean 'mod'?""",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_one_error(how: str) -> None:
    """What is wrong, what was expected, what to do."""
    change, message = BROKEN[how]

    with pytest.raises(UsageError) as raised:
        parse(change(FAILURE.text()), "a.py")

    assert str(raised.value) == message
    assert raised.value.code == ExitCode.UNREADABLE
