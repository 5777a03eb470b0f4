"""A real MLflow UI and a real chromium: for the browser tests and for the pictures in docs/."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FLAGS += ["--disable-component-update", "--disable-quic"]


@contextlib.contextmanager
def serve(workspace: Path) -> Iterator[str]:
    """`gen ui` on a free port; the address it answers at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [sys.executable, "-m", "gen_toolkit.cli.app", "ui", "--port", str(port)],
        cwd=workspace,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _await(address: str, patience: float = 60) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if opener.open(f"{address}/health", timeout=2).status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"no MLflow UI at {address} after {patience:g} s")


@contextlib.contextmanager
def browse(outside: list[str] | None = None) -> Iterator[Any]:
    """A page of headless chromium; requests to anywhere but loopback are stopped and listed in `outside`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1680})

        def guard(route: Any) -> None:
            if route.request.url.startswith(("http://127.0.0.1", "data:", "blob:")):
                route.continue_()
            else:
                if outside is not None:
                    outside.append(route.request.url)
                route.abort()

        page.route("**/*", guard)
        yield page
        browser.close()


def compare_address(address: str, experiment: str, runs: list[str]) -> str:
    """The compare page of these MLflow runs."""
    return f"{address}/#/compare-runs?runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([experiment]))}"


def open_compare(page: Any, address: str) -> None:
    """Open a compare page as one wants to see it: without the assistant, details and metrics in view."""
    page.goto(address)
    page.get_by_text("Comparing").first.wait_for(timeout=60_000)
    page.get_by_text("accuracy", exact=True).first.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)  # the assistant's pane slides in
    close = page.get_by_role("button", name="Close")
    for number in range(close.count()):
        if close.nth(number).is_visible():
            close.nth(number).click()
            break
    page.get_by_text("Visualizations", exact=True).click()
    page.wait_for_timeout(1500)
