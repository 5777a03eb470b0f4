"""The child that a template keeps ready: the next run is its, whatever becomes of it nobody waits in vain."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import warm_template
from notebook_cells import enter, furnish
from warm_template import children, fork, here, surrounding, template, until

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.tree import exact_memory_mb
from gen_toolkit.jobs.warm import keep
from gen_toolkit.jobs.warm.caller import Caller
from gen_toolkit.jobs.warm.client import ask
from gen_toolkit.workspace import Workspace

pytestmark = warm_template.MARKS


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with a template."""
    root = furnish(tmp_path_factory.mktemp("warm") / "work", mlflow=False)
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        patch.setenv("PYTHONPATH", warm_template.paths())
        open_database()
        with template(here(root)):
            yield here(root)


@pytest.fixture(autouse=True)
def _programs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", warm_template.paths())


def spare(workspace: Workspace) -> int:
    """The pid of the one that waits, with all that it has made: reaper, and runner and kernel below that."""
    status = keep.status(workspace)
    assert status is not None

    def found() -> int | None:
        ready = [child for child in children(status.pid) if _is_whole(child)]
        return ready[0] if ready else None

    pid: int = until(found)
    return pid


def _is_whole(pid: int) -> bool:
    try:
        return [len(children(reaper)) for reaper in children(pid)] == [2]
    except OSError:
        return False


def test_the_next_run_is_the_spares_and_another_one_is_made(warm: Workspace) -> None:
    ready = spare(warm)
    process = fork(warm, "parent", "run-1", "by fork")
    assert process.pid == ready
    assert '"status": 0' in process.output()
    assert process.said() == {"exit": 0}
    assert spare(warm) != ready


def test_the_status_says_what_memory_it_takes_with_what_waits(warm: Workspace) -> None:
    spare(warm)
    status = keep.status(warm)
    assert status is not None
    assert status.memory_mb > exact_memory_mb([status.pid]) > 10


def test_runs_that_come_at_once_are_all_forks(warm: Workspace) -> None:
    ready = spare(warm)
    processes = [fork(warm, "parent", f"run-{number}", "by fork") for number in range(3)]
    assert [process.pid == ready for process in processes].count(True) == 1
    for process in processes:
        assert '"status": 0' in process.output()
        assert process.said() == {"exit": 0}


def test_one_that_was_killed_is_missed_by_nobody(warm: Workspace) -> None:
    ready = spare(warm)
    os.kill(ready, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{ready}").exists())
    process = fork(warm, "facts")
    assert process.pid != ready
    assert process.output()
    assert process.said() == {"exit": 0}


def test_where_one_of_its_children_was_killed_that_one_is_started_all_the_same(warm: Workspace) -> None:
    ready = spare(warm)
    (reaper,) = children(ready)
    os.kill(reaper, signal.SIGKILL)
    process = fork(warm, "parent", "run-9", "in vain")
    assert process.pid == ready
    assert '"status": 0' in process.output()
    assert process.said() == {"exit": 0}


def test_a_kernel_and_a_question_are_not_for_it(warm: Workspace) -> None:
    ready = spare(warm)
    assert keep.status(warm) is not None
    connection, pid = ask(
        warm.records,
        Caller.KERNEL,
        "warm_program",
        ["facts"],
        environment=surrounding(),
        cwd=str(warm.root),
        files=[2, 2, 2],
    )
    connection.close()
    assert pid != ready
    assert spare(warm) == ready


def test_it_ends_with_its_template(warm: Workspace) -> None:
    ready = spare(warm)
    (reaper,) = children(ready)
    all_of_it = [ready, reaper, *children(reaper)]
    keep.stop(warm)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in all_of_it))
