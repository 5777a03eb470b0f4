"""Files of a pipeline: what goes wrong with them is one line, and none of them lies outside of the workspace."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from gen_toolkit.errors import InputError, ReleaseError, SetupError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raises InputError where what is inside cannot write, or SetupError where the disk is full or read-only."""
    try:
        yield
    except OSError as error:
        kind = SetupError if error.errno in _DISK else InputError
        raise kind(f"{path} cannot be written: {error.strerror}", fix="Check permissions and space.") from None


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raises ReleaseError where what is inside cannot look at `path`."""
    try:
        yield
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read: {error.strerror}", fix="Check permissions.") from None


def stay_inside(root: Path, *paths: Path) -> None:
    """Raises ReleaseError where a link leads out of the workspace: nothing is read or written there."""
    inside = root.resolve()
    for path in paths:
        try:
            target = path.resolve()
        except (OSError, RuntimeError):  # a link to itself
            target = None
        if target is None or not target.is_relative_to(inside):
            where = "nowhere" if target is None else f"out of the workspace, to {target}"
            raise ReleaseError(f"{path} leads {where}", fix="Put the folder itself there; such a link is not followed.")
