"""The page of a run in a real browser: it is seen, and nothing a notebook left in it runs or is loaded."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import code, written

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs import executed_html, run_page
from gen_toolkit.jobs.ledger import Ledger, Reason
from gen_toolkit.jobs.rows import NewRun

pytestmark = pytest.mark.browser

ATTACK = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><img src='HERE/beacon.png'>"
    "<link rel=stylesheet href='HERE/x.css'><iframe src='HERE/'></iframe>"
    "<style>@import 'HERE/y.css'; h1 {display: none}</style><svg onload=alert(1)></svg>"
    "<form action='HERE/'><button>b</button></form><a href='javascript:alert(1)' class=bait>go</a>"
)


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that would be glad to be asked: its address, and what it was asked for."""
    asked: list[str] = []

    class Glad(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Glad) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize("is_cleaned", [True, False], ids=["as written", "by its policy alone"])
def test_hostile_output_neither_runs_nor_loads(
    chromium: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    elsewhere: tuple[str, list[str]],
    is_cleaned: bool,
) -> None:
    address, asked = elsewhere
    attack = ATTACK.replace("HERE", address)
    if not is_cleaned:  # as if the cleaning had a hole: the page's policy must do alone
        monkeypatch.setattr(executed_html, "executed_html", lambda _: attack)
    output = {"output_type": "display_data", "data": {"text/html": attack}, "metadata": {}}
    written(tmp_path / "notebook.ipynb", code("show()", outputs=[output]))
    (tmp_path / "log.txt").write_text(attack)
    ledger = Ledger(open_database())
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {"words": attack}), folder=tmp_path)
    assert lease is not None
    cells = [{"cell": 1, "seconds": 1.5}, {"cell": 2, "seconds": 3}]
    ledger.finish(lease, "failed", Reason(attack, 2, "ValueError", attack), {"kept": {"a": attack}, "cells": cells})
    path = run_page.write_page(open_database(), ledger.find(lease.run))

    dialogs: list[str] = []
    page = chromium.new_page()
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    for summary in page.locator("summary").all():
        summary.click()
    for bait in page.locator(".bait").all():
        bait.click()
    assert page.locator("h1").is_visible() is is_cleaned  # styles are what the policy alone does not stop
    widths = [bar.bounding_box()["width"] for bar in page.locator(".bar").all()]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.05)
    page.wait_for_timeout(300)
    page.close()
    assert dialogs == []
    assert asked == []
