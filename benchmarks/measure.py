"""What every benchmark here shares: whole processes timed in turn, medians, ratios, the machine they ran on."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time


def time_commands(commands: dict[str, list[str]], runs: int) -> dict[str, list[float]]:
    """Seconds of each run of each command, the commands taking turns after one warm-up each."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=environment)
            if turn:
                taken[name].append(time.perf_counter() - start)
    return taken


def machine() -> str:
    """The line that says where and when: cores, Python, date."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"


def report(title: str, taken: dict[str, list[float]], base: str) -> None:
    """A Markdown table: median, fastest and slowest run, and the ratio of the medians to `base`."""
    print(f"## {title}\n\n{machine()}; medians of {len(next(iter(taken.values())))} whole processes, interleaved\n")
    print("| command | median | fastest | slowest | against ours |\n|---|---|---|---|---|")
    ours = statistics.median(taken[base])
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        spread = f"{min(seconds) * 1000:.0f} ms | {max(seconds) * 1000:.0f} ms"
        print(f"| {name} | {median * 1000:.0f} ms | {spread} | {median / ours:.2f} |")
    print()


PYTHON = sys.executable
