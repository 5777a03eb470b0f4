"""How moments and lengths of time are written on the command line."""

from __future__ import annotations

import re
import time
from datetime import datetime

from gen_toolkit.errors import InputError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_LONGEST = 100 * 366 * 86400.0  # nothing here is older than a century


def duration(written: str) -> float:
    """Seconds in `90s`, `45m`, `12h`, `30d`, `2w`. Raises InputError."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", written.strip())
    if match is None or float(match[1]) * _SECONDS[match[2]] > _LONGEST:
        raise InputError(f"{written!r} is no length of time", fix="Write 45m, 12h, 30d or 2w.")
    return float(match[1]) * _SECONDS[match[2]]


def moment(written: str | None) -> float | None:
    """Seconds since 1970 of `7d` (so long ago), `2026-11-24` or `2026-11-24T09:30` (local time). Raises InputError."""
    if written is None:
        return None
    if re.fullmatch(r"[\d.]+[a-z]", written.strip()):
        return time.time() - duration(written)
    try:
        return datetime.fromisoformat(written.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise InputError(f"{written!r} is no moment", fix="Write 7d, 2026-11-24 or 2026-11-24T09:30.") from None
