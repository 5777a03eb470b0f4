"""The kernel "Python 3 (warm)" in the programs it is made for: papermill's command and a Jupyter server."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import warm_template
from command_lines import command_line
from notebook_cells import enter, furnish, written
from warm_template import children, here, surrounding, template, until

from gen_toolkit.jobs.warm import keep
from gen_toolkit.jobs.warm.kernelspec import NAME, offer_kernel
from gen_toolkit.workspace import Workspace
from tests.ports import free_port

pytestmark = warm_template.MARKS

TOLD = "import os, pandas\nprint(os.getppid(), os.getcwd(), os.environ.get('CANARY'))"


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace whose kernel Jupyter finds by the environment, and a template."""
    root = furnish(tmp_path_factory.mktemp("warm-kernels") / "work", mlflow=False)
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        patch.setenv("PYTHONPATH", warm_template.paths())
        patch.setenv("JUPYTER_PATH", "/somewhere")
        offer_kernel(here(root), os.environ)
        with template(here(root)):
            yield here(root)


@pytest.fixture(autouse=True)
def _as_the_module_set_it(kernels: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kernels.root)
    monkeypatch.setenv("PYTHONPATH", warm_template.paths())
    monkeypatch.setenv("JUPYTER_PATH", "/somewhere")
    offer_kernel(kernels, os.environ)


def template_pid(workspace: Workspace) -> int:
    status = keep.status(workspace)
    assert status is not None
    return status.pid


def kernels_of(pid: int) -> set[int]:
    """Its children that are kernels: one that waits for a run is none."""
    return {child for child in children(pid) if "ipykernel_launcher" in command_line(child)}


def papermill(source: Path, **more: str) -> str:
    target = source.with_suffix(".out.ipynb")
    arguments = [sys.executable, "-m", "papermill", "-k", NAME, str(source), str(target)]
    done = subprocess.run(arguments, env=surrounding(**more), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    cells = json.loads(target.read_text(encoding="utf-8"))["cells"]
    return "".join(cells[-1]["outputs"][0]["text"])


@pytest.mark.long
def test_papermill_executes_in_a_fork_and_cold_where_one_cannot_stand_in(kernels: Workspace) -> None:
    source = written(kernels.root / "notebooks/told.ipynb", TOLD)
    parent, folder, canary = papermill(source, CANARY="bird").split()
    assert (int(parent), folder, canary) == (template_pid(kernels), str(kernels.root), "bird")
    parent, _, _ = papermill(source, OMP_NUM_THREADS="7").split()
    assert int(parent) != template_pid(kernels)


@contextmanager
def server(workspace: Workspace) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    """A Jupyter server as JupyterLab's, and a way to ask it."""
    port = free_port()
    token = secrets.token_hex(16)
    options = ["--allow-root", "--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    options += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={workspace.root}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env=surrounding(JUPYTER_CONFIG_DIR=str(workspace.root.parent / "config")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def ask(path: str, method: str = "GET", **body: Any) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/{path}", method=method)
        request.add_header("Authorization", f"token {token}")
        data = json.dumps(body).encode() if method == "POST" else None
        try:
            with urllib.request.urlopen(request, data, timeout=60) as answer:
                return json.loads(answer.read() or b"true")
        except OSError:
            return None

    try:
        until(lambda: ask("status"))
        yield process, ask
    finally:
        process.kill()
        process.wait()


def test_jupyterlab_starts_restarts_and_ends_forked_kernels_and_takes_them_with_it(kernels: Workspace) -> None:
    parent = template_pid(kernels)
    before = kernels_of(parent)
    with server(kernels) as (process, ask):
        assert ask("kernelspecs")["kernelspecs"][NAME]["spec"]["display_name"] == "Python 3 (warm)"
        kernel = ask("kernels", "POST", name=NAME)
        (first,) = until(lambda: kernels_of(parent) - before)
        assert ask(f"kernels/{kernel['id']}/interrupt", "POST") is not None
        assert ask(f"kernels/{kernel['id']}/restart", "POST") is not None
        (second,) = until(lambda: kernels_of(parent) - before - {first})
        assert ask(f"kernels/{kernel['id']}", "DELETE") is not None
        until(lambda: not kernels_of(parent) - before)
        assert ask("kernels", "POST", name=NAME)["id"] != kernel["id"]
        (third,) = until(lambda: kernels_of(parent) - before)
        assert len({first, second, third}) == 3
        process.send_signal(signal.SIGKILL)
        until(lambda: not kernels_of(parent) - before)
