"""The budgets of a workspace as one process books on them: who must wait, and who is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache

from gen_toolkit.journal.budgets import NOTHING, Refusal, Reserve, Settle, Sum, book
from gen_toolkit.journal.commits import GroupCommit
from gen_toolkit.journal.store import Journal


class Accounts:
    """Lives on the toolkit's event loop.

    A call that would fit, were it not for what others of this process may still take, waits until enough
    of them are over. One that does not fit even then, or only when another process's calls are over, is
    refused.
    """

    def __init__(self, commits: GroupCommit) -> None:
        self._commits = commits
        self._held: Counter[str] = Counter()  # reservations of this process, by key
        self._lines: dict[str, asyncio.Lock] = {}  # those who wait for room under a key do so one after the other
        self._freed = asyncio.Event()  # set, and replaced, when a reservation is over

    async def reserve(self, asked: Reserve, *, waiting: Callable[[], AbstractContextManager[None]]) -> None:
        """Hold `asked`, or raise BudgetExceeded. The time spent in `waiting()` is our own, not the provider's."""
        line = self._line_ahead(asked)
        if line is None:
            refusal = await self._book(asked)
            if refusal is None:
                return
            if not refusal.may_pass:
                raise refusal.error
            line = self._lines.setdefault(refusal.budget.key, asyncio.Lock())
        with waiting():
            async with line:
                await self._reserve_in_line(asked)

    def _line_ahead(self, asked: Reserve) -> asyncio.Lock | None:
        """The line of those who came before and wait. Who takes nothing need not stand in it."""
        if not (asked.need.money or asked.need.tokens):
            return None
        lines = (self._lines.get(budget.key) for budget in asked.budgets)
        return next((line for line in lines if line is not None and line.locked()), None)

    async def _reserve_in_line(self, asked: Reserve) -> None:
        while True:
            freed = self._freed
            refusal = await self._book(asked)
            if refusal is None:
                return
            if not (refusal.may_pass and (self._held[refusal.budget.key] or freed.is_set())):
                raise refusal.error
            await freed.wait()

    def settle(self, reservation: Reserve, took: Sum) -> None:
        """End a reservation. It is written before anything that this process reserves or records from now on:
        who has seen an answer need not wait for it.
        """
        self._commits.send(book, Settle(reservation, took))
        self._held -= _count(reservation)  # drops what is down to none
        self._freed.set()
        self._freed = asyncio.Event()

    async def _book(self, asked: Reserve) -> Refusal | None:
        refusal = await self._commits.submit(book, asked, missed=lambda refusal: self._take_back(asked, refusal))
        if refusal is None:
            self._held += _count(asked)
        return refusal

    def _take_back(self, asked: Reserve, refusal: Refusal | None) -> None:
        """Whoever reserved is gone, and has sent nothing."""
        if refusal is None:
            self._held += _count(asked)
            self.settle(asked, NOTHING)


def _count(reservation: Reserve) -> Counter[str]:
    return Counter({budget.key for budget in reservation.budgets})


@cache
def open_accounts(journal: Journal) -> Accounts:
    """One a journal, and so one a process and workspace."""
    return Accounts(journal.commits)
