"""A process that has everything imported and executes notebooks on request: what bench_jobs calls "in process".

Run by bench_jobs: python job_worker.py WHAT, then lines of (name, notebook, target) as JSON on standard input;
it answers each with the seconds it took and when it began.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

Execute = Callable[[str, str, str], str]


def papermill() -> Execute:
    import papermill

    def execute(_name: str, source: str, target: str) -> str:
        papermill.execute_notebook(source, target, progress_bar=False)
        return target

    return execute


def nbclient() -> Execute:
    import nbformat
    from nbclient import NotebookClient

    def execute(_name: str, source: str, target: str) -> str:
        notebook = nbformat.read(source, as_version=4)
        NotebookClient(notebook, kernel_name="python3").execute()
        nbformat.write(notebook, target)
        return target

    return execute


def cold() -> Execute:
    from gen_toolkit.releases.start import run_release

    return lambda name, _source, _target: str(run_release(name, {}).run.folder / "notebook.ipynb")


def warm() -> Execute:
    """Asks the template from a process that is running already, as `gen serve` or a notebook would."""
    from gen_toolkit.jobs.warm import wire
    from gen_toolkit.jobs.warm.caller import Caller
    from gen_toolkit.jobs.warm.client import ask, begin
    from gen_toolkit.workspace import find_workspace

    def execute(name: str, _source: str, target: str) -> str:
        with open(os.devnull, "rb+", buffering=0) as null, open(target, "wb+", buffering=0) as out:
            connection, _ = ask(
                find_workspace().records,
                Caller.COMMAND,
                "gen_toolkit.cli.begin",
                ["run", name, "--json"],
                environment=os.environ,
                cwd=os.getcwd(),
                files=[null.fileno(), out.fileno(), out.fileno()],
            )
            begin(connection)
            said = wire.receive(connection)
        assert said is not None, "it was killed"
        assert said[0] == {"exit": 0}, said[0]
        connection.close()
        run = json.loads(Path(target).read_text(encoding="utf-8").splitlines()[-1])
        return str(Path(run["folder"]) / "notebook.ipynb")

    return execute


def main() -> None:
    execute = {"papermill": papermill, "nbclient": nbclient, "cold": cold, "warm": warm}[sys.argv[1]]()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        began, start = time.time(), time.perf_counter()
        notebook = execute(*json.loads(line))
        answers.write(json.dumps([time.perf_counter() - start, began, notebook]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
