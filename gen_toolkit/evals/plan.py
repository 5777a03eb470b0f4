"""What is to be evaluated, with everything refused that cannot work: before the first call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gen_toolkit import scope
from gen_toolkit.amount import Amount
from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.datasets.read import dataset
from gen_toolkit.errors import DatasetError, InputError, MissingVariable, PromptNotFound, ScorerError, nearest
from gen_toolkit.evals.choice import Choose, Method, as_method
from gen_toolkit.evals.compare import check_detect, check_shared
from gen_toolkit.evals.result import Result
from gen_toolkit.evals.score import Scorer, check_comparable, columns_of
from gen_toolkit.evals.scorers import scorer_list
from gen_toolkit.evals.task import Task
from gen_toolkit.models.gateway import Model, open_door
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt

Subject = Prompt | Callable[..., Any]


@dataclass(frozen=True)
class Plan:
    """One evaluation, checked and not yet begun."""

    title: str
    data: Dataset
    scorers: tuple[Scorer, ...]
    task: Task
    against: Task | Result | str | None
    """What to compare with: a task to run on the same rows, a result, or a note that there is none yet."""
    detect: float | None
    group: str | None
    calls: scope.Mode | None
    budget: str | Amount | None


def planned(
    subject: Subject,
    rows: Any,
    *,
    scorer: Any,
    model: Model,
    method: Method,
    baseline: str | Prompt | Result | None,
    detect: float | None,
    group: str | None,
    calls: scope.Mode | None,
    budget: str | Amount | None,
    name: str | None,
) -> Plan:
    """Raises InputError, or one of its kinds, for what cannot work."""
    data, scorers, choose = dataset(rows), scorer_list(scorer), as_method(method)
    task = task_of(subject, data, model, choose)
    check_columns(scorers, data)
    check_group(group, data)
    check_detect(detect)
    return Plan(
        title=name or f"{task.title} · {task.method}",
        data=data,
        scorers=tuple(scorers),
        task=task,
        against=baseline_of(baseline, data, scorers, model, choose),
        detect=detect,
        group=group,
        calls=calls,
        budget=budget,
    )


def task_of(subject: Subject, data: Dataset, model: Model, choose: Choose | None) -> Task:
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
        return Task(title, function=subject)
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
    return Task(
        str(subject.reference),
        prompt=subject,
        asked=model,
        door=door,
        choose=choose,
        concurrency=door.settings.concurrency,
    )


def check_columns(scorers: list[Scorer], data: Dataset) -> None:
    for scorer in scorers:
        for column in [column for column in columns_of(scorer) if column not in data.columns]:
            raise ScorerError(
                f"scorer {scorer.name!r} compares with column {column!r}, and there is none; "
                f"columns: {', '.join(data.columns)}",
                fix=nearest(column, data.columns) or "Name the column that holds the right answer.",
                scorer=scorer.name,
                column=column,
            )


def check_group(group: str | None, data: Dataset) -> None:
    if group is not None and group not in data.columns:
        raise DatasetError(
            f"rows are to be grouped by column {group!r}, and there is none; columns: {', '.join(data.columns)}",
            fix=nearest(group, data.columns) or "Name the column whose equal values say that rows belong together.",
            column=group,
        )


def baseline_of(
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
    return task_of(prompt, data, model, choose)
