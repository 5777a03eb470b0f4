"""Scores side by side: what the notebook scored, what the live release did, and what the difference is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from gen_toolkit.evals.verdict import Verdict
from gen_toolkit.releases.promotion.evidence import Evidence, Scored
from gen_toolkit.releases.promotion.judge import compared, is_calibration
from gen_toolkit.releases.review.document import Interval


@dataclass(frozen=True)
class SideBySide:
    """One scorer of an evaluation, new and live."""

    scorer: str
    new: Interval
    live: Interval | None = None
    verdict: Verdict | None = None
    """None where the two have no rows in common."""


@dataclass(frozen=True)
class Pair:
    """An evaluation of the new notebook, and the one of the live release that it is compared with."""

    new: Scored
    live: Scored | None
    scores: tuple[SideBySide, ...]

    @property
    def same_rows(self) -> bool:
        return self.live is not None and _rows(self.live) == _rows(self.new)


def side_by_side(new: Evidence | None, live: Evidence | None, baseline: str, decides: str = "") -> tuple[Pair, ...]:
    """Every evaluation of the new notebook, each with the live one of the same rows that is most like it.

    `baseline` is what verdicts call the live release; the evaluation called `decides` comes first, those that
    compare a judge with people last.
    """
    left = list(live.evaluations) if live else []
    pairs = []
    ordered = sorted(new.evaluations if new else (), key=lambda one: (one.name != decides, is_calibration(one)))
    for scored in ordered:
        best = max(left, key=partial(_likeness, scored), default=None)
        if best is not None and _likeness(scored, best):
            left.remove(best)
        else:
            best = None
        pairs.append(Pair(scored, best, tuple(_scores(scored, best, baseline))))
    return tuple(pairs)


def _likeness(one: Scored, other: Scored) -> int:
    """0 where they have nothing in common; the same rows count most, then the scorers, then what was asked."""
    shared = set(scorers(one)) & set(scorers(other))
    if not shared:
        return 0
    return (
        1
        + 1000 * (_rows(one) == _rows(other))
        + 10 * len(shared)
        + 4 * (one.name == other.name)
        + 2 * (_prompt(one) == _prompt(other))
        + (one.params.get("model") == other.params.get("model"))
    )


def _rows(scored: Scored) -> str:
    return scored.params.get("dataset_digest", "")


def _prompt(scored: Scored) -> str:
    """Its name alone: another version is what is compared."""
    return scored.params.get("prompt", "").partition("@")[0].partition("#")[0]


def scorers(scored: Scored) -> tuple[str, ...]:
    """In the order in which they were given."""
    found = dict.fromkeys(scored.names("scorers"))
    found |= dict.fromkeys(name for row in scored.scores.values() for name in row)
    return tuple(name for name in found if name in scored.metrics)


def _scores(new: Scored, live: Scored | None, baseline: str) -> Iterator[SideBySide]:
    for scorer in scorers(new):
        other = _interval(live, scorer) if live and scorer in live.metrics else None
        verdict = compared(scorer, new, live, baseline) if live and other and _rows(new) == _rows(live) else None
        yield SideBySide(scorer, _interval(new, scorer), other, verdict if verdict and verdict.rows else None)


def _interval(scored: Scored, scorer: str) -> Interval:
    low, high = (scored.metrics.get(f"{scorer}.{end}") for end in ("low", "high"))
    return Interval(scored.metrics[scorer], low, high)
