"""Scores while rows are still under way: sums, so that a look costs the same after ten rows and ten thousand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from gen_toolkit.display import Progress
from gen_toolkit.models.limits.open import waits

if TYPE_CHECKING:
    from gen_toolkit.evals.result import RowResult

_FRESH = 2.0  # seconds


class RunningScores:
    """Means so far, and how many rows failed."""

    def __init__(self, scorers: Sequence[str]) -> None:
        self._sums = dict.fromkeys(scorers, 0.0)
        self._counts = dict.fromkeys(scorers, 0)
        self._failed = 0

    def add(self, row: RowResult) -> None:
        for name, score in row.scores.items():
            self._sums[name] += score.value
            self._counts[name] += 1
        self._failed += row.error is not None

    def line(self) -> str:
        """`accuracy 0.812  3 failed`, and what waits; a scorer that scored nothing yet is left out."""
        means = [f"{name} {self._sums[name] / count:.3f}" for name, count in self._counts.items() if count]
        return "  ".join(means + ([f"{self._failed} failed"] if self._failed else []) + waiting())


def waiting() -> list[str]:
    """`12 calls wait 8 s for the limit of 'fast'`: why it does not go on."""
    return [
        f"{wait.calls} calls wait {wait.seconds:.0f} s for the limit of {wait.alias!r}"
        if wait.calls > 1
        else f"a call waits {wait.seconds:.0f} s for the limit of {wait.alias!r}"
        for wait in waits()
    ]


@contextlib.asynccontextmanager
async def kept_fresh(progress: Progress) -> AsyncIterator[Progress]:
    """Progress that is shown again while no row is done: people must see that it waits, and for what."""

    async def show() -> None:
        while True:
            await asyncio.sleep(_FRESH)
            progress.refresh("  ".join(waiting()))

    showing = asyncio.create_task(show())
    try:
        yield progress
    finally:
        showing.cancel()
