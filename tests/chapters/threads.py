"""What breaks the scenes of conformance/contracts/threads.py."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.chapters.watching import every_source_is_connected, watching_is_ignored
from tests.tape_lies import change_answers


def other_threads_are_answered_none(tf: Any) -> None:
    """``gradient`` answers None in every thread but the first."""

    def change(truth: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            return truth(tape, target, sources, **options)
        return tf.nest.map_structure(lambda _: None, sources)

    change_answers(tf, change)


KILLS: dict[str, Callable[[Any], None]] = {
    "thread-local": every_source_is_connected,
    "thread-gradient-elsewhere": other_threads_are_answered_none,
    "gradient-multiple-threads-persistent": other_threads_are_answered_none,
    "tape-in-py-generator": watching_is_ignored,
    "py-function-thread": every_source_is_connected,
}
