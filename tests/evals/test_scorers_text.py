"""Texts that are the same but for case, white space, punctuation or articles."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from hostile import CORPUS
from hypothesis import given, settings
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.scorers_text import normal

ALL = ("case", "punctuation", "articles")


class Label(enum.Enum):
    GOOD = "Good"


def score(value: Any, expected: Any, **options: Any) -> gt.Score:
    found = gt.scorers.normalised("a", **options)(value, Row({"a": expected}, "r"))
    assert isinstance(found, gt.Score)
    return found


@pytest.mark.parametrize(
    ("value", "expected", "options", "right"),
    [
        ("  New\n York ", "new york", {}, True),
        ("Straße", "STRASSE", {}, True),
        ("ﬁlm", "film", {}, True),
        ("Cafe\u0301", "café", {}, True),
        ("Don't stop!", "dont stop", {}, True),
        ("well-known.", "Well known", {}, True),
        (Label.GOOD, "good", {}, True),
        (5, "5", {}, True),
        ("5", 5, {}, True),
        ("3.5", "35", {}, False),
        ("-5", "5", {}, False),
        ("−5", "5", {}, False),
        ("C++", "C", {}, False),
        ("the film", "film", {}, False),
        ("the film", "A film", {"ignore": ALL}, True),
        ("Theodor", "odor", {"ignore": ALL}, False),
        ("Good", "good", {"ignore": ["punctuation"]}, False),
        ("good.", "good", {"ignore": "case"}, False),
        ("  good ", "good", {"ignore": ()}, True),
        ("paris", ["Lutetia", "Paris"], {}, True),
        ("rome", ["Lutetia", "Paris"], {}, False),
        (None, "none", {}, False),
        ("", "x", {}, False),
    ],
)
def test_only_what_is_ignored_does_not_matter(value: Any, expected: Any, options: Any, right: bool) -> None:
    found = score(value, expected, **options)
    assert found.value == float(right)
    assert bool(found.reason) is not right


def test_a_reason_shows_both_sides_on_one_line_and_not_a_megabyte() -> None:
    assert score("rome", ["Lutetia", "Paris"]).reason == "'rome' is not 'Lutetia' or 'Paris'"
    assert len(score("x" * 1_000_000, "y" * 1_000_000).reason) < 300


@pytest.mark.parametrize("expected", [None, "", [], ["a", None], {"a": 1}, [["a"]]], ids=repr)
def test_a_row_without_a_text_is_an_error_that_names_it(expected: Any) -> None:
    with pytest.raises(ScorerError, match="normalised"):
        score("x", expected)


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], object()], ids=["dict", "list", "object"])
def test_a_value_that_is_no_text_is_an_error_and_no_wrong_answer(value: Any) -> None:
    with pytest.raises(ScorerError, match="reads texts, and the value is"):
        score(value, "x")


@pytest.mark.parametrize("ignore", ["cases", ["case", "colour"], [5]], ids=repr)
def test_what_cannot_be_ignored_is_refused(ignore: Any) -> None:
    with pytest.raises(ScorerError, match=r"ignore=.* is unknown"):
        gt.scorers.normalised("a", ignore=ignore)


@settings(deadline=None)
@given(text=st.text(max_size=30) | st.sampled_from(CORPUS))
def test_what_is_normal_stays_as_it_is_and_a_text_is_always_itself(text: str) -> None:
    assert normal(normal(text, ALL), ALL) == normal(text, ALL)
    if text:
        assert score(text, text).value == 1.0
