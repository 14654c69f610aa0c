"""Random programs tell broken tapes from honest ones, within the gate profile, in a few lines."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import pytest

from conformance import running
from conformance.boundary import tensorflow, version
from conformance.contract import CATALOGUE, Violation
from conformance.contracts import test_contracts as contracts
from conformance.deviations import FILE, load
from conformance.profiles import PROFILES, forget_local_constants
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
        lines: how many lines the shrunk program has, its import and blank lines apart.
    """

    contract: str
    kind: str
    subject: str
    lines: int


KILLERS = {
    "recording_is_not_resumed": Killer("program-connected", "none", "tape.stop_recording", 8),
    "stop_recording_is_ignored": Killer("program-connected", "connected", "tape.stop_recording", 6),
    "stop_recording_forgets": Killer("program-connected", "none", "tape.stop_recording", 8),
    "reset_ends_the_recording": Killer("program-values", "value", "tape.reset", 5),
    "reset_is_ignored": Killer("program-connected", "connected", "tape.reset", 8),
    "an_exception_forgets": Killer("program-connected", "none", "tape.nested", 10),
    "a_tape_entered_again_begins_anew": Killer("program-connected", "none", "tape.again", 12),
    "an_inner_tape_stops_the_outer": Killer("program-connected", "none", "tape.nested", 5),
    "only_the_first_of_a_nest_is_watched": Killer(
        "program-watched-variables", "watched", "tape.watch", 6
    ),
    "watching_late_is_ignored": Killer("program-exceptions", "exception", "op", 8),
    "frozen_variables_cannot_be_watched": Killer(
        "program-watched-variables", "watched", "tape.watched_variables", 6
    ),
    "watched_variables_come_backwards": Killer(
        "program-watched-variables", "watched", "tape.watched_variables", 7
    ),
    "watch_accessed_variables_is_ignored": Killer(
        "batch-jacobian-unconnected", "connected", "op", 5
    ),
    "watched_variables_are_lost_with_the_answer": Killer(
        "program-watched-variables", "watched", "tape.watched_variables", 9
    ),
    "value_is_connected_to_what_was_assigned": Killer(
        "program-releases", "held", "variable.assign", 5
    ),
    "persistent_is_ignored": Killer("program-exceptions", "exception", "tape.gradient", 4),
    "every_tape_is_persistent": Killer("program-values", "value", "tape.gradient", 18),
    "read_value_is_a_constant": Killer("program-values", "value", "tape.watch", 30),
    "a_persistent_tape_forgets_with_the_answer": Killer(
        "program-connected", "none", "tape.gradient", 7
    ),
    "a_repeated_source_is_answered_once": Killer("program-connected", "none", "tape.watch", 4),
    "a_repeated_source_counts_twice_at_first": Killer("program-repeats", "repeat", "tape.watch", 4),
    "a_persistent_tape_adds_up_what_it_answers": Killer(
        "program-values", "value", "tape.gradient", 4
    ),
    "tuples_become_lists": Killer("program-structure", "structure", "tape.watch", 4),
    "only_the_first_target_counts": Killer("program-connected", "none", "tape.watch", 5),
    "a_target_is_no_source": Killer("program-connected", "none", "tape.watch", 4),
    "an_intermediate_source_hides_what_is_behind_it": Killer(
        "program-values", "value", "tape.watch", 4
    ),
    "a_tape_that_has_answered_keeps_what_it_was_asked": Killer(
        "program-releases", "held", "tape.watch", 4
    ),
    "zeros_for_a_variable_are_none": Killer("program-exceptions", "exception", "tape.watch", 9),
    "gradients_are_constants": Killer("program-values", "value", "tape.higher_order", 10),
    "records_are_kept_for_ever": Killer("program-releases", "held", "tape.watch", 6),
    "jacobians_are_off_by_a_hundredth": Killer("program-values", "value", "tape.jacobian", 4),
    "gradients_of_gradients_are_off_by_a_hundredth": Killer(
        "program-exceptions", "exception", "op.tf.recompute_grad", 6
    ),
    "loops_of_jacobians_need_no_persistent_tape": Killer(
        "program-exceptions", "exception", "tape.jacobian", 6
    ),
    "unconnected_batch_jacobians_are_ones": Killer("program-zeros", "zeros", "op", 6),
    "branches_are_not_recorded": Killer("program-connected", "none", "op.tf.cond, true", 4),
    "loops_are_recorded_once": Killer("program-connected", "none", "op.tf.while_loop", 5),
    "closures_are_not_recorded": Killer("program-connected", "none", "op.closure", 4),
    "recomputed_functions_are_constants": Killer(
        "program-connected", "none", "op.tf.recompute_grad", 4
    ),
    "custom_gradients_are_ignored": Killer("program-values", "value", "op.tf.custom_gradient", 4),
    "gradients_are_not_passed_through": Killer(
        "program-values", "value", "op.tf.grad_pass_through", 4
    ),
    "no_target_is_no_error": Killer("program-exceptions", "exception", "misuse", 7),
    "numbers_can_be_watched": Killer("program-exceptions", "exception", "misuse", 7),
    "a_batch_jacobian_is_that_of_one_row": Killer("program-values", "value", "constant", 8),
}
"""For each lie what catches it."""


def failures_of(lie: str | None, subject: str) -> dict[str, Failure]:
    """The failures of one item of the gate profile, by contract; runs in a fork."""
    vars(running)["SHRINK_SECONDS"] = 60  # what is left must not depend on how fast we are
    tf = tensorflow()
    if lie is not None:
        TAPE_LIES[lie](tf)
    forget_local_constants()
    minor = version(tf)
    known = tuple(d for d in load(FILE, CATALOGUE) if d.covers(minor))
    run = ItemRun(contracts.program, subject, "eager", Plan(GATE, 0, None, minor, known))
    with contextlib.suppress(Violation):  # the outcomes hold it
        run.test()()
    return {o.contract: o.failure for o in run.finish() if o.failure is not None}


def lines_of(program: str) -> int:
    """How many lines a printed program has, its import and blank lines apart."""
    return len([line for line in program.splitlines() if line and "import" not in line])


@pytest.mark.parametrize("lie", KILLERS)
def test_a_lie_is_killed_and_what_is_printed_is_short(lie: str) -> None:
    """The contract that the lie breaks is violated, by a program of a few lines."""
    killer = KILLERS[lie]
    for subject in (killer.subject, *KINDS):
        found = in_fork(failures_of, lie, subject).get(killer.contract)
        if found is not None and found.kind == killer.kind:
            break
    else:
        pytest.fail(f"{lie} survives the {killer.contract} of the whole family")

    assert lines_of(found.program) == killer.lines, found.program


@pytest.mark.parametrize("subject", KINDS)
def test_no_program_accuses_an_honest_tape(subject: str) -> None:
    """Without a lie the same items violate nothing."""
    assert in_fork(failures_of, None, subject) == {}


def test_every_lie_has_a_killer() -> None:
    """The matrix names each lie, and no other."""
    assert sorted(KILLERS) == sorted(TAPE_LIES)
