"""An evaluation that is stopped, by Ctrl-C or by its budget: what is done is kept."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import BudgetExceeded
from gen_toolkit.evals.stopped import EvaluationStopped

pytestmark = pytest.mark.usefixtures("store")

ROWS = [{"text": f"film {n:02}", "label": "good"} for n in range(20)]
RIGHT = gt.scorers.exact("label", name="accuracy")


def test_ctrl_c_gives_the_rows_that_are_done_and_the_next_asks_only_for_the_others(store: Store) -> None:
    gate, reached = threading.Event(), threading.Event()

    async def answer(messages: Any) -> str:
        if messages[0]["content"] >= "film 10" and not gate.is_set():
            reached.set()
            await asyncio.sleep(60)
        return "good"

    def interrupt() -> None:
        reached.wait(20)
        until = time.monotonic() + 20
        while store.sql("select count(*) from calls where state = 'answered'") != [(10,)] and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)  # those under way before it are through
        os.kill(os.getpid(), signal.SIGINT)

    asked = gt.ScriptedModel(answer)
    prompt = gt.Prompt("label", user="{{ text }}")
    threading.Thread(target=interrupt).start()
    with pytest.raises(EvaluationStopped, match="stopped with 10 of 20 rows done") as caught:
        gt.evaluate(prompt, ROWS, scorer=RIGHT, model=asked)
    kept = caught.value.result
    assert isinstance(caught.value, KeyboardInterrupt)
    assert kept is not None
    assert [row.row["text"] for row in kept.rows] == [row["text"] for row in ROWS[:10]]
    assert "10 of 20 rows are done" in kept._repr_mimebundle_()["text/plain"]
    run = store.run(kept.run)
    assert (run.info.status, run.data.metrics["rows"], run.data.metrics["accuracy"]) == ("KILLED", 10, 1.0)
    assert len(store.artifact(kept.run, "rows.json")["data"]) == 10
    gate.set()
    again = gt.evaluate(prompt, ROWS, scorer=RIGHT, model=asked)
    assert (len(again.rows), again.calls) == (20, 10)


def test_ctrl_c_before_the_first_row_is_done_says_so() -> None:
    async def never(row: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)

    with pytest.raises(EvaluationStopped, match="0 of 20 rows") as caught:
        gt.evaluate(never, ROWS, scorer=RIGHT)
    assert caught.value.result is None


def test_a_used_up_budget_gives_the_rows_that_are_done(workspace: Path, store: Store) -> None:
    (workspace / "gen_toolkit.toml").write_text(
        'model = "dry"\n[models.dry]\nprovider = "scripted"\nreplies = "r.json"\noptions = { max_tokens = 5 }\n'
    )
    (workspace / "r.json").write_text('{"*": "good"}')
    prompt = gt.Prompt("label", user="{{ text }}")
    with pytest.raises(BudgetExceeded) as caught:
        gt.evaluate(prompt, ROWS, scorer=RIGHT, budget="380 tokens")
    kept = caught.value.result
    assert 0 < len(kept.rows) < 20
    assert kept.note == f"stopped by its budget: {len(kept.rows)} of 20 rows are done"
    assert store.run(kept.run).data.metrics["rows"] == len(kept.rows)
