"""One event loop on a thread of its own, and the one door into it for synchronous code.

Works in a script, in a notebook cell (where a loop is already running) and in a job: nothing is
nested, the caller waits and the loop runs elsewhere. Shared state of the model calls lives on it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_owner = 0


def event_loop() -> asyncio.AbstractEventLoop:
    """The process's loop; a forked child gets its own."""
    global _loop, _owner
    with _lock:
        if _loop is None or _owner != os.getpid():
            _loop = asyncio.new_event_loop()
            _owner = os.getpid()
            threading.Thread(target=_loop.run_forever, name="gen_toolkit loop", daemon=True).start()
        return _loop


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on the loop and wait for it. Ctrl-C cancels what is in flight, then is raised."""
    if threading.current_thread().name == "gen_toolkit loop":
        work.close()
        raise RuntimeError("a synchronous call inside the event loop would wait for itself; use the `a…` twin")
    future = asyncio.run_coroutine_threadsafe(work, event_loop())
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


async def on_loop(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` from any loop: it runs on the toolkit's own."""
    if asyncio.get_running_loop() is event_loop():
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, event_loop()))
