"""What MLflow is told of an evaluation: metrics with intervals, the table, the prompt version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gen_toolkit.evals.grid import Grid
from gen_toolkit.evals.plan import Plan
from gen_toolkit.evals.result import Result
from gen_toolkit.evals.score import less_is_better
from gen_toolkit.evals.scorers_judge_people import AnyJudge, agreement_metrics
from gen_toolkit.evals.task import Task
from gen_toolkit.events import DatasetUsed, PromptUsed, Recorded, TableRecorded, emit
from gen_toolkit.prompts.prompt import Prompt


def cell_params(plan: Plan, task: Task) -> dict[str, Any]:
    options = {f"option.{name}": value for name, value in task.options.items()}
    return {
        "model": task.model or "none",
        "prompt": task.title,
        "method": task.method,
        "dataset": plan.data.name,
        "dataset_digest": plan.data.digest,
        **options,
        **_asked(plan),
    }


def _asked(plan: Plan) -> dict[str, Any]:
    """What else was asked for, as far as it was; without it a reader cannot tell how the numbers came about."""
    given = {
        "scorers": ", ".join(scorer.name for scorer in plan.scorers),
        "less_is_better": ", ".join(less_is_better(plan.scorers)) or None,
        "judges": ", ".join(scorer.name for scorer in plan.scorers if isinstance(scorer, AnyJudge)) or None,
        "repeats": plan.repeats if plan.repeats > 1 else None,
        "baseline": plan.baseline,
        "detect": plan.detect,
        "group": plan.group,
        "calls": plan.calls,
        "budget": None if plan.budget is None else str(plan.budget),
    }
    return {name: value for name, value in given.items() if value is not None}


def grid_params(plan: Plan) -> dict[str, Any]:
    """What all cells share, and what of each kind they are made of."""
    return {
        "cells": len(plan.tasks),
        "prompt": ", ".join(dict.fromkeys(task.title for task in plan.tasks)),
        "model": ", ".join(dict.fromkeys(task.model or "none" for task in plan.tasks)),
        "dataset": plan.data.name,
        "dataset_digest": plan.data.digest,
        **_asked(plan),
    }


def record_dataset(plan: Plan, run: str) -> None:
    """The rows as an input of the run: MLflow finds runs by it, and shows it beside them."""
    data = plan.data
    columns = {column: _kind(row.get(column) for row in data) for column in data.columns}
    emit(DatasetUsed(run=run, name=data.name, digest=data.digest, rows=len(data), columns=columns))


def _kind(values: Iterable[Any]) -> str:
    """What a column holds, by its first value, in MLflow's words."""
    value = next((value for value in values if value is not None), None)
    kinds = {bool: "boolean", int: "long", float: "double", str: "string"}
    return kinds.get(type(value), "object")


def record_agreement(plan: Plan, run: str) -> None:
    """How far each judge agrees with people, as far as it was ever asked; of another than this one it says nothing."""
    for judge in plan.scorers:
        if isinstance(judge, AnyJudge) and judge.agreement is not None and judge.agreement.judge == judge.digest:
            emit(Recorded(run=run, metrics=agreement_metrics(judge.name, judge.agreement)))


def record_result(result: Result, prompt: Prompt | None, mask: Callable[[str], str]) -> None:
    """`mask` is the guard's: what may not be sent is not stored beside the results either."""
    metrics: dict[str, float] = {"rows": len(result.rows), "rows_failed": len(result.failed)}
    for name, found in result.scores.items():
        if found is not None:
            metrics[name] = found.mean
            if found.low is not None and found.high is not None:
                metrics |= {f"{name}.low": found.low, f"{name}.high": found.high}
    took = [row.seconds for row in result.rows]
    metrics["seconds_per_row"] = sum(took) / len(took)
    emit(Recorded(run=result.run, metrics=metrics, tags={"mlflow.runType": "genai_evaluate"}))
    columns, rows = result.table()
    if mask is not str:  # there is a guard
        rows = [[mask(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    emit(TableRecorded(run=result.run, file="rows.json", columns=columns, rows=rows))
    if prompt is not None and prompt.version is not None:
        emit(PromptUsed(run=result.run, name=prompt.name, version=prompt.version))


def record_verdicts(result: Result) -> None:
    """Known when all cells are through: MLflow takes tags of a run that has ended."""
    tags = {f"gen_toolkit.verdict.{verdict.scorer}": str(verdict) for verdict in result.verdicts}
    emit(Recorded(run=result.run, tags=tags))


def record_grid(grid: Grid) -> None:
    """On the run around the cells: their table, and how many rows there were."""
    rows = sum(len(result.rows) for result in grid.cells)
    failed = sum(len(result.failed) for result in grid.cells)
    metrics = {"cells": len(grid.cells), "cells_failed": len(grid.failed), "rows": rows, "rows_failed": failed}
    emit(Recorded(run=grid.run, metrics=metrics))
    columns, lines = grid.table()
    emit(TableRecorded(run=grid.run, file="cells.json", columns=columns, rows=lines))
