"""gt.evaluate: rows through a prompt or a function, scored, tracked, compared with a baseline."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gen_toolkit import scope
from gen_toolkit.amount import Amount
from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.datasets.read import dataset
from gen_toolkit.display import Progress
from gen_toolkit.errors import DatasetError, InputError, MissingVariable, PromptNotFound, ScorerError, nearest
from gen_toolkit.evals.choice import Choose, Method, as_method
from gen_toolkit.evals.compare import check_detect, check_shared
from gen_toolkit.evals.engine import Task, run_rows
from gen_toolkit.evals.record import record_result
from gen_toolkit.evals.result import Result
from gen_toolkit.evals.score import Scorer, check_comparable, columns_of
from gen_toolkit.evals.scorers import scorer_list
from gen_toolkit.loop import run_sync
from gen_toolkit.models.gateway import Model, mask, open_door
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt
from gen_toolkit.tracking.run import opened

Subject = Prompt | Callable[..., Any]


def evaluate(
    subject: Subject,
    rows: Any,
    *,
    scorer: Any,
    model: Model = None,
    method: Method = "generate",
    baseline: str | Prompt | Result | None = None,
    detect: float | None = None,
    group: str | None = None,
    calls: scope.Mode | None = None,
    budget: str | Amount | None = None,
    name: str | None = None,
) -> Result:
    """Evaluate a prompt, or a function of a row, on rows; the result is a table with intervals.

    A prompt is rendered with its defaults, then the row's columns; columns it does not use are left for
    the scorers. `scorer` is one or a list of callables of (value, row). `method` says how a label is
    got: `"generate"`, `"choose"` (by label probabilities) or `gt.Choose(threshold=…)`. `baseline` is a
    prompt reference, a prompt or a result: the paired verdict against it is part of the result. `detect`
    is the smallest difference that matters: where there are fewer rows than it takes to show it, the
    verdict says so. `group` names the column whose equal values say that rows belong together (a
    document, a user): intervals and verdicts then count on the groups.

    Rows that fail are counted and shown, never scored. Answers are reused where the same row was asked
    the same before, unless `calls="live"`. `budget` is what its calls may take, as in `gt.run`: when it is
    used up, rows under way are finished and BudgetExceeded is raised; the same again with a larger budget
    asks only for the rest. What could not work at all (an unknown alias, a missing
    column, an unreachable model) raises, and no run is left open.
    """
    return run_sync(
        aevaluate(
            subject,
            rows,
            scorer=scorer,
            model=model,
            method=method,
            baseline=baseline,
            detect=detect,
            group=group,
            calls=calls,
            budget=budget,
            name=name,
        )
    )


async def aevaluate(
    subject: Subject,
    rows: Any,
    *,
    scorer: Any,
    model: Model = None,
    method: Method = "generate",
    baseline: str | Prompt | Result | None = None,
    detect: float | None = None,
    group: str | None = None,
    calls: scope.Mode | None = None,
    budget: str | Amount | None = None,
    name: str | None = None,
) -> Result:
    """The same as `evaluate`, to be awaited."""
    data, scorers, choose = dataset(rows), scorer_list(scorer), as_method(method)
    task = _task(subject, data, model, choose)
    _check_columns(scorers, data)
    _check_group(group, data)
    check_detect(detect)
    against = _baseline(baseline, data, scorers, model, choose)
    title = name or f"{task.title} · {choose or 'generate'}"
    params = {
        "model": task.model or "none",
        "prompt": task.title,
        "method": str(choose or "generate"),
        "dataset": data.name,
        "dataset_digest": data.digest,
    }
    start = time.monotonic()
    with opened("evaluation", title, params=params, budget=budget, mode=calls, default_mode="reuse") as run:
        scored = await run_rows(task, data, scorers, Progress(title, len(data)))
        result = Result(
            title=title,
            prompt=task.title,
            model=task.model,
            method=params["method"],
            dataset=data.name,
            dataset_digest=data.digest,
            scorers=tuple(s.name for s in scorers),
            rows=tuple(scored),
            seconds=time.monotonic() - start,
            run=run.id,
            group=group,
        )
        result = await _judged(result, against, data, scorers, detect)
        record_result(result, task.prompt, mask(task.asked))
    return result


def _task(subject: Subject, data: Dataset, model: Model, choose: Choose | None) -> Task:
    """What is done with a row. Everything that cannot work is refused here, before the first call."""
    if not len(data):
        raise DatasetError("there are no rows to evaluate on", fix="Check the slice or the filter.")
    if not isinstance(subject, Prompt):
        if not callable(subject):
            raise InputError(
                f"{subject!r} is neither a prompt nor a function",
                fix="Give a gt.Prompt or a function of a row.",
            )
        title = getattr(subject, "__name__", type(subject).__name__)
        return Task(title, "", subject, None, None, None, 8)
    columns = set.intersection(*(set(row) for row in data))
    for variable in sorted(subject.variables - subject.defaults.keys() - columns):
        raise MissingVariable(
            f"prompt {subject.name!r} needs {variable!r}, which is no column of every row; "
            f"columns: {', '.join(data.columns)}",
            fix=nearest(variable, data.columns) or "Give it a default, or add the column with dataset.map(…).",
            variable=variable,
        )
    if choose is not None and (subject.output is None or not subject.output.labels):
        raise InputError(
            f"prompt {subject.name!r} declares no labels to choose from",
            fix='Give it output=Literal["a", "b"].',
        )
    if choose is not None and choose.threshold is not None and subject.output and len(subject.output.labels) != 2:
        raise InputError(
            f"a threshold decides between two labels, and prompt {subject.name!r} has {len(subject.output.labels)}",
            fix="Leave the threshold out.",
        )
    door = open_door(model)
    return Task(str(subject.reference), door.alias, None, subject, model, choose, door.settings.concurrency)


def _check_columns(scorers: list[Scorer], data: Dataset) -> None:
    for scorer in scorers:
        for column in [column for column in columns_of(scorer) if column not in data.columns]:
            raise ScorerError(
                f"scorer {scorer.name!r} compares with column {column!r}, and there is none; "
                f"columns: {', '.join(data.columns)}",
                fix=nearest(column, data.columns) or "Name the column that holds the right answer.",
                scorer=scorer.name,
                column=column,
            )


def _check_group(group: str | None, data: Dataset) -> None:
    if group is not None and group not in data.columns:
        raise DatasetError(
            f"rows are to be grouped by column {group!r}, and there is none; columns: {', '.join(data.columns)}",
            fix=nearest(group, data.columns) or "Name the column whose equal values say that rows belong together.",
            column=group,
        )


def _baseline(
    given: str | Prompt | Result | None, data: Dataset, scorers: list[Scorer], model: Model, choose: Choose | None
) -> Task | Result | str | None:
    """What to compare with: a result, a task to run on the same rows, or a note that there is none yet."""
    if given is None:
        return None
    check_comparable(scorers)
    if isinstance(given, Result):
        check_shared({row.id for row in data}, {scorer.name for scorer in scorers}, given)
        return given
    if isinstance(given, str):
        try:
            prompt = load_prompt(given)
        except PromptNotFound:
            return f"no baseline yet: {given} does not exist"
    else:
        prompt = given
    return _task(prompt, data, model, choose)


async def _judged(
    result: Result,
    against: Task | Result | str | None,
    data: Dataset,
    scorers: list[Scorer],
    detect: float | None,
) -> Result:
    if against is None:
        return result
    if isinstance(against, str):
        return replace(result, note=against)
    if isinstance(against, Task):
        with scope.inside(default_mode="reuse"):
            rows = await run_rows(against, data, scorers, Progress(f"baseline {against.title}", len(data)))
        against = replace(result, title=against.title, prompt=against.title, rows=tuple(rows))
    return replace(result, verdicts=tuple(result.compare(against, detect=detect)))
