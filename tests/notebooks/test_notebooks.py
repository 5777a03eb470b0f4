"""The committed notebooks run from their cassettes, and a wrong reply does not pass unnoticed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.record_cassettes import CASSETTES, ROOT, run_notebook

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]
Line = dict[str, Any]


def nbval(name: str, workspace: Path, cassette: Path) -> subprocess.CompletedProcess[str]:
    """`pytest --nbval-lax` on a copy of the notebook, answered from the cassette only."""
    shutil.copyfile(ROOT / "notebooks" / f"{name}.ipynb", workspace / "notebooks" / f"{name}.ipynb")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbval-lax",
            "--nbval-current-env",
            "-p",
            "no:cacheprovider",
            "-q",
            "notebooks",
        ],
        cwd=workspace,
        env={**os.environ, "GEN_TOOLKIT_CALLS": "replay", "GEN_TOOLKIT_CASSETTE": str(cassette)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def planted(tmp_path: Path, name: str, wanted: Callable[[Line], bool], change: Callable[[Line], None]) -> Path:
    """The cassette with the first reply that is `wanted` changed."""
    lines = [json.loads(line) for line in (CASSETTES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    change(next(line["reply"] for line in lines if wanted(line["reply"])))
    path = tmp_path / "planted.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_passes_nbval_from_its_cassette(name: str, workspace: Path) -> None:
    done = nbval(name, workspace, CASSETTES / f"{name}.jsonl")
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.long
def test_nbval_fails_on_a_planted_wrong_reply(workspace: Path, tmp_path: Path) -> None:
    def not_a_label(reply: Line) -> None:
        reply["text"] = "banana"

    cassette = planted(tmp_path, "01_label_reviews", lambda reply: "probabilities" not in reply, not_a_label)
    done = nbval("01_label_reviews", workspace, cassette)
    assert done.returncode == 1, done.stdout[-3000:]
    assert "assert not written_a.failed" in done.stdout


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_keeps_what_was_recorded(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_CALLS", "replay")  # so that what the run sets is undone afterwards
    monkeypatch.setenv("GEN_TOOLKIT_WORKSPACE", "")
    monkeypatch.setenv("GEN_TOOLKIT_CASSETTE", "")
    kept = run_notebook(name, tmp_path / "replay", CASSETTES / f"{name}.jsonl", "replay")
    assert kept == json.loads((CASSETTES / f"{name}.kept.json").read_text(encoding="utf-8"))


@pytest.mark.long
def test_one_flipped_label_changes_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CALLS", "WORKSPACE", "CASSETTE"):
        monkeypatch.setenv(f"GEN_TOOLKIT_{variable}", "replay" if variable == "CALLS" else "")

    def flip(reply: Line) -> None:
        reply["text"] = {"positive": "negative", "negative": "positive"}[reply["text"]]

    cassette = planted(tmp_path, "01_label_reviews", lambda reply: "probabilities" not in reply, flip)
    kept = run_notebook("01_label_reviews", tmp_path / "replay", cassette, "replay")
    assert kept != json.loads((CASSETTES / "01_label_reviews.kept.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_cassette_holds_no_text_that_was_sent(name: str) -> None:
    for line in (CASSETTES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        assert set(json.loads(line)) == {"key", "reply"}


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("notebooks/*.ipynb")) + sorted(ROOT.glob("pipelines/*/releases/*/notebook.ipynb"))
)
def test_committed_notebooks_are_stripped(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
