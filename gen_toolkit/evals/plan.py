"""What is to be evaluated, with everything refused that cannot work: before the first call."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit import scope
from gen_toolkit.amount import Amount
from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.datasets.read import dataset
from gen_toolkit.errors import DatasetError, InputError, PromptNotFound, ScorerError, nearest
from gen_toolkit.evals.choice import as_method
from gen_toolkit.evals.compare import check_detect, check_shared
from gen_toolkit.evals.result import Result
from gen_toolkit.evals.score import Scorer, columns_of
from gen_toolkit.evals.scorers import scorer_list
from gen_toolkit.evals.scorers_check import shown
from gen_toolkit.evals.task import Task
from gen_toolkit.evals.tasks import Subject, task_of
from gen_toolkit.evals.traced import Traces, check_traces
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt


@dataclass(frozen=True)
class Plan:
    """One evaluation, checked and not yet begun."""

    title: str
    data: Dataset
    scorers: tuple[Scorer, ...]
    tasks: tuple[Task, ...]
    """One a cell."""
    titles: tuple[str, ...]
    baselines: tuple[Task, ...]
    """What to run besides: one for each model, options and method that the cells have."""
    against: Result | str | None
    """A result to compare with, or a note that there is none yet."""
    baseline: str | None
    """What to compare with, as it is called before people."""
    repeats: int
    detect: float | None
    group: str | None
    calls: scope.Mode | None
    budget: str | Amount | None
    traces: Traces

    @property
    def cases(self) -> int:
        return len(self.data) * self.repeats

    def baseline_of(self, task: Task) -> Task | None:
        """The baseline that differs from a cell in its prompt only."""
        alike = [other for other in self.baselines if _way(other) == _way(task)]
        return alike[0] if alike else self.baselines[0] if self.baselines else None


def planned(
    subject: Subject | Sequence[Subject],
    rows: Any,
    *,
    scorer: Any,
    model: Any,
    options: Any,
    method: Any,
    repeats: int,
    baseline: str | Prompt | Result | None,
    detect: float | None,
    group: str | None,
    calls: scope.Mode | None,
    budget: str | Amount | None,
    name: str | None,
    traces: Traces,
) -> Plan:
    """Raises InputError, or one of its kinds, for what cannot work."""
    data, scorers = dataset(rows), scorer_list(scorer)
    tasks = tuple(_tasks(_several(subject), data, _several(model), _several(options), _several(method)))
    titles = _titles(tasks)
    check_columns(scorers, data)
    check_group(group, data)
    check_detect(detect)
    check_traces(traces)
    if name is not None and not isinstance(name, str):
        raise InputError(f"name={shown(name)} is no name", fix="Give a text.")
    if type(repeats) is not int or repeats < 1:
        raise InputError(f"repeats={repeats!r} is no number of times", fix="Give 1 or more.")
    against, prompt = _baseline(baseline, data, scorers)
    return Plan(
        title=name or (titles[0] if len(tasks) == 1 else f"{len(tasks)} cells on {data.name}"),
        data=data,
        scorers=tuple(scorers),
        tasks=tasks,
        titles=titles,
        baselines=() if prompt is None else _baselines(prompt, data, tasks, model),
        against=against,
        baseline=_called(baseline, prompt),
        repeats=repeats,
        detect=detect,
        group=group,
        calls=calls,
        budget=budget,
        traces=traces,
    )


def _several(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _tasks(subjects: list[Any], data: Dataset, models: list[Any], options: list[Any], methods: list[Any]) -> list[Task]:
    """The cells, subject by subject. A function is one cell: it asks whom it likes."""
    if not (subjects and models and options and methods):
        raise InputError("there is nothing to evaluate: a list is empty", fix="Give one prompt, model and method.")
    tasks: list[Task] = []
    for subject in subjects:
        ways = list(itertools.product(models, options, methods))
        for model, its_options, method in ways if isinstance(subject, Prompt) else ways[:1]:
            task = task_of(subject, data, model, as_method(method), _options(its_options))
            if any((other.title, _way(other)) == (task.title, _way(task)) for other in tasks if task.prompt):
                raise InputError(
                    f"two cells are the same: {task.title} asked of {task.model}", fix="Name each of them once."
                )
            tasks.append(task)
    return tasks


def _options(given: Any) -> Mapping[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise InputError(f"options={given!r} are no options", fix="Give a dict, or a list of dicts.")
    return dict(given or {})


def _way(task: Task) -> tuple[str, str, str]:
    """How a task is asked: everything but its prompt."""
    return task.model, json.dumps(dict(task.options), sort_keys=True), task.method


def _titles(tasks: Sequence[Task]) -> tuple[str, ...]:
    """What tells the cells apart."""
    if len(tasks) == 1:
        return (f"{tasks[0].title} · {tasks[0].method}",)
    said = [
        [task.title, task.model, ", ".join(f"{k} {v}" for k, v in sorted(task.options.items())), task.method]
        for task in tasks
    ]
    differs = [len({parts[place] for parts in said}) > 1 for place in range(4)]
    titles = [" · ".join(p for p, d in zip(parts, [True, *differs[1:]], strict=True) if d and p) for parts in said]
    return tuple(t if titles.count(t) == 1 else f"{t} ({titles[:i].count(t) + 1})" for i, t in enumerate(titles))


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


def _baseline(
    given: str | Prompt | Result | None, data: Dataset, scorers: list[Scorer]
) -> tuple[Result | str | None, Prompt | None]:
    """What to compare with: a result or a note that there is none yet; or a prompt to run on the same rows."""
    if given is None:
        return None, None
    if isinstance(given, Result):
        check_shared({row.id for row in data}, {scorer.name for scorer in scorers}, given)
        return given, None
    if isinstance(given, str):
        try:
            return None, load_prompt(given)
        except PromptNotFound:
            return f"no baseline yet: {given} does not exist", None
    if not isinstance(given, Prompt):
        raise InputError(
            f"{shown(given)} is no baseline",
            fix="Give a prompt, a reference such as label@live, or a result; of a grid a cell: grid[0].",
        )
    return None, given


def _called(given: str | Prompt | Result | None, prompt: Prompt | None) -> str | None:
    if isinstance(given, Result):
        return f"{given.prompt} (run {given.run[:13]})" if given.run else given.prompt
    if prompt is None:
        return given if isinstance(given, str) else None
    return f"{given} ({prompt.reference})" if isinstance(given, str) else str(prompt.reference)


def _baselines(prompt: Prompt, data: Dataset, tasks: Sequence[Task], model: Any) -> tuple[Task, ...]:
    """The prompt, asked in each of the ways that the cells are."""
    found: dict[tuple[str, str, str], Task] = {}
    for task in tasks:
        asked = task.asked if task.prompt is not None else _several(model)[0]
        other = task_of(prompt, data, asked, task.choose, task.options)
        found.setdefault(_way(other), other)
    return tuple(found.values())
