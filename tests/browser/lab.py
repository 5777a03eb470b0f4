"""A real JupyterLab on loopback, driven in a real chromium: one server, a page and a kernel for each notebook."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from gen_toolkit.process import die_with_parent
from tests.browser.mlflow_ui import CHROMIUM, FLAGS
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 30_000  # ms; for a busy machine, not how long it takes
_SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell stays in the page
    "docmanager-extension/plugin": {"autosave": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "completer-extension/manager": {"autoCompletion": False},
}
_ANSWERS = """async path => {
    const app = window.jupyterapp;
    await app.restored;
    const panel = await app.commands.execute('docmanager:open', {path});
    await panel.revealed;
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session.kernel;
    await kernel.info;
}"""
_RUN = """async source => {
    const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
    const last = notebook.model.cells.length;
    notebook.model.sharedModel.insertCell(last, {cell_type: 'code', source});
    notebook.activeCellIndex = last;
    await app.commands.execute('notebook:run-cell');
    const outputs = notebook.widgets[last].model.outputs.toJSON();
    return [last, outputs.filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}`)];
}"""
_END = """async () => {
    const app = window.jupyterapp, shown = app.shell.currentWidget;
    await shown.sessionContext.shutdown();
    shown.dispose();  // unsaved as it is, and without a question
}"""


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that answers; `root` is the folder that it shows."""

    address: str
    token: str
    root: Path

    def open(self, page: Any, notebook: Path) -> Notebook:
        """Open a notebook below the root; its kernel is ready. A page that shows JupyterLab is not loaded again."""
        if not page.url.startswith(f"{self.address}/lab"):
            page.goto(f"{self.address}/lab?token={self.token}&reset", wait_until="commit")
        page.wait_for_function("() => window.jupyterapp", timeout=PATIENCE)
        page.evaluate(_ANSWERS, str(notebook.relative_to(self.root)))
        return Notebook(page)


@dataclass(frozen=True)
class Notebook:
    """An open notebook."""

    page: Any

    def run(self, source: str) -> Any:
        """Add a cell at the end, run it to its end, and return the locator of its output.

        What the kernel does beyond the cell's end goes on; an error in the cell is an AssertionError.
        """
        number, errors = self.page.evaluate(_RUN, source)
        assert not errors, errors
        return self.page.locator(".jp-Notebook-cell").nth(number).locator(".jp-Cell-outputWrapper")

    def close(self) -> None:
        """End the kernel, and close what is shown."""
        self.page.evaluate(_END)


@dataclass
class Seen:
    """What a page did that it must not do."""

    outside: list[str] = field(default_factory=list)
    """Requests to anywhere but loopback; they were stopped."""
    dialogs: list[str] = field(default_factory=list)
    """Alerts: an injected script has run."""


@contextlib.contextmanager
def serve_lab(root: Path, state: Path) -> Iterator[Lab]:
    """JupyterLab on a free port, with settings and records of its own in `state`."""
    for name, settings in _SETTINGS.items():
        extension, plugin = name.split("/")
        path = state / "settings" / "@jupyterlab" / extension / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), encoding="utf-8")
    port = free_port()
    token = secrets.token_hex(16)
    lab = Lab(f"http://127.0.0.1:{port}", token, root)
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *_options(port, root)],
            cwd=root,
            env=_environment(state, token),
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_parent,  # kernels look for their parent themselves
        )
    try:
        _await(lab, process, state / "log")
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)


def _options(port: int, root: Path) -> list[str]:
    return [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
        "--allow-root",
        "--no-browser",
        "--expose-app-in-browser",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]


def _environment(state: Path, token: str) -> dict[str, str]:
    """The caller's, without its settings of Jupyter, of MLflow and of ours."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "MLFLOW_", "GEN_TOOLKIT_"))}
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    ours = {"JUPYTER_TOKEN": token, "PYTHONPATH": str(REPOSITORY), "GEN_TOOLKIT_EMBEDDED_THREADS": "1"}
    return {**kept, **ours, **{name: str(state / folder) for name, folder in places.items()}}


def _await(lab: Lab, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            if opener.open(f"{lab.address}/api?token={quote(lab.token)}", timeout=5).status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"no JupyterLab at {lab.address}: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


@contextlib.contextmanager
def launch() -> Iterator[Any]:
    """A headless chromium. While it runs, no other event loop can run in this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def watched(browser: Any, width: int = 1400, height: int = 1600) -> Iterator[tuple[Any, Seen]]:
    """A page of a context of its own, and what it did that it must not do."""
    seen = Seen()
    context = browser.new_context(viewport={"width": width, "height": height})

    def guard(route: Any) -> None:
        if _is_inside(route.request.url):
            route.continue_()
        else:
            seen.outside.append(route.request.url)
            route.abort()

    def refuse(dialog: Any) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    def listen(socket: Any) -> None:
        if not _is_inside(socket.url):
            seen.outside.append(socket.url)

    context.route("**/*", guard)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("dialog", refuse)
    page.on("websocket", listen)
    try:
        yield page, seen
    finally:
        context.close()


def _is_inside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "about") or parts.hostname == "127.0.0.1"
