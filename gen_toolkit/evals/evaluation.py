"""A planned evaluation, under way: its cells in tracked runs, its baselines, its verdicts."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

from gen_toolkit import display, scope
from gen_toolkit.amount import Amount
from gen_toolkit.display import Progress
from gen_toolkit.errors import BudgetExceeded, BudgetTooSmall, ModelError
from gen_toolkit.evals.engine import CellWork
from gen_toolkit.evals.family import judged_together
from gen_toolkit.evals.forecast import Forecast, forecast
from gen_toolkit.evals.functions import Functions
from gen_toolkit.evals.grid import FailedCell, Grid
from gen_toolkit.evals.plan import Plan
from gen_toolkit.evals.record import (
    cell_params,
    grid_params,
    record_agreement,
    record_dataset,
    record_grid,
    record_result,
    record_verdicts,
)
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.running import kept_fresh
from gen_toolkit.evals.score import less_is_better
from gen_toolkit.evals.scorers_judge_people import AnyJudge
from gen_toolkit.evals.stopped import EvaluationStopped
from gen_toolkit.evals.task import Task
from gen_toolkit.evals.traced import sample, trace_rows
from gen_toolkit.loop import on_loop
from gen_toolkit.models.gateway import mask
from gen_toolkit.tracking.run import opened

_PATIENCE = 5.0  # seconds after Ctrl-C for recording what is done


class Evaluation:
    """One plan, carried out once. Cells are done one after the other, each with all that may be in flight."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._over = threading.Event()
        self._start = time.monotonic()
        self._run_id = ""
        self._cells: list[tuple[Task, Result]] = []
        self._failed: list[FailedCell] = []
        self._bases: list[Result] = []

    async def run(self) -> Result | Grid:
        """The work is done on the toolkit's loop; async functions of the user's run on this one."""
        plan = self._plan
        functions = Functions(max(task.concurrency for task in (*plan.tasks, *plan.baselines)))
        try:
            return await on_loop(self._run(functions))
        except BudgetExceeded as error:
            error.result = self._so_far()
            raise
        finally:
            functions.close()

    def stopped(self) -> EvaluationStopped:
        """What is raised after Ctrl-C, when what is done has been recorded."""
        self._over.wait(_PATIENCE)
        done = sum(len(result.rows) for _, result in self._cells)
        return EvaluationStopped(self._so_far(), done, self._plan.cases * len(self._plan.tasks))

    def _so_far(self) -> Result | Grid | None:
        if not self._cells:
            return None
        return self._cells[0][1] if self._is_single else self._grid()

    @property
    def _is_single(self) -> bool:
        return len(self._plan.tasks) == 1

    async def _run(self, functions: Functions) -> Result | Grid:
        plan = self._plan
        params = cell_params(plan, plan.tasks[0]) if self._is_single else grid_params(plan)
        parts: list[str] = []
        try:
            with opened(
                "evaluation",
                plan.title,
                params=params,
                budget=plan.budget,
                mode=plan.calls,
                default_mode="reuse",
                parts=parts,
            ) as run:
                self._run_id = run.id
                record_dataset(plan, run.id)
                await self._foretell()
                try:
                    if self._is_single:
                        await self._cell(plan.tasks[0], plan.title, functions, run.id)
                    else:
                        await self._all_cells(functions, parts)
                    await self._judge(functions)
                finally:
                    self._trace_sample()
                if not self._is_single:
                    record_grid(self._grid())
        finally:
            self._over.set()
        return self._cells[0][1] if self._is_single else self._grid()

    async def _foretell(self) -> None:
        plan = self._plan
        expected = await asyncio.to_thread(forecast, (*plan.tasks, *plan.baselines), plan.data, plan.repeats)
        if expected is None:
            return
        line = f"{plan.title}: {expected}"
        if plan.budget is not None and expected.exceeds(Amount.of(plan.budget)):
            raise _too_small(plan, expected, Amount.of(plan.budget))
        if plan.budget is not None and expected.is_over(Amount.of(plan.budget)):
            line += f"; the budget of {Amount.of(plan.budget)} will stop it before the end"
        display.say(line)

    async def _all_cells(self, functions: Functions, parts: list[str]) -> None:
        """Each in a run of its own. A model that cannot answer costs its cell, and the others go on."""
        plan = self._plan
        failed: ModelError | None = None
        for task, title in zip(plan.tasks, plan.titles, strict=True):
            try:
                with opened("evaluation", title, params=cell_params(plan, task)) as run:
                    parts.append(run.id)
                    record_dataset(plan, run.id)
                    await self._cell(task, title, functions, run.id)
            except ModelError as error:
                failed = error
                self._failed.append(FailedCell(title, error.message))
                display.say(f"{title}: {error}")
        if failed is not None and not self._cells:
            raise failed

    async def _cell(self, task: Task, title: str, functions: Functions, run: str) -> None:
        """All rows of a task. Where they are stopped, those that are done are kept and recorded all the same."""
        plan, start = self._plan, time.monotonic()
        work = CellWork(task, plan.data, plan.scorers, functions, repeats=plan.repeats)
        note = ""
        try:
            async with kept_fresh(Progress(title, plan.cases)) as progress:
                await work.run(progress)
        except BaseException as error:
            said = "stopped by its budget" if isinstance(error, BudgetExceeded) else "stopped"
            note = f"{said}: {len(work.finished):,} of {plan.cases:,} rows are done"
            raise
        finally:
            if work.finished:
                result = self._result(task, title, work.finished, time.monotonic() - start, run)
                self._cells.append((task, replace(result, note=note)))
                record_result(result, task.prompt, mask(task.asked))
                record_agreement(plan, run)
                if plan.traces == "all":
                    trace_rows(result, masked=mask(task.asked))

    def _trace_sample(self) -> None:
        """When all cells are through: on which rows they differ is known only then."""
        count = self._plan.traces
        if count == "all" or not count:
            return
        against = [self._plan.against] if isinstance(self._plan.against, Result) else []
        everyone = [result for _, result in self._cells] + self._bases + against
        for task, result in self._cells:
            others = [other for other in everyone if other is not result]
            trace_rows(result, sample(result, others, count), masked=mask(task.asked))

    def _result(self, task: Task, title: str, rows: tuple[RowResult, ...], seconds: float, run: str) -> Result:
        plan = self._plan
        return Result(
            title=title,
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
            options=task.options,
            judges=tuple(s.name for s in plan.scorers if isinstance(s, AnyJudge)),
            less_is_better=less_is_better(plan.scorers),
        )

    def _grid(self) -> Grid:
        note = self._plan.against if isinstance(self._plan.against, str) else ""
        cells = tuple(result for _, result in self._cells)
        took = time.monotonic() - self._start
        return Grid(self._plan.title, cells, tuple(self._failed), took, self._run_id, note)

    async def _judge(self, functions: Functions) -> None:
        """Each cell against the baseline that differs from it in the prompt only, or against the result given."""
        plan = self._plan
        if isinstance(plan.against, str) and self._is_single:
            task, result = self._cells[0]
            self._cells = [(task, replace(result, note=plan.against))]
        against = await self._baselines(functions)
        if isinstance(plan.against, Result):
            against = dict.fromkeys(range(len(self._cells)), plan.against)
        pairs = [(self._cells[place][1], other) for place, other in against.items()]
        judged = judged_together(pairs, detect=plan.detect, alone=self._is_single)
        for place, result in zip(against, judged, strict=True):
            self._cells[place] = (self._cells[place][0], result)
            record_verdicts(result)

    async def _baselines(self, functions: Functions) -> dict[int, Result]:
        """What to compare with, by the place of the cell. A model that cannot answer costs its cells their verdicts."""
        plan, against = self._plan, dict[int, Result]()
        failed: ModelError | None = None
        for base in plan.baselines:
            mine = [place for place, (task, _) in enumerate(self._cells) if plan.baseline_of(task) is base]
            if not mine:  # the cells that it was for have failed
                continue
            try:
                found = await self._baseline(base, functions)
            except ModelError as error:
                failed = error
                for place in mine:
                    task, result = self._cells[place]
                    note = f"not compared with {base.title}: {error.message}"
                    self._cells[place] = (task, replace(result, note=note))
            else:
                self._bases.append(found)
                against |= dict.fromkeys(mine, found)
        if failed is not None and not against:
            raise failed
        return against

    async def _baseline(self, task: Task, functions: Functions) -> Result:
        plan, start = self._plan, time.monotonic()
        with scope.inside(default_mode="reuse"):
            work = CellWork(task, plan.data, plan.scorers, functions, repeats=plan.repeats)
            async with kept_fresh(Progress(f"baseline {task.title}", plan.cases)) as progress:
                rows = await work.run(progress)
        return self._result(task, task.title, rows, time.monotonic() - start, self._run_id)


def _too_small(plan: Plan, expected: Forecast, budget: Amount) -> BudgetTooSmall:
    certain = Amount(
        None if budget.usd is None else expected.certain.usd, None if budget.tokens is None else expected.certain.tokens
    )
    return BudgetTooSmall(
        f"{plan.title} was not begun: what its {expected.calls:,} calls send takes {certain} at the very least, "
        f"and its budget is {budget} ({expected})",
        fix="Raise the budget, or take fewer rows: rows.sample(…), rows[:100].",
        budget=plan.title,
        spent="nothing",
        limit=str(budget),
        needed=str(certain),
        forecast=str(expected),
    )
