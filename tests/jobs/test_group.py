"""A control group of a run: what is in it ends with it, whoever its parents were. Skipped where none may be made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gen_toolkit.jobs.group import end_group, made_group, may_group

needs_groups = pytest.mark.skipif(not may_group(), reason="this user may not make control groups here")

ENTERING = """
import os, subprocess, sys, time
from pathlib import Path
from gen_toolkit.jobs.group import made_group, put_in
assert put_in(made_group(Path(sys.argv[1]), sys.argv[2]), os.getpid())
subprocess.run(["env", "-i", "setsid", "-f", "sleep", "300"], check=True)
print("in", flush=True)
time.sleep(300)
"""


@needs_groups
@pytest.mark.parametrize("deletes_folder", [False, True])
def test_who_has_hidden_and_lost_its_parents_ends_with_the_group(tmp_path: Path, deletes_folder: bool) -> None:
    run = f"test-{os.getpid()}"
    with subprocess.Popen(
        [sys.executable, "-c", ENTERING, str(tmp_path), run], stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "in\n"
        group = Path((tmp_path / "group").read_text())
        hidden = [int(pid) for pid in (group / "cgroup.procs").read_text().split() if int(pid) != first.pid]
        assert len(hidden) == 1
        first.send_signal(signal.SIGKILL)
    assert Path(f"/proc/{hidden[0]}").exists()
    if deletes_folder:
        (tmp_path / "group").unlink()
    assert end_group(tmp_path, run)
    until = time.monotonic() + 30
    while Path(f"/proc/{hidden[0]}/fd/0").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(f"/proc/{hidden[0]}/fd/0").exists()
    assert not group.exists()
    assert not (tmp_path / "group").exists()


def test_a_run_without_a_group_has_nothing_to_end(tmp_path: Path) -> None:
    assert end_group(tmp_path, "none")


def test_where_no_group_may_be_made_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gen_toolkit.jobs.group._own", lambda: None)
    assert not may_group()
    assert made_group(tmp_path, "x") is None
    monkeypatch.setattr("gen_toolkit.jobs.group._own", lambda: tmp_path / "no such folder")
    assert not may_group()
    assert made_group(tmp_path, "x") is None
    assert not (tmp_path / "group").exists()
