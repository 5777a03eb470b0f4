"""Processes of this machine by what their command lines say (Linux)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def command_line(pid: int) -> str:
    """Its words, with spaces between them; empty when it has gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def running(said: str) -> list[int]:
    """Those whose command line says it."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and said in command_line(int(name))]
