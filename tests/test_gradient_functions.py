"""A registered gradient function that is 1 % off is found by the oracle that is said to verify it.

The faults of :mod:`tests.plants` are in the ops; these are where TensorFlow looks its gradients up.
So what coverage says of a function is held against what comes of it: a sample with the other tests,
all of them in ``tox run -e kill``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, settings

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE as EVERY_CONTRACT
from conformance.contract import Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, Deviation, load
from conformance.profiles import PROFILES, Profile, hypothesis_settings
from conformance.registry import registry
from conformance.running import ItemRun, Plan
from strategies.ops import CATALOGUE

SAMPLE = 19
"""One entry in so many is tried with the other tests."""


@pytest.fixture(autouse=True)
def _unshrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are not made smaller: the verdict is what counts here."""

    def generated(profile: Profile, examples: int) -> settings:
        return settings(hypothesis_settings(profile, examples), phases=[Phase.generate])

    monkeypatch.setattr(running, "hypothesis_settings", generated)


@cache
def known() -> tuple[Deviation, ...]:
    """The known deviations of the installed TensorFlow, beside which a fault must show."""
    minor = version(tensorflow())
    return tuple(d for d in load(FILE, EVERY_CONTRACT) if d.covers(minor))


def ran(subject: str) -> ItemRun:
    """The eager item of a subject, after its run; one that failed holds its failures."""
    plan = Plan(PROFILES["gate"], 0, None, version(tensorflow()), known(), registry())
    item = ItemRun(contracts.graph, subject, "eager", plan)
    with contextlib.suppress(Violation):  # the outcome holds it
        item.test()()
    return item


Function = Callable[..., Any]


def scaled(gradient: Any, felt: list[str]) -> Any:
    """A gradient that is 1 % too large; what holds no such numbers is returned as it is.

    Args:
        gradient: a tensor, slices of one, or whatever a gradient function returns.
        felt: grows where that changes a number.
    """
    tf = tensorflow()
    if isinstance(gradient, tf.IndexedSlices):
        values = scaled(gradient.values, felt)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    if not isinstance(gradient, tf.Tensor):
        return gradient
    if not (gradient.dtype.is_floating or gradient.dtype.is_complex):
        return gradient
    if tf.executing_eagerly() and np.any(gradient.numpy()):
        felt.append(gradient.dtype.name)
    return gradient * tf.cast(1.01, gradient.dtype)


def off(function: Function, felt: list[str]) -> Function:
    """The same gradient function, 1 % off."""

    def wrong(op: Any, *cotangents: Any) -> Any:
        given = function(op, *cotangents)
        if isinstance(given, list | tuple):
            return [scaled(one, felt) for one in given]
        return scaled(given, felt)

    return wrong


def handing_on(function: Function, _: list[str]) -> Function:
    """A gradient function that answers its first cotangent, whatever it should answer."""

    def wrong(op: Any, *cotangents: Any) -> Any:
        given = function(op, *cotangents)
        return [cotangents[0]] * len(given) if isinstance(given, list | tuple) else cotangents[0]

    return wrong


@contextlib.contextmanager
def planted(name: str, fault: Callable[[Function, list[str]], Function]) -> Iterator[list[str]]:
    """While it lasts the gradient function of a type of op has a fault; lists where that tells."""
    entry, felt = registry().pop(name), list[str]()
    registry()[name] = {**entry, "type": fault(entry["type"], felt)}
    try:
        yield felt
    finally:
        registry()[name] = entry


def with_fault(name: str, subject: str) -> ItemRun:
    """The item of a subject while a gradient function is 1 % off.

    Where all that it ever answers is zero, None, or a list of tensors, it hands on its cotangent.
    """
    with planted(name, off) as felt:
        item = ran(subject)
    if felt:
        return item
    with planted(name, handing_on):
        return ran(subject)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(subject, marks=[] if number % SAMPLE == 0 else pytest.mark.kill)
        for number, subject in enumerate(CATALOGUE)
    ],
)
def test_a_gradient_function_that_is_off_is_found(subject: str) -> None:
    """Each function that the subject runs by itself, and of which coverage says it is verified.

    Unless what is known of the subject is all that its gradients can do wrong.
    """
    honest = ran(subject)
    assert not honest.failures
    alone = [name for name, ops in honest.coverage.ops.items() if ops]
    verified = [name for name in alone if honest.coverage.ran[name]]
    known_to_be_wrong = CATALOGUE[subject].alone and any(o.deviations for o in honest.finish())

    found = {name: bool(with_fault(name, subject).failures) for name in verified}

    missed = [name for name, failed in found.items() if not failed]
    assert not missed or known_to_be_wrong
    if not any(found.values()):
        pytest.skip(f"{subject} runs {alone} by itself; verified there: {verified}")
