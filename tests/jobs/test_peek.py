"""A look into a run under way, and a follower beside it, from other processes: the run goes on as if nobody were."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from command_lines import running
from notebook_cells import command, enter, environment_of_nobody, furnish, gen_json, source_of, written

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import InputError
from gen_toolkit.jobs import peek as peeking
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.peek import peek
from gen_toolkit.jobs.rows import NewRun
from gen_toolkit.jobs.steps import FILE

SECRET = "hunter2-and-some-more"
CELLS = [
    "import os, pathlib, threading, time\nimport gen_toolkit as gt\nkey = os.environ['GEN_TOOLKIT_CANARY']",
    "def say():\n    while not pathlib.Path('go').exists():\n        time.sleep(0.2)\n"
    "    print('said by a thread')\nthread = threading.Thread(target=say)\nthread.start()\ngt.keep('n', 3)",
    "gt.chat('a good film')\npathlib.Path('busy').touch()\nwhile not pathlib.Path('go').exists():\n    pass",
    "thread.join()\nprint('the end')",
]
BUSY = 5


@dataclass
class Seen:
    row: dict[str, Any] = field(default_factory=dict)
    busy: Any = None
    stopped: Any = None
    followed: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None
    notebook: dict[str, Any] = field(default_factory=dict)
    key_modes: list[int] = field(default_factory=list)


def until(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """One run that is busy until it has been looked at: busy in Python, then with its kernel stopped."""
    root = furnish(
        tmp_path_factory.mktemp("peek") / "work",
        settings='[models.dry]\nprovider = "scripted"\nreplies = "replies.json"\n',
    )
    notebook = written(root / "notebooks/busy.ipynb", *CELLS)
    seen = Seen()
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        patch.setenv("GEN_TOOLKIT_CANARY", SECRET)
        database, quiet = open_database(), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**environment_of_nobody(), "GEN_TOOLKIT_CANARY": SECRET}
        work = subprocess.Popen(command("try", notebook), cwd=root, env=environment, **quiet)  # type: ignore[call-overload]
        until(lambda: (root / "busy").exists())
        run = Ledger(database).list()[0]
        follower = subprocess.Popen(
            command("runs", "show", run.id, "--follow", "--json"),
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            bufsize=0,  # what a buffer has read ahead, communicate() does not see
        )
        assert follower.stdout is not None
        first = follower.stdout.readline() + follower.stdout.readline()  # it has come, and seen the cell
        seen.busy = peek(database, run)
        connection = next(json.loads(line) for line in _steps(run.folder) if "connection" in line)["connection"]
        seen.key_modes = [os.stat(path).st_mode & 0o777 for path in (connection, Path(connection).parent)]
        kernel = running(connection)[0]
        os.kill(kernel, signal.SIGSTOP)
        patch.setattr(peeking, "_PATIENCE", 0.5)
        seen.stopped = peek(database, run)
        os.kill(kernel, signal.SIGCONT)
        (root / "go").touch()
        rest, _ = follower.communicate(timeout=120)
        seen.followed = [json.loads(line) for line in (first + rest).splitlines()]
        seen.exit_code = follower.returncode
        work.wait(120)
        seen.row = gen_json("runs", "show", run.id, cwd=root)
        seen.notebook = json.loads((Path(seen.row["folder"]) / "notebook.ipynb").read_text())
        yield seen


def _steps(folder: Path | None) -> list[str]:
    assert folder is not None
    return (folder / FILE).read_text().splitlines()


@pytest.mark.kernel
def test_a_kernel_that_is_busy_tells_cell_time_costs_memory_and_variables(seen: Seen) -> None:
    told = seen.busy
    assert (told.cell, told.of, told.line, told.calls, told.cost_usd) == (BUSY, 6, "gt.chat('a good film')", 1, "0")
    assert told.cell_seconds >= 0
    assert told.memory_mb > 20
    named = {one["name"]: (one["type"], one["value"]) for one in told.variables}
    assert named.keys() == {"limit", "key", "thread"}
    assert named["limit"] == ("int", "3")
    assert named["thread"] == ("Thread", "")


@pytest.mark.kernel
def test_a_kernel_that_does_not_answer_is_told_in_a_line(seen: Seen) -> None:
    assert seen.stopped.variables is None
    assert "has not answered for 0.5 s" in seen.stopped.problem
    assert seen.stopped.cell == BUSY


@pytest.mark.kernel
def test_the_key_of_the_kernel_stays_with_its_user(seen: Seen) -> None:
    assert seen.key_modes == [0o600, 0o700]


@pytest.mark.kernel
def test_the_run_goes_on_as_if_nobody_had_looked(seen: Seen) -> None:
    assert seen.row["state"] == "succeeded"
    outputs = [output for cell in seen.notebook["cells"] for output in cell["outputs"]]
    assert (
        "".join(source_of({"source": o["text"]}) for o in outputs if o["output_type"] == "stream")
        == "kept n = 3\nsaid by a thread\nthe end\n"
    )
    log = Path(seen.row["outcome"]["log"]).read_text()
    assert "UNKNOWN" not in log


@pytest.mark.kernel
def test_a_follower_hears_the_cell_under_way_and_all_that_comes(seen: Seen) -> None:
    events = seen.followed
    assert events[0]["event"] == "attempt"
    assert [event["cell"] for event in events if event["event"] == "cell"] == [BUSY, BUSY + 1]
    said = "".join(event["text"] for event in events if event["event"] == "output")
    assert said == "said by a thread\nthe end\n"
    assert [(event["name"], event["value"]) for event in events if event["event"] == "kept"] == [("n", 3)]
    assert [event["calls"] for event in events if event["event"] == "spent"][-1] == 1
    assert events[-1]["event"] == "ended"
    assert events[-1]["run"]["state"] == "succeeded"
    assert seen.exit_code == 0


def test_only_what_runs_can_be_looked_into() -> None:
    ledger = Ledger(open_database())
    run = NewRun("label", "job", "x.ipynb", {})
    ledger.submit(run)
    with pytest.raises(InputError, match="waits to be started"):
        peek(open_database(), ledger.find(run.id))
    ledger.cancel(run.id)
    with pytest.raises(InputError, match="has ended: cancelled"):
        peek(open_database(), ledger.find(run.id))


def test_of_other_kernels_and_other_machines_cell_and_time_are_told(tmp_path: Path) -> None:
    ledger = Ledger(open_database())
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {}), folder=tmp_path)
    assert lease is not None
    assert peek(open_database(), ledger.find(lease.run)).problem == "its kernel has not started yet"
    steps = [
        {"event": "kernel", "implementation": "xeus-r", "connection": "/nowhere"},
        {"event": "cell", "cell": 2, "of": 3, "line": "x <- 1"},
        {"event": "progress", "line": "3/9"},
    ]
    lines = [json.dumps({**step, "at": time.time() - 60, "log": 0}) for step in steps]
    (tmp_path / FILE).write_text("\n".join(lines) + "\n")
    told = peek(open_database(), ledger.find(lease.run))
    assert (told.cell, told.of, told.line, told.progress) == (2, 3, "x <- 1", "3/9")
    assert told.cell_seconds == pytest.approx(60, abs=30)
    assert told.problem == "its kernel is xeus-r, which cannot be asked"
    ledger.record(lease, process="elsewhere 12 34")
    assert peek(open_database(), ledger.find(lease.run)).problem == "it is executed on elsewhere: look there"
