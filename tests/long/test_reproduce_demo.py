"""The demo's job on the embedded model: exported, and executed again on another clone in another folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from notebook_cells import gen, gen_json

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.long, pytest.mark.model, pytest.mark.kernel, pytest.mark.timeout(900)]
GIVEN = ("-p", "limit=6", "-p", "offset=150", "-p", "compare=false", "-p", "threshold=0.6")


def clone(folder: Path) -> Path:
    """What of this repository the job needs."""
    folder.mkdir()
    (folder / "gen_toolkit.toml").write_text("[models.local]\nprovider = 'embedded'\n", encoding="utf-8")
    shutil.copytree(ROOT / "pipelines/label-reviews", folder / "pipelines/label-reviews")
    return folder


def test_it_is_identical_and_a_changed_probability_is_not(tmp_path: Path) -> None:
    here, there = clone(tmp_path / "here"), clone(tmp_path / "there")
    run = gen_json("run", "label-reviews", *GIVEN, cwd=here, timeout=600)
    assert run["state"] == "succeeded", run
    file = tmp_path / "run.json"
    assert gen("runs", "export", run["id"], "-o", file, cwd=here).returncode == 0
    done = gen("reproduce", file, cwd=there, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "label-reviews · release 1: identical: 12 cells, 3 kept values, 7 calls\n"

    told = json.loads(file.read_text(encoding="utf-8"))
    row = next(call["reply"] for call in told["calls"].values() if call["reply"]["usage"]["input_tokens"] > 60)
    row["probabilities"] = {"positive": 0.001, "negative": 0.999}
    file.write_text(json.dumps(told), encoding="utf-8")
    done = gen("reproduce", file, cwd=there, timeout=600)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "label-reviews · release 1: cell " in done.stdout
