"""What /proc tells of a forked process: its command and its environment, as if it had been started with them.

A fork keeps the strings of the process it came from. A run's processes are found by a variable in
/proc/PID/environ, so a forked one has to write its own there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gen_toolkit.scope import ROOT_MARK, SESSION_MARK
from gen_toolkit.surface import RUN_MARK

ROOM = "GEN_TOOLKIT_ROOM"  # a variable of the template that is there for its length
ROOM_BYTES = 16_000
_FIRST = (RUN_MARK, ROOT_MARK, SESSION_MARK)


def show(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Write both over the strings this process was born with, as far as there is room; marks come first.

    The C library must not point there any more: call it while `os.environ` is empty.
    """
    arguments_at, arguments_end, environment_at, environment_end = _area()
    named = [*(name for name in _FIRST if name in environment), *environment]
    strings = (_encoded(f"{name}={environment[name]}") for name in dict.fromkeys(named))
    command = b"".join(map(_encoded, arguments))[: max(arguments_end - arguments_at - 1, 0)]
    _write(arguments_at, arguments_end, [command])
    _write(environment_at, environment_end, strings)


def is_writable() -> bool:
    """Whether this process's own strings can be found here."""
    return min(_area()) > 0


def _area() -> tuple[int, int, int, int]:
    """Addresses of the strings: fields 48 to 51 of proc(5)'s stat, 0 where the system does not tell."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()  # begins with field 3
    first, last, begin, end = (int(field) for field in fields[45:49])
    return first, last, begin, end


def _encoded(string: str) -> bytes:
    return string.encode("utf-8", "surrogateescape") + b"\0"


def _write(at: int, end: int, strings: Iterable[bytes]) -> None:
    block = b""
    for string in strings:
        if len(block) + len(string) <= end - at:
            block += string
    ctypes.memmove(at, block.ljust(end - at, b"\0"), end - at)
