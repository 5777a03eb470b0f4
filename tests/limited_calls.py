"""Processes that all call one alias at once, as notebooks and jobs of one workspace do."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Done:
    """What one process saw: when each call was over, how many attempts it took, and the codes of its errors."""

    at: list[float]
    attempts: list[int]
    errors: dict[str, int]


@dataclass(frozen=True)
class Together:
    """What all saw that were not killed."""

    start: float
    """By the clock that all processes of a machine share."""
    done: list[Done]

    @property
    def seconds(self) -> float:
        return max(max(each.at) for each in self.done) - self.start

    @property
    def errors(self) -> Counter[str]:
        return sum((Counter(each.errors) for each in self.done), Counter())

    @property
    def behind(self) -> list[int]:
        """How many calls each process had done when the first had done all of its own: fewest first."""
        first = min(max(each.at) for each in self.done)
        return sorted(sum(at <= first for at in each.at) for each in self.done)


def alias_for(workspace: Path, url: str, **lines: object) -> None:
    """Make `fast` the workspace's model; `warm` leads to the same server and has no limit there."""
    toml = "".join(f"{name} = {value}\n" for name, value in lines.items())
    (workspace / "gen_toolkit.toml").write_text(
        f"""
model = "fast"
[models.warm]
model = "m"
base_url = "{url}/unlimited/v1"
[models.fast]
model = "m"
base_url = "{url}/v1"
{toml}"""
    )


def call_together(processes: int, tasks: int, workspace: Path, *, kill_after: float | None = None) -> Together:
    """So many processes make so many calls each, all of them at once; one is perhaps killed in the middle."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, __file__, str(tasks)]
    children = [subprocess.Popen(command, cwd=workspace, **pipes) for _ in range(processes)]
    try:
        for child in children:
            assert child.stdout.readline() == "ready\n"
        start = time.monotonic()
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        alive = children
        if kill_after is not None:
            time.sleep(kill_after)
            children[0].kill()
            alive = children[1:]
        return Together(start, [Done(**json.loads(child.stdout.readline())) for child in alive])
    finally:
        for child in children:
            child.kill()
            child.communicate()


async def _calls(tasks: int) -> Done:
    import gen_toolkit as gt

    at: list[float] = []
    attempts: list[int] = []
    errors: Counter[str] = Counter()

    async def call(number: int) -> None:
        try:
            attempts.append((await gt.achat(f"number {number}")).attempts)
        except gt.GenToolkitError as error:
            errors[error.code] += 1
        at.append(time.monotonic())

    await asyncio.gather(*(call(number) for number in range(tasks)))
    return Done(at, attempts, dict(errors))


if __name__ == "__main__":
    import gen_toolkit

    gen_toolkit.chat("what the first call loads is loaded", model="warm")
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(vars(asyncio.run(_calls(int(sys.argv[1]))))), flush=True)
