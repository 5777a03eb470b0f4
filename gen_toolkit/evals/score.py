"""What a scorer gives: a number, with a reason where there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError


@dataclass(frozen=True)
class Score:
    """A score of one row. `value` is 1.0 or 0.0 for right and wrong, else any finite number."""

    value: float
    reason: str = ""
    label: str | None = None


class Scorer(Protocol):
    """A callable of (value, row) that returns a bool, a number or a Score; its name names the metric."""

    @property
    def name(self) -> str: ...

    def __call__(self, value: Any, row: Row) -> bool | float | Score: ...


def as_score(scorer: str, given: Any) -> Score:
    """A Score, or ScorerError: an error never becomes a number."""
    if isinstance(given, Score):
        score = given
    elif isinstance(given, bool | int | float):
        score = Score(float(given))
    else:
        raise ScorerError(
            f"scorer {scorer!r} returned {given!r}",
            fix="A scorer returns a bool, a number or a Score.",
            scorer=scorer,
        )
    if not math.isfinite(score.value):
        raise ScorerError(f"scorer {scorer!r} returned {score.value}", fix="Return a finite number.", scorer=scorer)
    return score
