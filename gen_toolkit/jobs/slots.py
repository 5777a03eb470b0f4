"""Places of which there are so many: each is a lock on a file."""

from __future__ import annotations

from pathlib import Path

from gen_toolkit.locks import lock


def take_slot(folder: Path, limit: int) -> int | None:
    """One of `limit` places, as the descriptor that holds it; None: all are taken."""
    for number in range(limit):
        descriptor = lock(folder / f"slot-{number}.lock")
        if descriptor is not None:
            return descriptor
    return None
