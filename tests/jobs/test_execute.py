"""A job in a real kernel: what it sees, what it brings, and that its ending is told as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import code, enter, furnish, gen, source_of, written
from released import promoted

from gen_toolkit.process import marked
from gen_toolkit.releases.start import run_release, try_notebook
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.tracking import find
from gen_toolkit.tracking.store import client
from gen_toolkit.tracking.writer import drain

pytestmark = pytest.mark.kernel

SECRET = "hunter2-and-some-more"
GOOD_PARAMETERS = """from pathlib import Path
from gen_toolkit import Secret

limit: int = 3  # how many
word: str = "x"
folder: Path = Path("data")
key: Secret = Secret("env:JOB_KEY")
"""
GOOD = [
    "import os, subprocess\nimport mlflow\nimport gen_toolkit as gt\norder = [1]",
    code("order.append(2)\n1 / 0", "raises-exception"),
    "order.append(3)\nsleeper = subprocess.Popen(['sleep', '300'], start_new_session=True)",
    "mlflow.log_metric('own', 7)",
    "reply = gt.chat('a good film', model='dry')\ngt.keep('label', reply.value)",
    "gt.keep('score', 0.5)\ngt.keep('score', 0.75)",
    "print(key.value)\nraised = RuntimeError(key.value)\nraised",
    "gt.keep('order', order)\n"
    "seen = {'limit': limit, 'word': word, 'folder': str(folder), 'cwd': os.getcwd()}\n"
    "gt.keep('seen', {**seen, 'canary': os.environ.get('CANARY'), 'key': len(os.environ.get('JOB_KEY', ''))})",
    "gt.keep('unreviewed', 'of_start_up' in globals())",
]
HOSTILE = "'; raise SystemExit #\n{{ x }}"
USE = "import gen_toolkit as gt"
NEVER = "gt.keep('a', 1)"
NOTEBOOKS = {
    "failing": [USE, "x = 1", "def f():\n    raise ValueError('no <b>rows</b>')\nf()", NEVER],
    "leaving": [USE, "import sys\nsys.exit(0)", NEVER],
    "sleeping": [USE, "import time\ntime.sleep(300)", NEVER],
}


@dataclass(frozen=True)
class Ended:
    row: dict[str, Any]
    notebook: dict[str, Any]
    mlflow: Any
    attempt: Any
    """Its MLflow run."""
    exit_code: int | None = None


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ended]]:
    """One job of each kind; the one that must wait for its timeout waits in the background."""
    root = furnish(tmp_path_factory.mktemp("jobs") / "work")
    good = written(root / "notebooks/good.ipynb", *GOOD, parameters=GOOD_PARAMETERS)
    paths = {name: written(root / f"notebooks/{name}.ipynb", *cells) for name, cells in NOTEBOOKS.items()}
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as background:
        enter(root, patch)
        slow = background.submit(gen, "try", paths["sleeping"], "--timeout", "30", "--json", cwd=root)
        patch.setenv("CANARY", "bird")
        patch.setenv("HOME", str(root / "home"))
        start_up = root / "home/.ipython/profile_default/startup/00.py"
        start_up.parent.mkdir(parents=True)
        start_up.write_text("of_start_up = 1")
        patch.setenv("JOB_KEY", SECRET)
        patch.setattr(find, "_PATIENCE", 30.0)  # else a slow machine gives the notebook a run of its own
        promoted(good, "good")
        rows = {"good": run_release("good", {"limit": "4", "word": HOSTILE}).run.to_json()}
        rows |= {name: try_notebook(paths[name], {}).run.to_json() for name in ("failing", "leaving")}
        drain(seconds=60)  # while the slow one still waits
        done = slow.result()
        rows["sleeping"] = json.loads(done.stdout)
        assert drain(seconds=60) == 0
        yield {name: told(root, row, done.returncode) for name, row in rows.items()}


def told(root: Path, row: dict[str, Any], exit_code: int) -> Ended:
    mlflow = client(f"sqlite:///{root}/mlruns/mlflow.db")
    experiment = mlflow.get_experiment_by_name(root.name)
    assert experiment is not None
    run, attempt = (
        mlflow.search_runs([experiment.experiment_id], f"tags.`gen_toolkit.run` = '{row[which]}'")[0]
        for which in ("id", "attempt")
    )
    notebook = json.loads((Path(row["folder"]) / "notebook.ipynb").read_text())
    return Ended(row, notebook, run, attempt, exit_code if "sleeping" in row["notebook"] else None)


def test_a_good_run_succeeds_with_the_values_it_kept_and_what_it_took(runs: dict[str, Ended]) -> None:
    good = runs["good"]
    assert (good.row["state"], good.row["reason"]) == ("succeeded", None)
    assert good.row["kind"] == "job"
    assert good.row["release"] == 1
    assert {"label": "positive", "score": 0.75, "order": [1, 2, 3]}.items() <= good.row["outcome"]["kept"].items()
    assert good.row["outcome"]["calls"] == 1
    assert good.row["outcome"]["models"] == ["dry"]
    assert float(good.row["outcome"]["cost_usd"]) == 0


def test_a_kernel_sees_the_given_parameters_and_an_allow_listed_environment(runs: dict[str, Ended]) -> None:
    good = runs["good"]
    root = Path(good.row["folder"]).parents[2]
    assert good.row["outcome"]["kept"]["seen"] == {
        "limit": 4, "word": HOSTILE, "folder": "data", "cwd": str(root), "canary": None, "key": len(SECRET)
    }  # fmt: skip


def test_start_up_files_of_whoever_runs_it_are_not_part_of_a_job(runs: dict[str, Ended]) -> None:
    assert runs["good"].row["outcome"]["kept"]["unreviewed"] is False


def test_the_saved_notebook_holds_the_cells_in_order_with_the_injected_one(runs: dict[str, Ended]) -> None:
    cells = runs["good"].notebook["cells"]
    tags = [cell["metadata"].get("tags", []) for cell in cells]
    assert tags[:3] == [["release"], ["parameters"], ["injected-parameters"]]
    assert "limit = 4\n" in source_of(cells[2])
    counts = [cell["execution_count"] for cell in cells]
    assert counts == sorted(counts)
    assert cells[4]["outputs"][0]["ename"] == "ZeroDivisionError"  # its tag allows it


def test_a_secret_is_written_nowhere(runs: dict[str, Ended]) -> None:
    records = Path(runs["good"].row["folder"]).parents[1]
    assert "hunter2-" not in json.dumps(runs["good"].row)
    for path in [p for p in records.rglob("*") if p.is_file()]:
        assert SECRET.encode() not in path.read_bytes(), path


def test_files_of_a_run_are_for_their_owner_only(runs: dict[str, Ended]) -> None:
    folder = Path(runs["good"].row["folder"])
    for path in [folder, *folder.iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("name", ["good", "failing", "leaving", "sleeping"])
def test_no_process_of_a_run_outlives_it(runs: dict[str, Ended], name: str) -> None:
    assert marked(RUN_MARK, runs[name].row["attempt"]) == []


@pytest.mark.parametrize(
    ("name", "state", "cell", "error", "says"),
    [
        ("failing", "failed", 5, "ValueError", "no <b>rows</b>"),
        ("leaving", "failed", 4, None, None),
        ("sleeping", "timed out", 4, None, "not done after 30 s"),
    ],
)
def test_a_run_that_did_not_succeed_says_where_and_why(
    runs: dict[str, Ended], name: str, state: str, cell: int, error: str | None, says: str | None
) -> None:
    ended = runs[name]
    assert ended.row["state"] == state
    assert ended.row["outcome"]["kept"] == {}
    reason = ended.row["reason"]
    assert reason["cell"] == cell
    if error:
        assert reason["error"] == error
        assert "in f()" in reason["excerpt"]
        assert "\x1b" not in reason["excerpt"]
    if says:
        assert says in reason["message"]


@pytest.mark.parametrize("name", ["failing", "leaving", "sleeping"])
def test_the_saved_notebook_tells_the_ledgers_truth(runs: dict[str, Ended], name: str) -> None:
    ended = runs[name]
    metadata = ended.notebook["metadata"]
    assert metadata["gen_toolkit"]["state"] == ended.row["state"]
    assert metadata["papermill"]["exception"] is True
    status = [cell["metadata"]["papermill"]["status"] for cell in ended.notebook["cells"]]
    stopped = ended.row["reason"]["cell"]
    rest = len(status) - stopped
    assert status == ["completed"] * (stopped - 1) + ["failed"] + ["pending"] * rest
    assert not ended.notebook["cells"][-1]["outputs"]


def test_mlflow_holds_the_jobs_parameters_numbers_tags_and_files(runs: dict[str, Ended]) -> None:
    run = runs["good"].mlflow
    row = runs["good"].row
    assert run.info.status == "FINISHED"
    assert {"p.limit": "4", "p.word": HOSTILE, "p.key": "env:JOB_KEY"}.items() <= run.data.params.items()
    assert run.data.params["model"] == "dry"
    assert {"score": 0.75, "calls": 1.0, "cost_usd": 0.0}.items() <= run.data.metrics.items()
    assert run.data.metrics["seconds"] == pytest.approx(row["seconds"], abs=1)
    expected = {
        "gen_toolkit.kind": "job", "gen_toolkit.run": row["id"], "gen_toolkit.release": "good/1",
        "gen_toolkit.cost": "known", "gen_toolkit.state": "succeeded", "mlflow.source.name": "notebooks/good.ipynb",
    }  # fmt: skip
    assert expected.items() <= run.data.tags.items()
    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    assert json.loads((artifacts / "outputs.json").read_text()) == row["outcome"]["kept"]


def test_inside_it_stands_its_attempt_with_the_notebook_and_all_that_the_kernel_said(runs: dict[str, Ended]) -> None:
    run, attempt, row = runs["good"].mlflow, runs["good"].attempt, runs["good"].row
    expected = {
        "gen_toolkit.kind": "attempt", "gen_toolkit.parent": row["id"], "mlflow.parentRunId": run.info.run_id,
        "gen_toolkit.state": "succeeded", "gen_toolkit.release": "good/1",
    }  # fmt: skip
    assert expected.items() <= attempt.data.tags.items()
    assert attempt.info.status == "FINISHED"
    assert attempt.info.run_name == "good · release 1 · attempt 1"
    assert {"score": 0.75, "calls": 1.0, "cost_usd": 0.0}.items() <= attempt.data.metrics.items()
    artifacts = Path(attempt.info.artifact_uri.removeprefix("file://"))
    said = json.loads((artifacts / "notebook.ipynb").read_text())["metadata"]["gen_toolkit"]
    assert (said["state"], said["run"], said["attempt"]) == ("succeeded", row["id"], row["attempt"])
    assert json.loads((artifacts / "kept/label.json").read_text()) == "positive"
    assert json.loads((artifacts / "outputs.json").read_text()) == row["outcome"]["kept"]


def test_the_notebooks_own_mlflow_calls_land_in_the_attempts_run(runs: dict[str, Ended]) -> None:
    assert runs["good"].attempt.data.metrics["own"] == 7


@pytest.mark.parametrize(("name", "status"), [("failing", "FAILED"), ("leaving", "FAILED"), ("sleeping", "FAILED")])
def test_mlflow_says_of_a_run_that_did_not_succeed_that_it_did_not(
    runs: dict[str, Ended], name: str, status: str
) -> None:
    assert runs[name].mlflow.info.status == runs[name].attempt.info.status == status
    assert runs[name].mlflow.data.tags["gen_toolkit.state"] == runs[name].row["state"]


def test_the_log_holds_what_cells_printed(runs: dict[str, Ended]) -> None:
    log = Path(runs["good"].row["outcome"]["log"]).read_text()
    assert "kept label = positive" in log


def test_a_command_whose_run_timed_out_exits_with_4(runs: dict[str, Ended]) -> None:
    assert runs["sleeping"].exit_code == 4
