"""What pages are made from: names of versions, verdicts of many cells, citations, docstrings."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.gate.telling import harmless
from conformance.record import VERDICTS
from conformance.site import documentation
from conformance.site.citing import _tex
from conformance.site.documentation import Part, _laid_out
from conformance.site.rendering import FOLDER, code, environment, link
from conformance.site.source import properties
from conformance.site.verdicts import ABSENT, MEANINGS, SAID, SIGNS, letter, overall, summarise
from conformance.site.versions import name, spoken
from tests.records import outcome

# -- verdicts --------------------------------------------------------------------------------------


def test_every_verdict_has_a_sign_a_letter_and_words_of_its_own() -> None:
    """None is told by colour alone, and the matrix's script tells them apart."""
    assert {*VERDICTS, ABSENT} == SIGNS.keys() == MEANINGS.keys() == SAID.keys()
    assert len(set(SIGNS.values())) == len({letter(one) for one in SIGNS}) == len(SIGNS)


@given(st.lists(st.sampled_from(list(SIGNS)), min_size=1), st.randoms())
def test_what_verdicts_come_to_is_one_of_them_in_whatever_order(
    verdicts: list[str], random: Any
) -> None:
    """The worst, where what accuses nobody is no worse than what holds."""
    worst = overall(verdicts)
    random.shuffle(verdicts)

    assert worst in verdicts
    assert overall(verdicts) == worst
    assert overall([*verdicts, "violated"]) == "violated"
    assert overall([*verdicts, ABSENT]) == worst


def test_counts_of_cells_are_added_up() -> None:
    """Programs, and the checks of each sort."""
    found = summarise([outcome(), outcome("deviates"), outcome("gap"), outcome("inconclusive")])

    assert found.verdict == "deviates"
    assert found.cells == {"deviates": 1, "holds": 1, "gap": 1, "inconclusive": 1}
    assert (found.programs, found.conclusive, found.undecided, found.known) == (12, 3, 3, 1)
    assert summarise([]).verdict == ABSENT


# -- versions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tensorflow", "named"),
    [
        ("2.21.0", "2.21"),
        ("2.21.1", "2.21"),
        ("2.23.0-dev20261026", "nightly"),
        ("2.23.0.dev20261026", "nightly"),
        ("2.21.0-rc1", "2.21.0-rc1"),
        ("2.21.0+mine", "2.21.0+mine"),
        ("..", "_"),
        ("a/../b", "a_.._b"),
        ("\u202e", "_u202e"),
    ],
)
def test_a_version_is_named_by_its_minor_or_by_all_of_it(tensorflow: str, named: str) -> None:
    """Patch releases share an address; what is no release keeps its own name."""
    assert name(tensorflow) == named


@given(st.text(min_size=1))
def test_any_version_has_a_name_that_stays_in_its_folder(tensorflow: str) -> None:
    """Whatever it calls itself."""
    assert re.fullmatch(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*", name(tensorflow))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        (["2.8"], "2.8"),
        (["2.8", "2.9"], "2.8 and 2.9"),
        (["2.8", "2.9", "2.10"], "2.8 to 2.10"),
        (["2.8", "2.10", "2.11", "2.12", "nightly"], "2.8, 2.10 to 2.12 and nightly"),
    ],
)
def test_a_range_of_versions_leaves_out_none(names: list[str], words: str) -> None:
    """What was not measured is not spoken for."""
    assert spoken(names) == words


# -- sources ---------------------------------------------------------------------------------------


def test_the_property_of_a_contract_is_its_decorator_and_its_check() -> None:
    """Read from the sources, in the order of the chapters."""
    found = properties()
    one = found["unwatched-none"]

    assert next(iter(found)) == "watch-variable-auto"
    assert one.chapter.name == "unconnected"
    assert one.text.startswith('@GRAPHS.contract(\n    "unwatched-none",')
    assert one.text.endswith('return _nones(seen, sources, "nobody watches it")')


# -- texts -----------------------------------------------------------------------------------------


@given(st.text())
def test_what_a_template_prints_is_harmless_text(text: str) -> None:
    """No markup, and nothing that moves or hides."""
    printed = environment().from_string("<p>{{ text }}</p>").render(text=text)
    inside = printed.removeprefix("<p>").removesuffix("</p>")

    assert "<" not in inside
    assert harmless(inside) == inside


@given(st.text())
def test_a_program_in_colours_is_the_program(text: str) -> None:
    """But for what surrounds it, no letter is lost, and none is markup."""
    tags = re.sub(r'</?span( class="[\w ]+")?>', "", code(text))

    assert "<" not in tags
    unescaped = tags.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    unescaped = unescaped.replace("&#39;", "'").replace("&amp;", "&")
    assert unescaped.strip() == harmless(text.strip("\n")).strip()


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "http://a", " https://"]
)
def test_only_addresses_of_the_web_can_be_followed(address: str) -> None:
    """A record may come from a stranger."""
    assert link(address) == ""
    assert link("https://github.com/tensorflow/tensorflow/issues/1")


@given(st.text())
def test_a_citation_for_tex_closes_every_brace_that_it_opens(text: str) -> None:
    """So that a sentence cannot end its entry."""
    bare = re.sub(r"\\[{}%&#_$]", "", _tex(text))

    assert bare.count("{") == bare.count("}") == len(re.findall(r"\\text\w+\{\}", bare))


# -- docstrings ------------------------------------------------------------------------------------

TEXT = """Records it.

One sentence, of
two lines. Another one.

>>> x = 1
>>> x
1

* An item.

```python
y = 2

z = 3
```

Args:
  name: What it is called.
"""
SENTENCES = (
    "One sentence, of two lines.",
    "Another one.",
    "An item.",
    "What it is called.",
)


def test_sentences_stand_in_the_text_around_them() -> None:
    """Code as it is written; headings, labels and what is no sentence in lines of their own."""
    found = list(_laid_out(TEXT, [Part(text) for text in SENTENCES]))

    assert [(part.kind, part.text) for part in found] == [
        ("text", "Records it."),
        ("sentence", SENTENCES[0]),
        ("sentence", SENTENCES[1]),
        ("code", ">>> x = 1\n>>> x\n1"),
        ("sentence", SENTENCES[2]),
        ("code", "y = 2\n\nz = 3"),
        ("text", "Args:"),
        ("text", "name:"),
        ("sentence", SENTENCES[3]),
    ]


LINE = st.text(st.sampled_from("ab .:*`#>-\n "), max_size=20)


@given(st.lists(LINE, max_size=8), st.lists(st.integers(0, 7), max_size=4))
def test_no_word_of_a_docstring_is_lost(lines: list[str], chosen: list[int]) -> None:
    """Sentences and what is between them hold them all, in their order."""
    text = "\n".join(lines)
    sentences = [" ".join(lines[at].split()) for at in sorted(set(chosen)) if at < len(lines)]
    parts = list(_laid_out(text, [Part(one) for one in sentences if one]))

    found = re.findall(r"[ab]", "".join(part.text for part in parts))
    assert found == re.findall(r"[ab]", text)


def test_a_sentence_that_the_text_has_not_is_told_all_the_same() -> None:
    """Better twice than never."""
    found = list(_laid_out("Nothing of it.", [Part("Another one.")]))

    assert [part.text for part in found] == ["Another one.", "Nothing of it."]


def test_the_scope_is_that_of_the_ledger() -> None:
    """In its order."""
    assert documentation.scope()[0] == "tf.GradientTape"


# -- colours ---------------------------------------------------------------------------------------


def _colours() -> dict[str, dict[str, str]]:
    css = (FOLDER / "static" / "site.css").read_text("utf-8")
    light, dark = re.findall(r":root \{\n(.*?)\n *\}\n", css, re.DOTALL)[:2]
    found = {}
    for scheme, block in (("light", light), ("dark", dark)):
        found[scheme] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return found


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2 has it."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    *((i, ground) for i in ("text", "quiet", "link") for ground in ("ground", "raised", "sunk")),
    *((v, f"{v}-on") for v in ("holds", "deviates", "violated", "crashed", "gap", "dim")),
    *((ink, "sunk") for ink in ("k", "s", "c", "n", "f", "d")),
    *(("text", f"{v}-on") for v in ("holds", "deviates", "violated", "crashed", "gap", "dim")),
    ("accent", "ground"),
    ("quiet", "dim-on"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_text_and_ground_has_the_contrast_of_aa(scheme: str) -> None:
    """4.5 to 1, in light and in dark."""
    colours = _colours()[scheme]
    low = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in PAIRS}

    assert {pair: value for pair, value in low.items() if value < 4.5} == {}


def test_light_and_dark_name_the_same_colours() -> None:
    """None is left as it is in the other."""
    light, dark = _colours().values()

    assert light.keys() == dark.keys()
