"""A result looked at from several sides: where two differ, slices, confusion, HTML."""

from __future__ import annotations

from typing import Any

import pytest

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import DatasetError, InputError
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score


def row(name: str, value: Any = "x", score: float | None = 1.0, kind: str = "a", **more: Any) -> RowResult:
    scores = {} if score is None else {"s": Score(score)}
    return RowResult(Row({"text": name, "kind": kind, "label": "good"}, name), value=value, scores=scores, **more)


def result(*rows: RowResult, **more: Any) -> Result:
    given = {
        "title": "t",
        "prompt": "p",
        "model": "m",
        "method": "generate",
        "dataset": "d",
        "dataset_digest": "x",
        "scorers": ("s",),
        "rows": rows,
        "seconds": 1.5,
        **more,
    }
    return Result(**given)


def test_rows_that_differ_come_with_those_that_got_worse_first() -> None:
    mine = result(row("same"), row("won", "y"), row("lost", "y", 0.0), row("broke", None, None, error="boom"))
    theirs = result(row("same"), row("won", "n", 0.0), row("lost"), row("broke"), row("unknown"))
    found = mine.disagreements(theirs)
    assert {pair[0].row.id for pair in found} == {"lost", "broke", "won"}
    assert [pair[0].row.id for pair in found][-1] == "won"
    assert (len(found), found.of) == (3, 4)
    assert found.to_pandas().loc["won", ["output", "other output", "s", "other s"]].tolist() == ["y", "n", 1.0, 0.0]
    assert "3 of 4 rows differ" in found._repr_mimebundle_()["text/plain"]


def test_where_less_is_better_more_is_worse() -> None:
    mine, theirs = (result(row("a", score=a), row("b", score=b), less_is_better=("s",)) for a, b in ((2, 5), (3, 3)))
    assert [pair[0].row.id for pair in mine.disagreements(theirs)] == ["b", "a"]


def test_results_that_share_nothing_do_not_disagree() -> None:
    with pytest.raises(InputError, match="share no rows"):
        result(row("a")).disagreements(result(row("b")))
    with pytest.raises(InputError, match="no scorer 'x'"):
        result(row("a")).disagreements(result(row("a")), "x")


def test_each_slice_is_a_result_and_the_worst_comes_first() -> None:
    found = result(row("1"), row("2", kind="b", score=0.0), row("3", kind="b"), row("4", kind="a")).slices("kind")
    assert list(found) == ["b", "a"]
    assert (found["b"].mean(), len(found["a"].rows)) == (0.5, 2)
    assert found.to_pandas()["rows"].to_dict() == {"b": 2, "a": 2}
    assert "kind" in found._repr_mimebundle_()["text/plain"]
    with pytest.raises(InputError, match=r"no column 'knid'.*Did you mean 'kind'\?"):
        result(row("1")).slices("knid")


def test_a_slice_without_a_score_stands_before_all() -> None:
    found = result(row("1", score=0.0), row("2", score=None, kind="b", error="boom")).slices("kind")
    assert list(found) == ["b", "a"]
    assert found.table()[1][0] == ["b", None, None, None, 1, 1]


def test_confusion_leaves_failed_rows_out_and_takes_the_label_that_a_scorer_took() -> None:
    said = RowResult(Row({"label": "good"}, "4"), value="so bad", scores={"s": Score(0.0, label="bad")})
    found = result(row("1", "good"), row("2", "bad"), row("3", None, None, error="boom"), said).confusion("label")
    assert (found.labels, found.counts) == (("bad", "good"), ((0, 0), (2, 1)))
    with pytest.raises(DatasetError, match="no column 'lable'"):
        result(row("1", "good")).confusion("lable")


@pytest.mark.parametrize("scorers", [("judge", "exact"), ("exact", "judge")])
def test_a_grade_of_a_judge_is_no_class_in_the_confusion(scorers: tuple[str, ...]) -> None:
    scores = {"judge": Score(0.25, label="2"), "exact": Score(1.0, label="a")}
    said = RowResult(Row({"label": "a"}, "1"), value="an a", scores={name: scores[name] for name in scorers})
    assert result(said, scorers=scorers, judges=("judge",)).confusion("label").labels == ("a",)
    alone = RowResult(Row({"label": "a"}, "1"), value="a", scores={"judge": scores["judge"]})
    assert result(alone, scorers=("judge",), judges=("judge",)).confusion("label").accuracy == 1.0


def test_html_has_every_row_and_no_markup_of_theirs() -> None:
    html = result(*(row(f"<b>{n}</b>", f"<script>{n}</script>") for n in range(30))).to_html()
    assert html.count("&lt;script&gt;") == 30
    assert "<script" not in html
    assert "<b>29" not in html
