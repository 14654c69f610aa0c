"""A run in parts: the union of the parts is the whole, and their records join to its record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.__main__ import main
from conformance.errors import ExitCode, UsageError
from conformance.merging import merge
from conformance.reading import Reading, read
from conformance.shards import Shard, parse, weights
from tests.conftest import HOLDS, Checkout
from tests.records import data, outcome, write
from tests.runs import KNOWN, VERDICTS, error, verdicts

PARTS = (1, 2, 3, 7)

names = st.text(max_size=3)
loads = st.dictionaries(names, st.floats(0, 1e6), max_size=30)


@given(items=loads, of=st.integers(1, 9))
def test_every_item_is_in_one_part(items: dict[str, float], of: int) -> None:
    """Whatever their weights, and whatever the order in which they are collected."""
    parts = [Shard(k, of).takes(items) for k in range(1, of + 1)]
    turned = dict(reversed(items.items()))

    assert sorted(name for part in parts for name in part) == sorted(items)
    assert parts == [Shard(k, of).takes(turned) for k in range(1, of + 1)]


@given(items=loads.filter(bool), of=st.integers(1, 9))
def test_no_part_has_more_than_its_share_and_one_item(items: dict[str, float], of: int) -> None:
    """By the seconds of an earlier run the parts take about the same time."""
    heaviest = max(items.values())
    share = sum(items.values()) / of
    for k in range(1, of + 1):
        load = sum(items[name] for name in Shard(k, of).takes(items))
        assert load <= share + heaviest + 1e-3


def test_an_item_without_an_earlier_time_is_taken_for_the_middle_one() -> None:
    """Without an earlier record the numbers of cases decide."""
    usual = {"a": 50.0, "b": 5.0, "new": 5.0}

    assert weights(usual) == usual
    assert weights(usual, {"a": 1.0, "b": 9.0, "gone": 2.0}) == {"a": 1.0, "b": 9.0, "new": 2.0}


@pytest.mark.parametrize(
    "text", ["0/3", "4/3", "1/0", "1", "1/3/5", "-1/3", "a/b", "1/٣", "1/99999"]
)
def test_a_part_that_there_is_not_is_refused(text: str) -> None:
    """The message says which there are."""
    with pytest.raises(UsageError) as caught:
        parse(text)

    assert caught.value.what == f"there is no part {text!r}"
    assert caught.value.expected == "I/N: the part I of N, from 1/N to N/N"
    assert parse("2/3") == Shard(2, 3)


BUDGET = ("--tape-profile", "gate", "--tape-examples", "6")


def lasting(record: dict[str, Any]) -> dict[str, Any]:
    """What is the same of a record in every run: all but times."""
    outcomes = [{**outcome, "seconds": 0} for outcome in record["outcomes"]]
    programs = [{**one, "seconds": 0} for one in record["programs"]]
    header = {**record["header"], "started": ""}
    footer = {**record["footer"], "seconds": 0}
    return {
        **record,
        "header": header,
        "outcomes": outcomes,
        "programs": programs,
        "footer": footer,
    }


@pytest.fixture(name="parted")
def _parted(checkout: Checkout) -> Checkout:
    """A checkout whose contracts come to every verdict."""
    checkout.contracts(VERDICTS, HOLDS)
    (checkout.path / "conformance" / "deviations.toml").write_text(KNOWN)
    return checkout


@pytest.mark.parametrize("of", PARTS)
def test_the_records_of_all_parts_join_to_the_record_of_the_whole(
    parted: Checkout, of: int
) -> None:
    """The same programs, verdicts and all else but the times."""
    _, whole = parted.recorded(*BUDGET)
    paths = []
    for k in range(1, of + 1):
        parted.record = parted.path / f"{k}.json"
        parted.recorded(*BUDGET, "--tape-shard", f"{k}/{of}")
        paths.append(parted.record)
    joined = parted.path / "joined.json"
    code = main(["merge", *map(str, reversed(paths)), "--output", str(joined)])

    assert code == ExitCode.HOLDS
    assert lasting(json.loads(joined.read_text("ascii"))) == lasting(whole)
    assert read(joined).header["shard"] is None


def test_an_earlier_record_makes_the_parts_equal(parted: Checkout) -> None:
    """The item that took longest is alone; with workers too, as each of them selects."""
    _, whole = parted.recorded(*BUDGET)
    for one in whole["programs"]:
        one["seconds"] = 60.0 if "odd-eager" in one["item"] else 1.0
    earlier = write(parted.path / "earlier.json", whole)
    options = ("--tape-shard", "1/2", "--tape-balance", earlier)
    _, alone = parted.recorded(*BUDGET, *options)
    _, workers = parted.recorded(*BUDGET, *options, "-n", "2")

    assert set(verdicts(alone)) == {"known-bug-odd-eager", "eager-gap-odd-eager"}
    assert verdicts(workers) == verdicts(alone)
    assert alone["header"]["shard"] == "1/2"


def test_an_earlier_record_that_is_none_is_refused(parted: Checkout) -> None:
    """Before anything runs, with the code for records."""
    bad = write(parted.path / "bad.json", "{}")
    result = parted.run("--tape-shard", "1/2", "--tape-balance", bad)

    assert result.ret == ExitCode.UNREADABLE
    assert error(result).startswith(f"ERROR: the record {bad} is JSON, but no record")


def part(shard: str | None, *, complete: bool = True, **header: Any) -> Reading:
    """The record of a part."""
    made = data(outcome(subject=f"s{shard}"), shard=shard, **header)
    made["footer"]["complete"] = complete
    return Reading(Path(f"{shard}.json"), made)


REFUSED: dict[str, tuple[list[Reading], str]] = {
    "missing": ([part("1/3"), part("3/3")], "not all shards are there: 2/3 is missing"),
    "several": ([part("2/4")], "not all shards are there: 1/4, 3/4, 4/4 is missing"),
    "whole": ([part("1/2"), part(None)], "None.json is the record of a whole run, not of a shard"),
    "twice": ([part("1/2"), part("2/2"), part("2/2")], "a shard, or a cell, is there twice"),
    "seed": ([part("1/2"), part("2/2", seed=1)], "1/2.json and 2/2.json differ in seed"),
    "version": (
        [part("1/2"), part("2/2", version="2.21.0")],
        "1/2.json and 2/2.json differ in versions",
    ),
    "other": (
        [part("1/2"), part("2/2"), part("1/3")],
        "these are shards of different runs: 1/2, 2/2, 1/3",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_not_all_of_one_run_is_not_joined(fault: str) -> None:
    """One missing, one twice, one of another run."""
    parts, text = REFUSED[fault]
    with pytest.raises(UsageError) as caught:
        merge(parts)

    assert caught.value.code == ExitCode.INCOMPARABLE
    assert caught.value.what == f"the records cannot be joined: {text}"


def test_a_part_that_is_incomplete_makes_the_whole_incomplete() -> None:
    """The gate then refuses it."""
    assert merge([part("1/2"), part("2/2")])["footer"]["complete"] is True
    assert merge([part("1/2"), part("2/2", complete=False)])["footer"]["complete"] is False


def test_a_gradient_function_that_one_part_has_verified_is_verified() -> None:
    """States are joined, not chosen."""
    one, two = part("1/2"), part("2/2")
    for made, states in ((one, ("verified", "unreached")), (two, ("exercised", "unreached"))):
        made.data["gradients"][:] = [
            {
                "name": name,
                "state": state,
                "by": ["p"] * (state == "verified"),
                "ops": [f"op that {state}"] * (name == "Cos"),
                "out_of_reach": "",
            }
            for name, state in zip(("Cos", "Sin"), states, strict=True)
        ]
    found = merge([one, two])["gradients"]

    assert [g["state"] for g in found] == ["verified", "unreached"]
    assert [g["ops"] for g in found] == [["op that exercised", "op that verified"], []]


def test_docstrings_and_modules_are_joined() -> None:
    """Whichever part has them."""
    one, two = part("1/2"), part("2/2")
    one.data["docstrings"][:] = [{"symbol": "tf.B", "text": "B."}]
    two.data["docstrings"][:] = [{"symbol": "tf.A", "text": "A."}]
    two.data["gradients"][:] = [
        {"name": "Sin", "state": "unreached", "by": [], "out_of_reach": "", "module": "math_grad"}
    ]
    whole = merge([one, two])

    assert [docstring["symbol"] for docstring in whole["docstrings"]] == ["tf.A", "tf.B"]
    assert [g["module"] for g in whole["gradients"] if g["name"] == "Sin"] == ["math_grad"]
