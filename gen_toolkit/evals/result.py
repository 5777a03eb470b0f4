"""What an evaluation found: rows with values and scores, means with intervals, cost, seconds, verdicts."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from gen_toolkit import display, text
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import InputError, nearest
from gen_toolkit.evals.compare import compare
from gen_toolkit.evals.comparison import Comparison
from gen_toolkit.evals.disagreements import Disagreements, disagreements
from gen_toolkit.evals.intervals import Estimate, estimate
from gen_toolkit.evals.result_html import bundle, page
from gen_toolkit.evals.score import Score
from gen_toolkit.evals.scorers_check import shown
from gen_toolkit.evals.scorers_confusion import Confusion, confusion
from gen_toolkit.evals.slices import Slices
from gen_toolkit.evals.verdict import Verdict
from gen_toolkit.messages.reply import NO_USAGE, Usage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gen_toolkit.evals.review import Review


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row: what came out, how it was scored, what it took; or why it failed."""

    row: Row
    value: Any = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    error: str | None = None
    usage: Usage = NO_USAGE
    cost: Decimal | None = Decimal(0)
    seconds: float = 0.0
    calls: int = 0
    """Calls made now; answers taken from the journal are not counted."""
    probabilities: Mapping[str, float] | None = None
    asked: tuple[str, ...] = ()
    """The ids in the journal of the calls that were asked for it, its scorers' included, reused or not."""
    repeat: int = 0
    """Of a row that is evaluated several times, the how many-th this is, from 0."""

    def group_by(self, column: str | None) -> str:
        """What rows of the same group share; a row without a value in the column, or none, stands for itself."""
        value = None if column is None else self.row.get(column)
        return f"row {self.row.id}" if value is None else f"group {value!r}"

    @property
    def plain_value(self) -> Any:
        """The value as plain data; what JSON cannot hold is shown as text."""
        if isinstance(self.value, str | int | float | None) and not isinstance(self.value, enum.Enum):
            return None if self.value != self.value else self.value
        from pydantic_core import to_jsonable_python

        try:
            return to_jsonable_python(self.value, inf_nan_mode="null", bytes_mode="base64", fallback=str)
        except ValueError:  # a circle
            return repr(self.value)


@dataclass(frozen=True)
class Result:
    """The result of an evaluation. Show it, compare it, keep it."""

    title: str
    prompt: str
    model: str
    method: str
    dataset: str
    dataset_digest: str
    scorers: tuple[str, ...]
    rows: tuple[RowResult, ...]
    seconds: float
    run: str = ""
    verdicts: tuple[Verdict, ...] = ()
    note: str = ""
    is_excerpt: bool = False
    """A few rows picked from a result: shown row by row, without means that would mislead."""
    group: str | None = None
    """The column whose equal values say that rows belong together (a document, a user)."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Sent with every request of this evaluation, over those of the alias."""
    less_is_better: tuple[str, ...] = ()
    """Scorers of which less is better, as of seconds and money."""
    judges: tuple[str, ...] = ()
    """Scorers that are models."""

    @cached_property
    def is_repeated(self) -> bool:
        """Whether rows were evaluated several times; then the repeats of a row count together in intervals."""
        return any(row.repeat for row in self.rows)

    @cached_property
    def scores(self) -> dict[str, Estimate | None]:
        """Mean and interval a scorer, over the rows it scored."""
        return {name: self._estimate([row for row in self.rows if name in row.scores], name) for name in self.scorers}

    def _estimate(self, scored: list[RowResult], scorer: str) -> Estimate | None:
        groups = [row.group_by(self.group) for row in scored] if self.group or self.is_repeated else None
        return estimate([row.scores[scorer].value for row in scored], groups)

    def _named(self, scorer: str | None) -> str:
        """The scorer, by default the first."""
        name = scorer or self.scorers[0]
        if name not in self.scorers:
            fix = nearest(name, self.scorers) or f"There are: {', '.join(self.scorers)}."
            raise InputError(f"there is no scorer {name!r} in this result", fix=fix)
        return name

    def mean(self, scorer: str | None = None) -> float:
        """The mean of a scorer (by default the first). Raises InputError where no row was scored."""
        name = self._named(scorer)
        found = self.scores[name]
        if found is None:
            raise InputError(f"no row was scored by {name!r}: {len(self.failed)} failed", fix="Look at result.failed.")
        return found.mean

    @property
    def failed(self) -> list[RowResult]:
        """The rows without a value, or without the score of some scorer: they count in no mean of that one."""
        return [row for row in self.rows if row.error]

    @property
    def usage(self) -> Usage:
        return sum((row.usage for row in self.rows), NO_USAGE)

    @property
    def calls(self) -> int:
        """Calls made now."""
        return sum(row.calls for row in self.rows)

    @property
    def cost(self) -> Decimal | None:
        """USD for all answers, reused ones included; None as soon as one is unknown."""
        total = Decimal(0)
        for row in self.rows:
            if row.cost is None:
                return None
            total += row.cost
        return total

    def worst(self, count: int = 5, scorer: str | None = None) -> Result:
        """The worst-scored rows, failed ones first."""
        name = self._named(scorer)
        sign = -1 if name in self.less_is_better else 1
        order = sorted(self.rows, key=lambda r: sign * r.scores[name].value if name in r.scores else float("-inf"))
        title = f"{self.title}: the {min(count, len(order))} worst"
        return replace(self, rows=tuple(order[:count]), title=title, verdicts=(), note="", is_excerpt=True)

    def compare(self, other: Result, *, detect: float | None = None) -> Comparison:
        """Verdicts against another result on the same rows; `detect` is the smallest difference that matters.

        Shown in a notebook, it has the replies of both side by side.
        """
        _check_result(other)
        return Comparison(tuple(compare(self, other, detect=detect)), self, other)

    def review(
        self,
        labels: Sequence[str] = ("bad", "good"),
        *,
        guidelines: str = "",
        other: Result | None = None,
        name: str = "review",
        reviewer: str | None = None,
        seed: int = 0,
    ) -> Review:
        """Have a person label the rows, by keyboard in a notebook; taken up where it was left, however that was.

        `labels` are up to nine, from the worst to the best; `guidelines` are shown beside each row. With
        `other` the replies of both are seen blind, as A and B in an order shuffled by `seed`, and the labels
        are which is better. `reviewer` is the user's name by default; `name` tells reviews apart.
        """
        from gen_toolkit.evals.review import Review

        if other is not None:
            _check_result(other)
        return Review(self, labels=labels, guidelines=guidelines, other=other, name=name, reviewer=reviewer, seed=seed)

    def disagreements(self, other: Result, scorer: str | None = None) -> Disagreements:
        """The rows on which this and another result differ, those that are worse here first."""
        _check_result(other)
        return disagreements(self, other, self._named(scorer))

    def slices(self, column: str) -> Slices:
        """The result for each value of a column, the worst first."""
        return Slices(self, column)

    def confusion(self, column: str) -> Confusion:
        """Which label was taken for which; `column` holds the right one. Rows that failed are left out.

        Where a scorer says what label an answer was taken for (`gt.scorers.labels`), that one counts; a judge
        says how good it is, which is another question.
        """
        return confusion((self._label(row), row.row[column]) for row in self.rows if row.error is None)

    def _label(self, row: RowResult) -> Any:
        labels = (score.label for name, score in row.scores.items() if name not in self.judges)
        return next((label for label in labels if label is not None), row.value)

    def plot(self, *others: Result, scorer: str | None = None) -> Figure:
        """Score against money and seconds a row, with 95 % intervals, beside those of other results."""
        from gen_toolkit.evals.plot import plot

        return plot([self, *others], self._named(scorer), self.title)

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """(columns, rows): one line a row, as shown in notebooks and in MLflow's table view."""
        inputs = list(dict.fromkeys(chain.from_iterable(row.row for row in self.rows)))
        repeat = ["repeat"] if self.is_repeated else []
        columns = ["row", *repeat, *inputs, "output", *self.scorers, "error", "seconds"]
        rows = [
            [
                r.row.id,
                *([r.repeat] if repeat else []),
                *map(r.row.get, inputs),
                r.plain_value,
                *[r.scores[s].value if s in r.scores else None for s in self.scorers],
                r.error,
                round(r.seconds, 4),
            ]
            for r in self.rows
        ]
        return columns, rows

    def to_pandas(self) -> Any:
        import pandas

        columns, rows = self.table()
        return pandas.DataFrame(rows, columns=columns).set_index("row")

    def to_json(self) -> str:
        """Rows, values, scores and tokens, without ids of runs or times: equal work gives equal bytes."""
        data = {
            "prompt": self.prompt,
            "method": self.method,
            "dataset_digest": self.dataset_digest,
            "scores": {n: None if e is None else [e.mean, e.low, e.high, e.rows] for n, e in self.scores.items()},
            "rows": [
                {
                    "row": r.row.id,
                    **({"repeat": r.repeat} if self.is_repeated else {}),
                    "value": r.plain_value,
                    "scores": {name: score.value for name, score in r.scores.items()},
                    "error": r.error,
                    "tokens": r.usage.to_json(),
                }
                for r in self.rows
            ],
        }
        return json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1)

    def summary(self) -> dict[str, str]:
        """What one looks at first, as texts."""
        counted = {n: "no row scored" if e is None else str(e) for n, e in self.scores.items()}
        return {
            **counted,
            "rows": f"{len(self.rows)}" + (f", {len(self.failed)} failed" if self.failed else ""),
            "cost": display.money(self.cost),
            "seconds": f"{self.seconds:.1f}",
            "calls": str(self.calls),
        }

    def __repr__(self) -> str:
        facts = ", ".join(f"{k} {v}" for k, v in self.summary().items())
        return text.one_line(f"Result({self.title}: {facts})", 400)

    def to_html(self) -> str:
        """Summary, verdicts and all rows as HTML that needs nothing from elsewhere; all texts are escaped."""
        return page(self, len(self.rows), 10_000)

    def __str__(self) -> str:
        """The table and the verdicts, as `print` in a script shows them."""
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return bundle(self)


def _check_result(other: object) -> None:
    if not isinstance(other, Result):
        raise InputError(
            f"{shown(other)} is no result", fix="Give what gt.evaluate returned; of a grid a cell: grid[0]."
        )
