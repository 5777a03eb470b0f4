"""The environment, which holds settings and, in a job, which one it is; also where code has emptied it."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_held: dict[str, str] = {}  # in the kernel of a job: what it began with


def hold() -> None:
    """From now on a cell that empties the environment (`os.environ.clear()`) does not leave its job by that.

    What it keeps and pays for would else go, unsaid, to a session of the current folder.
    """
    _held.update({name: value for name, value in os.environ.items() if name.startswith("GEN_TOOLKIT_")})


def environment() -> MutableMapping[str, str]:
    """`os.environ`; what was held is put back where all of it is gone. What a cell changes by name stays changed."""
    if _held and _held.keys().isdisjoint(os.environ):
        os.environ.update(_held)
    return os.environ
