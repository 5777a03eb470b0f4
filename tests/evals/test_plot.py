"""Score against money and seconds."""

from __future__ import annotations

import warnings
from dataclasses import replace
from decimal import Decimal

import pytest
from IPython.core.formatters import PNGFormatter

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import InputError
from gen_toolkit.evals.grid import Grid
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score


def result(title: str, cost: Decimal | None = Decimal("0.002"), score: float | None = 1.0) -> Result:
    rows = tuple(
        RowResult(
            Row({}, str(n)),
            scores={} if score is None else {"s": Score(score if n else 0.0)},
            cost=None if cost is None else cost * (n + 1),
            seconds=0.5 + n / 100,
        )
        for n in range(10)
    )
    return Result(title, "p", "m", "generate", "d", "", ("s",), rows, 1.0)


def points(figure: object) -> list[list[tuple[float, float]]]:
    return [[tuple(held.lines[0].get_xydata()[0]) for held in axes.containers] for axes in figure.axes]  # type: ignore[attr-defined]


def test_each_cell_is_a_point_by_cost_and_by_seconds_with_its_intervals() -> None:
    figure = Grid("g", (result("a"), result("b", score=0.5))).plot()
    money, seconds = points(figure)
    assert money == [pytest.approx((11.0, 0.9)), pytest.approx((11.0, 0.45))]
    assert seconds == [pytest.approx((0.545, 0.9)), pytest.approx((0.545, 0.45))]
    assert all(held.has_xerr and held.has_yerr for axes in figure.axes for held in axes.containers)
    assert PNGFormatter()(figure).startswith(b"\x89PNG")  # what a notebook asks


def test_what_is_unknown_is_said_and_not_drawn_at_zero() -> None:
    figure = result("a").plot(result("b", cost=None), result("c", score=None))
    assert [len(of) for of in points(figure)] == [1, 2]
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "USD for 1,000 rows\n(unknown for 2, 3)",
        "seconds a row\n(unknown for 3)",
    ]


def test_titles_are_texts_and_never_formulas() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = result("$\\frac{$ _x 😀").plot(scorer="s")
        assert figure._repr_png_()
    assert "$\\frac{$" in figure.legends[0].get_texts()[0].get_text()


def test_a_scorer_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="no scorer 'x'"):
        Grid("g", (result("a"),)).plot("x")
    assert replace(result("a"), rows=()).plot()._repr_png_()  # nothing to draw is no error
