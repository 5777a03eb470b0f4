"""Who was started with signals ignored, as by `nohup`, is not stopped by them; all others are asked to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from notebook_cells import command, environment_of_nobody, furnish, gen_json, written

COUNTS = """
import os, signal
from gen_toolkit.jobs.patience import wait
from gen_toolkit.jobs.stops import stops

def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)

with stops() as asked:
    send(signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    print(asked.count, int(asked.signal))
    print(wait(0.05, lambda said: send(signal.SIGHUP, signal.SIGINT), lambda: False))
"""


@pytest.mark.parametrize(
    ("ignored", "said"),
    [((), [3, 1, 1]), (("SIGHUP",), [2, 15, 2]), (("SIGHUP", "SIGINT"), [1, 15, None])],
    ids=str,
)
def test_signals_that_were_ignored_from_the_start_stay_so(ignored: tuple[str, ...], said: list[int | None]) -> None:
    before = "import signal\n" + "".join(f"signal.signal(signal.{name}, signal.SIG_IGN)\n" for name in ignored)
    done = subprocess.run(
        [sys.executable, "-c", before + COUNTS], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == [str(one) for one in said]


@pytest.mark.kernel
def test_a_run_that_nohup_started_outlives_the_terminal(tmp_path: Path) -> None:
    root = furnish(tmp_path / "nohup")
    notebook = written(
        root / "notebooks/waits.ipynb",
        "import pathlib, time\nimport gen_toolkit as gt\npathlib.Path('busy').touch()",
        "while not pathlib.Path('go').exists():\n    time.sleep(0.05)\ngt.keep('n', 1)",
    )
    run = subprocess.Popen(
        ["nohup", *command("try", notebook)],
        cwd=root,
        env=environment_of_nobody(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while not (root / "busy").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGHUP)
    (root / "go").touch()
    assert run.wait(120) == 0
    (row,) = gen_json("runs", "list", cwd=root)
    assert row["state"] == "succeeded"
