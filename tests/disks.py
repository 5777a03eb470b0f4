"""Disks that are small, full or read-only, and a user who may not do everything."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SIZE_MB = 24
FILL = """
import os
with open({filler!r}, "wb", buffering=0) as file:
    for size in (65536, 4096, 1):
        try:
            while True:
                file.write(b"x" * size)
        except OSError:
            pass
"""
_NOBODY = 65534


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one; skipped where this user may not mount one."""
    point = tmp_path / "disk"
    point.mkdir()
    with contextlib.suppress(OSError):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(point)], capture_output=True, check=False
        )
        if done.returncode == 0:
            yield point
            subprocess.run(["umount", "--lazy", str(point)], check=True)
            return
    pytest.skip("a disk cannot be mounted here")


def fill(disk: Path) -> Path:
    exec(FILL.format(filler=str(disk / "filler")))
    return disk / "filler"


def remount(disk: Path, how: str) -> None:
    """`ro` or `rw`."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@contextlib.contextmanager
def as_nobody(root: Path) -> Iterator[None]:
    """As a user who owns what is under `root`, and is bound by its permissions, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    for path in [root, *root.rglob("*")]:
        shutil.chown(path, _NOBODY)
    for folder in root.parents:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o111)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
