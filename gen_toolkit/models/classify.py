"""What a failed call was: from status, headers and body, or from how the connection failed, to one typed error.

Pure. `billed` says whether the attempt can be on the bill:

| what happened | billed |
|---|---|
| no connection, bad certificate, redirect, any 4xx (429 and quota among them) | False: no answer was begun |
| 5xx, an answer that broke off, one that never began on a connection that stood | None: nobody can tell |
| status 200 with a body that is no answer, or an error inside it | None; True where it counts tokens |
"""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gen_toolkit.errors import (
    BadReply,
    ModelError,
    ModelOverloaded,
    ModelRefused,
    ModelUnreachable,
    QuotaExhausted,
)
from gen_toolkit.models.server import Server
from gen_toolkit.text import one_line

_NOT_NOW = {408, 409, 425, 429}
_TRANSIENT = {"rate_limit_exceeded", "rate_limit_error", "overloaded_error", "server_error", "internal_server_error"}
_QUOTA = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"}
_CONTEXT = {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
_FILTER = {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"}
_TOO_LONG = re.compile(
    r"context (length|window|size)|maximum (context|prompt|input|sequence) length|(prompt|input) is too long"
    r"|too many (input )?tokens|reduce the length",
    re.IGNORECASE,
)
_SHORTEN = "Shorten the prompt or the conversation, ask for less output, or use a model with a longer context."
_FILTERED = "Change the prompt, or the filter's settings at the provider."
_LATER = "Try again later, or lower the load."
_PROXY = "The proxy wants a name and a password: HTTPS_PROXY=http://name:password@host:port."
_ADDRESS = "Start the server or correct base_url."


def refusal(server: Server, status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """What a status other than 2xx means. `headers` are asked for in small letters."""
    message, codes = _said(body)
    if 300 <= status < 400:
        return _redirect(server, status, headers.get("location", ""))
    said = f"{server.alias!r} refused the request ({status}): {message}"
    named = _named(server.alias, said, message, codes, status)
    if named is not None:
        return named
    if status in _NOT_NOW or status >= 500:
        return ModelOverloaded(
            f"{server.alias!r} said not now ({status}): {message}",
            fix=_LATER,
            alias=server.alias,
            status=status,
            retry_after=retry_after(headers),
            billed=False if status < 500 else None,
        )
    advice = {
        401: f"Check the key: {server.key or 'the alias has none'}.",
        403: "The key may not use this model.",
        404: f"Check base_url and model: {server.model!r} is not known there.",
        407: _PROXY,
        413: "Send less: the server takes no request of this size.",
    }
    fix = advice.get(status, "Trying again will not help; change the request.")
    return ModelRefused(said, fix=fix, alias=server.alias, status=status, reason="", billed=False)


def stated(alias: str, error: Any) -> ModelError:
    """An error that stands in an answer of status 200, or in a stream that had begun well."""
    message, codes = _said(error)
    said = f"{alias!r} answered, but with an error: {message}"
    numbers = [int(code) for code in codes if code.isdecimal()]
    status = next((number for number in numbers if 400 <= number < 600), 200)
    found = _named(alias, said, message, codes, status)
    if found is None and (status in _NOT_NOW or status >= 500 or codes & _TRANSIENT):
        found = ModelOverloaded(said, fix=_LATER, alias=alias, status=status, retry_after=None)
    if found is None and status >= 400:
        fix = "Trying again will not help; change the request."
        found = ModelRefused(said, fix=fix, alias=alias, status=status, reason="")
    if found is None:
        found = BadReply(said, fix="Check that base_url and model of the alias are right.", alias=alias)
    found.billed = found.data["billed"] = None  # it said yes first, and may have worked until then
    return found


def filtered(alias: str, *, billed: bool | None) -> ModelError:
    """An answer that the provider's filter held back or cut off."""
    return ModelRefused(
        f"{alias!r} answered, but its content filter held the answer back",
        fix=_FILTERED,
        alias=alias,
        status=200,
        reason="content-filter",
        billed=billed,
    )


def not_reached(server: Server, cause: object) -> ModelError:
    """No connection: surely nothing was sent."""
    return ModelUnreachable(
        f"model alias {server.alias!r}: no connection to {server.shown} ({one_line(cause, 100)})",
        fix=_ADDRESS,
        alias=server.alias,
        billed=False,
    )


def no_way(server: Server, status: int, message: str) -> ModelError:
    """A proxy that did not let us through: the server has seen nothing."""
    if status in _NOT_NOW or status >= 500:
        return not_reached(server, f"the proxy says {status} {message}")
    return ModelRefused(
        f"model alias {server.alias!r}: the proxy refused the way to {server.host} ({status} {one_line(message)})",
        fix=_PROXY if status == 407 else f"Let the proxy through to {server.host}, or name it in NO_PROXY.",
        alias=server.alias,
        status=status,
        reason="",
        billed=False,
    )


def not_trusted(server: Server, cause: object) -> ModelError:
    """A certificate that proves nothing: trying again will bring the same one."""
    return ModelUnreachable(
        f"model alias {server.alias!r}: the certificate of {server.host} is not to be trusted ({one_line(cause, 100)})",
        fix="Where it is your company's own, name its certificates: SSL_CERT_FILE=/path/to/ca.pem.",
        alias=server.alias,
        billed=False,
        retryable=False,
    )


def cut(server: Server, cause: object) -> ModelError:
    """The connection stood, and broke before the answer was whole: it may have been made, and billed."""
    return ModelUnreachable(
        f"model alias {server.alias!r}: the answer of {server.shown} broke off ({one_line(cause, 100)})",
        fix="Start the server or correct base_url, if it goes on.",
        alias=server.alias,
        billed=None,
    )


def unreadable(server: Server, what: str) -> ModelError:
    """Bytes came that cannot be an answer."""
    return BadReply(
        f"{server.alias!r} answered with {what}",
        fix=f"Check base_url: {server.shown} may be a web page or a login.",
        alias=server.alias,
        billed=None,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `retry-after-ms`, else `retry-after` as seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(header, "")) * unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _named(alias: str, said: str, message: str, codes: set[str], status: int) -> ModelError | None:
    """What the server calls by its name, whatever the status."""
    if codes & _QUOTA or status == 402:
        fix = "The account has used up its quota: raise it there, or use another key."
        return QuotaExhausted(said, fix=fix, alias=alias, status=status, reason="", billed=False)
    if codes & _FILTER:
        reason, fix = "content-filter", _FILTERED
    elif codes & _CONTEXT or (status in {400, 413, 422} and _TOO_LONG.search(message)):
        reason, fix = "context-length", _SHORTEN
    else:
        return None
    return ModelRefused(said, fix=fix, alias=alias, status=status, reason=reason, billed=False)


def _redirect(server: Server, status: int, location: str) -> ModelError:
    try:
        parts = urlsplit(location)
        target = f"{parts.scheme or 'the same scheme'}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
    except ValueError:
        target = "an address that is none"
    return ModelRefused(
        f"{server.alias!r} was sent elsewhere ({status}): to {one_line(target or 'another path of the same host')}",
        fix="If that is right, write it as base_url: a key is sent to no other address than that.",
        alias=server.alias,
        status=status,
        reason="redirect",
        billed=False,
    )


def _said(body: Any) -> tuple[str, set[str]]:
    """What a body says for people, and the codes in it, in the forms that servers use."""
    if isinstance(body, bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return one_line(body.decode("utf-8", "replace"), 160) or "no reason given", set()
    if isinstance(body, list) and body:
        body = body[0]  # Google's form
    if not isinstance(body, Mapping):
        return _shown(body) or "no reason given", set()
    error = body.get("error") or body.get("detail") or body.get("message") or body
    if not isinstance(error, Mapping):
        return _shown(error), _codes(body)
    inner = error.get("innererror")
    codes = _codes(body) | _codes(error) | (_codes(inner) if isinstance(inner, Mapping) else set())
    return _shown(error.get("message") or error), codes


def _shown(said: Any) -> str:
    try:
        return one_line(said if isinstance(said, str) else json.dumps(said, default=str), 160)
    except RecursionError:
        return "a reason too deep to be shown"


def _codes(error: Mapping[str, Any]) -> set[str]:
    return {str(error[name]) for name in ("code", "type") if isinstance(error.get(name), str | int)}
