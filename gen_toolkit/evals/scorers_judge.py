"""A model as a scorer: it grades each answer by a rubric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.evals.agreement import Agreement
from gen_toolkit.evals.score import Score
from gen_toolkit.evals.scorers_check import column_names
from gen_toolkit.evals.scorers_judge_ask import Question, plain, shown_row
from gen_toolkit.evals.scorers_judge_people import AnyJudge, as_agreement
from gen_toolkit.evals.scorers_judge_scale import Scale
from gen_toolkit.models.gateway import Model

_TASK = "You judge an answer that was given to a row of data, by a rubric."


@dataclass(frozen=True, eq=False, repr=False)
class Judge(AnyJudge):
    """A judge of single answers; see `judge`."""

    async def __call__(self, value: Any, row: Row) -> Score:
        label, reason = await self.question.asked(the_row=shown_row(row, self.shown), the_answer=plain(value))
        return Score(self.question.scale.share(label), reason, label)


def judge(
    rubric: str,
    *,
    scale: tuple[int, int] | Sequence[str] = (1, 5),
    model: Model = None,
    name: str = "judge",
    columns: Sequence[str] | None = None,
    agreement: Agreement | Mapping[str, Any] | None = None,
    **options: Any,
) -> Judge:
    """A model that grades the value by `rubric`, as it sees it beside the row.

    `scale` is the lowest and the highest of whole numbers, or words from the worst to the best; the score is
    0 for the worst, 1 for the best, and in equal steps between, with the grade as its `label` and the model's
    `reason`. `columns` are those of the row that the judge is shown (default: all). `model` and `options` are
    `gt.chat`'s: its calls are journaled, reused, and held to the same budgets. The row and the value are
    fenced as data. An answer that is not on the scale is an error at its row, never a score.

    A judge decides nothing before `calibrate` has compared it with people: see `can_gate`.
    """
    question = Question(name, _TASK, rubric, Scale.of(scale, name), model, options)
    return Judge(question, column_names(columns, name), as_agreement(agreement))
