"""How near in meaning: the cosine of vectors that a model makes."""

from __future__ import annotations

from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit.errors import ScorerError, UnknownAlias

pytestmark = pytest.mark.usefixtures("store")

VECTORS = {
    "a cat": [1, 0, 0],
    "a kitten": [3, 4, 0],
    "a car": [0, 0, 2],
    "no cat": [-2, 0, 0],
    "nothing": [0, 0, 0],
}


def embedder() -> gt.ScriptedModel:
    def vectors(texts: tuple[str, ...]) -> dict[str, Any]:
        return {"vectors": [VECTORS[text] for text in texts]}

    return gt.ScriptedModel(vectors, name="embedder")


def scored(value: Any, expected: Any) -> Any:
    scorer = gt.scorers.similarity("expected", model=embedder())
    return gt.evaluate(lambda row: value, [{"expected": expected}], scorer=scorer).rows[0]


@pytest.mark.parametrize(
    ("value", "cosine"), [("a cat", 1.0), ("a kitten", 0.6), ("a car", 0.0), ("no cat", -1.0), ("", 0.0), (None, 0.0)]
)
def test_the_score_is_the_cosine_of_the_angle_between_value_and_column(value: Any, cosine: float) -> None:
    assert scored(value, "a cat").scores["similarity"].value == pytest.approx(cosine)


def test_of_several_texts_the_nearest_counts_and_is_named() -> None:
    assert scored("a kitten", ["a car", "a cat"]).scores["similarity"] == gt.Score(0.6, "nearest to 'a cat'")


def test_a_vector_without_a_direction_is_an_error_and_no_score() -> None:
    row = scored("nothing", "a cat")
    assert row.scores == {}
    assert "has no direction" in str(row.error)


def test_a_row_takes_one_request_with_each_text_once_and_none_when_asked_again() -> None:
    rows = [{"expected": text} for text in ("a cat", "a car", "a kitten")]
    counts = []
    for _ in range(2):
        model = embedder()
        gt.evaluate(lambda row: "a cat", rows, scorer=gt.scorers.similarity("expected", model=model))
        counts.append(sorted(request.inputs for request in model.requests))
    assert counts == [[("a cat",), ("a cat", "a car"), ("a cat", "a kitten")], []]


def test_what_cannot_work_is_refused_before_any_call() -> None:
    with pytest.raises(UnknownAlias):
        gt.scorers.similarity("expected", model="nobody")
    with pytest.raises(ScorerError, match="'wanted'"):
        gt.evaluate(lambda row: "x", [{"expected": "x"}], scorer=gt.scorers.similarity("wanted", model=embedder()))
