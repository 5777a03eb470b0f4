"""Score against money and against time: which result is worth what it takes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from gen_toolkit import text
from gen_toolkit.evals.intervals import Estimate, estimate

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result, RowResult

_MARKS = "osD^vP*X<>"


class Plot(Figure):  # type: ignore[misc, unused-ignore]
    """A figure of matplotlib's that a notebook shows by itself, whatever its backend; `savefig` keeps it."""

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a letter that the font does not have is drawn as a box
            self.savefig(image, format="png", dpi=100)
        return image.getvalue()


def plot(results: Sequence[Result], scorer: str, title: str) -> Plot:
    """Two charts: the score of each result against USD for 1,000 rows and against seconds a row.

    Bars are 95 % intervals, of the score and of what a row takes. What has no score or no known cost is
    named under the chart, not drawn at 0.
    """
    figure = Plot(figsize=(11, 4.6), layout="constrained")
    figure.suptitle(text.one_line(title, 100)).set_parse_math(False)
    left, right = figure.subplots(1, 2, sharey=True)
    _draw(left, results, scorer, "USD for 1,000 rows", _money)
    _draw(right, results, scorer, "seconds a row", _seconds)
    left.set_ylabel(text.one_line(scorer, 60)).set_parse_math(False)
    handles, _ = right.get_legend_handles_labels()
    if handles:
        legend = figure.legend(handles=handles, loc="outside right upper", frameon=False)
        for said in legend.get_texts():
            said.set_parse_math(False)
    return figure


def _draw(axes: Any, results: Sequence[Result], scorer: str, label: str, of: Any) -> None:
    missing = []
    for number, result in enumerate(results):
        name = f"{number + 1}  {text.one_line(result.title, 40)}"
        score, taken = result.scores.get(scorer), of(result)
        if score is None or taken is None:
            missing.append(str(number + 1))
            continue
        mark = {"fmt": _MARKS[number % len(_MARKS)], "color": f"C{number % 10}", "capsize": 3, "markersize": 7}
        axes.errorbar(taken.mean, score.mean, xerr=_bar(taken), yerr=_bar(score), label=name, **mark)
        axes.annotate(str(number + 1), (taken.mean, score.mean), xytext=(6, 6), textcoords="offset points")
    axes.set_xlabel(label + (f"\n(unknown for {', '.join(missing)})" if missing else ""))
    axes.grid(alpha=0.3)
    if axes.has_data():
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))


def _bar(found: Estimate) -> list[list[float]] | None:
    if found.low is None or found.high is None:
        return None
    return [[max(0.0, found.mean - found.low)], [max(0.0, found.high - found.mean)]]


def _money(result: Result) -> Estimate | None:
    """None as soon as one row's cost is unknown."""
    costs = [row.cost for row in result.rows]
    known = [float(cost) * 1000 for cost in costs if cost is not None]
    return _mean(result, known) if len(known) == len(costs) else None


def _seconds(result: Result) -> Estimate | None:
    return _mean(result, [row.seconds for row in result.rows])


def _mean(result: Result, values: list[float]) -> Estimate | None:
    grouped = result.group or result.is_repeated
    rows: Sequence[RowResult] = result.rows
    if set(values) <= {0.0}:  # free: there is nothing uncertain about it
        return Estimate(0.0, None, None, len(values)) if values else None
    return estimate(values, [row.group_by(result.group) for row in rows] if grouped else None)
