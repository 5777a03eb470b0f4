"""A server on loopback that answers chat completions after a fixed delay, plain or streamed, and does little else.

Run by itself (`python benchmarks/model_server.py [SECONDS]`) it prints its address and serves until its input ends.
A plain answer comes after the delay; a streamed one in five pieces over the same time.
"""

from __future__ import annotations

import asyncio
import json
import sys

PIECES = ("The ", "film ", "is ", "very ", "good.")
USAGE = {"prompt_tokens": 160, "completion_tokens": 5, "total_tokens": 165}


def _plain() -> bytes:
    message = {"role": "assistant", "content": "".join(PIECES)}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _event(delta: dict[str, str], finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


_ANSWER = _plain()
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_EVENTS = [_chunk(_event({"content": piece})) for piece in PIECES]
_LAST = _chunk(_event({}, "stop", usage=USAGE) + b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Server(asyncio.Protocol):
    """One connection: requests come one after the other."""

    def __init__(self, delay: float) -> None:
        self._delay, self._received = delay, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._received) < end + 4 + length:
                return
            body = bytes(self._received[end + 4 : end + 4 + length])
            del self._received[: end + 4 + length]
            self._answer(b'"stream":true' in body.replace(b" ", b""))

    def _answer(self, streamed: bool) -> None:
        later = asyncio.get_running_loop().call_later
        if not streamed:
            later(self._delay, self._write, _ANSWER)
            return
        self._write(_HEAD)
        for number, event in enumerate(_EVENTS, 1):
            later(self._delay * number / len(_EVENTS), self._write, event)
        later(self._delay, self._write, _LAST)

    def _write(self, content: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(content)


async def _main(delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(delay), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.05))
