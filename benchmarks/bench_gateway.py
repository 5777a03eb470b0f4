"""What a call costs beside the model's own time: ours with everything on, and what others do, in the same run.

Run: make bench (or: .venv/bin/python benchmarks/bench_gateway.py [RUNS]). LangChain takes part where the environment
variable PEERS names a Python that has langchain-openai: `make peers` makes one.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callers import CONTENDERS
from measure import PYTHON

HERE = Path(__file__).parent
DELAY = 0.05
PLAN = [
    (1_000, 32, "plain"),
    (1_000, 128, "plain"),
    (10_000, 128, "plain"),
    (1_000, 32, "streamed"),
    (1_000, 128, "streamed"),
]


@contextmanager
def server() -> Iterator[str]:
    command = [PYTHON, str(HERE / "model_server.py"), str(DELAY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def measure(name: str, url: str, calls: int, width: int, mode: str) -> dict[str, float]:
    python = os.environ["PEERS"] if name.startswith("LangChain") else PYTHON
    command = [python, str(HERE / "callers.py"), name, url, str(calls), str(width), mode]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GEN_TOOLKIT_", "OPENAI_", "LANG"))}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    assert found["right"] == calls, f"{name} had {found['right']} right answers of {calls}"
    return found


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    names = [name for name in CONTENDERS if not name.startswith("LangChain") or "PEERS" in os.environ]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    print(f"## Gateway\n\n{machine}; server with {DELAY * 1000:.0f} ms on the same machine; ", end="")
    print(f"medians of {runs} runs, contenders taking turns\n")
    for calls, width, mode in PLAN:
        ideal = calls * DELAY / width
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(runs):
            for name in names:
                with server() as url:
                    taken[name].append(measure(name, url, calls, width, mode))
        print(f"{calls:,} calls, {width} in flight, {mode} (ideal {ideal:.2f} s)\n")
        print("| | seconds | calls/s | CPU ms a call | peak memory | CPU against AsyncOpenAI | speed against it |")
        print("|---|---|---|---|---|---|---|")

        def median(name: str, what: str, taken: dict[str, list[dict[str, float]]] = taken) -> float:
            return statistics.median(run[what] for run in taken[name])

        for name in names:
            seconds, cpu = median(name, "seconds"), median(name, "cpu")
            against = cpu / median("AsyncOpenAI", "cpu"), median("AsyncOpenAI", "seconds") / seconds
            print(
                f"| {name} | {seconds:.2f} | {calls / seconds:.0f} | {cpu / calls * 1000:.2f} | "
                f"{median(name, 'memory'):.0f} MB | {against[0]:.2f} | {against[1]:.2f} |"
            )
        print(flush=True)


if __name__ == "__main__":
    main()
