"""How far a judge agrees with people: what says whether its scores may decide anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gen_toolkit import display
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.kappa import kappa

_PEOPLE_AND_JUDGE = ("people", "judge")


@dataclass(frozen=True)
class Agreement:
    """Cohen's kappa of a judge and people on the same rows, with its 95 % interval.

    `kappa` is 1 where they always agree, 0 where they do no more often than by chance; None: unknown, as
    where all rows have one label. On a scale of more than two, near misses count as near (see `kappa.kappa`).
    """

    judge: str
    """What was calibrated: a digest of rubric, scale, columns, options, and what the model's alias means."""
    kappa: float | None
    low: float | None
    high: float | None
    rows: int
    """Rows that both labelled."""
    failed: int
    """Rows that the judge gave no label for. They are in no figure."""
    agreed: int
    """Rows with equal labels."""
    labels: tuple[str, ...]
    """The scale, from its worst to its best."""
    counts: tuple[tuple[int, ...], ...]
    """`counts[person][judge]`: rows by the person's label and the judge's, in the order of `labels`."""
    dataset: str = ""
    """The digest of the rows."""
    raters: tuple[str, str] = _PEOPLE_AND_JUDGE
    """Who labelled; of two people, both."""

    @classmethod
    def of(
        cls,
        pairs: Sequence[tuple[str, str]],
        labels: Sequence[str],
        *,
        judge: str,
        failed: int,
        dataset: str,
        raters: tuple[str, str] = _PEOPLE_AND_JUDGE,
    ) -> Agreement:
        """From pairs of (person's label, judge's label)."""
        value, (low, high) = kappa(pairs, labels)
        counts = tuple(tuple(pairs.count((person, said)) for said in labels) for person in labels)
        agreed = sum(person == said for person, said in pairs)
        return cls(judge, value, low, high, len(pairs), failed, agreed, tuple(labels), counts, dataset, raters)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Agreement:
        """What `to_json` gave. Raises ScorerError for anything else."""
        try:
            counts = tuple(tuple(int(count) for count in row) for row in data["counts"])
            first, second = data.get("raters", _PEOPLE_AND_JUDGE)
            return cls(**{**data, "labels": tuple(data["labels"]), "counts": counts, "raters": (first, second)})
        except (TypeError, KeyError, ValueError):
            raise ScorerError(
                "this is no agreement of a judge with people", fix="Give what agreement.to_json() returned."
            ) from None

    def to_json(self) -> dict[str, Any]:
        """Plain data, to be kept and given back to the judge."""
        return {
            **asdict(self),
            "labels": list(self.labels),
            "counts": [list(row) for row in self.counts],
            "raters": list(self.raters),
        }

    def __str__(self) -> str:
        if self.kappa is None:
            said = "kappa unknown"
        elif self.low is None or self.high is None:
            said = f"kappa {self.kappa:.2f}"
        else:
            said = f"kappa {self.kappa:.2f} [{self.low:.2f}, {self.high:.2f}]"
        failed = f", {self.failed} failed" if self.failed else ""
        who = "with people" if self.raters == _PEOPLE_AND_JUDGE else f"of {' and '.join(self.raters)}"
        return f"{said} {who}, {self.agreed} of {self.rows} rows equal{failed}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        columns = [" \\ ".join(self.raters), *self.labels]
        rows = [[label, *map(str, counts)] for label, counts in zip(self.labels, self.counts, strict=True)]
        return display.bundle(
            f"{self}\n{display.text_table(columns, rows)}",
            display.html_card("agreement", str(self), display.html_table(columns, rows)),
        )
