"""A control group for the processes of a run (cgroup v2), where this user may make one.

It holds what parentage and mark do not: a process that has cleared its environment and whose ancestors, the
reaper among them, were all killed. The folder of the run remembers which group it was.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from gen_toolkit.process import steady

_FILE = "group"
_PATIENCE = 5.0  # seconds for the killed to be gone


def may_group() -> bool:
    """Whether groups can be made here."""
    own = _own()
    if own is None or not os.access(own, os.W_OK) or not os.access(own / "cgroup.procs", os.W_OK):
        return False
    probe = own / f"gen_toolkit-probe-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def made_group(folder: Path, run: str) -> Path | None:
    """A group of the run's own, with nobody in it yet. None where it may not be."""
    own = _own()
    if own is None:
        return None
    group = own / f"gen_toolkit-{run}"
    try:
        group.mkdir()
        (folder / _FILE).write_text(str(group))
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        return None
    return group


def put_in(group: Path, pid: int) -> bool:
    """Move a process, and so all that it will start, to the group. False where it may not, or has ended.

    Takes up to 30 ms: the kernel waits until no processor is forking.
    """
    try:
        (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        return False
    return True


def end_group(folder: Path, run: str) -> bool:
    """Kill what is left in the group of the run in `folder`, and remove it. False when something would not go."""
    try:
        group = Path((folder / _FILE).read_text())
    except OSError:  # it has none, or has deleted its folder
        own = _own()
        if own is None:
            return True
        group = own / f"gen_toolkit-{run}"
    until = steady() + _PATIENCE
    while group.is_dir():
        _kill(group)
        with contextlib.suppress(OSError):  # not empty yet
            for inner in [path for path in group.iterdir() if path.is_dir()]:
                inner.rmdir()  # of a run that was started by this one
            group.rmdir()
            break
        if steady() > until:
            return False
        time.sleep(0.01)
    (folder / _FILE).unlink(missing_ok=True)
    return True


def _kill(group: Path) -> None:
    with contextlib.suppress(OSError):
        (group / "cgroup.kill").write_text("1")  # since Linux 5.14
        return
    with contextlib.suppress(OSError):
        for pid in map(int, (group / "cgroup.procs").read_text().split()):
            os.kill(pid, signal.SIGKILL)


def _own() -> Path | None:
    """The folder of the group that this process is in."""
    try:
        (place,) = (line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        # proc(5): root and mount point of the mount stand in fields 4 and 5, its type behind the hyphen
        root, point = next((m[3], m[4]) for m in mounts if m[m.index("-") + 1] == "cgroup2")
    except (OSError, ValueError, StopIteration):
        return None
    found = Path(point + place.removeprefix(root.rstrip("/")))
    return found if found.is_dir() else None
