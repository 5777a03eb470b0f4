"""A process that is the template's child, in the hands of who asked for it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket

from gen_toolkit.jobs.warm import wire

_GONE = -signal.SIGKILL  # what is said of one whose end nobody saw


class Handle:
    """In the shape that Jupyter knows: `subprocess.Popen`'s. The connection is held as long as it runs."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Its exit code, minus the signal that ended it; None while it runs."""
        if self.returncode is None and _is_readable(self._handle):
            self._connection.settimeout(2)
            try:
                said = wire.receive(self._connection)
            except OSError:
                said = None
            facts = said[0] if said else {}
            self.returncode = facts.get("exit", facts.get("ended", _GONE))
            self._connection.close()
            os.close(self._handle)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """The same, once it has ended; None where it has not, `timeout` seconds later."""
        if self.returncode is None:
            _is_readable(self._handle, timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _is_readable(handle: int, seconds: float | None = 0.0) -> bool:
    """A pidfd is, once its process has ended (pidfd_open(2)). `poll`, since `select` knows no number above 1,023."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(None if seconds is None else round(seconds * 1000)))
