"""A guard over a stream: nothing is given away before it is safe."""

from __future__ import annotations

import re

from gen_toolkit import text as plain
from gen_toolkit.models.guard import WORD, Finding, Rules
from gen_toolkit.secret import KEYS


class Held:
    """A stream's text under the rules: what is safe to give away, as soon as it is safe.

    Whatever the pieces, what comes out is what the rules make of the whole text.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._waiting = ""
        self._length = 0

    def fed(self, piece: str) -> tuple[str, list[Finding]]:
        """What may go on now; the rest waits for the pieces after it."""
        before, self._waiting = self._waiting, plain.scrub(self._waiting + piece)
        self._length += len(piece)
        known = [] if self._waiting == before + piece else [Finding("secret", "redacted")]
        if self._rules.is_too_long(self._length):
            return "", [*known, Finding("too-long", "refused")]
        if self._rules.needs_whole:
            return "", known
        end = plain.secret_begins(self._waiting)
        if not self._rules.is_empty:
            end = _boundary(self._waiting, end)
        safe, self._waiting = self._waiting[:end], self._waiting[end:]
        safe, findings = self._rules.applied(safe)
        return safe, known + findings

    def rest(self) -> tuple[str, list[Finding]]:
        """At the end of the stream: all that was held back."""
        waiting, self._waiting = self._waiting, ""
        return self._rules.applied(waiting)


# The beginning of a PEM block of a private key that may still be going on.
_OPENED = re.compile(
    r"-----BEGIN (?:[A-Z ]{0,42}-{0,4}"
    r"|[A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-{1,5}|-----E|-----EN|-----END|-----END [A-Z ]{0,42}-{0,4})?)\Z"
)


def _boundary(text: str, end: int) -> int:
    """The last place up to `end` that no pattern of one word, no number in groups and no PEM block goes across."""
    opened = _OPENED.search(text)
    if opened is not None:
        end = min(end, opened.start())
    while end > 0 and _goes_on(text, end):
        end -= 1
    across = (key.start() for key in KEYS.finditer(text) if key.start() < end < key.end())
    return next(across, end)


def _goes_on(text: str, place: int) -> bool:
    before = text[place - 1]
    if before == " ":  # between the groups of a card's number
        return place >= 2 and text[place - 2].isdigit() and (place == len(text) or text[place].isdigit())
    return WORD.fullmatch(before) is not None
