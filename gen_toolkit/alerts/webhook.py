"""Deliver an alert by HTTP POST: one try, a bound on its whole time, no redirects."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

from gen_toolkit import __version__
from gen_toolkit.alerts.undelivered import Undelivered
from gen_toolkit.channel import refuse_bad_address
from gen_toolkit.models.transport.network import trusted
from gen_toolkit.secret import Secret

_REFERENCE = re.compile(r"(?<!\S)(?:env|file):\S+")


def post(webhook: str, headers: dict[str, str], payload: str, key: str, timeout_s: float) -> None:
    """Raises Undelivered, or MissingSecret where a reference has no value."""
    address = _filled_in(webhook)
    try:
        refuse_bad_address(address)
    except ValueError as error:
        raise Undelivered(str(error)) from None
    sent = {
        "Content-Type": "application/json",
        "User-Agent": f"gen-toolkit/{__version__}",
        "Idempotency-Key": key,
        **{name: _filled_in(value) for name, value in headers.items()},
    }
    request = urllib.request.Request(address, payload.encode(), sent, method="POST")  # noqa: S310 - http or https: checked
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=trusted()))
    try:
        with opener.open(request, timeout=timeout_s):
            pass
    except urllib.error.HTTPError as error:
        error.close()
        raise Undelivered(f"answered {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a header that HTTP cannot carry
        raise Undelivered(str(getattr(error, "reason", error)) or type(error).__name__) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, and its 200 would mean nothing."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _filled_in(value: str) -> str:
    """Words that are references, by what they refer to."""
    return _REFERENCE.sub(lambda found: Secret(found[0]).value, value)
