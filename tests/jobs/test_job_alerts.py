"""A job that ends badly, then well, is told by the alerts that its workspace declares."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from notebook_cells import gen
from released import released

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]


def test_a_failed_job_and_the_recovery_after_it_are_told_and_do_not_hold_it_up(workspace: Path) -> None:
    released(workspace, mlflow=True)
    save = "import json, sys; f = open('told.jsonl', 'a'); f.write(json.dumps(json.load(sys.stdin)) + chr(10))"
    (workspace / "gen_toolkit.toml").write_text(
        f'model = "dry"\n[models.dry]\nprovider = "scripted"\nreplies = "replies.json"\n'
        f"[alerts.local]\ncommand = {json.dumps([sys.executable, '-c', save])}\n"
        '[alerts.gone]\nwebhook = "http://127.0.0.1:9/"\n'
    )
    assert gen("run", "label", "-p", "limit=13", cwd=workspace).returncode == 1
    assert gen("run", "label", "-p", "limit=2", cwd=workspace).returncode == 0
    told = workspace / "told.jsonl"
    until = time.monotonic() + 60
    while not told.exists() or len(told.read_text().splitlines()) < 2:
        assert time.monotonic() < until, (workspace / "mlruns/alerts.log").read_text()
        time.sleep(0.1)
    failure, recovery = sorted(map(json.loads, told.read_text().splitlines()), key=lambda one: one["time"])
    assert (failure["occasion"], failure["state"], failure["error"], failure["message"], failure["release"]) == (
        "failure", "failed", "ValueError", "unlucky", 1,
    )  # fmt: skip
    assert (recovery["occasion"], recovery["state"]) == ("recovery", "succeeded")
    assert recovery["seconds"] > 0
