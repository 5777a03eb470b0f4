"""A model as a scorer of two answers: which is better, asked in both orders."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.agreement import Agreement
from gen_toolkit.evals.score import Score
from gen_toolkit.evals.scorers_check import column_names, shown
from gen_toolkit.evals.scorers_judge_ask import Question, fence, plain, shown_row
from gen_toolkit.evals.scorers_judge_people import AnyJudge, as_agreement
from gen_toolkit.evals.scorers_judge_scale import Scale
from gen_toolkit.models.gateway import Model

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result

PEOPLE = Scale(("worse", "tie", "better"))
_TASK = "You compare two answers, the first and the second, that were given to a row of data, by a rubric."
_OF_FIRST = {"first is better": "better", "second is better": "worse", "tie": "tie"}
_OF_SECOND = {"first is better": "worse", "second is better": "better", "tie": "tie"}
_SCALE = Scale(tuple(_OF_FIRST), is_ordered=False)


@dataclass(frozen=True, eq=False, repr=False)
class Pairwise(AnyJudge):
    """A judge of two answers; see `pairwise`."""

    against: Mapping[str, Any] | str
    """The other's values by row id, or the column that holds them."""

    @property
    def columns(self) -> tuple[str, ...]:
        return (*super().columns, *([self.against] if isinstance(self.against, str) else ()))

    @property
    def people(self) -> Scale:
        return PEOPLE

    async def __call__(self, value: Any, row: Row) -> Score:
        mine, other = plain(value), self._other(row)
        if fence(mine) == fence(other):  # as a judge would see them: 1 and true are not the same
            return Score(0.5, "the two are the same", "tie")
        seen = shown_row(row, self.shown, self.against if isinstance(self.against, str) else None)
        (said, reason), (swapped, other_reason) = await asyncio.gather(
            self.question.asked(the_row=seen, the_first_answer=mine, the_second_answer=other),
            self.question.asked(the_row=seen, the_first_answer=other, the_second_answer=mine),
        )
        label = _OF_FIRST[said]
        if label != _OF_SECOND[swapped]:
            return Score(0.5, f"depends on the order: {reason} | {other_reason}", "tie")
        return Score(PEOPLE.share(label), reason, label)

    def _other(self, row: Row) -> Any:
        if isinstance(self.against, str):
            return row[self.against]
        if row.id not in self.against:
            raise ScorerError(
                f"scorer {self.name!r}: what it compares with has no value for row {row.id}",
                fix="Compare with a result of the same rows, in which they did not fail.",
                scorer=self.name,
                row=row.id,
            )
        return self.against[row.id]


def pairwise(
    rubric: str,
    against: Result | str,
    *,
    model: Model = None,
    name: str = "pairwise",
    columns: Sequence[str] | None = None,
    agreement: Agreement | Mapping[str, Any] | None = None,
    **options: Any,
) -> Pairwise:
    """A model that says by `rubric` whether the value is better than another answer to the same row.

    `against` is a result on the same rows, or the column that holds the other answer. 1: better, 0: worse,
    0.5: a tie. Models favour a place, so each pair is asked in both orders, in two calls, and where the
    answers contradict each other it is a tie "depends on the order". Equal answers are a tie without a call.
    `columns`, `model`, `options` and calibration are as for `judge`; people say `worse`, `tie` or `better`.
    """
    question = Question(name, _TASK, rubric, _SCALE, model, options)
    return Pairwise(question, column_names(columns, name), as_agreement(agreement), _against(against, name))


def _against(given: Any, name: str) -> Mapping[str, Any] | str:
    if isinstance(given, str) and given:
        return given
    rows = getattr(given, "rows", None)
    if not isinstance(rows, tuple):
        raise ScorerError(
            f"scorer {name!r}: against={shown(given)} is nothing to compare with",
            fix="Give a result of gt.evaluate, or the name of the column with the other answer.",
            scorer=name,
        )
    return {row.row.id: row.plain_value for row in rows if row.error is None or row.value is not None}
