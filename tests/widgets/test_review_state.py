"""A review by keys, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from hostile import CORPUS
from mlflow_store import Store, store

from gen_toolkit import errors
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.evals import review as review_module
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.widgets.review_html import drawn
from gen_toolkit.widgets.review_state import ReviewState, keys

__all__ = ["store"]


@pytest.fixture(autouse=True)
def _store(store: Store) -> Store:
    return store


def result(word: str, count: int = 3, title: str = "t", text: str = "text") -> Result:
    rows = tuple(RowResult(Row({"text": text}, f"row{n}"), f"{word} {n}") for n in range(count))
    return Result(title, "p", "m", "generate", "d", "", (), rows, 0.0)


def press(state: ReviewState, *pressed: str) -> str:
    for key in pressed:
        state.hear("key", key, state.on)
    return state.on


def test_digits_label_and_go_on_to_the_end() -> None:
    state = ReviewState(result("a").review(["bad", "good"], reviewer="ada"))
    assert keys(state.review)[:2] == ["1", "2"]
    assert press(state, "2", "1", "2") == "end"
    assert state.review.counts == {"bad": 1, "good": 2}
    assert "All rows have a label" in drawn(state)
    assert press(state, "2", "s") == "end"
    assert press(state, "u") == "2"
    assert state.review.done == 2


def test_a_key_that_was_pressed_before_the_row_was_seen_labels_nothing() -> None:
    state = ReviewState(result("a").review(reviewer="ada"))
    state.hear("key", "1", "0")
    state.hear("key", "1", "0")  # pressed twice
    assert (state.on, state.review.done) == ("1", 1)
    state.hear("key", "7", "1")
    state.hear("key", "0", "1")
    state.hear("key", "x", "1")
    assert (state.on, state.review.done) == ("1", 1)


def test_arrows_go_through_all_rows_and_to_the_end_only_when_there_is_one() -> None:
    state = ReviewState(result("a").review(reviewer="ada"))
    assert press(state, "ArrowLeft") == "0"
    assert press(state, "ArrowRight", "j", "j") == "2"
    state.hear("key", "k", "0")
    state.hear("key", "j", "0")  # faster than the page: arrows count all the same
    assert press(state, "k", "1", "1", "1") == "end"
    assert press(state, "ArrowLeft", "ArrowLeft") == "1"
    assert press(state, "j", "j") == "end"


def test_a_note_is_of_the_row_it_was_written_at() -> None:
    state = ReviewState(result("a").review(reviewer="ada"))
    press(state, "1")
    state.hear("note", "rude", "0")
    state.hear("note", "x", "99")
    state.hear("note", "x", "end")
    assert state.review.said("row0").note == "rude"
    assert (state.on, state.problem) == ("1", "")


def test_blind_the_digits_are_a_b_and_tie_and_enter_ends_it() -> None:
    review = result("mine", title="new title").review(other=result("theirs", title="old title"), reviewer="ada")
    state = ReviewState(review)
    assert state.choices == ("A better", "B better", "tie")
    assert "old title" not in drawn(state)
    press(state, "Enter")
    assert not review.is_ended
    for item in review.items:
        press(state, "1" if item.left == "mine" else "2")
    assert "Enter ends the review" in drawn(state)
    assert "old title" not in drawn(state)
    press(state, "Enter")
    assert review.counts == {"worse": 0, "tie": 0, "better": 3}
    assert "too few rows to compare with old title" in drawn(state)
    press(state, "u")
    assert "is over" in state.problem
    assert "is over" in drawn(state)


def test_what_cannot_be_stored_is_said_and_the_row_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    state = ReviewState(result("a").review(reviewer="ada"))

    def full(_: Any) -> None:
        raise errors.DatabaseError("the disk is full", fix="Make room.")

    monkeypatch.setattr(review_module, "emit", full)
    assert press(state, "1") == "0"
    assert state.review.done == 0
    assert "the disk is full" in drawn(state)
    monkeypatch.undo()
    assert press(state, "1") == "1"
    assert state.problem == ""


@pytest.mark.parametrize("hostile", CORPUS)
def test_texts_of_strangers_stay_texts(hostile: str) -> None:
    mine, other = result(hostile, title=hostile, text=hostile), result(f"{hostile} other", text=hostile)
    for given in ({"labels": [hostile, "good"]}, {"other": other}):
        review = mine.review(guidelines=hostile, name=hostile, reviewer=hostile, **given)
        state = ReviewState(review)
        state.hear("note", hostile, "0")
        for key in ("", "1", "1", "1", "Enter"):
            press(state, key)
            shown = drawn(state)
            assert not [tag for tag in ("<script", "<img", "<svg", "<iframe", "</pre></td>") if tag in shown]
