"""Group commit: writes that arrive while one is being made durable share the next transaction."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import Connection

Write = Callable[[Connection], object]


class GroupCommit:
    """A thread that writes. `await submit(write)` returns when the write is durable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: queue.SimpleQueue[tuple[Write, Future[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="gen_toolkit journal", daemon=True).start()

    async def submit(self, write: Write) -> None:
        done: Future[None] = Future()
        self._waiting.put((write, done))
        await asyncio.shield(asyncio.wrap_future(done))

    def _run(self) -> None:
        while True:
            group = [self._waiting.get()]
            while not self._waiting.empty():
                group.append(self._waiting.get())
            self._commit(group)

    def _commit(self, group: list[tuple[Write, Future[None]]]) -> None:
        try:
            with self._database.write() as connection:
                for write, _ in group:
                    write(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear it
            for _, done in group:
                done.set_exception(error)
            return
        for _, done in group:
            done.set_result(None)
