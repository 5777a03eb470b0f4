"""A web server on loopback that takes alerts, or behaves badly in a way that a test names."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Receiver:
    """What came, and how the next ones are answered: a status, `hang` or `drip`."""

    url: str = ""
    answers: list[int | str] = field(default_factory=list)
    """Of the next requests in turn; then 200."""
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.headers.append(dict(self.headers))
            told.got.append(json.loads(body))
            answer = told.answers.pop(0) if told.answers else 200
            if answer == "hang":
                told.let_go.wait(30)
                return
            if answer == "drip":
                for _ in range(300):
                    if told.let_go.wait(0.1):
                        return
                    self.wfile.write(b"H")
                return
            self.send_response(int(answer))
            if answer == 302:
                self.send_header("Location", told.url)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - http.server's name

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # who asked has gone
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}/alert"
    yield told
    told.let_go.set()
    server.shutdown()
    server.server_close()
