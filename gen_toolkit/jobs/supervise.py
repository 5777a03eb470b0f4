"""Watches over one execution: starts the runner, follows it, ends it in time, and tells how it went.

Every process of the run carries the run's id in its environment, and is found and ended by it. The
runner dies with its supervisor, the kernel with its runner, however those end.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.jobs.ledger import Reason, State
from gen_toolkit.process import die_with_parent, end_marked
from gen_toolkit.surface import RUN_MARK

_LONGEST_EXCERPT = 4000


class _Stop(BaseException):
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        self.number = number


Progress = Callable[[int, int, str], None]
"""Told of (cell, of how many, the newest line of a progress that the cell shows)."""


@dataclass(frozen=True)
class Ending:
    """How an execution ended."""

    state: State
    reason: Reason | None = None
    signal: int | None = None
    """The signal that ended this process's work: it should exit by it."""


def supervise(
    run: str,
    folder: Path,
    *,
    environment: dict[str, str],
    late_environment: Callable[[], dict[str, str]],
    cwd: Path,
    timeout: float | None,
    progress: Progress,
    mark: str = RUN_MARK,
    secrets: Sequence[str] = (),
) -> Ending:
    """Execute `folder/prepared.ipynb`; the executed notebook is `folder/notebook.ipynb`.

    `late_environment` is asked while the runner starts up: what it returns reaches the kernel too. The
    values of `secrets` (references) are masked in what the runner writes.
    """
    until = None if timeout is None else time.monotonic() + timeout
    reached: int | None = None

    def follow(cell: int, of: int, line: str) -> None:
        nonlocal reached
        reached = cell or None
        progress(cell, of, line)

    with _signals(), _sockets() as sockets, open(folder / "log.txt", "ab", opener=_private) as log:
        runner = None
        try:
            runner = subprocess.Popen(
                [sys.executable, "-m", "gen_toolkit.jobs.runner", str(folder)],
                env={**environment, mark: run},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=cwd,
                start_new_session=True,  # Ctrl-C comes to us, not to the runner
                preexec_fn=die_with_parent,
            )
            task = {"cwd": str(cwd), "secrets": list(secrets), "connection_file": f"{sockets}/kernel.json"}
            _hand_over(runner, {**task, "environment": late_environment()})
            return _follow(runner, until, timeout, follow)
        except _Stop as stop:
            name = signal.Signals(stop.number).name
            return Ending("cancelled", Reason(f"stopped by {name}", reached), signal=stop.number)
        finally:
            end_marked(mark, run)
            if runner is not None:
                _close(runner)


def _sockets() -> tempfile.TemporaryDirectory[str]:
    """A folder for the kernel's sockets, with a short name: a socket's path may have 107 characters."""
    return tempfile.TemporaryDirectory(prefix="gt-", ignore_cleanup_errors=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _hand_over(runner: subprocess.Popen[bytes], task: dict[str, Any]) -> None:
    assert runner.stdin is not None, "asked for by Popen"
    with contextlib.suppress(BrokenPipeError):
        runner.stdin.write(json.dumps(task).encode() + b"\n")
        runner.stdin.flush()


def _follow(
    runner: subprocess.Popen[bytes],
    until: float | None,
    timeout: float | None,
    progress: Progress,
) -> Ending:
    """Read what the runner says until it ends, or its time does."""
    last: dict[str, Any] = {}
    cell: int | None = None
    of = 0
    for said in _lines(runner, until):
        if said is None:
            return Ending("timed out", Reason(f"not done after {timeout:g} s", cell=cell))
        if said["event"] == "cell":
            cell, of = said["cell"], said["of"]
            progress(said["cell"], of, "")
        elif said["event"] == "progress":
            progress(cell or 0, of, text.one_line(said["line"], 100))
        else:
            last = said
    return _ending(last, cell, runner.wait())


def _lines(runner: subprocess.Popen[bytes], until: float | None) -> Iterator[dict[str, Any] | None]:
    """The runner's messages; None once when the time is up."""
    assert runner.stdout is not None, "asked for by Popen"
    descriptor = runner.stdout.fileno()
    os.set_blocking(descriptor, False)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                yield None
                return
            # wake now and then: the pipe stays open in a kernel that outlives a killed runner
            if not selector.select(0.5 if left is None else min(left, 0.5)):
                if runner.poll() is not None:
                    return
                continue
            chunk = os.read(descriptor, 65536)
            if not chunk:
                return
            *complete, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in complete if line)


def _ending(last: dict[str, Any], cell: int | None, status: int) -> Ending:
    match last.get("event"):
        case "done" if last["state"] == "succeeded":
            return Ending("succeeded")
        case "done":
            excerpt = text.terminal(last.get("excerpt", ""))[-_LONGEST_EXCERPT:]
            message = text.one_line(last.get("message", ""), 300)
            return Ending("failed", Reason(message, last.get("cell"), last.get("error"), excerpt))
        case "dead":
            return _killed("the kernel", last.get("status"), last.get("cell") or cell)
        case "broken":
            return Ending("failed", Reason(text.one_line(last["message"], 300), cell, last["error"]))
    return _killed("the runner", status, cell)


def _killed(who: str, status: int | None, cell: int | None) -> Ending:
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        return Ending("killed", Reason(f"{who} was killed by {name}", cell, signal=-status))
    return Ending("killed", Reason(f"{who} ended by itself with status {status}", cell))


def _close(runner: subprocess.Popen[bytes]) -> None:
    for pipe in (runner.stdin, runner.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        runner.wait(timeout=5)


_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP end the run, and only then this process."""

    stopped = False

    def stop(number: int, _: object) -> None:
        nonlocal stopped
        stopped = True
        _ignore_stops()  # asked twice, the run still ends in order
        raise _Stop(number)

    before = {number: signal.signal(number, stop) for number in _STOPS}
    try:
        yield
    finally:
        if not stopped:  # else they stay ignored until the end is on record: see `ended_in_order`
            for number, handler in before.items():
                signal.signal(number, handler)


def _ignore_stops() -> None:
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def ended_in_order() -> Iterator[Callable[[], None]]:
    """Around a run and the record of its end: from the call of what this gives on, signals to stop are ignored."""
    before = {number: signal.getsignal(number) for number in _STOPS}
    try:
        yield _ignore_stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
