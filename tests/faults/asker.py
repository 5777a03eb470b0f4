"""Asks a model as a user would, many times at once, and writes down what came of it: a process of its own.

Standard input: the cases and how many at once, as JSON. `asked.json` in the current folder: what came of each, and
how much memory it took. Everything that is logged goes to `log.txt`, down to DEBUG.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import gen_toolkit as gt
from gen_toolkit.errors import GenToolkitError
from gen_toolkit.models.links import retry

_HANG = 20.0  # seconds: whatever takes longer than this would never have ended


async def outcome(case: dict[str, Any]) -> dict[str, Any]:
    """What a call ended with, as plain data."""
    said: list[str] = []
    start = time.monotonic()
    try:
        async with asyncio.timeout(_HANG):
            reply = await ask(case, said)
        found = {
            "text": reply.text,
            "finish": reply.finish_reason,
            "usage": reply.usage.to_json(),
            "cost": None if reply.cost is None else str(reply.cost),
            "attempts": reply.attempts,
        }
    except GenToolkitError as error:
        found = {
            "error": type(error).__name__,
            "shown": str(error),
            "fix": error.fix,
            "data": error.to_json(),
            "repr": repr(error) + repr(vars(error)),
            "traceback": "".join(traceback.format_exception(error)),
            "attempts": getattr(error, "attempts", None),
            "billed": getattr(error, "billed", None),
            "partial": getattr(error, "partial", ""),
        }
    except BaseException as error:
        found = {"error": f"untyped {type(error).__name__}", "traceback": traceback.format_exc()}
    return {**found, "said": said, "start": start, "end": time.monotonic()}


async def ask(case: dict[str, Any], said: list[str]) -> gt.Reply:
    if not case["stream"]:
        return await gt.achat(case["prompt"], model=case["alias"])
    async with gt.stream(case["prompt"], model=case["alias"]) as pieces:
        async for piece in pieces:
            said.append(piece.text)
    assert pieces.reply is not None
    return pieces.reply


async def all_of(cases: list[dict[str, Any]], at_once: int) -> dict[str, dict[str, Any]]:
    found = {}
    places = asyncio.Semaphore(at_once)

    async def one(case: dict[str, Any]) -> None:
        async with places:
            found[case["id"]] = await outcome(case)

    await asyncio.gather(*(one(case) for case in cases))
    return found


def memory() -> float:
    """The most that this process has held so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the process that started this one held
        return int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def main() -> None:
    todo = json.load(sys.stdin)
    logging.basicConfig(filename="log.txt", level=logging.DEBUG)
    retry._FIRST_PAUSE = 0.01
    asyncio.run(all_of(todo["warm_up"], 1))
    before = memory()
    found = asyncio.run(all_of([case for case in todo["cases"] if case["alone"]], 1))
    large = memory()
    found |= asyncio.run(all_of([case for case in todo["cases"] if not case["alone"]], todo["at_once"]))
    time.sleep(3.0)
    over = time.monotonic()  # a connection that is still open now is one that was left open
    took = {"before": before, "large": large, "all": memory()}
    Path("asked.json").write_text(json.dumps({"cases": found, "memory": took, "over": over}), encoding="utf-8")


if __name__ == "__main__":
    main()
