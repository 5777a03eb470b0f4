"""What one attempt says while it is under way, read from its folder: its steps, and between them what was printed."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gen_toolkit.jobs.steps import FILE, parsed

LOG = "log.txt"
_MOST_BEFORE = 65_536  # bytes of what was printed before somebody came to look
_AT_ONCE = 1 << 20
_UNFINISHED = 1.0  # seconds after which a line that does not end is shown as far as it is


class AttemptLog:
    """Read again and again: each time, what has come since. `whole`: from its beginning, else from the cell under way.

    News are steps (see jobs/steps.py) and `{"event": "output", "cell", "text"}`: whole lines, where they end soon.
    A line that is written over by a progress (`tqdm`) is told when it is finished.
    """

    def __init__(self, folder: Path, *, whole: bool) -> None:
        self._folder, self._whole = folder, whole
        self._steps = _Tail(folder / FILE)
        self._log = _Tail(folder / LOG)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._rest_since = 0.0
        self._torn = b""
        self._cell: int | None = None
        self._began = False

    def news(self, *, last: bool = False) -> Iterator[dict[str, Any]]:
        """`last`: nothing more will come, so that a line without an end is told as it is."""
        size = self._log.size()  # before the steps are read: all steps that stand before this point are there then
        steps = self._read_steps()
        if not self._began and not self._whole:
            steps = self._skip(steps, size)
        self._began = self._began or bool(steps) or size > 0
        for step in steps:
            yield from self._printed(step["log"])
            if step["event"] in {"cell", "ran"}:
                yield from self._flushed()
            self._cell = step.get("cell", self._cell)
            yield step
        yield from self._printed(size)
        if self._rest and (last or ("\r" not in self._rest and time.monotonic() - self._rest_since > _UNFINISHED)):
            yield from self._flushed()

    def _read_steps(self) -> list[dict[str, Any]]:
        *lines, self._torn = (self._torn + self._steps.read(None)).split(b"\n")
        return parsed(lines)

    def _skip(self, steps: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
        """All but the newest cell, and what was printed since it began."""
        cells = [i for i, step in enumerate(steps) if step["event"] == "cell"]
        left = steps[cells[-1] :] if cells else steps
        begin = left[0]["log"] if left else 0
        self._log.position = max(begin, size - _MOST_BEFORE)
        return left

    def _printed(self, until: int) -> Iterator[dict[str, Any]]:
        while self._log.position < until and (piece := self._log.read(until)):
            before = self._rest
            whole, end, self._rest = (self._rest + self._decode(piece)).rpartition("\n")
            if self._rest != before or end:
                self._rest_since = time.monotonic()
            if end:
                yield self._output(whole + end)

    def _flushed(self) -> Iterator[dict[str, Any]]:
        if self._rest:
            yield self._output(self._rest)
            self._rest = ""

    def _output(self, text: str) -> dict[str, Any]:
        lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
        return {"event": "output", "cell": self._cell, "text": "\n".join(lines)}


class _Tail:
    """A file that grows, and is perhaps not there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.position = 0

    def size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def read(self, until: int | None) -> bytes:
        """The next piece; all of it where `until` is None."""
        try:
            with self._path.open("rb") as file:
                file.seek(self.position)
                found = file.read() if until is None else file.read(min(_AT_ONCE, until - self.position))
        except OSError:
            return b""
        self.position += len(found)
        return found
