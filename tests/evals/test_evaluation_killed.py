"""kill -9 in the middle of a grid: the same again asks only for what has no answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from mlflow_store import Store

import gen_toolkit as gt

pytestmark = pytest.mark.usefixtures("delivered")  # what goes wrong beside MLflow, too

ROWS = [{"text": f"film {n:03}", "label": "good"} for n in range(100)]
KILLED = 150  # at this call of the 200
asked: list[str] = []


def answer(messages: Any) -> str:
    """Good or bad, by what is asked; the process that is told so dies of it."""
    asked.append(messages[0]["content"])
    if len(asked) == KILLED and "DIES" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    return "good" if "1" in asked[-1] else "bad"


def evaluated(**more: Any) -> Any:
    prompts = [gt.Prompt(name, user=f"{name} {{{{ text }}}}", output=Literal["good", "bad"]) for name in ("is", "was")]
    return gt.evaluate(
        prompts, ROWS, scorer=gt.scorers.exact("label"), model=gt.ScriptedModel(answer), baseline=prompts[0], **more
    )


def test_no_answer_that_was_delivered_is_asked_for_again_and_the_table_is_the_same(
    workspace: Path, store: Store
) -> None:
    environment = {**os.environ, "DIES": "yes", "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    script = f"import {Path(__file__).stem} as work; work.evaluated()"
    died = subprocess.run([sys.executable, "-c", script], env=environment, cwd=workspace, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    answered = store.sql("select request from calls where state = 'answered'")
    delivered = {json.loads(request)[0]["content"] for (request,) in answered}
    assert len(delivered) > KILLED - 20
    asked.clear()
    again = evaluated()
    assert delivered.isdisjoint(asked)
    assert len(asked) + len(delivered) == 200
    undisturbed = evaluated(calls="live")
    assert again.to_json() == undisturbed.to_json()
    assert [cell.verdicts for cell in again] == [cell.verdicts for cell in undisturbed]
