"""What the gate tells beside its verdict, and the reports in which it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its annotations are another distribution
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.errors import ExitCode
from conformance.gate import markdown, report, terminal
from conformance.gate.comparable import ALLOWED
from conformance.gate.drift import Answer
from conformance.gate.kinds import KINDS
from tests.gates import Gate, compared, side, versions
from tests.records import data, failure, outcome

SCHEMA = json.loads(report.SCHEMA_FILE.read_text("utf-8"))


def sentence(symbol: str, text: str) -> dict[str, Any]:
    """A sentence of the documentation."""
    from conformance.citations import fingerprint  # noqa: PLC0415 - the one that runs use

    told = {"symbol": symbol, "sentence": text, "hash": fingerprint(text)}
    return {**told, "state": "filed", "by": ["reason"]}


def test_sentences_are_added_removed_or_reworded_by_symbol() -> None:
    """Reworded is what is mostly the same; the same sentence elsewhere is another."""
    before, after = data(), side()
    kept = sentence("tf.A", "It is so.")
    before["documentation"] = [
        kept,
        sentence("tf.A", "The tape is used once by default."),
        sentence("tf.B", "Gone for good."),
    ]
    after["documentation"] = [
        kept,
        sentence("tf.A", "The tape is used only once by default."),
        sentence("tf.B", "Entirely different words."),
    ]
    drift = compared(before, after).drift

    assert [(r.symbol, r.before, r.after) for r in drift.reworded] == [
        ("tf.A", "The tape is used once by default.", "The tape is used only once by default.")
    ]
    assert [(s.symbol, s.sentence) for s in drift.removed] == [("tf.B", "Gone for good.")]
    assert [(s.symbol, s.sentence) for s in drift.added] == [("tf.B", "Entirely different words.")]


def test_the_coverage_of_gradient_functions_is_gained_and_lost() -> None:
    """Of those that both have; those that one has alone are told apart."""
    before, after = data(), side()

    def states(**known: str) -> list[dict[str, Any]]:
        return [
            {"name": name, "state": state, "by": [], "out_of_reach": ""}
            for name, state in known.items()
        ]

    before["gradients"] = states(Sin="verified", Cos="exercised", Old="verified")
    after["gradients"] = states(Sin="unreached", Cos="verified", New="verified")
    found = compared(before, after).coverage

    assert (found.gained, found.lost) == (["Cos"], ["Sin"])
    assert (found.registered, found.unregistered) == (["New"], ["Old"])


def test_costs_that_changed_more_than_twofold_are_told() -> None:
    """Of cells that both ran in full, and of contracts that take long enough for a clock."""
    before = data(outcome(contract="slow", seconds=2.0), outcome(contract="quick", seconds=0.1))
    after = side(outcome(contract="slow", seconds=5.0), outcome(contract="quick", seconds=0.9))

    assert [(c.contract, c.before, c.after) for c in compared(before, after).costs] == [
        ("slow", 2.0, 5.0)
    ]


def test_what_the_record_says_of_machine_and_environment_is_compared() -> None:
    """Packages, flags, features of the processor, devices."""
    before = data(environment={"TF_ENABLE_ONEDNN_OPTS": "0"})
    after = side(environment={}, **versions(numpy="1.26.4"))
    after["header"]["machine"] = {**after["header"]["machine"], "extensions": ["avx512f", "fma"]}
    found = {d.what: (d.baseline, d.candidate) for d in compared(before, after).differences}

    assert found == {
        "numpy": ("2.4.6", "1.26.4"),
        "processor feature avx2": ("yes", None),
        "processor feature avx512f": (None, "yes"),
        "TF_ENABLE_ONEDNN_OPTS": ("0", None),
    }


def observed(answer: str, subject: str = "tf.math.abs") -> dict[str, Any]:
    """What a record keeps of one op at special values."""
    program = f"import tensorflow as tf\n\nprint({subject})\n"
    told = {"subject": subject, "special": "zeros", "values": ["tf.constant(0.0)"]}
    return {**told, "program": program, "answer": answer}


def test_answers_at_special_values_that_changed_are_told(gate: Gate, tmp_path: Path) -> None:
    """Nothing is promised there, so that nothing fails; a question that is new is no change."""
    before, after = data(outcome()), side(outcome())
    before["observations"] = [observed("x0: 0.0"), observed("x0: 1.0", "tf.math.exp")]
    after["observations"] = [observed("x0: 1.0"), observed("x0: 1.0", "tf.math.exp")]
    after["observations"].append(observed("x0: 2.0", "tf.math.sin"))
    page = tmp_path / "gate.md"
    code, text = gate.run(before, after, "--markdown", str(page))

    assert code == ExitCode.HOLDS
    assert "special values  answers changed: 1 (tf.math.abs)\n" in text
    assert (
        "- `tf.math.abs`, zeros: `tf.constant(0.0)` gave `x0: 0.0`, gives `x0: 1.0`\n"
        in page.read_text("utf-8")
    )
    assert compared(before, after).answers == [
        Answer("tf.math.abs", "zeros", ["tf.constant(0.0)"], "x0: 0.0", "x0: 1.0")
    ]


# -- reports ---------------------------------------------------------------------------------------


def test_every_report_is_written_beside_what_is_printed(gate: Gate) -> None:
    """Markdown, JSON as its schema has it, a badge."""
    paths = {name: gate.folder / "out" / name for name in ("markdown", "json", "badge")}
    args = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    code, text = gate.run(data(outcome()), side(outcome("violated")), *args)
    badge = json.loads(paths["badge"].read_text("ascii"))
    told = json.loads(paths["json"].read_text("ascii"))

    assert code == ExitCode.VIOLATED
    assert text.startswith("regressed: ")
    assert badge == {
        "schemaVersion": 1,
        "label": "tf.GradientTape 2.20.0 to 2.21.0",
        "message": "1 regressed",
        "color": "red",
    }
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    assert told["passes"] is False
    assert paths["markdown"].read_text("utf-8").startswith("## tf.GradientTape, `TensorFlow 2.20")


def test_a_dash_prints_the_report_in_place_of_the_summary(gate: Gate) -> None:
    """So that it can be piped."""
    _, text = gate.run(data(), side(), "--badge", "-")

    assert json.loads(text)["message"] == "passes"


def test_the_schema_of_reports_is_a_schema_and_has_the_kinds_that_exist() -> None:
    """A new kind is a change of the schema, and is explained there."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    kind = SCHEMA["$defs"]["kind"]

    assert SCHEMA["properties"]["schema"]["const"] == report.SCHEMA_VERSION
    assert SCHEMA["$defs"]["objection"]["properties"]["id"]["enum"] == list(ALLOWED)
    assert kind["enum"] == list(KINDS)
    assert kind["description"] == "; ".join(f"{k.id}: {k.sentence}" for k in KINDS.values()) + "."


EVIL = "\x1b[2J\x9b1m\r\u202e</code></details><script>@root `x` ``` | [a](b)\n# \ud800\x00"
texts = st.sampled_from([EVIL, "```\n<b>", "a|b", "``", "", "1.0"])


@st.composite
def hostile(draw: Any) -> dict[str, Any]:
    """A record whose texts are chosen by somebody who wishes ill."""
    cells = []
    for subject in ("a", EVIL):
        verdict = draw(st.sampled_from(["holds", "violated", "crashed", "deviates", "gap"]))
        more: dict[str, Any] = {"subject": subject}
        if verdict in ("violated", "crashed"):
            names = ("kind", "expected", "got", "program", "why", "replay")
            more["failure"] = failure(**{name: draw(texts) or "x" for name in names})
        if verdict == "deviates":
            more["deviations"] = {EVIL: 1}
        cells.append(outcome(verdict, **more))
    made = data(*cells, environment={"TF_X": draw(texts)})
    made["deviations"] = [{"id": EVIL, "reason": EVIL, "link": EVIL, "witness": EVIL}]
    made["documentation"] = [sentence(EVIL.replace("\ud800", ""), draw(st.text(min_size=1)))]
    made["header"]["used"] = {"tensorflow": EVIL, "git": EVIL, "devices": [EVIL]}
    return made


@given(before=hostile(), after=hostile())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_texts_of_records_mean_nothing_to_a_terminal_or_to_markdown(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    """No control characters, no HTML or link outside of code, and the JSON fits its schema."""
    comparison = compared(before, after, *KINDS)
    printed, page = terminal.render(comparison), markdown.render(comparison)
    told = json.loads(json.dumps(report.report(comparison)))

    for text in (printed, page):
        assert all(c == "\n" or c.isprintable() or c == " " for c in text)
        text.encode("utf-8")
    outside = without_code(page)
    for word in ("<script", "</code", "@root", "[a](b)"):
        assert word not in outside
    jsonschema.Draft202012Validator(SCHEMA).validate(told)


def without_code(page: str) -> str:
    """What is left of a page of Markdown outside of its blocks and spans of code."""
    left, fence = [], ""
    for line in page.split("\n"):
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if fence:
            fence = "" if line == fence else fence
        elif len(ticks) > 2 and "`" not in line[len(ticks) :]:
            fence = ticks
        else:
            left.append(_without_spans(line))
    assert not fence
    return "\n".join(left)


def _without_spans(line: str) -> str:
    """A line without its code spans, by CommonMark: a run of backticks up to the next like it."""
    out, i = "", 0
    while i < len(line):
        run = len(line[i:]) - len(line[i:].lstrip("`"))
        if not run:
            out, i = out + line[i], i + 1
            continue
        end = i + run
        while end < len(line):
            length = len(line[end:]) - len(line[end:].lstrip("`"))
            if length == run:
                break
            end += max(length, 1)
        i = end + run if end < len(line) else i + run
    return out
