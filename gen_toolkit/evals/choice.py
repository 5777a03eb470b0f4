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
        given: Any = self.threshold  # whatever the annotation says
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        if given is not None and not (is_number and 0 <= given <= 1):
            raise InputError(f"threshold={given!r} is no share", fix="Give a number from 0 to 1.")

    def __str__(self) -> str:
        return "choose" if self.threshold is None else f"choose, threshold {self.threshold:.4g}"

    def pick(self, probabilities: Mapping[str, float]) -> str:
        """The label for these probabilities; ties go to the label named first."""
        labels = list(probabilities)
        if self.threshold is None:
            return max(labels, key=lambda label: probabilities[label])
        if len(labels) != 2:
            raise InputError(
                f"a threshold decides between two labels, and there are {len(labels)}",
                fix="Leave the threshold out.",
            )
        return labels[0] if probabilities[labels[0]] >= self.threshold else labels[1]

    @classmethod
    def tuned(cls, result: Result, column: str) -> Choose:
        """The threshold where, by the rows of an evaluation, both labels are equally likely to be right.

        `column` holds the right label. A logistic curve through the shares (Platt scaling: J. Platt,
        "Probabilistic outputs for support vector machines", 1999) is steadier on few rows than the cut
        with fewest errors. Tune on other rows than those the score is quoted for, else it flatters.
        """
        pairs = [(row.probabilities, row.row[column]) for row in result.rows if row.probabilities]
        if not pairs:
            raise InputError("there are no probabilities to tune on", fix='Evaluate with method="choose" first.')
        first = next(iter(pairs[0][0]))
        right = [expected == first for _, expected in pairs]
        if all(right) or not any(right):
            raise InputError(
                f"all {len(right)} rows have the same label in {column!r}", fix="Tune on rows of both labels."
            )
        return cls(threshold=_crossing([shares[first] for shares, _ in pairs], right))


def _crossing(shares: list[float], is_first: list[bool]) -> float:
    """The share at which a logistic curve fitted to the rows passes one half."""
    import numpy
    from scipy import optimize

    clipped = numpy.clip(numpy.array(shares), 1e-6, 1 - 1e-6)
    odds = numpy.log(clipped / (1 - clipped))
    signs = numpy.where(numpy.array(is_first), 1.0, -1.0)

    def loss(parameters: Any) -> float:
        slope, offset = parameters
        # a light pull to slope 1: separable rows would drive the slope to infinity
        return float(numpy.logaddexp(0.0, -signs * (slope * odds + offset)).sum() + 0.05 * (slope - 1) ** 2)

    slope, offset = optimize.minimize(loss, x0=[1.0, 0.0], method="BFGS").x
    if slope <= 0:
        raise InputError(
            "the model's shares say the opposite of the labels",
            fix="Check the labels, or choose another prompt.",
        )
    return round(float(1 / (1 + numpy.exp(offset / slope))), 6)


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
