"""kill -9 again and again during a grid of 2,000 cases: nothing that was delivered is asked for twice."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
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

MOST = int(os.environ.get("ANSWERS", CASES))
"""Answers that this process gets."""
_given = itertools.count()


async def answer(_: Any) -> str:
    """No two runs would agree: what is asked for again is answered otherwise, half of the time."""
    await asyncio.sleep(0.02)
    if next(_given) >= MOST:
        await asyncio.sleep(3600)  # whoever is to be killed does not come to its end before
    return random.choice(["good", "bad"])


def evaluated() -> Any:
    prompts = [gt.Prompt(name, user=f"{name} {{{{ text }}}}", output=Literal["good", "bad"]) for name in ("is", "was")]
    return gt.evaluate(
        prompts,
        ROWS,
        scorer=gt.scorers.exact("label"),
        model=[gt.ScriptedModel(answer, name=name) for name in ("one", "two")],
        options=[{"temperature": 0}, {"temperature": 1}],
        repeats=2,
        baseline=prompts[0],
    )


def told(grid: Any, store: Store) -> str:
    """All that is known at the end, as one text: results, verdicts, and MLflow's tables."""
    return json.dumps(
        {
            "grid": grid.to_json(),
            "cells": [cell.to_json() for cell in grid],
            "verdicts": [repr(cell.verdicts) for cell in grid],
            "tables": [store.artifact(cell.run, "rows.json") for cell in grid],
        }
    )


def undisturbed(workspace: Path, cassette: Path) -> str:
    """The same evaluation in a workspace that has seen none of it, its replies read from a cassette."""
    workspace.mkdir()
    (workspace / "gen_toolkit.toml").write_text("", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    done = python(
        "import test_grid_killed as work; print(work.told(work.evaluated(), work.Store(work.Path.cwd())))",
        workspace,
        environment | {"GEN_TOOLKIT_CALLS": "replay", "GEN_TOOLKIT_CASSETTE": str(cassette)},
    )
    said, wrong = done.communicate()
    assert done.returncode == 0, wrong.decode()
    return said.decode().splitlines()[-1]


def answered(database: Path) -> set[str]:
    """The ids of the calls whose answer is durable."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30) as connection:
        return {found for (found,) in connection.execute("select id from calls where state = 'answered'")}


def python(script: str, workspace: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", script]
    return subprocess.Popen(command, env=environment, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


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
    workspace: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = workspace / "mlruns" / "gen_toolkit.db"
    before: set[str] = set()
    for when in DELIVERED:
        environment = {**os.environ, "ANSWERS": str(when - len(before) + 5)}
        killed(python("import test_grid_killed as work; work.evaluated()", workspace, environment), database, when)
        delivered = answered(database)
        assert before <= delivered
        before = delivered
    assert len(before) < CASES, "it was to be killed before its end"
    cassette = tmp_path / "replies.jsonl"
    monkeypatch.setenv("GEN_TOOLKIT_CASSETTE", str(cassette))  # all replies: the recorded ones and the new
    again = evaluated()
    assert [len(cell.rows) for cell in again] == [250] * 8
    assert store.sql("select count(*) from calls where state = 'answered'") == [(CASES,)]
    assert store.sql("select count(distinct key) from calls where state = 'answered'") == [(CASES,)]
    twice = "select count(*) from calls a join calls b on a.key = b.key where a.state = 'answered' and a.id <> b.id"
    assert store.sql(f"{twice} and b.asked_at > a.answered_at") == [(0,)]
    assert sum(cell.calls for cell in again) == CASES - len(before)
    lost = store.sql("select count(*) from calls where state <> 'answered'")[0][0]
    print(f"{len(DELIVERED)} kills; delivered before the last run: {len(before)}; asked and cut off by a kill: {lost}")
    assert len(cassette.read_text(encoding="utf-8").splitlines()) == CASES
    assert told(again, store) == undisturbed(tmp_path / "undisturbed", cassette)
