"""What single pages are made from: findings, failures, commands, glances, gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.reading import read
from conformance.record import Outcome
from conformance.site import contract_page, gradients, version_page
from conformance.site.article import claims
from conformance.site.atlas import Atlas, Entry, atlas
from conformance.site.contract_page import About, Finding, Wording
from conformance.site.versions import ordered
from tests.records import data, failure, outcome, write


def known(folder: Path, *records: dict[str, Any]) -> Atlas:
    """Records beside each other."""
    paths = [write(folder / f"{number}.json", one) for number, one in enumerate(records)]
    return atlas(ordered(map(read, paths)))


def promise(folder: Path, *versions: list[Outcome]) -> tuple[Entry, Atlas]:
    """The contract of which outcomes are by default, on 2.20 and the versions after it."""
    records = [data(*cells, version=f"2.{20 + at}.0") for at, cells in enumerate(versions)]
    made = known(folder, *records)
    return made.entries["a-promise"], made


def test_what_does_not_hold_is_told_with_the_modes_of_each_version(tmp_path: Path) -> None:
    """Only versions that are alike are told together; what holds is left out."""
    eager, xla = outcome("deviates"), outcome("deviates", mode="xla")
    entry, _ = promise(tmp_path, [eager, outcome(mode="xla")], [eager, xla], [eager, xla])

    where = (("eager", "2.20"), ("eager, xla", "2.21 and 2.22"))
    assert contract_page.findings(entry) == [
        Finding("deviates", "cumprod-zero", [About("tf.math.sin", list(where))])
    ]


def test_the_worst_is_told_first_and_then_what_is_about_most(tmp_path: Path) -> None:
    """Gaps and undecided cells come after what accuses."""
    cells = [
        outcome("gap"),
        *(outcome("deviates", subject=f"tf.{n}", deviations={"many": 1}) for n in "ab"),
        outcome("deviates", subject="tf.c", deviations={"few": 1}),
        outcome("violated", subject="tf.d"),
    ]
    entry, _ = promise(tmp_path, cells)

    told = [(one.verdict, one.why) for one in contract_page.findings(entry)]
    assert [verdict for verdict, _ in told] == ["violated", "deviates", "deviates", "gap"]
    assert [why for _, why in told[1:3]] == ["many", "few"]


def test_of_failures_that_are_alike_the_shortest_is_shown(tmp_path: Path) -> None:
    """Those of another kind stand by themselves, the shortest program first."""
    long, short, other = (
        outcome("violated", failure=failure(program=text, kind=kind))
        for text, kind in (
            ("x = 1\nassert x == 2\n", "value"),
            ("assert 0\n", "value"),
            ("1/0\n", "shape"),
        )
    )
    entry, _ = promise(tmp_path, [long], [short], [other])

    shown = contract_page.failures(entry)
    assert [(one.failure.program, one.version) for one in shown] == [
        ("1/0\n", "2.22"),
        ("assert 0\n", "2.21"),
    ]


def test_wordings_are_told_with_their_versions_the_newest_first(tmp_path: Path) -> None:
    """And the versions whose run has not read the docstring."""
    records = [data(outcome(), version=f"2.{minor}.0") for minor in (19, 20, 21)]
    for record, sentence in zip(records, ("Old.", None, "New."), strict=True):
        (contract,) = record["contracts"]
        contract["citations"][0]["sentence"] = sentence
    (first, *_) = contract_page.sources(known(tmp_path, *records).entries["a-promise"])

    assert first.wordings == [Wording("New.", "2.21"), Wording("Old.", "2.19")]
    assert first.unread == "2.20"


@pytest.mark.parametrize(
    ("tensorflow", "begins"),
    [
        ("2.21.0", "tox run --notest -e tf2.21 && tox exec -e tf2.21 -- pytest "),
        ("2.23.0-dev20261026", "tox run --notest -e tfnightly && "),
        ("2.21.0+mine", "TAPEMEASURE_TF=tensorflow-cpu==2.21.0+mine tox run --notest -e tf && "),
        ("2.21;rm -rf", "TAPEMEASURE_TF='tensorflow-cpu==2.21;rm -rf' tox run --notest -e tf && "),
    ],
)
def test_the_command_runs_the_programs_that_decided(
    tensorflow: str, begins: str, tmp_path: Path
) -> None:
    """In the environment of the version, with the profile and the seed of the record."""
    cells = [outcome(), outcome("deviates", subject="tf.math.cos")]
    made = known(tmp_path, data(*cells, version=tensorflow, seed=3, examples=7))
    ((_, command),) = contract_page.commands(made.entries["a-promise"], made)

    assert command.startswith(begins)
    assert "'x.py::graph[tf.math.cos-eager]'" in command
    assert command.endswith("--tape-profile gate --tape-seed 3 --tape-examples 7")


def test_the_bar_of_a_version_is_full(tmp_path: Path) -> None:
    """Its parts are as long as there are contracts of each verdict."""
    cells = [outcome(), outcome(contract="b", verdict="deviates"), outcome(contract="c")]
    made = known(tmp_path, data(*cells))
    bar = version_page.glance(made.versions[0], made).bar

    assert bar == [("deviates", 0.0, 33.33), ("holds", 33.33, 66.67)]


def test_an_op_is_told_by_all_contracts_about_it(tmp_path: Path) -> None:
    """What stands in parentheses is a way to meet it; other subjects are no ops."""
    cells = [
        outcome(subject="tf.nn.conv3d"),
        outcome("deviates", subject="tf.nn.conv3d(no place)"),
        outcome("deviates", contract="b", subject="tf.nn.conv3d"),
        outcome(subject="reset"),
    ]
    grid = gradients.grid(known(tmp_path, data(*cells)))
    ((conv3d,),) = grid.values()

    assert list(grid) == ["tf.nn"]
    assert (conv3d.short, conv3d.verdicts) == ("conv3d", {"2.20": "deviates"})
    assert (conv3d.heat("2.20"), conv3d.heat("2.21")) == (2, 0)


def test_what_is_known_of_one_op_is_not_another_ones(tmp_path: Path) -> None:
    """A program about one may hold the other; what names no op may be any one's."""
    known_of = {"reason": "so it is", "link": "", "witness": "import tensorflow as tf"}
    cells = [
        outcome("deviates", subject="tf.math.sin", conclusive=3),
        outcome("deviates", subject="tf.math.cos"),
        outcome("deviates", subject="tf.math.tan", deviations={"of-none": 1}),
        outcome("deviates", subject="tf.math.cumprod"),
    ]
    record = data(*cells)
    record["deviations"] = [
        {**known_of, "id": "cumprod-zero", "ops": ["tf.math.cumprod"]},
        {**known_of, "id": "of-none"},
    ]
    (found,) = gradients.grid(known(tmp_path, record)).values()

    assert {op.short: (op.verdicts["2.20"], list(op.failing)) for op in found} == {
        "sin": ("holds", []),
        "cos": ("inconclusive", []),
        "tan": ("deviates", ["a-promise"]),
        "cumprod": ("deviates", ["a-promise"]),
    }


def test_gradient_functions_are_told_by_the_module_that_registers_them(tmp_path: Path) -> None:
    """Those of records that do not tell it come last."""
    record = data(outcome())
    common = {"state": "unreached", "by": [], "out_of_reach": "no kernel"}
    record["gradients"] = [
        {**common, "name": "Cos"},
        {**common, "name": "Sin", "module": "tensorflow.python.ops.math_grad"},
    ]
    found = gradients.functions(known(tmp_path, record))

    assert {module: [one.name for one in of] for module, of in found.items()} == {
        "ops.math_grad": ["Sin"],
        "elsewhere": ["Cos"],
    }
    assert gradients.counts(found["elsewhere"], "2.20")["unreached"] == 1


def test_a_gradient_function_is_told_by_the_ops_that_run_few_others(tmp_path: Path) -> None:
    """Not by a softmax, which runs an exponential too; nor by what no op runs by itself."""
    record = data(
        outcome(subject="tf.math.exp"),
        outcome("deviates", subject="tf.nn.softmax"),
        outcome("gap", subject="tf.nn.softmax", contract="b"),
    )
    common = {"state": "verified", "by": ["a"], "out_of_reach": ""}
    record["gradients"] = [
        {**common, "name": "Exp", "ops": ["tf.math.exp", "tf.nn.softmax"]},
        {**common, "name": "Softmax", "ops": ["tf.nn.softmax"]},
        {**common, "name": "While", "ops": []},
        {**common, "name": "FromAnOlderRecord"},
    ]
    (found,) = gradients.functions(known(tmp_path, record)).values()

    assert {one.name: (one.ops, one.verdicts) for one in found} == {
        "Exp": (["tf.math.exp"], {"2.20": "holds"}),
        "FromAnOlderRecord": ([], {"2.20": "absent"}),
        "Softmax": (["tf.nn.softmax"], {"2.20": "deviates"}),
        "While": ([], {"2.20": "absent"}),
    }


def test_contracts_of_one_claim_stand_together(tmp_path: Path) -> None:
    """In the words of the claim."""
    record = data(outcome(), outcome(contract="b"))
    cited = {"kind": "article", "where": "It", "words": "so it is", "sentence": None, "hash": None}
    for contract in record["contracts"]:
        contract["citations"] = [cited]
    (claim,) = claims(known(tmp_path, record))

    assert (claim.words, [entry.id for entry in claim.entries]) == ("so it is", ["a-promise", "b"])
