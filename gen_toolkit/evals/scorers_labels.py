"""A scorer of labels: right or wrong at each row, and the label it was taken for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score, Scorer
from gen_toolkit.evals.scorers_check import column_name, shown
from gen_toolkit.evals.scorers_confusion import label_of, same_label


@dataclass(frozen=True)
class _Labels:
    column: str
    known: tuple[str, ...]
    name: str
    range = (0.0, 1.0)
    inline = True

    def __call__(self, value: Any, row: Row) -> Score:
        expected, said = label_of(row[self.column]), label_of(value)
        if expected is None or (self.known and expected not in self.known):
            raise ScorerError(
                f"scorer {self.name!r}: column {self.column!r} of row {row.id} holds {shown(row[self.column])}, "
                f"which is {'no label' if expected is None else 'not one of ' + ', '.join(self.known)}",
                fix="Correct the row, or the labels.",
                scorer=self.name,
                column=self.column,
                row=row.id,
            )
        if said is None:
            return Score(0.0, f"{shown(value)} is no label; expected {shown(expected)}")
        if same_label(said, row[self.column]):
            return Score(1.0, "", expected)
        strange = f", and not one of {', '.join(self.known)}" if self.known and said not in self.known else ""
        return Score(0.0, f"{shown(said)}, expected {shown(expected)}{strange}", said)


def labels(column: str, known: Sequence[Any] = (), *, name: str = "labels") -> Scorer:
    """Right when the value is the label in the row's `column`, compared as texts: 1 is "1".

    With `known` labels, another one in the column is an error at its row, and another answer is named
    as such. `gt.scorers.confusion` counts which label was taken for which.
    """
    texts = [label_of(label) for label in known] if not isinstance(known, str) else [None]
    if None in texts or len(set(texts)) < len(texts):
        raise ScorerError(
            f"scorer 'labels': {shown(known)} is no list of different labels",
            fix='Write ["positive", "negative"].',
            scorer="labels",
        )
    return _Labels(column_name(column, "labels"), tuple(str(label) for label in texts), name)
