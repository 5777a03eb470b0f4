"""Who changes a pipeline does it alone, of all processes on its workspace."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gen_toolkit.errors import SetupError
from gen_toolkit.locks import lock

PATIENCE_S = 60.0
_held = threading.local()


@contextlib.contextmanager
def one_at_a_time(path: Path, what: str) -> Iterator[None]:
    """Hold the lock on the file `path`, which ends with this process, however that ends.

    A thread that has it already goes on. Raises SetupError where it cannot be had within PATIENCE_S.
    """
    held: set[Path] = _held.__dict__.setdefault("paths", set())
    if path in held:
        yield
        return
    descriptor = _awaited(path, what)
    held.add(path)
    try:
        yield
    finally:
        held.discard(path)
        os.close(descriptor)


def _awaited(path: Path, what: str) -> int:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            descriptor = lock(path)
        except OSError as error:
            raise SetupError(
                f"{path} cannot be written: {error.strerror}", fix="Check permissions and space."
            ) from None
        if descriptor is not None:
            return descriptor
        if time.monotonic() > until:
            raise SetupError(
                f"another process has been changing {what} for {PATIENCE_S:.0f} s", fix=f"See who holds {path}."
            )
        time.sleep(0.02)
