"""What the processes of a run say to each other: JSON, a line each."""

from __future__ import annotations

import json
import os
from typing import Any

_AT_ONCE = 65536


def written(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts).encode() + b"\n"


class Lines:
    """Reads them from a descriptor, without ever waiting for one."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._rest = b""

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> list[dict[str, Any]] | None:
        """The lines that have come; None when there will never be another one."""
        try:
            chunk = os.read(self._descriptor, _AT_ONCE)
        except BlockingIOError:
            return []
        except OSError:  # the other end of a socket was killed with something unread
            return None
        if not chunk:
            return None
        *complete, self._rest = (self._rest + chunk).split(b"\n")
        return [json.loads(line) for line in complete if line]
