"""A registered gradient function that is 1 % off is found by the oracle that is said to verify it.

The faults of :mod:`tests.plants` are in the ops; these are where TensorFlow looks its gradients up.
So what coverage says of a function is held against what comes of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from conformance.boundary import tensorflow
from conformance.contracts import test_contracts as contracts
from conformance.registry import registry
from conformance.running import ItemRun
from strategies.ops import CATALOGUE
from tests.sampled import SUBJECTS, ran

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
        item = ran(contracts.graph, subject)
    if felt:
        return item
    with planted(name, handing_on):
        return ran(contracts.graph, subject)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_gradient_function_that_is_off_is_found(subject: str) -> None:
    """Of the functions that the subject runs by itself, and of which coverage says so.

    Where it runs several, what is wrong in one may not reach the answer, or be cancelled by
    another; where its gradients are known to be wrong, the fault may pass for that.
    """
    honest = ran(contracts.graph, subject, registry())
    assert not honest.failures
    alone = [name for name, ops in honest.coverage.ops.items() if ops]
    verified = [name for name in alone if honest.coverage.ran[name]]

    found = [name for name in verified if with_fault(name, subject).failures]

    if not found:
        known_to_be_wrong = CATALOGUE[subject].alone and any(o.deviations for o in honest.finish())
        assert not verified or known_to_be_wrong
        pytest.skip(f"{subject} runs {alone} by itself; verified there: {verified}")
