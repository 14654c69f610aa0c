"""The documentation's examples are run, and what they state is compared."""

from __future__ import annotations

import sys
from dataclasses import replace
from textwrap import dedent

import pytest

from conformance.boundary import tensorflow, version
from conformance.contract import Tally, Violation
from conformance.contracts.documentation import documentation_example
from conformance.documentation_cases import EXAMPLES, Place, run_example
from conformance.examples import Fault, Ran, run_examples
from conformance.ledger import Entry, Ledger, ledger

SQUARE = """
    >>> x = tf.constant(3.0)
    >>> with tf.GradientTape() as tape:
    ...   tape.watch(x)
    ...   y = x * x
    >>> print(tape.gradient(y, x))
    tf.Tensor(6.0, shape=(), dtype=float32)
"""


def ran(text: str) -> list[Ran]:
    """What became of the examples of a docstring of our own."""
    run_examples.cache_clear()
    return list(run_examples("tf.ours", dedent(text).strip("\n")))


def faults(text: str) -> list[Fault | None]:
    """What is wrong with them."""
    return [one.fault for one in ran(text)]


def test_what_is_shown_below_a_statement_is_compared() -> None:
    """A number, at the prompt."""
    assert faults(SQUARE) == [None]
    assert faults(SQUARE.replace("(6.0", "(6.5")) == [
        Fault(
            "output",
            "tf.Tensor(6.5, shape=(), dtype=float32)",
            "tf.Tensor(6.0, shape=(), dtype=float32)",
        )
    ]


def test_the_examples_of_a_docstring_share_a_namespace() -> None:
    """A later one sees the names of an earlier one, and its program holds both."""
    first, second = ran(SQUARE + "\n    Then:\n\n    >>> y.numpy().item()\n    9.0\n")

    assert (first.fault, second.fault) == (None, None)
    assert first.program in second.program
    exec(second.program, {"__name__": "pasted"})  # noqa: S102 - it is our own


def test_another_docstring_sees_none_of_them() -> None:
    """Only tf and np are at hand."""
    ran(SQUARE)
    (fault,) = faults(">>> y + np.ones(2)")

    assert fault == Fault("exception", "no exception", "NameError: name 'y' is not defined")


def test_what_tf_print_prints_is_seen() -> None:
    """It writes past Python's own streams; in a tf.function too."""
    text = """
    >>> @tf.function
    ... def twice(x):
    ...   for i in tf.range(2):
    ...     tf.print("running", i)
    ...   return x
    >>> r = twice(1.0)
    running 0
    running 1
    """

    assert faults(text) == [None]
    assert faults(text.replace("running 1\n", "")) == [
        Fault("output", "running 0", "running 0\nrunning 1")
    ]


def test_what_is_not_shown_is_not_compared() -> None:
    """As TensorFlow's own tests have it."""
    assert [(one.compared, one.fault) for one in ran(">>> 1 + 1")] == [(0, None)]


def test_an_exception_is_a_fault() -> None:
    """Its class and its first line are told."""
    assert faults(">>> tf.gradients(1.0, 1.0)")[0] is not None
    assert faults("```\nx = <pseudo-code>\n```") == [
        Fault("exception", "a program", "SyntaxError: invalid syntax")
    ]


RAISES = """
    >>> with tf.GradientTape() as tape:
    ...   tape.watch("text")
    Traceback (most recent call last):
      ...
    ValueError: ...
"""


def test_an_exception_that_is_shown_is_compared() -> None:
    """By its class; and it must come."""
    assert [(one.compared, one.fault) for one in ran(RAISES)] == [(1, None)]
    assert faults(RAISES.replace('"text"', "tf.constant(1.0)")) == [
        Fault("exception", "ValueError", "no exception")
    ]
    (other,) = faults(RAISES.replace("ValueError", "KeyError"))

    assert other is not None
    assert (other.expected, other.got[:12]) == ("KeyError", "ValueError: ")


def test_what_is_not_python_is_left_out_of_the_program_that_is_printed() -> None:
    """As is what could not run: the program must come to the example that failed."""
    *_, last = ran("```\nx = <pseudo>\n```\nText.\n\n```\nno_name\n```\nText.\n\n>>> 1\n2")

    assert last.program == "import numpy as np\nimport tensorflow as tf\n\n1\n"


FENCED = """
    ```python
    with tf.GradientTape() as g:
      # y will evaluate to 4.0
      x = tf.Variable([1.0, 2.0])
      y = tf.reduce_sum(x) + 1.0
    # a note: [x, x] = [[1, 2], [1, 2]]
    z = g.gradient(y, x)
    # z value is [1., 1.]
    ```
"""


def test_what_a_comment_states_is_compared() -> None:
    """Before, beside or after the statement to which it belongs."""
    assert [(one.compared, one.fault) for one in ran(FENCED)] == [(3, None)]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("to 4.0", "to 4.2", Fault("output", "y = 4.2", "4.0")),
        ("[1., 1.]", "[1., 0.]", Fault("output", "z = [1., 0.]", "[1.0, 1.0]")),
        ("[1., 1.]", "[1.]", Fault("output", "z = [1.]", "[1.0, 1.0]")),
    ],
)
def test_a_comment_that_states_another_value_is_a_fault(old: str, new: str, fault: Fault) -> None:
    """A planted lie."""
    assert faults(FENCED.replace(old, new)) == [fault]


@pytest.mark.parametrize(
    "comment",
    [
        "without it, we should see x = 5",
        "x = 5, but not here",
        "this is 5",
        "`x=5` means",
        "(4*x^3 at x = 3)",
    ],
)
def test_other_comments_state_nothing(comment: str) -> None:
    """No value, or no name."""
    this = "this = 5\n" if comment == "this is 5" else ""

    assert faults(f"```\n{this}x = 1  # {comment}\n```") == [None]


def test_nothing_is_left_changed() -> None:
    """What shows values, and tf.print."""
    before = sys.displayhook, tensorflow().print
    ran(">>> tf.print(1)\n>>> no_such_name")

    assert (sys.displayhook, tensorflow().print) == before


# -- the contract ----------------------------------------------------------------------------------

WATCH = "tf.GradientTape.stop_recording"


def look(number: int = 1) -> Tally | Violation:
    """What the contract says of an example of tf.GradientTape.stop_recording."""
    run_examples.cache_clear()
    try:
        return documentation_example.check(run_example(Place(WATCH, number), "eager"))
    except Violation as violation:
        return violation


def test_an_example_that_runs_and_shows_what_comes_out_holds() -> None:
    """One check for the output, one because it ran."""
    assert look() == Tally(conclusive=2)


def test_an_example_with_a_wrong_output_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted in the docstring."""
    method = tensorflow().GradientTape.stop_recording
    lie = method.__doc__.replace("print(dy_dx)\n    None", "print(dy_dx)\n    8.0")
    lie = lie.replace("print(dy_dx)\nNone", "print(dy_dx)\n8.0")  # as Python 3.13 keeps docstrings
    monkeypatch.setattr(method, "__doc__", lie)
    found = look()

    assert isinstance(found, Violation)
    assert (found.kind, found.expected, found.got) == ("output", "8.0", f"{WATCH}#1: None")
    assert found.where.startswith("import numpy as np\nimport tensorflow as tf\n\nx = tf.constant(")


def filed(monkeypatch: pytest.MonkeyPatch, fragment: str) -> None:
    """File the example that holds a fragment."""
    entry = Entry("example", WATCH, fragment, "it is ours", (2, 8), None)
    other = Ledger({WATCH: 1}, {}, (entry,), frozenset())
    monkeypatch.setattr("conformance.documentation_cases.ledger", lambda: other)


def test_a_filed_example_that_runs_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must be taken off the ledger."""
    filed(monkeypatch, "with tape.stop_recording():")
    found = look()

    assert isinstance(found, Violation)
    assert (found.kind, found.got) == ("filed", f"{WATCH}#1: it ran")


def test_a_filed_example_that_cannot_run_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its reason; unfiled, it is a violation."""
    text = "Text.\n\n>>> no_such_name\n"
    monkeypatch.setattr("conformance.documentation_cases.installed", lambda _: text)
    unfiled = look()
    filed(monkeypatch, "no_such_name")

    assert isinstance(unfiled, Violation)
    assert unfiled.kind == "exception"
    assert look() == Tally(inconclusive={"cannot run as it stands: it is ours": 1})


def test_every_example_of_the_installed_version_is_a_subject() -> None:
    """No docstring has more than the ledger counts."""
    minor = version(tensorflow())
    assert minor >= (2, 8)
    assert len(EXAMPLES.subjects) == sum(ledger().symbols.values())
    assert replace(Place(WATCH), number=1).digest != Place(WATCH).digest
