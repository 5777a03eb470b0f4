"""Group commit: writes that arrive while one is being made durable share the next transaction."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import Connection
from gen_toolkit.loop import post

Item = TypeVar("Item")
Result = TypeVar("Result")
_PACE = 0.002
"""Seconds from one transaction to the next: what comes sooner shares it. Each takes what ten calls do by themselves."""

Work = Callable[[Connection, list[Item]], list[Result]]


class _Waiting(NamedTuple):
    work: Work[Any, Any]
    item: Any
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    missed: Callable[[Any], None] | None = None


class GroupCommit:
    """A thread that writes. All items of one kind of work in a group are handed to it at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="gen_toolkit journal", daemon=True).start()

    async def submit(
        self, work: Work[Item, Result], item: Item, *, missed: Callable[[Result], None] | None = None
    ) -> Result:
        """The result of `work` for this item, when it is durable. A result that is an exception is raised.

        Whoever is cancelled while waiting has still written; then `missed` is told the result, if it is none.
        """
        done = self._put(work, item, missed)
        try:
            return await done
        except asyncio.CancelledError:
            if missed is not None and not done.cancelled() and done.exception() is None:
                missed(done.result())  # it was told just before
            raise

    def send(self, work: Work[Item, Result], item: Item) -> asyncio.Future[Result]:
        """The same without waiting: for what may be lost when the process dies."""
        done = self._put(work, item)
        done.add_done_callback(_heard)
        return done

    def _put(
        self, work: Work[Item, Result], item: Item, missed: Callable[[Result], None] | None = None
    ) -> asyncio.Future[Result]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        self._waiting.put(_Waiting(work, item, loop, done, missed))
        return done

    def _run(self) -> None:
        begun = -_PACE
        while True:
            group = [self._waiting.get()]
            if (early := begun + _PACE - time.monotonic()) > 0:
                time.sleep(early)
            begun = time.monotonic()
            while not self._waiting.empty():
                group.append(self._waiting.get())
            results = self._commit(group)
            for loop in {waiting.loop for waiting in group}:
                told = [(w, r) for w, r in zip(group, results, strict=True) if w.loop is loop]
                post(loop, _tell, told)

    def _commit(self, group: list[_Waiting]) -> list[Any]:
        by_work: dict[Work[Any, Any], list[int]] = {}
        for number, waiting in enumerate(group):
            by_work.setdefault(waiting.work, []).append(number)
        results: list[Any] = [None] * len(group)
        try:
            with self._database.write() as connection:
                for work, numbers in by_work.items():
                    found = work(connection, [group[number].item for number in numbers])
                    for number, result in zip(numbers, found, strict=True):
                        results[number] = result
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear it
            return [error] * len(group)
        return results


def _tell(told: list[tuple[_Waiting, Any]]) -> None:
    for waiting, result in told:
        if waiting.done.cancelled():
            if waiting.missed is not None and not isinstance(result, Exception):
                waiting.missed(result)
        elif isinstance(result, Exception):
            waiting.done.set_exception(result)
        else:
            waiting.done.set_result(result)


def _heard(done: asyncio.Future[Any]) -> None:
    """An error that nobody waits for any more is no reason for asyncio to complain."""
    if not done.cancelled():
        done.exception()
