"""How far a run under way is: a line of JSON a step in its folder, for whoever looks at it from another process.

Every line has `event`, `at` (seconds since 1970) and `log`: how long log.txt was then, so that a reader knows what
was printed before it. Events: `kernel` (`connection`: the file by which its kernel is reached), `cell` (it begins:
`cell`, `of`, `line`, the first of its code), `ran` (`cell`, `seconds`), `progress` (`line`: the newest of one that
the cell shows).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from gen_toolkit import text

FILE = "progress.jsonl"
_PROGRESS_EVERY = 1.0  # seconds: a cell may show one for days


class Steps:
    """Writes them, in the process whose standard error is the run's log.txt.

    What cannot be written is left out: no run stops because nobody can watch it.
    """

    def __init__(self, folder: Path) -> None:
        self._file: int | None = None
        self._shown, self._line = 0.0, ""
        with contextlib.suppress(OSError):
            self._file = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def say(self, event: str, **facts: Any) -> None:
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            at, log = round(time.time(), 3), os.fstat(sys.stderr.fileno()).st_size
            line = json.dumps({"event": event, **facts, "at": at, "log": log})
            os.write(self._file, text.scrub(line).encode() + b"\n")

    def progress(self, line: str) -> None:
        """The newest line of a progress; now and then one is written."""
        now = time.monotonic()
        if line and line != self._line and now - self._shown >= _PROGRESS_EVERY:
            self._shown, self._line = now, line
            self.say("progress", line=line)


def read_steps(folder: Path | None) -> list[dict[str, Any]]:
    """All steps of an attempt so far; none of one that has none. A line that is being written is left out."""
    try:
        written = b"" if folder is None else (folder / FILE).read_bytes()
    except OSError:
        return []
    return parsed(written.split(b"\n")[:-1])


def parsed(lines: list[bytes]) -> list[dict[str, Any]]:
    """The steps that lines tell. A torn line (the disk was full) tells nothing."""
    steps = []
    for line in lines:
        with contextlib.suppress(ValueError):
            step = json.loads(line)
            if isinstance(step, dict) and {"event", "at", "log"} <= step.keys():
                steps.append(step)
    return steps


def cells_ran(steps: list[dict[str, Any]]) -> tuple[tuple[int, float], ...]:
    """(cell, seconds) of the cells that were executed to their end."""
    return tuple((step["cell"], step["seconds"]) for step in steps if step["event"] == "ran")


def cell_under_way(steps: list[dict[str, Any]]) -> int | None:
    """Number of the cell that was begun and has not been executed to its end."""
    told = [step for step in steps if step["event"] in {"cell", "ran"}]
    return told[-1]["cell"] if told and told[-1]["event"] == "cell" else None
