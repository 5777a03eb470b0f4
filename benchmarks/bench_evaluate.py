"""What an evaluation takes beside the model's own time: ours with everything recorded, and the loop everybody writes.

Run: .venv/bin/python benchmarks/bench_evaluate.py [RUNS]. Other tools that evaluate do not take part yet.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench_gateway import DELAY, server
from evaluators import CONTENDERS
from measure import PYTHON, machine

HERE = Path(__file__).parent
PLAN = [(1_000, 32), (1_000, 128), (10_000, 128)]


def measure(name: str, url: str, rows: int, width: int) -> dict[str, float]:
    command = [PYTHON, str(HERE / "evaluators.py"), name, url, str(rows), str(width)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GEN_TOOLKIT_", "OPENAI_"))}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    assert found["right"] == rows, f"{name} had {found['right']} right rows of {rows}"
    return found


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"## Evaluation\n\n{machine()}; server with {DELAY * 1000:.0f} ms on the same machine; ", end="")
    print(f"medians of {runs} runs, contenders taking turns\n")
    for rows, width in PLAN:
        ideal = rows * DELAY / width
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for _ in range(runs):
            for name in CONTENDERS:
                with server() as url:
                    taken[name].append(measure(name, url, rows, width))
        print(f"{rows:,} rows, {width} in flight (ideal {ideal:.2f} s)\n")
        print("| | seconds | of the ideal | until recorded in MLflow | CPU ms a row | memory added |")
        print("|---|---|---|---|---|---|")
        for name, found in taken.items():
            rows_s, all_s, cpu, memory = (
                statistics.median(run[what] for run in found) for what in ("rows", "seconds", "cpu", "memory")
            )
            whole = f"{all_s:.2f}" if "loop" not in name else "records nothing"
            share, each = ideal / rows_s, cpu / rows * 1000
            print(f"| {name} | {rows_s:.2f} | {share:.2f} | {whole} | {each:.2f} | {memory:.0f} MB |")
        print(flush=True)


if __name__ == "__main__":
    main()
