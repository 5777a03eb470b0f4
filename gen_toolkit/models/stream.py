"""An answer that is read while it is written: one object for `for` and for `async for`."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any

from gen_toolkit.collecting import collected_rarely
from gen_toolkit.loop import event_loop, post
from gen_toolkit.messages.piece import Piece
from gen_toolkit.messages.reply import Reply
from gen_toolkit.models.provider import Pieces

_END = object()


class Stream:
    """The call is made when the first piece is asked for. To stop before the end: `close()`, or leave a `with`."""

    def __init__(self, pieces: Callable[[], Pieces]) -> None:
        self._pieces = pieces
        self._arrivals = _Arrivals()
        self._pump: Future[None] | None = None
        self._over = False
        self.text = ""
        """What has come so far."""
        self.reply: Reply | None = None
        """The whole reply, at the end."""

    def __iter__(self) -> Iterator[Piece]:
        return self

    def __next__(self) -> Piece:
        if not self._over:
            self._start()
            try:
                self._take(self._arrivals.get())
            except KeyboardInterrupt:
                self.close()
                raise
        if self._over:
            raise StopIteration
        return self._last

    def __aiter__(self) -> AsyncIterator[Piece]:
        return self

    async def __anext__(self) -> Piece:
        if not self._over:
            self._arrivals.read_by(asyncio.get_running_loop())
            self._start()
            try:
                self._take(await self._arrivals.next())
            except asyncio.CancelledError:
                self.close()
                raise
        if self._over:
            raise StopAsyncIteration
        return self._last

    def close(self) -> None:
        """Stop: the connection is closed, and the journal has the call as cancelled."""
        self._over = True
        if self._pump is not None:
            self._pump.cancel()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(RuntimeError):  # at the interpreter's end the loop may be gone
            self.close()

    def __repr__(self) -> str:
        return f"Stream({len(self.text)} characters, {'at its end' if self._over else 'open'})"

    def _start(self) -> None:
        """In the context of whoever reads first: run, row and mode are those of that cell."""
        if self._pump is None:
            self._pump = asyncio.run_coroutine_threadsafe(_pump(self._pieces, self._arrivals), event_loop())

    def _take(self, arrived: Any) -> None:
        if arrived is _END:
            self._over = True
        elif isinstance(arrived, BaseException):
            self._over = True
            raise arrived
        else:
            self._last: Piece = arrived
            self.text += arrived.text
            self.reply = arrived.reply


class _Arrivals:
    """Pieces on their way from the toolkit's loop to the thread, or the loop, that reads them."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._reader: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def put(self, arrived: Any) -> None:
        self._queue.put(arrived)
        if self._reader is not None:
            loop, woken = self._reader
            post(loop, woken.set)

    def get(self) -> Any:
        return self._queue.get()

    def read_by(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._reader is None:
            self._reader = loop, asyncio.Event()

    async def next(self) -> Any:
        assert self._reader is not None, "a loop has said that it reads"
        woken = self._reader[1]
        while self._queue.empty():
            await woken.wait()
            woken.clear()
        return self._queue.get()


async def _pump(pieces: Callable[[], Pieces], arrivals: _Arrivals) -> None:
    """One task reads the whole stream: timeouts and clean-up belong to the task that began.

    It knows no Stream, so that one that nobody holds any more can go, and stop it.
    """
    try:
        with collected_rarely():
            async with contextlib.aclosing(pieces()) as answer:
                async for piece in answer:
                    arrivals.put(piece)
        arrivals.put(_END)
    except asyncio.CancelledError:
        arrivals.put(_END)
        raise
    except BaseException as error:  # noqa: BLE001 - it is the reader's, who waits elsewhere
        arrivals.put(error)
