"""Whether a judge may be believed: its agreement with people, without which it decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gen_toolkit import display, scope
from gen_toolkit.amount import Amount
from gen_toolkit.datasets.dataset import Dataset, Row
from gen_toolkit.datasets.read import dataset
from gen_toolkit.errors import DatasetError, ScorerError, nearest
from gen_toolkit.evals.agreement import Agreement
from gen_toolkit.evals.review import Review
from gen_toolkit.evals.scorers_check import shown
from gen_toolkit.evals.scorers_judge_ask import Question
from gen_toolkit.evals.scorers_judge_scale import Scale
from gen_toolkit.events import FileRecorded, Recorded, emit
from gen_toolkit.messages.request import digest

_LABEL, _VALUE = "review.label", "review.value"  # columns that a row of a review has no others of that name beside
_Judge = TypeVar("_Judge", bound="AnyJudge")


@dataclass(frozen=True, eq=False, repr=False)
class AnyJudge:
    """What the judges have in common. `agreement` is None until `calibrate` was asked."""

    question: Question
    shown: tuple[str, ...] | None
    """The columns that the judge is shown; None: all."""
    agreement: Agreement | None
    range = (0.0, 1.0)

    @property
    def name(self) -> str:
        return self.question.name

    @property
    def columns(self) -> tuple[str, ...]:
        return self.shown or ()

    @property
    def people(self) -> Scale:
        """The scale on which people judge."""
        return self.question.scale

    @property
    def digest(self) -> str:
        """What an agreement is bound to: what is asked of whom, and the columns that are named."""
        return digest([self.question.digest, self.shown])

    def calibrate(
        self: _Judge,
        rows: Any,
        *,
        label: str = "label",
        value: str = "value",
        calls: scope.Mode | None = None,
        budget: str | Amount | None = None,
    ) -> _Judge:
        """This judge with its agreement with people: it judges rows that people have labelled, or a review.

        `value` names the column with what is judged, `label` the one with the people's word, on the judge's
        own scale; the judge is shown neither of the two as part of the row. A review (`result.review`) brings
        both by itself. It is an evaluation like any other: tracked, reused, held to `budget`. The returned judge
        carries `.agreement` (this one stays as it is); `.agreement.to_json()` can be kept and given back as
        `agreement=`.

        Raises DatasetError before the first call where a label is missing or not on the scale, ScorerError
        where the judge labelled no row at all.
        """
        from gen_toolkit.evals.evaluate import evaluate  # which knows the scorers

        if isinstance(rows, Review):
            label, value = _LABEL, _VALUE
            rows = rows.to_dataset(label, value)
        data = dataset(rows)
        people = self._people(data, label, value)
        values = {row.id: row[value] for row in data}
        kept = [{name: held for name, held in row.items() if name not in (label, value)} for row in data]
        bare = Dataset(kept, name=data.name, ids=list(values))

        def recorded(row: Row) -> Any:
            return values[row.id]

        title = f"calibration of {self.name}"
        result = evaluate(recorded, bare, scorer=self, name=title, calls=calls, budget=budget)
        pairs = [(people[r.row.id], r.scores[self.name].label or "") for r in result.rows if self.name in r.scores]
        if not pairs:
            raise ScorerError(
                f"judge {self.name!r} labelled none of {len(data)} rows; the first: {result.rows[0].error}",
                fix="Try it on one row, with a more able model or a plainer rubric.",
                scorer=self.name,
            )
        found = Agreement.of(
            pairs,
            self.people.labels,
            judge=self.digest,
            failed=len(data) - len(pairs),
            dataset=data.digest,
        )
        _record(result.run, self.name, found)
        return replace(self, agreement=found)

    def can_gate(self, threshold: float = 0.6) -> bool:
        """Whether the judge may decide: its kappa with people is at least `threshold`, also at its lower limit."""
        return self.gate_problem(threshold) is None

    def gate_problem(self, threshold: float = 0.6) -> str | None:
        """Why the judge may not decide, in a sentence; None: it may."""
        asked: Any = threshold  # whatever the annotation says
        if isinstance(asked, bool) or not isinstance(asked, int | float) or not 0 < asked <= 1:
            raise ScorerError(f"threshold={shown(threshold)} is no kappa to ask for", fix="Give one above 0, up to 1.")
        found = self.agreement
        if found is None:
            return f"judge {self.name!r} was never compared with people: judge.calibrate(rows) does it"
        if found.judge != self.digest:
            return f"judge {self.name!r} is not the one that was calibrated: its rubric, scale, columns or model differ"
        if found.low is None or found.low < threshold:
            return f"judge {self.name!r}: {found}; to decide, the lower limit must be at least {threshold:g}"
        return None

    def _people(self, data: Dataset, label: str, value: str) -> dict[str, str]:
        """What people said, by row. Everything that cannot work is refused here."""
        if not len(data):
            raise DatasetError("there are no rows to compare a judge with people on", fix="Check the filter.")
        for column in (label, value):
            if column not in data.columns:
                raise DatasetError(
                    f"judge {self.name!r} is to be compared by column {column!r}, and there is none; "
                    f"columns: {', '.join(data.columns)}",
                    fix=nearest(column, data.columns) or "Name it with label= (what people said), value= (what of).",
                    column=column,
                )
            if column in self.columns:
                raise ScorerError(
                    f"judge {self.name!r} names {column!r} among its columns, and would be told what it must find",
                    fix="Name another column.",
                    scorer=self.name,
                    column=column,
                )
        said = {row.id: self.people.label(row[label]) for row in data}
        for row in data:
            if said[row.id] is None:
                raise DatasetError(
                    f"row {row.id}, column {label!r} holds {shown(row[label])}, which is not on the judge's scale",
                    fix=f"It is {self.people}. Rows without a label: dataset.where(…).",
                    row=row.id,
                    column=label,
                )
        return {row: found for row, found in said.items() if found is not None}

    def __repr__(self) -> str:
        known = "never compared with people" if self.agreement is None else str(self.agreement)
        return f"{type(self).__name__}({self.name!r}, {known})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        known = repr(self) if self.agreement is None else str(self.agreement)
        rubric = self.question.rubric.strip()
        return display.bundle(f"{self!r}\n{rubric}", display.html_card(self.name, known, display.html_text(rubric)))


def as_agreement(given: Agreement | Mapping[str, Any] | None) -> Agreement | None:
    """An agreement, or what its `to_json` gave."""
    return given if given is None or isinstance(given, Agreement) else Agreement.from_json(given)


def agreement_metrics(name: str, found: Agreement) -> dict[str, float]:
    """`<judge>.kappa` with `.low` and `.high`, as far as they are known."""
    numbers = {"kappa": found.kappa, "kappa.low": found.low, "kappa.high": found.high}
    return {f"{name}.{which}": number for which, number in numbers.items() if number is not None}


def _record(run: str, name: str, found: Agreement) -> None:
    emit(Recorded(run=run, metrics=agreement_metrics(name, found)))
    emit(FileRecorded(run=run, file="agreement.json", content=json.dumps(found.to_json(), ensure_ascii=False)))
