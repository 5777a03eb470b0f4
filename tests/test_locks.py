"""Locks on files: one holder, gone with it, and handed on to a child."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gen_toolkit.locks import lock

TAKE = "import pathlib, sys\nfrom gen_toolkit.locks import lock\nprint(lock(pathlib.Path(sys.argv[1])) is not None)"


def taken_elsewhere(path: Path) -> bool:
    return subprocess.check_output([sys.executable, "-c", TAKE, str(path)], text=True, timeout=60) == "True\n"


def test_one_has_it_until_it_closes_it(tmp_path: Path) -> None:
    held = lock(tmp_path / "x.lock")
    assert held is not None
    assert lock(tmp_path / "x.lock") is None
    assert not taken_elsewhere(tmp_path / "x.lock")
    os.close(held)
    assert taken_elsewhere(tmp_path / "x.lock")  # and it went with that process
    assert taken_elsewhere(tmp_path / "x.lock")
    assert (tmp_path / "x.lock").stat().st_mode & 0o777 == 0o600


def test_a_child_that_is_given_it_keeps_it_and_others_are_not_given_it(tmp_path: Path) -> None:
    held = lock(tmp_path / "x.lock")
    assert held is not None
    heir = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(held,))
    other = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    os.close(held)
    assert lock(tmp_path / "x.lock") is None
    heir.communicate(timeout=60)
    again = lock(tmp_path / "x.lock")
    assert again is not None
    other.communicate(timeout=60)
    os.close(again)


def test_no_folder_is_made_for_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lock(tmp_path / "gone" / "x.lock")
    assert not (tmp_path / "gone").exists()
