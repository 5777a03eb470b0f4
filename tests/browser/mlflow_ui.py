"""A real MLflow UI and a real chromium: for the browser tests and for the pictures in docs/."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.ports import free_port

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FLAGS += ["--disable-component-update", "--disable-quic"]


@contextlib.contextmanager
def serve(workspace: Path) -> Iterator[str]:
    """`gen ui` on a free port; the address it answers at."""
    port = free_port()
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


def text_of(page: Any, *wanted: str, **counted: int) -> str:
    """All text of a page, once it holds what is wanted; `counted` are words that it holds at least so often."""
    often = {**dict.fromkeys(wanted, 1), **counted}
    holds = "often => Object.entries(often).every(([text, n]) => document.body.innerText.split(text).length > n)"
    page.wait_for_function(holds, arg=often, timeout=60_000)
    return str(page.inner_text("body"))


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


def _without_assistant(page: Any) -> None:
    """The assistant's pane slides in at the first visit, and over the traces a hint about issues."""
    page.wait_for_timeout(1500)
    for name in ("Got it", "Close"):
        shown = [button for button in page.get_by_role("button", name=name).all() if button.is_visible()]
        if shown:
            shown[0].click()
            page.wait_for_timeout(500)


def open_traces(page: Any, address: str, experiment: str, awaited: str) -> None:
    """The list of the traces of an experiment; `awaited` stands in one of them."""
    page.goto(f"{address}/#/experiments/{experiment}/traces")
    page.get_by_text(awaited).first.wait_for(timeout=60_000)
    _without_assistant(page)


def open_evaluation(page: Any, address: str, experiment: str, run: str, against: str, awaited: str) -> None:
    """The evaluation view: the rows of one run beside those of another."""
    page.goto(f"{address}/#/experiments/{experiment}/evaluation-runs?selectedRunUuid={run}&compareToRunUuid={against}")
    page.get_by_text(awaited).first.wait_for(timeout=60_000)
    _without_assistant(page)


def open_row(page: Any, address: str, experiment: str, run: str, awaited: str) -> None:
    """The trace of one row, opened from the traces of its run."""
    page.goto(f"{address}/#/experiments/{experiment}/runs/{run}/traces")
    page.get_by_text(awaited).first.wait_for(timeout=60_000)
    _without_assistant(page)
    page.get_by_text(awaited).first.click()
    page.wait_for_timeout(2500)


def open_table_compare(page: Any, address: str, experiment: str, filtered: str) -> None:
    """The tables `rows.json` of the runs that fit, side by side; runs inside of runs are unfolded."""
    asked = f"compareRunsMode=ARTIFACT&searchFilter={quote(filtered)}"
    page.goto(f"{address}/#/experiments/{experiment}/runs?{asked}")
    page.get_by_text("matching runs").wait_for(timeout=60_000)
    _without_assistant(page)
    folded = page.locator("button[data-component-id*='runnamecellrenderer'] path[d^='M7.25 7.25V4.5h1.5']")
    while folded.count():
        folded.first.click()
        page.wait_for_timeout(700)
    table = page.get_by_role("combobox").filter(has_text="Table").first
    held = table.inner_text()
    wrong = [name for name in ("cells.json", "rows.json") if (name in held) != (name == "rows.json")]
    _toggle(page, table, *wrong)
    for title, wanted in (("Group by", "text"), ("Compare", "output")):
        chosen = page.get_by_role("combobox").filter(has_text=title).first
        held = chosen.inner_text().partition(":")[2].strip()
        _toggle(page, chosen, *dict.fromkeys(name for name in (wanted, held) if held != wanted and name))
    page.wait_for_timeout(3000)


def _toggle(page: Any, box: Any, *names: str) -> None:
    """Choose, or no longer choose, these of a list with boxes to tick."""
    if not names:
        return
    box.click()
    page.get_by_role("option").first.wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    for name in names:
        option = page.get_by_role("option").filter(has=page.get_by_text(name, exact=True))
        if option.count():  # what was chosen before may be of a table that is no longer
            option.first.click()
            page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    page.wait_for_timeout(700)
