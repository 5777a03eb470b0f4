"""What an evaluation takes beside the model's own time: ours with everything recorded, the loop everybody writes, and
other tools that evaluate, in the same run, on the same rows, against the same server.

Run: .venv/bin/python benchmarks/bench_evaluate.py [--runs 3] [--rows 1000,10000] [--width 32,128] [--only ours|NAME,…]
Other tools take part where the environment variable PEERS names the Python of `make peers`; 10,000 rows take them up to
ten minutes a run, so they do 1,000 unless `--all` says otherwise. `--memory` measures what a row of a long evaluation
keeps instead.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench_gateway import DELAY, server
from evaluators import CONTENDERS
from measure import PYTHON, machine

from gen_toolkit.evals.evaluate import evaluate

HERE = Path(__file__).parent
LOOP = "AsyncOpenAI loop"
OTHERS = ("promptfoo", "DSPy", "inspect-ai", "mlflow.genai.evaluate")
PATIENCE = 1_200  # seconds for one contender


def measure(name: str, url: str, rows: int, width: int) -> dict[str, float] | None:
    """None: it did not come to its end."""
    python, script = (PYTHON, "evaluators.py") if name in CONTENDERS else (os.environ["PEERS"], "evaluators_peers.py")
    command = [python, str(HERE / script), name, url, str(rows), str(width)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GEN_TOOLKIT_", "OPENAI_", "MLFLOW_"))}
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, timeout=PATIENCE, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def contenders(only: str) -> list[str]:
    """Those that can take part here."""
    found = [name for name in CONTENDERS if "traces" in inspect.signature(evaluate).parameters or "traces" not in name]
    if only == "ours":
        return [name for name in found if name.startswith("gen_toolkit")]
    found += OTHERS if "PEERS" in os.environ else ()
    return [name for name in found if not only or name in only.split(",")]


def table(rows: int, width: int, names: list[str], runs: int) -> None:
    ideal = rows * DELAY / width
    taken: dict[str, list[dict[str, float] | None]] = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            with server() as url:
                taken[name].append(measure(name, url, rows, width))
            print(f"{rows:,} rows, {width} in flight: {name} {taken[name][-1]}", file=sys.stderr, flush=True)
    loop = [run["rows"] for run in taken.get(LOOP, []) if run is not None]
    print(f"{rows:,} rows, {width} in flight (ideal {ideal:.2f} s; load of the machine {os.getloadavg()[1]:.1f})\n")
    columns = ["until recorded", "of the ideal", "against the loop", "until the result", "CPU ms a row", "memory added"]
    print(f"| | {' | '.join(columns)} | rows |")
    print("|---|---|---|---|---|---|---|---|")
    for name, found in taken.items():
        whole = [run for run in found if run is not None]
        if not whole:
            print(f"| {name} | did not end | | | | | | |")
            continue
        result_s, recorded_s, cpu, memory, right = (
            statistics.median(run[what] for run in whole) for what in ("rows", "seconds", "cpu", "memory", "right")
        )
        # the loop records nothing, and others have recorded when they have their result
        wall = recorded_s if name.startswith("gen_toolkit") else result_s
        against = f"{wall / statistics.median(loop):.2f}" if loop else ""
        print(
            f"| {name} | {wall:.2f} | {ideal / wall:.2f} | {against} | {result_s:.2f} | {cpu / rows * 1000:.2f} | "
            f"{memory:.0f} MB | {right:.0f} right |"
        )
    print(flush=True)


def memory(runs: int) -> None:
    print("| rows | memory added | a row | CPU ms a row |\n|---|---|---|---|")
    for rows in (10_000, 20_000, 50_000):
        found = []
        for _ in range(runs):
            with server() as url:
                found.append(measure("gen_toolkit", url, rows, 128))
        whole = [run for run in found if run is not None]
        added, cpu = (statistics.median(run[what] for run in whole) for what in ("memory", "cpu"))
        print(f"| {rows:,} | {added:.0f} MB | {added * 1024 / rows:.2f} kB | {cpu / rows * 1000:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", default="1000,10000")
    parser.add_argument("--width", default="32,128")
    parser.add_argument("--only", default="", help="ours, or names with commas between")
    parser.add_argument("--all", action="store_true", help="other tools, too, do more than 1,000 rows")
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    print(f"## Evaluation\n\n{machine()}; server with {DELAY * 1000:.0f} ms on the same machine; ", end="")
    print(f"medians of {given.runs} runs, contenders taking turns\n")
    if given.memory:
        memory(given.runs)
        return
    for rows in map(int, given.rows.split(",")):
        for width in map(int, given.width.split(",")):
            names = [n for n in contenders(given.only) if n in CONTENDERS or rows <= 1_000 or given.all]
            table(rows, width, names, given.runs)


if __name__ == "__main__":
    main()
