"""A job whose workspace keeps its records on a PostgreSQL server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from notebook_cells import MODEL, furnish, gen, written
from postgres import PASSWORD, Server

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.journal.report import list_calls

SETTINGS = 'database = "env:DATABASE_URL"\n' + MODEL
SHOW = (
    "import os, gen_toolkit as gt\n"
    "print('reached', os.environ['DATABASE_URL'])\n"
    "gt.keep('label', gt.chat('a good film').value)"
)


@pytest.mark.postgres
@pytest.mark.kernel
def test_a_job_records_there_and_its_password_stands_in_no_file(postgres: Server, workspace: Path) -> None:
    path = written(furnish(workspace, settings=SETTINGS) / "notebooks/label.ipynb", SHOW)
    done = gen("try", path, cwd=workspace, DATABASE_URL=os.environ["DATABASE_URL"])
    assert (done.returncode, "label  succeeded" in done.stdout) == (0, True), done
    (run,) = Ledger(open_database()).list()
    assert (run.state, run.outcome["kept"]) == ("succeeded", {"label": "positive"})
    (call,) = list_calls(open_database(), run=run.id)
    assert call.alias == "dry"
    assert not (workspace / "mlruns" / "gen_toolkit.db").exists()
    notebook = run.folder / "notebook.ipynb"
    assert "reached [secret]" in notebook.read_text()
    left = [file for file in workspace.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()]
    assert left == []
    assert PASSWORD not in done.stdout + done.stderr
