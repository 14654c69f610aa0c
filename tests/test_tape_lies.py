"""Random programs tell broken tapes from honest ones, within the gate profile, in a few lines."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Final

import pytest

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, load
from conformance.profiles import PROFILES
from conformance.record import Failure
from conformance.running import ItemRun, Plan
from strategies.program_drawing import KINDS
from tests import tape_lies_around
from tests.forks import in_fork
from tests.tape_lies import TAPE_LIES

GATE = PROFILES["gate"]
assert tape_lies_around.__doc__  # who imports it has the rest of the lies registered


@dataclass(frozen=True)
class Killer:
    """What must catch a lie.

    Attributes:
        contract: the contract that must be violated.
        kind: how.
        subject: the item that is tried first.
    """

    contract: str
    kind: str
    subject: str


MOST_LINES = 12
"""Of a shrunk program, its imports, blank lines and what it asserts apart."""

KILLERS = {
    "recording_is_not_resumed": Killer("program-connected", "none", "tape.stop_recording"),
    "stop_recording_is_ignored": Killer("program-connected", "connected", "tape.stop_recording"),
    "stop_recording_forgets": Killer("program-connected", "none", "tape.stop_recording"),
    "reset_ends_the_recording": Killer("program-values", "value", "tape.reset"),
    "reset_is_ignored": Killer("program-connected", "connected", "tape.reset"),
    "an_exception_forgets": Killer("program-connected", "none", "tape.nested"),
    "a_tape_entered_again_begins_anew": Killer("program-connected", "none", "tape.again"),
    "an_inner_tape_stops_the_outer": Killer("program-connected", "none", "tape.nested"),
    "only_the_first_of_a_nest_is_watched": Killer(
        "program-watched-variables", "watched", "tape.watch"
    ),
    "watching_late_is_ignored": Killer("program-exceptions", "exception", "op"),
    "frozen_variables_cannot_be_watched": Killer(
        "program-watched-variables", "watched", "tape.watched_variables"
    ),
    "watched_variables_come_backwards": Killer(
        "program-watched-variables", "watched", "tape.watched_variables"
    ),
    "watch_accessed_variables_is_ignored": Killer(
        "program-connected", "connected", "variable.read"
    ),
    "watched_variables_are_lost_with_the_answer": Killer(
        "program-watched-variables", "watched", "tape.watched_variables"
    ),
    "value_is_connected_to_what_was_assigned": Killer(
        "program-releases", "held", "variable.assign"
    ),
    "persistent_is_ignored": Killer("program-exceptions", "exception", "tape.gradient"),
    "every_tape_is_persistent": Killer("program-exceptions", "exception", "tape.gradient"),
    "read_value_is_a_constant": Killer("program-values", "value", "tape.watch"),
    "a_persistent_tape_forgets_with_the_answer": Killer(
        "program-connected", "none", "tape.gradient"
    ),
    "a_repeated_source_is_answered_once": Killer("program-connected", "none", "tape.watch"),
    "a_repeated_source_counts_twice_at_first": Killer("program-repeats", "repeat", "tape.watch"),
    "a_persistent_tape_adds_up_what_it_answers": Killer("program-values", "value", "tape.gradient"),
    "tuples_become_lists": Killer("program-structure", "structure", "tape.watch"),
    "only_the_first_target_counts": Killer("program-connected", "none", "tape.watch"),
    "a_target_is_no_source": Killer("program-connected", "none", "tape.watch"),
    "an_intermediate_source_hides_what_is_behind_it": Killer(
        "program-values", "value", "tape.watch"
    ),
    "a_tape_that_has_answered_keeps_what_it_was_asked": Killer(
        "program-releases", "held", "tape.watch"
    ),
    "zeros_for_a_variable_are_none": Killer("program-exceptions", "exception", "tape.watch"),
    "gradients_are_constants": Killer("program-values", "value", "tape.higher_order"),
    "records_are_kept_for_ever": Killer("program-releases", "held", "tape.watch"),
    "jacobians_are_off_by_a_hundredth": Killer("program-values", "value", "tape.jacobian"),
    "gradients_of_gradients_are_off_by_a_hundredth": Killer(
        "program-exceptions", "exception", "op.tf.recompute_grad"
    ),
    "loops_of_jacobians_need_no_persistent_tape": Killer(
        "program-exceptions", "exception", "tape.jacobian"
    ),
    "unconnected_batch_jacobians_are_ones": Killer("program-zeros", "zeros", "tape.batch_jacobian"),
    "unconnected_batch_jacobians_have_another_dtype": Killer(
        "batch-jacobian-unconnected", "dtype", "tape.batch_jacobian"
    ),
    "gradients_have_an_axis_more": Killer("program-shape-and-dtype", "shape", "tape.watch"),
    "branches_are_not_recorded": Killer("program-connected", "none", "op.tf.cond, true"),
    "loops_are_recorded_once": Killer("program-connected", "none", "op.tf.while_loop"),
    "closures_are_not_recorded": Killer("program-connected", "none", "op.closure"),
    "recomputed_functions_are_constants": Killer(
        "program-connected", "none", "op.tf.recompute_grad"
    ),
    "custom_gradients_are_ignored": Killer("program-values", "value", "op.tf.custom_gradient"),
    "gradients_are_not_passed_through": Killer(
        "program-values", "value", "op.tf.grad_pass_through"
    ),
    "no_target_is_no_error": Killer("program-exceptions", "exception", "misuse"),
    "numbers_can_be_watched": Killer("program-exceptions", "exception", "misuse"),
    "a_batch_jacobian_is_that_of_one_row": Killer("program-values", "value", "tape.batch_jacobian"),
}
"""For each lie what catches it."""


def failures_of(lie: str | None, subject: str, contract: str = "") -> dict[str, Failure]:
    """The failures of one item of the gate profile, by contract; runs in a fork.

    Args:
        lie: what is told.
        subject: of the item.
        contract: the only one that looks, so that none that sees more comes before it; or all.
    """
    vars(running)["SHRINK_SECONDS"] = 60  # what is left must not depend on how fast we are
    tf = tensorflow()
    if lie is not None:
        TAPE_LIES[lie](tf)
    minor = version(tf)
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(minor))
    looking = [c for c in contracts.program.contracts if contract in ("", c.id)]
    cases = replace(contracts.program, contracts=looking)
    run = ItemRun(cases, subject, "eager", Plan(GATE, 0, None, minor, known))
    with contextlib.suppress(Violation):  # the outcomes hold it
        run.test()()
    return {o.contract: o.failure for o in run.finish() if o.failure is not None}


def lines_of(program: str) -> int:
    """How many lines a printed program has, but for imports, blank lines and the assertion.

    What asserts that nothing is held begins with who is living.
    """
    before, _, _ = program.partition("living = ")
    lines = [line for line in before.splitlines() if line and "import" not in line]
    return len([line for line in lines if not line.startswith(("got = ", "assert "))])


SAMPLE: Final = (
    "stop_recording_forgets",
    "an_exception_forgets",
    "an_inner_tape_stops_the_outer",
    "frozen_variables_cannot_be_watched",
    "watched_variables_come_backwards",
    "persistent_is_ignored",
)
"""Those that are found at once; each takes ten seconds, and some of the others minutes."""


@pytest.mark.parametrize(
    "lie", [pytest.param(lie, marks=[] if lie in SAMPLE else pytest.mark.kill) for lie in KILLERS]
)
def test_a_lie_is_killed_and_what_is_printed_is_short(lie: str) -> None:
    """The contract that the lie breaks is violated, by a program of a few lines."""
    killer = KILLERS[lie]
    for subject in (killer.subject, *KINDS):
        found = in_fork(failures_of, lie, subject, killer.contract).get(killer.contract)
        if found is not None and found.kind == killer.kind:
            break
    else:
        pytest.fail(f"{lie} survives the {killer.contract} of the whole family")

    assert lines_of(found.program) <= MOST_LINES, found.program


@pytest.mark.parametrize("subject", KINDS)
def test_no_program_accuses_an_honest_tape(subject: str) -> None:
    """Without a lie the same items violate nothing."""
    assert in_fork(failures_of, None, subject) == {}


def test_every_lie_has_a_killer() -> None:
    """The matrix names each lie, and no other."""
    assert sorted(KILLERS) == sorted(TAPE_LIES)


def test_every_contract_about_programs_kills_a_lie() -> None:
    """What no lie can break promises nothing."""
    assert {killer.contract for killer in KILLERS.values()} == {
        contract.id for contract in contracts.program.contracts
    }
