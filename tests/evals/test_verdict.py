"""Better, worse, no difference shown, or too few rows: paired by row."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hostile import CORPUS, strange_characters, strange_tags

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import InputError
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score
from gen_toolkit.evals.verdict import adjusted


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
        ([1.0] * 5, [0.0] * 5, "too few rows", 0.0625),
        ([1.0] * 5 + [0.0], [0.0] * 6, "no difference shown", 0.0625),
        ([1.0] * 9, [1.0] * 9, "no difference shown", 1.0),
        ([1.0, 0.0] * 9, [0.0, 1.0] * 9, "no difference shown", 1.0),
        ([0.6, 0.7, 0.9, 0.8, 0.5, 0.9], [0.1, 0.2, 0.3, 0.25, 0.1, 0.2], "better", 0.03125),
        ([0.1, 0.2, 0.3, 0.25, 0.1, 0.2], [0.6, 0.7, 0.9, 0.8, 0.5, 0.9], "worse", 0.03125),
        ([0.6, 0.7, 0.9, 0.8], [0.1, 0.2, 0.3, 0.25], "too few rows", 0.125),
        ([0.5, 0.6] * 3, [0.6, 0.5] * 3, "no difference shown", 1.0),
        ([4.0] * 8, [3.5] * 8, "better", 0.0078125),
        ([0.7] * 8, [0.7] * 8, "no difference shown", 1.0),
    ],
)
def test_the_verdict_follows_the_paired_test(mine: list[float], theirs: list[float], finding: str, p: float) -> None:
    (verdict,) = result(list(mine)).compare(result(list(theirs)))
    assert verdict.finding == finding
    assert verdict.p == pytest.approx(p)
    assert verdict.test == ("exact McNemar" if set(mine) <= {0.0, 1.0} else "paired permutation")


def test_rows_are_paired_by_id_and_failed_ones_left_out() -> None:
    mine, theirs = result([1.0, None, 1.0, 1.0]), result([0.0, 0.0, None, 1.0, 0.0])
    (verdict,) = mine.compare(theirs)
    assert (verdict.rows, verdict.wins, verdict.losses, verdict.difference) == (2, 1, 0, 0.5)


def test_rows_that_fail_on_one_side_are_counted_and_said_and_more_of_them_here_is_no_chance() -> None:
    fails, base = result([1.0] * 35 + [None] * 65), result([1.0] * 31 + [0.0] * 4 + [1.0] * 65, title="label@1")
    (verdict,) = fails.compare(base)
    assert (verdict.finding, verdict.rows, verdict.failed_here) == ("no difference shown", 35, 65)
    assert verdict.fails_more
    assert "0 lost of 35; more rows fail: 65 only here, 0 only there, p = 5.42e-20; p = 0.125" in str(verdict)
    assert verdict.to_json()["failed_here"] == 65
    (turned,) = base.compare(fails)
    assert (turned.failed_here, turned.failed_there, turned.fails_more) == (0, 65, False)
    assert "; failed: 0 only here, 65 only there; " in str(turned)


@pytest.mark.parametrize(("here", "there", "more"), [(5, 0, False), (6, 0, True), (9, 1, True), (9, 2, False)])
def test_more_rows_fail_where_the_exact_test_says_so(here: int, there: int, more: bool) -> None:
    both: list[float | None] = [1.0] * 10 + [None] * 10  # a row that fails on both sides says nothing
    mine = result([*both, *([None] * here), *([1.0] * there)])
    theirs = result([*both, *([1.0] * here), *([None] * there)])
    assert mine.compare(theirs)[0].fails_more is more


def test_scores_that_differ_by_rounding_only_are_neither_won_nor_lost() -> None:
    (verdict,) = result([0.1 + 0.2] * 8).compare(result([0.3] * 8))
    assert (verdict.finding, verdict.wins, verdict.losses, verdict.difference) == ("no difference shown", 0, 0, 0.0)


def test_nothing_scored_on_both_sides_is_too_few_rows() -> None:
    (verdict,) = result([None, 1.0]).compare(result([1.0, None]))
    assert (verdict.rows, verdict.finding, verdict.p) == (0, "too few rows", 1.0)
    assert (verdict.low, verdict.high, verdict.effect, verdict.rows_needed) == (None, None, None, None)


@pytest.mark.parametrize(
    ("other", "says"),
    [(result([1.0], ids="other"), "share no rows"), (result([1.0], scorer="other"), "share no scorer")],
)
def test_results_that_share_nothing_cannot_be_compared(other: Result, says: str) -> None:
    with pytest.raises(InputError, match=says):
        result([1.0]).compare(other)


def test_a_verdict_says_in_one_line_what_it_rests_on() -> None:
    (verdict,) = result([1.0] * 6).compare(result([0.0] * 6, title="label@1"))
    said = "s: better than label@1 (+1.000 [+0.219, +1.000]; 6 rows won, 0 lost of 6; p = 0.0312, exact McNemar)"
    assert str(verdict) == said
    assert verdict.to_json()["finding"] == "better"
    assert json.loads(json.dumps(verdict.to_json(), allow_nan=False)) == verdict.to_json()


def test_a_verdict_that_finds_nothing_says_what_it_would_take() -> None:
    mine, theirs = result([1.0] * 12 + [0.0] * 88), result([0.0] * 4 + [1.0] * 8 + [0.0] * 88, title="label@1")
    (verdict,) = mine.compare(theirs)
    assert str(verdict) == (
        "s: no difference shown to label@1 (+0.040 [+0.002, +0.098]; 4 rows won, 0 lost of 100; p = 0.125, "
        "exact McNemar; a difference of 0.04 needs about 219 rows)"
    )
    (asked,) = mine.compare(theirs, detect=0.1)
    assert asked.finding == "no difference shown"
    assert str(asked).endswith("a difference of 0.1 needs about 87 rows)")
    (asked,) = mine.compare(theirs, detect=0.02)
    assert (asked.finding, asked.rows_needed, asked.rows) == ("too few rows", verdict.rows_for(0.02), 100)
    assert str(asked).startswith("s: too few rows to compare with label@1 (+0.040 [")


def test_a_difference_that_is_shown_needs_no_more_rows_than_there_are_whatever_was_asked_for() -> None:
    (verdict,) = result([1.0] * 10).compare(result([0.0] * 10), detect=0.001)
    assert verdict.finding == "better"
    assert verdict.rows_needed is not None
    assert verdict.rows_needed > 10
    assert "needs" not in str(verdict)


def test_shares_cannot_differ_by_points_and_the_result_is_not_lost_for_it() -> None:
    (verdict,) = result([1.0, 0.0] * 5).compare(result([0.0, 1.0] * 5), detect=5)
    assert (verdict.finding, verdict.rows_needed) == ("too few rows", None)
    assert str(verdict).endswith("shares of right rows cannot differ by 5)")
    with pytest.raises(InputError, match=r"Ten points are 0\.1"):
        verdict.rows_for(5)
    (verdict,) = result([4.0, 1.0] * 5).compare(result([1.0, 5.0] * 5), detect=5)
    assert (verdict.finding, verdict.rows_needed) == ("no difference shown", 7)


@pytest.mark.parametrize("detect", [0, -0.1, float("nan"), float("inf"), "0.1"])
def test_what_is_no_difference_cannot_be_asked_for(detect: Any) -> None:
    with pytest.raises(InputError, match=r"no difference that could be shown.*detect=0\.05"):
        result([1.0]).compare(result([0.0]), detect=detect)


def test_grades_come_with_an_interval_an_effect_and_rows_needed() -> None:
    (verdict,) = result([3.0, 4.0, 5.0, 2.0, 4.0, 5.0, 3.0]).compare(result([3.0, 3.0, 5.0, 3.0, 2.0, 4.0, 3.0]))
    assert (verdict.difference, verdict.effect) == (pytest.approx(3 / 7), pytest.approx(3 / 7 / verdict.deviation))
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.low < 0 < verdict.high
    assert verdict.rows_needed == verdict.rows_for(3 / 7) == 43
    assert verdict.right_wrong is False


def test_grades_that_differ_the_same_everywhere_leave_open_how_they_vary() -> None:
    (verdict,) = result([4.0] * 8).compare(result([3.5] * 8))
    assert (verdict.low, verdict.high, verdict.effect, verdict.rows_needed) == (None, None, None, None)
    assert str(verdict) == "s: better than t (+0.500; 8 rows won, 0 lost of 8; p = 0.00781, paired permutation)"


def test_verdicts_held_together_are_adjusted_in_their_order_and_say_so() -> None:
    base = result([0.0] * 40, title="base")
    shown = [result([1.0] * n + [0.0] * (40 - n)).compare(base)[0] for n in (7, 3, 12)]
    assert [v.finding for v in shown] == ["better", "no difference shown", "better"]
    together = adjusted([*shown, *shown])
    assert [v.adjusted_p for v in together] == pytest.approx(
        [4 * 2**-6, 2 * 2**-2, 6 * 2**-11, 4 * 2**-6, 2 * 2**-2, 6 * 2**-11]
    )
    assert [v.finding for v in together[:3]] == ["no difference shown", "no difference shown", "better"]
    assert [v.p for v in together[:3]] == [v.p for v in shown]
    assert "p = 0.0156, adjusted 0.0625, exact McNemar" in str(together[0])
    assert together[0].rows_needed == shown[0].rows_for(7 / 40, comparisons=6) > (shown[0].rows_needed or 0)
    assert adjusted(together[:3])[0].adjusted_p == 2 * 2**-6  # from p, not from what was adjusted before
    assert adjusted([]) == []


def test_in_a_grid_more_rows_are_too_few() -> None:
    (verdict,) = result([1.0] * 8).compare(result([0.0] * 8))
    assert verdict.finding == "better"
    assert {v.finding for v in adjusted([verdict] * 6)} == {"better"}
    assert {v.finding for v in adjusted([verdict] * 7)} == {"too few rows"}


def grouped(scores: Sequence[float | None], title: str = "t") -> Result:
    rows = tuple(
        RowResult(Row({"document": n // 5}, str(n)), scores={} if score is None else {"s": Score(score)})
        for n, score in enumerate(scores)
    )
    return Result(title, "p", "m", "generate", "d", "", ("s",), rows, 0.0, group="document")


def test_rows_of_a_group_are_judged_together() -> None:
    mine, theirs = grouped([1.0] * 25 + [0.0] * 25), grouped([0.0] * 50, "base")
    (verdict,) = mine.compare(theirs)
    assert (verdict.finding, verdict.p, verdict.test) == ("no difference shown", 2**-4, "permutation by group")
    assert (verdict.rows, verdict.groups) == (50, 10)
    assert "25 rows won, 0 lost of 50 in 10 groups; p = 0.0625, permutation by group" in str(verdict)
    assert verdict.design_effect == pytest.approx(5, rel=0.15)
    alone = replace(mine, group=None).compare(replace(theirs, group=None))[0]
    assert alone.finding == "better"
    assert verdict.low is not None
    assert alone.low is not None
    assert verdict.low < alone.low
    assert (verdict.rows_for(0.1) or 0) > 4 * (alone.rows_for(0.1) or 0)
    assert replace(mine, group=None).compare(theirs) == mine.compare(theirs)  # one side that knows is enough


def test_failures_of_a_group_are_judged_together() -> None:
    (verdict,) = grouped([*[None] * 25, *[1.0] * 25]).compare(grouped([1.0] * 50))
    assert (verdict.failed_here, verdict.failed_p, verdict.fails_more) == (25, 2**-4, False)


def test_five_groups_are_too_few_however_many_rows_they_have() -> None:
    (verdict,) = grouped([1.0] * 25).compare(grouped([0.0] * 25))
    assert (verdict.finding, verdict.rows, verdict.groups) == ("too few rows", 25, 5)


def test_rows_without_a_group_stand_for_themselves() -> None:
    rows = [RowResult(Row({"document": document}, str(n))) for n, document in enumerate(["a", "a", None, None, 1, "1"])]
    assert len({row.group_by("document") for row in rows}) == 5
    assert len({row.group_by("other") for row in rows}) == 6


def drawn(seed: int, shares: tuple[float, float], rows: int = 600) -> tuple[Result, Result]:
    """Two results right on these shares of hard and easy rows alike, correlated as two prompts are."""
    generator = random.Random(seed)
    sides: tuple[list[float | None], list[float | None]] = ([], [])
    for _ in range(rows):
        luck = generator.random()  # rows that are hard for one are hard for the other
        for side, share in zip(sides, shares, strict=True):
            own = generator.random()
            side.append(float((luck if generator.random() < 0.6 else own) < share))
    return result(sides[0]), result(sides[1], title="base")


def test_ten_points_are_found_and_their_null_twin_shows_no_difference() -> None:
    better, base = drawn(0, (0.8, 0.7))
    assert better.compare(base, detect=0.1)[0].finding == "better"
    assert base.compare(better, detect=0.1)[0].finding == "worse"
    twin, base = drawn(0, (0.7, 0.7))
    assert twin.compare(base, detect=0.1)[0].finding == "no difference shown"


def test_ten_points_of_grades_are_found_and_their_null_twin_shows_no_difference() -> None:
    for gain, finding in ((0.1, "better"), (0.0, "no difference shown")):
        generator = random.Random(0)
        theirs: list[float | None] = [generator.betavariate(4, 2) * 0.9 for _ in range(300)]
        mine: list[float | None] = [(t or 0) + generator.gauss(gain, 0.2) for t in theirs]
        assert result(mine).compare(result(theirs), detect=0.1)[0].finding == finding


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_the_display_shows_markup_and_never_obeys_it(text: str) -> None:
    (verdict,) = result([1.0]).compare(result([0.0], title=text), detect=0.1)
    shown = verdict._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"]) == []
