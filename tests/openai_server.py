"""A server on loopback that speaks enough of the OpenAI API to be right, and to be wrong, on request."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `delay` comes before it, `drip` between its bytes, both in seconds."""

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0

    @property
    def content(self) -> bytes:
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode("utf-8", "backslashreplace")


def completion(content: Any, **more: Any) -> Answer:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop", **more}
    return Answer({"id": "1", "object": "chat.completion", "choices": [choice], "usage": USAGE})


def error(status: int, message: str = "no", *, code: Any = None, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer({"error": {"message": message, "code": code}}, status, sent)


def weighed(**shares: float) -> Answer:
    """An answer with the log-probabilities of first tokens."""
    top = [{"token": token, "logprob": math.log(share)} for token, share in shares.items()]
    return completion("", logprobs={"content": [{"token": top[0]["token"], "top_logprobs": top}]})


Say = Answer | Callable[[dict[str, Any]], Answer]


class _Patient(ThreadingHTTPServer):
    request_queue_size = 256  # many connections at once wait their turn; the default drops all but five


class OpenAIServer:
    """Gives `answers` in turn, the last one again and again; `seen` holds the bodies it was sent."""

    def __init__(self) -> None:
        self.answers: list[Say] = [completion("hello")]
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._http = _Patient(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def say(self, *answers: Say) -> None:
        self.answers = list(answers)

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _answer(self, body: dict[str, Any], key: str) -> Answer:
        with self._lock:
            said = self.answers[min(len(self.seen), len(self.answers) - 1)]
            self.seen.append(body)
            self.keys.append(key)
        return said(body) if callable(said) else said

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answer = server._answer(body, self.headers["authorization"].removeprefix("Bearer "))
                server.closing.wait(answer.delay)
                try:
                    self._send(answer)
                except OSError:
                    self.close_connection = True  # the client has gone

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer.content)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if not answer.drip:
                    self.wfile.write(answer.content)
                    return
                for byte in answer.content:
                    self.wfile.write(bytes([byte]))
                    if server.closing.wait(answer.drip):
                        return

            def log_message(self, *_: object) -> None: ...

        return Handler
