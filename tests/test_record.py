"""The record: verdicts from counts, its schema, and how it is written."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its annotations are another distribution
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.modes import MODES
from conformance.record import (
    FATES,
    SCHEMA_FILE,
    VERDICTS,
    Failure,
    Outcome,
    Record,
    Unfinished,
    check_writable,
    outcome_from_json,
)
from conformance.summary import summary_lines

SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))

FAILURE = Failure("value", "1.0", "2.0", "print(1)", "finite differences", "pytest x")

HEADER = {
    "tapemeasure": "0.1.0",
    "suite": "0123456789abcdef",
    "selection": [],
    "shard": None,
    "profile": "quick",
    "seed": 0,
    "examples": None,
    "modes": ["eager"],
    "versions": {
        "python": "3.11.7",
        "tensorflow": "2.21.0",
        "keras": None,
        "numpy": "2.4.6",
        "hypothesis": "6.168.5",
        "pytest": "9.2.0",
        "protobuf": "7.36.2",
        "ml-dtypes": None,
    },
    "machine": {
        "system": "Linux",
        "machine": "x86_64",
        "cores": 2,
        "extensions": ["avx2", "fma"],
        "byteorder": "little",
    },
    "environment": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "started": "2026-11-22T16:26:02Z",
    "used": {"tensorflow": "2.21.0", "git": "v2.21.0", "devices": ["CPU"]},
}


def outcome(**more: Any) -> Outcome:
    """An outcome that holds, but for what is given."""
    usual = {
        "subject": "tf.math.sin",
        "verdict": "holds",
        "examples": 3,
        "conclusive": 3,
        "digest": "0123456789abcdef",
        "fates": "hhh",
    }
    return Outcome("a-promise", mode="eager", **{**usual, **more})


CITES = ("docstring", "tf.GradientTape", "a few words"), ("undocumented", "", "")

CONTRACT = {
    "id": "a-promise",
    "sentence": "Something is so.",
    "citations": [dict(zip(("kind", "where", "words"), cite, strict=True)) for cite in CITES],
}

HASH = "0123456789abcdef"

NOTES: list[dict[str, Any]] = [
    {
        "note": "citation",
        "contract": "a-promise",
        "where": "tf.GradientTape",
        "words": "a few words",
        "sentence": "It has a few words.",
        "hash": HASH,
    },
    {
        "note": "sentence",
        "symbol": "tf.GradientTape",
        "sentence": "It has a few words.",
        "hash": HASH,
        "state": "cited",
        "by": ["a-promise"],
    },
    {"note": "docstring", "symbol": "tf.GradientTape", "text": "It has a\n  few words."},
    {"note": "gradient", "name": "Sin", "contracts": ["a-promise"], "ops": ["tf.math.sin"]},
    {
        "note": "programs",
        "digest": HASH,
        "item": "test_x.py::graph[tf.math.sin-eager]",
        "prefixes": "0123456701230123",
        "seconds": 0.5,
    },
    {
        "note": "deviation",
        "id": "cumprod-zero",
        "reason": "it divides by zero",
        "link": "",
        "witness": "print(1)",
    },
    {
        "note": "observation",
        "subject": "tf.math.sqrt",
        "special": "zeros",
        "program": "print(tape.gradient(y, x))",
        "values": ["tf.constant(0.0, tf.float64)"],
        "answer": "x0: inf",
    },
]


def record(*outcomes: Outcome) -> Record:
    """A complete record of a run that has read the documentation."""
    made = Record(HEADER, list(outcomes), [CONTRACT], complete=True, seconds=1.5)
    made.registered = {"Cos": "", "Sin": ""}
    made.modules = {"Sin": "tensorflow.math_grad"}
    made.note(copy.deepcopy(NOTES))
    return made


def complaints(data: Any) -> list[str]:
    """Where a record is not as the schema has it."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return sorted(error.json_path for error in validator.iter_errors(data))


# -- verdicts --------------------------------------------------------------------------------------

VERDICT_RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "a failure decides": ("violated", {"failure": FAILURE, "conclusive": 9, "gaps": {"e": 1}}),
    "a failure beats a known deviation": ("violated", {"failure": FAILURE, "deviations": {"d": 1}}),
    "a deviation beats what holds": ("deviates", {"deviations": {"d": 1}, "conclusive": 9}),
    "a deviation beats a gap": ("deviates", {"deviations": {"d": 1}, "gaps": {"e": 1}}),
    "gaps alone are a gap": ("gap", {"gaps": {"e": 2}}),
    "a gap beside conclusive checks holds": ("holds", {"gaps": {"e": 1}, "conclusive": 1}),
    "all rejected is unsupported": ("unsupported", {"examples": 3, "rejected": {"a": 1, "b": 2}}),
    "some rejected, none decided": ("inconclusive", {"examples": 3, "rejected": {"a": 2}}),
    "some rejected, one decided": (
        "holds",
        {"examples": 3, "rejected": {"a": 2}, "conclusive": 1},
    ),
    "nothing ran": ("inconclusive", {}),
    "a check that cannot fail is no evidence": ("inconclusive", {"examples": 3, "trivial": 9}),
    "at the floor": ("holds", {"conclusive": 2, "inconclusive": {"r": 1, "s": 1}}),
    "under the floor": ("inconclusive", {"conclusive": 2, "inconclusive": {"r": 2, "s": 1}}),
    "trivial checks do not count": (
        "inconclusive",
        {"conclusive": 1, "trivial": 9, "inconclusive": {"r": 2}},
    ),
}


@pytest.mark.parametrize("rule", VERDICT_RULES)
def test_a_verdict_follows_from_the_counts(rule: str) -> None:
    """Failure, deviation, gap, unsupported, the floor (here one half), holds: in this order."""
    verdict, counts = VERDICT_RULES[rule]
    judged = Outcome("a-promise", "", "eager", **counts)
    judged.judge(0.5)

    assert judged.verdict == verdict


def test_a_floor_of_zero_still_asks_for_one_conclusive_check() -> None:
    """Nothing holds by default."""
    judged = Outcome("a-promise", "", "eager", inconclusive={"r": 1})
    judged.judge(0.0)

    assert judged.verdict == "inconclusive"


# -- reading and writing ---------------------------------------------------------------------------

names = st.text(st.characters(codec="utf-8"), max_size=8)
naturals = st.integers(0, 2**40)
counts = st.dictionaries(names, st.integers(1, 2**40), max_size=3)
failures = st.builds(Failure, *[names] * 6)
outcomes = st.builds(
    Outcome,
    names,
    names,
    st.sampled_from(sorted(MODES)),
    st.sampled_from(VERDICTS),
    naturals,
    naturals,
    naturals,
    counts,
    counts,
    counts,
    counts,
    names,
    st.text("".join(FATES)),
    st.floats(0, 1e6),
    st.none() | failures,
)


@given(original=outcomes)
def test_an_outcome_survives_json(original: Outcome) -> None:
    """What is read is what was written, whatever the texts in it."""
    assert outcome_from_json(json.loads(json.dumps(asdict(original)))) == original


def test_outcomes_are_sorted_so_that_equal_runs_look_equal() -> None:
    """The order in which workers finish does not matter."""
    one, two = outcome(), outcome()
    two.mode = "dynamic"

    assert record(one, two).to_json() == record(two, one).to_json()


def test_the_footer_counts_every_verdict() -> None:
    """Also those that no outcome has."""
    data = record(outcome(), outcome(verdict="violated", failure=FAILURE), outcome()).to_json()

    assert data["footer"] == {
        "complete": True,
        "counts": {
            "violated": 1,
            "crashed": 0,
            "deviates": 0,
            "gap": 0,
            "inconclusive": 0,
            "unsupported": 0,
            "holds": 2,
        },
        "seconds": 1.5,
    }


def test_a_citation_has_the_sentence_that_it_led_to() -> None:
    """Where it was read in this run; a guide, or nothing, has none."""
    read, undocumented = record().to_json()["contracts"][0]["citations"]
    unread, _ = Record(HEADER, [], [CONTRACT]).to_json()["contracts"][0]["citations"]

    assert read == {
        "kind": "docstring",
        "where": "tf.GradientTape",
        "words": "a few words",
        "sentence": "It has a few words.",
        "hash": HASH,
    }
    assert unread == {**read, "sentence": None, "hash": None}
    assert (undocumented["sentence"], undocumented["hash"]) == (None, None)


def test_sentences_are_sorted_by_symbol_and_stay_as_written() -> None:
    """The order in which workers finish does not matter."""
    made = record()
    for symbol, sentence in (("tf.B", "Two."), ("tf.A", "Z."), ("tf.A", "A.")):
        made.note([{**NOTES[1], "symbol": symbol, "sentence": sentence}])
    found = [(s["symbol"], s["sentence"]) for s in made.to_json()["documentation"]]

    assert found[:3] == [("tf.A", "Z."), ("tf.A", "A."), ("tf.B", "Two.")]


def test_every_registered_gradient_function_is_in_one_state() -> None:
    """In the order of TensorFlow's registry, which is sorted."""
    assert record().to_json()["gradients"] == [
        {"name": "Cos", "state": "unreached", "by": [], "ops": [], "out_of_reach": ""},
        {
            "name": "Sin",
            "state": "verified",
            "by": ["a-promise"],
            "ops": ["tf.math.sin"],
            "out_of_reach": "",
            "module": "tensorflow.math_grad",
        },
    ]


def test_docstrings_are_kept_as_they_are_written_sorted_by_symbol() -> None:
    """Line breaks and all."""
    made = record()
    made.note([{"note": "docstring", "symbol": "tf.A", "text": "Other\nwords."}])

    assert made.to_json()["docstrings"] == [
        {"symbol": "tf.A", "text": "Other\nwords."},
        {"symbol": "tf.GradientTape", "text": "It has a\n  few words."},
    ]


def test_a_record_from_before_docstrings_modules_and_ops_is_one_still() -> None:
    """None of them is required."""
    made = record().to_json()
    del made["docstrings"]
    for gradient in made["gradients"]:
        gradient.pop("module", None)
        del gradient["ops"]

    assert complaints(made) == []


def test_the_summary_says_how_much_of_the_documentation_is_accounted_for() -> None:
    """A sentence that nobody has read as it is now is not."""
    made = record(outcome())
    made.note({**NOTES[1], "state": state} for state in ("filed", "changed", "open"))

    counts = "1 verified, 0 exercised, 1 unreached"
    assert summary_lines(made) == [
        "documentation: 50.0% of 4 sentences accounted for: 1 changed, 1 cited, 1 filed, 1 open",
        f"gradient functions: 2 registered: {counts}, 0 of them out of reach",
        "1 contract, 1 cell: 1 holds",
    ]


def test_a_record_is_written_into_folders_that_are_made(tmp_path: Path) -> None:
    """It is JSON in ASCII, with a line's end at its end, and readable to others."""
    path = tmp_path / "some" / "where" / "mine.json"
    made = record(outcome(subject="naïve"))
    made.write(path)

    assert json.loads(path.read_text("ascii")) == made.to_json()
    assert path.read_bytes().endswith(b"}\n")
    assert [p.name for p in path.parent.iterdir()] == ["mine.json"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "fault",
    [outcome(seconds=float("nan")), outcome(inconclusive={"r": object()})],
    ids=["nan", "object"],
)
def test_a_failure_while_writing_leaves_the_old_record(tmp_path: Path, fault: Outcome) -> None:
    """Half a record is never seen, and no other file is left."""
    path = tmp_path / "mine.json"
    record(outcome()).write(path)
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError)):
        record(outcome(), fault).write(path)

    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["mine.json"]


def test_an_unfinished_record_is_whole_after_each_outcome(tmp_path: Path) -> None:
    """What was reached since is added; what stands beside the outcomes comes with the last."""
    path = tmp_path / "record.json"
    made = record()
    made.complete = False
    unfinished = Unfinished(made, path)
    for count in (0, 1, 2):
        unfinished.write()

        assert json.loads(path.read_text("ascii")) == made.to_json()
        made.outcomes.append(outcome(subject=f"tf.{count}"))


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    """Asking makes neither file nor folder, and does not touch what is there."""
    there = tmp_path / "there.json"
    there.write_text("an earlier record")
    check_writable(there)
    check_writable(tmp_path / "not" / "yet" / "mine.json")

    assert there.read_text() == "an earlier record"
    assert list(tmp_path.iterdir()) == [there]


@pytest.mark.parametrize(
    ("place", "reason"),
    [(".", "Is a directory"), ("file/mine.json", "Not a directory"), ("x" * 300, "too long")],
)
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, place: str, reason: str) -> None:
    """A folder, below a file, a name that is too long."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=reason):
        check_writable(tmp_path / place)

    assert [p.name for p in tmp_path.iterdir()] == ["file"]
