"""Kernels for JupyterLab and plain papermill, forked from the workspace's template: a Jupyter kernel provisioner.

A kernel specification names it (`kernelspec` makes one). Where no template is up, or the kernel needs
other circumstances, the kernel starts as every kernel does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Unicode

from gen_toolkit.jobs.warm import wire
from gen_toolkit.jobs.warm.client import Cold, ask, begin
from gen_toolkit.jobs.warm.kernel import MODULE
from gen_toolkit.workspace import find_workspace

# "There is a parent, and no need to look whether it lives": the connection tells that (ipykernel's init_poller).
_PARENT = {"JPY_PARENT_PID": "1"}
_GONE = -signal.SIGKILL  # what is said of one whose end nobody saw


class WarmProvisioner(LocalProvisioner):  # type: ignore[misc]  # jupyter_client has no types here
    """As Jupyter's own, but that the process is a fork of the template where there is one."""

    workspace = Unicode("", config=True, help="The workspace whose template is asked; by default the current one.")

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        try:
            self.process = await asyncio.to_thread(self._forked, cmd, kwargs)
        except (Cold, OSError) as error:
            self.log.info("gen_toolkit: cold start of the kernel: %s", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        return self.connection_info

    def _forked(self, cmd: list[str], kwargs: dict[str, Any]) -> Forked:
        if cmd[1:3] != ["-m", MODULE]:
            raise Cold("the kernel specification starts another program than ipykernel")
        root = Path(self.workspace) if self.workspace else None
        out, error = _number(kwargs.get("stdout"), 1), _number(kwargs.get("stderr"), 2)
        with open(os.devnull, "rb", buffering=0) as null:
            connection, pid = ask(
                find_workspace(root).records,
                b"k",
                MODULE,
                cmd[3:],
                environment={**(kwargs.get("env") or os.environ), **_PARENT},
                cwd=str(kwargs.get("cwd") or os.getcwd()),
                files=[null.fileno(), out, error],
            )
        begin(connection)
        return Forked(connection, pid)


def _number(file: Any, own: int) -> int:
    """What `subprocess.Popen` would take: a file, its number, or nothing for this process's own."""
    if file is None:
        return own
    return file if isinstance(file, int) else int(file.fileno())


class Forked:
    """A kernel that is somebody else's child, in the shape that Jupyter knows: `subprocess.Popen`'s.

    The connection is its life line: when this process ends, the kernel does.
    """

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

    def wait(self) -> int | None:
        while self.poll() is None:
            _is_readable(self._handle, 1.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _is_readable(handle: int, seconds: float = 0.0) -> bool:
    """A pidfd is, once its process has ended (pidfd_open(2)). `poll`, since `select` knows no number above 1,023."""
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
