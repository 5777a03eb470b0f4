"""A planned evaluation, under way: its cell in a tracked run, its baseline, its verdicts."""

from __future__ import annotations

import time
from dataclasses import replace

from gen_toolkit import scope
from gen_toolkit.display import Progress
from gen_toolkit.evals.engine import CellWork
from gen_toolkit.evals.functions import Functions
from gen_toolkit.evals.plan import Plan
from gen_toolkit.evals.record import record_result
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.task import Task
from gen_toolkit.models.gateway import mask
from gen_toolkit.tracking.run import opened


class Evaluation:
    """Runs on the toolkit's loop."""

    def __init__(self, plan: Plan, functions: Functions) -> None:
        self._plan, self._functions = plan, functions

    async def run(self) -> Result:
        plan, task = self._plan, self._plan.task
        params = {
            "model": task.model or "none",
            "prompt": task.title,
            "method": task.method,
            "dataset": plan.data.name,
            "dataset_digest": plan.data.digest,
        }
        start = time.monotonic()
        with opened(
            "evaluation", plan.title, params=params, budget=plan.budget, mode=plan.calls, default_mode="reuse"
        ) as run:
            rows = await self._rows(task, plan.title)
            result = self._result(task, rows, time.monotonic() - start, run.id)
            result = await self._judged(result)
            record_result(result, task.prompt, mask(task.asked))
        return result

    async def _rows(self, task: Task, label: str) -> tuple[RowResult, ...]:
        plan = self._plan
        work = CellWork(task, plan.data, plan.scorers, self._functions)
        return await work.run(Progress(label, len(plan.data)))

    def _result(self, task: Task, rows: tuple[RowResult, ...], seconds: float, run: str) -> Result:
        plan = self._plan
        return Result(
            title=plan.title,
            prompt=task.title,
            model=task.model,
            method=task.method,
            dataset=plan.data.name,
            dataset_digest=plan.data.digest,
            scorers=tuple(scorer.name for scorer in plan.scorers),
            rows=rows,
            seconds=seconds,
            run=run,
            group=plan.group,
        )

    async def _judged(self, result: Result) -> Result:
        against = self._plan.against
        if against is None:
            return result
        if isinstance(against, str):
            return replace(result, note=against)
        if isinstance(against, Task):
            with scope.inside(default_mode="reuse"):
                rows = await self._rows(against, f"baseline {against.title}")
            against = replace(result, title=against.title, prompt=against.title, rows=rows)
        return replace(result, verdicts=tuple(result.compare(against, detect=self._plan.detect)))
