"""Text that came from a model or a user, made safe for the place where it will be shown or stored.

One function a sink: `html`, `terminal`, `one_line`, `markdown`, `markdown_block`; and `scrub`, which every
sink calls so that no secret this process has read is ever written.
"""

from __future__ import annotations

import base64
import html as _html
import json
import re
from urllib.parse import quote, quote_plus, unquote

# C0 and C1 controls but tab and newline, and the bidirectional overrides that reorder what is shown.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

_ADDRESS = re.compile(r"[a-z0-9+.-]+://([^:/@]*:([^@]+))@")

MASK = "[secret]"
_SHORTEST_SECRET = 8  # shorter values would mask ordinary words

# Process-wide on purpose: a value read by one part must be masked in what every other part writes.
_secrets: tuple[str, ...] = ()  # the longest first: it may hold a shorter one


def html(text: object) -> str:
    """Escaped for HTML text and attribute values; control characters removed."""
    return _html.escape(terminal(text), quote=True)


def terminal(text: object) -> str:
    """Without escape sequences and control characters, so that output cannot drive the terminal."""
    clean = _CONTROLS.sub("", _ANSI.sub("", scrub(encodable(str(text)))))
    return scrub(clean)  # again: what was taken out may have stood inside a secret


def encodable(text: str) -> str:
    """As UTF-8 can hold it, which a notebook and its widgets need: halves of a character are put together.

    A model that is cut off in the middle of a character leaves half of it; that one is shown as U+FFFD.
    """
    if _SURROGATES.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def one_line(text: object, width: int = 80) -> str:
    """On one line, cut to `width` characters."""
    line = " ".join(terminal(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def markdown(text: object) -> str:
    """A code span on one line: nothing in it becomes markup, a link, a mention or an image.

    In a table each "|" must be given a "\\" by whoever writes the table: there it ends a cell even in code.
    """
    line = " ".join(terminal(text).split()) or " "
    ticks = "`" * (_longest_ticks(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def markdown_block(text: object, language: str = "") -> str:
    """A fenced block that nothing in it can close."""
    clean = terminal(text)
    ticks = "`" * max(3, _longest_ticks(clean) + 1)
    return f"{ticks}{language}\n{clean}\n{ticks}"


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def remember_secret(value: str) -> None:
    """From now on `scrub` masks this value, also in its URL, JSON and base64 forms.

    Of an address with a password in it, the password alone, too.
    """
    global _secrets
    remember_password(value)
    if len(value) < _SHORTEST_SECRET:
        return
    raw = value.encode()
    forms = {
        value,
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        *_in_json(value),
        *(twice for once in _in_json(value) for twice in _in_json(once)),  # a text that holds JSON, written as JSON
    }
    encoded = (base64.b64encode(raw), base64.urlsafe_b64encode(raw))
    forms |= {form.decode().rstrip("=") for form in encoded}  # some leave the padding out
    _secrets = tuple(sorted({*_secrets, *forms}, key=len, reverse=True))


def remember_password(address: str) -> None:
    """Of an address that holds one: from now on `scrub` masks it, and the user with it; the rest may be shown."""
    inside = _ADDRESS.match(address)
    if inside:
        for part in {inside[1], inside[2], unquote(inside[2])}:
            remember_secret(part)


def _in_json(text: str) -> tuple[str, str]:
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


def scrub(text: str) -> str:
    """The text with every remembered secret masked."""
    for secret in _secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def secret_begins(text: str) -> int:
    """From where on the end of `text` may be the beginning of a remembered secret; its length where it is none."""
    begins = len(text)
    for secret in _secrets:
        for length in range(min(len(secret) - 1, len(text)), 0, -1):
            if text.endswith(secret[:length]):
                begins = min(begins, len(text) - length)
                break
    return begins
