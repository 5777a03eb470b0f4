"""Labels: right or wrong at each row, and which label was taken for which."""

from __future__ import annotations

import enum
import json
import warnings
from typing import Any

import pytest
from hostile import CORPUS, strange_characters, strange_tags
from hypothesis import given, settings
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError

PAIRS = [("a", "a")] * 5 + [("b", "a")] * 1 + [("a", "b")] * 2 + [("b", "b")] * 2


class Label(enum.Enum):
    GOOD = "good"


@pytest.mark.parametrize(
    ("value", "expected", "right"),
    [
        ("good", "good", True),
        (Label.GOOD, "good", True),
        ("bad", "good", False),
        ("Good", "good", False),
        (1, "1", True),
        ("1", 1, True),
        ("1", 1.0, True),
        ("true", True, True),
        (True, True, True),
        ("true", False, False),
        (None, "none", False),
        ({"label": "good"}, "good", False),
    ],
)
def test_labels_are_compared_as_texts_and_confusion_agrees(value: Any, expected: Any, right: bool) -> None:
    found: Any = gt.scorers.labels("y")(value, Row({"y": expected}, "r"))
    assert found.value == float(right)
    assert bool(found.reason) is not right
    if found.label is not None:
        assert gt.scorers.confusion([(value, expected)]).accuracy == found.value
        assert gt.scorers.confusion([(found.label, expected)]).accuracy == found.value


def test_an_answer_that_is_no_known_label_is_wrong_and_named_as_such() -> None:
    scorer: Any = gt.scorers.labels("y", ["good", "bad"])
    assert scorer("fine", Row({"y": "good"}, "r")).reason == "'fine', expected 'good', and not one of good, bad"
    assert scorer("bad", Row({"y": "good"}, "r")).reason == "'bad', expected 'good'"


@pytest.mark.parametrize("held", [None, "fine", ["good"], float("nan")], ids=repr)
def test_a_row_without_a_known_label_is_an_error_that_names_it(held: Any) -> None:
    with pytest.raises(ScorerError, match="column 'y' of row r holds"):
        gt.scorers.labels("y", ["good", "bad"])("good", Row({"y": held}, "r"))


@pytest.mark.parametrize("known", ["good", ["a", "a"], [1, "1"], [None], [["a"]]], ids=repr)
def test_labels_that_are_no_list_of_different_ones_are_refused(known: Any) -> None:
    with pytest.raises(ScorerError, match="no list of different labels"):
        gt.scorers.labels("y", known)


def test_counts_precision_recall_and_f1_are_what_their_definitions_say() -> None:
    found = gt.scorers.confusion(PAIRS)
    assert (found.labels, found.counts, found.rows, found.accuracy) == (("a", "b"), ((5, 1), (2, 2)), 10, 0.7)
    assert (found["a"].precision, found["a"].recall, found["a"].f1) == pytest.approx((5 / 7, 5 / 6, 10 / 13))
    assert (found["b"].precision, found["b"].recall, found["b"].f1) == pytest.approx((2 / 3, 1 / 2, 4 / 7))
    assert (found["b"].rows, found["b"].predicted) == (4, 3)
    assert found.macro_f1 == pytest.approx((10 / 13 + 4 / 7) / 2)
    assert found.macro_precision == pytest.approx((5 / 7 + 2 / 3) / 2)
    assert found.macro_recall == pytest.approx((5 / 6 + 1 / 2) / 2)


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=40))
def test_every_figure_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    from sklearn import metrics

    found = gt.scorers.confusion(pairs)
    predicted, expected = [p for p, _ in pairs], [e for _, e in pairs]
    names = list(found.labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = metrics.confusion_matrix(expected, predicted, labels=names)
        per_class = metrics.precision_recall_fscore_support(expected, predicted, labels=names, zero_division=0)
        macro = metrics.f1_score(expected, predicted, average="macro", zero_division=0)
    assert [list(row) for row in found.counts] == matrix.tolist()
    assert found.accuracy == pytest.approx(metrics.accuracy_score(expected, predicted))
    for scores, precision, recall, f1, rows in zip(found.classes, *per_class, strict=True):
        assert scores.rows == rows
        assert scores.f1 == pytest.approx(f1)
        for mine, theirs in ((scores.precision, precision), (scores.recall, recall)):
            assert theirs == 0 if mine is None else mine == pytest.approx(theirs)
    assert found.macro_f1 == pytest.approx(macro)


def test_a_share_of_nothing_is_unknown_and_never_zero() -> None:
    found = gt.scorers.confusion([("a", "a"), ("a", "b")], labels=["a", "b", "c"])
    assert (found["b"].precision, found["b"].recall, found["b"].f1) == (None, 0.0, 0.0)
    assert (found["c"].precision, found["c"].recall, found["c"].f1) == (None, None, None)
    assert (found.macro_precision, found.macro_recall, found.macro_f1) == (None, None, None)
    empty = gt.scorers.confusion([])
    assert (empty.rows, empty.accuracy, empty.macro_f1) == (0, None, None)
    assert "accuracy –" in repr(empty) + empty._repr_mimebundle_()["text/plain"]


def test_given_labels_come_first_in_their_order_and_others_are_added() -> None:
    assert gt.scorers.confusion(PAIRS, labels=["b", "z"]).labels == ("b", "z", "a")
    assert gt.scorers.confusion([(0, 1), ("1", 1)]).labels == ("0", "1")


@pytest.mark.parametrize("pairs", [[("a", None)], [(None, "a")], ["ab"], [("a",)], [("a", ["b"])], [5]], ids=repr)
def test_what_is_no_pair_of_labels_is_refused(pairs: Any) -> None:
    with pytest.raises(ScorerError, match="pair 0 is"):
        gt.scorers.confusion(pairs)


def test_a_class_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ScorerError, match="no class 'c'"):
        gt.scorers.confusion(PAIRS)["c"]


def test_confusion_is_plain_data_and_a_frame() -> None:
    found = gt.scorers.confusion(PAIRS)
    assert json.loads(json.dumps(found.to_json()))["counts"] == [[5, 1], [2, 2]]
    frame = found.to_pandas()
    assert frame.loc["b", "a"] == 2
    assert (frame.index.name, frame.columns.name) == ("expected", "predicted")


def test_the_display_shows_counts_shares_and_how_many_classes_are_left_out() -> None:
    shown = gt.scorers.confusion(PAIRS)._repr_mimebundle_()["text/plain"]
    assert shown.splitlines()[0] == "accuracy 0.700, 10 rows"
    assert "a" in shown.splitlines()[3]
    assert "0.769" in shown
    many = gt.scorers.confusion([(f"n{n}", f"n{n}") for n in range(40)])._repr_mimebundle_()
    assert "the 28 smallest classes are not shown" in many["text/plain"]
    assert len(many["text/html"]) < 30_000


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_the_display_shows_markup_and_never_obeys_it(text: str) -> None:
    found = gt.scorers.confusion([(text, "a"), ("a", text)])
    shown = found._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"]) == []
    assert strange_characters(repr(found)) == []
