"""Messages between a template, what it forked, and who asked for it: JSON with a length before it, and open files."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
_MOST_FILES = 64


def send(connection: socket.socket, message: dict[str, Any], files: Sequence[int] = ()) -> None:
    """Raises OSError where the other end is gone."""
    data = json.dumps(message).encode()
    socket.send_fds(connection, [_LENGTH.pack(len(data))], list(files))
    connection.sendall(data)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and the files that came with it; None at the end. Raises OSError, TimeoutError."""
    head, files, _, _ = socket.recv_fds(connection, _LENGTH.size, _MOST_FILES)
    head += _rest(connection, _LENGTH.size - len(head)) if head else b""
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = _rest(connection, length)
    return (json.loads(data), files) if len(data) == length else None


def _rest(connection: socket.socket, length: int) -> bytes:
    parts = []
    while length and (part := connection.recv(min(length, 1 << 20))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
