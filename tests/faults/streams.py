"""A stream that breaks, lies, or never ends; and what is a good one all the same."""

from __future__ import annotations

import gzip
from typing import Any

from faults.connections import SLOW
from faults.plays import (
    BEGIN,
    DONE,
    EVENTS,
    FIRST,
    GOOD,
    GOOD_STREAM,
    HEL,
    LAST,
    LO,
    MEGABYTE,
    STOP,
    bomb,
    chunk,
    delta,
    error,
    event,
    events,
    head,
    pieces,
    spent,
)
from faults.row import Row, stream
from faults.server import KEY, End, Pause, Play, Repeat, Reset, Step

ALL = b"".join((*FIRST, *LAST))
OPEN = {"content-type": EVENTS}
LINE = 64
BUSY = event(error("The server had an error", kind="server_error"))
GO_ON = (LO, STOP, spent(), DONE)
"""What follows something broken in the middle, as if nothing had happened."""


def as_one(content: bytes) -> Play:
    """A stream that is all there at once."""
    return pieces(200, content, kind=EVENTS)


def after_hel(*steps: Step, whole: bool = False, **more: Any) -> Play:
    """Something that happens when "hel" has come; what the user has then is `partial`."""
    return events(BEGIN, HEL, Pause(0.05), *steps, whole=whole, **more)


def line(megabytes: int) -> tuple[Step, ...]:
    """One event whose line is that long."""
    return (
        b'data: {"choices": [{"index": 0, "delta": {"content": "',
        Repeat(chunk(b"a" * MEGABYTE), megabytes),
        b'"}}]}\n\n',
    )


MALFORMED: dict[str, bytes] = {
    "json": b'data: {"choices": [{\n\n',
    "html": b"data: <html>\n\n",
    "number": b"data: 1\n\n",
    "list": b"data: []\n\n",
    "null": b"data: null\n\n",
    "choices": event({"choices": "hello"}),
    "choice": event({"choices": [None]}),
    "delta": event({"choices": [{"index": 0, "delta": "hello"}]}),
    "content": delta(1),
    "utf8": b'data: {"choices": [{"index": 0, "delta": {"content": "\xff\xfe"}}]}\n\n',
    "deep": b"data: " + b"[" * 100_000 + b"\n\n",
    "error": event({"error": {"message": "it broke", "type": None, "code": None}}),
    "error-text": event({"error": "overloaded"}),
}

ROWS = (
    Row(
        "streams well, in an unusual form: all at once, byte by byte, with comments, other fields, line ends, gzip",
        "",
        (
            stream("stream-good", GOOD_STREAM),
            stream("stream-at-once", as_one(ALL)),
            stream("stream-as-json", GOOD),
            stream("stream-bytes", pieces(200, *(ALL[n : n + 1] for n in range(len(ALL))), kind=EVENTS)),
            stream(
                "stream-umlauts",
                pieces(200, *(bytes([b]) for b in b"".join((BEGIN, delta("h\u00e4\U0001f600"), *LAST))), kind=EVENTS),
                text="hä\U0001f600",
            ),
            stream("stream-crlf", as_one(ALL.replace(b"\n", b"\r\n"))),
            stream("stream-close", (head(200, OPEN), ALL, End())),
            stream("stream-http-1.0", (head(200, OPEN, "1.0"), ALL, End())),
            stream("stream-gzip", pieces(200, gzip.compress(ALL), kind=EVENTS, content_encoding="gzip")),
            stream("stream-comments", as_one(b": hello\n\n" + ALL.replace(b"\n\n", b"\n\n: keep-alive\n\n"))),
            stream("stream-fields", as_one(ALL.replace(b"data:", b"id: 1\nevent: message\nretry: 100\ndata:"))),
            stream("stream-no-space", as_one(ALL.replace(b"data: ", b"data:"))),
            stream("stream-null-delta", events(BEGIN, delta(None), HEL, delta(None, tool_calls=None), LO, *LAST)),
            stream("stream-after-done", events(*FIRST, *LAST, delta(" more"), b"data: garbage\n\n")),
            stream("stream-left-open", events(*FIRST, *LAST, whole=False), within=4.5),
            stream("stream-length", events(*FIRST, delta(finish="length"), spent(), DONE), finish="length"),
        ),
        billed=True,
    ),
    Row(
        "ends a stream after `finish_reason`, without `[DONE]`, or without saying what it took",
        "",
        (
            stream("stream-cut-after-finish", (*events(*FIRST, STOP, whole=False), End()), usage=False),
            stream("stream-ended-after-finish", events(*FIRST, STOP), usage=False),
            stream("stream-reset-after-finish", (*events(*FIRST, STOP, whole=False), Reset()), usage=False),
            stream("stream-usage-missing", events(*FIRST, STOP, DONE), usage=False),
            stream("stream-usage-null", events(*FIRST, STOP, spent(None), DONE), usage=False),
            stream("stream-usage-wrong", events(*FIRST, STOP, spent({"prompt_tokens": "12"}), DONE), usage=False),
        ),
        note="`usage` and `cost` unknown",
        billed=True,
    ),
    Row(
        "breaks a stream before its first piece, or ends it empty",
        "ModelUnreachable",
        (
            stream("stream-cut-first", (*events(whole=False), End())),
            stream("stream-empty", events()),
            stream("stream-only-comments", as_one(b": keep-alive\n\n" * 3)),
            stream("stream-ended-begun", events(BEGIN)),
            stream("stream-cut-begun", (*events(BEGIN, whole=False), End())),
            stream("stream-reset-first", (*events(BEGIN, whole=False), Reset())),
        ),
        again=True,
    ),
    Row(
        "sends events that are none, an error, or nothing, before the first piece",
        "BadReply",
        (
            stream("stream-only-done", events(DONE)),
            *(stream(f"stream-first-{name}", events(BEGIN, said, *GO_ON)) for name, said in MALFORMED.items()),
            stream("stream-first-line", events(*line(LINE)), alone=True),
            stream(
                "stream-first-bomb",
                (head(200, {**OPEN, "content-encoding": "gzip"}), *bomb(BEGIN + b": ", b" ", 1000), End()),
                alone=True,
            ),
            stream(
                "stream-echo", (head(200, OPEN), b'data: {"error": {"message": "bad key ' + KEY + b'"}}\n\n', End())
            ),
        ),
        again=True,
    ),
    Row(
        "sends an error that says: not now, before the first piece",
        "ModelOverloaded",
        (
            stream("stream-first-busy", events(BEGIN, BUSY)),
            stream("stream-first-named", as_one(b"event: error\n" + BUSY)),
        ),
        again=True,
    ),
    Row(
        "sends an error that says: not now, in the middle of a stream",
        "ModelOverloaded",
        (stream("stream-then-busy", after_hel(BUSY, whole=True), text="hel"),),
        note="`partial` is what has come",
    ),
    Row(
        "breaks a stream in the middle",
        "ModelUnreachable",
        (
            stream("stream-cut", (*after_hel(), End()), text="hel"),
            stream("stream-reset", (*after_hel(), Reset()), text="hel"),
            stream("stream-ended", after_hel(whole=True), text="hel"),
            stream("stream-closed", (head(200, OPEN), BEGIN, HEL, End()), text="hel"),
            stream("stream-cut-event", (*after_hel(LO[:20]), End()), text="hel"),
        ),
        note="`partial` is what has come; the stream is never taken up, and never reused",
    ),
    Row(
        "breaks the rules of HTTP in the middle of a stream",
        "BadReply or ModelUnreachable",
        (stream("stream-broken-chunk", (*after_hel(), Pause(0.05), b"zz\r\n", End()), text="hel", deadline_s=SLOW),),
        note="`partial` is what has come",
    ),
    Row(
        "sends events that are none, or an error, in the middle of a stream",
        "BadReply",
        (
            *(
                stream(f"stream-then-{name}", after_hel(said, *GO_ON, whole=True), text="hel")
                for name, said in MALFORMED.items()
            ),
            stream("stream-then-line", after_hel(*line(LINE), *GO_ON), text="hel", alone=True),
            stream(
                "stream-then-echo",
                (head(200, OPEN), BEGIN, HEL, b'data: {"error": {"message": "bad key ' + KEY + b'"}}\n\n', End()),
                text="hel",
            ),
        ),
        note="`partial` is what has come",
    ),
    Row(
        "hangs, drips, or only keeps the line alive, in the middle of a stream",
        "DeadlineExceeded",
        (
            stream("stream-hang", after_hel(), text="hel", deadline_s=SLOW),
            stream(
                "stream-then-comments",
                after_hel(Repeat(chunk(b": keep-alive\n\n"), every=0.02)),
                text="hel",
                deadline_s=SLOW,
            ),
            stream(
                "stream-then-drip", after_hel(b"data: ", Repeat(chunk(b" "), every=0.02)), text="hel", deadline_s=SLOW
            ),
        ),
        note="`partial` is what has come",
        advice="Raise deadline_s",
    ),
    Row(
        "refuses in words of its own, streamed",
        "BadReply",
        (stream("stream-refusal", events(BEGIN, delta(refusal="I will"), delta(refusal=" not."), *LAST)),),
        billed=True,
        advice="Change the prompt",
    ),
    Row(
        "stops a stream because of what it was about to say (`content_filter`)",
        "ModelRefused",
        (
            stream("stream-filtered", events(BEGIN, HEL, delta(finish="content_filter"), spent(), DONE), text="hel"),
            stream("stream-filtered-first", events(delta(finish="content_filter"), spent(), DONE), text=""),
        ),
        note="`partial` is what has come",
        billed=True,
        reason="content-filter",
        advice="Change the prompt",
    ),
)
