"""Keys and passwords written down: in code, text, outputs or metadata. The finding never repeats them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gen_toolkit.ipynb import source
from gen_toolkit.releases.finding import Finding, Rule, Subject
from gen_toolkit.secret import KEYS

_FIX = (
    'Use a reference: Secret("env:NAME"), or api_key = "env:NAME" in the settings. '
    "Then change the secret: it was written down."
)
# name = "value", name: str = "value", {"name": "value"}
_ASSIGNED = re.compile(
    r"""(?ix) \b \w* (api_?key | secret | token | passw(or)?d) \w* ['"]? \s* (:[^=\n'"]{0,40})? [=:] \s*
    (?P<quote>['"]) (?P<value>[^'"\s]{8,}) (?P=quote)
    """
)
# a password inside an address: scheme://user:password@host
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{1,80}:(?P<value>[^\s/@'\"{}$]{4,80})@[\w.-]")


def no_secrets(subject: Subject) -> Iterator[Finding]:
    for number, cell in enumerate(subject.notebook["cells"], 1):
        text = source(cell)
        is_code = cell["cell_type"] == "code"
        if looks_secret(text) or (is_code and _is_assigned(text)):
            yield Finding("secret", f"a {'literal' if is_code else 'text'} looks like a secret", _FIX, number)
        if _looks_secret(cell.get("outputs", [])):
            yield Finding("secret", "an output looks like a secret", _FIX, number)
        if _looks_secret(cell.get("metadata", {})):
            yield Finding("secret", "the cell's metadata look like they hold a secret", _FIX, number)
    if _looks_secret(subject.notebook.get("metadata", {})):
        yield Finding("secret", "the notebook's metadata look like they hold a secret", _FIX)


def _is_assigned(text: str) -> bool:
    return any(not match["value"].startswith(("env:", "file:")) for match in _ASSIGNED.finditer(text))


def looks_secret(text: str) -> bool:
    """Whether a text holds a key, or an address with a password in it."""
    return bool(KEYS.search(text) or _ADDRESS.search(text))


def _looks_secret(data: object) -> bool:
    return looks_secret(json.dumps(data, ensure_ascii=False))


SECRETS: tuple[Rule, ...] = (no_secrets,)
