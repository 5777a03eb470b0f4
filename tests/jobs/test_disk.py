"""A disk that is full, or read-only, when a run starts, works, or is saved: a line that says so, and no false state.

Not marked as a test that must run everywhere: not every user may mount a disk.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from disks import FILL, disk, fill
from notebook_cells import KEEPS, command, environment_of_nobody, furnish, gen, written
from supervised import supervised

from gen_toolkit.errors import DatabaseError, SetupError
from gen_toolkit.jobs.job import Job
from gen_toolkit.jobs.prepare import prepared_folder
from gen_toolkit.process import marked
from gen_toolkit.settings import load_settings
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.workspace import Workspace

pytestmark = pytest.mark.usefixtures("delivered")  # what goes wrong beside MLflow, too

__all__ = ["disk"]
RUN = f"run-{os.getpid()}"  # two suites on one machine do not take each other's processes for theirs


def test_a_disk_that_is_full_for_a_while_stops_nothing(disk: Path) -> None:
    filler = str(disk / "filler")
    ended = supervised(
        disk / RUN,
        "print('before')",
        FILL.format(filler=filler),
        "y = 'z' * 100",
        f"os.remove({filler!r})",
        "print(y)",
    )
    assert (ended.ending.state, ended.ending.reason) == ("succeeded", None)
    assert ended.shown(5) == "z" * 100 + "\n"


def test_a_notebook_whose_last_save_finds_no_room_has_not_succeeded_and_is_not_torn(disk: Path) -> None:
    ended = supervised(disk / RUN, "print('before')", "print('x' * 5000)", FILL.format(filler=str(disk / "filler")))
    assert ended.ending.state == "failed"
    assert ended.ending.reason is not None
    assert ended.ending.reason.error == "NotSaved"
    assert ended.ending.reason.message == "the executed notebook cannot be written: No space left on device"
    assert [path.name for path in ended.folder.iterdir() if path.name.startswith(".")] == []
    for path in ended.folder.glob("*.ipynb"):
        json.loads(path.read_text())
    assert marked(RUN_MARK, RUN) == []


def test_a_disk_that_is_full_when_the_notebook_is_copied_is_named(disk: Path, tmp_path: Path) -> None:
    release = tmp_path / "release"
    release.mkdir()
    (release / "large").write_bytes(bytes(30_000_000))
    job = Job("label", "try", {"cells": []}, "x.ipynb", {}, release)
    settings = load_settings(Workspace(disk, None))
    with pytest.raises(DatabaseError, match="No space left on device"):
        prepared_folder(job, "attempt", settings)


def test_a_run_does_not_start_in_a_folder_that_cannot_be_written_to(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(OSError):
        supervised(disk / RUN, "1")
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    folder = disk / RUN
    folder.mkdir()
    (folder / "log.txt").mkdir()  # stands where the log has to be
    written(folder / "prepared.ipynb", "1", parameters=None)
    with pytest.raises(SetupError, match="cannot be written to: Is a directory"):
        supervised(folder, "1")


@pytest.mark.parametrize("when", ["full", "read-only"])
def test_a_job_on_such_a_disk_is_one_line_and_exit_code_3(disk: Path, when: str) -> None:
    root = furnish(disk / "work", mlflow=False)
    path = written(root / "notebooks/small.ipynb", KEEPS)
    assert gen("runs", "list", cwd=root).returncode == 0  # the database is there
    if when == "full":
        fill(disk)
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    refused = gen("try", path, cwd=root)
    assert refused.returncode == 3, refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("then", ["there is room again", "Ctrl-C"])
def test_a_job_whose_disk_fills_up_waits_until_its_end_can_be_recorded(disk: Path, then: str) -> None:
    root = furnish(disk / "work", mlflow=False)
    filler = root / "filler"
    path = written(root / "notebooks/filling.ipynb", FILL.format(filler="filler"), "print('x' * 1_000_000)", KEEPS)
    process = subprocess.Popen(
        command("try", path), cwd=root, env=environment_of_nobody(), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = ""
    while "waiting to record how it ended" not in said:
        said = process.stderr.readline()
        assert said, "it ended"
    if then == "Ctrl-C":
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "Traceback" not in told
    filler.unlink()
    process.communicate(timeout=60)
    (row,) = json.loads(gen("runs", "list", "--json", cwd=root).stdout)
    assert row["state"] == ("lost" if then == "Ctrl-C" else "failed")
    notebook = Path(row["folder"]) / "notebook.ipynb"
    assert json.loads(notebook.read_text())["metadata"]["gen_toolkit"]["state"] == row["state"]
    assert marked(RUN_MARK, row["attempt"]) == []
