"""Scorers at work: what needs the reply gets it, what cannot work is refused first, errors are counted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest

import gen_toolkit as gt
from gen_toolkit.errors import ScorerError

pytestmark = pytest.mark.usefixtures("store")

ROWS = [{"text": "great", "label": "good"}, {"text": "awful", "label": "bad"}]
LABEL = gt.Prompt("label", user="{{ text }}?", output=Literal["good", "bad"])


def model() -> gt.ScriptedModel:
    return gt.ScriptedModel({"great": "good", "awful": "good"})


def test_latency_and_cost_are_those_of_the_replies_and_not_of_other_scorers() -> None:
    def judge(value: Any, row: Any) -> bool:
        return gt.chat(f"is {value} right?", model=gt.ScriptedModel("yes")).text == "yes"

    result = gt.evaluate(
        LABEL,
        ROWS,
        model=model(),
        scorer=[judge, gt.scorers.latency(), gt.scorers.cost(), gt.scorers.latency(at_most=30, name="fast")],
    )
    assert result.failed == []
    assert [row.calls for row in result.rows] == [2, 2]
    for row in result.rows:
        assert 0 < row.scores["latency"].value < row.seconds
        assert row.scores["fast"] == gt.Score(1.0)
        assert row.scores["cost_per_row"].value == float(row.cost or 0)


def test_what_a_row_costs_stands_beside_what_all_cost() -> None:
    grid = gt.evaluate(LABEL, ROWS, model=[model(), gt.ScriptedModel("good", name="other")], scorer=gt.scorers.cost())
    assert grid[0].summary()["cost_per_row"].startswith("0.000 [0.000")
    assert grid[0].summary()["cost"] == "$0.0000"
    for columns in (grid.table()[0], grid._readable()[0], grid[0].table()[0]):
        assert len(columns) == len(set(columns))


def test_no_scorer_is_called_as_a_figure_that_every_evaluation_has() -> None:
    grid = gt.evaluate(LABEL, ROWS, model=[model(), gt.ScriptedModel("good", name="other")], scorer=gt.scorers.cost())
    found = [*grid[0].summary(), *grid[0].table()[0], *grid.table()[0], *grid._readable()[0]]
    figures = {name for name in found if "cost_per_row" not in name} - set(ROWS[0])
    for name in (*figures, "repeat", "cells", "cells_failed", "seconds_per_row", "input_tokens", "output_tokens"):
        with pytest.raises(ScorerError, match=f"cannot be called '{name}'.*name="):
            gt.evaluate(LABEL, ROWS, model=model(), scorer=gt.scorers.exact("label", name=name))


def test_reused_replies_count_with_what_they_took_when_they_were_called() -> None:
    scorers = [gt.scorers.latency(), gt.scorers.cost()]
    asked = model()
    first, again = (gt.evaluate(LABEL, ROWS, model=asked, scorer=scorers) for _ in range(2))
    assert again.calls == 0
    assert first.to_json() == again.to_json()


def test_a_function_that_reads_the_result_is_given_it_in_place_of_the_value() -> None:
    def brevity(result: Any, row: Any) -> float:
        return float(result.usage.output_tokens) + (result.row.id == row.id) + (result.value == "good")

    brevity.reads_result = True  # type: ignore[attr-defined]
    made = gt.scorers.custom(brevity, name="made", reads_result=True)
    result = gt.evaluate(LABEL, ROWS, scorer=[brevity, made], model=model())
    assert (result.mean("brevity"), result.mean("made")) == (3.0, 3.0)


class _Took:
    """What a scorer that reads the result is given."""

    def __init__(self, seconds: float, cost: Decimal | None) -> None:
        self.seconds, self.cost = seconds, cost


def test_a_bound_makes_right_and_wrong_of_seconds_and_money() -> None:
    latency, cost = gt.scorers.latency(at_most=1.5), gt.scorers.cost(at_most=0.01)
    row: Any = gt.dataset(ROWS)[0]
    assert latency(_Took(1.5, None), row) == gt.Score(1.0)
    assert latency(_Took(1.6, None), row) == gt.Score(0.0, "took 1.600 s, more than 1.5 s")
    assert cost(_Took(0, Decimal("0.01")), row) == gt.Score(1.0)
    assert cost(_Took(0, Decimal("0.02")), row) == gt.Score(0.0, "cost $0.020000, more than $0.010000")
    bounded = [scorer.higher_is_better for scorer in (latency, cost)]  # type: ignore[attr-defined]
    plain = [scorer.higher_is_better for scorer in (gt.scorers.latency(), gt.scorers.cost())]  # type: ignore[attr-defined]
    assert (bounded, plain) == ([True, True], [False, False])


def test_an_unknown_cost_is_an_error_at_the_row_and_never_zero() -> None:
    with pytest.raises(ScorerError, match="the cost of this row is unknown"):
        gt.scorers.cost()(_Took(0, None), gt.dataset(ROWS)[0])


@pytest.mark.parametrize("at_most", [-1, float("nan"), "1 s", True], ids=repr)
@pytest.mark.parametrize("make", [gt.scorers.latency, gt.scorers.cost])
def test_a_bound_that_is_none_is_refused(make: Any, at_most: Any) -> None:
    with pytest.raises(ScorerError, match="is no number from 0 on"):
        make(at_most=at_most)


@pytest.mark.parametrize(
    "scorer",
    [
        gt.scorers.normalised("lable"),
        gt.scorers.contains("lable"),
        gt.scorers.number("lable"),
        gt.scorers.labels("lable"),
        gt.scorers.json_fields(["label", "lable"]),
        gt.scorers.json_fields(column="lable"),
        gt.scorers.custom(lambda value, row: True, columns=["lable"]),
    ],
    ids=lambda scorer: scorer.name,
)
def test_a_column_that_is_not_there_is_found_out_before_the_first_call(scorer: Any) -> None:
    asked = model()
    with pytest.raises(ScorerError, match=r"column 'lable', and there is none.*Did you mean 'label'\?"):
        gt.evaluate(LABEL, ROWS, scorer=scorer, model=asked)
    assert asked.requests == []


def test_where_less_is_better_the_side_with_less_is_the_better_one() -> None:
    def length(value: Any, row: Any) -> int:
        return len(value)

    scorer = gt.scorers.custom(length, higher_is_better=False)
    rows = [{"n": n} for n in range(20)]
    short = gt.evaluate(lambda row: "a" * (row["n"] % 3), rows, scorer=scorer)
    long = gt.evaluate(lambda row: "aaa" + "a" * (row["n"] % 3), rows, scorer=scorer, baseline=short)
    assert [(v.finding, v.difference, v.wins, v.losses) for v in long.verdicts] == [("worse", 3.0, 0, 20)]
    assert [(v.finding, v.difference, v.wins, v.losses) for v in short.compare(long)] == [("better", -3.0, 20, 0)]
    assert long.worst(1).rows[0].scores["length"].value == 5.0


def test_a_bound_on_seconds_makes_right_and_wrong_of_them() -> None:
    asked = model()
    result = gt.evaluate(LABEL, ROWS, scorer=gt.scorers.latency(at_most=30), model=asked, baseline=LABEL)
    assert [verdict.scorer for verdict in result.verdicts] == ["latency"]


def test_a_number_out_of_range_is_a_failed_row_and_no_score() -> None:
    async def stars(value: Any, row: Any) -> float:
        return 9.0 if row["text"] == "awful" else 4.0

    result = gt.evaluate(LABEL, ROWS, scorer=gt.scorers.custom(stars, range=(1, 5)), model=model())
    assert (result.mean("stars"), len(result.failed)) == (4.0, 1)
    assert "scorer stars: scorer 'stars' returned 9, which is not in its range" in str(result.rows[1].error)


@pytest.mark.parametrize("flaky_first", [True, False])
def test_a_scorer_that_fails_takes_no_score_from_the_others_whatever_their_order(flaky_first: bool) -> None:
    def flaky(value: Any, row: Any) -> bool:
        if row["label"] == "bad":
            raise ValueError("no idea")
        return True

    right = gt.scorers.exact("label", name="accuracy")
    order = [flaky, right] if flaky_first else [right, flaky]
    result = gt.evaluate(LABEL, ROWS, scorer=order, model=model())
    assert (result.mean("accuracy"), result.mean("flaky")) == (0.5, 1.0)
    assert [row.error for row in result.failed] == ["scorer flaky: ValueError: no idea"]


def test_an_ambiguous_number_is_a_failed_row_and_no_score() -> None:
    rows = [{"text": "great", "n": 5}, {"text": "awful", "n": 5}]
    asked = gt.ScriptedModel({"great": "it is 5", "awful": "5 or 6"})
    result = gt.evaluate(gt.Prompt("n", user="{{ text }}"), rows, scorer=gt.scorers.number("n"), model=asked)
    assert (result.mean(), len(result.failed)) == (1.0, 1)
    assert "ambiguous: it holds 2 numbers: 5, 6" in str(result.rows[1].error)


def test_confusion_comes_from_a_result_in_one_line() -> None:
    result = gt.evaluate(LABEL, ROWS, scorer=gt.scorers.labels("label"), model=model())
    found = gt.scorers.confusion((row.value, row.row["label"]) for row in result.rows if row.error is None)
    assert found.counts == ((0, 1), (0, 1))
    assert [row.scores["labels"].label for row in result.rows] == ["good", "good"]
    assert result.rows[1].scores["labels"].reason == "'good', expected 'bad'"
