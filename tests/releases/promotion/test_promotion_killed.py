"""kill -9 at any point of a promotion leaves the old state or the new one, and the next promotion goes through."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import KEEPS, environment_of_nobody, furnish, written
from released import promoted

from gen_toolkit.database.engine import open_database

PROGRAM = Path(__file__).parent / "killed_promotion.py"
TOML = "# ours\nlive = {}  # the good one\ntimeout_s = 60\n"


def play(workspace: Path, step: int, *more: str) -> list[dict[str, Any]]:
    """What is left after each."""
    told = subprocess.run(
        [sys.executable, PROGRAM, *more, str(step)],
        cwd=workspace, env=environment_of_nobody(), capture_output=True, text=True, timeout=1700, check=False,
    )  # fmt: skip
    whole, *killed = [json.loads(line) for line in told.stdout.splitlines()]
    assert (whole["status"], whole["found"]["before"]["live"]) == (0, 2), told.stderr
    assert len(killed) == -(-whole["points"] // step)
    return killed


def is_old_or_new(killed: dict[str, Any]) -> str:
    """And whole in any case; returns which."""
    before, after = killed["found"]["before"], killed["found"]["after"]
    assert killed["status"] == -9, killed
    assert before["numbers"] in ([1], [1, 2]), killed
    assert before["live"] in before["numbers"], killed
    assert before["runs"] == before["live"], killed
    assert (before["problems"], before["commands"]) == ([], [0, 0]), killed
    assert (after["release"], after["live"], after["numbers"]) == (2, 2, [1, 2]), killed
    assert after["file"] == TOML.format(2), killed
    assert (after["hidden"], after["commands"]) == ([], [0, 0]), killed
    assert after["record"] in ([[1, 2], [2, 1]], [[2, 1]]), killed  # a kill may come before the move is on record
    return "new" if before["live"] == 2 else "old"


@pytest.fixture
def first(workspace: Path) -> Path:
    """Release 1 is live; another notebook waits to become release 2."""
    furnish(workspace, mlflow=False)
    Path("pipelines/label").mkdir(parents=True)
    Path("pipelines/label/pipeline.toml").write_text(TOML.format(1))
    open_database()  # else each promotion makes it
    promoted(written(workspace / "notebooks/first.ipynb", KEEPS), "label")
    written(workspace / "notebooks/second.ipynb", KEEPS, "number = 2")
    return workspace


@pytest.mark.chaos
def test_a_promotion_killed_between_two_changes_of_files(first: Path) -> None:
    states = [is_old_or_new(one) for one in play(first, 3)]
    assert len(states) > 4
    assert states == sorted(states, reverse=True)  # old, old, …, new
    assert states[0] == "old"


@pytest.mark.chaos
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_promotion_killed_at_every_line(first: Path) -> None:
    states = [is_old_or_new(one) for one in play(first, 1, "lines")]
    assert len(states) > 100
    assert set(states) == {"old", "new"}
