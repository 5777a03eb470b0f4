"""One process of the workspace at a time: a lock on a file, which the kernel takes back when its owner dies."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from gen_toolkit.errors import TrackingError
from gen_toolkit.locks import lock
from gen_toolkit.settings import load_settings

_PATIENCE = 60.0


@contextlib.contextmanager
def alone(name: str, *, seconds: float = _PATIENCE) -> Iterator[None]:
    """Run a block while no other process of this workspace runs one of that name.

    Raises TrackingError when it is another's turn for longer than `seconds`.
    """
    settings = load_settings()
    path = settings.workspace.prepare() / name
    until = time.monotonic() + seconds
    while (held := lock(path)) is None:
        if time.monotonic() > until:
            raise TrackingError(
                f"another process has held {path.name} for {seconds:g} s",
                fix="Wait for it, or end it; it waits for MLflow.",
                uri=settings.tracking_uri,
            )
        time.sleep(0.02)
    try:
        yield
    finally:
        os.close(held)
