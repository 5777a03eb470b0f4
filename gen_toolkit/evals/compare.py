"""Compares two results row by row, on the rows that both have."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from gen_toolkit.errors import InputError
from gen_toolkit.evals.clusters import shared_groups
from gen_toolkit.evals.difference import design_effect, deviation, difference_interval, effect
from gen_toolkit.evals.intervals import is_right_wrong
from gen_toolkit.evals.paired import paired_test
from gen_toolkit.evals.verdict import Verdict, judged

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result, RowResult


def compare(result: Result, baseline: Result, *, detect: float | None = None) -> list[Verdict]:
    """One verdict a scorer that both have; `detect` is the smallest difference that matters.

    Raises InputError where no rows or scorers are shared, or `detect` is no size. Each verdict stands for
    itself: of several that are read together, `adjusted` says which ones hold.
    """
    check_shared({row.row.id for row in result.rows}, set(result.scorers), baseline)
    check_detect(detect)
    theirs = {(row.row.id, row.repeat): row for row in baseline.rows}
    paired = [(row, theirs[row.row.id, row.repeat]) for row in result.rows if (row.row.id, row.repeat) in theirs]
    shared = [name for name in result.scorers if name in baseline.scorers]
    less_is_better = {*result.less_is_better, *baseline.less_is_better}
    group = result.group or baseline.group
    repeated = result.is_repeated or baseline.is_repeated
    return [
        _verdict(name, paired, baseline.title, group, repeated, detect, higher_is_better=name not in less_is_better)
        for name in shared
    ]


def check_shared(rows: set[str], scorers: set[str], baseline: Result) -> None:
    """Raises InputError where a comparison has nothing to go by."""
    has_rows = not rows.isdisjoint(row.row.id for row in baseline.rows)
    if not has_rows or scorers.isdisjoint(baseline.scorers):
        raise InputError(
            "the two results share no " + ("scorer" if has_rows else "rows"),
            fix="Compare evaluations of the same rows with the same scorers.",
        )


def check_detect(detect: object) -> None:
    """Raises InputError where the difference to be shown is none."""
    if detect is not None and not (isinstance(detect, int | float) and 0 < detect < math.inf):
        raise InputError(
            f"detect={detect!r} is no difference that could be shown",
            fix="Give the smallest difference that matters, such as detect=0.05 for five points.",
        )


def score_of(row: RowResult, scorer: str) -> float | None:
    """None where the row failed."""
    return row.scores[scorer].value if scorer in row.scores else None


def _verdict(
    scorer: str,
    paired: list[tuple[Any, Any]],
    baseline: str,
    group: str | None,
    repeated: bool,
    detect: float | None,
    *,
    higher_is_better: bool,
) -> Verdict:
    scores = [(score_of(mine, scorer), score_of(theirs, scorer)) for mine, theirs in paired]
    groups = [mine.group_by(group) for mine, _ in paired] if group or repeated else None
    return verdict_of(scorer, scores, baseline, groups=groups, detect=detect, higher_is_better=higher_is_better)


def verdict_of(
    scorer: str,
    pairs: Sequence[tuple[float | None, float | None]],
    baseline: str,
    *,
    groups: Sequence[Hashable] | None = None,
    detect: float | None = None,
    higher_is_better: bool = True,
) -> Verdict:
    """The verdict on pairs of (score, the baseline's score) of the same rows; `groups` names the group of each.

    None stands for a score of a row that failed.
    """
    failures = [(mine is None) - (theirs is None) for mine, theirs in pairs]
    failed_p, _ = paired_test(failures, shared_groups(groups), right_wrong=True)
    values = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs is not None]
    if groups is not None:
        groups = [group for group, pair in zip(groups, pairs, strict=True) if None not in pair]
    differences = [0.0 if math.isclose(mine, theirs, rel_tol=1e-12) else mine - theirs for mine, theirs in values]
    groups = shared_groups(groups)
    right_wrong = is_right_wrong([value for pair in values for value in pair])
    p, test = paired_test(differences, groups, right_wrong)
    low, high = difference_interval(differences, groups, right_wrong)
    return judged(
        Verdict(
            scorer,
            "no difference shown",
            math.fsum(differences) / len(differences) if differences else 0.0,
            p,
            len(values),
            sum((d > 0) if higher_is_better else (d < 0) for d in differences),
            sum((d < 0) if higher_is_better else (d > 0) for d in differences),
            test,
            baseline,
            low=low,
            high=high,
            effect=effect(differences, right_wrong),
            detect=detect,
            groups=len(set(groups)) if groups is not None else None,
            deviation=deviation(differences),
            design_effect=design_effect(differences, groups),
            right_wrong=right_wrong,
            higher_is_better=higher_is_better,
            failed_here=failures.count(1),
            failed_there=failures.count(-1),
            failed_p=failed_p,
        ),
    )
