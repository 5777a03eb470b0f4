"""A Jupyter kernel whose process is a child of the reaper, not of whoever talks to it."""

from __future__ import annotations

import os
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from gen_toolkit.jobs.link import Link


class _Provisioner(LocalProvisioner):  # type: ignore[misc]  # jupyter_client is not followed
    """jupyter_client's own, but that it asks the reaper."""

    link: Link

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        # the kernel looks itself whether its parent is still there, where the system does not
        environment = {**kwargs["env"], "JPY_PARENT_PID": str(os.getppid())}
        self.cwd = kwargs.get("cwd") or os.getcwd()
        self.process = self.link.start_kernel(cmd, environment, str(self.cwd))
        self.pid = self.process.pid
        return self.connection_info


def kernel_manager(link: Link, connection_file: str, kernel_name: str) -> AsyncKernelManager:
    """A manager whose kernel the reaper starts; its channels are sockets beside the connection file."""
    manager = AsyncKernelManager(kernel_name=kernel_name, transport="ipc", connection_file=connection_file)
    provisioner = _Provisioner(parent=manager, kernel_id=manager.kernel_id, kernel_spec=manager.kernel_spec)
    provisioner.link = link
    manager.provisioner = provisioner
    return manager
