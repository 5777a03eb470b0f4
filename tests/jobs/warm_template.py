"""A template for tests, and processes forked from it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gen_toolkit.jobs.warm import keep, wire
from gen_toolkit.jobs.warm.caller import Caller
from gen_toolkit.jobs.warm.client import ask, begin
from gen_toolkit.workspace import Workspace, find_workspace

MARKS = [
    pytest.mark.kernel,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="there is no template elsewhere"),
]
"""Of all tests that fork."""

PROGRAMS = Path(__file__).parent / "warm_programs"
ROOT = Path(__file__).parents[2]
PATIENCE = 150.0


def until(holds: Callable[[], Any]) -> Any:
    """Wait for something to hold; what it gave."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
    return found


@contextmanager
def template(workspace: Workspace, **options: Any) -> Iterator[keep.Status]:
    """One that is up while the block lasts."""
    assert keep.keep_warm(workspace, **options)
    try:
        yield until(lambda: keep.status(workspace))
    finally:
        keep.stop(workspace)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@dataclass
class Fork:
    """A process that a template was asked for."""

    pid: int
    connection: Any
    out: int

    def said(self) -> dict[str, Any]:
        """What the caller is told about its end."""
        self.connection.settimeout(PATIENCE)
        answer = wire.receive(self.connection)
        if answer:
            self.connection.close()
        return answer[0] if answer else {}

    def output(self) -> str:
        """All it printed; waits for the end of it."""
        with os.fdopen(self.out, encoding="utf-8") as lines:
            return lines.read()

    def line(self) -> str:
        """The next line it prints."""
        said = b""
        while not said.endswith(b"\n"):
            byte = os.read(self.out, 1)
            assert byte, said
            said += byte
        return said.decode().strip()


def fork(workspace: Workspace, *arguments: str, environment: Mapping[str, str] | None = None, **options: Any) -> Fork:
    """Have the test's program run by a fork. Raises Cold."""
    reader, writer = os.pipe()
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        connection, pid = ask(
            workspace.records,
            Caller.COMMAND,
            "warm_program",
            arguments,
            environment=surrounding() if environment is None else environment,
            files=[null, writer, 2],
            **{"cwd": str(workspace.root), **options},
        )
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
        os.close(null)
    begin(connection)
    return Fork(pid, connection, reader)


def afresh(workspace: Workspace, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the same program says when it is started the ordinary way."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import sys; import warm_program; warm_program.main()", *arguments],
        env=surrounding() if environment is None else environment,
        cwd=workspace.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
        preexec_fn=_as_from_a_terminal,
        timeout=PATIENCE,
    )
    return json.loads(done.stdout)


def _as_from_a_terminal() -> None:
    """A suite that runs under nohup hands down signals that are ignored."""
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def surrounding(**more: str) -> dict[str, str]:
    return {**os.environ, **more}


def paths() -> str:
    """For PYTHONPATH: the programs of these tests, and this toolkit."""
    return os.pathsep.join([str(PROGRAMS), str(ROOT)])


def here(root: Path) -> Workspace:
    return find_workspace(root)
