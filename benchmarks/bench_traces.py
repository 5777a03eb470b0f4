"""A grid of 12 cells × 1,000 rows, every row a trace: how long after the last reply MLflow has them, and whether all.

`python benchmarks/bench_traces.py [ROWS [CELLS]]` prints a table; with `--json`, one line. Counts are read from
MLflow's database, not asked of MLflow. The server on loopback answers after 50 ms; 32 rows are in flight.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from evaluators import ALIAS, rows
from measure import machine

HERE = Path(__file__).parent
_COUNTED = {
    "traces": "SELECT count(*) FROM trace_info",
    "spans": "SELECT count(*) FROM spans",
    "assessments": "SELECT count(*) FROM assessments",
    "traces linked to a run": "SELECT count(*) FROM trace_request_metadata WHERE key = 'mlflow.sourceRun'",
    "most traces of a run": "SELECT max(n) FROM (SELECT count(*) AS n FROM trace_request_metadata "
    "WHERE key = 'mlflow.sourceRun' GROUP BY value)",
}


def measured(url: str, count: int, cells: int, traces: Any) -> dict[str, Any]:
    """In this process: the grid, then what the databases hold."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    (folder / "gen_toolkit.toml").write_text(ALIAS.format(url=url, width=32))
    os.chdir(folder)
    import gen_toolkit as gt
    from gen_toolkit.tracking.writer import drain

    prompts = [gt.Prompt(f"label-{n}", system=f"You label reviews, way {n}.", user="{{ text }}") for n in range(cells)]
    scorers = [gt.scorers.exact("label", name="accuracy"), gt.scorers.exact("label", name="again")]
    gt.evaluate(prompts[0], rows(1), scorer=scorers, model="fast", traces=0)  # makes the databases
    drain(seconds=60)
    start, cpu = time.time(), time.process_time()
    grid = gt.evaluate(prompts, rows(count), scorer=scorers, model="fast", traces=traces)
    seconds = time.time() - start
    while drain(seconds=120):
        time.sleep(0.01)
    done = time.time()
    journal = sqlite3.connect(folder / "mlruns" / "gen_toolkit.db")
    (last,) = journal.execute("SELECT max(answered_at) FROM calls").fetchone()
    waiting = journal.execute("SELECT count(*) FROM spool WHERE delivered_at IS NULL OR problem IS NOT NULL").fetchone()
    mlflow = sqlite3.connect(folder / "mlruns" / "mlflow.db")
    return {
        "rows": sum(len(cell.rows) for cell in grid),
        "failed": sum(len(cell.failed) for cell in grid),
        "evaluated in s": round(seconds, 2),
        "in MLflow s after the last reply": round(done - last, 2),
        "CPU s": round(time.process_time() - cpu, 2),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "not delivered": waiting[0],
        **{name: mlflow.execute(query).fetchone()[0] for name, query in _COUNTED.items()},
    }


def measure(count: int, cells: int, traces: str) -> dict[str, Any]:
    """The same in a process of its own, beside a server of its own."""
    server = subprocess.Popen(
        [sys.executable, HERE / "model_server.py", "0.05"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        command = [sys.executable, __file__, "--here", url, str(count), str(cells), traces]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    finally:
        server.communicate("")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    given = sys.argv[1:]
    if given[:1] == ["--here"]:
        traces = given[4] if given[4] == "all" else int(given[4])
        print(json.dumps(measured(given[1], int(given[2]), int(given[3]), traces)))
        return
    as_json = "--json" in given
    numbers = [int(number) for number in given if number.isdigit()]
    count, cells = (*numbers, 1000, 12)[:2] if len(numbers) != 1 else (numbers[0], 12)
    found = {traces: measure(count, cells, traces) for traces in (["all"] if as_json else ["0", "20", "all"])}
    if as_json:
        print(json.dumps(found["all"]))
        return
    print(f"## A grid of {cells} cells × {count:,} rows with traces\n\n{machine()}; 50 ms server, 32 in flight\n")
    print("| traces of a cell | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for name in found["all"]:
        print(f"| {name} | " + " | ".join(f"{each[name]}" for each in found.values()) + " |")
    print()


if __name__ == "__main__":
    main()
