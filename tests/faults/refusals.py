"""The provider says no, or not now: statuses that are no 2xx."""

from __future__ import annotations

from typing import Any

from faults.plays import HTML, JSON, error, head, http, raw
from faults.row import Row, same
from faults.server import ELSEWHERE, KEY, KEY_IN_BASE64, KEY_IN_URL, End, Play


def until_closed(status: int, body: Any, kind: str = JSON, **headers: Any) -> Play:
    """An answer without a length: it ends with the connection. For bodies that grow when the key is filled in."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (head(status, {"content-type": kind, **named}), raw(body), End())


def limited(after: str, status: int = 429) -> Play:
    return http(status, error("slow down", code="rate_limit_exceeded"), retry_after=after)


def redirect(status: int, to: bytes = ELSEWHERE + b"/v1/chat/completions") -> Play:
    lines = [b"HTTP/1.1 %d Moved" % status, b"location: " + to, b"content-length: 0", b"connection: close", b"", b""]
    return (b"\r\n".join(lines),)


TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
    "Please modify your prompt and retry."
)
CONTEXT = {
    "openai": error(TOO_LONG, kind="invalid_request_error", code="context_length_exceeded", param="messages"),
    "azure": error(TOO_LONG, code="context_length_exceeded", status=400),
    "vllm": error(f"{TOO_LONG} Please reduce the length of the messages.", kind="BadRequestError", code=400),
    "vllm-flat": {"object": "error", "message": TOO_LONG, "type": "BadRequestError", "param": None, "code": 400},
}
FILTER = {
    "azure": error(
        FILTERED,
        code="content_filter",
        param="prompt",
        status=400,
        innererror={
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"violence": {"filtered": True, "severity": "medium"}},
        },
    ),
    "openai": error("Your request was rejected by our safety system.", code="content_policy_violation"),
}
ECHO = {
    "echo-body": until_closed(
        401, b'{"error": {"message": "Incorrect API key provided: ' + KEY + b'", "code": "' + KEY + b'"}}'
    ),
    "echo-url": until_closed(400, b'{"error": {"message": "no such page: /?key=' + KEY_IN_URL + b'"}}'),
    "echo-base64": until_closed(400, b'{"error": {"message": "Authorization: Basic ' + KEY_IN_BASE64 + b'"}}'),
    "echo-html": until_closed(403, b"<h1>Who is " + KEY + b"?</h1>", "text/html"),
    "echo-late": until_closed(400, b'{"error": {"message": "' + b"x " * 66 + KEY + b'"}}'),
    "echo-broken": until_closed(400, b'{"error": {"message": "sk-\\u0000' + KEY + b'\\u001b[0m"}}'),
    "echo-header": (
        b"HTTP/1.1 401 "
        + KEY
        + b"\r\nx-key: "
        + KEY
        + b"\r\nwww-authenticate: Bearer "
        + KEY
        + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ),
}

ROWS = (
    Row(
        "refuses: 400, 405, 415, 422, 451, as JSON, a web page, or nothing at all",
        "ModelRefused",
        (
            *(same(f"{status}", http(status, error())) for status in (400, 405, 415, 422, 451)),
            same("400-html", http(400, HTML, "text/html")),
            same("400-empty", http(400)),
            same("422-empty", http(422)),
            same("400-broken", http(400, '{"error": {"mess')),
            same("400-array", http(400, [1])),
            same("400-null", http(400, None)),
            same("400-text", http(400, {"error": "no"})),
            same("400-odd", http(400, {"error": {"message": ["x"], "code": {"a": 1}}})),
            same("400-detail", http(422, {"detail": [{"loc": ["body"], "msg": "field required"}]})),
            same("400-bytes", http(400, b'{"error": {"message": "\xff\xfe\n\xe9"}}')),
            same("400-cut", (http(400, error(), content_length=900)[0], b'{"error": {"me', End())),
        ),
        note="with its words",
        billed=False,
        advice="change the request",
    ),
    Row(
        "takes no request of this size: 413",
        "ModelRefused",
        (same("413", http(413, error())), same("413-html", http(413, HTML, "text/html"))),
        billed=False,
        advice="Send less",
    ),
    Row(
        "refuses the key: 401",
        "ModelRefused",
        (same("401", http(401, error("Incorrect API key provided"))), same("401-empty", http(401))),
        billed=False,
        advice="Check the key: env:THE_KEY",
    ),
    Row(
        "refuses the model to this key: 403",
        "ModelRefused",
        (same("403", http(403, error())), same("403-html", http(403, HTML, "text/html"))),
        billed=False,
        advice="may not use this model",
    ),
    Row(
        "knows no such model or page: 404",
        "ModelRefused",
        (
            same("404", http(404, error("The model `m` does not exist", code="model_not_found"))),
            same("404-html", http(404, HTML, "text/html")),
            same("404-empty", http(404)),
        ),
        billed=False,
        advice="Check base_url and model",
    ),
    Row(
        "repeats the key in an error: body, headers, as it is, in URL or base64 form",
        "ModelRefused",
        tuple(same(name, play) for name, play in ECHO.items()),
        note="the key is masked everywhere",
        billed=False,
    ),
    Row(
        "says that the prompt is too long for the model",
        "ModelRefused",
        tuple(same(f"context-{name}", http(400, body)) for name, body in CONTEXT.items()),
        billed=False,
        reason="context-length",
        advice="Shorten",
    ),
    Row(
        "does not like what the prompt says",
        "ModelRefused",
        tuple(same(f"filter-{name}", http(400, body)) for name, body in FILTER.items()),
        billed=False,
        reason="content-filter",
        advice="Change the prompt",
    ),
    Row(
        "sends the request somewhere else: 301, 302, 303, 307, 308",
        "ModelRefused",
        (
            *(same(f"redirect-{status}", redirect(status)) for status in (301, 302, 303, 307, 308)),
            same("redirect-relative", redirect(308, b"/elsewhere")),
            same("redirect-nowhere", http(302)),
            same("redirect-echo", redirect(307, ELSEWHERE + b"/?key=" + KEY_IN_URL)),
        ),
        note="nothing is sent there",
        billed=False,
        reason="redirect",
        advice="base_url",
    ),
    Row(
        "says that the account has used up its quota: 402, or 429 with such a code",
        "QuotaExhausted",
        (
            same("402", http(402, error("Insufficient balance"))),
            same("quota-code", http(429, error("You exceeded your current quota", code="insufficient_quota"))),
            same("quota-type", http(429, error("You exceeded your current quota", kind="insufficient_quota"))),
            same("quota-retry-after", http(429, error(code="insufficient_quota"), retry_after="1")),
        ),
        billed=False,
        advice="quota",
    ),
)

NOT_NOW = (
    Row(
        "is busy: 408, 409, 425, 429",
        "ModelOverloaded",
        (
            *(same(f"{status}", http(status, error())) for status in (408, 409, 425, 429)),
            same("429-html", http(429, HTML, "text/html")),
            same("429-empty", http(429)),
        ),
        again=True,
        billed=False,
        advice="Try again later",
    ),
    Row(
        "fails: 500 to 504, 520, 529, as JSON, a web page, or nothing at all",
        "ModelOverloaded",
        (
            *(same(f"{status}", http(status, error())) for status in (500, 501, 502, 503, 504, 520, 529)),
            same("502-html", http(502, HTML, "text/html")),
            same("503-empty", http(503)),
            same("500-broken", http(500, '{"error": {"mess')),
            same("500-array", http(500, [[]])),
            same("500-echo", until_closed(500, b'{"error": {"message": "bad key ' + KEY + b'"}}')),
        ),
        again=True,
        advice="Try again later",
    ),
    Row(
        "says when to come back: `Retry-After` in seconds, whole or not, or as a date",
        "ModelOverloaded",
        (
            same("after-1", limited("1"), waits=1.0),
            same("after-fraction", limited("0.6"), waits=0.6),
            same("after-date", limited("<IN 2 S>")),
        ),
        note="`retry_after` in seconds",
        again=True,
        billed=False,
    ),
    Row(
        "says so with 503",
        "ModelOverloaded",
        (same("after-503", limited("0.7", 503), waits=0.7),),
        note="`retry_after` in seconds",
        again=True,
    ),
    Row(
        "says something else there: negative, in the past, no number, no date",
        "ModelOverloaded",
        (
            same("after-negative", limited("-5")),
            same("after-past", limited("Sun, 06 Nov 1994 08:49:37 GMT")),
            same("after-word", limited("soon")),
            same("after-nan", limited("nan")),
            same("after-infinity", limited("inf")),
            same("after-no-date", limited("Wed, 99 Foo 2026 99:99:99 GMT")),
            same("after-empty", limited("")),
        ),
        note="after a pause of our own",
        again=True,
        billed=False,
    ),
    Row(
        "says to come back when the deadline has passed",
        "DeadlineExceeded",
        (
            same("after-hour", limited("3600"), within=4.5),
            same("after-ages", limited("1e300"), within=4.5),
            same("after-late-date", limited("Fri, 31 Dec 2100 23:59:59 GMT"), within=4.5),
        ),
        note="at once: waiting would bring the same, later",
        billed=False,
        advice="Raise deadline_s",
    ),
)
