"""A judge and people: how far they agree, and that without it a judge decides nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError, ScorerError
from gen_toolkit.evals.agreement import Agreement
from gen_toolkit.evals.kappa import kappa

ROWS = [{"value": f"answer {n}: {'good' if n % 2 else 'poor'}", "label": 5 if n % 2 else 1} for n in range(40)]


def said(grade: Any) -> str:
    return json.dumps({"reason": "so", "grade": grade})


def judge(replies: Any = None, **options: Any) -> Any:
    model = gt.ScriptedModel(replies or {"good": said(5), "poor": said(1)}, name="judge")
    return gt.scorers.judge("Is it good?", model=model, **options)


@pytest.fixture(autouse=True)
def _store(store: Store) -> Store:
    return store


def test_a_judge_that_was_never_compared_with_people_cannot_gate() -> None:
    asked = judge()
    assert asked.agreement is None
    assert not asked.can_gate()
    assert "never compared with people" in asked.gate_problem()
    assert "never compared with people" in repr(asked)


def test_a_judge_that_agrees_with_people_carries_it_and_can_gate() -> None:
    asked = judge().calibrate(ROWS)
    assert asked.agreement.kappa == 1.0
    assert asked.agreement.low == pytest.approx(0.825, abs=0.001)
    assert (asked.agreement.rows, asked.agreement.agreed, asked.agreement.failed) == (40, 40, 0)
    assert asked.can_gate()
    assert asked.gate_problem() is None
    assert not asked.can_gate(0.9)
    assert "kappa 1.00 [0.82, 1.00] with people, 40 of 40 rows equal" in repr(asked)


def test_a_judge_that_disagrees_cannot_gate_and_says_by_how_much() -> None:
    asked = judge({"*": said(5)}).calibrate(ROWS)
    assert asked.agreement.kappa == 0.0
    assert not asked.can_gate()
    assert "to decide, the lower limit must be at least 0.6" in asked.gate_problem()


def test_the_lower_limit_decides_and_not_the_kappa_that_was_seen() -> None:
    asked = judge().calibrate(ROWS[:6])
    assert asked.agreement.kappa == 1.0
    assert not asked.can_gate()


def test_near_misses_count_as_near_on_a_scale_of_more_than_two() -> None:
    rows = [{"value": f"{n} of 5", "label": n} for n in (1, 2, 3, 4, 5)] * 4
    near = judge({f"{n} of 5": said(min(n + 1, 5)) for n in range(1, 6)}).calibrate(rows)
    pairs = [(n, min(n + 1, 5)) for n in (1, 2, 3, 4, 5)] * 4
    assert near.agreement.kappa == pytest.approx(kappa(pairs, [1, 2, 3, 4, 5])[0])
    assert near.agreement.kappa > 0.7
    assert near.agreement.agreed == 4


def test_where_people_know_one_label_only_the_agreement_is_unknown_and_not_one() -> None:
    asked = judge({"*": said(5)}).calibrate([{**row, "label": 5} for row in ROWS])
    assert asked.agreement.kappa is None
    assert not asked.can_gate()
    assert "kappa unknown" in asked.gate_problem()


def test_rows_that_the_judge_gives_no_label_for_are_counted_and_in_no_figure() -> None:
    asked = judge({"answer 0:": "well", "good": said(5), "poor": said(1)}).calibrate(ROWS)
    assert (asked.agreement.rows, asked.agreement.failed, asked.agreement.kappa) == (39, 1, 1.0)
    assert "1 failed" in str(asked.agreement)
    with pytest.raises(ScorerError, match="labelled none of 40 rows"):
        judge("well").calibrate(ROWS)


def test_the_judge_is_shown_neither_what_people_said_nor_the_value_twice() -> None:
    asked = judge()
    asked.calibrate([{**row, "question": "which?"} for row in ROWS])
    for request in asked.question.model.requests:
        user = request.messages[1]["content"]
        assert '{"question": "which?"}' in user
        assert user.count(": good") + user.count(": poor") == 1
        assert "label" not in user


def test_what_people_said_must_be_on_the_scale_before_anything_is_called() -> None:
    asked = judge()
    for label in (None, 6, "five", True, 4.5):
        with pytest.raises(DatasetError, match="not on the judge's scale"):
            asked.calibrate([*ROWS, {"value": "x", "label": label}])
    with pytest.raises(DatasetError, match=r"'human'.*columns: value, label"):
        asked.calibrate(ROWS, label="human")
    with pytest.raises(DatasetError, match="no rows"):
        asked.calibrate([])
    with pytest.raises(ScorerError, match="would be told"):
        judge(columns=["label"]).calibrate(ROWS)
    assert asked.question.model.requests == []


def test_grades_of_people_may_be_written_as_numbers_or_texts() -> None:
    as_texts = [{**row, "label": str(row["label"])} for row in ROWS]
    as_floats = [{**row, "label": float(str(row["label"]))} for row in ROWS]
    assert judge().calibrate(as_texts).agreement.kappa == judge().calibrate(as_floats).agreement.kappa == 1.0


def test_an_agreement_can_be_kept_and_given_back_but_not_to_another_judge() -> None:
    found = judge().calibrate(ROWS).agreement
    kept = json.loads(json.dumps(found.to_json()))
    assert Agreement.from_json(kept) == found
    assert judge(agreement=kept).can_gate()
    assert judge(agreement=found, name="under another name").can_gate()
    others = [judge(agreement=kept, scale=(1, 6)), judge({"*": said(5)}, agreement=kept)]
    for other in [*others, judge(agreement=kept, columns=["question"]), judge(agreement=kept, temperature=1)]:
        assert "is not the one that was calibrated" in other.gate_problem()
    with pytest.raises(ScorerError, match="is no agreement"):
        judge(agreement={"kappa": 1.0})


def test_an_alias_that_came_to_mean_another_model_loses_its_agreement(workspace: Any) -> None:
    (workspace / "replies.json").write_text(json.dumps({"good": said(5), "poor": said(1)}), encoding="utf-8")
    settings = '[models.judge]\nprovider = "scripted"\nreplies = "replies.json"\nmodel = "{}"\n'
    (workspace / "gen_toolkit.toml").write_text(settings.format("one"), encoding="utf-8")
    asked = gt.scorers.judge("Is it good?", model="judge").calibrate(ROWS)
    assert asked.can_gate()
    (workspace / "gen_toolkit.toml").write_text(settings.format("another"), encoding="utf-8")
    assert "its rubric, scale, columns or model differ" in str(asked.gate_problem())


def test_the_agreement_stands_in_mlflow_with_its_evaluation(store: Store) -> None:
    found = judge(name="good").calibrate(ROWS).agreement
    (run,) = store.runs("evaluation")
    assert run.data.metrics["good.kappa"] == 1.0
    assert run.data.metrics["good.kappa.low"] == pytest.approx(found.low)
    assert store.artifact(run.data.tags["gen_toolkit.run"], "agreement.json") == found.to_json()


def test_calibrating_again_asks_nothing_again() -> None:
    first = judge().calibrate(ROWS[:8])
    again = judge()
    assert again.calibrate(ROWS[:8]).agreement == first.agreement
    assert again.question.model.requests == []


@pytest.mark.parametrize("threshold", [0, -1, 1.5, True, "0.6", float("nan")])
def test_a_threshold_that_is_none_is_refused(threshold: Any) -> None:
    with pytest.raises(ScorerError, match="is no kappa to ask for"):
        judge().can_gate(threshold)


def test_a_table_of_people_and_judge_is_shown() -> None:
    shown = judge(scale=(1, 5)).calibrate(ROWS).agreement._repr_mimebundle_()
    assert "kappa 1.00" in shown["text/plain"]
    assert "<table" in shown["text/html"]
