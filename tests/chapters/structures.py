"""What breaks the contracts of conformance/contracts/structures.py."""

from __future__ import annotations

from collections.abc import Callable, ValuesView
from typing import Any

from tests.chapters.watching import every_source_is_connected
from tests.tape_lies import TAPE_LIES, change_answers
from tests.tape_lies_around import no_target_is_no_error


def mappings_come_back_as_dicts(tf: Any) -> None:
    """The answer for a mapping of any type, or a namedtuple, is a plain dict."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return dict(answer._asdict() if hasattr(answer, "_asdict") else answer)

    change_answers(tf, change)


def what_is_no_tensor_has_no_gradient(tf: Any) -> None:
    """The gradient of what is no tensor, or by what is none, is None."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        try:
            return truth(tape, target, sources, **options)
        except (AttributeError, TypeError):
            return None

    change_answers(tf, change)


def views_come_back_backwards(tf: Any) -> None:
    """The gradients of the values of a dict begin with the last."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        answer = truth(tape, target, sources, **options)
        return list(answer)[::-1] if isinstance(sources, ValuesView) else answer

    change_answers(tf, change)


KILLS: dict[str, Callable[[Any], None]] = {
    "sources-structure": mappings_come_back_as_dicts,
    "sources-invalid": what_is_no_tensor_has_no_gradient,
    "sources-values-view": views_come_back_backwards,
    "sources-views": what_is_no_tensor_has_no_gradient,
    "target-none": no_target_is_no_error,
    "target-invalid": what_is_no_tensor_has_no_gradient,
    "target-empty": every_source_is_connected,
    "target-nested": TAPE_LIES["only_the_first_target_counts"],
    "gradient-intermediate": TAPE_LIES["an_intermediate_source_hides_what_is_behind_it"],
}
