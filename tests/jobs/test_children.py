"""A child process: it sees what it is given and nothing else, and its status is told."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from gen_toolkit.jobs import children
from gen_toolkit.jobs.children import Child, Surroundings, start, start_program

LOOK = """
import json, os, sys
print(json.dumps({"arguments": sys.argv[1:], "cwd": os.getcwd(), "environment": sorted(os.environ),
    "leader": os.getsid(0) == os.getpid(), "open": sorted(map(int, os.listdir("/proc/self/fd")))}))
"""


def test_a_module_runs_with_its_surroundings_and_a_session_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "looking.py").write_text(LOOK)
    (tmp_path / "here").mkdir()
    passed, _ = os.pipe()
    with open(tmp_path / "said", "wb") as said:
        surroundings = Surroundings(
            {"PYTHONPATH": str(tmp_path)}, tmp_path / "here", stdout=said.fileno(), pass_fds=[passed]
        )
        child = start("looking", "a", "b c", surroundings=surroundings)
    assert child.wait(60) == 0
    seen = json.loads((tmp_path / "said").read_text())
    assert seen["arguments"] == ["a", "b c"]
    assert seen["cwd"] == str(tmp_path / "here")
    assert set(seen["environment"]) <= {"PYTHONPATH", "LC_CTYPE"}  # Python sets the second for itself
    assert seen["leader"]
    assert set(seen["open"]) <= {0, 1, 2, 3, passed}  # 3: the folder being listed


def test_a_status_is_the_exit_code_or_the_signal(tmp_path: Path) -> None:
    left = start_program(["sh", "-c", "exit 7"], Surroundings(os.environ, tmp_path))
    assert left.wait(30) == 7
    sleeper = start_program(["sleep", "60"], Surroundings(os.environ, tmp_path))
    assert sleeper.poll() is None
    assert sleeper.wait(0.01) is None
    sleeper.send_signal(signal.SIGTERM)
    assert sleeper.wait(30) == -signal.SIGTERM
    sleeper.send_signal(signal.SIGTERM)  # ended: nothing happens


def test_whoever_collects_all_children_tells_the_child(tmp_path: Path) -> None:
    child = start_program(["sh", "-c", "exit 3"], Surroundings(os.environ, tmp_path))
    _, status = os.waitpid(child.pid, 0)
    child.reaped(status)
    assert child.poll() == 3


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        start_program(["no-such-program"], Surroundings(os.environ, tmp_path))


def test_in_a_fork_of_a_template_modules_are_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Sequence[str], Surroundings]] = []

    def fork(module: str, arguments: Sequence[str], surroundings: Surroundings) -> int:
        asked.append((module, arguments, surroundings))
        return start_program(["sh", "-c", "exit 5"], surroundings).pid

    monkeypatch.setattr(children, "_fork", None)
    children.fork_with(fork)
    surroundings = Surroundings(os.environ, tmp_path)
    child: Child = start("some.module", "x", surroundings=surroundings)
    assert child.wait(30) == 5
    assert asked == [("some.module", ("x",), surroundings)]
