"""The processes below one, by parentage, and the memory they take (Linux; elsewhere nothing is known)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from gen_toolkit.process import steady

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1_000_000


def descendants(of: int) -> list[int]:
    """Children, their children, and so on; also those that have ended and that nobody has collected."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb", buffering=0) as stat:
                # after the name, which is any bytes: state, parent (proc(5), stat)
                parent = int(stat.read(1024).rpartition(b")")[2].split(None, 2)[1])
        except OSError:
            continue  # gone meanwhile
        children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    layer = [of]
    while layer:
        layer = [child for parent in layer for child in children.get(parent, ())]
        found += layer
    return found


def end_children(more: Callable[[], Iterable[int]], patience: float) -> bool:
    """Kill everything below this process, and `more`, until no child is left; False if that is not so in `patience` s.

    For a process that adopts orphans: then this is everything that it ever started.
    """
    until = steady() + patience
    while True:
        for pid in {*descendants(os.getpid()), *more()}:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not _bury() and not list(more()):
            return True
        if steady() > until:
            return False
        time.sleep(0.005)


def _bury() -> bool:
    """Collect children that have ended; whether any is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def memory_mb(pids: Iterable[int]) -> float:
    """Resident memory that no file backs: cheap, but pages that a fork shares count for each process."""
    pages = 0
    for pid in pids:
        try:
            resident, shared = map(int, Path(f"/proc/{pid}/statm").read_bytes().split()[1:3])
        except (OSError, ValueError):
            continue
        pages += resident - shared
    return pages * _PAGE / _MB


def exact_memory_mb(pids: Iterable[int]) -> float:
    """The same with shared pages split among those that share them, and with shared memory; some ms a process."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith((b"Pss_Anon:", b"Pss_Shmem:")))
    return total * 1024 / _MB


def oom_kills() -> int:
    """How many processes this machine's kernel has killed for want of memory since it booted."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
