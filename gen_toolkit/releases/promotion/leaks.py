"""What must not get into a repository: secrets never, personal data not unless a pipeline allows it.

What is found is named by its place and kind, and never repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gen_toolkit.alias import GuardRules
from gen_toolkit.errors import CheckFailed
from gen_toolkit.models.guard import Rules
from gen_toolkit.releases.finding import Finding
from gen_toolkit.releases.rules.secrets import looks_secret
from gen_toolkit.text import one_line, scrub

ALLOWED = "allowed"
"""The value of `personal_data` in pipeline.toml with which it may be in a release."""

_PERSONAL = Rules(GuardRules(secrets="allow", email="refuse", card="refuse"))
_KINDS = {"email": "an e-mail address", "card": "a card number"}
# sixteen digits of a fraction, or in the id of a row or a hash, pass a card's checksum now and then
_NO_CARDS = re.compile(r"\d*\.\d+|\b(?=[0-9a-f]*[a-f])[0-9a-f]{16,}\b")


def leaks(texts: Iterable[tuple[str, str]], *, personal: bool = True) -> Iterator[Finding]:
    """Of (place, text) pairs each that holds a secret or, with `personal`, personal data."""
    for place, text in texts:
        if scrub(text) != text or looks_secret(text):
            fix = "Keep it out of what the notebook sends and prints, and change the secret: it was written down."
            yield Finding("secret", f"{place} holds what looks like a secret", fix)
        elif personal:
            for found in _PERSONAL.applied(_NO_CARDS.sub("", text))[1]:
                fix = f'Mask it (guard rules of the alias), or set personal_data = "{ALLOWED}" in pipeline.toml.'
                what = _KINDS.get(found.reason, found.reason)
                yield Finding("personal-data", f"{place} holds {what}", fix)


def refuse_leaks(texts: Iterable[tuple[str, str]], *, personal: bool, what: str) -> None:
    """Raises CheckFailed with the findings where there are any; `what` is not made then."""
    found = list(leaks(texts, personal=personal))
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise CheckFailed(
            f"{what} is not made: {found[0].message}{more}",
            fix=found[0].fix,
            findings=[one.to_json() for one in found],
        )


def texts_of_call(entry: Mapping[str, Any]) -> str:
    """What a person or a model wrote in a call: not its numbers, which may look like anything."""
    return "\n".join(_texts({key: entry.get(key) for key in ("request", "reply", "error")}))


def texts_of_notebook(notebook: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """(place, text) of every cell: its source, and what it showed. Pictures are left out."""
    for number, cell in enumerate(notebook["cells"], 1):
        shown = [_without_pictures(output) for output in cell.get("outputs", [])]
        yield f"cell {number} of {name}", "\n".join(_texts([cell.get("source", ""), shown]))


def texts_of_values(values: Mapping[str, Any], what: str) -> Iterator[tuple[str, str]]:
    """(place, text) of each value by its name."""
    for name, value in values.items():
        yield f"{what} {one_line(name, 40)}", "\n".join(_texts(value))


def _without_pictures(output: Mapping[str, Any]) -> dict[str, Any]:
    data = output.get("data")
    if not isinstance(data, dict):
        return dict(output)
    return {**output, "data": {kind: shown for kind, shown in data.items() if not kind.startswith("image/")}}


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
        yield from _inside(data)
    elif isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(data, list | tuple):
        if data and all(isinstance(line, str) for line in data):
            yield "".join(data)  # a notebook's text may be a list of lines
        else:
            for item in data:
                yield from _texts(item)


def _inside(text: str) -> Iterator[str]:
    """A reply may be JSON, in which a text is escaped."""
    if "\\u" in text and text[:1] in "{[":
        try:
            yield from _texts(json.loads(text))
        except (ValueError, RecursionError):
            return
