"""Numbers in answers: read where they can be read in one way, refused where not."""

from __future__ import annotations

import contextlib
import decimal
from decimal import Decimal
from typing import Any

import pytest
from hostile import CORPUS
from hypothesis import given, settings
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.scorers_numerals import numerals


def score(value: Any, expected: Any, **options: Any) -> gt.Score:
    found = gt.scorers.number("n", **options)(value, Row({"n": expected}, "r"))
    assert isinstance(found, gt.Score)
    return found


@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("The answer is 42.", 42, {}),
        ("**42**", 42, {}),
        (42, 42.0, {}),
        (42.0, "42", {}),
        ("-5", -5, {}),
        ("−5 °C", -5, {}),
        ("+5", 5, {}),
        ("it costs $1,234.50", 1234.5, {}),
        ("-$5", -5, {}),
        ("1'234'567", 1234567, {}),
        ("1\u202f234", 1234, {}),
        ("1.234,5 kg", 1234.5, {"decimal": ","}),
        ("3,5", 3.5, {"decimal": ","}),
        (".5", 0.5, {}),
        ("1.5e-3", 0.0015, {}),
        ("42, yes 42", 42, {}),
        ("GPT-4 says 12", 12, {}),
        ("first 3 then 7", 3, {"take": "first"}),
        ("first 3 then 7", 7, {"take": "last"}),
        ("3.5 of 5", 3.5, {"take": "first"}),
        ("45%", "45 %", {}),
        ("45 percent", "45%", {}),
        ("45%", 0.45, {"percent": "share"}),
        ("45%", 45, {"percent": "points"}),
        ("45", "45%", {"percent": "points"}),
        ("0.3", 0.1 + 0.2, {"tolerance": 1e-9}),
        ("0.35", 0.3, {"tolerance": 0.05}),
        ("105", 100, {"relative": 0.05}),
        ("-105", -100, {"relative": 0.05}),
        ("46%", "45%", {"tolerance": 1}),
        (decimal.Decimal("1.10"), 1.1, {}),
    ],
    ids=str,
)
def test_the_right_number_is_right(value: Any, expected: Any, options: Any) -> None:
    assert score(value, expected, **options) == gt.Score(1.0, "", score(value, expected, **options).label)


@pytest.mark.parametrize(
    ("value", "expected", "options", "reason"),
    [
        ("41", 42, {}, "41 is not 42"),
        ("five", 5, {}, "there is no number in 'five'"),
        ("", 5, {}, "there is no number in ''"),
        (None, 5, {}, "there is no number in None"),
        (float("nan"), 5, {}, "there is no number in nan"),
        ("GPT-4", 4, {}, "there is no number in 'GPT-4'"),
        ("0.351", 0.3, {"tolerance": 0.05}, "0.351 is not 0.3 within 0.05"),
        ("106", 100, {"relative": 0.05}, "106 is not 100 within 5.00"),
        ("47%", "45%", {"tolerance": 1}, "47 is not 45 within 1"),
        ("12345678901234567890.1", 12345678901234567890, {}, "12345678901234567890.1 is not 12345678901234567890"),
    ],
    ids=str,
)
def test_a_wrong_number_or_none_is_wrong_and_says_why(value: Any, expected: Any, options: Any, reason: str) -> None:
    found = score(value, expected, **options)
    assert (found.value, found.reason) == (0.0, reason)


@pytest.mark.parametrize(
    ("value", "options", "says"),
    [
        ("3 or 4", {}, "it holds 2 numbers: 3, 4"),
        ("3 and 30%", {}, "it holds 2 numbers: 3, 30"),
        ("1.234,5", {}, "no single number with '.' before fractions"),
        ("0,123", {}, "no single number"),
        ("1.5", {"decimal": ",", "take": "first"}, "no single number with ',' before fractions"),
        ("2026-01-02", {}, "no single number"),
        ("12:30", {}, "no single number"),
        ("1/2", {}, "no single number"),
        ("3-5", {"take": "first"}, "no single number"),
        ("1.2.3", {}, "no single number"),
        ("10^5", {}, "no single number"),
        ("10²", {}, "may stand for another number than 10"),
        ("5k", {}, "'5k' may stand for another number than 5"),
        ("5 million", {"take": "last"}, "may stand for another number than 5"),
        ("2½", {}, "may stand for another number than 2"),
        ("0x1F", {}, "may stand for another number than 0"),
        ("12 345", {"take": "first"}, "12 345 may be one number or two"),
        ("45%", {}, "of 45 and 5 one is in percent"),
        ("1e999999999999999999999", {}, "no single number"),
        (True, {}, "the value is bool"),
        ([5], {}, "the value is list"),
    ],
    ids=str,
)
def test_what_could_be_read_in_two_ways_is_an_error_and_never_a_guess(value: Any, options: Any, says: str) -> None:
    with pytest.raises(ScorerError, match=says.replace("^", r"\^")) as raised:
        score(value, 5, **options)
    assert raised.value.fix


@pytest.mark.parametrize("expected", [None, "", "none", "3 or 4", "5k", True, float("inf"), [1]], ids=repr)
def test_a_row_without_one_plain_number_is_an_error_that_names_it(expected: Any) -> None:
    with pytest.raises(ScorerError, match="column 'n' of row r"):
        score("5", expected)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tolerance": -1}, "tolerance=-1 is no number from 0 on"),
        ({"tolerance": float("nan")}, "tolerance=nan"),
        ({"relative": "5%"}, "relative='5%'"),
        ({"relative": True}, "relative=True"),
        ({"take": "frist"}, r"take='frist' is unknown.*Did you mean 'first'\?"),
        ({"decimal": ";"}, "decimal=';' is unknown"),
        ({"percent": "yes"}, "percent='yes' is unknown"),
    ],
    ids=str,
)
def test_misuse_is_refused_when_the_scorer_is_made(options: Any, says: str) -> None:
    with pytest.raises(ScorerError, match=says):
        gt.scorers.number("n", **options)


@pytest.mark.parametrize("tolerance", [0.0, 0.5])
def test_a_number_beyond_all_bounds_is_wrong_or_the_same(tolerance: float) -> None:
    assert score("1e1000000", 5, tolerance=tolerance).value == 0.0
    assert score("1e1000000", "1e1000000", tolerance=tolerance).value == 1.0
    assert score(5, "-1e1000000", relative=tolerance).value == 0.0


@settings(deadline=None)
@given(value=st.decimals(-(10**12), 10**12, places=3), text=st.sampled_from(["{}", "is {}.", "({})", "={} kg", "${}"]))
def test_a_number_is_found_as_it_was_written_with_and_without_thousands(value: Decimal, text: str) -> None:
    for written in (f"{value:f}", f"{value:,f}"):
        assert [n.value for n in numerals(text.format(written))] == [value]
    english, german = f"{value:,.3f}", f"{value:,.3f}".translate(str.maketrans(",.", ".,"))
    assert [n.value for n in numerals(german, ",")] == [n.value for n in numerals(english)] == [value]


@settings(deadline=None)
@given(text=st.text("0123456789.,-%e /k$'\u202f", max_size=20) | st.sampled_from(CORPUS))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    for take in ("only", "first", "last"):
        with contextlib.suppress(ScorerError):
            assert score(text, 5, take=take).value in (0.0, 1.0)
