"""One event loop on a thread of its own, and the one door into it for synchronous code.

Works in a script, in a notebook cell (where a loop is already running) and in a job: nothing is
nested, the caller waits and the loop runs elsewhere. Shared state of the model calls lives on it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from gen_toolkit.collecting import collected_rarely

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
        with collected_rarely():
            return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


async def on_loop(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` from any loop: it runs on the toolkit's own, in the context of whoever awaits it."""
    here, there = asyncio.get_running_loop(), event_loop()
    if here is there:
        return await work
    done: asyncio.Future[T] = here.create_future()
    context = copy_context()
    task: asyncio.Task[T] | None = None

    def start() -> None:
        nonlocal task
        task = there.create_task(work, context=context)
        task.add_done_callback(lambda ended: post(here, _hand_over, ended, done))

    def cancel() -> None:
        if task is not None:
            task.cancel()

    post(there, start)
    try:
        with collected_rarely():
            return await done
    except asyncio.CancelledError:
        post(there, cancel)
        raise


def _hand_over(ended: asyncio.Task[T], done: asyncio.Future[T]) -> None:
    if done.done():  # whoever waited has gone
        if not ended.cancelled():
            ended.exception()
    elif ended.cancelled():
        done.cancel()
    elif error := ended.exception():
        done.set_exception(error)
    else:
        done.set_result(ended.result())


def post(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: object) -> None:
    """Have `callback` called on the loop of another thread. One waking serves all that come together.

    Waking a loop is a system call; with many calls and streams in flight it would cost more than they do.
    Where that loop is closed nobody waits any more, and nothing happens.
    """
    box = _boxes.get(loop)
    if box is None:
        box = _boxes.setdefault(loop, _Box())
    box.posted.append((callback, arguments))
    if not box.woken:
        box.woken = True
        try:
            loop.call_soon_threadsafe(box.empty)
        except RuntimeError:
            box.posted.clear()


class _Box:
    """What was posted to a loop and not called yet."""

    def __init__(self) -> None:
        self.posted: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        self.woken = False

    def empty(self) -> None:
        self.woken = False  # first: what is posted from now on wakes the loop again
        while self.posted:
            callback, arguments = self.posted.popleft()
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - the next one is somebody else's
                loop = asyncio.get_running_loop()
                loop.call_exception_handler({"message": "a posted callback failed", "exception": error})


_boxes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Box] = WeakKeyDictionary()
