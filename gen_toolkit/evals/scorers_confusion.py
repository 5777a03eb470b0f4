"""Which label was taken for which: counts, and precision, recall and F1 of every class."""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gen_toolkit import display
from gen_toolkit.errors import ScorerError, nearest
from gen_toolkit.evals.scorers_check import shown

_SHOWN = 12  # classes in a display


@dataclass(frozen=True)
class ClassScores:
    """One class. A share without anything to be a share of is None, which is not 0."""

    label: str
    precision: float | None
    """Of the rows predicted to be of this class, the share that is; None where none was."""
    recall: float | None
    """Of the rows of this class, the share that was found; None where there are none."""
    f1: float | None
    rows: int
    """Rows of this class."""
    predicted: int
    """Rows that were predicted to be of this class."""


@dataclass(frozen=True)
class Confusion:
    """Counts of (expected, predicted), and what follows from them.

    Precision TP / (TP + FP), recall TP / (TP + FN), F1 their harmonic mean 2 TP / (2 TP + FP + FN)
    (C. J. van Rijsbergen, Information Retrieval, 2nd ed., 1979, ch. 7). The macro value is the mean of
    the classes' values, each class counting the same, F1 as the mean of the F1s (J. Opitz, S. Burst,
    "Macro F1 and Macro F1", arXiv:1911.03347, 2019); it is None where one of them is unknown.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """counts[i][j]: rows of class labels[i] that were predicted to be labels[j]."""

    @property
    def rows(self) -> int:
        return sum(map(sum, self.counts))

    @property
    def accuracy(self) -> float | None:
        """The share of rows that are right."""
        return _share(sum(self.counts[i][i] for i in range(len(self.labels))), self.rows)

    @cached_property
    def classes(self) -> tuple[ClassScores, ...]:
        """Precision, recall and F1 of every class, in the order of the labels."""
        found = []
        for i, label in enumerate(self.labels):
            hits, of_class = self.counts[i][i], sum(self.counts[i])
            predicted = sum(row[i] for row in self.counts)
            shares = _share(hits, predicted), _share(hits, of_class), _share(2 * hits, predicted + of_class)
            found.append(ClassScores(label, *shares, of_class, predicted))
        return tuple(found)

    def __getitem__(self, label: Any) -> ClassScores:
        """The scores of one class."""
        name = label_of(label)
        for found in self.classes:
            if found.label == name:
                return found
        fix = nearest(str(name), self.labels) or f"There are: {', '.join(self.labels)}."
        raise ScorerError(f"there is no class {shown(label)}", fix=fix)

    @property
    def macro_precision(self) -> float | None:
        return _mean([found.precision for found in self.classes])

    @property
    def macro_recall(self) -> float | None:
        return _mean([found.recall for found in self.classes])

    @property
    def macro_f1(self) -> float | None:
        return _mean([found.f1 for found in self.classes])

    def to_pandas(self) -> Any:
        """The counts: a line for each expected label, a column for each predicted one."""
        import pandas

        index = pandas.Index(self.labels, name="expected")
        return pandas.DataFrame(self.counts, index=index, columns=pandas.Index(self.labels, name="predicted"))

    def to_json(self) -> dict[str, Any]:
        macro = {"precision": self.macro_precision, "recall": self.macro_recall, "f1": self.macro_f1}
        return {
            "labels": list(self.labels),
            "counts": [list(row) for row in self.counts],
            "rows": self.rows,
            "accuracy": self.accuracy,
            "classes": [dict(vars(found)) for found in self.classes],
            "macro": macro,
        }

    def __repr__(self) -> str:
        said = f"Confusion({self.rows} rows, {len(self.labels)} classes, accuracy {_said(self.accuracy)}"
        return f"{said}, macro F1 {_said(self.macro_f1)})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        order = sorted(range(len(self.labels)), key=lambda i: -self.classes[i].rows - self.classes[i].predicted)
        kept = sorted(order[:_SHOWN])
        left = len(self.labels) - len(kept)
        names = [self.labels[i] for i in kept]
        columns = ["expected ↓ predicted →", *names, "precision", "recall", "F1", "rows"]
        lines: list[list[object]] = [
            [self.labels[i], *(self.counts[i][j] for j in kept), *_shares(self.classes[i]), self.classes[i].rows]
            for i in kept
        ]
        macro = [_said(self.macro_precision), _said(self.macro_recall), _said(self.macro_f1)]
        lines.append(["macro", *("" for _ in kept), *macro, self.rows])
        note = f"accuracy {_said(self.accuracy)}, {self.rows:,} rows" + (
            f"; the {left} smallest classes are not shown" if left else ""
        )
        return display.bundle(
            f"{note}\n{display.text_table(columns, lines, 24)}",
            display.html_card("Confusion", note, display.html_table(columns, lines)),
        )


def confusion(pairs: Iterable[tuple[Any, Any]], labels: Sequence[Any] | None = None) -> Confusion:
    """Counts over (predicted, expected) pairs; labels are compared as texts, as `gt.scorers.labels` does.

    `labels` gives the classes and their order, to which others that occur are added; without it, the
    labels that occur, sorted. Raises ScorerError for a value that is no label.
    """
    given: list[Any] = list(pairs)
    for number, pair in enumerate(given):
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2 or None in map(label_of, pair):
            raise ScorerError(
                f"pair {number} is {shown(pair)}, not two labels",
                fix="Give (predicted, expected) pairs, without the rows that failed.",
            )
    counted = Counter((_named(predicted, expected), str(label_of(expected))) for predicted, expected in given)
    declared = list(dict.fromkeys(str(label_of(label)) for label in labels or ()))
    names = declared + sorted({name for pair in counted for name in pair} - set(declared))
    return Confusion(tuple(names), tuple(tuple(counted[p, e] for p in names) for e in names))


def label_of(value: Any) -> str | None:
    """A label as a text: a text, a number, true or false, a member of an Enum; None for anything else."""
    said = value.value if isinstance(value, enum.Enum) else value
    if isinstance(said, float) and math.isfinite(said) and said.is_integer():
        said = int(said)  # pandas makes 1.0 of 1 where a value is missing
    return str(said) if isinstance(said, str | int) or (isinstance(said, float) and math.isfinite(said)) else None


def same_label(predicted: Any, expected: Any) -> bool:
    """Whether two labels are the same text."""
    return label_of(expected) == _named(predicted, expected)


def _named(predicted: Any, expected: Any) -> str:
    said = str(label_of(predicted))
    is_claim = isinstance(expected, bool) and said.casefold() in ("true", "false")
    return said.capitalize() if is_claim else said  # a CSV file's "true" is read as True


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(values) if values and len(known) == len(values) else None


def _shares(found: ClassScores) -> list[str]:
    return [_said(found.precision), _said(found.recall), _said(found.f1)]


def _said(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
