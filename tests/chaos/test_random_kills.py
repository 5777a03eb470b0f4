"""Kills at random moments, start-up and save included: no false state, nothing left, no torn notebook."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from notebook_cells import command, furnish, gen_json, written

from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK

pytestmark = [pytest.mark.long, pytest.mark.chaos, pytest.mark.kernel, pytest.mark.timeout(900)]

KILLS = 30
WORK = [
    "import time\nimport gen_toolkit as gt",
    *[f"time.sleep(0.15)\ngt.keep('step', {step})" for step in range(8)],
]


def test_random_kills_leave_the_truth_and_nothing_else(tmp_path: Path) -> None:
    root = furnish(tmp_path / "chaos")
    written(root / "notebooks" / "steps.ipynb", *WORK)
    gen_json("promote", "notebooks/steps.ipynb", "--as", "steps", cwd=root)
    dice = random.Random(20261122)
    hits = {"command": 0, "inside": 0, "none": 0}
    for _ in range(KILLS):
        started = subprocess.Popen(
            command("run", "steps"),
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(dice.uniform(0.3, 6.0))
        hits[strike(dice, started, root)] += 1
        started.wait(timeout=60)
        time.sleep(0.5)
    rows = gen_json("runs", "list", "--limit", "100", cwd=root)
    deadline = time.monotonic() + 10
    while any(marked(RUN_MARK, row["attempt"]) for row in rows) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [row["id"] for row in rows if marked(RUN_MARK, row["attempt"])] == []
    for row in rows:
        assert row["state"] in {"succeeded", "killed", "lost"}
        assert (row["state"] == "succeeded") == (row["outcome"]["kept"].get("step") == 7 and row["reason"] is None)
        notebook = json.loads((Path(row["folder"]) / "notebook.ipynb").read_text(encoding="utf-8"))
        assert notebook["metadata"]["gen_toolkit"]["state"] == row["state"]
    assert hits["command"]
    assert hits["inside"]


def strike(dice: random.Random, started: subprocess.Popen[bytes], root: Path) -> str:
    """SIGKILL for the command itself, or for one process of its run; says which it was."""
    if started.poll() is not None:
        return "none"
    folders = sorted((root / "mlruns" / "runs").glob("*"), key=lambda path: path.name)
    inside = marked(RUN_MARK, folders[-1].name) if folders else []
    if inside and dice.random() < 0.5:
        os.kill(dice.choice(inside), signal.SIGKILL)
        return "inside"
    started.kill()
    return "command"
