"""The site: every page is there, every link leads somewhere, and hostile text is text."""

from __future__ import annotations

import csv
import json
import re
import time
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from conformance.gate.making import releases
from conformance.modes import MODES
from conformance.site import permalinks, questions
from conformance.site.atlas import Atlas
from conformance.site.source import properties
from conformance.site.verdicts import SIGNS
from tests.conftest import ROOT
from tests.records import data, outcome
from tests.sites import REAL, Page, build, every, hostile, made

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Atlas]:
    """A site of three versions."""
    folder = tmp_path_factory.mktemp("site")
    return build(folder, made("2.20.0"), made("2.21.0", worse=True), made("2.22.0-dev20261026"))


# -- what is there ---------------------------------------------------------------------------------


def test_every_contract_and_every_version_has_its_page(site: tuple[Path, Atlas]) -> None:
    """Whether it is in a record or not."""
    folder, known = site
    contracts = {path.stem for path in (folder / "contract").iterdir()}
    versions = {path.stem for path in (folder / "version").iterdir()}

    assert contracts == {*permalinks.published(), *known.entries}
    assert versions == {*(env[2:] for env, _ in releases()), "nightly", "index"}


def test_every_link_leads_to_a_page_and_to_a_place_on_it(site: tuple[Path, Atlas]) -> None:
    """On all pages; what follows the matrix's address is for its script."""
    folder, _ = site
    found = {page.path: page for page in every(folder)}
    for page in found.values():
        for tag, address in page.addresses():
            if tag == "a" and address.startswith("https://"):
                continue
            name, _, place = unquote(address).partition("#")
            target = (page.path.parent / name).resolve() if name else page.path
            assert target.is_file(), (page.path.name, address)
            if place and target.name != "matrix.html":
                assert place in found[target].anchors, (page.path.name, address)


def test_pages_are_well_formed(site: tuple[Path, Atlas]) -> None:
    """What is opened is closed, each id is there once, and each page has one main heading."""
    for page in every(site[0]):
        assert page.open == [], page.path
        assert len(page.anchors) == len(set(page.anchors)), page.path
        assert [tag for tag, _ in page.tags].count("h1") == 1, page.path


def test_no_page_asks_another_host_or_runs_what_is_inside_of_it(site: tuple[Path, Atlas]) -> None:
    """Nothing is loaded but our own files; no script or style stands in a page."""
    for page in every(site[0]):
        for tag, attributes in page.tags:
            assert tag not in (
                "style",
                "iframe",
                "object",
                "form" if "action" in attributes else "",
            ), page.path
            assert not any(name.startswith("on") or name == "style" for name in attributes)
            if tag == "script":
                assert re.fullmatch(r"(\.\./)*(static/)?\w+\.js", attributes["src"])
            if tag in ("img", "link"):
                assert ":" not in attributes.get("src", attributes.get("href", ""))
        policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv"))
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy


def test_the_same_records_make_the_same_bytes(tmp_path: Path) -> None:
    """Whenever it is made."""
    one, _ = build(tmp_path / "one", made("2.21.0"))
    two, _ = build(tmp_path / "two", made("2.21.0"))

    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    assert all((one / path).read_bytes() == (two / path).read_bytes() for path in files)


def test_a_contract_that_is_gone_leaves_a_page_that_says_so(site: tuple[Path, Atlas]) -> None:
    """Its address was given out."""
    page = Page(site[0] / "contract" / "zero-cotangent.html")

    assert "zero-cotangent is not asked any more" in page.text


def test_a_version_that_was_not_measured_has_a_page_that_says_so(site: tuple[Path, Atlas]) -> None:
    """And how to measure it."""
    page = Page(site[0] / "version" / "2.9.html")

    assert "TensorFlow 2.9 was not measured" in page.text
    assert "tox run -e tf2.9" in page.text


def test_every_contract_of_the_checkout_is_among_the_permanent_addresses() -> None:
    """A new contract is added to permalinks.txt, and none is ever taken out."""
    ids = permalinks.published()

    assert set(properties()) <= set(ids)
    assert ids == sorted(set(ids))


def test_every_question_is_answered_by_a_contract_of_the_checkout() -> None:
    """And is one."""
    asked = questions.by_contract()

    assert sum(map(len, questions.asked().values())) == len(asked)
    assert asked.keys() <= properties().keys()
    assert all(text.endswith("?") for text in asked.values())
    assert len(set(asked.values())) == len(asked)


# -- what pages say --------------------------------------------------------------------------------


def test_the_page_of_a_contract_has_its_property_and_how_to_repeat_it(
    site: tuple[Path, Atlas],
) -> None:
    """From the sources, and from the record."""
    page = Page(site[0] / "contract" / "unwatched-none.html")

    assert "conformance/contracts/unconnected.py:" in page.text
    assert "def unwatched_none(seen: Seen) -> Tally:" in page.text
    command = "pytest 'x.py::graph[tf.math.cos-eager]' --tape-profile gate --tape-seed 0"
    assert f"tox run --notest -e tf2.21 && tox exec -e tf2.21 -- {command}" in page.text


def test_documentation_that_has_changed_its_words_is_marked(site: tuple[Path, Atlas]) -> None:
    """Each wording stands with the versions that are shipped with it."""
    drifted = made("2.21.0")
    for contract in drifted["contracts"]:
        contract["citations"][0]["sentence"] = "In other words."
    folder, _ = site
    same = Page(folder / "contract" / "unwatched-none.html")
    changed, _ = build(folder.parent / "drift", made("2.20.0"), drifted)
    page = Page(changed / "contract" / "unwatched-none.html")

    assert "Drift:" not in same.text
    assert "Drift:" in page.text
    assert re.search(r"In other words\.\s*as shipped in 2\.21", page.text)
    assert re.search(r"As in 2\.2\.\s*as shipped in 2\.20", page.text)


def test_a_failure_is_shown_with_its_program_and_a_deviation_with_its_reason(
    site: tuple[Path, Atlas],
) -> None:
    """The program of the failure goes before the deviation's witness."""
    page = Page(site[0] / "contract" / "a-promise.html")

    assert "The shortest failing program" in page.text
    assert "print(tf.constant(1.0))" in page.text
    assert "it divides by zero" in page.text
    assert "near a kink" in page.text


def test_a_version_tells_what_the_gate_says_against_the_one_before(
    site: tuple[Path, Atlas],
) -> None:
    """The kinds of changes; of the first version, that there is nothing to compare with."""
    first, second = (Page(site[0] / "version" / f"{name}.html") for name in ("2.20", "2.21"))

    assert "no record of an earlier version" in first.text
    assert "What changed against 2.20.0" in second.text
    assert "crashed: 1 cell" in second.text


def test_versions_that_cannot_be_compared_are_not(tmp_path: Path) -> None:
    """The page says why."""
    folder, _ = build(
        tmp_path,
        made("2.20.0"),
        {**made("2.21.0"), "header": {**made("2.21.0")["header"], "seed": 1}},
    )
    page = Page(folder / "version" / "2.21.html")

    assert "cannot be compared cell by cell" in page.text
    assert "seed: the seed: 0 and 1" in page.text
    assert "No sentence of the documentation has changed" in page.text


def test_what_the_documentation_has_reworded_is_told_of_a_version(tmp_path: Path) -> None:
    """With what it was and what it is; gradient functions that are new, too."""
    after = made("2.21.0")
    after["documentation"][0] |= {"sentence": "It has few words.", "hash": "f" * 16}
    after["gradients"][0]["name"] = "Cosh"
    folder, _ = build(tmp_path, made("2.20.0"), after)
    page = Page(folder / "version" / "2.21.html")

    assert "of its sentences 1 reworded" in page.text
    assert "It has a few words. It has few words." in page.text
    assert "Gradient functions: 1 newly registered" in page.text


def test_the_article_is_told_claim_by_claim(site: tuple[Path, Atlas]) -> None:
    """Each with the contracts that tried it."""
    page = Page(site[0] / "article.html")

    assert "What article-ex1 says." in page.text


def test_the_matrix_is_there_as_csv_and_as_json(site: tuple[Path, Atlas]) -> None:
    """A row for a contract, a version and a mode, and for all modes together."""
    folder, known = site
    with (folder / "matrix.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    whole = json.loads((folder / "matrix.json").read_text("utf-8"))

    assert [{k: str(v) for k, v in row.items()} for row in whole["cells"]] == rows
    assert len(whole["contracts"]) == len(known.entries)
    told = {(r["contract"], r["version"], r["mode"]): r["verdict"] for r in rows}
    assert told["a-promise", "2.20", "all"] == "deviates"
    assert told["a-promise", "2.21", "all"] == "violated"
    assert told["unwatched-none", "nightly", "xla"] == "holds"


def test_the_search_knows_every_contract_by_its_question_too(site: tuple[Path, Atlas]) -> None:
    """It is a script, since a page that is opened as a file may fetch none."""
    text = (site[0] / "search.js").read_text("utf-8")
    entries = json.loads(text.removeprefix("window.tapemeasure = ").removesuffix(";\n"))
    found = {address: more for kind, _, more, address in entries if kind == "contract"}

    assert found["contract/unwatched-none.html"] == "unwatched-none Is a constant watched?"
    for *_, address in entries:
        name, _, place = address.partition("#")
        assert not place or place in Page(site[0] / name).anchors, address
        assert (site[0] / name).is_file()


def test_the_heat_map_is_a_picture_that_stands_by_itself(site: tuple[Path, Atlas]) -> None:
    """Well-formed, with a title, a rectangle for each op and version, and signs where they fail."""
    tree = ET.fromstring((site[0] / "heatmap.svg").read_text("utf-8"))  # noqa: S314 - our own
    svg = "{http://www.w3.org/2000/svg}"
    classes = [one.get("class") for one in tree.iter(f"{svg}rect")]
    signs = [one.text for one in tree.iter(f"{svg}text") if one.get("class") == "sign"]

    assert tree.find(f"{svg}title") is not None
    assert classes.count("violated") == 1
    assert set(signs) == {"1", *(SIGNS[v] for v in ("gap", "inconclusive", "unsupported"))}


def test_thirteen_versions_of_all_contracts_in_five_modes_are_built_in_time(
    tmp_path: Path,
) -> None:
    """In fifteen seconds of the processor, whatever else it does; home stays under 200 kB."""
    cells = [outcome(contract=id_, subject="", mode=mode) for id_ in properties() for mode in MODES]
    began = time.process_time()
    folder, known = build(tmp_path, *(data(*cells, version=f"2.{n}.0") for n in range(8, 21)))

    assert time.process_time() - began < 15
    assert len(known.versions) == 13
    assert (folder / "index.html").stat().st_size < 200_000


def test_the_record_of_a_run_that_did_nothing_makes_a_site_too(tmp_path: Path) -> None:
    """It says that nothing was asked, and that the run did not come to its end."""
    empty = data(version="2.21.0", modes=["eager"], used=None, shard="1/2")
    empty |= {"contracts": [], "documentation": [], "docstrings": [], "gradients": []}
    empty["footer"]["complete"] = False
    folder, _ = build(tmp_path, empty)
    page = Page(folder / "version" / "2.21.html")

    assert "0 contracts, 0 cells" in page.text
    assert "did not come to its end" in page.text
    assert "It is a part of the suite: shard 1/2; modes eager." in page.text


# -- hostile text ----------------------------------------------------------------------------------


def test_hostile_text_is_shown_as_text(tmp_path: Path) -> None:
    """No tag or attribute comes of it, no character of it moves anything, none is lost."""
    plain, _ = build(tmp_path / "plain", made("2.20.0"), made("2.21.0", worse=True))
    folder, _ = build(
        tmp_path / "hostile", hostile(made("2.20.0")), hostile(made("2.21.0", worse=True))
    )
    for path in folder.rglob("*"):
        if path.is_file():
            assert not CONTROL.search(path.read_bytes().decode().replace("\r\n", "\n")), path
    for page in every(folder):
        for tag, attributes in page.tags:
            assert tag not in ("b", "style"), page.path
            assert not any(name.startswith("on") for name in attributes), page.path
            assert tag != "script" or attributes["src"].endswith(".js"), page.path
            assert not attributes.get("href", "").startswith(("javascript:", "data:")), page.path
        assert "49 " not in page.text.replace("{{ 7 * 7 }}", ""), page.path
    page = Page(folder / "contract" / "a-promise.html")
    assert "<script>alert(1)</script>" in page.text
    assert r"\u202etxet\u202c" in page.text
    assert r"\x1b[31mred" in page.text
    assert {path.name for path in plain.rglob("*.html")} == {p.name for p in folder.rglob("*.html")}


def test_a_version_that_calls_itself_a_path_stays_in_the_folder(tmp_path: Path) -> None:
    """Its page has a name of harmless letters."""
    folder, known = build(tmp_path, data(outcome(), version="../../../etc/passwd\u202e<b>"))

    assert known.names == ["_.._.._etc_passwd_u202e_b_"]
    assert (folder / "version" / "_.._.._etc_passwd_u202e_b_.html").is_file()


def test_contracts_that_tests_rely_on_exist() -> None:
    """Else they would test pages without a property."""
    assert set(REAL) <= set(properties())
    assert (ROOT / "conformance" / "contracts" / "unconnected.py").is_file()
