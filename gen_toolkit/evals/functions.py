"""Functions of the user's, called where they may wait: sync ones on threads, async ones on the caller's loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any


class Functions:
    """Calls at most `width` sync functions at once. Made on the loop that the user's async functions belong to."""

    def __init__(self, width: int) -> None:
        self._home = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(width, "gen_toolkit row")

    def close(self) -> None:
        """What is still under way is let go: a function on a thread cannot be stopped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function gives, awaited where that is to be awaited."""
        if inspect.iscoroutinefunction(function):
            return await self._at_home(function(*arguments))

        def called() -> Any:
            try:
                return function(*arguments)
            except SystemExit as error:  # would end the event loop, and all who wait for it
                raise RuntimeError(f"the function left with sys.exit({error.code!r})") from error

        context = copy_context()  # so that calls the function makes are counted to this row
        value = await asyncio.get_running_loop().run_in_executor(self._threads, context.run, called)
        return await self._at_home(value) if inspect.isawaitable(value) else value

    async def _at_home(self, work: Awaitable[Any]) -> Any:
        if asyncio.get_running_loop() is self._home:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_awaited(work), self._home))


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
