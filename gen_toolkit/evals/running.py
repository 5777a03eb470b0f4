"""Scores while rows are still under way: sums, so that a look costs the same after ten rows and ten thousand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_toolkit.evals.result import RowResult


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
        """`accuracy 0.812  3 failed`; a scorer that scored nothing yet is left out."""
        means = [f"{name} {self._sums[name] / count:.3f}" for name, count in self._counts.items() if count]
        return "  ".join(means + ([f"{self._failed} failed"] if self._failed else []))
