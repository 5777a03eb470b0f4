"""What an evaluation found: means, the worst rows, plain data, a display."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
from decimal import Decimal
from typing import Any

import pydantic
import pytest
from hostile import CORPUS, strange_characters, strange_tags

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import InputError
from gen_toolkit.evals.grid import Grid
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score
from gen_toolkit.messages.reply import Usage


class Label(enum.Enum):
    GOOD = "good"


class Review(pydantic.BaseModel):
    stars: int


@dataclasses.dataclass
class Point:
    x: int


def row(name: str, score: float | None = None, **more: Any) -> RowResult:
    return RowResult(Row({"text": name}, name), scores={} if score is None else {"s": Score(score)}, **more)


def result(*rows: RowResult, **more: Any) -> Result:
    return Result(**{
        "title": "t", "prompt": "p", "model": "m", "method": "generate", "dataset": "d", "dataset_digest": "x",
        "scorers": ("s",), "rows": rows, "seconds": 1.5, **more,
    })  # fmt: skip


def test_means_are_over_scored_rows_only() -> None:
    found = result(row("a", 1.0), row("b", 0.0), row("c", error="boom"))
    assert found.mean() == found.mean("s") == 0.5
    assert [r.row.id for r in found.failed] == ["c"]
    assert found.summary()["rows"] == "3, 1 failed"


def test_a_mean_that_is_not_there_is_an_error_and_never_zero() -> None:
    with pytest.raises(InputError, match="no row was scored by 's': 1 failed"):
        result(row("a", error="boom")).mean()
    with pytest.raises(InputError, match=r"no scorer 'accuracy'.*There are: s"):
        result(row("a", 1.0)).mean("accuracy")


def test_an_unknown_cost_or_token_count_stays_unknown_in_the_sum() -> None:
    known = row("a", 1.0, cost=Decimal("0.1"), usage=Usage(1, 2, 0, 0))
    assert result(known, known).cost == Decimal("0.2")
    assert result(known, known).usage.input_tokens == 2
    unknown = result(known, row("b", 1.0, cost=None, usage=Usage(None, 2, 0, 0)))
    assert (unknown.cost, unknown.usage.input_tokens, unknown.usage.output_tokens) == (None, None, 4)
    assert unknown.summary()["cost"] == "unknown"


def test_the_worst_rows_come_first_and_failed_ones_before_them() -> None:
    found = result(row("a", 1.0), row("b", 0.2), row("c", error="boom"), row("d", 0.1)).worst(3)
    assert [r.row.id for r in found.rows] == ["c", "d", "b"]
    assert found.title == "t: the 3 worst"
    assert found.mean() == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("text", "text"),
        (Label.GOOD, "good"),
        (Review(stars=3), {"stars": 3}),
        ([Review(stars=3)], [{"stars": 3}]),
        (Point(1), {"x": 1}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (float("nan"), None),
        ({"a": [float("nan")]}, {"a": [None]}),
        (b"\xff", "_w=="),
        (Ellipsis, "Ellipsis"),
    ],
    ids=str,
)
def test_every_value_becomes_plain_data(value: Any, plain: Any) -> None:
    found = result(row("a", 1.0, value=value))
    assert found.rows[0].plain_value == plain
    assert json.loads(found.to_json())["rows"][0]["value"] == plain
    json.dumps(found.table(), allow_nan=False)


def test_a_value_that_contains_itself_is_shown_as_text() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert row("a", value=circle).plain_value == "[[...]]"


def test_to_pandas_has_a_line_a_row() -> None:
    frame = result(row("a", 1.0, value="x"), row("b", error="boom")).to_pandas()
    assert list(frame.columns) == ["text", "output", "s", "error", "seconds"]
    assert list(frame.index) == ["a", "b"]
    assert frame.loc["b", "error"] == "boom"


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_the_display_shows_markup_and_never_obeys_it(text: str) -> None:
    hostile = RowResult(Row({text: text}, text), value=text, scores={"s": Score(1.0)}, error=text)
    for found in (result(hostile, title=text, note=text), result(hostile, scorers=(text,), model=text, dataset=text)):
        shown = found._repr_mimebundle_()
        assert strange_tags(shown["text/html"]) == []
        assert strange_characters(shown["text/plain"]) == []
        assert "\n" not in repr(found)
        assert strange_characters(repr(found)) == []


def test_printed_in_a_script_it_is_the_table_and_in_a_list_one_line() -> None:
    found = result(row("a", 1.0), row("b", 0.0))
    title, head, _, values = str(found).splitlines()
    assert title == "t"
    assert head.split()[:2] == ["s", "rows"]
    assert values.split()[0] == "0.500"
    assert "\n" not in repr(found)


@pytest.mark.parametrize("other", [Grid("g", ()), 3, "label@live", None], ids=repr)
def test_what_is_no_result_is_refused_where_two_are_put_side_by_side(other: Any) -> None:
    mine = result(row("a"))
    for work in (mine.compare, mine.disagreements):
        with pytest.raises(InputError, match="is no result"):
            work(other)
    if other is not None:
        with pytest.raises(InputError, match="is no result"):
            mine.review(other=other)
