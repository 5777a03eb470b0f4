"""A `gen` command under way: in a process of its own, so that it is just what a terminal would start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import IO

from gen_toolkit.settings import load_settings


class Command:
    """`tell` is called with each line of its progress, from another thread."""

    def __init__(self, arguments: Sequence[str], tell: Callable[[str], None]) -> None:
        self._arguments, self._tell = list(arguments), tell
        self._process: subprocess.Popen[str] | None = None
        self.is_over = False

    def start(self, ended: Callable[[int, str], None]) -> None:
        """Returns at once; `ended` is called with the exit code and what the command printed."""
        threading.Thread(target=self._work, args=(ended,), daemon=True, name="gen_toolkit form").start()

    def stop(self) -> None:
        """As Ctrl-C does it: the run ends in order."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    def _work(self, ended: Callable[[int, str], None]) -> None:
        code, said = 3, ""
        try:
            with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as out:
                code, last = self._followed(out)
                out.seek(0)
                said = out.read() or last
        except OSError as error:
            said = f"no process can be started for the run: {error.strerror}"
        finally:
            self.is_over = True
            ended(code, said)

    def _followed(self, out: IO[str]) -> tuple[int, str]:
        """The exit code, and the last line of progress: of a refusal that is the reason."""
        process = subprocess.Popen(
            [sys.executable, "-m", "gen_toolkit.cli.entry", *self._arguments],
            cwd=load_settings().workspace.root,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # an interrupt of the cell that shows the form is not the run's
        )
        self._process, last = process, ""
        with process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.strip():
                    last = line.strip()
                    self._tell(last)
        return process.returncode, last
