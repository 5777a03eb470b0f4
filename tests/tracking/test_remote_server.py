"""MLFLOW_TRACKING_URI on a real `mlflow server`: all of it lands there, and nothing in the workspace's own store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from mlflow_server import Server
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import GateRefused
from gen_toolkit.tracking import spool
from gen_toolkit.tracking.store import client

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("delivered")]

LABEL = gt.Prompt("label", user="{{ text }}?", output=Literal["good", "bad"])
ROWS = [{"text": "great", "label": "good"}, {"text": "awful", "label": "bad"}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server"))
    yield made
    made.stop()


@pytest.fixture
def remote(server: Server, store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The workspace of a test that says MLFLOW_TRACKING_URI; its own store is there too, and must stay empty."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    return client(server.uri)


def _runs(remote: Any, name: str) -> list[Any]:
    experiment = remote.get_experiment_by_name("work")
    return list(remote.search_runs([experiment.experiment_id], f"tags.`mlflow.runName` = '{name}'"))


def test_events_wait_for_a_server_that_comes_later_and_are_delivered_once(
    server: Server, store: Store, remote: Any
) -> None:
    with gt.run("early"):
        gt.keep("n", 1)
    waiting = spool.count_waiting(open_database())
    assert store.drain(seconds=3) == waiting > 3
    server.start()
    assert store.drain() == 0
    (run,) = _runs(remote, "early")
    assert (run.data.metrics["n"], run.info.status) == (1, "FINISHED")
    store.sql("update spool set delivered_at = null")
    assert store.drain() == 0
    assert len(_runs(remote, "early")) == 1
    assert len(remote.get_metric_history(run.info.run_id, "n")) == 1


@pytest.mark.usefixtures("patient")
def test_runs_prompts_and_tables_land_on_the_server_and_none_in_the_workspace(store: Store, remote: Any) -> None:
    import mlflow

    saved = LABEL.save("first", alias="staging")
    assert gt.load_prompt("label@staging") == saved
    with gt.run("remote"):
        mlflow.log_metric("own", 3)
        result = gt.evaluate(
            saved,
            ROWS,
            scorer=gt.scorers.exact("label", name="acc"),
            model=gt.ScriptedModel({"*": "good"}),
            name="evaluated",
            baseline="label@staging",
        )
    assert store.drain() == 0
    (outer,) = _runs(remote, "remote")
    (inner,) = _runs(remote, "evaluated")
    assert outer.data.metrics["own"] == 3
    assert inner.data.tags["mlflow.parentRunId"] == outer.info.run_id
    assert (inner.data.params["prompt"], inner.data.metrics["acc"]) == ("label@1", 0.5)
    assert result.verdicts[0].finding == "too few rows"
    table = remote.load_table(inner.info.experiment_id, "rows.json", run_ids=[inner.info.run_id])
    assert list(table["output"]) == ["good", "good"]
    assert remote.get_prompt_version_by_alias("label", "staging").version == 1
    assert '"label"' in inner.data.tags["mlflow.linkedPrompts"]
    assert store.mlflow.get_experiment_by_name("work") is None
    assert store.mlflow.search_registered_models() == []
    assert list(store.mlflow.search_prompts()) == []
    assert not (store.root / "mlruns" / "artifacts").exists()


def test_prompt_files_aliases_and_the_gate_work_on_the_server(store: Store, remote: Any) -> None:
    from gen_toolkit.evals.prompt_gate import promote
    from gen_toolkit.prompts.history import log, rollback
    from gen_toolkit.prompts.overview import details, overview
    from gen_toolkit.prompts.sync import sync

    path = store.root / "notebooks" / "tone.prompt.md"
    text = "---\nname: tone\nowner: us\nvariables: {text: str}\nuntrusted: [text]\noutput: [good, bad]\n---\n# user\n"
    for said in ("{{ text }}?", "{{ text }}!"):
        path.write_text(text + said + "\n")
        assert [synced.state for synced in sync(check=True)] == [synced.state for synced in sync()]
    assert [synced.state for synced in sync(check=True)] == ["same"]
    promote("tone", "1", "live", reason="the first")
    with pytest.raises(GateRefused):
        promote("tone", "2", "live")
    rows = [{"text": f"great {n}", "label": "good"} for n in range(30)]
    right = gt.scorers.exact("label", name="acc")
    model = gt.ScriptedModel({"*": "good"})
    gt.evaluate(gt.load_prompt("tone@2"), rows, scorer=right, model=model, baseline="tone@live")
    _, moved, gate = promote("tone", "2", "live")
    assert gate is not None
    assert gate.passed, gate.said
    assert moved is not None
    assert gt.load_prompt("tone@live").untrusted == {"text"}
    assert rollback("tone", "live").after == 1
    assert [line.what for line in log("tone")][:2] == ["live 2 → 1 (rollback)", "live 1 → 2 (promote)"]
    assert details("tone@live")["owner"] == "us"
    assert {line.name: line.aliases for line in overview()}["tone"] == {"live": 1}
    assert list(store.mlflow.search_prompts()) == []


def test_traces_scores_datasets_and_words_of_people_land_on_the_server_once(store: Store, remote: Any) -> None:
    from gen_toolkit.evals.traced import trace_rows
    from gen_toolkit.tracking.assessments import assess_row

    rows = [{"text": f"film {n}", "label": "good"} for n in range(30)]
    model = gt.ScriptedModel({"*": "good"})
    right = gt.scorers.exact("label", name="acc")
    result = gt.evaluate(LABEL, rows, scorer=right, model=model, name="traced", traces="all")
    assess_row(result.run, result.rows[0].row.id, "helpful", value=False, by="ada")
    assert store.drain(60) == 0
    trace_rows(result)
    assess_row(result.run, result.rows[0].row.id, "helpful", value=True, by="ada")
    assert store.drain(60) == 0
    (run,) = _runs(remote, "traced")
    found = remote.search_traces(locations=[run.info.experiment_id], run_id=run.info.run_id, max_results=100)
    assert len(found) == 30
    assert all([span.span_type for span in trace.data.spans] == ["CHAIN", "CHAT_MODEL"] for trace in found)
    said = [(each.name, each.value) for trace in found for each in trace.info.assessments]
    assert sorted(said) == [("acc", 1.0)] * 30 + [("helpful", True)]
    assert [used.dataset.name for used in run.inputs.dataset_inputs] == ["rows"]
