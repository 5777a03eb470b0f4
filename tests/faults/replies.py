"""Status 2xx, and what comes with it: good answers in unusual forms, and what is none."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from faults.plays import (
    BEGIN,
    EVENTS,
    FIRST,
    GOOD,
    HTML,
    LAST,
    MEGABYTE,
    bomb,
    chunk,
    completion,
    delta,
    error,
    head,
    http,
    nested,
    pieces,
    raw,
)
from faults.refusals import until_closed
from faults.row import Row, plain, same, stream
from faults.server import KEY, KEY_BEGIN, KEY_END, End, Fault, Pause, Play, Repeat

WHOLE = raw(completion())
JSON = {"content-type": "application/json"}


def said(choice: Any) -> Play:
    """A completion whose first choice is this."""
    return http(200, {**completion(), "choices": [choice]})


def wordless(message: Any) -> Play:
    return said({"index": 0, "message": message, "finish_reason": "stop"})


def counted(usage: Any) -> Play:
    return http(200, completion(usage=usage))


def preceded(*statuses: bytes) -> Play:
    """A good answer after some that are only information."""
    return (*(b"HTTP/1.1 %b\r\n\r\n" % status for status in statuses), *GOOD)


BODIES: dict[str, Any] = {
    "html": HTML,
    "empty": b"",
    "truncated": WHOLE[:60],
    "array": [1],
    "number": 1,
    "null": None,
    "text": '"hello"',
    "object": {},
    "error-object": {"error": {"message": "overloaded"}},
    "error-text": {"error": "overloaded"},
    "choices-empty": {"choices": []},
    "choices-null": {"choices": None},
    "choices-object": {"choices": {"0": {}}},
    "choices-text": {"choices": "hello"},
    "utf8": b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
    "utf16": json.dumps(completion()).encode("utf-16")[2:-1],
    "digits": b'{"choices": [], "n": ' + b"9" * 10_000 + b"}",
    "deep": nested(100_000),
    "two": WHOLE + WHOLE,
    "sse": b"".join((*FIRST, *LAST)),
}
SPLIT = tuple(delta(piece).replace(b"KEY", half) for piece, half in (("your key is KEY", KEY_BEGIN), ("KEY.", KEY_END)))
CHOICES: dict[str, Any] = {"null": None, "text": "hello", "list": []}
MESSAGES: dict[str, Any] = {"null": None, "text": "hello", "list": [{}], "empty": {}}
CONTENTS: dict[str, Any] = {
    "null": None,
    "number": 1,
    "object": {"text": "hello"},
    "true": True,
    "list": [1],
    "parts": [{}],
}
USAGES: dict[str, Any] = {
    "missing": None,
    "text": "12",
    "list": [1],
    "texts": {"prompt_tokens": "12", "completion_tokens": "3"},
    "negative": {"prompt_tokens": -12, "completion_tokens": -3},
    "fraction": {"prompt_tokens": 1.5, "completion_tokens": 0.5},
    "true": {"prompt_tokens": True, "completion_tokens": True},
    "huge": {"prompt_tokens": 10**30, "completion_tokens": 10**30},
    "details": {"prompt_tokens": None, "completion_tokens": None, "prompt_tokens_details": [1]},
}

ROWS = (
    Row(
        "answers well, in an unusual form: HTTP/1.0, chunks, gzip, other content types, `100 Continue` before it",
        "",
        (
            plain("good", GOOD),
            plain("http-1.0", (head(200, JSON, "1.0"), WHOLE, End())),
            plain("without-length", (head(200, JSON), WHOLE, End())),
            plain("in-chunks", pieces(200, *(WHOLE[n : n + 7] for n in range(0, len(WHOLE), 7)))),
            plain(
                "byte-by-byte",
                (head(200, {**JSON, "content-length": len(WHOLE)}), *(WHOLE[n : n + 1] for n in range(len(WHOLE)))),
            ),
            plain("gzip", http(200, gzip.compress(WHOLE), content_encoding="gzip")),
            plain("deflate", http(200, zlib.compress(WHOLE), content_encoding="deflate")),
            plain("type-text", http(200, WHOLE, "text/plain")),
            plain("type-none", (head(200, {"content-length": len(WHOLE)}), WHOLE)),
            plain("spaces", http(200, b"\n " * 1000 + WHOLE + b" \n" * 1000)),
            plain(
                "more-fields",
                http(200, {**completion(), "x": [{"y": None}], "choices": [{**completion()["choices"][0], "z": 1}]}),
            ),
            plain(
                "chunk-extension",
                (
                    head(200, {**JSON, "transfer-encoding": "chunked"}),
                    b"%x;a=b\r\n%b\r\n0\r\nx: y\r\n\r\n" % (len(WHOLE), WHOLE),
                ),
            ),
            plain("continued", preceded(b"100 Continue")),
            plain("hinted", preceded(b"103 Early Hints\r\nlink: </x>; rel=preload", b"102 Processing")),
            plain(
                "text-parts", http(200, completion([{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]))
            ),
            plain("text-empty", http(200, completion("")), text=""),
            plain("text-odd", http(200, completion("a\0b\u2028c\U0001f600")), text="a\0b\u2028c\U0001f600"),
        ),
        billed=True,
    ),
    Row(
        "answers, and says more than it announced",
        "",
        (
            plain("trailing", (*GOOD, Pause(0.1), b"HTTP/1.1 200 OK\r\n\r\n<html>garbage")),
            plain("trailing-at-once", (b"".join(GOOD) + b"<html>garbage",), through=("sdk",)),
        ),
        note="what follows is not read",
        billed=True,
    ),
    Row(
        "does so in one go, through the fast transport",
        "BadReply",
        (plain("trailing-at-once-fast", (b"".join(GOOD) + b"<html>garbage",), through=("fast",)),),
        again=True,
    ),
    Row(
        "does not say what the answer took, or says nonsense",
        "",
        tuple(plain(f"usage-{name}", counted(usage), usage=False) for name, usage in USAGES.items()),
        note="`usage` and `cost` unknown, which is not 0",
        billed=True,
    ),
    Row(
        "repeats the key in an answer",
        "",
        (
            Fault(
                "echo-answer",
                until_closed(200, raw(completion("your key is KEY.")).replace(b"KEY", KEY)),
                (
                    head(200, {"content-type": EVENTS}),
                    BEGIN,
                    delta("your key is KEY.").replace(b"KEY", KEY),
                    *LAST,
                    End(),
                ),
                text="your key is [secret].",
            ),
            stream(
                "echo-split",
                (head(200, {"content-type": EVENTS}), BEGIN, *SPLIT, *LAST, End()),
                text="your key is [secret].",
            ),
        ),
        note="the key is masked, also where it comes in pieces",
        billed=True,
    ),
    Row(
        "stops at the length limit",
        "",
        (
            plain("length", http(200, completion(choice={"finish_reason": "length"})), finish="length"),
            plain(
                "length-null", http(200, completion(None, choice={"finish_reason": "length"})), finish="length", text=""
            ),
        ),
        note='`finish_reason` is `"length"`',
        billed=True,
    ),
    Row(
        "does not say why it stopped",
        "",
        (
            plain("finish-null", http(200, completion(choice={"finish_reason": None})), finish=None),
            plain("finish-number", http(200, completion(choice={"finish_reason": 1})), finish=None),
        ),
        note="`finish_reason` is `None`: it may be incomplete",
        billed=True,
    ),
    Row(
        "says yes (200) and sends no answer: a web page, truncated or broken JSON, wrong types, no choices, no text",
        "BadReply",
        (
            *(same(f"body-{name}", http(200, body)) for name, body in BODIES.items()),
            same("204", (head(204, {}),)),
            same("206", http(206, WHOLE[:60], content_range="bytes 0-59/400")),
            same("202-empty", http(202)),
            same("length-short", http(200, WHOLE, content_length=60)),
            same("gzip-not", http(200, WHOLE, content_encoding="gzip")),
            same("gzip-wrong", http(200, gzip.compress(WHOLE)[:-8] + b"\0" * 8, content_encoding="gzip")),
            same("encoding-unknown", http(200, WHOLE, content_encoding="rot13")),
            same("echo-200", until_closed(200, b'{"error": {"message": "bad key ' + KEY + b'"}}')),
            same("echo-page", until_closed(200, KEY + b" " + KEY, "text/html")),
        ),
        again=True,
        advice="base_url",
    ),
    Row(
        "says what it took, and no text: null choice, null message, null content, content of another type",
        "BadReply",
        (
            *(same(f"choice-{name}", said(choice)) for name, choice in CHOICES.items()),
            *(same(f"message-{name}", wordless(message)) for name, message in MESSAGES.items()),
            *(same(f"content-{name}", wordless({"content": content})) for name, content in CONTENTS.items()),
        ),
        again=True,
        billed=True,
        advice="base_url",
    ),
    Row(
        "says yes (200) and sends an error that says: not now",
        "ModelOverloaded",
        (
            same("error-busy", http(200, error("slow down", code="rate_limit_exceeded"))),
            same("error-503", http(200, error("no upstream", code=503))),
        ),
        again=True,
        advice="Try again later",
    ),
    Row(
        "says yes (200) and sends an error that says: the prompt is too long",
        "ModelRefused",
        (same("error-context", http(200, error("too long", code="context_length_exceeded"))),),
        reason="context-length",
        advice="Shorten",
    ),
    Row(
        "sends more than an answer can be: 200 MB, or 1 MB of gzip that becomes 1 GB",
        "BadReply",
        (
            same(
                "huge-length",
                (head(200, {**JSON, "content-length": 200 * MEGABYTE}), Repeat(b" " * MEGABYTE, 200)),
                alone=True,
            ),
            same("huge-chunks", (*pieces(200, Repeat(chunk(b" " * MEGABYTE), 200)),), alone=True),
            same(
                "huge-text",
                (head(200, JSON), b'{"choices": [{"message": {"content": "', Repeat(b"a" * MEGABYTE, 200), End()),
                alone=True,
            ),
            same("endless", (head(200, JSON), Repeat(b" " * MEGABYTE)), alone=True),
            same(
                "bomb", (head(200, {**JSON, "content-encoding": "gzip"}), *bomb(WHOLE, b" ", 1000), End()), alone=True
            ),
            same(
                "bomb-twice",
                (head(200, {**JSON, "content-encoding": "gzip, gzip"}), *bomb(WHOLE, b" ", 1000), End()),
                alone=True,
            ),
        ),
        again=True,
        note="in bounded memory",
    ),
    Row(
        "sends that much with an error",
        "ModelRefused",
        (
            same(
                "huge-400",
                (head(400, {**JSON, "content-length": 200 * MEGABYTE}), Repeat(b" " * MEGABYTE, 200)),
                alone=True,
            ),
            same(
                "bomb-400",
                (
                    head(400, {**JSON, "content-encoding": "gzip"}),
                    *bomb(b'{"error": {"message": "no"}}', b" ", 1000),
                    End(),
                ),
                alone=True,
            ),
        ),
        billed=False,
        note="in bounded memory",
    ),
    Row(
        "refuses in words of its own (`refusal`)",
        "BadReply",
        (
            plain("refusal", wordless({"content": None, "refusal": "I\nwill not."})),
            plain("refusal-and-text", wordless({"content": "", "refusal": "I will not."})),
        ),
        billed=True,
        advice="Change the prompt",
    ),
    Row(
        "stops because of what it was about to say (`content_filter`)",
        "ModelRefused",
        (
            plain("filtered", http(200, completion("", choice={"finish_reason": "content_filter"}))),
            plain("filtered-null", http(200, completion(None, choice={"finish_reason": "content_filter"}))),
        ),
        billed=True,
        reason="content-filter",
        advice="Change the prompt",
    ),
)
