"""A Jupyter kernel whose process is a child of the reaper, not of whoever talks to it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from jupyter_client.session import Session
from jupyter_core.utils import run_sync

from gen_toolkit.jobs.link import Link

_LOOKS_EVERY = 0.004  # seconds
_ARGUMENTS = ["--HistoryManager.hist_file=:memory:"]  # as nbclient does: a job leaves nothing in anybody's history


class _Provisioner(LocalProvisioner):  # type: ignore[misc]  # jupyter_client is not followed
    """jupyter_client's own, but that it asks the reaper."""

    link: Link

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        environment = {
            **kwargs["env"],
            # the kernel looks itself whether its parent is still there, where the system does not
            "JPY_PARENT_PID": str(os.getppid()),
            # start-up files and configuration of whoever runs the job are nothing that was reviewed
            "IPYTHONDIR": str(Path(self.parent.connection_file).with_name("ipython")),
        }
        self.cwd = kwargs.get("cwd") or os.getcwd()
        self.process = self.link.start_kernel(cmd, environment, str(self.cwd))
        self.pid = self.process.pid
        return self.connection_info


class _Client(AsyncKernelClient):  # type: ignore[misc]  # jupyter_client is not followed
    """jupyter_client's own, but that it is there as soon as the kernel is.

    The original connects at once, which fails and is tried again every 100 ms, and then listens for 200 ms to
    whether more comes: most of the time that a forked kernel takes.
    """

    implementation = ""
    """What kind of kernel it is, in its own word: `ipython`; known once it is ready."""

    async def start_channels(self, **channels: bool) -> None:
        """When the kernel has made its sockets, which are files here."""
        names = [Path(f"{self.ip}-{port}") for port in self.ports]
        while not all(name.exists() for name in names) and await self._async_is_alive():
            await asyncio.sleep(_LOOKS_EVERY)
        super().start_channels(**channels)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Raises RuntimeError where the kernel ends, or takes longer than `timeout`."""
        until = asyncio.get_running_loop().time() + (timeout or float("inf"))
        while True:
            self.kernel_info()
            try:
                reply = await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=1)  # so that no output is missed: we are heard there, too
            except Empty:
                if not await self._async_is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
                if asyncio.get_running_loop().time() > until:
                    raise RuntimeError(f"Kernel didn't respond in {timeout} seconds") from None
            else:
                self._handle_kernel_info_reply(reply)
                self.implementation = str(reply["content"].get("implementation", "unknown"))
                return


class UnreadableMessage(ValueError):
    """What a kernel has sent follows no protocol: its notebook has changed what messages are written with."""


class _Session(Session):  # type: ignore[misc]  # jupyter_client is not followed
    """jupyter_client's own, but that whoever reads how a run ended need not guess whose message was not JSON."""

    def deserialize(self, msg_list: Any, content: bool = True, copy: bool = True) -> Any:
        try:
            return super().deserialize(msg_list, content, copy)
        except (ValueError, TypeError, LookupError) as error:
            raise UnreadableMessage(
                f"the kernel sent what is no message ({type(error).__name__}: {error}): "
                "a cell has changed what messages are written with, such as json.dumps"
            ) from error


def started_kernel(link: Link, connection_file: str, kernel_name: str, cwd: str) -> AsyncKernelManager:
    """A manager whose kernel the reaper has started; its channels are sockets beside the connection file.

    Nobody waits for the kernel yet: it takes its time to be there. Raises OSError where it cannot be started.
    """
    manager = AsyncKernelManager(kernel_name=kernel_name, transport="ipc", connection_file=connection_file)
    manager.client_factory = _Client
    manager.session = _Session(parent=manager)
    provisioner = _Provisioner(parent=manager, kernel_id=manager.kernel_id, kernel_spec=manager.kernel_spec)
    provisioner.link = link
    manager.provisioner = provisioner
    run_sync(manager.start_kernel)(cwd=cwd, extra_arguments=_ARGUMENTS)
    return manager
