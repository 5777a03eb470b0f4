"""Better, worse, no difference shown, or too few rows: two results compared row by row on the same rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from gen_toolkit import display
from gen_toolkit.evals.holm import holm
from gen_toolkit.evals.paired import SIGNIFICANCE
from gen_toolkit.evals.power import POWER, fewest_units, rows_for_grades, rows_for_right_wrong

Finding = Literal["better", "worse", "no difference shown", "too few rows"]


@dataclass(frozen=True)
class Verdict:
    """What the paired test says of one scorer. Rows that failed on either side are left out, and counted.

    The finding is "better" or "worse" where p (of `adjusted` verdicts, the adjusted p) is below 0.05.
    Else it is "too few rows" where these rows could not have decided: where p would be 0.05 or more even
    if all of them (all groups, where rows have one) differed the same way, which is so up to 5 rows and
    up to more in a grid; or where there are fewer than it takes to show the difference that was asked
    for (`detect`) with a power of 0.8. Else it is "no difference shown": with `detect`, a difference as
    large as that would have been shown in 4 of 5 such comparisons; without, it says no more than that.
    """

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
    low: float | None = None
    """The 95 % interval of the difference, of this comparison alone; None where it is unknown."""
    high: float | None = None
    effect: float | None = None
    """Cohen's g for right and wrong, Cohen's d of pairs for grades; None where unknown."""
    adjusted_p: float | None = None
    """p corrected for the other comparisons (Holm); None where it was not compared with others."""
    detect: float | None = None
    """The smallest difference that matters, where one was asked for."""
    rows_needed: int | None = None
    """Rows that would show `detect`, else the difference seen, with a power of 0.8; None where unknown."""
    groups: int | None = None
    """How many groups the paired rows fall into; None where rows stand for themselves."""
    deviation: float | None = None
    """The standard deviation of the rows' differences."""
    design_effect: float = 1.0
    """How many times more rows are needed because rows of a group are alike."""
    right_wrong: bool = True
    """Whether the scores are right or wrong (1 or 0), else grades."""
    higher_is_better: bool = True
    """False of seconds and money: then a negative difference is "better", and a row with less is won."""
    failed_here: int = 0
    """Rows that have no score here, and one there."""
    failed_there: int = 0
    failed_p: float = 1.0
    """What the test says of these, as of rows that only one side got right."""

    @property
    def fails_more(self) -> bool:
        """Whether more rows fail here than there. No score tells: failed rows are in none."""
        return self.failed_here > self.failed_there and self.failed_p < SIGNIFICANCE

    def rows_for(self, difference: float, *, power: float = POWER, comparisons: int = 1) -> int | None:
        """Rows needed to show a true difference of this size, by how these rows differ.

        None where that is unknown: grades of fewer than two rows, or that differ alike in every row. With
        `comparisons` at once each gets its part of the 5 % (Bonferroni; Holm needs no more). Raises
        InputError for a difference of 0 or less, or above 1 between shares of right rows.
        """
        significance = SIGNIFICANCE / comparisons
        if self.right_wrong:
            discordance = (self.wins + self.losses) / self.rows if self.rows else 1.0
            rows = rows_for_right_wrong(difference, discordance, power=power, significance=significance)
        elif self.deviation:
            rows = rows_for_grades(difference, self.deviation, power=power, significance=significance)
        else:
            return None
        return math.ceil(rows * self.design_effect)

    def __str__(self) -> str:
        other = {
            "no difference shown": f"no difference shown to {self.baseline}",
            "too few rows": f"too few rows to compare with {self.baseline}",
        }.get(self.finding, f"{self.finding} than {self.baseline}")
        return f"{self.scorer}: {other} ({'; '.join(self._rests_on())})"

    def _rests_on(self) -> list[str]:
        known = self.low is not None and self.high is not None
        difference = f"{self.difference:+.3f}" + (f" [{self.low:+.3f}, {self.high:+.3f}]" if known else "")
        counted = f"{self.wins} rows won, {self.losses} lost of {self.rows}"
        counted += f" in {self.groups} groups" if self.groups is not None else ""
        p = f"p = {self.p:.3g}" + (f", adjusted {self.adjusted_p:.3g}" if self.adjusted_p is not None else "")
        said = [difference, counted, *self._failures(), f"{p}, {self.test}"]
        if self.finding in ("better", "worse"):
            return said
        if self.rows_needed is not None:
            sought = self.detect or abs(self.difference)
            said.append(f"a difference of {sought:.3g} needs about {self.rows_needed:,} rows")
        elif self.right_wrong and (self.detect or 0) > 1:
            said.append(f"shares of right rows cannot differ by {self.detect:.3g}")
        return said

    def _failures(self) -> list[str]:
        if not (self.failed_here or self.failed_there):
            return []
        counted = f"{self.failed_here} only here, {self.failed_there} only there"
        return [f"more rows fail: {counted}, p = {self.failed_p:.3g}" if self.fails_more else f"failed: {counted}"]

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return display.bundle(str(self), display.html_card(self.finding, "", display.html_text(str(self))))


def adjusted(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The same verdicts, in order, held together: the risk of one false find among all of them is 5 %.

    Give it what is read as one family: all prompts and models of a grid against the baseline, by one
    scorer. p is adjusted by Holm's step-down method (`holm.holm`), findings follow the adjusted p, and
    the rows needed grow; intervals stay those of one comparison.
    """
    ps = holm([verdict.p for verdict in verdicts])
    return [judged(replace(v, adjusted_p=p), len(ps)) for v, p in zip(verdicts, ps, strict=True)]


def judged(verdict: Verdict, comparisons: int = 1) -> Verdict:
    """The verdict with the finding that its p and its rows allow, as one of so many comparisons."""
    p = verdict.p if verdict.adjusted_p is None else verdict.adjusted_p
    needed = _rows_needed(verdict, comparisons)
    finding: Finding = "no difference shown"
    if p < SIGNIFICANCE and verdict.difference:
        finding = "better" if (verdict.difference > 0) == verdict.higher_is_better else "worse"
    elif not _could_decide(verdict, needed, comparisons):
        finding = "too few rows"
    return replace(verdict, finding=finding, rows_needed=needed)


def _could_decide(verdict: Verdict, needed: int | None, comparisons: int) -> bool:
    units = verdict.rows if verdict.groups is None else verdict.groups
    if units < fewest_units(SIGNIFICANCE / comparisons):
        return False
    if verdict.detect is None:
        return True
    if needed is None:
        return not verdict.right_wrong  # grades that are the same on both sides, in every row
    return verdict.rows >= needed


def _rows_needed(verdict: Verdict, comparisons: int) -> int | None:
    """Rows for the difference asked for, else for the one seen; None where no number of rows can be named."""
    if verdict.detect is not None:
        possible = verdict.detect <= 1 or not verdict.right_wrong
        return verdict.rows_for(verdict.detect, comparisons=comparisons) if possible else None
    seen = abs(verdict.difference)
    if not verdict.deviation or seen < verdict.deviation / 1000:  # millions of rows, for what may be rounding
        return None
    return verdict.rows_for(seen, comparisons=comparisons)
