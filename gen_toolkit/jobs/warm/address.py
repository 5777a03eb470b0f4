"""Where the template of a workspace listens: a UNIX socket in its folder of records, for its owner only."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

SOCKET = "warm.sock"
LOCK = "warm.lock"
LOG = "warm.log"

_PATIENCE = 5.0  # seconds; one that was stopped, or is swamped, does not hold a command up for longer


def possible() -> bool:
    """Only on Linux: elsewhere the system's libraries do not survive a fork, and processes are not found by mark."""
    return sys.platform == "linux"


def connect(records: Path) -> socket.socket | None:
    """A connection to the template of these records; None where none is up."""
    if not possible() or not (records / SOCKET).exists():
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_PATIENCE)
    try:
        with _short(records) as path:
            connection.connect(path)
        if peer(connection)[1] != os.geteuid():  # somebody else's, in a folder that is open to them
            raise PermissionError(SOCKET)
    except OSError:
        connection.close()
        return None
    return connection


def listen(records: Path) -> socket.socket:
    """The template's end. The caller holds the lock: what lies there is of one that is gone."""
    (records / SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with _short(records) as path:
        before = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
    listener.listen(256)
    return listener


def peer(connection: socket.socket) -> tuple[int, int]:
    """(process, user) at the other end (SO_PEERCRED, unix(7)); process 0 where it is not to be seen from here."""
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid


@contextlib.contextmanager
def _short(records: Path) -> Iterator[str]:
    """A short name of the socket: its path may have 107 characters, a workspace's may have more."""
    folder = os.open(records, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)
