"""What a scorer gives: a number, with a reason where there is one."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from gen_toolkit import text
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError


@dataclass(frozen=True)
class Score:
    """A score of one row. `value` is 1.0 or 0.0 for right and wrong, else any finite number.

    `reason` says to a person why it is not better; `label` is the class that the answer was taken for.
    """

    value: float
    reason: str = ""
    label: str | None = None


_PLAIN = {(float, str, str), (float, str, type(None))}
"""The types that a Score is made of."""


class Scorer(Protocol):
    """A callable of (value, row) that returns a bool, a number or a Score; its name names the metric.

    It may be async. What else it may declare, each as an attribute:
    `range` = (lowest, highest): a number outside is an error at its row, never a score;
    `columns`: the columns it needs, checked before the first call (`column` for a single one);
    `higher_is_better` = False: less is better, as of seconds and money;
    `reads_result` = True: it is given the RowResult (value, cost, seconds, usage) in place of the value;
    `inline` = True: it computes for microseconds and never waits, so it needs no thread of its own.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, value: Any, row: Row) -> bool | float | Score: ...


def as_score(scorer: Scorer | str, given: Any) -> Score:
    """A Score with a finite number within the scorer's range, or ScorerError: an error never becomes a number."""
    name = scorer if isinstance(scorer, str) else scorer.name
    score = given if isinstance(given, Score) else Score(given)
    number = _number(score.value)
    if number is None:
        raise ScorerError(
            f"scorer {name!r} returned {text.one_line(repr(given), 80)}",
            fix="A scorer returns a bool, a number or a Score.",
            scorer=name,
        )
    if not math.isfinite(number):
        raise ScorerError(f"scorer {name!r} returned {number}", fix="Return a finite number.", scorer=name)
    lowest, highest = getattr(scorer, "range", None) or (-math.inf, math.inf)
    if not lowest <= number <= highest:
        raise ScorerError(
            f"scorer {name!r} returned {number:g}, which is not in its range from {lowest:g} to {highest:g}",
            fix="Correct the scorer, or the range it declares.",
            scorer=name,
        )
    if (type(score.value), type(score.reason), type(score.label)) in _PLAIN:
        return score
    return Score(number, str(score.reason or ""), None if score.label is None else str(score.label))


def columns_of(scorer: Scorer) -> tuple[str, ...]:
    """The columns that a scorer says it needs."""
    needed = getattr(scorer, "columns", None) or getattr(scorer, "column", None) or ()
    return (needed,) if isinstance(needed, str) else tuple(needed) if isinstance(needed, list | tuple) else ()


def less_is_better(scorers: Iterable[Scorer]) -> tuple[str, ...]:
    """The names of those of which less is better."""
    return tuple(scorer.name for scorer in scorers if not getattr(scorer, "higher_is_better", True))


def _number(given: Any) -> float | None:
    """A bool or a real number as a float, numpy's included; None for anything else."""
    if type(given) is float:
        return given
    if hasattr(given, "dtype") and getattr(given, "ndim", None) == 0:
        given = given.item()
    if not isinstance(given, numbers.Real):
        return None
    try:
        return float(given)
    except OverflowError:
        return math.inf
