"""Processes: who this one is, whether another is still there, and how to find and end those of a run."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from functools import cache
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


_SYSTEM_S = 0xEFFFFFFC  # inode of the PID namespace that is no container's: PROC_PID_INIT_INO, linux/proc_ns.h


def this_process() -> str:
    """`place pid start`: a name that no other process will have, also when the pid is used again."""
    return _name(os.getpid())


@cache
def _name(pid: int) -> str:
    """Looked up once: every call is signed with it."""
    return f"{_place()} {pid} {_started(pid) or 0}"


def _place() -> str:
    """Where a pid means the same process: this host; or this container, whose host may bear the same name."""
    host = socket.gethostname()
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:  # no Linux
        return host
    return host if namespace == _SYSTEM_S else f"{host}/{namespace}"


def place_of(name: str) -> str:
    """The place of the process that called itself `name`: a host, or `host/namespace` of a container on it."""
    return name.rsplit(" ", 2)[0]


def is_here(name: str) -> bool:
    """Whether that process was started where this one is, so that its pid means something here."""
    return place_of(name) == _place()


def is_alive(name: str) -> bool:
    """Whether the process that called itself `name` still runs. In another place nobody can tell: yes."""
    if not is_here(name):
        return True
    _, pid, start = name.rsplit(" ", 2)
    now = _started(int(pid))
    if now is None and not sys.platform.startswith("linux"):
        return _exists(int(pid))
    return now is not None and str(now) == start


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def steady() -> float:
    """Seconds on a clock that nobody sets, the same for all processes; a machine asleep does not stop it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform.startswith("linux") else time.monotonic()


def _started(pid: int) -> int | None:
    """Clock ticks from boot to the process's start (proc(5), stat field 22); None: gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()  # a name is any bytes
    except OSError:
        return None
    return None if fields[0] in b"ZX" else int(fields[19])


def marked(variable: str, value: str) -> list[int]:
    """The processes that have `variable=value` in their environment, without this one (Linux)."""
    wanted = f"{variable}={value}".encode()
    names = os.listdir("/proc") if os.path.isdir("/proc") else []
    found = []
    for pid in (int(name) for name in names if name.isdigit()):
        environment = _read(f"/proc/{pid}/environ")
        is_marked = wanted in environment and wanted in environment.split(b"\0")
        if is_marked and pid != os.getpid() and _started(pid) is not None:
            found.append(pid)
    return found


def _read(path: str) -> bytes:
    """A file of /proc; nothing where it is gone, or somebody else's. A run ends after a thousand of these."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(file, 1 << 17):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(file)


def end_marked(variable: str, value: str, *, patience: float = 5.0) -> bool:
    """Kill every process of a mark, also those born meanwhile; True when none is left."""
    until = time.monotonic() + patience
    while pids := marked(variable, value):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue  # gone by itself
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends, however that ends (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent ends; False where that cannot be (not Linux)."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)
