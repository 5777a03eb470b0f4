"""A database that can be read and not written: on a read-only disk, in an archive, in somebody else's folder."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path


def is_read_only(path: Path) -> bool:
    """Whether the file is there, and it or its folder, where SQLite keeps its log, cannot be written to."""
    return path.exists() and not (_is_writable(path) and _is_writable(path.parent))


def connect(path: Path) -> sqlite3.Connection:
    """A connection that only reads; each is opened anew, because what stands beside the file decides how.

    With a log beside it somebody writes, or was stopped while writing: its newest rows are there. Without one
    SQLite would make one, and must be told that nothing changes.
    """
    has_log = path.with_name(f"{path.name}-wal").exists()
    address = f"{path.resolve().as_uri()}?mode=ro" + ("" if has_log else "&immutable=1")
    return sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
