"""A script in `gt.run(resume=True)` that is killed at any moment: nothing delivered is ever paid for again."""

from __future__ import annotations

import contextlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from openai_server import Answer, OpenAIServer, completion

ITEMS = 200
WIDTH = 4
SCRIPT = f"""
import asyncio, os
import gen_toolkit as gt

async def main():
    places = asyncio.Semaphore({WIDTH})
    out = os.open("delivered.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    async def one(item):
        async with places:
            reply = await gt.achat(f"item {{item}}", model="paid")
        os.write(out, f"{{item}} {{reply.text}}\\n".encode())

    await asyncio.gather(*(one(item) for item in range({ITEMS})))

with gt.run("x", calls="reuse", resume=True):
    asyncio.run(main())
"""


class Bill:
    """What the server was asked, item by item, and when."""

    def __init__(self, server: OpenAIServer) -> None:
        self.asked: list[tuple[int, float]] = []
        server.say(self._answer)

    def _answer(self, body: dict[str, object]) -> Answer:
        item = int(re.findall(r"item (\d+)", str(body["messages"]))[-1])
        self.asked.append((item, time.monotonic()))
        answer = completion(f"answer {item} #{len(self.asked)}")
        return Answer(answer.body, delay=0.01)


@pytest.mark.chaos
@pytest.mark.parametrize(
    "kills", [2, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(600)])], ids=["some", "many"]
)
def test_a_script_killed_at_random_moments_pays_for_nothing_twice(kills: int, workspace: Path) -> None:
    server = OpenAIServer()
    (workspace / "gen_toolkit.toml").write_text(
        f'[models.paid]\nmodel = "m"\nbase_url = "{server.url}"\nprice = {{input = 1, output = 1}}\n'
    )
    bill = Bill(server)
    dice = random.Random(kills)
    moments = sorted(dice.randrange(1, ITEMS - WIDTH) for _ in range(kills))
    seen: dict[int, float] = {}  # item → when its answer was known to be delivered
    for moment in moments:
        _run_until(workspace, bill, moment, dice.uniform(0, 0.03))
        now = time.monotonic()
        for item in _delivered(workspace):
            seen.setdefault(item, now)
    assert subprocess.run([sys.executable, "-c", SCRIPT], cwd=workspace, timeout=120, check=False).returncode == 0
    server.close()

    repeated = [item for item, when in bill.asked if item in seen and when > seen[item]]
    assert repeated == []
    delivered = _delivered(workspace)
    assert set(delivered) == set(range(ITEMS))
    assert all(len(answers) == 1 for answers in delivered.values()), "an item had two answers"
    extra = len(bill.asked) - ITEMS
    assert 0 <= extra <= kills * WIDTH
    with contextlib.closing(sqlite3.connect(workspace / "mlruns" / "gen_toolkit.db")) as database:
        answered, unknown = (
            database.execute(f"SELECT count(*) FROM calls WHERE state = '{state}'").fetchone()[0]
            for state in ("answered", "asked")
        )
    assert answered == ITEMS
    assert unknown >= extra  # the report of costs says so: each of them may be on the bill
    print(f"{kills} kills, {len(bill.asked)} requests for {ITEMS} items, {unknown} calls without an outcome")


def _run_until(workspace: Path, bill: Bill, moment: int, later: float) -> None:
    """Start the script, and kill it when the server has seen so many requests."""
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=workspace)
    while len(bill.asked) < moment and process.poll() is None:
        time.sleep(0.002)
    time.sleep(later)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _delivered(workspace: Path) -> dict[int, set[str]]:
    path = workspace / "delivered.txt"
    found: dict[int, set[str]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        item, _, text = line.partition(" ")
        found.setdefault(int(item), set()).add(text)
    return found
