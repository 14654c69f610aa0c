"""The gate as it is used: two records, one answer, and the ways in which it is told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its annotations are another distribution
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.__main__ import main
from conformance.errors import ExitCode
from conformance.gate import command, making, markdown, report, terminal
from conformance.gate.comparable import ALLOWED
from conformance.gate.compare import Comparison, compare
from conformance.gate.kinds import FAIL_ON, KINDS
from conformance.reading import Reading
from conformance.record import Outcome
from tests.conftest import ROOT
from tests.records import DIGEST, data, failure, outcome, write

SCHEMA = json.loads(report.SCHEMA_FILE.read_text("utf-8"))


class Gate:
    """Two records in a folder, and the command on them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def run(self, before: Any, after: Any, *args: str) -> tuple[int, str]:
        """The exit code and what is printed, errors included."""
        write(self.folder / "tf2.20.json", before)
        write(self.folder / "tf2.21.json", after)
        return self.command("2.20", "2.21", *args)

    def command(self, *args: str) -> tuple[int, str]:
        """The same, of whatever lies in the folder."""
        try:
            code = main(["gate", "--results", str(self.folder), *args])
        except SystemExit as end:
            code = int(end.code or 0)
        printed = self.capsys.readouterr()
        return code, printed.out + printed.err


@pytest.fixture
def gate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Gate:
    """A gate on an empty folder, in a terminal of 100 columns."""
    monkeypatch.setenv("COLUMNS", "100")
    return Gate(tmp_path, capsys)


def side(*outcomes: Outcome, **header: Any) -> dict[str, Any]:
    """The record of the candidate."""
    return data(*outcomes, version="2.21.0", **header)


def compared(before: dict[str, Any], after: dict[str, Any], *fail_on: str) -> Comparison:
    """A comparison without files."""
    baseline, candidate = Reading(Path("a.json"), before), Reading(Path("b.json"), after)
    return compare(baseline, candidate, fail_on or FAIL_ON)


# -- the answer ------------------------------------------------------------------------------------

REGRESSED = """\
regressed: a-promise: Something is so.
  about tf.math.sin eager

import tensorflow as tf

print(tf.constant(1.0))

expected  1.0 for x0
got       2.0
because   central differences
replay    pytest "x.py::graph[tf.math.sin-eager]" --tape-profile gate --tape-seed 0
versions  TensorFlow 2.21.0; not 2.20.0

=================================== TensorFlow 2.20.0 to 2.21.0 ====================================
programs        the same for 2 items
also different  keras 2.15.0 to 3.15.1, processor feature fma on the baseline only
documentation   no sentence changed
gradients       the same are verified
cells           1 unchanged
FAILS: TensorFlow 2.20.0 to 2.21.0: 1 regressed
"""


def test_a_regression_fails_the_gate_and_is_shown_with_its_program(gate: Gate) -> None:
    """Contract, program, expected and got, why, replay, versions; then the summary and verdict."""
    before = data(outcome(), outcome(mode="function"))
    before["header"]["versions"]["keras"] = "2.15.0"
    after = side(outcome("violated"), outcome(mode="function"))
    after["header"]["versions"]["keras"] = "3.15.1"
    after["header"]["machine"] = {**after["header"]["machine"], "extensions": ["avx2"]}

    assert gate.run(before, after) == (ExitCode.VIOLATED, REGRESSED)


def test_nothing_that_held_is_broken_passes(gate: Gate) -> None:
    """Old failures, on both sides or on the baseline alone, do not turn a gate red."""
    before = data(outcome("violated"), outcome("deviates", mode="function"))
    after = side(outcome("violated"), outcome(mode="function"))
    code, text = gate.run(before, after)

    assert code == ExitCode.HOLDS
    assert text.splitlines()[-2:] == [
        "cells           1 still failing, 1 fixed, 0 unchanged",
        "PASSES: TensorFlow 2.20.0 to 2.21.0: none of: "
        + ", ".join(KINDS[kind].title for kind in FAIL_ON),
    ]


def test_a_known_deviation_that_is_new_is_a_regression_and_says_what_is_known(gate: Gate) -> None:
    """With its reason, its link and its witness; several contracts are one finding."""
    cells = [{"contract": "a-promise"}, {"contract": "b-promise", "mode": "function"}]
    before = data(*(outcome(**cell) for cell in cells))
    after = side(*(outcome("deviates", **cell) for cell in cells))
    after["deviations"][0]["link"] = "https://example.org/1"
    code, text = gate.run(before, after)

    assert code == ExitCode.VIOLATED
    assert text.startswith(
        "regressed: known deviation cumprod-zero: a-promise, b-promise\n"
        "  about tf.math.sin eager, tf.math.sin function\n"
        "\n"
        "print(1)\n"
        "\n"
        "because   it divides by zero\n"
        "reported  https://example.org/1\n"
        'replay    pytest "x.py::graph[tf.math.sin-eager]" --tape-profile gate --tape-seed 0\n'
        "versions  TensorFlow 2.21.0; not 2.20.0\n"
    )
    assert text.count("regressed: ") == 1


def test_a_bisected_regression_says_in_which_version_it_is_first(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between 2.8 and 2.21 tox is asked; what holds is not."""
    asked: list[str] = []

    def tox(env: str, arguments: list[str], *_: Any, **__: Any) -> int:
        asked.append(env)
        verdict = "violated" if making.releases().index((env, releases[env])) > 8 else "holds"
        write(
            Path(arguments[arguments.index("--tape-record") + 1]),
            data(outcome(verdict), version=releases[env]),
        )
        return 0

    releases = dict(making.releases())
    monkeypatch.setattr(making, "tox_pytest", tox)
    _, text = gate.run(data(outcome(), version="2.8.4"), side(outcome("violated")), "--bisect")
    count = len(asked)
    gate.run(data(outcome(), version="2.8.4"), side(outcome()), "--bisect")

    assert "first in  2.17.1\n" in text
    assert len(asked) == count <= 4


@pytest.mark.parametrize(
    ("kind", "was", "is_"),
    [
        ("crashed", "holds", "crashed"),
        ("became-inconclusive", "holds", "inconclusive"),
        ("support-lost", "holds", "unsupported"),
    ],
)
def test_the_gate_fails_on_each_kind_that_takes_something_away(
    gate: Gate, kind: str, was: str, is_: str
) -> None:
    """By default; the verdict names it."""
    code, text = gate.run(data(outcome(was)), side(outcome(is_)))

    assert code == ExitCode.VIOLATED
    assert text.splitlines()[-1].endswith(f": 1 {KINDS[kind].title}")


def test_a_crash_is_one_finding_and_faults_of_two_ops_are_two(gate: Gate) -> None:
    """One process dies of one program; what two ops do is shown by two."""
    crashed = [{"contract": f"promise-{i}", "mode": "xla"} for i in range(3)]
    wrong = [{"subject": "tf.math.cos"}, {"subject": "tf.math.sin"}]
    before = data(*(outcome(**cell) for cell in [*crashed, *wrong]))
    after = side(
        *(outcome("crashed", **cell) for cell in crashed),
        *(outcome("violated", **cell) for cell in wrong),
    )
    _, text = gate.run(before, after)

    assert [line for line in text.splitlines() if line.startswith(("regressed", "crashed"))] == [
        "regressed: a-promise: Something is so.",
        "regressed: a-promise: Something is so.",
        "crashed: promise-0 and 2 more",
    ]


def test_what_fails_the_gate_can_be_chosen(gate: Gate) -> None:
    """Nothing at all, or what does not by default; words may be joined by commas."""
    before, after = data(outcome()), side(outcome("violated"))
    nothing, _ = gate.run(before, after, "--fail-on", "nothing")
    others, _ = gate.run(before, after, "--fail-on", "crashed,gap-opened")
    removed, text = gate.run(before, side(), "--fail-on", "removed", "--fail-on", "added")

    assert (nothing, others, removed) == (ExitCode.HOLDS, ExitCode.HOLDS, ExitCode.VIOLATED)
    assert text.splitlines()[-1] == "FAILS: TensorFlow 2.20.0 to 2.21.0: 1 removed"


def test_a_step_back_is_allowed_with_a_note(gate: Gate) -> None:
    """The baseline may be newer; 2.9 is older than 2.10; the same version is noted too."""
    back = compared(data(version="2.10.1"), data(version="2.9.3"))
    same = compared(data(), data(outcome()))
    itself = compared(data(), data())

    assert back.notes == ["the baseline 2.10.1 is newer than the candidate 2.9.3: a step back"]
    assert same.notes == ["both sides are TensorFlow 2.20.0: what differs is not TensorFlow"]
    assert itself.notes == ["both records are the same run"]
    assert gate.run(data(version="2.21.0"), data(version="2.9.3"))[0] == ExitCode.HOLDS


# -- what is not comparable ------------------------------------------------------------------------


def versions(**more: str) -> dict[str, Any]:
    """The versions of a record of the candidate."""
    return {"versions": {**side()["header"]["versions"], **more}}


OBJECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "suite": (
        side(suite="f" * 16),
        "the fingerprint of the suite's files: 0123456789abcdef and ffffffffffffffff",
    ),
    "schema": ({**side(), "schema": 99}, ""),
    "profile": (side(profile="quick"), "the profile: gate and quick"),
    "selection": (
        side(selection=["-k sin"]),
        "the selection: everything and -k sin",
    ),
    "seed": (side(seed=1), "the seed: 0 and 1"),
    "hypothesis": (
        side(**versions(hypothesis="6.0.0")),
        "the Hypothesis: 6.168.5 and 6.0.0",
    ),
    "incomplete": (
        {**side(), "footer": {**side()["footer"], "complete": False}},
        "the run of the candidate did not come to its end",
    ),
    "programs": (
        side(outcome(digest="f" * 16)),
        "the programs of 1 items differ, such as those of a-promise tf.math.sin eager",
    ),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_cannot_be_compared_is_refused_unless_it_is_allowed(gate: Gate, what: str) -> None:
    """With the reason, its own exit code, and the option that allows it."""
    after, reason = OBJECTIONS[what]
    if what == "programs":
        after["programs"][0]["prefixes"] = "1111ffffffff"
    code, text = gate.run(data(outcome()), after)
    allowed, _ = gate.run(data(outcome()), after, "--allow", what, "--fail-on", "nothing")

    assert (code, allowed) == (ExitCode.INCOMPARABLE, ExitCode.HOLDS)
    assert f"--allow {what}" in text
    assert f"  {what}: {reason}" in text or what == "schema"


def test_all_reasons_are_told_at_once(gate: Gate) -> None:
    """Whoever has to make a record anew wants to do so once."""
    code, text = gate.run(data(shard="1/2"), side(seed=1, modes=["eager", "xla"]))

    assert code == ExitCode.INCOMPARABLE
    assert text == (
        "error: the records cannot be compared:\n"
        "  selection: the modes: eager and eager xla\n"
        "  selection: the part: 1/2 and the whole\n"
        "  seed: the seed: 0 and 1\n"
        "  expected: two complete runs of one suite, on the same programs\n"
        "  hint: `tox run -e gate -- BASELINE CANDIDATE` makes such records; to compare these all "
        "the same: --allow selection --allow seed\n"
    )


def test_the_same_part_of_both_sides_is_compared_like_a_whole(gate: Gate) -> None:
    """Jobs that run side by side have a verdict each."""
    after = side(outcome("violated", fates="hhv"), shard="1/2")

    assert gate.run(data(outcome(), shard="1/2"), side(outcome(), shard="1/2"))[0] == ExitCode.HOLDS
    assert gate.run(data(outcome(), shard="1/2"), after)[0] == ExitCode.VIOLATED


def known(*own: str) -> list[dict[str, str]]:
    """What a record says of deviations: that of the suite, and those of the user's own."""
    ours = {"id": "cumprod-zero", "reason": "so", "link": "", "witness": "pass"}
    return [ours, *({**ours, "id": name, "expires": "2999-12-31"} for name in own)]


@pytest.mark.parametrize(
    ("before", "after", "own", "code"),
    [
        ({}, {"ours": 1}, ["ours"], ExitCode.HOLDS),
        ({}, {"ours": 1, "cumprod-zero": 1}, ["ours"], ExitCode.VIOLATED),
        ({"cumprod-zero": 1}, {"ours": 1, "cumprod-zero": 1}, ["ours"], ExitCode.HOLDS),
        ({}, {"ours": 1}, [], ExitCode.VIOLATED),
    ],
    ids=["own", "own and more", "own beside what was", "not own"],
)
def test_a_regression_that_the_user_knows_of_fails_nothing(
    gate: Gate, before: dict[str, int], after: dict[str, int], own: list[str], code: int
) -> None:
    """But one that only the suite knows of does: it is news to whoever upgrades."""
    was = data(outcome("deviates" if before else "holds", fates="hhd", deviations=before))
    now = side(outcome("deviates", fates="hdd", deviations=after))
    if not before:
        was["outcomes"][0].update(fates="hhh", conclusive=3)
    now["deviations"] = known(*own)
    ended, text = gate.run(was, now)

    assert ended == code
    assert ("1 known to you" in text) == (code == ExitCode.HOLDS)


def test_programs_are_compared_as_far_as_both_sides_went(gate: Gate) -> None:
    """One side stops at a failure: what it tried must be the beginning of what the other did."""
    after = side(outcome("violated", digest="f" * 16, fates="hv"))
    code, text = gate.run(data(outcome()), after)

    assert code == ExitCode.VIOLATED
    assert "programs        the same for 1 items, for 1 of them as far as both went\n" in text
    after["programs"][0]["prefixes"] = "11112223"
    assert gate.run(data(outcome()), after)[0] == ExitCode.INCOMPARABLE
    after["programs"] = []
    assert gate.run(data(outcome()), after)[0] == ExitCode.INCOMPARABLE


def test_of_a_crash_no_programs_are_known(gate: Gate) -> None:
    """That is told, and is no objection."""
    _, text = gate.run(data(outcome()), side(outcome("crashed")))

    assert "programs        the same for 0 items; unknown for 1\n" in text


# -- bad input -------------------------------------------------------------------------------------


def test_a_wrong_word_is_refused_with_the_nearest(gate: Gate) -> None:
    """Kinds and objections that do not exist."""
    code, text = gate.run(data(), side(), "--fail-on", "regresed")
    allow, _ = gate.run(data(), side(), "--allow", "everything")

    assert (code, allow) == (ExitCode.USAGE, ExitCode.USAGE)
    assert text == (
        "error: --fail-on 'regresed'\n"
        f"  expected: one of {', '.join(KINDS)}, nothing\n"
        "  hint: did you mean 'regressed'?\n"
    )


def test_wrong_arguments_end_with_the_code_for_usage(gate: Gate) -> None:
    """Not with argparse's, which is pytest's for an interrupted run."""
    code, text = gate.command("2.20")

    assert code == ExitCode.USAGE
    what = "error: the following arguments are required: CANDIDATE\n"
    assert text.startswith(f"{what}  expected: python -m conformance gate ")
    assert text.endswith("\n  hint: python -m conformance gate --help\n")


def test_a_record_that_cannot_be_read_has_its_own_code(gate: Gate) -> None:
    """As has a version that nobody has."""
    assert gate.run(data(), "{}")[0] == ExitCode.UNREADABLE
    assert gate.command("2.20", "2.99")[0] == ExitCode.USAGE


def test_a_record_that_cannot_be_made_has_its_own_code(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version's run broke off; so has a gate that the user interrupts."""
    monkeypatch.setattr(making, "tox", lambda *_: 3)
    code, text = gate.command("2.8", "2.9", "--make")

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "tox", interrupted)

    assert code == ExitCode.UNMADE
    assert "error: the record of tf2.8 could not be made: its run ended with code 3\n" in text
    assert gate.command("2.8", "2.9", "--make")[0] == ExitCode.INTERRUPTED


def test_a_report_that_cannot_be_written_is_refused(gate: Gate) -> None:
    """After the comparison was printed."""
    code, text = gate.run(data(), side(), "--json", str(gate.folder))

    assert code == ExitCode.USAGE
    assert f"error: the report cannot be written to {gate.folder}: Is a directory\n" in text


# -- what is told beside the verdict ---------------------------------------------------------------


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


# -- how well --------------------------------------------------------------------------------------


def test_two_large_records_are_compared_within_two_seconds(gate: Gate) -> None:
    """Sixteen thousand cells on each side, as many as the profile gate has."""
    cells = [
        outcome(contract=f"promise-{i}", subject=f"tf.op{j}", fates="h" * 50, digest=DIGEST)
        for i in range(20)
        for j in range(800)
    ]
    before, after = data(*cells), side(*cells)
    write(gate.folder / "tf2.20.json", before)
    write(gate.folder / "tf2.21.json", after)
    started = time.process_time()
    code, _ = gate.command("2.20", "2.21")

    assert code == ExitCode.HOLDS
    assert time.process_time() - started < 2


def test_the_gate_needs_nothing_but_python(tmp_path: Path) -> None:
    """Neither TensorFlow nor any package: it runs where nothing is installed."""
    for name, made in (("a", data(outcome())), ("b", side(outcome("violated")))):
        write(tmp_path / f"{name}.json", made)
    command_line = [sys.executable, "-I", "-S", "-c", BARE, str(ROOT)]
    files = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    run = subprocess.run([*command_line, *files], capture_output=True, text=True, check=False)

    assert run.stderr == ""
    assert run.returncode == ExitCode.VIOLATED
    assert run.stdout.endswith("FAILS: TensorFlow 2.20.0 to 2.21.0: 1 regressed\n")


BARE = """
import sys
sys.path.append(sys.argv[1])
from conformance.__main__ import main
sys.exit(main(["gate", *sys.argv[2:]]))
"""


def test_the_help_names_every_kind(gate: Gate) -> None:
    """And what the gate fails on by default."""
    code, text = gate.command("--help")

    assert code == ExitCode.HOLDS
    assert ",".join(FAIL_ON) in "".join(text.split())  # argparse breaks lines at hyphens
    assert command.RESULTS in text
