"""A planned evaluation, under way: its cell in a tracked run, its baseline, its verdicts."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

from gen_toolkit import display, scope
from gen_toolkit.display import Progress
from gen_toolkit.errors import BudgetExceeded
from gen_toolkit.evals.engine import CellWork
from gen_toolkit.evals.forecast import forecast
from gen_toolkit.evals.functions import Functions
from gen_toolkit.evals.plan import Plan
from gen_toolkit.evals.record import record_result
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.stopped import EvaluationStopped
from gen_toolkit.evals.task import Task
from gen_toolkit.loop import on_loop
from gen_toolkit.models.gateway import mask
from gen_toolkit.tracking.run import opened

_PATIENCE = 5.0  # seconds after Ctrl-C for recording what is done


class Evaluation:
    """One plan, carried out once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._over = threading.Event()
        self._partial: Result | None = None

    async def run(self) -> Result:
        """The result. The work is done on the toolkit's loop; async functions of the user's run on this one."""
        functions = Functions(self._plan.task.concurrency)
        try:
            return await on_loop(self._run(functions))
        finally:
            functions.close()

    def stopped(self) -> EvaluationStopped:
        """What is raised after Ctrl-C, when what is done has been recorded."""
        self._over.wait(_PATIENCE)
        return EvaluationStopped(self._partial, len(self._plan.data))

    async def _run(self, functions: Functions) -> Result:
        plan, task = self._plan, self._plan.task
        params = {
            "model": task.model or "none",
            "prompt": task.title,
            "method": task.method,
            "dataset": plan.data.name,
            "dataset_digest": plan.data.digest,
        }
        try:
            with opened(
                "evaluation", plan.title, params=params, budget=plan.budget, mode=plan.calls, default_mode="reuse"
            ) as run:
                await self._foretell()
                result = await self._cell(task, functions, run.id)
                result = await self._judged(result, functions)
                record_result(result, task.prompt, mask(task.asked))
            return result
        finally:
            self._over.set()

    async def _foretell(self) -> None:
        plan = self._plan
        tasks = [task for task in (plan.task, plan.against) if isinstance(task, Task)]
        expected = await asyncio.to_thread(forecast, tasks, plan.data)
        if expected is not None:
            display.say(f"{plan.title}: {expected}")

    async def _cell(self, task: Task, functions: Functions, run: str) -> Result:
        """All rows of a task. Where they are stopped, those that are done are recorded all the same."""
        plan, start = self._plan, time.monotonic()
        work = CellWork(task, plan.data, plan.scorers, functions)
        try:
            rows = await work.run(Progress(plan.title, len(plan.data)))
        except BaseException as error:
            if work.finished:
                self._partial = self._stopped(task, work.finished, time.monotonic() - start, run, error)
            raise
        return self._result(task, rows, time.monotonic() - start, run)

    def _stopped(
        self, task: Task, rows: tuple[RowResult, ...], seconds: float, run: str, error: BaseException
    ) -> Result:
        said = "stopped by its budget" if isinstance(error, BudgetExceeded) else "stopped"
        result = self._result(task, rows, seconds, run)
        result = replace(result, note=f"{said}: {len(rows):,} of {len(self._plan.data):,} rows are done")
        if isinstance(error, BudgetExceeded):
            error.result = result
        record_result(result, task.prompt, mask(task.asked))
        return result

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

    async def _judged(self, result: Result, functions: Functions) -> Result:
        plan, against = self._plan, self._plan.against
        if against is None:
            return result
        if isinstance(against, str):
            return replace(result, note=against)
        if isinstance(against, Task):
            with scope.inside(default_mode="reuse"):
                work = CellWork(against, plan.data, plan.scorers, functions)
                rows = await work.run(Progress(f"baseline {against.title}", len(plan.data)))
            against = replace(result, title=against.title, prompt=against.title, rows=rows)
        return replace(result, verdicts=tuple(result.compare(against, detect=plan.detect)))
