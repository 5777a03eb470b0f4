"""Locks on files that end with their holder, however that ends.

A lock belongs to the open file, which a child can be given: it then lasts as long as the child does.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock(path: Path) -> int | None:
    """The descriptor that holds the lock on `path`; None: another process has it.

    The file is made, its folder is not. Raises OSError.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
