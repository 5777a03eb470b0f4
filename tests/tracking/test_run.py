"""gt.run, and what each kind of run tells MLflow (the table "In MLflow" of the design)."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Literal

import pytest
from mlflow_store import Store
from notebook_cells import written

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import BudgetExceeded, InputError, NotFound
from gen_toolkit.tracking.find import our_run
from gen_toolkit.tracking.run import opened

ROWS = [{"text": "great", "label": "good"}, {"text": "awful", "label": "bad"}]
LABEL = gt.Prompt("label", user="{{ text }}?", output=Literal["good", "bad"])


def evaluate(prompt: gt.Prompt = LABEL) -> Any:
    asked = gt.ScriptedModel({"*": "good"}, name="dry")
    return gt.evaluate(
        prompt, gt.dataset(ROWS, name="films"), scorer=gt.scorers.exact("label", name="acc"), model=asked
    )


def test_an_evaluation_has_the_names_of_the_table(store: Store) -> None:
    result = evaluate()
    run = store.run(result.run)
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "model": "dry",
        "prompt": f"label#{LABEL.hash[:8]}",
        "method": "generate",
        "dataset": "films",
        "dataset_digest": gt.dataset(ROWS).digest,
        "scorers": "acc",
    }
    metrics = dict(run.data.metrics)
    assert metrics.pop("seconds") > 0
    assert metrics.pop("seconds_per_row") >= 0
    assert metrics == {
        "acc": 0.5,
        "acc.low": pytest.approx(result.scores["acc"].low),
        "acc.high": pytest.approx(result.scores["acc"].high),
        "rows": 2,
        "rows_failed": 0,
        "calls": 2,
        "cost_usd": 0,
        "input_tokens": 2,
        "output_tokens": 2,
    }
    tags = run.data.tags
    assert (tags["gen_toolkit.kind"], tags["gen_toolkit.run"]) == ("evaluation", result.run)
    assert (tags["gen_toolkit.parent"], tags["gen_toolkit.cost"]) == (scope.session(), "known")
    assert "mlflow.source.name" in tags


def test_the_table_is_in_the_form_that_the_ui_compares(store: Store) -> None:
    result = evaluate()
    assert store.artifact(result.run, "rows.json") == {
        "columns": ["row", "text", "label", "output", "acc", "error", "seconds"],
        "data": [[r.row.id, *r.row.values(), "good", s, None, pytest.approx(0, abs=9)] for r, s in _scored(result)],
    }
    tag = store.run(result.run).data.tags["mlflow.loggedArtifacts"]
    assert tag == '[{"path": "rows.json", "type": "table"}]'
    run = store.run(result.run).info
    frame = store.mlflow.load_table(run.experiment_id, "rows.json", run_ids=[run.run_id])
    assert list(frame["text"]) == ["great", "awful"]


def _scored(result: Any) -> list[tuple[Any, float]]:
    return [(row, row.scores["acc"].value) for row in result.rows]


def test_a_saved_prompt_is_linked_to_the_runs_that_used_it(store: Store) -> None:
    saved = LABEL.save()
    run = store.run(evaluate(saved).run)
    assert run.data.params["prompt"] == "label@1"
    assert '"name": "label"' in run.data.tags["mlflow.linkedPrompts"]
    assert '"version": "1"' in run.data.tags["mlflow.linkedPrompts"]


def test_an_unknown_cost_is_absent_and_said_to_be_unknown(store: Store) -> None:
    with gt.run("paid") as run:
        gt.chat("a", model=gt.ScriptedModel("b"))
        store.sql("update calls set cost = null")  # as a server does that is in no price list
    told = store.run(run.id).data
    assert told.tags["gen_toolkit.cost"] == "unknown"
    assert "cost_usd" not in told.metrics
    assert told.metrics["calls"] == 1


def test_the_session_is_opened_once_and_is_the_parent_of_what_has_none(store: Store) -> None:
    assert store.runs() == []
    with gt.run("outer") as outer:
        inner = evaluate()
    gt.keep("n", 1)
    runs = {r.data.tags["gen_toolkit.run"]: r for r in store.runs()}
    assert len(runs) == 3
    assert [r.data.tags["gen_toolkit.kind"] for r in store.runs("session")] == ["session"]
    ids = {ours: run.info.run_id for ours, run in runs.items()}
    parents = {ours: run.data.tags.get("mlflow.parentRunId") for ours, run in runs.items()}
    assert parents == {scope.session(): None, outer.id: ids[scope.session()], inner.run: ids[outer.id]}
    assert runs[inner.run].data.tags["gen_toolkit.parent"] == outer.id


def test_a_chat_outside_a_run_makes_no_mlflow_run(store: Store) -> None:
    gt.chat("a", model=gt.ScriptedModel("b"))
    assert store.runs() == []


@pytest.mark.parametrize(
    ("error", "status", "state"),
    [
        (None, "FINISHED", "succeeded"),
        (ValueError("no"), "FAILED", "failed"),
        (KeyboardInterrupt(), "KILLED", "cancelled"),
        (SystemExit(1), "FAILED", "failed"),
    ],
    ids=repr,
)
def test_a_run_says_how_it_ended(store: Store, error: BaseException | None, status: str, state: str) -> None:
    def work() -> Any:
        with gt.run("mine") as run:
            ids.append(run.id)
            if error:
                raise error

    ids: list[str] = []
    if error:
        with pytest.raises(type(error)):
            work()
    else:
        work()
    run = store.run(ids[0])
    assert (run.info.status, run.data.tags["gen_toolkit.state"], run.info.run_name) == (status, state, "mine")


def test_a_mistyped_mode_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="calls='replya' is no mode"), gt.run("x", calls="replya"):  # type: ignore[arg-type]
        pass
    assert store.runs("run") == []


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_of_the_moment_is_a_tag_also_after_the_next_commit(store: Store, workspace: Path) -> None:
    _git(workspace, "init", "-q")
    (workspace / "a.py").write_text("1")
    for expected_dirty in ("false", "true", "false"):
        if expected_dirty == "true":
            (workspace / "a.py").write_text("2")
        else:
            _git(workspace, "add", "a.py")
            _git(workspace, "commit", "-qm", "next")
        with gt.run("x") as run:
            pass
        tags = store.run(run.id).data.tags
        assert tags["mlflow.source.git.commit"] == _git(workspace, "rev-parse", "HEAD")
        assert tags["gen_toolkit.git.dirty"] == expected_dirty


def test_outside_git_there_is_no_commit(store: Store) -> None:
    with gt.run("x") as run:
        pass
    assert "mlflow.source.git.commit" not in store.run(run.id).data.tags


def test_the_notebook_is_kept_beside_the_results(
    store: Store, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace / "notebooks" / "label.ipynb"
    path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    monkeypatch.setenv("GEN_TOOLKIT_NOTEBOOK", str(path))
    with gt.run("x") as run:
        pass
    tags = store.run(run.id).data.tags
    assert (tags["mlflow.source.name"], tags["mlflow.source.type"]) == ("notebooks/label.ipynb", "NOTEBOOK")
    assert len(tags["gen_toolkit.code"]) == 64
    assert store.artifact(run.id, "notebook.ipynb")["nbformat"] == 4


@pytest.mark.parametrize(("ran", "is_known"), [("x = 1", True), ("x = 1\n", True), ("x = 2", False)])
def test_a_cell_that_was_not_saved_is_of_no_code_that_is_known(
    store: Store, workspace: Path, monkeypatch: pytest.MonkeyPatch, ran: str, is_known: bool
) -> None:
    path = written(workspace / "notebooks" / "label.ipynb", "x = 1")
    monkeypatch.setenv("GEN_TOOLKIT_NOTEBOOK", str(path))
    monkeypatch.setattr("gen_toolkit.tracking.run.cell_text", lambda: ran)
    with gt.run("x") as run:
        pass
    assert ("gen_toolkit.code" in store.run(run.id).data.tags) == is_known


def test_a_notebook_that_cannot_be_read_leaves_no_run_open(
    store: Store, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace / "notebooks" / "half.ipynb"
    path.write_text('{"cells": [')
    monkeypatch.setenv("GEN_TOOLKIT_NOTEBOOK", str(path))
    with pytest.raises(gt.GenToolkitError), gt.run("x"):
        pass
    assert [run.info.status for run in store.runs("run")] == ["FAILED"]


@pytest.mark.usefixtures("patient")
def test_ones_own_mlflow_calls_inside_land_in_the_run(store: Store) -> None:
    import mlflow

    with gt.run("outer") as outer:
        mlflow.log_metric("a", 1)
        with gt.run("inner") as inner:
            mlflow.log_metric("b", 2)
        mlflow.log_metric("c", 3)
    with gt.run("next") as last:
        mlflow.log_param("d", "4")
    assert mlflow.active_run() is None
    logged = {key: store.run(run.id).data for key, run in (("outer", outer), ("inner", inner), ("last", last))}
    assert {"a", "c"} <= logged["outer"].metrics.keys()
    assert "b" in logged["inner"].metrics
    assert logged["last"].params == {"d": "4"}
    assert len(store.runs()) == 4  # with the session: no run but ours was made
    assert {run.info.status for run in store.runs("run")} == {"FINISHED"}


@pytest.mark.usefixtures("patient")
def test_ones_own_mlflow_run_around_ours_stays_ones_own(store: Store) -> None:
    import mlflow

    with gt.run("sets the store up"):
        pass
    store.drain()
    with mlflow.start_run(run_name="theirs") as theirs:
        with gt.run("ours") as ours:
            mlflow.log_metric("inside", 1)
        mlflow.log_metric("outside", 1)
    assert store.run(ours.id).data.metrics["inside"] == 1
    assert set(store.mlflow.get_run(theirs.info.run_id).data.metrics) == {"outside"}


@pytest.mark.usefixtures("patient")
def test_a_failed_run_is_failed_also_where_mlflow_was_used_inside(store: Store) -> None:
    import mlflow

    def work() -> None:
        with gt.run("x"):
            mlflow.log_metric("a", 1)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        work()
    assert [run.info.status for run in store.runs("run")] == ["FAILED"]


# budgets


def ask(*texts: str) -> None:
    """A call takes 2 tokens for each one-word text; before it is sent it may take over 300."""
    for text in texts:
        gt.chat(text, model=gt.ScriptedModel({"*": "yes"}), max_tokens=1)


def test_a_run_is_held_to_its_budget_and_outside_nothing_holds(store: Store) -> None:
    with (
        pytest.raises(BudgetExceeded, match="the budget of run 'small' is 330 tokens: 4 tokens are spent") as caught,
        gt.run("small", budget="330 tokens") as run,
    ):
        ask("a", "b", "c" * 100)
    assert caught.value.exit_code == 4
    told = store.run(run.id)
    assert (told.info.status, told.data.metrics["calls"]) == ("FAILED", 3)
    ask("c" * 100)


def test_of_runs_inside_each_other_each_is_held(store: Store) -> None:
    with (
        gt.run("outer", budget="1000 tokens"),
        gt.run("inner", budget="1 tokens"),
        pytest.raises(BudgetExceeded, match="run 'inner'"),
    ):
        ask("a")
    with (
        gt.run("outer", budget="1 tokens"),
        gt.run("inner", budget="1000 tokens"),
        pytest.raises(BudgetExceeded, match="run 'outer'"),
    ):
        ask("a")


def test_a_run_that_is_taken_up_again_goes_on_with_what_is_left(store: Store) -> None:
    """Whoever takes it up names the first run of the chain as the owner of its calls."""
    with opened("run", "again", owner="root"):
        ask("a", "b", "c")
    spent = []
    for _ in range(2):
        with opened("run", "again", budget="330 tokens", owner="root"):
            ask("d")
            with pytest.raises(BudgetExceeded) as caught:
                ask("e" * 100)
        spent.append(caught.value.spent)
    assert spent == ["8 tokens", "10 tokens"]


def test_a_budget_that_is_none_is_refused_before_the_run_begins(store: Store) -> None:
    with pytest.raises(InputError, match="'5 EUR' is no amount"), gt.run("never", budget="5 EUR"):
        pass
    assert store.runs("run") == []


def test_mlflows_id_of_a_run_leads_back_to_ours(store: Store) -> None:
    result = evaluate()
    mlflow_id = store.run(result.run).info.run_id
    found, tags = our_run(mlflow_id)
    assert (found, tags["gen_toolkit.kind"]) == (result.run, "evaluation")
    with pytest.raises(NotFound, match="MLflow has no run abab"):
        our_run("ab" * 16)


def test_of_what_less_is_better_is_on_record(store: Store) -> None:
    asked = gt.ScriptedModel({"*": "good"}, name="dry")
    scorers = [gt.scorers.exact("label", name="acc"), gt.scorers.cost()]
    result = gt.evaluate(LABEL, gt.dataset(ROWS, name="films"), scorer=scorers, model=asked)
    assert store.run(result.run).data.params["less_is_better"] == "cost_per_row"
