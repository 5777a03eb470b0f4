"""A person labels rows: durable at once, taken up again, blind where two results are compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import DatasetError, InputError
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.review import Review


@pytest.fixture(autouse=True)
def _store(store: Store) -> Store:
    return store


def result(replies: Sequence[Any] = ("a", "b", "c", "d"), *, run: str = "", title: str = "t") -> Result:
    rows = tuple(
        RowResult(Row({"text": f"text {n}"}, f"row{n}"), value=reply, error=None if reply is not None else "boom")
        for n, reply in enumerate(replies)
    )
    return Result(title, "p", "m", "generate", "d", "digest", (), rows, 0.0, run=run)


def labels(review: Review) -> dict[str, str]:
    return {row: label for (row, _), label in review.outcomes.items()}


def test_what_was_said_is_there_again_when_the_review_is_taken_up_by_another_kernel_and_run() -> None:
    first = result(run="1").review(["bad", "good"], reviewer="ada")
    first.label("row0", "good")
    first.label("row2", "bad", note="rude")
    again = result(run="2").review(["bad", "good"], reviewer="ada")
    assert labels(again) == {"row0": "good", "row2": "bad"}
    assert again.said("row2").note == "rude"
    assert again.next_after() is again.item("row1")
    assert labels(result(run="2").review(["bad", "good"], reviewer="bob")) == {}
    assert labels(result(run="2").review(["bad", "good"], reviewer="ada", name="tone")) == {}
    assert labels(result(run="2").review(["no", "yes"], reviewer="ada")) == {}


def test_a_label_is_about_a_reply_and_not_about_another_reply_to_the_same_row() -> None:
    review = result().review(reviewer="ada")
    review.label("row0", "good")
    review.label("row1", "good")
    assert labels(result(["a", "B", "c", "d"]).review(reviewer="ada")) == {"row0": "good"}


def test_undo_takes_back_step_by_step_also_what_an_earlier_session_did() -> None:
    review = result().review(reviewer="ada")
    review.label("row0", "bad")
    review.label("row0", "good")
    review.skip("row1")
    again = result().review(reviewer="ada")
    assert again.undo() is again.item("row1")
    assert not again.said("row1").skipped
    assert again.undo() is again.item("row0")
    assert labels(again) == {"row0": "bad"}
    third = result().review(reviewer="ada")
    assert labels(third) == {"row0": "bad"}
    assert third.undo() is third.item("row0")
    assert third.undo() is None
    assert labels(third) == {}


def test_rows_come_in_order_and_skipped_ones_last() -> None:
    review = result().review(reviewer="ada")
    review.skip("row0")
    review.label("row1", "good")
    order = []
    item = review.next_after(review.item("row1"))
    while item is not None:
        order.append(item.key[0])
        review.label(item, "good")
        item = review.next_after(item)
    assert order == ["row2", "row3", "row0"]
    assert (review.done, len(review.items)) == (4, 4)


def test_rows_that_failed_are_not_asked_and_where_none_is_left_it_says_so() -> None:
    assert [item.key[0] for item in result(["a", None, "c"]).review().items] == ["row0", "row2"]
    with pytest.raises(InputError, match="no row of it has a reply"):
        result([None]).review()
    with pytest.raises(InputError, match="the same in every row"):
        result().review(other=result())


@pytest.mark.parametrize("given", [["one"], list("abcdefghij"), ["a", "a"], "ab", ["a", " "], ["a", 1]])
def test_labels_that_no_key_could_give_are_refused(given: Any) -> None:
    with pytest.raises(InputError, match="label"):
        result().review(given)


@pytest.mark.parametrize("given", ["", " ", "x" * 101, 7])
def test_names_that_mlflow_could_not_store_are_refused(given: Any) -> None:
    with pytest.raises(InputError, match="is no name"):
        result().review(name=given)
    with pytest.raises(InputError, match="reviewer="):
        result().review(reviewer=given)


def test_an_unknown_label_or_row_is_refused_and_says_what_there_is() -> None:
    review = result().review()
    with pytest.raises(InputError, match="There are: bad, good"):
        review.label("row0", "godo")
    with pytest.raises(InputError, match="Did you mean"):
        review.label("row00", "good")


def blind(**options: Any) -> Review:
    mine = result([f"mine {n}" for n in range(40)], title="new")
    return mine.review(other=result([f"theirs {n}" for n in range(40)], title="old"), reviewer="ada", **options)


def test_sides_are_shuffled_by_the_seed_and_stay_so() -> None:
    sides = [item.left for item in blind().items]
    assert 10 < sides.count("mine") < 30
    assert sides == [item.left for item in blind().items]
    assert sides != [item.left for item in blind(seed=1).items]


def prefer_mine(review: Review, count: int = 40) -> None:
    for item in review.items[:count]:
        review.label(item, "A better" if item.left == "mine" else "B better")


def test_blind_nothing_says_which_side_was_which_before_it_is_over() -> None:
    review = blind()
    prefer_mine(review)
    assert set(review.outcomes.values()) == {"A better", "B better"}
    assert review.preference is None
    columns, rows = review.table()
    assert not {"A is", "outcome"} & set(columns)
    assert not any("new" in row or "old" in row for row in rows)
    assert "new" not in review._repr_mimebundle_()["text/html"].replace("of new by", "")
    review.end()
    assert set(review.outcomes.values()) == {"better"}
    assert set(review.to_pandas()["outcome"]) == {"better"}
    assert set(review.to_pandas()["A is"]) == {"new", "old"}


def test_the_preference_is_a_verdict_by_the_sign_test() -> None:
    review = blind()
    prefer_mine(review, 10)
    review.label(review.items[10], "tie")
    review.end()
    found = review.preference
    assert found is not None
    assert (found.finding, found.wins, found.losses, found.rows) == ("better", 10, 0, 11)
    assert found.p == pytest.approx(2 / 2**10)
    assert str(found).startswith("review by ada: better than old")


@pytest.mark.parametrize("together", ["repeats", "group"])
def test_rows_that_belong_together_count_together_in_the_preference(together: str) -> None:
    is_group = together == "group"
    mine, theirs = (
        Result(
            who,
            *("p", "m", "generate", "d", "digest", ()),
            rows=tuple(
                RowResult(
                    Row({"text": "t", "document": n % 2}, f"row{n}" if is_group else f"row{n % 2}"),
                    value=f"{who} {n}",
                    repeat=0 if is_group else n // 2,
                )
                for n in range(8)
            ),
            seconds=0.0,
            group="document" if is_group else None,
        )
        for who in ("new", "old")
    )
    review = mine.review(other=theirs, reviewer="ada")
    prefer_mine(review)
    review.end()
    found = review.preference
    assert found is not None
    assert (found.finding, found.p, found.test) == ("too few rows", 0.5, "permutation by group")
    assert (found.wins, found.rows, found.groups) == (8, 8, 2)


def test_when_it_is_over_nothing_changes_any_more_also_in_another_session() -> None:
    review = blind()
    prefer_mine(review)
    review.end()
    for late in (review, blind()):
        assert late.is_ended
        with pytest.raises(InputError, match="is over"):
            late.label("row0", "tie")
        with pytest.raises(InputError, match="is over"):
            late.undo()
    assert not blind(name="again").is_ended


def test_another_seed_turns_the_sides_and_the_labels_with_them() -> None:
    prefer_mine(blind())
    turned = blind(seed=7)
    turned.end()
    assert set(turned.outcomes.values()) == {"better"}


def test_two_reviewers_agree_by_kappa() -> None:
    ada, bob = (result([str(n) for n in range(20)]).review(reviewer=who) for who in ("ada", "bob"))
    for n, item in enumerate(ada.items):
        ada.label(item, "good" if n % 2 else "bad")
        bob.label(item.key, "good" if n % 2 or n == 0 else "bad")
    found = ada.agreement(bob)
    assert found.kappa == pytest.approx(0.9)
    assert str(found).endswith("of ada and bob, 19 of 20 rows equal")
    assert type(found).from_json(json.loads(json.dumps(found.to_json()))) == found
    assert result([str(n) for n in range(20)]).review(reviewer="bob").agreement(ada).agreed == 19


def test_blind_reviewers_agree_also_where_their_sides_were_shuffled_differently() -> None:
    ada, bob = blind(), blind(seed=3)
    bob.reviewer = "bob"
    prefer_mine(ada)
    prefer_mine(bob, 20)
    bob.label(bob.items[0], "tie")
    assert (ada.agreement(bob).rows, ada.agreement(bob).agreed) == (20, 19)


def test_reviews_that_share_nothing_have_no_agreement() -> None:
    ada, bob = result().review(reviewer="ada"), result().review(reviewer="bob")
    with pytest.raises(InputError, match="no row that both"):
        ada.agreement(bob)
    with pytest.raises(InputError, match="same labels"):
        ada.agreement(result().review(["no", "yes"]))


def said(grade: str) -> str:
    return json.dumps({"reason": "so", "grade": grade})


def test_a_judge_is_calibrated_with_a_review(store: Store) -> None:
    reviewed = result([f"answer {n} {'fine' if n % 2 else 'poor'}" for n in range(30)])
    review = reviewed.review(["bad", "good"], reviewer="ada")
    for n, item in enumerate(review.items[:20]):
        review.label(item, "good" if n % 2 else "bad")
    model = gt.ScriptedModel({"fine": said("good"), "poor": said("bad")}, name="judge")
    judge = gt.scorers.judge("Is it good?", scale=["bad", "good"], model=model).calibrate(review)
    assert (judge.agreement.rows, judge.agreement.agreed, judge.agreement.kappa) == (20, 20, 1.0)
    with pytest.raises(DatasetError, match="not on the judge's scale"):
        gt.scorers.judge("Is it good?", scale=(1, 5), model=model).calibrate(review)


def test_a_pairwise_judge_is_calibrated_with_a_blind_review_that_is_over(store: Store) -> None:
    review = blind()
    prefer_mine(review, 8)
    assert review.other is not None
    model = gt.ScriptedModel({"*": said("tie")}, name="judge")
    judge = gt.scorers.pairwise("Which is better?", review.other, model=model)
    with pytest.raises(InputError, match="before it is over"):
        judge.calibrate(review)
    review.end()
    assert (judge.calibrate(review).agreement.rows, judge.calibrate(review).agreement.agreed) == (8, 0)


def assessments(store: Store, run: str) -> dict[str, set[tuple[str, Any, str, str]]]:
    """By row id: (name, value, who, reason)."""
    store.drain()
    found: dict[str, set[tuple[str, Any, str, str]]] = {}
    (mlflow,) = [r.info.run_id for r in store.runs("evaluation") if r.data.tags["gen_toolkit.run"] == run]
    experiment = store.runs("evaluation")[0].info.experiment_id
    for trace in store.mlflow.search_traces(locations=[experiment], run_id=mlflow, include_spans=False):
        for held in trace.info.assessments:
            if held.source.source_type == "HUMAN":
                row = trace.info.tags.get("gen_toolkit.row", trace.info.trace_id)
                found.setdefault(row, set()).add((held.name, held.value, held.source.source_id, held.rationale or ""))
    return found


def evaluated(word: str) -> Result:
    found = gt.evaluate(lambda row: f"{word} {row['n']}", [{"n": n} for n in range(3)], scorer=lambda value, row: 1.0)
    assert isinstance(found, Result)
    return found


def test_labels_are_assessments_in_mlflow_and_the_last_one_counts(store: Store, workspace: Path) -> None:
    done = evaluated("x")
    review = done.review(reviewer="ada", name="tone")
    one, two, three = review.items
    review.label(one, "bad")
    review.label(one, "good", note="friendly")
    review.label(two, "bad")
    review.undo()
    review.skip(three)
    assert sorted(map(sorted, assessments(store, done.run).values())) == [[("tone", "good", "ada", "friendly")]]
    review.label(two, "bad")
    review.label(three, "bad")
    (mlflow,) = [r.info.run_id for r in store.runs("evaluation")]
    file = store.mlflow.download_artifacts(mlflow, "review/tone_by_ada.json", str(workspace))
    kept = json.loads(Path(file).read_text(encoding="utf-8"))
    assert [dict(zip(kept["columns"], row, strict=True))["label"] for row in kept["data"]] == ["good", "bad", "bad"]


def test_of_a_blind_review_mlflow_is_told_at_its_end_and_on_both_sides(store: Store) -> None:
    mine, other = evaluated("x"), evaluated("y")
    review = mine.review(other=other, reviewer="ada")
    prefer_mine(review, 2)
    assert assessments(store, mine.run) == {}
    review.end()
    told = [assessments(store, run).values() for run in (mine.run, other.run)]
    assert [sorted(value for ((_, value, _, _),) in of) for of in told] == [["better"] * 2, ["worse"] * 2]


def test_labels_follow_the_replies_to_the_run_that_brought_them_again(store: Store) -> None:
    first = evaluated("x")
    review = first.review(reviewer="ada")
    review.label(review.items[0], "good")
    again = replace(evaluated("x"), title="again").review(reviewer="ada")
    assert assessments(store, again.result.run) == {}
    again.label(again.items[1], "bad")
    assert len(assessments(store, again.result.run)) == 2
