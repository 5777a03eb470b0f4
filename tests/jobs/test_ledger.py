"""The ledger: how a run ended is written once, and a run whose process is gone is not running."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from notebook_cells import furnish

from gen_toolkit import scope, text
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import NotFound
from gen_toolkit.jobs.ledger import Ledger, Reason, RunRow, short
from gen_toolkit.jobs.reconcile import reconcile

TERMINAL = ["succeeded", "failed", "timed out", "killed", "cancelled", "lost"]


@pytest.fixture
def ledger(either_database: str) -> Ledger:
    return Ledger(open_database())


def submitted(ledger: Ledger, folder: Path = Path("nowhere"), **facts: object) -> str:
    run = RunRow(scope.new_id(), "job", "label", "notebooks/label.ipynb", folder, {"limit": 3}, **facts)  # type: ignore[arg-type]
    ledger.submit(run)
    return run.id


@pytest.mark.parametrize("state", TERMINAL)
def test_how_a_run_ended_is_never_overwritten(ledger: Ledger, state: str) -> None:
    run = submitted(ledger)
    assert ledger.finish(run, state, Reason("first", 3, "ValueError", "…", 9), {"kept": {"a": 1}})  # type: ignore[arg-type]
    before = ledger.find(run)
    for other in TERMINAL:
        assert not ledger.finish(run, other, Reason("second"))  # type: ignore[arg-type]
    assert ledger.find(run) == before
    assert (before.state, before.reason, before.outcome) == (
        state, Reason("first", 3, "ValueError", "…", 9), {"kept": {"a": 1}}
    )  # fmt: skip


def test_of_two_that_finish_a_run_at_once_one_wins(ledger: Ledger) -> None:
    run = submitted(ledger)
    with ThreadPoolExecutor(6) as threads:
        won = list(threads.map(lambda state: ledger.finish(run, state), TERMINAL))  # type: ignore[arg-type]
    assert sum(won) == 1
    assert ledger.find(run).state == TERMINAL[won.index(True)]


def test_a_run_is_found_by_any_prefix_of_8_characters_that_names_one(ledger: Ledger) -> None:
    run = submitted(ledger)
    assert ledger.find(run).parameters == {"limit": 3}
    assert ledger.find(run[:8]).id == run


def test_a_prefix_that_names_none_or_several_is_refused(ledger: Ledger) -> None:
    run = submitted(ledger)
    twin = RunRow(run[:-4] + ("ffff" if run[-4:] != "ffff" else "0000"), "job", "x", "x.ipynb", Path("x"), {})
    ledger.submit(twin)
    for prefix, says in [
        (run[:12], "more than one run"),
        ("ffffffff", "no run begins"),
        ("%%%%%%%%", "no run begins"),
        ("________", "no run begins"),
        (run[:7], "8 characters"),
        ("", "8 characters"),
    ]:
        with pytest.raises(NotFound, match=says):
            ledger.find(prefix)
    assert short(run, [run, twin.id]) not in twin.id
    assert len(short(run, [run])) == 8


def test_the_list_shows_the_newest_first_and_can_be_narrowed(ledger: Ledger) -> None:
    runs = [submitted(ledger, created_at=float(second)) for second in (1, 2, 3)]
    ledger.finish(runs[0], "failed")
    assert [row.id for row in ledger.list()] == runs[::-1]
    assert [row.id for row in ledger.list(limit=1)] == runs[2:]
    assert [row.id for row in ledger.list(state="failed")] == runs[:1]
    assert not ledger.list(name="other")


def test_a_secret_that_was_read_is_never_written(ledger: Ledger) -> None:
    text.remember_secret("hunter2-hunter2")
    run = submitted(ledger)
    ledger.finish(run, "failed", Reason("hunter2-hunter2 refused"), {"kept": {"a": "hunter2-hunter2"}})
    row = ledger.find(run)
    assert row.reason == Reason("[secret] refused")
    assert row.outcome == {"kept": {"a": "[secret]"}}


def test_a_run_whose_process_is_gone_is_lost_and_one_whose_process_lives_goes_on(
    ledger: Ledger, workspace: Path
) -> None:
    furnish(workspace)
    mine = submitted(ledger)
    submit = (
        "import os, sys; from pathlib import Path; from gen_toolkit import scope\n"
        "from gen_toolkit.database.engine import open_database\n"
        "from gen_toolkit.jobs.ledger import Ledger, RunRow\n"
        "run = scope.new_id()\n"
        "Ledger(open_database()).submit(RunRow(run, 'job', 'label', 'x.ipynb', Path('nowhere'), {}))\n"
        "print(run, flush=True); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", submit], capture_output=True, text=True, timeout=60, check=False)
    theirs = done.stdout.strip()
    assert [row.id for row in ledger.abandoned()] == [theirs]
    assert [row.id for row in reconcile()] == [theirs]
    lost = ledger.find(theirs)
    assert lost.state == "lost"
    assert lost.reason is not None
    assert "process" in lost.reason.message
    assert ledger.find(mine).state == "running"
    assert not reconcile()
