"""Better, worse, or no difference shown: two results compared row by row on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gen_toolkit import display
from gen_toolkit.errors import InputError
from gen_toolkit.evals.statistics import SIGNIFICANCE, mcnemar, paired_t

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result

Finding = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class Verdict:
    """What the paired test says of one scorer. Rows that failed on either side are left out."""

    scorer: str
    finding: Finding
    difference: float
    """Mean score minus the baseline's, over the paired rows."""
    p: float
    rows: int
    wins: int
    losses: int
    test: str
    baseline: str

    def __str__(self) -> str:
        shown = self.finding != "no difference shown"
        compared = f"{self.finding} than {self.baseline}" if shown else f"no difference shown to {self.baseline}"
        counted = f"{self.wins} rows won, {self.losses} lost of {self.rows}"
        return f"{self.scorer}: {compared} ({self.difference:+.3f}; {counted}; p = {self.p:.3g}, {self.test})"

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return display.bundle(str(self), display.html_card(self.finding, "", display.html_text(str(self))))


def compare(result: Result, baseline: Result) -> list[Verdict]:
    """One verdict a scorer that both have. Raises InputError where no rows or scorers are shared."""
    check_shared({row.row.id for row in result.rows}, set(result.scorers), baseline)
    theirs = {row.row.id: row for row in baseline.rows}
    paired = [(row, theirs[row.row.id]) for row in result.rows if row.row.id in theirs]
    shared = [name for name in result.scorers if name in baseline.scorers]
    return [_verdict(name, paired, baseline.title) for name in shared]


def check_shared(rows: set[str], scorers: set[str], baseline: Result) -> None:
    """Raises InputError where a comparison has nothing to go by."""
    has_rows = not rows.isdisjoint(row.row.id for row in baseline.rows)
    if not has_rows or scorers.isdisjoint(baseline.scorers):
        raise InputError(
            "the two results share no " + ("scorer" if has_rows else "rows"),
            fix="Compare evaluations of the same rows with the same scorers.",
        )


def _verdict(scorer: str, paired: list[tuple[Any, Any]], baseline: str) -> Verdict:
    values = [
        (mine.scores[scorer].value, theirs.scores[scorer].value)
        for mine, theirs in paired
        if scorer in mine.scores and scorer in theirs.scores
    ]
    differences = [mine - theirs for mine, theirs in values]
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    binary = all(value in (0.0, 1.0) for pair in values for value in pair)
    p = mcnemar(wins, losses) if binary else paired_t(differences)
    mean = sum(differences) / len(differences) if differences else 0.0
    finding: Finding = "no difference shown"
    if p < SIGNIFICANCE and mean:
        finding = "better" if mean > 0 else "worse"
    test = "exact McNemar" if binary else "paired t"
    return Verdict(scorer, finding, mean, p, len(values), wins, losses, test, baseline)
