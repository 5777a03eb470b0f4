"""Rows of an evaluation as MLflow traces: which, with what in them, once each."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from mlflow.tracing.client import TracingClient
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import InputError
from gen_toolkit.evals.result import Result
from gen_toolkit.evals.traced import trace_rows
from gen_toolkit.tracking import spool, writer
from gen_toolkit.tracking.assessments import assess_row
from gen_toolkit.tracking.row_trace import trace_id

pytestmark = pytest.mark.usefixtures("delivered")  # what goes wrong beside MLflow, too

ROWS = [{"text": f"row {n}", "label": "good" if n % 2 else "bad"} for n in range(50)]
LABEL = gt.Prompt("label", user="{{ text }}?", output=Literal["good", "bad"])
SHORT = gt.Prompt("short", user="{{ text }}!", output=Literal["good", "bad"])
RIGHT = gt.scorers.exact("label", name="accuracy")


def traces(store: Store, ours: str) -> list[Any]:
    """The whole traces that MLflow links to our run."""
    run = store.run(ours)
    return list(store.mlflow.search_traces(locations=[run.info.experiment_id], run_id=run.info.run_id, max_results=500))


def by_row(found: list[Any]) -> dict[str, Any]:
    return {trace.info.client_request_id: trace for trace in found}


def test_every_row_is_a_trace_of_its_run_with_the_call_the_usage_and_the_scores(store: Store) -> None:
    saved = LABEL.save("the first")
    result = gt.evaluate(saved, ROWS[:3], scorer=RIGHT, model=gt.ScriptedModel({"*": "good"}), traces="all")
    found = by_row(traces(store, result.run))
    assert set(found) == {row.row.id for row in result.rows}
    first = result.rows[0]
    trace = found[first.row.id]
    assert trace.info.trace_id == trace_id(result.run, first.row.id)
    root, call = trace.data.spans
    assert (root.inputs, root.outputs) == (ROWS[0], "good")
    assert call.parent_id == root.span_id
    assert call.inputs["messages"][-1]["content"] == "row 0?"
    assert call.outputs["choices"][0]["message"]["content"] == "good"
    assert call.get_attribute("gen_toolkit.call") == first.asked[0]
    assert trace.info.token_usage["output_tokens"] == first.usage.output_tokens
    assert trace.info.cost["total_cost"] == 0
    (score,) = trace.info.assessments
    assert (score.name, score.value, score.source.source_type) == ("accuracy", 0.0, "CODE")
    assert json.loads(trace.info.tags["mlflow.linkedPrompts"]) == [{"name": "label", "version": "1"}]


def test_a_grid_with_all_traces_has_one_for_each_row_of_each_cell_however_often_it_is_delivered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [gt.ScriptedModel({"*": "good"}, name="a"), gt.ScriptedModel({"*": "bad"}, name="b")]
    grid = gt.evaluate([LABEL, SHORT], ROWS, scorer=RIGHT, model=models, traces="all")
    with monkeypatch.context() as patch:  # MLflow has them, and the spool is never told
        patch.setattr(writer.spool, "delivered", lambda *given, **more: None)
        patch.setattr(writer.spool, "waiting", _once(spool.waiting))
        store.drain(60)
    store.drain(60)
    for cell in grid:
        found = by_row(traces(store, cell.run))
        assert len(found) == 50
        assert all(len(trace.info.assessments) == 1 and len(trace.data.spans) == 2 for trace in found.values())
    assert store.sql("SELECT count(*) FROM spool WHERE kind = 'rows-traced'") == [(0,)]


def _once(waiting: Any) -> Any:
    """The first look finds everything, the next ones nothing."""
    looks = []

    def looked(*given: Any, **more: Any) -> Any:
        looks.append(1)
        return waiting(*given, **{**more, "limit": 10_000}) if len(looks) == 1 else []

    return looked


def test_a_sample_shows_failures_first_then_what_cells_disagree_on_then_the_worst(store: Store) -> None:
    rows = [{"text": t, "label": "good"} for t in ("plain", "broken", "differs", "wrong", "fine")]
    one = gt.ScriptedModel({"broken": "nonsense", "differs": "bad", "wrong": "bad", "*": "good"}, name="one")
    two = gt.ScriptedModel({"wrong": "bad", "*": "good"}, name="two")
    grid = gt.evaluate(LABEL, rows, scorer=RIGHT, model=[one, two], traces=2)
    shown = [[t.data.spans[0].inputs["text"] for t in traces(store, cell.run)] for cell in grid]
    assert sorted(shown[0]) == ["broken", "differs"]
    assert sorted(shown[1]) == ["differs", "wrong"]


def test_a_row_that_failed_shows_its_error_and_the_call_that_brought_it(store: Store) -> None:
    result = gt.evaluate(LABEL, ROWS[:1], scorer=RIGHT, model=gt.ScriptedModel({"*": "nonsense"}))
    (trace,) = traces(store, result.run)
    assert trace.info.state == "ERROR"
    assert trace.data.spans[0].status.description == result.rows[0].error
    assert trace.data.spans[1].outputs["choices"][0]["message"]["content"] == "nonsense"


def test_reused_answers_are_shown_with_the_call_they_come_from(store: Store) -> None:
    asked = gt.ScriptedModel({"*": "good"})
    first = gt.evaluate(LABEL, ROWS[:1], scorer=RIGHT, model=asked)
    again = gt.evaluate(LABEL, ROWS[:1], scorer=RIGHT, model=asked)
    assert again.calls == 0
    (trace,) = traces(store, again.run)
    assert trace.data.spans[1].get_attribute("gen_toolkit.source") == "recorded before"
    assert trace.data.spans[1].get_attribute("gen_toolkit.call") == first.rows[0].asked[0]


def test_texts_that_are_long_broken_or_hostile_are_stored_as_they_can_be(store: Store) -> None:
    hostile = "<script>alert(1)</script>\0 \ud83d"
    rows = [{"text": "x" * 1_000_000, "more": hostile}, {"text": "y", "more": None}]
    result = gt.evaluate(
        lambda row: {"n": float("nan"), "said": row["more"]}, rows, scorer=lambda value, row: 1.0, traces="all"
    )
    found = by_row(traces(store, result.run))
    long, short = (found[row.row.id].data.spans[0] for row in result.rows)
    assert len(long.inputs["text"]) < 101_000
    assert long.inputs["text"].endswith("[900,000 more characters]")
    assert "<script>alert(1)</script>" in long.outputs["said"]
    assert short.outputs == {"n": None, "said": None}


def test_a_guard_of_the_alias_holds_for_traces(store: Store) -> None:
    (store.root / "gen_toolkit.toml").write_text(
        '[models.dry]\nprovider = "scripted"\nreplies = "replies.json"\nguard.input = {email = "redact"}\n',
        encoding="utf-8",
    )
    (store.root / "replies.json").write_text('{"*": "good"}', encoding="utf-8")
    rows = [{"text": "ask ada@example.org", "label": "good"}]
    result = gt.evaluate(LABEL, rows, scorer=RIGHT, model="dry", traces="all")
    (trace,) = traces(store, result.run)
    assert "ada@example.org" not in json.dumps(trace.to_dict())


def test_no_traces_where_none_are_wanted_and_a_number_that_is_none_is_refused(store: Store) -> None:
    result = gt.evaluate(LABEL, ROWS[:2], scorer=RIGHT, model=gt.ScriptedModel({"*": "good"}), traces=0)
    assert traces(store, result.run) == []
    for wrong in (-1, True, "some", 1.5):
        with pytest.raises(InputError, match="traces"):
            gt.evaluate(LABEL, ROWS[:2], scorer=RIGHT, model=gt.ScriptedModel({"*": "good"}), traces=wrong)  # type: ignore[arg-type]


def test_the_run_says_on_which_rows_it_worked_and_how(store: Store) -> None:
    rows = [{**row, "doc": n % 2} for n, row in enumerate(ROWS[:8])]
    result = gt.evaluate(
        LABEL,
        gt.dataset(rows, name="reviews"),
        scorer=RIGHT,
        model=gt.ScriptedModel({"*": "good"}),
        group="doc",
        detect=0.1,
    )
    run = store.run(result.run)
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("reviews", result.dataset_digest[:16])
    assert json.loads(used.dataset.profile) == {"num_rows": 8}
    assert run.data.params["group"] == "doc"
    assert run.data.params["detect"] == "0.1"
    assert run.data.params["scorers"] == "accuracy"


def test_what_a_person_says_of_a_row_is_an_assessment_and_the_last_word_counts(store: Store) -> None:
    result: Result = gt.evaluate(LABEL, ROWS[:3], scorer=RIGHT, model=gt.ScriptedModel({"*": "good"}), traces=0)
    row = result.rows[1].row.id
    trace_rows(result, result.rows[1:2])
    trace_rows(result, result.rows[1:2])  # once is enough, twice is no harm
    assess_row(result.run, row, "helpful", False, by="ada", reason="too short")
    assess_row(result.run, row, "helpful", True, by="ada")
    assess_row(result.run, row, "helpful", True, by="eve")
    assess_row(result.run, row, "helpful", None, by="eve")  # taken back
    assess_row(result.run, row, "helpful", False, by="bob")
    (trace,) = traces(store, result.run)
    said = {(each.name, each.source.source_id): each for each in trace.info.assessments}
    assert len(trace.info.assessments) == 3
    assert said["helpful", "ada"].value is True
    assert not said["helpful", "ada"].rationale
    assert said["helpful", "bob"].source.source_type == "HUMAN"


def test_one_trace_that_mlflow_refuses_does_not_take_the_others_with_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = gt.evaluate(LABEL, ROWS[:5], scorer=RIGHT, model=gt.ScriptedModel({"*": "good"}), traces="all")
    real = type(TracingClient(store.uri).store)._start_trace_once
    bad = trace_id(result.run, result.rows[2].row.id)

    def start(self: Any, info: Any) -> Any:
        if info.trace_id == bad:
            from mlflow.exceptions import MlflowException

            raise MlflowException("no", error_code=1000)
        return real(self, info)

    monkeypatch.setattr(type(TracingClient(store.uri).store), "_start_trace_once", start)
    assert len(traces(store, result.run)) == 4
    assert spool.count_waiting(open_database()) == 0
