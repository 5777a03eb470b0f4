"""What a failed call was: every answer that is none becomes one typed error, by literals."""

from __future__ import annotations

import email.utils
import json
import time
from typing import Any

import pytest

from gen_toolkit import text
from gen_toolkit.errors import BadReply, ModelError, ModelOverloaded, ModelRefused, ModelUnreachable, QuotaExhausted
from gen_toolkit.models import classify
from gen_toolkit.models.server import Server

SERVER = Server("fast", "gpt-5-mini", "https://api.example.com/v1", "env:THE_KEY")


def refused(status: int, error: Any = None, headers: dict[str, str] | None = None) -> Any:
    body = error if isinstance(error, bytes) else json.dumps({"error": error} if error else {}).encode()
    return classify.refusal(SERVER, status, headers or {}, body)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 406, 407, 410, 413, 415, 418, 422, 431, 451])
def test_what_will_not_get_better_is_not_tried_again_and_costs_nothing(status: int) -> None:
    error = refused(status, {"message": "no"})
    assert isinstance(error, ModelRefused)
    assert (error.retryable, error.billed, error.data["status"], error.reason) == (False, False, status, "")


@pytest.mark.parametrize(
    ("status", "billed"),
    [(408, False), (409, False), (425, False), (429, False), (500, None), (502, None), (503, None), (529, None)],
)
def test_not_now_is_tried_again_and_only_a_servers_own_failure_may_be_billed(status: int, billed: bool | None) -> None:
    error = refused(status, {"message": "no"}, {"retry-after": "7"})
    assert type(error) is ModelOverloaded
    assert (error.retryable, error.billed, error.data["status"], error.retry_after) == (True, billed, status, 7)


TOO_LONG = [
    (400, {"code": "context_length_exceeded", "message": "no"}),
    (400, {"message": "This model's maximum context length is 8192 tokens. Please reduce the length of the messages."}),
    (400, {"type": "exceed_context_size_error", "message": "request (4031 tokens) exceeds"}),
    (422, {"message": "the input is too long for this model"}),
    (413, {"message": "Prompt is too long: 200001 tokens"}),
    (500, {"code": "context_length_exceeded", "message": "no"}),
]
FILTERED = [
    (400, {"code": "content_filter", "message": "The response was filtered"}),
    (400, {"code": "x", "message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}),
    (400, {"code": "content_policy_violation", "message": "no"}),
]


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [(*case, "context-length") for case in TOO_LONG] + [(*case, "content-filter") for case in FILTERED],
)
def test_context_and_filter_have_a_reason_and_are_never_tried_again(status: int, error: Any, reason: str) -> None:
    found = refused(status, error)
    assert type(found) is ModelRefused
    assert (found.reason, found.retryable, found.billed, found.elsewhere) == (reason, False, False, False)


@pytest.mark.parametrize("message", ["max_tokens is too large", "unknown parameter: top_k", "images are too long ago"])
def test_other_complaints_are_not_taken_for_a_long_context(message: str) -> None:
    assert refused(400, {"message": message}).reason == ""


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, {"code": "insufficient_quota", "message": "no"}),
        (429, {"type": "insufficient_quota", "message": "no"}),
        (403, {"code": "billing_hard_limit_reached", "message": "no"}),
        (402, {"message": "pay"}),
    ],
)
def test_a_used_up_quota_is_not_waited_for_and_another_may_be_asked(status: int, error: Any) -> None:
    found = refused(status, error, {"retry-after": "1"})
    assert type(found) is QuotaExhausted
    assert (found.retryable, found.billed, found.elsewhere, found.data["status"]) == (False, False, True, status)


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://evil.example:8443/v1/x?token=1", "https://evil.example:8443"),
        ("//other.example/v1", "other.example"),
        ("https://user:pass@evil.example/", "https://evil.example"),
        ("/v2/chat", "another path of the same host"),
        ("", "another path of the same host"),
        ("http://[", "an address that is none"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_names_where_it_leads_and_is_not_followed(status: int, location: str, named: str) -> None:
    error = refused(status, b"", {"location": location})
    assert type(error) is ModelRefused
    assert (error.reason, error.retryable, error.billed) == ("redirect", False, False)
    assert named in error.message
    assert "pass" not in error.message
    assert "token" not in error.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no such thing"}}', "no such thing"),
        (b'{"error": "no such thing"}', "no such thing"),
        (b'{"detail": "no such thing"}', "no such thing"),
        (b'{"detail": [{"loc": ["body"], "msg": "no such thing"}]}', "no such thing"),
        (b'{"message": "no such thing"}', "no such thing"),
        (b'[{"error": {"message": "no such thing"}}]', "no such thing"),
        (b'"no such thing"', "no such thing"),
        (b"<html>\n<h1>no such thing</h1>", "no such thing"),
        (b'{"error": {"message": "no such th', "no such th"),
        (b'{"error": {"message": ["no such thing"]}}', "no such thing"),
        (b'{"error": {}}', "{"),
        (b"", "no reason given"),
        (b"\xff\xfe", "\ufffd"),
        (b"[" * 5000, "[["),
        (b"null", "null"),
    ],
)
def test_what_a_server_says_is_shown_in_whatever_form_it_comes(body: bytes, said: str) -> None:
    error = refused(400, body)
    assert type(error) is ModelRefused
    assert said in error.message
    assert "\n" not in str(error)
    assert len(error.message) < 300


def test_a_key_that_is_echoed_is_masked() -> None:
    key = "sk-echo-0123456789abcdef"
    text.remember_secret(key)
    for body in ({"message": f"Incorrect API key provided: {key}"}, {"code": 1, "message": {"key": key}}, f"{key}"):
        for status in (401, 429, 500, 302):
            assert key not in str(refused(status, body, {"location": f"https://{key}.example"}))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "Mon, 99 Foo 2026 00:00:00 GMT"}, None),
        ({"retry-after": "Mon, 01 Jan 99999 00:00:00 GMT"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_is_asked_for_is_read_or_unknown(headers: dict[str, str], seconds: float | None) -> None:
    assert classify.retry_after(headers) == seconds


@pytest.mark.parametrize(("ahead", "seconds"), [(3600, 3600), (-3600, 0)])
def test_the_wait_may_be_a_date(ahead: float, seconds: float) -> None:
    date = email.utils.formatdate(time.time() + ahead, usegmt=True)
    assert classify.retry_after({"retry-after": date}) == pytest.approx(seconds, abs=60)


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        ({"error": {"message": "x", "code": "context_length_exceeded"}}, ModelRefused, False),
        ({"error": {"message": "x", "code": "content_filter"}}, ModelRefused, False),
        ({"error": {"message": "x", "code": "insufficient_quota"}}, QuotaExhausted, False),
        ({"error": {"message": "x", "code": 400}}, ModelRefused, False),
        ({"error": {"message": "x", "code": "401"}}, ModelRefused, False),
        ({"error": {"message": "x", "code": 429}}, ModelOverloaded, True),
        ({"error": {"message": "x", "code": 502}}, ModelOverloaded, True),
        ({"error": {"message": "x", "type": "server_error"}}, ModelOverloaded, True),
        ({"error": {"message": "x", "code": "rate_limit_exceeded"}}, ModelOverloaded, True),
        ({"error": {"message": "x", "code": "²"}}, BadReply, True),
        ({"error": "x"}, BadReply, True),
        (b"x", BadReply, True),
        ([], BadReply, True),
    ],
)
def test_an_error_inside_a_good_answer_is_as_typed_and_may_be_billed(
    error: Any, kind: type[ModelError], retryable: bool
) -> None:
    found = classify.stated("fast", error)
    assert (type(found), found.retryable, found.billed, found.data["billed"]) == (kind, retryable, None, None)


def test_how_a_connection_failed_says_what_can_be_billed() -> None:
    billed = {kind: kind(SERVER, "why").billed for kind in (classify.not_reached, classify.not_trusted, classify.cut)}
    assert list(billed.values()) == [False, False, None]
    assert classify.not_reached(SERVER, "why").retryable
    assert not classify.not_trusted(SERVER, "why").retryable
    assert {type(kind(SERVER, "why")) for kind in billed} == {ModelUnreachable}


@pytest.mark.parametrize(("status", "kind"), [(403, ModelRefused), (407, ModelRefused), (502, ModelUnreachable)])
def test_a_proxy_in_the_way_is_named_and_nothing_was_sent(status: int, kind: type[ModelError]) -> None:
    error = classify.no_way(SERVER, status, "no")
    assert (type(error), error.billed) == (kind, False)
    assert "proxy" in error.message
    assert str(status) in error.message
