"""Texts and patterns that are looked for in the answer."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hostile import CORPUS
from hypothesis import given, settings
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import as_score


def value_of(scorer: Any, value: Any, **row: Any) -> float:
    return as_score(scorer, scorer(value, Row(row, "r"))).value


@pytest.mark.parametrize(
    ("value", "held", "options", "right"),
    [
        ("It is Paris.", "paris", {}, True),
        ("It is Paris.", "paris", {"ignore_case": False}, False),
        ("concatenate", "cat", {}, True),
        ("concatenate", "cat", {"whole_words": True}, False),
        ("a cat!", "Cat", {"whole_words": True}, True),
        ("C++ it is", "C++", {"whole_words": True}, True),
        ("a.b", "axb", {"whole_words": True}, False),
        ("red and blue", ["red", "blue"], {}, True),
        ("red and green", ["red", "blue"], {}, False),
        ("red and green", ["red", "blue"], {"require": "any"}, True),
        ("green", ["red", "blue"], {"require": "any"}, False),
        (42, 42, {}, True),
        (None, "x", {}, False),
    ],
)
def test_contains_looks_for_the_texts_of_the_column(value: Any, held: Any, options: Any, right: bool) -> None:
    assert value_of(gt.scorers.contains("a", **options), value, a=held) == float(right)
    texts = [str(item) for item in held] if isinstance(held, list) else str(held)
    assert value_of(gt.scorers.contains(texts=texts, **options), value) == float(right)


def test_contains_says_what_is_missing() -> None:
    found: Any = gt.scorers.contains(texts=["red", "blue", "green"])("only red", Row({}, "r"))
    assert found.reason == "missing: 'blue', 'green'"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"column": "a", "texts": ["b"]},
        {"texts": []},
        {"texts": ""},
        {"texts": ["a", ""]},
        {"texts": [1]},
        {"column": "a", "require": "some"},
        {"column": "a", "require": None},
    ],
    ids=str,
)
def test_contains_of_nothing_is_refused_when_it_is_made(options: Any) -> None:
    with pytest.raises(ScorerError, match="scorer 'contains'"):
        gt.scorers.contains(**options)


@pytest.mark.parametrize("held", [None, "", [], ["a", ""]], ids=repr)
def test_an_empty_text_in_the_column_is_an_error_for_everything_contains_it(held: Any) -> None:
    with pytest.raises(ScorerError, match="column 'a' of row r holds"):
        gt.scorers.contains("a")("x", Row({"a": held}, "r"))


@pytest.mark.parametrize(
    ("pattern", "value", "options", "right"),
    [
        (r"\d{4}", "in 1999", {}, True),
        (r"\d{4}", "in 199", {}, False),
        (r"(?i)PARIS", "it is paris", {}, True),
        (r"\d{4}", "in 1999", {"full": True}, False),
        (r"\d{4}", "1999", {"full": True}, True),
        (r"a|b", "ab", {"full": True}, False),
        (r"as an AI", "As such", {"absent": True}, True),
        (r"(?i)as an AI", "As an AI, I", {"absent": True}, False),
        (r"^b$", "a\nb", {}, False),
        (r"(?m)^b$", "a\nb", {}, True),
        (r"^\p{Lu}\w+$", "Äpfel", {}, True),
        (r"x", "half \ud83d x", {}, True),
        (r"x", None, {}, False),
        (r"^4", 42, {}, True),
    ],
)
def test_regex_finds_the_pattern(pattern: str, value: Any, options: Any, right: bool) -> None:
    assert value_of(gt.scorers.regex(pattern, **options), value) == float(right)


@settings(deadline=None)
@given(
    pattern=st.from_regex(r"\A[ab](\|[ab]|[ab]{0,3}[*+?]?)\Z"),
    text=st.text("abc", max_size=8),
)
def test_regex_agrees_with_pythons_on_plain_patterns(pattern: str, text: str) -> None:
    assert value_of(gt.scorers.regex(pattern), text) == float(re.search(pattern, text) is not None)
    assert value_of(gt.scorers.regex(pattern, full=True), text) == float(re.fullmatch(pattern, text) is not None)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*$", r"(.*a){20}$", r"^(\w+\s?)*$"])
def test_a_pattern_that_would_hang_python_ends_in_time(pattern: str) -> None:
    scorer = gt.scorers.regex(pattern)
    start = time.monotonic()
    value_of(scorer, "a" * 200_000 + "!")
    assert time.monotonic() - start < 5  # Python's re would take longer than the universe has


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(", "unclosed group"),
        (r"(?=a)b", "look-around"),
        (r"(a)\1", "backreferences are not supported"),
        ("a{1000000}", "size limit"),
        (5, "is no pattern"),
        (re.compile("a"), "is no pattern"),
    ],
    ids=str,
)
def test_a_pattern_that_cannot_be_used_is_refused_when_it_is_given(pattern: Any, says: str) -> None:
    with pytest.raises(ScorerError, match=says) as raised:
        gt.scorers.regex(pattern)
    assert raised.value.fix
    assert "\n" not in str(raised.value)


def test_a_wrong_answer_says_what_it_does_not_match() -> None:
    found: Any = gt.scorers.regex(r"\d+")("none", Row({}, "r"))
    assert found.reason == r"'none' does not match \d+"
    found = gt.scorers.regex("n", absent=True)("none", Row({}, "r"))
    assert found.reason == "'none' matches n"


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_hostile_texts_are_only_texts(text: str) -> None:
    assert value_of(gt.scorers.contains("a"), f"before {text} after", a=text) == 1.0
    assert value_of(gt.scorers.contains("a", whole_words=True), f"x {text} y", a=text) == 1.0
    assert value_of(gt.scorers.regex("^x$"), text) == 0.0
