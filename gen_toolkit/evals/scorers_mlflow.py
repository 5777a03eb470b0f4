"""MLflow's scorers and judges as the toolkit's."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score, Scorer
from gen_toolkit.evals.scorers_check import shown
from gen_toolkit.tracking.assess import Assessment, assess, check_scorer

_YES_NO = {"yes": 1.0, "no": 0.0}


@dataclass(frozen=True, eq=False)
class _MLflow:
    scorer: Any
    name: str
    expectations: Mapping[str, str]
    grades: Mapping[str, float]
    feedback: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.expectations.values())

    def __call__(self, value: Any, row: Row) -> Score:
        expected = {name: row[column] for name, column in self.expectations.items()}
        inputs = {name: held for name, held in row.items() if name not in self.columns}
        said = self._one(assess(self.scorer, inputs=inputs, outputs=value, expectations=expected))
        if said.error is not None:
            raise ScorerError(f"MLflow's scorer {self.name!r} failed: {said.error}", scorer=self.name)
        given = said.value.value if isinstance(said.value, enum.Enum) else said.value
        if not isinstance(given, str):
            return Score(given, text.one_line(said.reason, 500))  # what is no number is refused where scores are read
        if given not in self.grades:
            raise ScorerError(
                f"MLflow's scorer {self.name!r} said {shown(given)}, which is no number",
                fix=f"Say what its words are worth: grades={{{given!r}: 1.0, …}}.",
                scorer=self.name,
            )
        return Score(self.grades[given], text.one_line(said.reason, 500), given)

    def _one(self, said: Sequence[Assessment]) -> Assessment:
        found = [each for each in said if self.feedback is None or each.name == self.feedback]
        if len(found) != 1:
            names = ", ".join(each.name for each in said) or "none"
            raise ScorerError(
                f"MLflow's scorer {self.name!r} gave {len(said)} assessments ({names}), and one is needed",
                fix="Name it: feedback=…",
                scorer=self.name,
            )
        return found[0]


def mlflow(
    scorer: Any,
    *,
    expectations: Mapping[str, str] | Sequence[str] = (),
    grades: Mapping[str, float] | None = None,
    feedback: str | None = None,
    name: str | None = None,
) -> Scorer:
    """One of MLflow's scorers or judges (`@mlflow.genai.scorer`, `make_judge`, `mlflow.genai.scorers`).

    It is given the value as `outputs`, and as `inputs` the row's columns but for those that `expectations`
    names, a list of columns or a mapping from MLflow's name to the column. Its "yes" and "no" are 1 and 0;
    other words need `grades`. Of several assessments `feedback` names one. An error of its own, or a trace
    that it asks for and that an evaluation does not have, is an error at the row.

    Calls that it makes to models are MLflow's: neither journaled nor reused, and held to no budget of ours.
    """
    title = check_scorer(scorer)
    wanted = [expectations] if isinstance(expectations, str) else expectations
    named = dict(wanted) if isinstance(wanted, Mapping) else {column: column for column in wanted}
    return _MLflow(scorer, name or title, named, {**_YES_NO, **(grades or {})}, feedback)
