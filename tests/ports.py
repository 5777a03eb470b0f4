"""A port for a server that a test starts."""

from __future__ import annotations

import contextlib
import random
import socket

_PORTS = range(20_000, 30_000)  # below those that the system gives to whoever asks for any: kernels take these


def free_port() -> int:
    """One that nobody listens on now, and that nobody gets by asking for any."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("100 ports are taken")
