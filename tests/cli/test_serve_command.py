"""gen serve: its log is a courtesy, and no condition for serving."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.ledger import Ledger

_CODE = """
import sys
from functools import partial
from gen_toolkit.cli.app import main
from gen_toolkit.schedules import serve
serve.Serving = partial(serve.Serving, warm=False)  # a template would outlive the test
sys.argv = ["gen", "serve", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("log", ["/dev/full", "a pipe without a reader"])
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_log_that_cannot_be_written_does_not_end_who_serves(workspace: Path, log: str, arguments: list[str]) -> None:
    (workspace / "pipelines/label").mkdir(parents=True)
    (workspace / "pipelines/label/pipeline.toml").write_text("[schedule]\nevery_s = 1\n")  # each instant is a line
    reader, out = (None, os.open(log, os.O_WRONLY)) if log == "/dev/full" else os.pipe()
    if reader is not None:
        os.close(reader)
    server = subprocess.Popen([sys.executable, "-c", _CODE, *arguments], stdout=out, stderr=subprocess.PIPE, text=True)
    os.close(out)
    try:
        ledger = Ledger(open_database())
        until = time.monotonic() + 60
        while len(ledger.list()) < 3:
            assert server.poll() is None, server.communicate()
            assert time.monotonic() < until
            time.sleep(0.05)
        server.send_signal(signal.SIGTERM)
        assert (server.wait(60), server.communicate()[1]) == (0, "")
    finally:
        server.kill()
        server.wait()
