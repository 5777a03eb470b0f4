"""Group commit: what was handed in is written, whoever waits for it or no longer does."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import Connection
from gen_toolkit.journal.commits import GroupCommit

pytestmark = pytest.mark.usefixtures("workspace")


class Written:
    """Work that notes its groups, and can be held up."""

    def __init__(self) -> None:
        self.groups: list[list[Any]] = []
        self.go = threading.Event()
        self.go.set()

    def work(self, _: Connection, items: list[Any]) -> list[Any]:
        self.go.wait(30)
        self.groups.append(list(items))
        return [item * 2 for item in items]


async def until(true: Any) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


def test_what_comes_while_one_is_written_shares_the_next_transaction() -> None:
    async def many() -> list[int]:
        commits, written = GroupCommit(open_database()), Written()
        written.go.clear()
        first = asyncio.create_task(commits.submit(written.work, 0))
        await asyncio.sleep(0.1)
        others = [asyncio.create_task(commits.submit(written.work, number)) for number in range(1, 50)]
        await asyncio.sleep(0)
        written.go.set()
        results = await asyncio.gather(first, *others)
        assert sum(map(len, written.groups)) == 50
        assert len(written.groups) <= 3
        return list(results)

    assert asyncio.run(many()) == [number * 2 for number in range(50)]


def test_whoever_is_cancelled_while_waiting_has_written_and_can_hear_of_it() -> None:
    async def cancelled() -> None:
        commits, written, missed = GroupCommit(open_database()), Written(), list[int]()
        written.go.clear()
        waiting = asyncio.create_task(commits.submit(written.work, 7, missed=missed.append))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert missed == []
        written.go.set()
        await until(lambda: missed)
        assert (written.groups, missed) == ([[7]], [14])

    asyncio.run(cancelled())


class Cancelling(GroupCommit):
    """Cancels whoever waits in the very turn of the loop in which the result is told, and before it is heard."""

    def _put(self, *given: Any) -> asyncio.Future[Any]:
        done = super()._put(*given)
        task = asyncio.current_task()
        assert task is not None
        done.add_done_callback(lambda _: task.cancel())
        return done


def test_whoever_was_told_and_is_cancelled_before_hearing_it_has_missed_it() -> None:
    async def cancelled() -> None:
        missed = list[int]()
        waiting = asyncio.create_task(Cancelling(open_database()).submit(Written().work, 7, missed=missed.append))
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert missed == [14]

    asyncio.run(cancelled())


def test_an_error_is_raised_by_all_who_share_the_transaction_and_the_next_goes_on() -> None:
    def broken(_: Connection, items: list[Any]) -> list[Any]:
        raise ValueError(f"{len(items)} items")

    async def tried() -> int:
        commits, written = GroupCommit(open_database()), Written()
        with pytest.raises(ValueError, match="1 items"):
            await commits.submit(broken, 1)
        return await commits.submit(written.work, 21)

    assert asyncio.run(tried()) == 42
