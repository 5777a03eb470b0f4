"""Better, worse, or no difference shown: paired by row."""

from __future__ import annotations

import pytest
from hostile import CORPUS, strange_characters, strange_tags

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import InputError
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score


def result(scores: list[float | None], *, title: str = "t", scorer: str = "s", ids: str = "") -> Result:
    rows = tuple(
        RowResult(Row({}, f"{ids}{n}"), scores={} if value is None else {scorer: Score(value)})
        for n, value in enumerate(scores)
    )
    return Result(title, "p", "m", "generate", "d", "", (scorer,), rows, 0.0)


@pytest.mark.parametrize(
    ("mine", "theirs", "finding", "p"),
    [
        ([1.0] * 6, [0.0] * 6, "better", 0.03125),
        ([0.0] * 6, [1.0] * 6, "worse", 0.03125),
        ([1.0] * 5, [0.0] * 5, "no difference shown", 0.0625),
        ([1.0] * 9, [1.0] * 9, "no difference shown", 1.0),
        ([1.0, 0.0] * 9, [0.0, 1.0] * 9, "no difference shown", 1.0),
        ([0.6, 0.7, 0.9, 0.8], [0.1, 0.2, 0.3, 0.25], "better", 0.0003),
        ([0.1, 0.2, 0.3, 0.25], [0.6, 0.7, 0.9, 0.8], "worse", 0.0003),
        ([0.5, 0.6], [0.6, 0.5], "no difference shown", 1.0),
    ],
)
def test_the_verdict_follows_the_paired_test(mine: list[float], theirs: list[float], finding: str, p: float) -> None:
    (verdict,) = result(list(mine)).compare(result(list(theirs)))
    assert verdict.finding == finding
    assert verdict.p == pytest.approx(p, abs=2e-4)
    assert verdict.test == ("exact McNemar" if set(mine) <= {0.0, 1.0} else "paired t")


def test_rows_are_paired_by_id_and_failed_ones_left_out() -> None:
    mine, theirs = result([1.0, None, 1.0, 1.0]), result([0.0, 0.0, None, 1.0, 0.0])
    (verdict,) = mine.compare(theirs)
    assert (verdict.rows, verdict.wins, verdict.losses, verdict.difference) == (2, 1, 0, 0.5)


def test_nothing_scored_on_both_sides_shows_no_difference() -> None:
    (verdict,) = result([None, 1.0]).compare(result([1.0, None]))
    assert (verdict.rows, verdict.finding, verdict.p) == (0, "no difference shown", 1.0)


@pytest.mark.parametrize(
    ("other", "says"),
    [(result([1.0], ids="other"), "share no rows"), (result([1.0], scorer="other"), "share no scorer")],
)
def test_results_that_share_nothing_cannot_be_compared(other: Result, says: str) -> None:
    with pytest.raises(InputError, match=says):
        result([1.0]).compare(other)


def test_a_verdict_says_in_one_line_what_it_rests_on() -> None:
    (verdict,) = result([1.0] * 6).compare(result([0.0] * 6, title="label@1"))
    assert str(verdict) == "s: better than label@1 (+1.000; 6 rows won, 0 lost of 6; p = 0.0312, exact McNemar)"
    assert verdict.to_json()["finding"] == "better"


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_the_display_shows_markup_and_never_obeys_it(text: str) -> None:
    (verdict,) = result([1.0]).compare(result([0.0], title=text))
    shown = verdict._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"]) == []
