"""The command ``python -m conformance site``: what it takes, what it leaves, and its errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conformance.__main__ import main
from conformance.errors import ExitCode
from tests.records import write
from tests.sites import Page, made


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code of the command, and what it prints."""
    code = main(["site", *arguments])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_the_command_makes_a_site_of_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how many pages there are, and where."""
    path = write(tmp_path / "a.json", made("2.21.0"))
    code, text = run(capsys, str(path), "--out", str(tmp_path / "out"))

    pages = len(list((tmp_path / "out").rglob("*.html")))
    assert code == ExitCode.HOLDS
    assert text == f"{pages} pages in {tmp_path}/out: {tmp_path}/out/index.html\n"


def test_without_records_the_command_takes_those_at_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two of one environment the gate's."""
    write(tmp_path / "tf2.21.json", made("2.21.0"))
    write(tmp_path / "tf2.20.json", made("2.20.0"))
    write(tmp_path / "gate" / "tf2.21.json", made("2.21.1"))
    code, _ = run(capsys, "--results", str(tmp_path), "--out", str(tmp_path / "out"))
    versions = json.loads((tmp_path / "out" / "matrix.json").read_text("utf-8"))["versions"]

    assert code == ExitCode.HOLDS
    assert [version["tensorflow"] for version in versions] == ["2.20.0", "2.21.1"]


def test_citations_have_the_address_that_the_site_will_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In each of their forms."""
    path = write(tmp_path / "a.json", made("2.21.0"))
    url = "https://example.org/tape"
    code, _ = run(capsys, str(path), "--out", str(tmp_path / "out"), "--url", url)
    text = Page(tmp_path / "out" / "contract" / "unwatched-none.html").text

    assert code == ExitCode.HOLDS
    assert text.count(f"{url}/contract/unwatched-none.html") == 3
    assert f"url          = {{{url}/contract/unwatched-none.html}}," in text


@pytest.mark.parametrize(
    "sort", ["no records", "cut off", "one version twice", "no folder", "no address"]
)
def test_what_is_wrong_is_one_clear_error(
    sort: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its exit code, and what to do."""
    good = write(tmp_path / "a.json", made("2.21.0"))
    other = write(tmp_path / "b.json", made("2.21.1"))
    cut = write(tmp_path / "c.json", '{"schema": 1,')
    arguments, expected, words = {
        "no records": (["--results", str(tmp_path / "none")], ExitCode.USAGE, "no record in"),
        "cut off": ([str(cut)], ExitCode.UNREADABLE, "is not JSON"),
        "one version twice": (
            [str(good), str(other)], ExitCode.USAGE, "two records are of TensorFlow 2.21",
        ),
        "no address": (
            [str(good), "--url", "javascript:alert(1)"], ExitCode.USAGE, "--url 'javascript",
        ),
        "no folder": (
            [str(good), "--out", str(good)], ExitCode.USAGE, "cannot be written",
        ),
    }[sort]  # fmt: skip
    code, text = run(capsys, *arguments)

    assert code == expected
    assert words in text
    assert "hint:" in text


def test_without_jinja_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who installs it."""
    path = write(tmp_path / "a.json", made("2.21.0"))
    for name in ("conformance.site.pages", "conformance.site.rendering"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    code, text = run(capsys, str(path), "--out", str(tmp_path / "out"))

    assert code == ExitCode.USAGE
    assert "the site needs jinja2, which is not installed" in text
    assert "tox run -e site" in text
