"""Runs the rows of a cell through its task, a bounded number at once, and scores what comes out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypedDict

from gen_toolkit import scope, text
from gen_toolkit.collecting import collected_rarely
from gen_toolkit.datasets.dataset import Dataset, Row
from gen_toolkit.display import Progress
from gen_toolkit.errors import (
    BudgetExceeded,
    DatasetError,
    GenToolkitError,
    GuardRefused,
    InputError,
    ModelError,
    ModelUnreachable,
    OutputMismatch,
    PromptError,
    SetupError,
)
from gen_toolkit.evals.functions import Functions
from gen_toolkit.evals.result import RowResult
from gen_toolkit.evals.running import RunningScores
from gen_toolkit.evals.score import Score, Scorer, as_score
from gen_toolkit.evals.task import Task
from gen_toolkit.messages.reply import NO_USAGE, Reply, Usage
from gen_toolkit.messages.sum import cost_of
from gen_toolkit.models.counted import count_calls
from gen_toolkit.models.places import at_most

_RAMP = 0.05
"""Seconds over which workers begin: those that begin at once are answered at once, and then wait for each other."""
_AHEAD = 2
"""Rows under way for each call in flight: while one is being made durable or scored, another is at the model."""
_OF_A_ROW = {"context-length", "content-filter"}
"""Reasons of a refusal that say nothing about the next row."""


class CellWork:
    """The cases of one cell, under way: every row, as often as it is repeated.

    Runs on the toolkit's loop. A fixed number of workers take the next case when they are through with
    one, so what is held is what is done and what is under way, never what is to come.
    """

    def __init__(
        self, task: Task, rows: Dataset, scorers: Sequence[Scorer], functions: Functions, *, repeats: int = 1
    ) -> None:
        self._task, self._rows, self._scorers, self._functions = task, rows, scorers, functions
        self._total = len(rows) * repeats
        self._done: dict[int, RowResult] = {}
        self._running = RunningScores([scorer.name for scorer in scorers])
        self._answered = False
        self._used_up: BudgetExceeded | None = None

    @property
    def finished(self) -> tuple[RowResult, ...]:
        """What is done, in order: all rows once, then all rows again."""
        return tuple(self._done[number] for number in sorted(self._done))

    async def run(self, progress: Progress) -> tuple[RowResult, ...]:
        """All cases. What is wrong for every row (settings, a dead server) raises, as does a used-up budget."""
        with progress, collected_rarely():
            await self._case(0, progress)  # alone: a dead server is found out by one call, not by hundreds
            waiting = iter(range(1, self._total))
            ahead = self._asks_only_us
            many = min(self._task.concurrency * (_AHEAD if ahead else 1), self._total - 1)
            try:
                with at_most(self._task.concurrency) if ahead else contextlib.nullcontext():
                    async with asyncio.TaskGroup() as group:
                        for number in range(many):
                            group.create_task(self._work(waiting, progress, after=number / many * _RAMP))
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None  # the first one stopped the others
        if self._used_up is not None:
            raise self._used_up
        return self.finished

    @property
    def _asks_only_us(self) -> bool:
        """Whether all that a row waits for is one call of ours: those can be held to what may be in flight."""
        return self._task.prompt is not None and all(getattr(scorer, "inline", False) for scorer in self._scorers)

    async def _work(self, waiting: Iterator[int], progress: Progress, after: float) -> None:
        await asyncio.sleep(after)
        for number in waiting:
            if self._used_up is not None:  # rows under way are paid for: they are finished, and none is begun
                return
            await self._case(number, progress)

    async def _case(self, number: int, progress: Progress) -> None:
        repeat, index = divmod(number, len(self._rows))
        try:
            found = await self._row(self._rows[index], repeat, first=number == 0)
        except BudgetExceeded as error:
            self._used_up = self._used_up or error
            return
        self._done[number] = found
        self._answered = self._answered or (found.calls > 0 and found.error is None)
        self._running.add(found)
        progress.step(self._running.line)

    async def _row(self, row: Row, repeat: int, *, first: bool) -> RowResult:
        start = time.monotonic()
        replies: list[Reply] = []
        with scope.inside(row=scope.Row(row.id, repeat)), count_calls(replies):
            try:
                value, probabilities = await self._task.value(row, self._functions)
            except Exception as error:
                if _is_of_all_rows(error, first, self._answered):
                    raise
                return RowResult(row, error=_said(error), repeat=repeat, **_took(replies, start, [error]))
            took, asked = _took(replies, start), len(replies)
            scores: dict[str, Score] = {}
            result = RowResult(row, value, scores, probabilities=probabilities, repeat=repeat, **took)
            wrong = await self._score(result, scores)
        unanswered = [error for error in wrong.values() if isinstance(error, ModelError | GuardRefused)]
        if len(replies) != asked or unanswered:  # a judge's are its row's
            result = replace(result, **_took(replies, start, unanswered))
        if wrong:
            scorer, first_error = next(iter(wrong.items()))
            result = replace(result, error=f"scorer {scorer}: {_said(first_error)}")
        return result

    async def _score(self, result: RowResult, scores: dict[str, Score]) -> dict[str, Exception]:
        """Put in each scorer's score. What went wrong is given back by scorer: shown at its row, and never a score."""
        wrong: dict[str, Exception] = {}
        for scorer in self._scorers:
            given = result if getattr(scorer, "reads_result", False) else result.value
            try:
                if getattr(scorer, "inline", False):
                    scores[scorer.name] = as_score(scorer, scorer(given, result.row))
                else:
                    scores[scorer.name] = as_score(scorer, await self._functions.call(scorer, given, result.row))
            except (SetupError, BudgetExceeded):  # what is wrong around us is no matter of a row
                raise
            except Exception as error:
                if isinstance(error, ModelUnreachable) and not self._answered:
                    raise
                wrong[scorer.name] = error.with_traceback(None)  # which holds this frame, and so the error
        return wrong


def _is_of_all_rows(error: Exception, first: bool, answered: bool) -> bool:
    """Whether it stops the evaluation: such an error would fail every row, or money is out."""
    of_this_row = isinstance(error, PromptError | DatasetError) and not first  # a value that cannot be rendered
    if isinstance(error, InputError | SetupError | BudgetExceeded) and not of_this_row:
        return True
    if first and isinstance(error, ModelError):  # a model that cannot be reached is no table of failures
        return not isinstance(error, OutputMismatch) and getattr(error, "reason", "") not in _OF_A_ROW
    return isinstance(error, ModelUnreachable) and not answered  # nor where the rows before it were known


class _Took(TypedDict):
    usage: Usage
    cost: Decimal | None
    seconds: float
    calls: int
    asked: tuple[str, ...]


def _took(replies: Sequence[Reply], start: float, errors: Sequence[Exception] = ()) -> _Took:
    """`errors` came in place of a reply."""
    ids = [reply.id for reply in replies] + [error.call for error in errors if isinstance(error, ModelError)]
    cost, asked = _cost(replies, errors), tuple(filter(None, ids))
    if not replies:
        took = time.monotonic() - start
        return {"usage": NO_USAGE, "cost": cost, "seconds": took, "calls": 0, "asked": asked}
    first = replies[0]
    usage, seconds, calls = first.usage, first.seconds, int(first.source == "live")
    for reply in replies[1:]:
        usage += reply.usage
        seconds += reply.seconds
        calls += reply.source == "live"
    return {"usage": usage, "cost": cost, "seconds": seconds, "calls": calls, "asked": asked}


def _cost(replies: Sequence[Reply], errors: Sequence[Exception]) -> Decimal | None:
    """USD, as the journal has it: a reply that was not let through is paid, an attempt that brought none perhaps."""
    if any(isinstance(error, GenToolkitError) and error.data.get("unanswered") for error in errors):
        return None
    paid = [error.paid for error in errors if isinstance(error, GuardRefused) and error.paid is not None]
    return cost_of([*replies, *paid])


def _said(error: Exception) -> str:
    shown = error.message if isinstance(error, GenToolkitError) else f"{type(error).__name__}: {error}"
    return text.one_line(shown, 300)
