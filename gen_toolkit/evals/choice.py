"""How a label is got: generated as text, or chosen by the probability of the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gen_toolkit.errors import InputError

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result


@dataclass(frozen=True)
class Choose:
    """Choose by label probabilities. With `threshold`, of two labels the first is taken from that share on.

    >>> Choose(threshold=0.6).pick({"positive": 0.55, "negative": 0.45})
    'negative'
    """

    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise InputError(f"threshold={self.threshold} is no share", fix="Give a number from 0 to 1.")

    def __str__(self) -> str:
        return "choose" if self.threshold is None else f"choose, threshold {self.threshold:.4g}"

    def pick(self, probabilities: Mapping[str, float]) -> str:
        """The label for these probabilities; ties go to the label named first."""
        labels = list(probabilities)
        if self.threshold is None:
            return max(labels, key=lambda label: probabilities[label])
        if len(labels) != 2:
            raise InputError(
                f"a threshold decides between two labels, and there are {len(labels)}", fix="Leave the threshold out."
            )
        return labels[0] if probabilities[labels[0]] >= self.threshold else labels[1]

    @classmethod
    def tuned(cls, result: Result, column: str) -> Choose:
        """The threshold that gets most rows of an evaluation right, `column` holding the right label.

        Of equally good ones the middle of the widest gap is taken. Tune on other rows than those the
        score is quoted for, else the score flatters.
        """
        pairs = [(row.probabilities, row.row[column]) for row in result.rows if row.probabilities]
        if not pairs:
            raise InputError("there are no probabilities to tune on", fix='Evaluate with method="choose" first.')
        first = next(iter(pairs[0][0]))
        points = sorted((shares[first], expected == first) for shares, expected in pairs)
        return cls(threshold=_best_cut([p for p, _ in points], [right for _, right in points]))


def _best_cut(shares: list[float], is_first: list[bool]) -> float:
    """The cut with fewest errors: below it the second label, from it on the first. `shares` ascend."""
    edges = [0.0, *shares, 1.0]
    errors = is_first.count(False)  # a cut below all: every second label is wrong
    best = (errors, -(edges[1] - edges[0]), 0)
    for position, first in enumerate(is_first, 1):
        errors += 1 if first else -1
        best = min(best, (errors, -(edges[position + 1] - edges[position]), position))
    position = best[2]
    return round((edges[position] + edges[position + 1]) / 2, 6)


Method = Literal["generate", "choose"] | Choose


def as_method(method: Any) -> Choose | None:
    """None for "generate"."""
    if method == "generate":
        return None
    if method == "choose":
        return Choose()
    if isinstance(method, Choose):
        return method
    raise InputError(f"method={method!r} is unknown", fix='Use "generate", "choose" or gt.Choose(threshold=…).')
