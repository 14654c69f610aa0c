"""Citations are checked: what a contract cites stands in the installed documentation."""

from __future__ import annotations

import functools
import inspect

import pytest

from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Citation
from conformance.contracts import test_contracts

assert test_contracts.CHAPTERS
CITED = [(c.id, cite) for c in CATALOGUE.values() for cite in c.cites if cite.kind == "docstring"]


def installed(citation: Citation) -> str:
    """The docstring that is cited, white space folded."""
    parts = citation.where.split(".")[1:]
    found = functools.reduce(getattr, parts, tensorflow())
    return " ".join((inspect.getdoc(found) or "").split())


@pytest.mark.parametrize(("contract", "citation"), CITED, ids=[f"{i}-{c.where}" for i, c in CITED])
def test_a_cited_fragment_stands_in_the_installed_docstring(
    contract: str, citation: Citation
) -> None:
    """The fragment of a few words is found in the docstring of the cited symbol."""
    stated = CATALOGUE[contract]
    if not stated.applies(stated.modes[0], version(tensorflow())):
        pytest.skip("the contract does not speak of this TensorFlow")
    assert citation.words in installed(citation), contract
