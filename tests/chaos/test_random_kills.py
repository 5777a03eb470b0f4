"""SIGKILL for any one process of a run at any moment: no false state, nothing left, no torn file, MLflow complete.

And when what was stopped is resumed: every item is answered, and none that had been delivered is asked for again.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from chaos.processes import PARTS, cast, left_of
from notebook_cells import MODEL, command, enter, environment_of_nobody, furnish, gen, gen_json, written
from openai_server import Answer, OpenAIServer, completion
from released import promoted_in

from gen_toolkit.jobs.group import may_group
from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.tracking.store import client
from gen_toolkit.tracking.writer import drain

pytestmark = [pytest.mark.chaos, pytest.mark.kernel]

STEPS = 8
PAID = """
[models.paid]
model = "m"
base_url = "{url}"
price = {{input = 1, output = 1}}
"""
WORK = [
    "import os, subprocess, sys, time\nimport gen_toolkit as gt",
    "child = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
    "hidden = [sys.executable, '-S', '-c', 'import time; time.sleep(300)', os.environ['GEN_TOOLKIT_RUN']]\n"
    "_ = subprocess.run(['env', '-i', 'setsid', '-f', *hidden], check=True)",
    *[
        f"reply = gt.chat(f'item {{hit}}.{step}', model='paid')\ngt.keep('step{step}', reply.text)"
        for step in range(STEPS)
    ],
]
MARGIN = 5.0
"""Seconds after which nothing may be left."""


@dataclass
class Hit:
    """A run, who of it was killed, and what was there afterwards."""

    number: int
    victims: Sequence[str]
    killed: list[str] = field(default_factory=list)
    exit_code: int | None = None
    seconds: float = 0.0
    """From the kill, or from the end of the command, until nothing was left."""
    left: list[str] = field(default_factory=list)


def strike(root: Path, hit: Hit, dice: random.Random) -> Hit:
    """Start a run, kill the victims at a moment of which all that is known is that the first is there; wait."""
    awaited = "reaper" if hit.victims[0] == "command" and dice.random() < 0.75 else hit.victims[0]
    process = subprocess.Popen(
        command("run", "steps", "-p", f"hit={hit.number}"),
        cwd=root,
        env=environment_of_nobody(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while awaited not in cast(process.pid) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(dice.uniform(0, 1.5))
    there = cast(process.pid)
    for victim in hit.victims:
        if there.get(victim) and process.poll() is None:
            os.kill(dice.choice(there[victim]), signal.SIGKILL)
            hit.killed.append(victim)
    hit.exit_code = process.wait(timeout=120)
    start, run = time.monotonic(), id_of(root, hit)
    while (left := left_of(run)) and time.monotonic() - start < MARGIN:
        time.sleep(0.05)
    hit.seconds, hit.left = time.monotonic() - start, left
    return hit


def id_of(root: Path, hit: Hit) -> str:
    """Of the run, by its parameter; something that nothing bears where the run never came to be."""
    for path in (root / "mlruns" / "runs").glob("*/prepared.ipynb"):
        if f"hit = {hit.number}\\n" in path.read_text():
            return path.parent.name
    return "no such run"


class Bill:
    """What the provider was asked for: item → how often. An item is `hit.step`."""

    def __init__(self, server: OpenAIServer) -> None:
        self.asked: Counter[str] = Counter()
        server.say(self._answer)

    def _answer(self, body: dict[str, object]) -> Answer:
        (item,) = re.findall(r"item (\d+\.\d+)", str(body["messages"]))
        self.asked[item] += 1
        return Answer(completion(f"answer {item}").body, delay=0.1)


@dataclass
class Chaos:
    """Runs that were hit; then one more gen command put right what was left; then MLflow was told."""

    root: Path
    hits: list[Hit]
    rows: dict[str, Any]
    """By number of the hit."""
    told: dict[str, Any]
    """MLflow's runs by id."""

    def figures(self) -> str:
        killed = Counter(victim for hit in self.hits for victim in hit.killed)
        states = Counter(row["state"] for row in self.rows.values())
        slowest = max(hit.seconds for hit in self.hits)
        return f"{len(self.hits)} runs; killed {dict(killed)}; {dict(states)}; nothing left after {slowest:.2f} s"


def wreak(root: Path, server: OpenAIServer, victims: Sequence[Sequence[str]], seed: int) -> Chaos:
    """A run for each entry of `victims`, four runs at a time."""
    furnish(root, settings=MODEL + PAID.format(url=server.url))
    written(root / "notebooks" / "steps.ipynb", *WORK, parameters="hit: int = 0")
    promoted_in(root, "notebooks/steps.ipynb", "steps")
    dice = random.Random(seed)
    hits = [Hit(number, each) for number, each in enumerate(victims)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda hit: strike(root, hit, random.Random(dice.random())), hits))
    chaos = Chaos(root, hits, rows_of(root), told_of(root))
    print(chaos.figures())
    return chaos


def rows_of(root: Path) -> dict[str, Any]:
    rows = gen_json("runs", "list", "--limit", "1000", cwd=root)
    by_hit = {row["parameters"]["hit"]: row for row in rows}
    assert len(by_hit) == len(rows)
    return by_hit


def told_of(root: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        assert drain(seconds=120) == 0
    mlflow = client(f"sqlite:///{root}/mlruns/mlflow.db")
    experiment = mlflow.get_experiment_by_name(root.name)
    assert experiment is not None
    told = mlflow.search_runs([experiment.experiment_id], max_results=5000)
    by_id = {run.data.tags["gen_toolkit.run"]: run for run in told}
    assert len(by_id) == len(told)
    return by_id


def kept(row: Any) -> int:
    """How many of its items a run has kept."""
    return len(row["outcome"]["kept"])


def assert_true(hit: Hit, row: Any) -> None:
    """The state is what happened: nothing that stopped half way has succeeded, nothing is still running."""
    assert (row["state"] == "succeeded") == (row["reason"] is None)
    assert kept(row) == STEPS or row["state"] != "succeeded", hit
    by_command = {"lost", "succeeded", "killed"}  # the others: it had been recorded when the command was killed
    assert row["state"] in (by_command if "command" in hit.killed else {"succeeded", "killed"}), hit
    if "command" not in hit.killed:
        assert hit.exit_code == (0 if row["state"] == "succeeded" else 1)
    if not hit.killed:
        assert row["state"] == "succeeded"


def assert_whole(row: Any) -> None:
    """Every file of the run can be read, and says the same as the ledger."""
    folder = Path(row["folder"])
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    for path in folder.glob("*.ipynb"):
        json.loads(path.read_text(encoding="utf-8"))
    notebook = json.loads((folder / "notebook.ipynb").read_text(encoding="utf-8"))
    assert notebook["metadata"]["gen_toolkit"]["state"] == row["state"]
    assert (folder / "work").exists() == (row["state"] != "succeeded")


def assert_told(row: Any, told: Any) -> None:
    """MLflow holds what the ledger does."""
    assert told.info.status == {"succeeded": "FINISHED", "failed": "FAILED"}.get(row["state"], "KILLED")
    assert told.data.tags["gen_toolkit.state"] == row["state"]
    assert told.data.metrics["calls"] == row["outcome"]["calls"]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    made = OpenAIServer()
    yield made
    made.close()


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(1, marks=pytest.mark.timeout(600), id="some"),  # a dozen jobs, on a machine that may be busy
        pytest.param(40, marks=[pytest.mark.long, pytest.mark.timeout(7200)], id="many"),
    ],
)
def test_whichever_process_is_killed_whenever_the_truth_is_told_and_nothing_is_lost_or_left(
    tmp_path: Path, server: OpenAIServer, rounds: int
) -> None:
    bill = Bill(server)
    chaos = wreak(tmp_path / "chaos", server, [(part,) for part in PARTS] * rounds, seed=rounds)
    assert [hit for hit in chaos.hits if hit.left] == []
    assert len({victim for hit in chaos.hits for victim in hit.killed}) >= 3  # some had ended before they were hit
    for hit in chaos.hits:
        row = chaos.rows.get(hit.number)
        if row is None:  # killed before there was a run
            assert hit.killed == ["command"]
            continue
        assert_true(hit, row)
        assert_whole(row)
        for which in ("id", "attempt"):
            assert_told(row, chaos.told[row[which]])
    assert set(chaos.told) == {row[which] for row in chaos.rows.values() for which in ("id", "attempt")}
    resumed(chaos, bill)


def resumed(chaos: Chaos, bill: Bill) -> None:
    """Everything that was stopped is taken up again, and is whole then; nothing delivered was paid for twice."""
    stopped = [row["id"] for row in chaos.rows.values() if row["state"] != "succeeded"]
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda run: gen("resume", run, cwd=chaos.root, timeout=300), stopped)
        assert [one.returncode for one in done] == [0] * len(stopped)
    rows = rows_of(chaos.root)
    told = told_of(chaos.root)
    for number, row in rows.items():
        assert row["state"] == "succeeded"
        assert row["outcome"]["kept"] == {f"step{step}": f"answer {number}.{step}" for step in range(STEPS)}
        assert_whole(row)
        assert told[row["id"]].info.status == "FINISHED"
        delivered = kept(chaos.rows[number])
        asked = [bill.asked[f"{number}.{step}"] for step in range(STEPS)]
        assert asked[:delivered] == [1] * delivered
        assert all(1 <= times <= 2 for times in asked)  # twice: the answer was on its way when all was killed
        assert sum(asked) <= STEPS + 1
    print(f"{len(stopped)} resumed; {bill.asked.total()} calls for {len(rows) * STEPS} items")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_what_two_kills_at_once_leave_the_next_command_puts_right(tmp_path: Path, server: OpenAIServer) -> None:
    bill = Bill(server)
    pairs = [pair for pair in itertools.combinations(PARTS, 2) for _ in range(3)]
    chaos = wreak(tmp_path / "chaos", server, pairs, seed=2)
    for hit in chaos.hits:
        row = chaos.rows.get(hit.number)
        if row is None:
            assert "command" in hit.killed
            continue
        assert marked(RUN_MARK, row["attempt"]) == []
        assert not may_group() or left_of(row["attempt"]) == []  # where groups hold them, also who has hidden
        assert_true(hit, row)
        assert_whole(row)
        for which in ("id", "attempt"):
            assert_told(row, chaos.told[row[which]])
    resumed(chaos, bill)
