"""Start a Python module as a child process: a new interpreter, or a fork where this process came from a template."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gen_toolkit.process import die_with_parent


@dataclass(frozen=True)
class Surroundings:
    """What a child begins with. It always has a session of its own: Ctrl-C in a terminal does not reach it."""

    environment: Mapping[str, str]
    """The whole of it: nothing is inherited."""
    cwd: Path
    stdin: int | None = None
    """A file descriptor; None: /dev/null, as for the other two."""
    stdout: int | None = None
    stderr: int | None = None
    pass_fds: Sequence[int] = ()
    """Further descriptors that it has under the same numbers. All others are closed."""
    dies_with_parent: bool = False
    """From its first moment on (Linux)."""


REAPER, RUNNER = "gen_toolkit.jobs.reaper", "gen_toolkit.jobs.runner"
"""The modules of a run that its supervisor starts, and that the reaper does."""

_UNKNOWN = 255

Fork = Callable[[str, Sequence[str], Surroundings], int]
"""(module, arguments, surroundings) -> pid of a fork that runs the module's `main()` with them."""

_fork: Fork | None = None  # set once, in a process that a template forked


def fork_with(fork: Fork) -> None:
    """From now on children of this process are forks of it."""
    global _fork
    _fork = fork


class Child:
    """A process that this one started. A status is its exit code, or minus the signal that ended it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        """As far as it is known."""

    def poll(self) -> int | None:
        """Its status; None while it runs."""
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self.status = _UNKNOWN  # somebody else collected it
            else:
                if pid:
                    self.reaped(status)
        return self.status

    def wait(self, timeout: float | None = None) -> int | None:
        """Its status, once it has ended; None when it has not, `timeout` seconds later."""
        until = None if timeout is None else time.monotonic() + timeout
        pause = 0.0005
        while self.poll() is None and (until is None or time.monotonic() < until):
            time.sleep(pause)
            pause = min(pause * 2, 0.05)
        return self.status

    def send_signal(self, number: int) -> None:
        """Nothing happens to one that has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def reaped(self, status: int) -> None:
        """Whoever collects all children tells what `os.waitpid` said of this one."""
        self.status = os.waitstatus_to_exitcode(status)


def start(module: str, *arguments: str, surroundings: Surroundings) -> Child:
    """Run `python -m module arguments`; a file of that name in the current folder does not stand in its way."""
    if _fork is not None:
        return Child(_fork(module, arguments, surroundings))
    return start_program([sys.executable, "-P", "-m", module, *arguments], surroundings)


def start_program(command: Sequence[str], surroundings: Surroundings) -> Child:
    """Run any program; `python -m` of this interpreter is forked where modules are. Raises OSError."""
    if _fork is not None and list(command[:2]) == [sys.executable, "-m"]:
        return Child(_fork(command[2], command[3:], surroundings))
    process = subprocess.Popen(
        command,
        env=dict(surroundings.environment),
        cwd=surroundings.cwd,
        stdin=_or_null(surroundings.stdin),
        stdout=_or_null(surroundings.stdout),
        stderr=_or_null(surroundings.stderr),
        pass_fds=surroundings.pass_fds,
        start_new_session=True,
        preexec_fn=die_with_parent if surroundings.dies_with_parent else None,
    )
    child = Child(process.pid)
    process.returncode = 0  # the child is waited for here: Popen must not collect it when it is forgotten
    return child


def _or_null(descriptor: int | None) -> int:
    return subprocess.DEVNULL if descriptor is None else descriptor
