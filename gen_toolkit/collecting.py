"""Python's collector of cycles, while calls are under way."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator

_RARELY = (50_000, 20, 20)
_lock = threading.Lock()
_inside = 0
_before: tuple[int, int, int] = gc.get_threshold()


@contextlib.contextmanager
def collected_rarely() -> Iterator[None]:
    """Inside, unreachable cycles are looked for after 50,000 new objects, not after 700.

    Calls in flight are thousands of objects that are all reachable: looking through them again and again
    took a quarter of their time and found nothing. Whoever set the collector otherwise (rarer,
    or off) keeps it; evaluations at once share it, and the last one puts it back.
    """
    global _inside, _before
    with _lock:
        _inside += 1
        if _inside == 1:
            _before = gc.get_threshold()
            if 0 < _before[0] < _RARELY[0]:
                gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and gc.get_threshold() == _RARELY:
                gc.set_threshold(*_before)
