"""gt.evaluate: rows through a prompt or a function, scored, tracked, compared with a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack, overload

from gen_toolkit import scope
from gen_toolkit.amount import Amount
from gen_toolkit.evals.choice import Method
from gen_toolkit.evals.evaluation import Evaluation
from gen_toolkit.evals.grid import Grid
from gen_toolkit.evals.plan import planned
from gen_toolkit.evals.result import Result
from gen_toolkit.evals.tasks import Subject
from gen_toolkit.evals.traced import Traces
from gen_toolkit.loop import run_sync
from gen_toolkit.models.gateway import Model
from gen_toolkit.prompts.prompt import Prompt


class _How(TypedDict, total=False):
    """What `evaluate` may be told besides; it says the same of one cell and of many."""

    repeats: int
    baseline: str | Prompt | Result | None
    detect: float | None
    group: str | None
    calls: scope.Mode | None
    budget: str | Amount | None
    name: str | None
    traces: Traces


@overload
def evaluate(
    subject: Subject,
    rows: Any,
    *,
    scorer: Any,
    model: Model = None,
    options: Mapping[str, Any] | None = None,
    method: Method = "generate",
    **how: Unpack[_How],
) -> Result: ...


@overload
def evaluate(
    subject: Subject | Sequence[Subject],
    rows: Any,
    *,
    scorer: Any,
    model: Model | Sequence[Model] = None,
    options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    method: Method | Sequence[Method] = "generate",
    **how: Unpack[_How],
) -> Result | Grid: ...


def evaluate(
    subject: Subject | Sequence[Subject],
    rows: Any,
    *,
    scorer: Any,
    model: Model | Sequence[Model] = None,
    options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    method: Method | Sequence[Method] = "generate",
    repeats: int = 1,
    baseline: str | Prompt | Result | None = None,
    detect: float | None = None,
    group: str | None = None,
    calls: scope.Mode | None = None,
    budget: str | Amount | None = None,
    name: str | None = None,
    traces: Traces = 20,
) -> Result | Grid:
    """Evaluate a prompt, or a function of a row, on rows; the result is a table with intervals.

    Of lists (subjects, models, options, methods) each with each is a cell: with more than one the result is a
    Grid of Results, its verdicts held together by Holm's method. A function is one cell, whatever the models.
    `options` are sent with every request (temperature, …). `repeats` asks each row so many times; the repeats
    of a row count together in intervals and verdicts.

    A prompt is rendered with its defaults, then the row's columns; columns it does not use are left for
    the scorers. `scorer` is one or a list of callables of (value, row). `method` says how a label is
    got: `"generate"`, `"choose"` (by label probabilities) or `gt.Choose(threshold=…)`. `baseline` is a
    prompt reference, a prompt or a result: the paired verdict against it is part of the result. `detect`
    is the smallest difference that matters: where there are fewer rows than it takes to show it, the
    verdict says so. `group` names the column whose equal values say that rows belong together (a
    document, a user): intervals and verdicts then count on the groups.

    `traces` is how many rows of each cell MLflow gets as traces, with what was asked and answered: those that
    failed first, then those on which cells or the baseline differ, then the worst; `"all"`, or 0 for none.

    Rows that fail are counted and shown, never scored. Answers are reused where the same row was asked
    the same before, unless `calls="live"`. `budget` is what its calls may take, as in `gt.run`: when it is
    used up, rows under way are finished and BudgetExceeded is raised; Ctrl-C raises EvaluationStopped, a
    KeyboardInterrupt. Of both `.result` holds the rows that are done, and the same evaluation again asks only
    for the rest. What is to come (calls, tokens, money, time) is said in a line before it begins. What
    could not work at all (an unknown alias, a missing column, an unreachable model) raises, and no run is left open.
    """
    evaluation = Evaluation(
        planned(
            subject,
            rows,
            scorer=scorer,
            model=model,
            options=options,
            method=method,
            repeats=repeats,
            baseline=baseline,
            detect=detect,
            group=group,
            calls=calls,
            budget=budget,
            name=name,
            traces=traces,
        )
    )
    try:
        return run_sync(evaluation.run())
    except KeyboardInterrupt:
        raise evaluation.stopped() from None


@overload
async def aevaluate(
    subject: Subject,
    rows: Any,
    *,
    scorer: Any,
    model: Model = None,
    options: Mapping[str, Any] | None = None,
    method: Method = "generate",
    **how: Unpack[_How],
) -> Result: ...


@overload
async def aevaluate(
    subject: Subject | Sequence[Subject],
    rows: Any,
    *,
    scorer: Any,
    model: Model | Sequence[Model] = None,
    options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    method: Method | Sequence[Method] = "generate",
    **how: Unpack[_How],
) -> Result | Grid: ...


async def aevaluate(
    subject: Subject | Sequence[Subject],
    rows: Any,
    *,
    scorer: Any,
    model: Model | Sequence[Model] = None,
    options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    method: Method | Sequence[Method] = "generate",
    repeats: int = 1,
    baseline: str | Prompt | Result | None = None,
    detect: float | None = None,
    group: str | None = None,
    calls: scope.Mode | None = None,
    budget: str | Amount | None = None,
    name: str | None = None,
    traces: Traces = 20,
) -> Result | Grid:
    """The same as `evaluate`, to be awaited."""
    plan = planned(
        subject,
        rows,
        scorer=scorer,
        model=model,
        options=options,
        method=method,
        repeats=repeats,
        baseline=baseline,
        detect=detect,
        group=group,
        calls=calls,
        budget=budget,
        name=name,
        traces=traces,
    )
    return await Evaluation(plan).run()
