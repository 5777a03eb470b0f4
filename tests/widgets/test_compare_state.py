"""Going through a comparison by keys, filters and search, without a browser."""

from __future__ import annotations

import pytest
from hostile import CORPUS

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.evals.comparison import Comparison
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score
from gen_toolkit.widgets.compare_html import drawn
from gen_toolkit.widgets.compare_state import CompareState


def result(scores: str, word: str) -> Result:
    rows = tuple(
        RowResult(Row({"text": f"text {n}", "kind": "ab"[n % 2]}, f"row{n}"), f"{word} {n}", {"s": Score(float(score))})
        for n, score in enumerate(scores)
    )
    return Result(word, "p", "m", "generate", "d", "x", ("s",), rows, 1.5)


@pytest.fixture
def comparison() -> Comparison:
    return result("110101", "mine").compare(result("101101", "theirs"))


@pytest.fixture
def state(comparison: Comparison) -> CompareState:
    return CompareState(comparison.pairs)


def press(state: CompareState, *keys: str) -> str:
    for key in keys:
        state.hear("key", key, "")
    return state.on


def test_keys_go_on_and_back_and_stop_at_the_ends(state: CompareState) -> None:
    assert press(state, "j", "ArrowRight", "ArrowDown") == "3"
    assert press(state, "k", "ArrowLeft", "ArrowUp", "k") == "0"
    assert press(state, "End", "j") == "5"
    assert press(state, "Home") == "0"
    assert press(state, "x", "") == "0"


def test_numbers_are_filters(state: CompareState) -> None:
    assert (press(state, "3"), len(state.rows)) == ("2", 1)
    assert (press(state, "4"), len(state.rows)) == ("1", 1)
    assert (press(state, "5"), len(state.rows)) == ("", 0)
    assert press(state, "j", "k", "End") == ""
    assert (press(state, "1"), len(state.rows)) == ("0", 6)


def test_search_and_parts_narrow_together_and_keep_the_row_in_view(state: CompareState) -> None:
    press(state, "j", "j", "j")
    state.hear("part", "1", "")  # kind = b
    assert ([pair.number for pair in state.rows], state.on) == ([1, 3, 5], "3")
    state.hear("search", "TEXT 5", "")
    assert ([pair.number for pair in state.rows], state.on) == ([5], "5")
    state.hear("search", "", "")
    state.hear("part", "no number", "")
    assert len(state.rows) == 6


def test_what_is_not_known_changes_nothing(state: CompareState) -> None:
    state.hear("filter", "<script>", "")
    state.hear("delete", "all", "")
    assert (state.show, state.on) == ("all", "0")


@pytest.mark.parametrize("hostile", CORPUS)
def test_what_is_searched_is_shown_escaped(comparison: Comparison, state: CompareState, hostile: str) -> None:
    state.hear("search", hostile, "")
    shown = drawn(comparison, state)
    assert "No row passes" in shown
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<svg" not in shown
    assert "<iframe" not in shown
