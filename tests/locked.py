"""An SQLite database that another process is writing to."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from gen_toolkit.database.engine import open_database

_HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""


@contextlib.contextmanager
def locked(seconds: float) -> Iterator[None]:
    """For so long, at most while the block lasts."""
    command = [sys.executable, "-c", _HOLDER, str(open_database().path), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            holder.kill()
