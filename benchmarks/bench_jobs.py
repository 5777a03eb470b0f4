"""How long a job takes, from the command to the saved notebook and the recorded run, beside papermill and nbclient.

Run: make bench, or .venv/bin/python benchmarks/bench_jobs.py [--part trivial,imports,cells,output,many]
[--runs 5] [--ours]. Contestants take turns; a row is the median of its runs. Bytecode must be compiled (`make
setup` does it). "warm" is with a template up (`gen warm start`), "cold" without. MLflow follows a run; that is not
counted, and waited for before the next contestant starts. The goals are compared with what was measured at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from job_goals import COLD, INSIDE, MANY, NBCLIENT, PAPERMILL, WARM, Found, Taken, goals
from job_notebooks import command, environment, executed, first_cell, make
from measure import PYTHON, machine

HERE = Path(__file__).parent
BIN = Path(PYTHON).parent


Contestant = Callable[[str, Taken], None]


@dataclass
class Arena:
    root: Path
    stack: ExitStack
    number: int = 0
    began: float = 0.0

    def settle(self) -> None:
        """Until MLflow has heard of all runs: what follows one contestant must not slow the next."""
        until = time.monotonic() + 120
        with sqlite3.connect(self.root / "mlruns" / "gen_toolkit.db") as database:
            while database.execute("select count(*) from spool where delivered_at is null").fetchone()[0]:
                assert time.monotonic() < until, "MLflow is not told"
                time.sleep(0.2)
        database.close()
        time.sleep(0.3)

    def target(self) -> Path:
        self.number += 1
        return self.root / "out" / f"{self.number}.ipynb"

    def source(self, name: str) -> Path:
        return self.root / "notebooks" / f"{name}.ipynb"

    def program(self, arguments: Callable[[Path, Path], Sequence[str | Path]]) -> Contestant:
        """A command that executes SOURCE to TARGET."""

        def once(name: str, taken: Taken) -> None:
            target = self.target()
            self._timed([str(it) for it in arguments(self.source(name), target)], taken)
            executed(target, name)
            if name in {"trivial", "imports"}:
                taken.first.append(first_cell(target) - self.began)

        return once

    def gen(self, **more: str) -> Contestant:
        """`gen run`."""

        def once(name: str, taken: Taken) -> None:
            said = self._timed([PYTHON, "-m", "gen_toolkit.cli.entry", "run", name, "--json"], taken, **more)
            notebook = Path(json.loads(said)["folder"]) / "notebook.ipynb"
            executed(notebook, name)
            if name in {"trivial", "imports"}:
                taken.first.append(first_cell(notebook) - self.began)

        return once

    def worker(self, what: str) -> Contestant:
        """A process that is there already."""
        process = self.stack.enter_context(_worker(what, self.root))

        def once(name: str, taken: Taken) -> None:
            self.settle()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps([name, str(self.source(name)), str(self.target())]) + "\n")
            process.stdin.flush()
            seconds, began, notebook = json.loads(process.stdout.readline())
            executed(Path(notebook), name)
            taken.seconds.append(seconds)
            if name in {"trivial", "imports"}:
                taken.first.append(first_cell(Path(notebook)) - began)

        return once

    def _timed(self, arguments: list[str], taken: Taken, **more: str) -> str:
        self.settle()
        self.began, start = time.time(), time.perf_counter()
        process = subprocess.Popen(
            arguments,
            cwd=self.root,
            env=environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        out, said = process.stdout.read(), process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        taken.seconds.append(time.perf_counter() - start)
        taken.cpu.append(used.ru_utime + used.ru_stime)
        if process.returncode:
            raise SystemExit(f"{arguments}: {said.decode()}")
        return out.decode()


@contextmanager
def _worker(what: str, root: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [PYTHON, str(HERE / "job_worker.py"), what],
        cwd=root,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def contestants(arena: Arena, ours_only: bool) -> dict[str, Contestant]:
    papermill, unsaved = BIN / "papermill", "--no-request-save-on-cell-execute"
    ours = {
        WARM: arena.gen(),
        COLD: arena.gen(GEN_TOOLKIT_START="cold"),
        INSIDE: arena.worker("warm"),
        "in process: ours, cold": arena.worker("cold"),
    }
    if ours_only:
        return ours
    return {
        PAPERMILL: arena.program(lambda source, target: [papermill, source, target]),
        "papermill, saving once": arena.program(lambda source, target: [papermill, unsaved, source, target]),
        "jupyter execute": arena.program(lambda s, t: [BIN / "jupyter-execute", s, f"--output={t.with_suffix('')}"]),
        **ours,
        "in process: papermill": arena.worker("papermill"),
        NBCLIENT: arena.worker("nbclient"),
    }


def compare(name: str, title: str, known: dict[str, Contestant], runs: int, base: str) -> dict[str, Taken]:
    """All contestants on one notebook, in turn; the first round is not counted."""
    taken = {who: Taken() for who in known}
    for turn in range(runs + 1):
        for who, once in known.items():
            once(name, Taken() if turn == 0 and runs > 1 else taken[who])
    table(title, taken, base)
    return taken


def table(title: str, taken: dict[str, Taken], base: str) -> None:
    print(f"## {title}\n\n{machine()}; medians of {len(next(iter(taken.values())).seconds)}, interleaved\n")
    print(f"| | median | fastest | slowest | CPU | first cell after | {base} takes |\n|---|---|---|---|---|---|---|")
    compared = statistics.median(taken[base].seconds)
    for who, its in taken.items():
        median = statistics.median(its.seconds)
        first = f"{statistics.median(its.first) * 1000:.0f} ms" if its.first else ""
        spread = f"{min(its.seconds):.2f} s | {max(its.seconds):.2f} s"
        cpu = f"{statistics.median(its.cpu):.2f} s" if its.cpu and who != WARM else ""
        print(f"| {who} | {median:.2f} s | {spread} | {cpu} | {first} | {compared / median:.1f} × |")
    print(flush=True)


def at_once(arena: Arena, ours_only: bool) -> dict[str, Taken]:
    """The seconds until MANY commands, started together, have all ended."""
    gen = [PYTHON, "-m", "gen_toolkit.cli.entry", "run", "imports", "--json"]
    commands = {WARM: [(gen, {})] * MANY}
    if not ours_only:
        source = arena.source("imports")
        papermill = [([str(BIN / "papermill"), str(source), str(arena.target())], {}) for _ in range(MANY)]
        commands = {PAPERMILL: papermill, COLD: [(gen, {"GEN_TOOLKIT_START": "cold"})] * MANY, **commands}
    taken = {}
    for who, started in commands.items():
        arena.settle()
        start = time.perf_counter()
        processes = [
            subprocess.Popen(
                arguments,
                cwd=arena.root,
                env=environment(**more),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for arguments, more in started
        ]
        codes = [process.wait() for process in processes]
        assert not any(codes), f"{who}: {codes}"
        taken[who] = Taken([time.perf_counter() - start])
    table(f"(e) {MANY} at once, each importing pandas, mlflow, openai", taken, next(iter(commands)))
    return taken


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--part", default="trivial,imports,cells,output,many")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--ours", action="store_true", help="our own lines only: under five minutes")
    asked = options.parse_args()
    parts = asked.part.split(",")
    root = Path(tempfile.mkdtemp(prefix="bench-jobs-"))
    try:
        with ExitStack() as stack:
            arena = Arena(make(root / "work"), stack)
            command(arena.root, "warm", "start")
            stack.callback(command, arena.root, "warm", "stop")
            known = contestants(arena, asked.ours)
            base = COLD if asked.ours else PAPERMILL
            one = max(1, asked.runs // 3)  # papermill takes minutes for each of these
            found: Found = {}
            if "trivial" in parts:
                found["a"] = compare("trivial", "(a) one trivial cell", known, asked.runs, base)
            if "imports" in parts:
                found["b"] = compare("imports", "(b) imports pandas, mlflow, openai", known, asked.runs, base)
            if "cells" in parts:
                found["c100"] = compare("cells-100", "(c) 100 cells", known, asked.runs, base)
                found["c1000"] = compare("cells-1000", "(c) 1,000 cells", known, one, base)
            if "output" in parts:
                found["d"] = compare("output", "(d) 100 cells that print 200 kB each", known, one, base)
            if "many" in parts:
                found["e"] = at_once(arena, asked.ours)
            goals(found)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
