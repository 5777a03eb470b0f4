"""kill -9 again and again during a grid of 2,000 cases: nothing that was delivered is asked for twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from mlflow_store import Store, store

import gen_toolkit as gt

__all__ = ["store"]
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROWS = [{"text": f"film {n:03}", "label": "good"} for n in range(125)]
CASES = 2 * 2 * 2 * len(ROWS) * 2  # prompts × models × options × rows × repeats
DELIVERED = (1, 150, 151, 600, 1100, 1600, 1990)  # a kill comes when so many answers are in the journal; 151 is soon


async def answer(_: Any) -> str:
    """No two runs would agree: what is asked for again is answered otherwise, half of the time."""
    await asyncio.sleep(0.02)
    return random.choice(["good", "bad"])


def evaluated(calls: Any = None) -> Any:
    prompts = [gt.Prompt(name, user=f"{name} {{{{ text }}}}", output=Literal["good", "bad"]) for name in ("is", "was")]
    return gt.evaluate(
        prompts,
        ROWS,
        scorer=gt.scorers.exact("label"),
        model=[gt.ScriptedModel(answer, name=name) for name in ("one", "two")],
        options=[{"temperature": 0}, {"temperature": 1}],
        repeats=2,
        baseline=prompts[0],
        calls=calls,
    )


def answered(database: Path) -> set[str]:
    """The ids of the calls whose answer is durable."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30) as connection:
        return {found for (found,) in connection.execute("select id from calls where state = 'answered'")}


def started(workspace: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    script = f"import {Path(__file__).stem} as work; work.evaluated()"
    while True:
        yield subprocess.Popen([sys.executable, "-c", script], env=environment, cwd=workspace, stderr=subprocess.PIPE)


def killed(process: subprocess.Popen[bytes], database: Path, when: int) -> None:
    """Kill -9 as soon as `when` answers are delivered, or a moment later."""
    while process.poll() is None:
        if database.exists() and database.stat().st_size and len(_or_none(database)) >= when:
            time.sleep(random.uniform(0, 0.1))
            process.kill()
            break
        time.sleep(0.005)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()


def _or_none(database: Path) -> set[str]:
    try:
        return answered(database)
    except sqlite3.OperationalError:  # its tables are not there yet
        return set()


def test_what_was_delivered_is_never_asked_for_again_and_the_tables_are_those_of_an_undisturbed_run(
    workspace: Path, store: Store
) -> None:
    database = workspace / "mlruns" / "gen_toolkit.db"
    processes = started(workspace)
    before: set[str] = set()
    for when in DELIVERED:
        killed(next(processes), database, when)
        delivered = answered(database)
        assert before <= delivered
        before = delivered
    assert len(before) < CASES, "it was to be killed before its end"
    again = evaluated()
    assert [len(cell.rows) for cell in again] == [250] * 8
    assert store.sql("select count(*) from calls where state = 'answered'") == [(CASES,)]
    assert store.sql("select count(distinct key) from calls where state = 'answered'") == [(CASES,)]
    twice = "select count(*) from calls a join calls b on a.key = b.key where a.state = 'answered' and a.id <> b.id"
    assert store.sql(f"{twice} and b.asked_at > a.answered_at") == [(0,)]
    assert sum(cell.calls for cell in again) == CASES - len(before)
    lost = store.sql("select count(*) from calls where state <> 'answered'")[0][0]
    print(f"{len(DELIVERED)} kills; delivered before the last run: {len(before)}; asked and cut off by a kill: {lost}")
    undisturbed = evaluated(calls="replay")
    assert again.to_json() == undisturbed.to_json()
    assert [cell.to_json() for cell in again] == [cell.to_json() for cell in undisturbed]
    assert [cell.verdicts for cell in again] == [cell.verdicts for cell in undisturbed]
    for one, other in zip(again, undisturbed, strict=True):
        assert store.artifact(one.run, "rows.json") == store.artifact(other.run, "rows.json")
