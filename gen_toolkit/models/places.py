"""How many answers a piece of work waits for at once, however many of its calls are being recorded meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar

_places: ContextVar[asyncio.Semaphore | None] = ContextVar("gen_toolkit_places", default=None)
_FREE: AbstractAsyncContextManager[None] = contextlib.nullcontext()


@contextlib.contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Of the calls made inside the block, and in tasks begun there, so many are at their models at once."""
    token = _places.set(asyncio.Semaphore(calls))
    try:
        yield
    finally:
        _places.reset(token)


def place() -> AbstractAsyncContextManager[None]:
    """A place at a model, to be waited for where there are not enough."""
    return _places.get() or _FREE
