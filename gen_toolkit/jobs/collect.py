"""What cells show: into the notebook and the log up to a cap, and as progress to whoever watches."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from gen_toolkit import text

_OUTPUTS = {"stream", "display_data", "update_display_data", "execute_result"}
_LONGEST_ERROR = 100_000  # characters of a message, and of each line of a traceback
_SAYS_EVERY = 0.1  # seconds


class Log:
    """Standard error, which is the run's log.txt: scrubbed, and cut at the cap."""

    def __init__(self, cap: float) -> None:
        self._left = int(cap)
        self._held = ""
        self._writing = threading.Lock()

    def write(self, words: str) -> None:
        """What may be the beginning of a secret is held back until the rest has come."""
        with self._writing:
            words = self._held + words
            end = text.secret_begins(words)
            self._held = words[end:]
            self._put(text.scrub(words[:end]))

    def close(self) -> None:
        with self._writing:
            self._put(text.scrub(self._held))
            self._held = ""

    def _put(self, words: str) -> None:
        if self._left > 0:
            cut = "" if len(words) < self._left else "\n[the log is cut here: output_mb]\n"
            sys.stderr.write(words[: self._left] + cut)
            sys.stderr.flush()
            self._left -= len(words)

    def follow(self, descriptor: int) -> None:
        """What the kernel's process writes past its channels, in a thread of its own."""

        def pass_on() -> None:
            with os.fdopen(descriptor, encoding="utf-8", errors="backslashreplace") as lines:
                while line := lines.readline(65536):
                    self.write(line)

        threading.Thread(target=pass_on, daemon=True).start()


class Collector:
    """Decides of each message of a cell whether the notebook takes it."""

    def __init__(self, cap_mb: float, log: Log, say: Callable[..., None]) -> None:
        self._cap = cap_mb * 1_000_000
        self._mark = f"[output is cut here: the run has shown more than {cap_mb:g} MB (output_mb)]\n"
        self._log = log
        self._say = say
        self._said = 0.0
        self._held = 0  # by the cells before
        self._cell = 0
        self._is_marked = False

    def begin(self) -> None:
        """The next cell."""
        self._held += self._cell
        self._cell = 0
        self._is_marked = False

    def take(self, message: Any, cell: Any) -> bool:
        """Whether to keep it. Where the first is not kept, a line among the cell's outputs says so."""
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            self._cell = 0
        elif kind == "error":  # always: a run is judged by it
            content["evalue"] = clipped(content["evalue"])
            content["traceback"] = [clipped(line) for line in content["traceback"]]
        if kind not in _OUTPUTS:
            return True
        self._tell(kind, content)
        size = len(content["text"]) if kind == "stream" else _size(content["data"])
        room = int(self._cap) - self._held - self._cell
        if size > room:
            if not self._is_marked:
                self._is_marked = True
                if kind == "stream" and room > 0:
                    content["text"] = f"{content['text'][:room]}\n{self._mark}"
                    self._cell += room
                    return True
                cell.outputs.append(type(cell)(output_type="stream", name="stderr", text=self._mark))
            return False
        if kind != "update_display_data":  # that replaces what is held
            self._cell += size
        return True

    def _tell(self, kind: str, content: Any) -> None:
        """A person who watches sees the log and the newest line of a progress."""
        line = ""
        if kind == "stream":
            self._log.write(content["text"])
            lines = content["text"][-1000:].strip().splitlines() if content["name"] == "stderr" else []
            line = lines[-1] if lines else ""  # a bar is drawn over itself, behind a carriage return
        elif (content.get("transient") or {}).get("display_id"):
            line = str(content["data"].get("text/plain", ""))
        now = time.monotonic()
        if now - self._said > _SAYS_EVERY:
            self._said = now
            self._say(event="progress", line=line[:300])


def _size(data: dict[str, Any]) -> int:
    return sum(len(value) if isinstance(value, str) else len(json.dumps(value)) for value in data.values())


def clipped(words: str) -> str:
    """A message or line of an error, no longer than the notebook takes it."""
    if len(words) <= _LONGEST_ERROR:
        return words
    return f"{words[:_LONGEST_ERROR]}… ({len(words)} characters)"
