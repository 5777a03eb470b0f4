"""A streamed answer that is held in the middle until a test lets it go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from openai_server import COUNTED, DONE, Answer, delta

_KEEP_ALIVE = b": still here\n\n"


class Held:
    """For `server.say(held)`: sends `first`, then nothing but keep-alives until `go` is set, then `rest`."""

    def __init__(self, first: str, rest: str) -> None:
        self.go = threading.Event()
        self._first, self._rest = first, rest

    def __call__(self, _: dict[str, Any]) -> Answer:
        return Answer(headers={"content-type": "text/event-stream"}, parts=self._parts())  # type: ignore[arg-type]

    def _parts(self) -> Iterator[bytes]:
        yield delta(role="assistant", content="")
        yield delta(content=self._first)
        while not self.go.wait(0.1):
            yield _KEEP_ALIVE  # so that a closed connection is noticed
        yield delta(content=self._rest)
        yield from (delta("stop"), COUNTED, DONE)
