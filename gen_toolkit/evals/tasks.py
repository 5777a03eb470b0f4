"""From a prompt, or a function, and a model to what is done with a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.errors import DatasetError, InputError, MissingVariable, nearest
from gen_toolkit.evals.choice import Choose
from gen_toolkit.evals.task import Task
from gen_toolkit.models.gateway import Model, open_door
from gen_toolkit.models.options import plain
from gen_toolkit.prompts.prompt import Prompt

Subject = Prompt | Callable[..., Any]


def task_of(
    subject: Subject, data: Dataset, model: Model, choose: Choose | None, options: Mapping[str, Any] | None = None
) -> Task:
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
    columns = data.shared_columns
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
        options=plain(options or {}),
        concurrency=door.settings.concurrency,
    )
