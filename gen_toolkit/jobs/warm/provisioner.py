"""Kernels for JupyterLab and plain papermill, forked from the workspace's template: a Jupyter kernel provisioner.

A kernel specification names it (`kernelspec` makes one). Where no template is up, or the kernel needs
other circumstances, the kernel starts as every kernel does.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Unicode

from gen_toolkit.jobs.warm.caller import Caller
from gen_toolkit.jobs.warm.client import Cold, ask, begin
from gen_toolkit.jobs.warm.handle import Handle
from gen_toolkit.jobs.warm.kernel import MODULE
from gen_toolkit.workspace import find_workspace

# "There is a parent, and no need to look whether it lives": the connection tells that (ipykernel's init_poller).
_PARENT = {"JPY_PARENT_PID": "1"}


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

    def _forked(self, cmd: list[str], kwargs: dict[str, Any]) -> Handle:
        if cmd[1:3] != ["-m", MODULE]:
            raise Cold("the kernel specification starts another program than ipykernel")
        root = Path(self.workspace) if self.workspace else None
        out, error = _number(kwargs.get("stdout"), 1), _number(kwargs.get("stderr"), 2)
        with open(os.devnull, "rb", buffering=0) as null:
            connection, pid = ask(
                find_workspace(root).records,
                Caller.KERNEL,
                MODULE,
                cmd[3:],
                environment={**(kwargs.get("env") or os.environ), **_PARENT},
                cwd=str(kwargs.get("cwd") or os.getcwd()),
                files=[null.fileno(), out, error],
            )
        begin(connection)
        return Handle(connection, pid)


def _number(file: Any, own: int) -> int:
    """What `subprocess.Popen` would take: a file, its number, or nothing for this process's own."""
    if file is None:
        return own
    return file if isinstance(file, int) else int(file.fileno())
