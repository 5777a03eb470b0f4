"""Comparisons that are read together: all cells of a grid against their baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gen_toolkit.evals.compare import compare
from gen_toolkit.evals.result import Result
from gen_toolkit.evals.verdict import Verdict, adjusted


def judged_together(
    pairs: Sequence[tuple[Result, Result]], *, detect: float | None = None, alone: bool = False
) -> list[Result]:
    """Each (result, baseline) as the result with its verdicts.

    The verdicts of one scorer over all pairs are a family: they are held together by Holm's method, so that
    of a grid without a difference at most one in 20 finds any. Scorers ask different questions and are not.
    `alone` leaves a single pair as it is.
    """
    found = [compare(result, baseline, detect=detect) for result, baseline in pairs]
    if not alone:
        for scorer in dict.fromkeys(verdict.scorer for verdicts in found for verdict in verdicts):
            places = [(i, j) for i, verdicts in enumerate(found) for j, v in enumerate(verdicts) if v.scorer == scorer]
            family: list[Verdict] = adjusted([found[i][j] for i, j in places])
            for (i, j), verdict in zip(places, family, strict=True):
                found[i][j] = verdict
    return [replace(result, verdicts=tuple(v)) for (result, _), v in zip(pairs, found, strict=True)]
