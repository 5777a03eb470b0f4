"""Keys and passwords written down: in cells, outputs, metadata, included files. The finding never repeats them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gen_toolkit.ipynb import source
from gen_toolkit.jobs.environment import remember_secrets
from gen_toolkit.releases.finding import Finding, Rule, Subject
from gen_toolkit.secret import KEY_SIGNS, KEYS, Secret
from gen_toolkit.settings import load_settings
from gen_toolkit.text import scrub

_FIX = (
    'Use a reference: Secret("env:NAME"), or api_key = "env:NAME" in the settings. '
    "Then change the secret: it was written down."
)
# name = "value", name: str = "value", {"name": "value"}; of a name that only may be a secret's (token_column,
# secret_santa) the value must be long, with letters and digits
_ASSIGNED = re.compile(
    r"""(?ix)
    (?: (api_?key | passw(or)?d) \w{0,40} | secret (_?key)? | (?P<may_be> (secret | token(?!i[sz])) \w{0,40}) )
    ['"]? \s* (:[^=\n'"]{0,40})? [=:] \s* (?P<quote>['"])
    (?P<value> (?(may_be) (?!\w+://) (?=[^'"]*\d) (?=[^'"]*[a-z]) [^'"\s<>[\]{}|]{16,} | [^'"\s]{8,}) ) (?P=quote)
    """
)
# a password inside an address: scheme://user:password@host
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{1,80}:(?!\[secret\])(?P<value>[^\s/@'\"{}$]{4,80})@[\w.-]")


def no_secrets(subject: Subject) -> Iterator[Finding]:
    """By their form; and those that the notebook and the settings refer to by their value, where it can be read."""
    remember_secrets(_references(subject))
    for number, cell in enumerate(subject.notebook["cells"], 1):
        text = source(cell)
        is_code = cell["cell_type"] == "code"
        if _leaks(text) or (is_code and _is_assigned(text)):
            yield Finding("secret", f"a {'literal' if is_code else 'text'} looks like a secret", _FIX, number)
        if _looks_secret(cell.get("outputs", [])):
            yield Finding("secret", "an output looks like a secret", _FIX, number)
        if _looks_secret(cell.get("metadata", {})):
            yield Finding("secret", "the cell's metadata look like they hold a secret", _FIX, number)
        if _looks_secret(cell.get("attachments", {})):
            yield Finding("secret", "an attachment looks like a secret", _FIX, number)
    if _looks_secret(subject.notebook.get("metadata", {})):
        yield Finding("secret", "the notebook's metadata look like they hold a secret", _FIX)
    for name, content in subject.files.items():
        text = content.decode("utf-8", "replace")
        if _leaks(text) or (name.endswith(".py") and _is_assigned(text)):
            yield Finding("secret", f"{name} holds what looks like a secret", _FIX)


def _references(subject: Subject) -> Iterator[str]:
    yield from (item.default.reference for item in subject.parameters.items if isinstance(item.default, Secret))
    yield from (f"env:{name}" for name in subject.references.secrets)
    for alias in load_settings().settings.models.values():
        yield from alias.references


def _is_assigned(text: str) -> bool:
    return any(not match["value"].startswith(("env:", "file:")) for match in _ASSIGNED.finditer(text))


def _looks_secret(data: object) -> bool:
    return _leaks(json.dumps(data, ensure_ascii=False))


def _leaks(text: str) -> bool:
    return looks_secret(text) or scrub(text) != text


def looks_secret(text: str) -> bool:
    """Whether a text holds a key, or an address with a password in it."""
    # what must be in it is looked for first: outputs may be large, and a pattern is slow
    if any(sign in text for sign in KEY_SIGNS) and KEYS.search(text):
        return True
    return "://" in text and _ADDRESS.search(text) is not None


SECRETS: tuple[Rule, ...] = (no_secrets,)
