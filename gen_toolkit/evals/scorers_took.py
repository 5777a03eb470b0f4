"""Scorers of what an answer took: seconds and money. Less is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_toolkit import display
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score, Scorer
from gen_toolkit.evals.scorers_check import not_negative

if TYPE_CHECKING:
    from gen_toolkit.evals.result import RowResult


@dataclass(frozen=True)
class _Latency:
    at_most: float | None
    name: str
    reads_result = True
    inline = True

    @property
    def higher_is_better(self) -> bool:
        return self.at_most is not None

    @property
    def range(self) -> tuple[float, float]:
        return (0.0, float("inf") if self.at_most is None else 1.0)

    def __call__(self, value: RowResult | Any, row: Row) -> Score:  # noqa: ARG002 - how scorers are called
        took = round(float(value.seconds), 6)  # as the journal keeps it, so that a reused reply scores the same
        if self.at_most is None:
            return Score(took)
        right = took <= self.at_most
        return Score(float(right), "" if right else f"took {took:.3f} s, more than {self.at_most:g} s")


def latency(*, at_most: float | None = None, name: str = "latency") -> Scorer:
    """The seconds that the row's replies took, waits between attempts included; a scorer's own calls are not.

    With `at_most` (seconds) a row is right or wrong. Replies taken from the journal count with the seconds
    they took when they were called. Where no model was called, the seconds of the function.
    """
    if at_most is not None:
        not_negative(at_most, "at_most", "latency")
    return _Latency(at_most, name)


@dataclass(frozen=True)
class _Cost:
    at_most: float | None
    name: str
    reads_result = True
    inline = True

    @property
    def higher_is_better(self) -> bool:
        return self.at_most is not None

    @property
    def range(self) -> tuple[float, float]:
        return (0.0, float("inf") if self.at_most is None else 1.0)

    def __call__(self, value: RowResult | Any, row: Row) -> Score:
        if value.cost is None:
            raise ScorerError(
                "the cost of this row is unknown",
                fix="Give the model's price in the settings of its alias.",
                scorer=self.name,
                row=row.id,
            )
        spent = float(value.cost)
        if self.at_most is None:
            return Score(spent)
        right = spent <= self.at_most
        over = f"cost {display.money(spent, 6)}, more than {display.money(self.at_most, 6)}"
        return Score(float(right), "" if right else over)


def cost(*, at_most: float | None = None, name: str = "cost_per_row") -> Scorer:
    """The USD that the row's replies cost; a scorer's own calls are not counted.

    With `at_most` (USD) a row is right or wrong. An unknown cost is an error at the row, never 0. Replies
    taken from the journal count with what they cost when they were called.
    """
    if at_most is not None:
        not_negative(at_most, "at_most", "cost")
    return _Cost(at_most, name)
