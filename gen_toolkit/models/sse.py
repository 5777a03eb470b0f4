"""Server-sent events, read from bytes in any pieces. No input, no output.

Source: WHATWG HTML, 9.2.5 to 9.2.6 ("Parsing an event stream", "Interpreting an event stream"). `id` and `retry` are
for reconnecting, which is never done here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r")
MOST_EVENT = 8 * 2**20
"""Bytes; an event holds a few tokens, or at worst a picture."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Event:
    """One event; `data` are the bytes of its data lines, joined by newlines."""

    data: bytes
    name: str = ""


class EventTooLarge(Exception):
    """An event without an end."""


class EventStream:
    """Feed it bytes; it gives the events that have become whole. What the end cuts off is none, as the source says."""

    def __init__(self, most: int = MOST_EVENT) -> None:
        self._most = most
        self._line_so_far = bytearray()
        self._at_start = True
        self._after_return = False
        self._data: list[bytes] = []
        self._name = ""
        self._size = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Raises EventTooLarge."""
        if not chunk:
            return []
        if self._after_return:  # a line may end with both, and they may come apart
            chunk = chunk.removeprefix(b"\n")
        self._after_return = chunk.endswith(b"\r")
        *lines, rest = _LINE_END.split(chunk)
        found = [event for line in lines if (event := self._line(self._joined(line))) is not None]
        self._line_so_far += rest
        self._refuse_too_large()
        return found

    def _joined(self, end: bytes) -> bytes:
        line = bytes(self._line_so_far) + end if self._line_so_far else end
        self._line_so_far.clear()
        if self._at_start:
            line, self._at_start = line.removeprefix(_BOM), False
        return line

    def _refuse_too_large(self) -> None:
        if self._size + len(self._line_so_far) > self._most:
            raise EventTooLarge

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._closed()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value) + 1
            self._refuse_too_large()
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _closed(self) -> Event | None:
        data, name = self._data, self._name
        self._data, self._name, self._size = [], "", 0
        return Event(b"\n".join(data), name) if data else None
