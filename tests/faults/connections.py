"""The way to the provider and back is broken: names, connections, TLS, HTTP, and time."""

from __future__ import annotations

import gzip

from faults.plays import BEGIN, EVENTS, GOOD, GOOD_STREAM, JSON, MEGABYTE, chunk, completion, head, http, pieces, raw
from faults.row import Row, same, stream
from faults.server import End, Fault, Pause, Play, Repeat, Reset

SLOW = 1.0  # deadline in seconds of what never ends

HEAD = head(200, {"content-type": JSON})
LONG = head(200, {"content-type": JSON, "content-length": 900})
CHUNKED = head(200, {"content-type": JSON, "transfer-encoding": "chunked"})
HALF = raw(completion())[:40]
NOTHING = (Pause(0.0),)
COMMENT = b": keep-alive\n\n"


def odd(*headers: bytes, body: bytes = b"{}", status: bytes = b"HTTP/1.1 200 OK") -> tuple[bytes, ...]:
    """An answer whose head was written by hand."""
    return (b"\r\n".join([status, b"content-type: application/json", b"connection: close", *headers, b"", body]),)


ENDLESS: dict[str, Play] = {
    "hang": NOTHING,
    "hang-in-head": (HEAD[:30],),
    "hang-before-body": (LONG,),
    "hang-in-body": (LONG, HALF),
    "hang-in-error": (head(500, {"content-length": 900}), HALF),
    "drip-head": (HEAD[:-2], Repeat(b"x: y\r\n", every=0.05)),
    "drip-body": (LONG, Repeat(b"{", every=0.05)),
    "drip-chunks": pieces(200, Repeat(chunk(b" "), every=0.05), whole=False),
    "informed-for-ever": (Repeat(b"HTTP/1.1 102 Processing\r\n\r\n", every=0.005),),
}
ENDLESS_STREAMS: dict[str, Play] = {
    name: pieces(200, begin, Repeat(chunk(piece), every=0.02), whole=False, kind=EVENTS)
    for name, begin, piece in (
        ("comments", b"", COMMENT),
        ("blank-lines", b"", b"\n\n"),
        ("drip-event", b"", b"d"),
        ("no-news", BEGIN, BEGIN),
    )
}

ROWS = (
    Row(
        "is not there: no such name, connection refused, no TLS where `https` says so",
        "ModelUnreachable",
        (
            same("no-name", (End(),), place="no such name", within=4.5),
            same("refused", (End(),), place="refused", within=4.5),
            same("tls-none", (*GOOD, End()), place="plain"),
        ),
        again=True,
        billed=False,
        advice="Start the server or correct base_url",
    ),
    Row(
        "cannot prove who it is: a certificate that is self-signed, of another host, or expired",
        "ModelUnreachable",
        (
            same("tls-self-signed", GOOD, place="self-signed"),
            same("tls-wrong-host", GOOD, place="wrong host"),
            same("tls-expired", GOOD, place="expired"),
        ),
        note="nothing was sent",
        billed=False,
        advice="SSL_CERT_FILE",
    ),
    Row(
        "breaks the connection before the answer, or inside it",
        "ModelUnreachable",
        (
            same("reset-early", (Reset(),), place="early"),
            same("closed-early", (End(),), place="early"),
            same("reset-before", (Reset(),)),
            same("closed-before", (End(),)),
            same("reset-in-head", (HEAD[:30], Reset())),
            same("closed-in-head", (HEAD[:30], End())),
            same("reset-in-body", (LONG, HALF, Reset())),
            same("closed-in-body", (LONG, HALF, End())),
            same("chunk-cut", (*pieces(200, HALF, whole=False), End())),
            same("chunk-half", (*pieces(200, HALF)[:-1], b"400\r\n{{{{", End())),
            same("gzip-cut", http(200, gzip.compress(raw(completion()))[:-20], content_encoding="gzip")),
            same("tls-expected", (End(),), place="trusted asked plainly"),
        ),
        again=True,
        advice="Start the server or correct base_url",
    ),
    Row(
        "answers, and then breaks the connection",
        "",
        (
            Fault("reset-after", (*GOOD, Reset()), (*GOOD_STREAM, Reset())),
            Fault("closed-after", (*GOOD, End()), (*GOOD_STREAM, End())),
        ),
        billed=True,
    ),
    Row(
        "fails once, and answers when it is asked again",
        "",
        (
            same("once-429", http(429), once=True),
            same("once-500", http(500), once=True),
            same("once-reset", (Reset(),), once=True),
            same("once-html", http(200, "<html>"), once=True),
            stream("once-cut", (*pieces(200, BEGIN, whole=False, kind=EVENTS), End()), once=True),
            same("once-after", http(429, retry_after="0.6"), once=True, waits=0.6),
        ),
        note="`attempts` is 2",
        again=True,
        billed=True,
    ),
    Row(
        "hangs, drips, or fills the line without ever answering",
        "DeadlineExceeded",
        (
            same("tls-silent", NOTHING, place="silent", deadline_s=SLOW, through=("fast",)),
            same("tls-silent-sdk", NOTHING, place="silent", deadline_s=SLOW, through=("sdk",), lingers=True),
            same("deaf", NOTHING, place="deaf", deadline_s=SLOW),
            *(same(name, play, deadline_s=SLOW) for name, play in ENDLESS.items()),
            *(stream(name, play, deadline_s=SLOW) for name, play in ENDLESS_STREAMS.items()),
        ),
        advice="Raise deadline_s",
    ),
    Row(
        "speaks something that is no HTTP, or with headers without end",
        "BadReply",
        (
            same("not-http-bytes", (bytes(range(256)) * 8, End())),
            same("status-word", odd(status=b"HTTP/1.1 fine")),
            same("status-huge", odd(status=b"HTTP/1.1 99999999999999999999 OK")),
            same("header-huge", odd(b"x: " + b"y" * MEGABYTE), alone=True),
            same("headers-many", odd(*(b"x-%d: y" % n for n in range(50_000))), alone=True),
            same("headers-endless", (HEAD[:-2], Repeat(b"x: y\r\n" * 1000)), alone=True),
            same("header-name", odd(b"no colon here")),
            same("header-null", odd(b"x: \0")),
            same("length-negative", odd(b"content-length: -5")),
            same("length-word", odd(b"content-length: many")),
            same("length-twice", odd(b"content-length: 2", b"content-length: 3")),
        ),
        again=True,
        advice="Check base_url",
    ),
    Row(
        "breaks the rules of HTTP in its first line, or in the chunks of an answer",
        "BadReply or ModelUnreachable",
        (
            same("not-http", (b"SSH-2.0-OpenSSH_9.2\r\n", End())),
            same("chunk-size", (CHUNKED + b"zz\r\n{}\r\n",)),
            same("chunk-huge", (CHUNKED + b"f" * 40 + b"\r\n{}\r\n",)),
            same("chunk-end", (CHUNKED + b"2\r\n{}zz\r\n",)),
        ),
        again=True,
        advice="base_url",
    ),
)
