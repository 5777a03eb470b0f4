"""One contender evaluates rows in a process of its own: `evaluators.py NAME URL ROWS WIDTH`.

Prints JSON: seconds until the result is there, and until it is in MLflow; CPU seconds; how much the peak of memory
rose in MB; how many rows were right. Imports and one small evaluation before are not counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXPECTED = "The film is very good."
REVIEW = "A film that takes its time and is the better for it; the cast is wonderful. " * 8
Evaluate = Callable[[int], tuple[int, float]]
"""(rows that are right, seconds until the result was there) of so many rows."""


def rows(count: int) -> list[dict[str, Any]]:
    return [{"text": f"{number} of {count}: {REVIEW}", "label": EXPECTED} for number in range(count)]


ALIAS = """
[models.fast]
model = "m"
base_url = "{url}"
price = {{ input = 1, output = 2 }}
options = {{ max_tokens = 16 }}
concurrency = {width}
"""


def gen_toolkit(url: str, width: int, **how: Any) -> Evaluate:
    """Journal durable; table and metrics are in MLflow when the clock stops."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    (folder / "gen_toolkit.toml").write_text(ALIAS.format(url=url, width=width))
    os.chdir(folder)
    import gen_toolkit as gt
    from gen_toolkit.tracking.writer import drain

    prompt = gt.Prompt("label-review", system="You label film reviews.", user="{{ text }}")

    def evaluate(count: int) -> tuple[int, float]:
        start = time.perf_counter()
        result = gt.evaluate(prompt, rows(count), scorer=gt.scorers.exact("label"), model="fast", **how)
        seconds = time.perf_counter() - start
        while drain():
            time.sleep(0.01)
        return round(result.mean() * len(result.rows)) - len(result.failed), seconds

    return evaluate


def with_all_traces(url: str, width: int) -> Evaluate:
    return gen_toolkit(url, width, traces="all")


def openai_loop(url: str, width: int) -> Evaluate:
    """The loop that everybody writes: it records nothing, and is gone when it fails."""
    from openai import AsyncOpenAI

    async def right(count: int) -> tuple[int, float]:
        start = time.perf_counter()
        client = AsyncOpenAI(base_url=url, api_key="k", max_retries=0)
        waiting, found = iter(rows(count)), 0

        async def worker() -> None:
            nonlocal found
            for row in waiting:
                asked: Any = [
                    {"role": "system", "content": "You label film reviews."},
                    {"role": "user", "content": row["text"]},
                ]
                answer = await client.chat.completions.create(model="m", messages=asked, max_tokens=16)
                found += answer.choices[0].message.content == row["label"]

        await asyncio.gather(*(worker() for _ in range(width)))
        seconds = time.perf_counter() - start
        await client.close()
        return found, seconds

    return lambda count: asyncio.run(right(count))


CONTENDERS: dict[str, Callable[[str, int], Evaluate]] = {
    "gen_toolkit": gen_toolkit,
    "gen_toolkit, all traces": with_all_traces,
    "AsyncOpenAI loop": openai_loop,
}


def measured(evaluate: Evaluate, count: int) -> None:
    """Print what evaluating so many rows takes, and end the process."""
    evaluate(2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), _cpu()
    right, until_result = evaluate(count)
    seconds, cpu = time.perf_counter() - start, _cpu() - cpu
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    found = {"rows": until_result, "seconds": seconds, "cpu": cpu, "memory": memory, "right": right}
    print(json.dumps(found), flush=True)
    os._exit(0)  # what closing takes is not measured


def _cpu() -> float:
    """Seconds of this process, and of those that it waited for."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


if __name__ == "__main__":
    _, contender, address, number, together = sys.argv
    measured(CONTENDERS[contender](address, int(together)), int(number))
