"""A job is held to its own budget and to its pipeline's, and so is every process that its kernel starts."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from notebook_cells import MODEL, furnish, written
from released import promoted

from gen_toolkit.releases.start import run_release

pytestmark = pytest.mark.kernel

TRY = """
import gen_toolkit as gt
from gen_toolkit.models.links import budget
budget._clock = lambda: 1_795_780_800.0  # one day, also when a real one ends meanwhile
gt.chat('small', model='dry', max_tokens=1)
try:
    gt.chat('x' * {many}, model='dry', max_tokens=1)
except gt.GenToolkitError as error:
    said = f'{{error.code}}: {{error.budget}}'
"""
CELLS = [
    "import subprocess, sys\nimport gen_toolkit as gt\nfrom gen_toolkit import scope",
    TRY.format(many=400) + "gt.keep('pipeline', said)",
    TRY.format(many=1000) + "gt.keep('run', said)",
    f"child = subprocess.run([sys.executable, '-c', {TRY.format(many=400)!r} + 'print(said)'], capture_output=True)\n"
    "gt.keep('child', child.stdout.decode().strip())",
    "gt.keep('keys', [budget.key for budget in scope.current().budgets])",
    "with gt.run('inside'):\n    gt.keep('inside', [str(budget.limit) for budget in scope.current().budgets])",
]


def test_a_job_and_its_children_are_held_to_both(workspace: Path) -> None:
    furnish(workspace, settings=f'budgets = {{ run = "1000 tokens" }}\n{MODEL}')
    promoted(written(workspace / "notebooks/small.ipynb", *CELLS), "small")
    file = workspace / "pipelines/small/pipeline.toml"
    file.write_text(file.read_text() + 'budget = "600 tokens"\n')
    run = run_release("small", {}).run
    assert (run.state, run.reason) == ("succeeded", None)
    kept = run.outcome["kept"]
    assert kept["pipeline"].startswith("budget: pipeline 'small' on 20")
    assert kept["run"] == "budget: run 'small · release 1'"
    assert kept["child"] == kept["pipeline"]
    assert kept["keys"] == [f"run:{run.id}", "pipeline:small"]
    assert kept["inside"] == ["1000 tokens", "600 tokens"]
    with contextlib.closing(sqlite3.connect(workspace / "mlruns/gen_toolkit.db")) as connection:
        booked = connection.execute("SELECT key, spent_tokens, reserved_tokens FROM budgets ORDER BY key").fetchall()
        owners = connection.execute("SELECT DISTINCT owner FROM calls").fetchall()
    assert [key.rpartition(":")[0] or key for key, _, _ in booked] == ["pipeline:small", "run"]
    assert [(spent, held) for _, spent, held in booked] == [(6, 0), (6, 0)]
    assert owners == [(run.id,)]
