"""Which run speaks for a notebook, and what is said where none does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from notebook_cells import KEEPS, furnish, written

from gen_toolkit import scope
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.errors import GateRefused, NotFound
from gen_toolkit.events import Event, FileRecorded, Recorded, RunStarted, TableRecorded, ValueKept
from gen_toolkit.ipynb import code_hash, read_notebook
from gen_toolkit.jobs.session import Executed
from gen_toolkit.releases.check import checked
from gen_toolkit.releases.freeze import freeze, write_release
from gen_toolkit.releases.promotion import proof
from gen_toolkit.releases.promotion.found import evidence_of
from gen_toolkit.releases.promotion.named import named_run
from gen_toolkit.releases.promotion.proof import Wanted, prove
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking import spool


@pytest.fixture
def path(workspace: Path) -> Path:
    furnish(workspace, mlflow=False)
    return written(workspace / "notebooks/label.ipynb", KEEPS)


def emit(event: Event) -> None:
    """Into the records; nobody delivers it."""
    spool.put(open_database(), event, "sqlite:///nowhere.db", "work")


def session(path: Path, *, executed: bool = True, code: str | None = None) -> str:
    """The records of a notebook session with an evaluation inside, of the code that `path` has now."""
    run, evaluation = scope.new_id(), scope.new_id()
    tags = {"gen_toolkit.code": code or code_hash(read_notebook(path))}
    emit(RunStarted(run=run, name="label", run_kind="session"))
    params = {"scorers": "accuracy, brevity", "dataset_digest": "d", "prompt": "label@1"}
    emit(RunStarted(run=evaluation, name="wording", run_kind="evaluation", parent=run, params=params))
    emit(Recorded(run=evaluation, tags=tags, metrics={"accuracy": 0.5, "rows": 2, "rows_failed": 0}))
    emit(FileRecorded(run=evaluation, file="notebook.ipynb", content=path.read_text()))
    columns = ["row", "text", "output", "accuracy", "brevity", "error", "seconds"]
    rows = [["r1", "a", "x", 1.0, 3.0, None, 0.1], ["r2", "b", None, None, None, "no answer", 0.1]]
    emit(TableRecorded(run=evaluation, file="rows.json", columns=columns, rows=rows))
    emit(Recorded(run=evaluation, tags={"gen_toolkit.verdict.accuracy": "accuracy: better than x"}))
    emit(ValueKept(run=run, name="accuracy", value=0.5))
    if executed:
        emit(Recorded(run=run, tags={**tags, "gen_toolkit.executed": "1796015336.9"}, metrics={"seconds": 3.0}))
        folder = load_settings().workspace.records / "sessions" / run
        (folder / "release").mkdir(parents=True)
        (folder / "notebook.ipynb").write_text(path.read_text())
        subject = checked(path)
        write_release(freeze(subject), folder / "release", subject, {"name": "label", "release": None})
    return run


def proven(path: Path, *, gates: bool = False, **wanted: Any) -> proof.Proof:
    subject = checked(path)
    return prove(subject, freeze(subject), {"gates": {}} if gates else {}, Wanted(**wanted))


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The notebooks that were executed anew: none is, the last session speaks for them."""
    made: list[Path] = []

    def rehearsed(database: Database, subject: Any, *_: Any) -> Executed:
        made.append(subject.path)
        return Executed("01990000-new", "01990000-new", 0.0, 1.0, Path("nowhere"), {})

    monkeypatch.setattr(proof, "_rehearsed", rehearsed)
    return made


def test_the_last_session_that_ran_through_speaks_for_the_notebook(path: Path, executions: list[Path]) -> None:
    session(path)
    last = session(path)
    session(path, executed=False)
    found = proven(path, gates=True).evidence
    assert (found.run, found.executed, found.kept, found.at) == (last, True, {"accuracy": 0.5}, 1796015336.9)
    (scored,) = found.evaluations
    assert scored.scores == {"r1": {"accuracy": 1.0, "brevity": 3.0}, "r2": {"accuracy": None, "brevity": None}}
    assert (scored.name, scored.metrics["accuracy"]) == ("wording", 0.5)
    assert scored.verdicts == {"accuracy": "accuracy: better than x"}
    assert executions == []


def test_another_version_of_what_it_loads_is_executed_anew(path: Path, executions: list[Path]) -> None:
    run = session(path)
    manifest = load_settings().workspace.records / "sessions" / run / "release/manifest.json"
    manifest.write_text(manifest.read_text().replace('"default": 3', '"default": 4'))
    assert proven(path).made
    assert executions == [path]


@pytest.mark.parametrize("gates", [True, False])
def test_cells_that_were_run_by_hand_prove_nothing_but_that_it_was_tried(
    path: Path, executions: list[Path], gates: bool
) -> None:
    session(path, executed=False)
    assert proven(path, gates=gates).made
    assert executions == [path]


def test_without_a_run_of_this_code_gates_refuse(path: Path, executions: list[Path]) -> None:
    session(path, code="0" * 64)
    with pytest.raises(GateRefused, match=r"no run is of this very code of label\.ipynb") as refused:
        proven(path, gates=True)
    assert "add --evaluate" in refused.value.fix
    assert proven(path, gates=True, evaluate=True).made
    assert proven(path).made
    assert len(executions) == 2


def test_a_run_may_be_named_and_must_be_of_this_code(path: Path, executions: list[Path]) -> None:
    run = session(path)
    session(path)
    assert proven(path, run=run).evidence.run == run
    written(path, KEEPS + "\ngt.keep('more', 1)")
    with pytest.raises(GateRefused, match=r"is of other code than label\.ipynb has now") as refused:
        proven(path, run=run)
    assert "Run the notebook as it is now" in refused.value.fix
    assert executions == []


def test_the_evaluation_that_is_named_decides(path: Path) -> None:
    run = session(path)
    (evaluation,) = (one.run for one in proven(path, run=run).evidence.evaluations)
    with pytest.raises(NotFound, match="more than one run begins with"):
        proven(path, run=evaluation[:8])
    assert proven(path, run=evaluation).evidence.decides == "wording"


@pytest.mark.parametrize("given", ["x", "01990000", "0199", "http://localhost:5000/#/experiments/1", "'; drop table"])
def test_what_names_no_run_is_refused(path: Path, given: str) -> None:
    session(path)
    with pytest.raises(NotFound):
        proven(path, run=given)


def test_an_address_of_the_mlflow_ui_names_a_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = session(path), []

    def our_run(mlflow_id: str) -> tuple[str, dict[str, str]]:
        asked.append(mlflow_id)
        return run if mlflow_id == "ab" * 16 else "01990000-gone", {"gen_toolkit.code": "c", "mlflow.runName": "far"}

    monkeypatch.setattr("gen_toolkit.tracking.find.our_run", our_run)
    address = f"http://localhost:5000/#/experiments/1/runs/{'ab' * 16}/model-metrics?x=1"
    assert named_run(open_database(), address).run == run
    far = named_run(open_database(), "cd" * 16)
    assert (far.name, far.code, far.is_here) == ("far", "c", False)
    assert asked == ["ab" * 16, "cd" * 16]


def test_a_run_that_was_made_elsewhere_is_not_paid_for_again_unasked(
    path: Path, executions: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {"gen_toolkit.code": code_hash(read_notebook(path))}
    monkeypatch.setattr("gen_toolkit.tracking.find.our_run", lambda _: ("01990000-far", tags))
    with pytest.raises(GateRefused, match="was made elsewhere"):
        proven(path, run="cd" * 16)
    assert proven(path, run="cd" * 16, evaluate=True).made


def test_rows_that_were_repeated_or_grouped_stay_apart(path: Path) -> None:
    run, evaluation = scope.new_id(), scope.new_id()
    emit(RunStarted(run=run, name="label", run_kind="session"))
    params = {"scorers": "accuracy", "group": "user"}
    emit(RunStarted(run=evaluation, name="w", run_kind="evaluation", parent=run, params=params))
    columns = ["row", "repeat", "user", "output", "accuracy", "error", "seconds"]
    rows = [
        ["r1", 0, "ada", "x", 1.0, None, 0.1],
        ["r2", 0, "ada", "x", 0.0, None, 0.1],
        ["r1", 1, "ada", "", 0.0, None, 0],
    ]
    emit(TableRecorded(run=evaluation, file="rows.json", columns=columns, rows=rows))
    (scored,) = evidence_of(open_database(), Executed(run, run, 0.0, 1.0, path, {})).evaluations
    assert {key: score["accuracy"] for key, score in scored.scores.items()} == {"r1": 1, "r2": 0, "r1 (repeat 1)": 0}
    assert len(set(scored.groups.values())) == 1
    assert "ada" not in str(scored)
