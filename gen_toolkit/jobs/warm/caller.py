"""Who asks a template for a process, and what the process is to do when its caller is gone."""

from __future__ import annotations

from enum import StrEnum

SUPERVISOR, PLAIN = b"c", b"k"
"""What is said first: whether the process will have to start children of its own."""
GO = b"!"
"""Said last; until then nothing has happened."""


class Caller(StrEnum):
    COMMAND = "command"
    """`gen run`: its end is an order to stop."""
    KERNEL = "kernel"
    """JupyterLab, papermill: a kernel ends with them."""
    SERVER = "server"
    """`gen serve`: what it started goes on without it."""
    LEAVING = "leaving"
    """A process that is about to end: what it leaves behind goes on, and starts nothing itself."""

    @property
    def greeting(self) -> bytes:
        return PLAIN if self in (Caller.KERNEL, Caller.LEAVING) else SUPERVISOR
