"""Deliver an alert by a program: the payload on its standard input, no shell."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from gen_toolkit.alerts.undelivered import Undelivered


def call(command: Sequence[str], payload: str, timeout_s: float, cwd: Path) -> None:
    """Raises Undelivered when it cannot be started, says no, or is not done in time; then all of it is killed."""
    try:
        program = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise Undelivered(f"{command[0]} cannot be started: {getattr(error, 'strerror', None) or error}") from None
    with program:
        try:
            _, said = program.communicate(payload.encode(), timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise Undelivered(f"{command[0]} was not done after {timeout_s:g} s") from None
    if program.returncode:
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise Undelivered(f"{command[0]} ended with {program.returncode}{': ' + last[0] if last else ''}")
