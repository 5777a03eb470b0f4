"""A server on loopback that speaks enough of the OpenAI API to be right, and to be wrong, on request."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `delay` comes before it, `drip` between its bytes or `parts`, both in seconds.

    `parts` go out as they are, each in a chunk of its own; `cut` leaves out the end and closes the connection.
    """

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    parts: Sequence[bytes] = ()
    cut: bool = False

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode("utf-8", "backslashreplace")


def completion(content: Any, **more: Any) -> Answer:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop", **more}
    return Answer({"id": "1", "object": "chat.completion", "choices": [choice], "usage": USAGE})


def event(data: Any) -> bytes:
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def delta(finish: str | None = None, **parts: Any) -> bytes:
    """An event of a streamed completion."""
    choice = {"index": 0, "delta": parts, "finish_reason": finish}
    return event({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})


DONE = event(b"[DONE]")
COUNTED = event({"choices": [], "usage": USAGE})


def events(*parts: bytes, **more: Any) -> Answer:
    return Answer(headers={"content-type": "text/event-stream"}, parts=parts, **more)


def streamed(*texts: str, **more: Any) -> Answer:
    """A streamed completion as OpenAI sends it."""
    said = [delta(content=text) for text in texts]
    return events(delta(role="assistant", content=""), *said, delta("stop"), COUNTED, DONE, **more)


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
    """Gives `answers` in turn, the last one again and again; `seen` holds the bodies it was sent.

    `paths`, `headers` and `connections` go with them: where each was sent, with what, and on which connection.
    """

    def __init__(self) -> None:
        self.answers: list[Say] = [completion("hello")]
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections: list[Any] = []
        self.hung_up = threading.Event()
        """Set when a client closes a connection before the end of an answer."""
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
                server.paths.append(self.path)
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                server.connections.append(self.client_address)
                answer = server._answer(body, self.headers.get("authorization", "").removeprefix("Bearer "))
                server.closing.wait(answer.delay)
                try:
                    self._send(answer)
                except OSError:
                    self.close_connection = True  # the client has gone
                    server.hung_up.set()

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                size = (
                    {"transfer-encoding": "chunked"} if answer.parts else {"content-length": str(len(answer.content))}
                )
                for name, value in {"content-type": "application/json", **size, **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.close_connection = answer.cut
                for part in answer.parts:
                    self._write(b"%x\r\n%s\r\n" % (len(part), part), answer.drip)
                if answer.parts:
                    self.wfile.write(b"" if answer.cut else b"0\r\n\r\n")
                elif answer.drip:
                    for byte in answer.content:
                        self._write(bytes([byte]), answer.drip)
                else:
                    self.wfile.write(answer.content)

            def _write(self, data: bytes, pause: float) -> None:
                self.wfile.write(data)
                if server.closing.wait(pause):
                    raise ConnectionAbortedError("the test is over")

            def log_message(self, *_: object) -> None: ...

        return Handler
