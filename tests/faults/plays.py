"""What a provider says, right and wrong, in bytes: the words that the table of faults is written with."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from faults.server import Play, Repeat, Step

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"
MEGABYTE = 1_000_000

USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


def raw(data: Any) -> bytes:
    """JSON in bytes; bytes and texts as they are."""
    if isinstance(data, bytes):
        return data
    return (data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)).encode()


# heads


def head(status: int, headers: Mapping[str, Any], version: str = "1.1") -> bytes:
    """Status line and headers. The connection is not kept, so that every fault has one of its own."""
    lines = [f"HTTP/{version} {status} Said", *(f"{name}: {value}" for name, value in headers.items())]
    if "connection" not in headers:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def http(status: int, body: Any = b"", kind: str = JSON, **headers: Any) -> Play:
    """A whole answer with its length."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = raw(body)
    told = {"content-type": kind, "content-length": len(content), **named}
    return (head(status, told), content)


def pieces(status: int, *sent: Step, kind: str = JSON, whole: bool = True, **headers: Any) -> Play:
    """An answer in chunks; not whole: the last chunk never comes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    chunks: list[Step] = [head(status, {"content-type": kind, "transfer-encoding": "chunked", **named})]
    chunks += [chunk(step) if isinstance(step, bytes) else step for step in sent if step != b""]
    return (*chunks, b"0\r\n\r\n") if whole else tuple(chunks)


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


# whole answers


def completion(
    content: Any = "hello", *, usage: Any = USAGE, choice: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    first = {
        "index": 0,
        "message": {"role": "assistant", "content": content},
        "finish_reason": "stop",
        **(choice or {}),
    }
    body = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [first]}
    return body if usage is None else {**body, "usage": usage}


def error(message: str = "no", *, code: Any = None, kind: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


HTML = b"<!doctype html>\n<html><head><title>Sign in</title></head>\n<body><h1>Sign in</h1></body></html>\n"
GOOD = http(200, completion())

# streams


def event(data: Any) -> bytes:
    return b"data: " + raw(data) + b"\n\n"


def delta(content: Any = None, *, finish: Any = None, **more: Any) -> bytes:
    """One event of a stream."""
    said = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": {**said, **more}, "finish_reason": finish}
    return event({"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})


def spent(usage: Any = USAGE) -> bytes:
    """The event that says what a stream took."""
    chunk_of = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    return event({**chunk_of, "usage": usage})


BEGIN = delta("", role="assistant")
HEL, LO = delta("hel"), delta("lo")
STOP = delta(finish="stop")
DONE = b"data: [DONE]\n\n"
FIRST = (BEGIN, HEL, LO)
LAST = (STOP, spent(), DONE)


def events(*sent: Step, whole: bool = True, **headers: Any) -> Play:
    """A stream in chunks, an event a chunk."""
    return pieces(200, *sent, kind=EVENTS, whole=whole, **headers)


GOOD_STREAM = events(*FIRST, *LAST)

# too much of something


def bomb(begin: bytes, filling: bytes, megabytes: int) -> Iterable[Step]:
    """gzip of `begin` and so many megabytes of `filling`: about a thousandth of that on the wire."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(begin) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(filling * (MEGABYTE // len(filling))) + packer.flush(zlib.Z_FULL_FLUSH)
    yield gzip.compress(b"")[:10] + first
    yield Repeat(again, megabytes)  # after a full flush the same bytes mean the same again


def nested(levels: int) -> bytes:
    return b'{"choices": ' + b"[" * levels + b"]" * levels + b"}"
