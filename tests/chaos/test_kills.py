"""Whoever is killed while a cell works: nothing of the run is left behind, and every record tells the truth."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_lines import command_line
from notebook_cells import command, enter, environment_of_nobody, furnish, gen_json, source_of, written
from released import promoted_in

from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.tracking.store import client
from gen_toolkit.tracking.writer import drain

pytestmark = [pytest.mark.chaos, pytest.mark.kernel, pytest.mark.timeout(600)]

SLEEPER = [
    "import os, subprocess, time\nfrom pathlib import Path\nimport gen_toolkit as gt",
    "gt.keep('before', 1)",
    "child = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
    "Path(f'{name}.ready').write_text(f'{os.environ[\"GEN_TOOLKIT_RUN\"]} {os.getpid()}')\n"
    "time.sleep(300)",
    "gt.keep('after', 1)",
]
ASLEEP = 6  # release cell, parameters, injected, two of ours, and then this


@dataclass(frozen=True)
class Kill:
    victims: str
    signals: tuple[int, ...]
    exit_code: int
    state: str
    says: str
    mlflow: str = "KILLED"


KILLS = {
    "kernel": Kill("kernel", (signal.SIGKILL,), 1, "killed", "kernel was killed by SIGKILL"),
    "runner": Kill("runner", (signal.SIGKILL,), 1, "killed", "runner was killed by SIGKILL"),
    "reaper": Kill("reaper", (signal.SIGKILL,), 1, "killed", "reaper was killed by SIGKILL"),
    "command and reaper": Kill("command reaper", (signal.SIGKILL,), -9, "lost", "process that supervised it is gone"),
    "command": Kill("command", (signal.SIGKILL,), -signal.SIGKILL, "lost", "process that supervised it is gone"),
    "sigterm": Kill("command", (signal.SIGTERM,), 143, "cancelled", "stopped by SIGTERM"),
    "sigint": Kill("command", (signal.SIGINT,), 130, "cancelled", "stopped by SIGINT"),
    "twice": Kill("command", (signal.SIGINT, signal.SIGINT), 130, "cancelled", "stopped by SIGINT"),
}


@dataclass
class Run:
    process: subprocess.Popen[bytes]
    id: str
    """Of its attempt: what its processes are marked with."""
    kernel: int
    exit_code: int = 0
    left: tuple[str, ...] = ()
    """Command lines of what still bore the run's mark 10 s after the kill."""
    row: Any = None


@dataclass(frozen=True)
class Aftermath:
    root: Path
    runs: dict[str, Run]
    release_before: dict[str, str]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """Some runs of one release asleep at once, each killed in its way; then one more gen command."""
    root = furnish(tmp_path_factory.mktemp("kills") / "work")
    written(root / "notebooks/sleeper.ipynb", *SLEEPER, parameters='name: str = "x"')
    assert promoted_in(root, "notebooks/sleeper.ipynb", "sleeper").number == 1
    before = hashes(root / "pipelines")
    processes = {
        name: subprocess.Popen(
            command("run", "sleeper", "-p", f"name={name}"),
            cwd=root,
            env=environment_of_nobody(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for name in KILLS
    }
    try:
        runs = {name: asleep(root, name, process) for name, process in processes.items()}
        for name, run in runs.items():
            kill(KILLS[name], run)
        for run in runs.values():
            run.exit_code = run.process.wait(timeout=30)
            patiently(lambda run=run: not marked(RUN_MARK, run.id), 10)  # type: ignore[misc]
            run.left = tuple(map(command_line, marked(RUN_MARK, run.id)))
        rows = {row["attempt"]: row for row in gen_json("runs", "list", cwd=root)}
        for run in runs.values():
            run.row = rows[run.id]
        with pytest.MonkeyPatch.context() as patch:  # MLflow follows when it can: here and now
            enter(root, patch)
            assert drain(seconds=120) == 0
        yield Aftermath(root, runs, before)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def early(tmp_path: Path) -> Run:
    """A run whose kernel is killed as soon as there is one."""
    root = furnish(tmp_path / "early")
    path = written(root / "notebooks/sleeper.ipynb", *SLEEPER, parameters='name: str = "x"')
    process = subprocess.Popen(
        command("try", path, "--json"), cwd=root, env=environment_of_nobody(), stdout=-1, stderr=-3
    )

    found: list[tuple[str, int]] = []

    def kernels() -> list[tuple[str, int]]:
        runs = [folder.name for folder in root.glob("mlruns/runs/*")]
        found.extend((run, pid) for run in runs for pid in marked(RUN_MARK, run) if "ipykernel" in command_line(pid))
        return found

    assert patiently(kernels, 60), "no kernel"
    run, kernel = min(found)  # a child that it forks has its command line, until it becomes another program
    os.kill(kernel, signal.SIGKILL)
    told, _ = process.communicate(timeout=60)
    return Run(process, run, kernel, process.returncode, row=json.loads(told))


def test_a_kernel_killed_while_it_starts_is_a_killed_run(early: Run) -> None:
    assert (early.row["state"], early.exit_code) == ("killed", 1)
    assert early.row["reason"]["message"] == "the kernel was killed by SIGKILL"
    assert marked(RUN_MARK, early.id) == []
    notebook = json.loads((Path(early.row["folder"]) / "notebook.ipynb").read_text())
    assert notebook["metadata"]["gen_toolkit"]["state"] == "killed"
    assert "completed" not in [cell["metadata"]["papermill"]["status"] for cell in notebook["cells"]]


def asleep(root: Path, name: str, process: subprocess.Popen[bytes]) -> Run:
    ready = root / f"{name}.ready"
    assert patiently(lambda: ready.exists() and " " in ready.read_text(), 300), f"{name} never slept"
    run, kernel = ready.read_text().split()
    return Run(process, run, int(kernel))


def kill(how: Kill, run: Run) -> None:
    by_name = {"kernel": run.kernel, "command": run.process.pid}
    for name in ("runner", "reaper"):
        by_name[name] = next(pid for pid in marked(RUN_MARK, run.id) if f"gen_toolkit.jobs.{name}" in command_line(pid))
    victims = [by_name[victim] for victim in how.victims.split()]
    if len(victims) > 1:  # so that none of them sees another one go
        for victim in victims:
            os.kill(victim, signal.SIGSTOP)
    for number in how.signals:
        for victim in victims:
            os.kill(victim, number)
        time.sleep(0.02)


def patiently(true: Callable[[], object], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def hashes(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("name", KILLS)
def test_no_process_of_a_killed_run_is_left(aftermath: Aftermath, name: str) -> None:
    run = aftermath.runs[name]
    if name == "command and reaper":  # nobody was left to end what the cell had started: the next gen command does
        assert set(run.left) == {"sleep 300 "}
    else:
        assert run.left == ()
    assert marked(RUN_MARK, run.id) == []


@pytest.mark.parametrize("name", KILLS)
def test_the_ledger_and_the_exit_code_say_how_it_ended(aftermath: Aftermath, name: str) -> None:
    how, run = KILLS[name], aftermath.runs[name]
    assert (run.row["state"], run.exit_code) == (how.state, how.exit_code)
    assert how.says in run.row["reason"]["message"]
    assert run.row["reason"]["cell"] == ASLEEP
    assert run.row["outcome"]["kept"] == {"before": 1}


@pytest.mark.parametrize("name", KILLS)
def test_the_saved_notebook_says_the_same_as_the_ledger(aftermath: Aftermath, name: str) -> None:
    row = aftermath.runs[name].row
    notebook = json.loads((Path(row["folder"]) / "notebook.ipynb").read_text())
    assert notebook["metadata"]["gen_toolkit"]["state"] == row["state"]
    assert notebook["metadata"]["papermill"]["exception"] is True
    status = [cell["metadata"]["papermill"]["status"] for cell in notebook["cells"]]
    assert status[-1] == "pending"
    assert status.count("failed") == 1
    failed = notebook["cells"][status.index("failed")]
    assert failed["execution_count"] is None or "time.sleep" in source_of(failed)


@pytest.mark.parametrize("name", KILLS)
def test_mlflow_does_not_say_that_it_runs(aftermath: Aftermath, name: str) -> None:
    mlflow = client(f"sqlite:///{aftermath.root}/mlruns/mlflow.db")
    experiment = mlflow.get_experiment_by_name("work")
    assert experiment is not None
    (run,) = mlflow.search_runs(
        [experiment.experiment_id], f"tags.`gen_toolkit.run` = '{aftermath.runs[name].row['id']}'"
    )  # fmt: skip
    assert run.info.status == KILLS[name].mlflow
    assert run.data.tags["gen_toolkit.state"] == KILLS[name].state
    assert run.data.metrics["before"] == 1


def test_the_release_is_untouched(aftermath: Aftermath) -> None:
    assert hashes(aftermath.root / "pipelines") == aftermath.release_before
