"""Have a template up for a workspace: start it, keep it, look at it, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen_toolkit.jobs.environment import kernel_environment
from gen_toolkit.jobs.fixed import HASH_SEED
from gen_toolkit.jobs.tree import descendants, exact_memory_mb
from gen_toolkit.jobs.warm import wire
from gen_toolkit.jobs.warm.address import LOCK, LOG, connect, possible
from gen_toolkit.jobs.warm.area import ROOM, ROOM_BYTES
from gen_toolkit.jobs.warm.born import KEEP, STATUS, STOP
from gen_toolkit.locks import lock
from gen_toolkit.workspace import Workspace

IDLE = 1800.0
"""Seconds without a request after which a template that nobody keeps ends."""

_START = "import sys; del sys.path[0]; from gen_toolkit.jobs.warm.template import main; main()"


@dataclass(frozen=True)
class Status:
    """A template that is up."""

    pid: int
    since: float
    """Seconds since 1970."""
    modules: int
    named: list[str] = field(default_factory=list)
    """What settings and pipelines have it import besides."""
    problems: dict[str, str] = field(default_factory=dict)
    """Modules it left out, and why."""
    stale: str | None = None
    """What has changed since it was made; it makes itself anew at the next request."""
    memory_mb: float = 0.0
    """Its own, and that of all that it has started or keeps waiting; what they share counts once."""


def keep_warm(workspace: Workspace, *, keeper: int | None = None, idle: float = IDLE) -> bool:
    """See to it that a template is up, or on its way; returns at once. False where there can be none.

    It stays as long as the process `keeper` lives (default: this one), and for `idle` seconds after the last
    request. Where it is not up yet, or dies, everything starts cold: nothing depends on it.
    """
    if not possible():
        return False
    keeper = os.getpid() if keeper is None else keeper
    if _ask(workspace, KEEP, {"pid": keeper}) is not None:
        return True
    plan = {"root": str(workspace.root), "idle": idle, "keepers": [keeper]}
    environment = {**kernel_environment([], {}), "PYTHONHASHSEED": HASH_SEED, ROOM: "." * ROOM_BYTES}
    for name in ("PYTHONIOENCODING", "PYTHONUNBUFFERED"):
        del environment[name]  # forks learn from their template what they would do without
    if "PYTHONPATH" in environment:
        environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, environment["PYTHONPATH"].split(os.pathsep)))
    log = os.open(workspace.prepare() / LOG, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(plan)],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    process.returncode = 0  # it outlives this process; nobody waits for it
    return True


def status(workspace: Workspace) -> Status | None:
    """The template that is up, or nothing."""
    found = _ask(workspace, STATUS, None)
    if found is None:
        return None
    memory_mb = exact_memory_mb([found["pid"], *descendants(found["pid"])])
    return Status(**found, memory_mb=round(memory_mb, 1))


def stop(workspace: Workspace, *, patience: float = 30.0) -> bool:
    """End the template, also one that is on its way; runs that it started go on. False where there was none."""
    until = time.monotonic() + patience
    while _ask(workspace, STOP, None) is None:
        if not _is_coming(workspace) or time.monotonic() > until:
            return False
        time.sleep(0.05)
    while time.monotonic() < until and (connection := connect(workspace.records)) is not None:
        connection.close()
        time.sleep(0.02)
    return True


def _is_coming(workspace: Workspace) -> bool:
    """Whether a process has begun to be the template, and cannot be asked yet."""
    path = workspace.records / LOCK
    if not path.exists():
        return False
    held = lock(path)
    if held is None:
        return True
    os.close(held)
    return False


def last_words(workspace: Workspace) -> str:
    """The end of the template's log."""
    with contextlib.suppress(OSError):
        return Path(workspace.records / LOG).read_text(encoding="utf-8", errors="replace").strip()[-2000:]
    return ""


def _ask(workspace: Workspace, kind: bytes, message: dict[str, Any] | None) -> dict[str, Any] | None:
    connection = connect(workspace.records)
    if connection is None:
        return None
    with connection:
        try:
            connection.sendall(kind)
            if message is not None:
                wire.send(connection, message)
            answer = wire.receive(connection)
        except (OSError, ValueError):
            return None
    return answer[0] if answer else None
