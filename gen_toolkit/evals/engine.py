"""Runs rows through a task, a bounded number at once, and scores what comes out."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from gen_toolkit import scope, text
from gen_toolkit.datasets.dataset import Dataset, Row
from gen_toolkit.display import Progress
from gen_toolkit.errors import (
    BudgetExceeded,
    DatasetError,
    GenToolkitError,
    InputError,
    ModelError,
    ModelUnreachable,
    OutputMismatch,
    PromptError,
    SetupError,
)
from gen_toolkit.evals.choice import Choose
from gen_toolkit.evals.result import RowResult
from gen_toolkit.evals.score import Score, Scorer, as_score
from gen_toolkit.loop import on_loop
from gen_toolkit.messages.reply import NO_USAGE, Reply
from gen_toolkit.models.chat import ask
from gen_toolkit.models.counted import count_calls
from gen_toolkit.models.gateway import Model
from gen_toolkit.prompts.prompt import Prompt


@dataclass(frozen=True)
class Task:
    """What is done with each row: a function called, or a prompt rendered and answered."""

    title: str
    model: str
    function: Callable[..., Any] | None
    prompt: Prompt | None
    asked: Model
    choose: Choose | None
    concurrency: int


async def run_rows(task: Task, rows: Dataset, scorers: Sequence[Scorer], progress: Progress) -> list[RowResult]:
    """One RowResult a row, in order. What is wrong for every row (settings, a dead server) raises."""
    places = asyncio.Semaphore(task.concurrency)
    done: dict[int, RowResult] = {}
    answered = False
    used_up: list[BudgetExceeded] = []

    async def work(index: int) -> None:
        nonlocal answered
        async with places:
            if used_up:
                return
            try:
                row = await _row(task, rows[index], scorers, first=index == 0, answered=answered)
            except BudgetExceeded as error:  # rows under way are paid for: they are finished, and none is begun
                used_up.append(error)
                return
        done[index] = row
        answered = answered or (row.calls > 0 and row.error is None)
        progress.step(lambda: _running_scores(done, scorers))

    with progress:
        await work(0)  # alone: a dead server is found out by one call, not by hundreds
        try:
            async with asyncio.TaskGroup() as group:
                for index in range(1, len(rows)):
                    group.create_task(work(index))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first one stopped the others
    if used_up:
        raise used_up[0]
    return [done[index] for index in range(len(rows))]


async def _row(task: Task, row: Row, scorers: Sequence[Scorer], *, first: bool, answered: bool) -> RowResult:
    start = time.monotonic()
    replies: list[Reply] = []
    with scope.inside(row=scope.Row(row.id)), count_calls(replies):
        try:
            value, probabilities = await _value(task, row)
        except Exception as error:
            of_this_row = isinstance(error, PromptError | DatasetError) and not first  # a value that cannot be rendered
            if isinstance(error, InputError | SetupError | BudgetExceeded) and not of_this_row:
                raise
            if first and isinstance(error, ModelError) and not isinstance(error, OutputMismatch):
                raise  # a model that cannot be reached is no table of failures
            if isinstance(error, ModelUnreachable) and not answered:
                raise  # nor where the rows before it were known from the journal
            return _took(RowResult(row, error=_said(error)), replies, start)
        unscored = _took(RowResult(row, value=value, probabilities=probabilities), replies, start)
        return _took(await _scored(unscored, scorers), replies, start)  # a judge's calls are this row's too


async def _value(task: Task, row: Row) -> tuple[Any, Any]:
    if task.prompt is not None:
        values = {name: row[name] for name in task.prompt.variables if name in row}
        asked = ask(task.prompt(**values), model=task.asked, choosing=task.choose is not None)
        reply = await on_loop(asked)  # `aevaluate` is awaited on the user's loop, connections live on ours
        if task.choose is None or reply.probabilities is None:
            return reply.value, reply.probabilities
        label = task.choose.pick(reply.probabilities)
        output = task.prompt.output
        return (output.parse(label) if output else label), reply.probabilities
    assert task.function is not None, "a task has a prompt or a function"
    return await _called(task.function, row), None


async def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of the user's gives: awaited where it is async, else on a thread, where it may wait."""
    if inspect.iscoroutinefunction(function):
        return await function(*arguments)

    def call() -> Any:
        try:
            return function(*arguments)
        except SystemExit as error:  # would end the event loop, and all who wait for it
            raise RuntimeError(f"the function left with sys.exit({error.code!r})") from error

    context = copy_context()  # so that calls the function makes are counted to this row
    value = await asyncio.get_running_loop().run_in_executor(None, context.run, call)
    return await value if inspect.isawaitable(value) else value


async def _scored(result: RowResult, scorers: Sequence[Scorer]) -> RowResult:
    scores: dict[str, Score] = {}
    for scorer in scorers:
        try:
            given = result if getattr(scorer, "reads_result", False) else result.value
            scores[scorer.name] = as_score(scorer, await _called(scorer, given, result.row))
        except BudgetExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - an error of a scorer is shown at its row, never a score
            return replace(result, scores=scores, error=f"scorer {scorer.name}: {_said(error)}")
    return replace(result, scores=scores)


def _took(result: RowResult, replies: Sequence[Reply], start: float) -> RowResult:
    cost: Decimal | None = Decimal(0)
    for reply in replies:
        cost = None if cost is None or reply.cost is None else cost + reply.cost
    seconds = sum(reply.seconds for reply in replies) if replies else time.monotonic() - start
    return replace(
        result,
        usage=sum((reply.usage for reply in replies), NO_USAGE),
        cost=cost,
        seconds=seconds,
        calls=sum(reply.source == "live" for reply in replies),
    )


def _said(error: Exception) -> str:
    shown = error.message if isinstance(error, GenToolkitError) else f"{type(error).__name__}: {error}"
    return text.one_line(shown, 300)


def _running_scores(done: dict[int, RowResult], scorers: Sequence[Scorer]) -> str:
    parts = []
    for scorer in scorers:
        values = [r.scores[scorer.name].value for r in done.values() if scorer.name in r.scores]
        if values:
            parts.append(f"{scorer.name} {sum(values) / len(values):.3f}")
    failed = sum(r.error is not None for r in done.values())
    return "  ".join(parts + ([f"{failed} failed"] if failed else []))
