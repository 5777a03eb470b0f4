"""gen run with a template up: the same run, the same words, the same ends, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import warm_template
from notebook_cells import command, enter, furnish, written
from released import promoted
from warm_template import here, surrounding, template, until

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.group import may_group
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.warm import keep
from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.tracking.spool import count_waiting
from gen_toolkit.tracking.store import client
from gen_toolkit.workspace import Workspace

pytestmark = [*warm_template.MARKS, pytest.mark.chaos, pytest.mark.usefixtures("delivered")]

USE = "import gen_toolkit as gt, os, sys"
SEEN = (
    "own = ('RUN', 'ROOT', 'WORK', 'DUE')\n"
    "other = ('MLFLOW_RUN_ID', 'TMPDIR', 'IPYTHONDIR', 'JPY_PARENT_PID', *(f'GEN_TOOLKIT_{n}' for n in own))\n"
    "seen = {n: v for n, v in os.environ.items() if n not in other and not n.startswith('PYDEVD_')}\n"
    "gt.keep('seen', {'environment': seen, 'cwd': os.getcwd(), 'name': __name__, 'path': sys.path})\n"
    "gt.keep('limit', limit)\n"
    "gt.keep('warm', 'nbclient' in sys.modules)"
)
NOTEBOOKS = {
    "good": [USE, SEEN, "import mlflow\nmlflow.log_metric('own', 7)"],
    "bounded": [
        USE,
        "import resource\nmask = os.umask(0)\nos.umask(mask)\ngt.keep('umask', mask)\n"
        "gt.keep('files', resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
        "gt.keep('group', open(os.sep + 'proc/self/cgroup').read())",
    ],
    "failing": [USE, "gt.keep('reached', 1)\nraise ValueError('no rows')"],
    "sleeping": [
        USE,
        "gt.keep('began', 1)\nimport subprocess, time\nsubprocess.Popen(['sleep', '300'])\ntime.sleep(300)",
    ],
    "pausing": [USE, "gt.keep('began', 1)\nimport time\ntime.sleep(3)\ngt.keep('done', 1)"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root = furnish(tmp_path_factory.mktemp("warm-runs") / "work")
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        patch.setenv("PYTHONPATH", warm_template.paths())
        with template(here(root)):
            for name, cells in NOTEBOOKS.items():
                promoted(written(root / f"notebooks/{name}.ipynb", *cells), name)
            yield here(root)


@pytest.fixture(autouse=True)
def _in_the_workspace(runs: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs.root)
    monkeypatch.setenv("PYTHONPATH", warm_template.paths())


def gen(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=surrounding(**more),
        capture_output=True,
        text=True,
        timeout=170,
        stdin=subprocess.DEVNULL,
    )


def began(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A command under way, and the attempt whose first cell keeps a value."""
    known = set(_attempts())
    process = subprocess.Popen(
        command(*arguments), env=surrounding(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    attempt = until(lambda: next((one for one in _attempts() if one not in known), None))
    until(lambda: any(str(pid) for pid in marked(RUN_MARK, attempt)) and _kept(attempt))
    return process, attempt


def _attempts() -> list[str]:
    ledger = Ledger(open_database())
    return [one.id for run in ledger.list(limit=100) for one in ledger.attempts(run.id)]


def _kept(attempt: str) -> bool:
    from gen_toolkit.events import ValueKept
    from gen_toolkit.tracking.spool import events_of

    return bool(events_of(open_database(), attempt, ValueKept))


def newest() -> Any:
    return Ledger(open_database()).list(limit=1)[0]


def facts(row: dict[str, Any]) -> dict[str, Any]:
    """What two runs of the same have in common."""
    kept = {name: value for name, value in row["outcome"]["kept"].items() if name != "warm"}
    return {**{key: row[key] for key in ("name", "kind", "state", "release", "digest", "parameters")}, "kept": kept}


def test_a_warm_run_is_the_same_run_as_a_cold_one(runs: Workspace) -> None:
    warm = gen("run", "good", "-p", "limit=5", "--json")
    cold = gen("run", "good", "-p", "limit=5", "--json", GEN_TOOLKIT_START="cold")
    assert (warm.returncode, cold.returncode) == (0, 0), warm.stderr + cold.stderr
    one, other = json.loads(warm.stdout), json.loads(cold.stdout)
    assert (one["outcome"]["kept"]["warm"], other["outcome"]["kept"]["warm"]) == (True, False)
    del other["outcome"]["kept"]["seen"]["environment"]["GEN_TOOLKIT_START"]
    assert facts(one) == facts(other)


@pytest.mark.parametrize("start", ["warm", "cold"])
def test_a_kernel_has_umask_and_limits_of_its_command_and_is_in_the_group_of_its_run(start: str) -> None:
    narrow = "import os, resource, sys; os.umask(0o027); resource.setrlimit(resource.RLIMIT_NOFILE, (700, 1000))"
    arguments = [sys.executable, "-c", f"{narrow}; os.execv(sys.argv[1], sys.argv[1:])", *command("run", "bounded")]
    done = subprocess.run(
        [*arguments, "--json"], env=surrounding(GEN_TOOLKIT_START=start), capture_output=True, text=True, timeout=170
    )
    run = json.loads(done.stdout)
    assert (run["outcome"]["kept"]["umask"], run["outcome"]["kept"]["files"]) == (0o027, 700), done.stderr
    if may_group():
        assert run["outcome"]["kept"]["group"].rstrip().endswith(f"gen_toolkit-{run['attempt']}")


def test_mlflow_gets_the_run_and_the_notebooks_own_metric_after_the_command_has_returned(runs: Workspace) -> None:
    before = {run.id for run in Ledger(open_database()).list(limit=100)}
    assert gen("run", "good").returncode == 0
    (run,) = (run for run in Ledger(open_database()).list(limit=100) if run.id not in before)
    until(lambda: count_waiting(open_database()) == 0)  # nobody asked for it
    mlflow = client(f"sqlite:///{runs.root}/mlruns/mlflow.db")
    experiment = mlflow.get_experiment_by_name(runs.root.name)
    assert experiment is not None
    (attempt,) = Ledger(open_database()).attempts(run.id)
    (found,) = mlflow.search_runs([experiment.experiment_id], f"tags.`gen_toolkit.run` = '{attempt.id}'")
    assert found.info.status == "FINISHED"
    # it lands there when MLflow answered in time (2 s), else in a run of its own
    (own,) = mlflow.search_runs(
        [experiment.experiment_id], "metrics.own = 7", order_by=["start_time DESC"], max_results=1
    )
    assert own.info.run_id == found.info.run_id or "gen_toolkit.run" not in own.data.tags


def test_errors_exit_codes_and_progress_come_through(runs: Workspace) -> None:
    failed = gen("run", "failing")
    assert failed.returncode == 1
    assert "cell 5: ValueError: no rows" in failed.stdout
    assert "failing cell 4/5" in failed.stderr
    refused = gen("run", "good", "-p", "limit=many", "--json")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == "parameter"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)]
)
def test_a_signal_to_the_command_ends_the_run_in_order(runs: Workspace, number: signal.Signals, code: int) -> None:
    process, attempt = began("run", "sleeping")
    process.send_signal(number)
    out, _ = process.communicate(timeout=90)
    assert process.returncode == code
    assert "cancelled" in out
    assert newest().state == "cancelled"
    assert marked(RUN_MARK, attempt) == []


def test_a_command_that_is_killed_takes_its_run_with_it(runs: Workspace) -> None:
    process, attempt = began("run", "sleeping")
    process.kill()
    process.communicate()
    until(lambda: newest().state == "cancelled")
    until(lambda: marked(RUN_MARK, attempt) == [])


@pytest.mark.long
def test_twenty_runs_at_once_all_succeed(runs: Workspace) -> None:
    processes = [
        subprocess.Popen(
            command("run", "good", "--json"),
            env=surrounding(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(20)
    ]
    rows = [json.loads(process.communicate(timeout=170)[0]) for process in processes]
    assert {row["state"] for row in rows} == {"succeeded"}
    assert len({row["id"] for row in rows}) == 20
    assert all(row["outcome"]["kept"]["warm"] for row in rows)


def test_a_killed_template_ends_no_run_and_the_next_one_starts_cold(runs: Workspace) -> None:
    """Last, since the template of this module is gone then."""
    process, attempt = began("run", "pausing", "--json")
    status = keep.status(runs)
    assert status is not None
    os.kill(status.pid, signal.SIGKILL)
    out, said = process.communicate(timeout=90)
    assert process.returncode == 0, said
    assert json.loads(out)["outcome"]["kept"]["done"] == 1
    assert marked(RUN_MARK, attempt) == []
    after = gen("--verbose", "run", "failing")
    assert after.returncode == 1
    assert after.stderr.startswith("cold start: no template is up")


def test_folder_of_records_is_closed_to_others(runs: Workspace) -> None:
    assert Path(runs.records).stat().st_mode & 0o077 == 0
    assert not (runs.records / "warm.sock").exists() or (runs.records / "warm.sock").stat().st_mode & 0o077 == 0
