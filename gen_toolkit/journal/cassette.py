"""A cassette: calls in a file of JSON lines, so that tests and notebooks run without a model.

A line holds the key and the reply, or the error; the request only where asked for, so that no text
that was sent enters a repository. Keys in a cassette leave the owner of a call out.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from gen_toolkit.errors import InputError
from gen_toolkit.text import scrub


class Cassette:
    """Reads all lines at once, of a key the last; appends a line per new key and per other answer to a known one."""

    def __init__(self, path: Path, *, bodies: bool = False) -> None:
        self.path = path
        self.bodies = bodies
        self._lock = threading.Lock()
        self._lines: dict[str, dict[str, Any]] = {}
        if path.exists():
            # not splitlines: a reply may hold other separators than our own line end
            for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
                self._read(number, line)

    def _read(self, number: int, line: bytes) -> None:
        if not line.strip():
            return
        try:
            entry = json.loads(line)
            if not isinstance(entry["reply"]["text"] if "reply" in entry else entry["error"]["code"], str):
                raise TypeError
            self._lines[entry["key"]] = entry
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{self.path} line {number} is not a recorded call",
                fix="Remove the line, or record the cassette anew.",
            ) from None

    def find(self, key: str) -> dict[str, Any] | None:
        """`{"reply": …}` or `{"error": …}` of that key."""
        return self._lines.get(key)

    def add(self, key: str, entry: dict[str, Any]) -> None:
        """Another answer takes the place of the one before, so that replay shows what was seen last.

        An error does not, nor an answer that differs in nothing but the seconds it took: that would be a line a call.
        """
        written = scrub(json.dumps({"key": key, **entry}, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
        line = json.loads(written)
        with self._lock:
            known = self._lines.get(key, {})
            if "reply" in known and ("reply" not in line or _untimed(line["reply"]) == _untimed(known["reply"])):
                return
            self._lines[key] = line
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            # halves of characters, which a model may send, stand as the escapes that JSON has
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(written + "\n")


def _untimed(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in reply.items() if not name.endswith("seconds")}
