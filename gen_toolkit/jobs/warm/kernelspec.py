"""The kernel "Python 3 (warm)": what JupyterLab and papermill need to know to have kernels forked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from gen_toolkit.ipynb import write_text
from gen_toolkit.jobs.warm.kernel import MODULE
from gen_toolkit.workspace import Workspace

NAME = "gen-toolkit-warm"


def offer_kernel(workspace: Workspace, environment: MutableMapping[str, str]) -> Path:
    """Write the kernel specification into the workspace's records and have Jupyter find it by `environment`."""
    jupyter = workspace.prepare() / "jupyter"
    folder = jupyter / "kernels" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "kernel.json", json.dumps(specification(workspace), indent=1) + "\n")
    known = [path for path in environment.get("JUPYTER_PATH", "").split(os.pathsep) if path]
    if str(jupyter) not in known:
        environment["JUPYTER_PATH"] = os.pathsep.join([str(jupyter), *known])
    return folder


def specification(workspace: Workspace) -> dict[str, object]:
    return {
        "argv": [sys.executable, "-m", MODULE, "-f", "{connection_file}"],
        "display_name": "Python 3 (warm)",
        "language": "python",
        "metadata": {
            "debugger": True,
            "kernel_provisioner": {"provisioner_name": NAME, "config": {"workspace": str(workspace.root)}},
        },
    }
